"""What is saved of a channel: presets as toggles, other endings, size, words, dates.

One editor for three: a channel that is being added (its form holds the filters), one that is saved, and the admin's own
defaults. What is chosen lies in the conversation's data until it is kept; `of` says whose it is.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import EditPick, FilterPart, FilterPick, SourceEdit
from handlers.keyboards.filters import NEW_SOURCE, OWN_DEFAULTS, PRESETS
from handlers.parking import Prompt, leave, look_at
from handlers.screen import AdminScreen, Page
from handlers.states import FilterForm, SourceForm, StartForm
from handlers.texts import Texts
from services import typed
from services.errors import NotFound
from services.filters import pack_filters, unpack_filters, unpack_start
from services.presets import toggle, with_extensions
from services.profiles import ProfileService
from services.sources import SourceService
from storage.models import Filters, Start

Data = dict[str, Any]
MENUS = (SourceForm.files, FilterForm.menu)
LONGEST_TYPED = 600


def chosen_filters(data: Data) -> Filters:
    return unpack_filters(data.get("filters") or {})


def chosen_start(data: Data) -> Start:
    return unpack_start(data.get("start")) or Start()


async def answered(state: FSMContext, of: int) -> Data:
    """What was filled in. Raises NotFound: the button is of another saved channel's question."""
    data = await state.get_data()
    if data.get("of", NEW_SOURCE) != of:
        raise NotFound("question")
    return data


async def _set(state: FSMContext, filters: Filters) -> None:
    await state.update_data(filters=pack_filters(filters))


# -- the menu


async def begin(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    profiles: ProfileService,
) -> None:
    """Of a saved channel, or of the admin's defaults."""
    of = callback_data.id
    if of == OWN_DEFAULTS:
        profile = await profiles.get(screen.admin_id)
        title, filters, only_matching, was_read = None, profile.filters, profile.only_matching, False
    else:
        source = (await sources.get(of)).source
        title, filters, only_matching = source.name, source.filters, source.only_matching
        was_read = source.cursor > 0
    kept = {"filters": pack_filters(filters), "only_matching": only_matching}
    await look_at(state, FilterForm, StartForm, untouched=kept, of=of, title=title, was_read=was_read, **kept)
    await state.set_state(FilterForm.menu)
    await show_menu(event, screen, texts, state)


