"""services.login_watch on the screens: what happens to a login while its admin only looks on, or has gone elsewhere."""

import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from zoneinfo import ZoneInfo

from aiogram.exceptions import TelegramAPIError
from aiogram.fsm.context import FSMContext

from handlers import keyboards
from handlers.callbacks import Go, Parked, Place
from handlers.login import SHOWN_ON, code_page, scan_page, show_step, signed_in_page
from handlers.notifier import texts_for
from handlers.parking import PARKED
from handlers.screen import BesideScreen, LiveScreen, Page, Screens, Shows
from handlers.states import LoginForm
from handlers.texts import Texts
from services import errors
from services.admins import AdminService
from services.enrolment import SignedIn
from services.login_steps import CodeWanted, LoginState, PasswordWanted, QrWanted

log = logging.getLogger(__name__)

Conversations = Callable[[int], AbstractAsyncContextManager[FSMContext]]
"""The conversation with an admin, in turn with the admin's own updates."""
Outcome = LoginState | errors.PorterError


class LoginScreens:
    """Implements services.login_watch.LoginAudience."""

    def __init__(self, screens: Screens, admins: AdminService, zone: ZoneInfo, conversations: Conversations) -> None:
        self._screens = screens
        self._admins = admins
        self._zone = zone
        self._conversations = conversations

    async def login_moved(self, admin_id: int, attempt_id: int, outcome: Outcome) -> bool:
        texts = await texts_for(self._admins, admin_id, self._zone)
        async with self._conversations(admin_id) as state:
            live = LiveScreen(self._screens, admin_id)
            is_asked, looks_on = await _is_asked(state, attempt_id), await _looks_on(state, live)
            try:
                if isinstance(outcome, QrWanted | CodeWanted):
                    return is_asked and looks_on and await _redraw(outcome, live, texts, state)
                if is_asked:
                    await _go_on(outcome, live if looks_on else BesideScreen(self._screens, admin_id), texts, state)
                elif page := await _page_for_parked(outcome, attempt_id, texts, state):
                    await self._screens.tell(admin_id, page)
            except TelegramAPIError as error:
                # The conversation has moved on, and /start shows it.
                log.warning("a login was not drawn: %s", type(error).__name__, extra={"admin_id": admin_id})
            return is_asked


async def _is_asked(state: FSMContext, attempt_id: int) -> bool:
    """The conversation is about this attempt, and not set aside."""
    waits = await state.get_state() in (LoginForm.qr.state, LoginForm.code.state)
    return waits and (await state.get_data()).get("attempt") == attempt_id


async def _looks_on(state: FSMContext, live: LiveScreen) -> bool:
    """The attempt's message is the screen: a tap on another message makes that one the screen."""
    shown_on = (await state.get_data()).get(SHOWN_ON)
    return shown_on is not None and shown_on == await live.message_id()


async def _redraw(outcome: QrWanted | CodeWanted, live: LiveScreen, texts: Texts, state: FSMContext) -> bool:
    """In place alone: where the admin has deleted the picture, another one every half a minute would be a nuisance."""
    if isinstance(outcome, CodeWanted):
        data = await state.get_data()
        return await live.redraw(code_page(outcome, texts, data["slots"], data["typed"]))
    assert outcome.link is not None
    return await live.redraw(scan_page(outcome, outcome.link, texts))


async def _go_on(
    outcome: PasswordWanted | SignedIn | errors.PorterError, screen: Shows, texts: Texts, state: FSMContext
) -> None:
    if isinstance(outcome, errors.PorterError):
        page = _failed(outcome, (await state.get_data()).get("repairs"), texts)
        await state.clear()
        await screen.show(page)
    else:
        await show_step(outcome, screen, texts, state)


async def _page_for_parked(outcome: Outcome, attempt_id: int, texts: Texts, state: FSMContext) -> Page | None:
    """For an admin who has gone to another screen: a message of its own, which leaves that screen alone."""
    data = await state.get_data()
    parked: dict[str, Any] = data.get(PARKED) or {}
    is_parked = parked.get("data", {}).get("attempt") == attempt_id
    match outcome:
        case PasswordWanted() if is_parked:
            data[PARKED] = {"state": LoginForm.password.state, "data": {"attempt": attempt_id}}
            await state.set_data(data)
            return Page(texts.login.scanned_aside(), keyboards.one(texts.labels.resume, Parked(resume=True), texts))
        case SignedIn():
            if is_parked:
                del data[PARKED]
                await state.set_data(data)
            return signed_in_page(outcome, texts)
        case errors.SessionExists() | errors.AccountDiffers():
            return _failed(outcome, None, texts)
        case _:
            return None


def _failed(error: errors.PorterError, repaired: int | None, texts: Texts) -> Page:
    if isinstance(error, errors.LoginTimedOut):
        return Page(texts.login.scan_over(), keyboards.login.scan_over(texts, repaired))
    return Page(texts.errors.of(error), keyboards.one(texts.labels.start_over, Go(to=Place.LOGIN), texts))
