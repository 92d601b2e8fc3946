"""Where a saved channel begins: chosen while one is added, or to start over with one that is there."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import EditPick, FilterPart, FilterPick, SourceEdit, StartPart, StartPick
from handlers.edit_filters import LONGEST_TYPED, answered, back_to_menu, chosen_filters, chosen_start, show_menu
from handlers.keyboards.filters import NEW_SOURCE, STARTS
from handlers.parking import Prompt, leave, look_at
from handlers.screen import AdminScreen, Page
from handlers.sources import source_page
from handlers.states import FilterForm, SourceForm, StartForm
from handlers.texts import Texts
from services import typed
from services.errors import NotFound
from services.filters import pack_filters, pack_start
from services.sources import SourceService
from storage.models import Start, StartKind


async def begin_over(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    source = (await sources.get(callback_data.id)).source
    filters = pack_filters(source.filters)
    about = {"of": source.id, "title": source.name, "filters": filters}
    await look_at(state, FilterForm, StartForm, untouched={"start": None}, **about)
    await ask_start(event, screen, texts, state)


async def choose(
    event: TelegramObject, callback_data: StartPick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    await answered(state, callback_data.id)
    await ask_start(event, screen, texts, state)


async def ask_start(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(StartForm.start)
    data = await state.update_data(typed=None)
    of = data.get("of", NEW_SOURCE)
    is_new = of == NEW_SOURCE
    markup = keyboards.filters.starts(texts, of, chosen_start(data) if is_new else None)
    await screen.show(Page(texts.filters.ask_start(data["title"], is_new=is_new), markup))


async def receive_preset(
    event: TelegramObject, callback_data: StartPick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    await answered(state, callback_data.id)
    if not 0 <= callback_data.value < len(STARTS):
        raise NotFound("choice")
    await _take(event, STARTS[callback_data.value], screen, texts, state)


async def _take(event: TelegramObject, start: Start, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    data = await state.update_data(start=pack_start(start))
    if data.get("of", NEW_SOURCE) == NEW_SOURCE:
        await show_menu(event, screen, texts, state)
    else:
        await ask_start_over(event, screen, texts, state)


async def ask_count(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(StartForm.count)
    data = await state.get_data()
    markup = keyboards.filters.ask_start(texts, data.get("of", NEW_SOURCE))
    await screen.show(Page(texts.filters.ask_count(data.get("typed")), markup))


async def receive_count(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    text = (message.text or "").strip()
    await state.update_data(typed=text[:LONGEST_TYPED])
    await _take(message, Start(StartKind.LAST, count=typed.count(text)), screen, texts, state)


async def ask_date(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(StartForm.date)
    data = await state.get_data()
    markup = keyboards.filters.ask_start(texts, data.get("of", NEW_SOURCE))
    await screen.show(Page(texts.filters.ask_since(data.get("typed")), markup))


async def receive_date(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    text = (message.text or "").strip()
    await state.update_data(typed=text[:LONGEST_TYPED])
    await _take(message, Start(StartKind.SINCE, at=typed.day(text, texts.zone)), screen, texts, state)


# -- starting over


async def ask_start_over(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(StartForm.confirm)
    data = await state.get_data()
    text = texts.filters.ask_start_over(data["title"], chosen_start(data), chosen_filters(data))
    await screen.show(Page(text, keyboards.filters.start_over(texts, data["of"])))


async def start_over(
    event: TelegramObject,
    callback_data: StartPick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    """While a run of it is under way, that run's card comes instead, with its [Stop here]."""
    data = await answered(state, callback_data.id)
    await sources.start_over(callback_data.id, chosen_start(data))
    await leave(state)
    await screen.show(source_page(texts, await sources.get(callback_data.id)))


PROMPTS: dict[str, Prompt] = {
    str(StartForm.start.state): ask_start,
    str(StartForm.count.state): ask_count,
    str(StartForm.date.state): ask_date,
    str(StartForm.confirm.state): ask_start_over,
}


def build() -> Router:
    router = Router(name="choose-start")
    router.callback_query.register(begin_over, SourceEdit.filter(F.what == EditPick.START_OVER))
    for form_state in (SourceForm.files, StartForm.count, StartForm.date, StartForm.confirm):
        router.callback_query.register(choose, form_state, StartPick.filter(F.what == StartPart.CHOOSE))
    for part, handler in (
        (StartPart.PRESET, receive_preset),
        (StartPart.COUNT, ask_count),
        (StartPart.DATE, ask_date),
    ):
        router.callback_query.register(handler, StartForm.start, StartPick.filter(F.what == part))
    router.callback_query.register(back_to_menu, StartForm.start, FilterPick.filter(F.what == FilterPart.MENU))
    router.callback_query.register(start_over, StartForm.confirm, StartPick.filter(F.what == StartPart.SURELY))
    router.message.register(receive_count, StartForm.count, F.text)
    router.message.register(receive_date, StartForm.date, F.text)
    return router