async def show_menu(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    data = await state.update_data(typed=None)
    of = data.get("of", NEW_SOURCE)
    is_new = of == NEW_SOURCE
    await state.set_state(SourceForm.files if is_new else FilterForm.menu)
    filters, only_matching = chosen_filters(data), bool(data.get("only_matching"))
    was_read = bool(data.get("was_read"))
    text = texts.filters.menu(data["title"], filters, only_matching=only_matching, is_new=is_new, was_read=was_read)
    await screen.show(Page(text, keyboards.filters.menu(texts, of, filters, only_matching, chosen_start(data))))


async def back_to_menu(
    event: TelegramObject, callback_data: FilterPick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    await answered(state, callback_data.id)
    await show_menu(event, screen, texts, state)


async def toggle_preset(
    event: TelegramObject, callback_data: FilterPick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    data = await answered(state, callback_data.id)
    if not 0 <= callback_data.value < len(PRESETS):
        raise NotFound("choice")
    await _set(state, toggle(chosen_filters(data), PRESETS[callback_data.value]))
    await show_menu(event, screen, texts, state)


async def toggle_only_matching(
    event: TelegramObject, callback_data: FilterPick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    data = await answered(state, callback_data.id)
    await state.update_data(only_matching=not data.get("only_matching"))
    await show_menu(event, screen, texts, state)


async def want_everything(
    event: TelegramObject, callback_data: FilterPick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    await answered(state, callback_data.id)
    await _set(state, Filters())
    await show_menu(event, screen, texts, state)


async def keep(
    event: TelegramObject,
    callback_data: FilterPick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    profiles: ProfileService,
) -> None:
    """Of a saved channel, or of the admin's defaults; the form of a new one goes its own way."""
    of = callback_data.id
    data = await answered(state, of)
    filters, only_matching = chosen_filters(data), bool(data["only_matching"])
    if of == OWN_DEFAULTS:
        await profiles.change(screen.admin_id, filters=filters, only_matching=only_matching)
    else:
        await sources.set_filters(of, filters, only_matching=only_matching)
    await leave(state)
    text = texts.filters.kept(data["title"], filters, was_read=data["was_read"])
    await screen.show(Page(text, keyboards.filters.kept(texts, of, was_read=data["was_read"])))


# -- what is typed


async def _ask(
    screen: AdminScreen, texts: Texts, state: FSMContext, question: Callable[[str | None], str], clear: str
) -> None:
    data = await state.get_data()
    markup = keyboards.filters.asked(texts, data.get("of", NEW_SOURCE), clear)
    await screen.show(Page(question(data.get("typed")), markup))


async def ask_size(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(FilterForm.size)
    await _ask(screen, texts, state, texts.filters.ask_size, texts.labels.any_size)


async def ask_words(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(FilterForm.words)
    await _ask(screen, texts, state, texts.filters.ask_words, texts.labels.any_words)


async def ask_dates(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(FilterForm.dates)
    await _ask(screen, texts, state, texts.filters.ask_dates, texts.labels.any_date)


async def ask_endings(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(FilterForm.endings)
    await _ask(screen, texts, state, texts.filters.ask_endings, texts.labels.no_other_types)


def _with_sizes(filters: Filters, text: str, texts: Texts) -> Filters:
    low, high = typed.sizes(text)
    return replace(filters, min_bytes=low, max_bytes=high)


def _with_words(filters: Filters, text: str, texts: Texts) -> Filters:
    words, pattern = typed.words(text)
    return replace(filters, words=words, pattern=pattern)


def _with_dates(filters: Filters, text: str, texts: Texts) -> Filters:
    since, until = typed.dates(text, texts.zone)
    return replace(filters, since=since, until=until)


def _with_endings(filters: Filters, text: str, texts: Texts) -> Filters:
    return with_extensions(filters, typed.extensions(text))


READERS: dict[str, Callable[[Filters, str, Texts], Filters]] = {
    str(FilterForm.size.state): _with_sizes,
    str(FilterForm.words.state): _with_words,
    str(FilterForm.dates.state): _with_dates,
    str(FilterForm.endings.state): _with_endings,
}
CLEARED: dict[str, Callable[[Filters], Filters]] = {
    str(FilterForm.size.state): lambda filters: replace(filters, min_bytes=None, max_bytes=None),
    str(FilterForm.words.state): lambda filters: replace(filters, words=(), pattern=None),
    str(FilterForm.dates.state): lambda filters: replace(filters, since=None, until=None),
    str(FilterForm.endings.state): lambda filters: with_extensions(filters, ()),
}
"""By the question that is asked."""


async def receive(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """What cannot be read stays in the question, to be mended."""
    text = (message.text or "").strip()
    data = await state.update_data(typed=text[:LONGEST_TYPED])
    read = READERS[str(await state.get_state())]
    await _set(state, read(chosen_filters(data), text, texts))
    await show_menu(message, screen, texts, state)


async def clear(
    event: TelegramObject, callback_data: FilterPick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    data = await answered(state, callback_data.id)
    await _set(state, CLEARED[str(await state.get_state())](chosen_filters(data)))
    await show_menu(event, screen, texts, state)


PROMPTS: dict[str, Prompt] = {
    str(FilterForm.menu.state): show_menu,
    str(FilterForm.size.state): ask_size,
    str(FilterForm.words.state): ask_words,
    str(FilterForm.dates.state): ask_dates,
    str(FilterForm.endings.state): ask_endings,
}
PARTS: tuple[tuple[FilterPart, Callable[..., Awaitable[None]]], ...] = (
    (FilterPart.SIZE, ask_size),
    (FilterPart.WORDS, ask_words),
    (FilterPart.DATES, ask_dates),
    (FilterPart.ENDINGS, ask_endings),
    (FilterPart.PRESET, toggle_preset),
    (FilterPart.ONLY, toggle_only_matching),
    (FilterPart.EVERYTHING, want_everything),
)


def build() -> Router:
    """Toggles count only while the menu is open, answers only in the step that asks."""
    router = Router(name="edit-filters")
    router.callback_query.register(begin, SourceEdit.filter(F.what == EditPick.FILTERS))
    for menu in MENUS:
        for part, handler in PARTS:
            router.callback_query.register(handler, menu, FilterPick.filter(F.what == part))
    router.callback_query.register(keep, FilterForm.menu, FilterPick.filter(F.what == FilterPart.KEEP))
    for question in (FilterForm.size, FilterForm.words, FilterForm.dates, FilterForm.endings):
        router.callback_query.register(clear, question, FilterPick.filter(F.what == FilterPart.CLEAR))
        router.callback_query.register(back_to_menu, question, FilterPick.filter(F.what == FilterPart.MENU))
        router.message.register(receive, question, F.text)
    return router
