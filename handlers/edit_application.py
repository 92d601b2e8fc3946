"""An application of a saved channel's own: API id and hash, looked at by Telegram before they are stored."""

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import EditPick, SourceEdit
from handlers.login import API_HASH, api_id_in
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.secrets import receive_secret
from handlers.sources import source_page
from handlers.states import EditForm
from handlers.texts import Texts
from services import errors
from services.clients.base import ApiCredentials
from services.sessions import SessionService
from services.source_applications import SourceApplications
from services.sources import SourceService


async def start(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    sessions: SessionService,
) -> None:
    await state.set_data({"source": callback_data.id})
    await ask_api_id(event, screen, texts, state, sources, sessions)


async def ask_api_id(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    sessions: SessionService,
) -> None:
    source = (await sources.get((await state.get_data())["source"])).source
    session = await sessions.get(source.session_id)
    await state.set_state(EditForm.api_id)
    text = texts.applications.ask_api_id(source, session)
    await screen.show(Page(text, keyboards.applications.ask(texts, source)))


async def receive_api_id(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    api_id = api_id_in(message)
    if api_id is None:
        source_id = (await state.get_data())["source"]
        await screen.show(Page(texts.login.api_id_invalid(), keyboards.applications.back(texts, source_id)))
        return
    await state.update_data(api_id=api_id)
    await ask_api_hash(message, screen, texts, state)


async def ask_api_hash(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    data = await state.get_data()
    await state.set_state(EditForm.api_hash)
    text = texts.imports.ask_api_hash(data["api_id"])
    await screen.show(Page(text, keyboards.applications.back(texts, data["source"])))


async def receive_api_hash(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    source_applications: SourceApplications,
) -> None:
    api_hash = await receive_secret(message, screen, texts)
    data = await state.get_data()
    if not API_HASH.fullmatch(api_hash):
        await screen.show(Page(texts.login.api_hash_invalid(), keyboards.applications.back(texts, data["source"])))
        return
    await source_applications.change(data["source"], ApiCredentials(data["api_id"], api_hash))
    await state.clear()
    await screen.show(source_page(texts, await sources.get(data["source"])))


async def remove(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    source_applications: SourceApplications,
) -> None:
    await source_applications.remove(callback_data.id)
    if await state.get_state() in PROMPTS:
        await state.clear()
    await screen.show(source_page(texts, await sources.get(callback_data.id)))


async def refused(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """Nothing was stored. Telegram does not say which of the two was wrong, so it begins with the id again."""
    source_id = (await state.get_data())["source"]
    await state.set_state(EditForm.api_id)
    await screen.show(Page(texts.applications.refused(), keyboards.applications.back(texts, source_id)))


PROMPTS: dict[str, Prompt] = {
    str(EditForm.api_id.state): ask_api_id,
    str(EditForm.api_hash.state): ask_api_hash,
}


def build() -> Router:
    router = Router(name="edit-application")
    router.callback_query.register(start, SourceEdit.filter(F.what == EditPick.API))
    router.callback_query.register(remove, SourceEdit.filter(F.what == EditPick.API_OFF))
    router.message.register(receive_api_id, EditForm.api_id, F.text)
    router.message.register(receive_api_hash, EditForm.api_hash, F.text)
    router.errors.register(refused, ExceptionTypeFilter(errors.ApiCredentialsInvalid), StateFilter(EditForm.api_hash))
    return router
