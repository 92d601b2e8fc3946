"""Change what a saved channel is called, and through which account it is read."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import EditPick, SourceEdit
from handlers.parking import Prompt, leave, look_at, turn_to
from handlers.screen import AdminScreen, Page
from handlers.sources import source_page
from handlers.states import EditForm
from handlers.texts import Texts
from services.errors import NotFound
from services.many_sources import ManySources
from services.sessions import SessionService
from services.sources import LONGEST_NAME, SourceService

# -- name


async def begin_name(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    await turn_to(state, EditForm, source=callback_data.id)
    await ask_name(event, screen, texts, state, sources)


async def ask_name(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await state.set_state(EditForm.name)
    source = (await sources.get((await state.get_data())["source"])).source
    await screen.show(Page(texts.editing.ask_name(source), keyboards.editing.back(texts, source.id)))


async def receive_name(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    name, source_id = (message.text or "").strip(), (await state.get_data())["source"]
    if not 1 <= len(name) <= LONGEST_NAME or "\n" in name:
        await screen.show(Page(texts.sources.name_invalid(), keyboards.editing.back(texts, source_id)))
        return
    await sources.rename(source_id, name)
    await leave(state)
    await screen.show(source_page(texts, await sources.get(source_id)))


# -- account


async def begin_account(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    sessions: SessionService,
    many_sources: ManySources,
) -> None:
    await look_at(state, EditForm, source=callback_data.id)
    await ask_account(event, screen, texts, state, sources, sessions, many_sources)


async def ask_account(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    sessions: SessionService,
    many_sources: ManySources,
) -> None:
    """Those that see the channel, beside the one that reads it."""
    await state.set_state(EditForm.account)
    source = (await sources.get((await state.get_data())["source"])).source
    now = await sessions.get(source.session_id)
    readers = await many_sources.readers([source.id])
    text = texts.editing.ask_account(source, now, bool(readers))
    await screen.show(Page(text, keyboards.editing.accounts(texts, source.id, readers)))


async def ask_move(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    sources: SourceService,
    sessions: SessionService,
) -> None:
    card = await sources.get(callback_data.id)
    before, after = await sessions.get(card.source.session_id), await sessions.get(callback_data.value)
    text = texts.editing.ask_account_move(card, before, after)
    await screen.show(Page(text, keyboards.editing.account_move(texts, card.source.id, after)))


async def move(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    many_sources: ManySources,
) -> None:
    if (await state.get_data()).get("source") != callback_data.id:
        raise NotFound("question")
    await many_sources.move([callback_data.id], callback_data.value)
    await leave(state)
    await screen.answer(texts.editing.account_moved())
    await screen.show(source_page(texts, await sources.get(callback_data.id)))


PROMPTS: dict[str, Prompt] = {str(EditForm.name.state): ask_name, str(EditForm.account.state): ask_account}


def build() -> Router:
    router = Router(name="edit-identity")
    router.callback_query.register(begin_name, SourceEdit.filter(F.what == EditPick.NAME))
    router.callback_query.register(begin_account, SourceEdit.filter(F.what == EditPick.ACCOUNT))
    router.callback_query.register(ask_move, EditForm.account, SourceEdit.filter(F.what == EditPick.ACCOUNT_PICK))
    router.callback_query.register(move, EditForm.account, SourceEdit.filter(F.what == EditPick.ACCOUNT_SURELY))
    router.message.register(receive_name, EditForm.name, F.text)
    return router
