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
from handlers.login import code_page, scan_page, show_step, signed_in_page
from handlers.notifier import texts_for
from handlers.parking import PARKED
from handlers.screen import LiveScreen, Page, Screens
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
            looks_on = await _looks_on(state, attempt_id)
            try:
                if looks_on:
                    return await self._draw(outcome, LiveScreen(self._screens, admin_id), texts, state)
                page = await _aside(outcome, attempt_id, texts, state)
                if page is not None:
                    await self._screens.tell(admin_id, page)
            except TelegramAPIError as error:
                # The conversation has moved on, and /start shows it.
                log.warning("a login was not drawn: %s", type(error).__name__, extra={"admin_id": admin_id})
            return looks_on

    async def _draw(self, outcome: Outcome, screen: LiveScreen, texts: Texts, state: FSMContext) -> bool:
        match outcome:
            case QrWanted(link=str(link)):
                # Where the admin has deleted the picture, another one every half a minute would be a nuisance.
                return await screen.redraw(scan_page(outcome, link, texts))
            case CodeWanted():
                data = await state.get_data()
                return await screen.redraw(code_page(outcome, texts, data["slots"], data["typed"]))
            case errors.PorterError():
                page = _failed(outcome, (await state.get_data()).get("repairs"), texts)
                await state.clear()
                await screen.show(page)
            case _:
                await show_step(outcome, screen, texts, state)
        return True


async def _looks_on(state: FSMContext, attempt_id: int) -> bool:
    waits = await state.get_state() in (LoginForm.qr.state, LoginForm.code.state)
    return waits and (await state.get_data()).get("attempt") == attempt_id


async def _aside(outcome: Outcome, attempt_id: int, texts: Texts, state: FSMContext) -> Page | None:
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
