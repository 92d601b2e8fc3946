"""Change a saved channel: where its files go, how they are called, what happens to duplicates."""

from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import EditPick, SourceEdit
from handlers.choose_root import agree, take_root
from handlers.keyboards.editing import CHOICES
from handlers.parking import Prompt, leave
from handlers.screen import AdminScreen, Page
from handlers.sources import source_page
from handlers.states import EditForm
from handlers.texts import Texts
from services.errors import NotFound
from services.schedule import outlook
from services.sessions import SessionService
from services.sources import SourceService
from services.targets import check_folder


async def show_menu(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    sessions: SessionService,
) -> None:
    await _leave(state)
    card = await sources.get(callback_data.id)
    account = (await sessions.get(card.source.session_id)).name
    schedule = texts.labels.only_by_hand
    if card.schedule:
        schedule, _ = outlook(card.schedule.cron, card.schedule.timezone)
    await screen.show(Page(texts.editing.menu(card), keyboards.editing.menu(texts, card, account, schedule)))


async def _leave(state: FSMContext) -> None:
    """What another conversation has parked is left alone."""
    if (await state.get_state() or "").startswith(f"{EditForm.__name__}:"):
        await leave(state)


async def _finish(source_id: int, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService) -> None:
    await _leave(state)
    await screen.show(source_page(texts, await sources.get(source_id)))


async def _answered(state: FSMContext, callback_data: SourceEdit) -> dict[str, Any]:
    """What was filled in. Raises NotFound: the button is of another saved channel's question."""
    data = await state.get_data()
    if data["source"] != callback_data.id:
        raise NotFound("question")
    return data


# -- folder


async def begin_folder(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    source = (await sources.get(callback_data.id)).source
    await state.set_data({"source": source.id, "root": source.root, "folder": source.folder})
    await ask_folder(event, screen, texts, state, sources)


async def ask_folder(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await state.set_state(EditForm.folder)
    data = await state.get_data()
    source = (await sources.get(data["source"])).source
    markup = keyboards.editing.folder(texts, source.id, sources.roots, data["root"])
    await screen.show(Page(texts.editing.ask_folder(source, data["root"], data["folder"]), markup))


async def receive_root(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    await _answered(state, callback_data)
    question = keyboards.editing.use_root(texts, callback_data.id)
    if await take_root(callback_data.value, question, screen, texts, state, sources):
        await ask_folder(event, screen, texts, state, sources)


async def use_root(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    await _answered(state, callback_data)
    await agree(state, sources)
    await ask_folder(event, screen, texts, state, sources)


async def receive_folder(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await state.update_data(folder=check_folder((message.text or "").strip()))
    await ask_move(message, screen, texts, state, sources)


async def ask_move(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await state.set_state(EditForm.move)
    data = await state.get_data()
    card = await sources.get(data["source"])
    text = texts.editing.ask_move(card, data["root"], data["folder"])
    await screen.show(Page(text, keyboards.editing.move(texts, card.source.id)))


async def move(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    """While a run of it is under way, that run's card comes instead, with its [Stop here]."""
    data = await _answered(state, callback_data)
    await sources.move(data["source"], data["root"], data["folder"])
    await _finish(data["source"], screen, texts, state, sources)


# -- names


async def begin_names(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    await state.set_data({"source": callback_data.id})
    await ask_names(event, screen, texts, state, sources)


async def ask_names(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await state.set_state(EditForm.names)
    source = (await sources.get((await state.get_data())["source"])).source
    await screen.show(Page(texts.editing.ask_names(source), keyboards.editing.names(texts, source)))


async def receive_names(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    template = (message.text or "").strip()
    await sources.preview((await state.get_data())["source"], template)
    await state.update_data(template=template)
    await ask_preview(message, screen, texts, state, sources)


async def ask_preview(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    data = await state.get_data()
    names = await sources.preview(data["source"], data["template"])
    await state.set_state(EditForm.preview)
    text = texts.editing.preview(data["template"], names)
    await screen.show(Page(text, keyboards.editing.preview(texts, data["source"])))


async def use_names(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    """The template that was shown, or Porter's own."""
    data = await _answered(state, callback_data)
    template = data["template"] if callback_data.what is EditPick.NAMES_USE else None
    await sources.set_names(data["source"], template)
    await _finish(data["source"], screen, texts, state, sources)


# -- duplicates


async def ask_duplicates(
    event: TelegramObject, callback_data: SourceEdit, screen: AdminScreen, texts: Texts, sources: SourceService
) -> None:
    source = (await sources.get(callback_data.id)).source
    await screen.show(Page(texts.editing.ask_duplicates(source), keyboards.editing.duplicates(texts, source.id)))


async def set_duplicates(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    if not 0 <= callback_data.value < len(CHOICES):
        raise NotFound("choice")
    await sources.set_duplicates(callback_data.id, CHOICES[callback_data.value])
    await _finish(callback_data.id, screen, texts, state, sources)


# -- live


async def set_live(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    await sources.set_live(callback_data.id, bool(callback_data.value))
    await _finish(callback_data.id, screen, texts, state, sources)


PROMPTS: dict[str, Prompt] = {
    str(EditForm.folder.state): ask_folder,
    str(EditForm.move.state): ask_move,
    str(EditForm.names.state): ask_names,
    str(EditForm.preview.state): ask_preview,
}


def build() -> Router:
    """Answers count only in the step that asks; the questions may be opened from anywhere."""
    router = Router(name="edit-source")
    for pick, handler in (
        (EditPick.MENU, show_menu),
        (EditPick.FOLDER, begin_folder),
        (EditPick.NAMES, begin_names),
        (EditPick.DUPLICATES, ask_duplicates),
        (EditPick.DUPLICATES_SET, set_duplicates),
        (EditPick.LIVE, set_live),
    ):
        router.callback_query.register(handler, SourceEdit.filter(F.what == pick))
    for form_state, pick, answer in (
        (EditForm.folder, EditPick.ROOT, receive_root),
        (EditForm.folder, EditPick.ROOT_USE, use_root),
        (EditForm.folder, EditPick.FOLDER_KEEP, ask_move),
        (EditForm.move, EditPick.FOLDER_SURELY, move),
        (EditForm.names, EditPick.NAMES_OWN, use_names),
        (EditForm.preview, EditPick.NAMES_USE, use_names),
    ):
        router.callback_query.register(answer, form_state, SourceEdit.filter(F.what == pick))
    for form_state in (EditForm.folder, EditForm.move):
        router.message.register(receive_folder, form_state, F.text)
    for form_state in (EditForm.names, EditForm.preview):
        router.message.register(receive_names, form_state, F.text)
    return router
