"""Who is meant by a list: one screen, a tap a change, and each change is another view.

Taps may come faster than the screen changes: the button still names the view before then. So it is kept which view the
screen shows by now, and a tap there means that one; on any other message it means the view that it names.
"""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Condition, ViewFilter
from handlers.conditions import TYPED, changed, with_typed
from handlers.keyboards.request_conditions import NONE
from handlers.parking import Prompt, leave, turn_to
from handlers.request_lists import show_view
from handlers.screen import AdminScreen, Page
from handlers.searching import is_open, list_data, open_list
from handlers.states import ListForm, OpenList
from handlers.texts import Texts
from services.desks import RequestDesk
from services.requests.list_desk import ListDesk
from storage.request_models import RequestFilters, RequestView

QUESTIONS = (ListForm.words, ListForm.bio)


async def show_filter(
    event: CallbackQuery,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    await _show(screen, texts, state, requests, lists, await _meant(event, callback_data, state, lists))


async def change(
    event: CallbackQuery,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    view = await _meant(event, callback_data, state, lists)
    filters = await changed(view.filters, callback_data, requests)
    await _show(screen, texts, state, requests, lists, await _other(lists, view, filters))


async def show_meant(
    event: CallbackQuery,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    view = await _meant(event, callback_data, state, lists)
    await show_view(screen, texts, state, lists, view.id)


async def _meant(event: CallbackQuery, pressed: ViewFilter, state: FSMContext, lists: ListDesk) -> RequestView:
    """What the tapped message shows by now; where that is not known, the view that the button names."""
    named = await lists.view(pressed.view)
    assert event.message is not None
    if not await is_open(state, OpenList.waiting, filtered_on=event.message.message_id):
        return named
    shown = await lists.view((await list_data(state))["view"])
    return shown if shown.channel_id == named.channel_id else named


async def _other(lists: ListDesk, view: RequestView, filters: RequestFilters) -> RequestView:
    return await lists.open(view.channel_id, filters, newest_first=view.newest_first)


async def _show(
    screen: AdminScreen, texts: Texts, state: FSMContext, requests: RequestDesk, lists: ListDesk, view: RequestView
) -> None:
    if await state.get_state() in QUESTIONS:
        await leave(state)
    channel = await requests.channel(view.channel_id)
    count = await lists.capped(view)
    text = texts.request_lists.filter(channel, view.filters, count)
    message_id = await screen.show(Page(text, keyboards.request_lists.editor(texts, view, count)))
    if not await is_open(state, OpenList.waiting, view=view.id, filtered_on=message_id):
        await open_list(state, OpenList.waiting, view=view.id, filtered_on=message_id)


async def ask_waits(
    event: CallbackQuery,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    view = await _meant(event, callback_data, state, lists)
    await screen.show(Page(texts.conditions.ask_waits(), keyboards.request_lists.waits(texts, view)))


async def ask_link(
    event: CallbackQuery,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    view = await _meant(event, callback_data, state, lists)
    links = await lists.links(view.channel_id)
    await screen.show(Page(texts.conditions.ask_link(links), keyboards.request_lists.links(texts, view, links)))


# -- what is typed


async def begin_typing(
    event: CallbackQuery,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    view = await _meant(event, callback_data, state, lists)
    await turn_to(state, ListForm, view=view.id)
    await state.set_state(ListForm.words if callback_data.what is Condition.WORDS else ListForm.bio)
    await ask_typed(event, screen, texts, state, lists)


async def _what(state: FSMContext) -> Condition:
    return Condition.WORDS if await state.get_state() == ListForm.words.state else Condition.BIO


async def ask_typed(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, lists: ListDesk
) -> None:
    what, view = await _what(state), await lists.view((await state.get_data())["view"])
    text = texts.conditions.ask_words() if what is Condition.WORDS else texts.conditions.ask_bio()
    await screen.show(Page(text, keyboards.request_lists.asked(texts, what, view)))


async def receive(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    """What cannot be searched for leaves the question open."""
    view = await lists.view((await state.get_data())["view"])
    filters = with_typed(view.filters, await _what(state), message.text or "")
    await _show(screen, texts, state, requests, lists, await _other(lists, view, filters))


PROMPTS: dict[str, Prompt] = {str(question.state): ask_typed for question in QUESTIONS}


def build() -> Router:
    router = Router(name="request-filters")
    router.callback_query.register(show_filter, ViewFilter.filter(F.what == Condition.MENU))
    router.callback_query.register(show_meant, ViewFilter.filter(F.what == Condition.SHOW))
    router.callback_query.register(ask_waits, ViewFilter.filter(F.what == Condition.WAITS_MENU))
    router.callback_query.register(ask_link, ViewFilter.filter(F.what == Condition.LINK_MENU))
    router.callback_query.register(begin_typing, ViewFilter.filter(F.what.in_(TYPED) & (F.value != NONE)))
    router.callback_query.register(change, ViewFilter.filter())
    for question in QUESTIONS:
        router.message.register(receive, question, F.text)
    return router
