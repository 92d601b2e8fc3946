"""Another application for an account: API id and hash, looked at by Telegram before they are stored."""

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import SessionAction, SessionVerb
from handlers.login import API_HASH, api_id_in
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.secrets import receive_secret
from handlers.sessions import session_page
from handlers.states import SessionForm
from handlers.texts import Texts
from services import errors
from services.clients.base import ApiCredentials
from services.session_settings import SessionSettings
from services.sessions import SessionService


async def start(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
) -> None:
    await state.set_data({"session": callback_data.id})
    await ask_api_id(event, screen, texts, state, sessions)


async def ask_api_id(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    session = await sessions.get((await state.get_data())["session"])
    await state.set_state(SessionForm.api_id)
    await screen.show(Page(texts.sessions.ask_api_id(session), keyboards.sessions.back(texts, session.id)))


async def receive_api_id(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    api_id = api_id_in(message)
    if api_id is None:
        session_id = (await state.get_data())["session"]
        await screen.show(Page(texts.login.api_id_invalid(), keyboards.sessions.back(texts, session_id)))
        return
    await state.update_data(api_id=api_id)
    await ask_api_hash(message, screen, texts, state)


async def ask_api_hash(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    data = await state.get_data()
    await state.set_state(SessionForm.api_hash)
    text = texts.imports.ask_api_hash(data["api_id"])
    await screen.show(Page(text, keyboards.sessions.back(texts, data["session"])))


async def receive_api_hash(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    session_settings: SessionSettings,
) -> None:
    api_hash = await receive_secret(message, screen, texts)
    data = await state.get_data()
    if not API_HASH.fullmatch(api_hash):
        await screen.show(Page(texts.login.api_hash_invalid(), keyboards.sessions.back(texts, data["session"])))
        return
    await session_settings.change_api(data["session"], ApiCredentials(data["api_id"], api_hash))
    await state.clear()
    card = await sessions.card(data["session"])
    await screen.show(session_page(texts, card, texts.sessions.api_changed(card.session)))


async def refused(
    event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    """Nothing was stored. Telegram does not say which of the two was wrong, so it begins with the id again."""
    session = await sessions.get((await state.get_data())["session"])
    await state.set_state(SessionForm.api_id)
    await screen.show(Page(texts.sessions.api_refused(session), keyboards.sessions.back(texts, session.id)))


PROMPTS: dict[str, Prompt] = {
    str(SessionForm.api_id.state): ask_api_id,
    str(SessionForm.api_hash.state): ask_api_hash,
}


def build() -> Router:
    router = Router(name="session-api")
    router.callback_query.register(start, SessionAction.filter(F.verb == SessionVerb.API))
    router.message.register(receive_api_id, SessionForm.api_id, F.text)
    router.message.register(receive_api_hash, SessionForm.api_hash)
    router.errors.register(
        refused, ExceptionTypeFilter(errors.ApiCredentialsInvalid), StateFilter(SessionForm.api_hash)
    )
    return router
