"""Exception -> what the admin reads. Conversations refine this for their own errors (handlers/login.py)."""

import logging

from aiogram import Router
from aiogram.exceptions import TelegramNetworkError, TelegramRetryAfter, TelegramServerError
from aiogram.filters import ExceptionTypeFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent

from handlers import keyboards
from handlers.callbacks import Go, Parked, Place
from handlers.parking import is_list, leave
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services import errors
from services.sessions import SessionService
from storage.models import Admin, SessionKind, SessionState

log = logging.getLogger(__name__)

GONE = frozenset({"source", "session", "channel", "admin"})
"""What a question can be about."""


async def _say(text: str, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """What was being asked is one tap away, and typing the answer again works as well."""
    if await screen.alert(text):
        return
    back = Go(to=Place.AGAIN) if await state.get_state() else None
    await screen.show(Page(text, keyboards.only_home(texts, back)))
    await screen.answer()


def _is_pointless(event: ErrorEvent) -> bool:
    """What was answered, or asked again, is about something that is gone: nobody can go on with it. A button of some
    other screen says nothing about the question that is open."""
    if not (isinstance(event.exception, errors.NotFound) and event.exception.what in GONE):
        return False
    callback = event.update.callback_query
    if callback is None:
        return event.update.message is not None
    data = callback.data or ""
    return data == Go(to=Place.AGAIN).pack() or data.startswith(f"{Parked.__prefix__}:")


async def explain(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """An alert where something was tapped (the screen stays), a page of its own after a typed message."""
    assert isinstance(event.exception, errors.PorterError)
    word = event.exception.word if isinstance(event.exception, errors.TelegramRefused) else ""
    log.info("refused: %s %s", type(event.exception).__name__, word, extra={"admin_id": screen.admin_id})
    if _is_pointless(event) and not is_list(await state.get_state()):
        await leave(state)
        await screen.show(Page(texts.errors.of(event.exception), keyboards.only_home(texts)))
        await screen.answer()
        return
    await _say(texts.errors.of(event.exception), screen, texts, state)


async def bot_api_failed(event: ErrorEvent) -> None:
    """What the handler did is done; only its screen was not drawn. The admin's next tap draws one."""
    log.warning("the Bot API did not take an answer: %s", type(event.exception).__name__)


async def needs_account(event: ErrorEvent, screen: AdminScreen, texts: Texts, sessions: SessionService) -> None:
    """One that is signed out needs no other beside it."""
    assert isinstance(event.exception, errors.SessionRequired)
    bots_do = event.exception.bots_do
    kinds = set(SessionKind) if bots_do else {SessionKind.USER}
    dead = [each for each in await sessions.all() if each.state is SessionState.SIGNED_OUT and each.kind in kinds]
    markup = keyboards.bots.add_account(texts, dead, bots_do=bots_do)
    page = Page(texts.errors.of(event.exception), markup)
    await screen.show(page)
    await screen.answer()


async def confess(
    event: ErrorEvent,
    state: FSMContext,
    screen: AdminScreen | None = None,
    texts: Texts | None = None,
    admin: Admin | None = None,
) -> None:
    """A defect: all of it into the log, a calm sentence to the admin, nothing to strangers."""
    log.error("a defect", exc_info=event.exception)
    if screen is not None and texts is not None and admin is not None:
        await _say(texts.errors.defect(), screen, texts, state)


def build() -> Router:
    router = Router(name="errors")
    router.errors.register(needs_account, ExceptionTypeFilter(errors.SessionRequired))
    router.errors.register(explain, ExceptionTypeFilter(errors.PorterError))
    router.errors.register(
        bot_api_failed, ExceptionTypeFilter(TelegramNetworkError, TelegramServerError, TelegramRetryAfter)
    )
    router.errors.register(confess)
    return router
