"""Giving an account up: signed out at Telegram as well, or only forgotten here. Refused while something uses it."""

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, TelegramObject

from handlers import keyboards
from handlers.callbacks import SessionAction, SessionVerb
from handlers.screen import AdminScreen, Page
from handlers.searching import open_list
from handlers.session_list import list_page
from handlers.states import OpenList
from handlers.texts import Texts
from services import errors
from services.sessions import SessionService


async def ask_delete(
    event: TelegramObject, callback_data: SessionAction, screen: AdminScreen, texts: Texts, sessions: SessionService
) -> None:
    """Refused at once while something uses it, and says by what."""
    session = await sessions.refuse_if_used(callback_data.id)
    await screen.show(Page(texts.sessions.ask_delete(session), keyboards.sessions.delete(texts, session.id)))


async def delete(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
) -> None:
    session = await sessions.get(callback_data.id)
    await screen.answer()
    signed_out = await sessions.delete(session.id)
    await _gone(texts.sessions.deleted(session, signed_out=signed_out), screen, texts, state, sessions)


async def forget(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
) -> None:
    session = await sessions.get(callback_data.id)
    await sessions.forget(session.id)
    await _gone(texts.sessions.forgotten(session), screen, texts, state, sessions)


async def _gone(text: str, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService) -> None:
    """The list of those that are left."""
    await open_list(state, OpenList.accounts)
    page = await list_page(texts, state, sessions)
    await screen.show(Page(f"{text}\n\n{page.text}", page.markup))


async def in_use(event: ErrorEvent, screen: AdminScreen, texts: Texts) -> None:
    """What uses it, each a tap away."""
    assert isinstance(event.exception, errors.SessionInUse)
    text = texts.errors.of(event.exception)
    await screen.show(Page(text, keyboards.sessions.in_use(texts, event.exception)))
    await screen.answer()


def build() -> Router:
    router = Router(name="session-delete")
    for verb, handler in (
        (SessionVerb.DELETE, ask_delete),
        (SessionVerb.DELETE_SURELY, delete),
        (SessionVerb.FORGET_SURELY, forget),
    ):
        router.callback_query.register(handler, SessionAction.filter(F.verb == verb))
    router.errors.register(in_use, ExceptionTypeFilter(errors.SessionInUse))
    return router
