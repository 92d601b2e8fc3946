"""Who is meant by a list: one screen, a tap a change, and each change is another view. Nothing is kept meanwhile."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Condition, ViewFilter
from handlers.conditions import TYPED, changed, with_typed
from handlers.keyboards.request_conditions import NONE
from handlers.parking import Prompt, leave, turn_to
from handlers.request_lists import remember
from handlers.screen import AdminScreen, Page
from handlers.states import ListForm
from handlers.texts import Texts
from services.desks import RequestDesk
from services.requests.list_desk import ListDesk
from storage.request_models import RequestFilters, RequestView

QUESTIONS = (ListForm.words, ListForm.bio)


async def show_filter(
    event: TelegramObject,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    await _show(screen, texts, state, requests, lists, await lists.view(callback_data.view))


async def change(
    event: TelegramObject,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    view = await lists.view(callback_data.view)
    filters = await changed(view.filters, callback_data, requests)
    await _show(screen, texts, state, requests, lists, await _other(lists, view, filters))


async def _other(lists: ListDesk, view: RequestView, filters: RequestFilters) -> RequestView:
    return await lists.open(view.channel_id, filters, newest_first=view.newest_first)


async def _show(
    screen: AdminScreen, texts: Texts, state: FSMContext, requests: RequestDesk, lists: ListDesk, view: RequestView
) -> None:
    if await state.get_state() in QUESTIONS:
        await leave(state)
    await remember(state, view)
    channel = await requests.channel(view.channel_id)
    count = await lists.capped(view)
    text = texts.request_lists.filter(channel, view.filters, count)
    await screen.show(Page(text, keyboards.request_lists.editor(texts, view, count)))


async def ask_waits(
    event: TelegramObject, callback_data: ViewFilter, screen: AdminScreen, texts: Texts, lists: ListDesk
) -> None:
    view = await lists.view(callback_data.view)
    await screen.show(Page(texts.conditions.ask_waits(), keyboards.request_lists.waits(texts, view)))


async def ask_link(
    event: TelegramObject, callback_data: ViewFilter, screen: AdminScreen, texts: Texts, lists: ListDesk
) -> None:
    view = await lists.view(callback_data.view)
    links = await lists.links(view.channel_id)
    await screen.show(Page(texts.conditions.ask_link(links), keyboards.request_lists.links(texts, view, links)))


# -- what is typed


async def begin_typing(
    event: TelegramObject,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    view = await lists.view(callback_data.view)
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
    router.callback_query.register(ask_waits, ViewFilter.filter(F.what == Condition.WAITS_MENU))
    router.callback_query.register(ask_link, ViewFilter.filter(F.what == Condition.LINK_MENU))
    router.callback_query.register(begin_typing, ViewFilter.filter(F.what.in_(TYPED) & (F.value != NONE)))
    router.callback_query.register(change, ViewFilter.filter())
    for question in QUESTIONS:
        router.message.register(receive, question, F.text)
    return router
