"""What an admin's channels are saved with when nothing else is said. The address of a question is that of the same one
about a saved channel (SourceEdit), with id 0."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import OWN, EditPick, SourceEdit
from handlers.choose_root import agree, take_root
from handlers.keyboards.editing import CHOICES
from handlers.parking import Prompt, leave, park
from handlers.screen import AdminScreen, Page
from handlers.states import DefaultsForm, EditForm, FilterForm
from handlers.texts import Texts
from services.errors import NotFound
from services.profiles import ProfileService
from services.sources import SourceService
from storage.models import Profile

EDITORS = tuple(f"{form.__name__}:" for form in (DefaultsForm, EditForm, FilterForm))
NO_FOLDER = "/"
"""What is typed for "no folder above"."""


async def show_defaults(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, profiles: ProfileService
) -> None:
    """Back from one of its questions too: that is over then, and nothing to go on with."""
    if (await state.get_state() or "").startswith(EDITORS):
        await leave(state)
    await park(state)
    await _show(await profiles.get(screen.admin_id), screen, texts)


async def _show(profile: Profile, screen: AdminScreen, texts: Texts) -> None:
    await screen.show(Page(texts.defaults.page(profile), keyboards.defaults.page(texts, profile)))


async def _finish(profile: Profile, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """What another conversation has parked is left alone."""
    if await state.get_state() in PROMPTS:
        await leave(state)
    await _show(profile, screen, texts)


# -- folder


async def begin_folder(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    profiles: ProfileService,
    sources: SourceService,
) -> None:
    profile = await profiles.get(screen.admin_id)
    await park(state)
    await state.update_data(root=profile.root, folder=profile.folder)
    await ask_folder(event, screen, texts, state, sources)


async def ask_folder(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await state.set_state(DefaultsForm.folder)
    data = await state.get_data()
    markup = keyboards.editing.folder(texts, OWN, sources.roots, data["root"])
    await screen.show(Page(texts.defaults.ask_folder(data["root"], data["folder"]), markup))


async def receive_root(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    question = keyboards.editing.use_root(texts, OWN)
    if await take_root(callback_data.value, question, screen, texts, state, sources):
        await ask_folder(event, screen, texts, state, sources)


async def use_root(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await agree(state, sources)
    await ask_folder(event, screen, texts, state, sources)


async def receive_folder(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, profiles: ProfileService
) -> None:
    typed = (message.text or "").strip()
    root = (await state.get_data())["root"]
    profile = await profiles.set_place(screen.admin_id, root, "" if typed == NO_FOLDER else typed)
    await _finish(profile, screen, texts, state)


async def keep_folder(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, profiles: ProfileService
) -> None:
    data = await state.get_data()
    await _finish(await profiles.set_place(screen.admin_id, data["root"], data["folder"]), screen, texts, state)


# -- names


async def ask_names(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, profiles: ProfileService
) -> None:
    await park(state)
    await state.set_state(DefaultsForm.names)
    profile = await profiles.get(screen.admin_id)
    markup = keyboards.defaults.names(texts, profile)
    await screen.show(Page(texts.editing.ask_names_of(texts.defaults.those(), profile.name_template), markup))


async def receive_names(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, profiles: ProfileService
) -> None:
    profile = await profiles.set_names(screen.admin_id, (message.text or "").strip())
    await _finish(profile, screen, texts, state)


async def use_own_names(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, profiles: ProfileService
) -> None:
    await _finish(await profiles.set_names(screen.admin_id, None), screen, texts, state)


# -- the rest


async def ask_duplicates(event: TelegramObject, screen: AdminScreen, texts: Texts, profiles: ProfileService) -> None:
    profile = await profiles.get(screen.admin_id)
    text = texts.editing.ask_duplicates_of(texts.defaults.those(), profile.duplicates)
    await screen.show(Page(text, keyboards.editing.duplicates(texts, OWN)))


async def set_duplicates(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    profiles: ProfileService,
) -> None:
    if not 0 <= callback_data.value < len(CHOICES):
        raise NotFound("choice")
    profile = await profiles.change(screen.admin_id, duplicates=CHOICES[callback_data.value])
    await _show(profile, screen, texts)


async def set_live(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    profiles: ProfileService,
) -> None:
    """`value`: 1 on, 0 off: a second tap on an old button changes nothing back."""
    await _show(await profiles.change(screen.admin_id, live=bool(callback_data.value)), screen, texts)


async def use_porters_own(event: TelegramObject, screen: AdminScreen, texts: Texts, profiles: ProfileService) -> None:
    await _show(await profiles.reset(screen.admin_id), screen, texts)


async def copy_source(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    profiles: ProfileService,
    sources: SourceService,
) -> None:
    """What a saved channel has, for all that come; of its folder what lies above it."""
    card = await sources.get(callback_data.id)
    profile = await profiles.copy(screen.admin_id, card)
    await screen.answer(texts.defaults.copied(card.source.name))
    await _show(profile, screen, texts)


PROMPTS: dict[str, Prompt] = {
    str(DefaultsForm.folder.state): ask_folder,
    str(DefaultsForm.names.state): ask_names,
}


def build() -> Router:
    """Before handlers/edit_source.py, which takes the same picks for saved channels."""
    router = Router(name="defaults")
    for pick, handler in (
        (EditPick.MENU, show_defaults),
        (EditPick.FOLDER, begin_folder),
        (EditPick.NAMES, ask_names),
        (EditPick.DUPLICATES, ask_duplicates),
        (EditPick.DUPLICATES_SET, set_duplicates),
        (EditPick.LIVE, set_live),
        (EditPick.DEFAULTS_OWN, use_porters_own),
    ):
        router.callback_query.register(handler, SourceEdit.filter((F.what == pick) & (F.id == OWN)))
    for form_state, pick, answer in (
        (DefaultsForm.folder, EditPick.ROOT, receive_root),
        (DefaultsForm.folder, EditPick.ROOT_USE, use_root),
        (DefaultsForm.folder, EditPick.FOLDER_KEEP, keep_folder),
        (DefaultsForm.names, EditPick.NAMES_OWN, use_own_names),
    ):
        router.callback_query.register(answer, form_state, SourceEdit.filter((F.what == pick) & (F.id == OWN)))
    router.callback_query.register(copy_source, SourceEdit.filter(F.what == EditPick.DEFAULTS_USE))
    router.message.register(receive_folder, DefaultsForm.folder, F.text)
    router.message.register(receive_names, DefaultsForm.names, F.text)
    return router
