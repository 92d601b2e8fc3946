"""Who is meant by a list: one screen, a tap a change, and each change is another view. Nothing is kept meanwhile."""

from dataclasses import replace
from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import FilterField, ViewFilter
from handlers.keyboards.request_lists import SPANS, TOGGLES
from handlers.parking import Prompt, leave, turn_to
from handlers.request_lists import LONGEST_WORDS, remember, show_view
from handlers.screen import AdminScreen, Page
from handlers.states import ListForm
from handlers.texts import Texts
from services.desks import RequestDesk
from services.errors import NotFound
from services.requests.list_desk import ListDesk
from services.requests.listing import SHORTEST_WORDS
from storage.request_models import RequestFilters, RequestView

NEXT = {None: True, True: False, False: None}
"""Any, yes, no, and any again."""


def _with(filters: RequestFilters, **changes: Any) -> RequestFilters:
    """`changes`: by name of a field, as a button names it."""
    return replace(filters, **changes)


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
    filters = await _changed(view, callback_data, requests)
    changed = await lists.open(view.channel_id, filters, newest_first=view.newest_first)
    if callback_data.field is FilterField.WORDS_OFF:
        await show_view(screen, texts, state, lists, changed.id)
    else:
        await _show(screen, texts, state, requests, lists, changed)


async def _changed(view: RequestView, chosen: ViewFilter, requests: RequestDesk) -> RequestFilters:
    """Raises NotFound: what was chosen is not there."""
    filters, field = view.filters, chosen.field
    if field in TOGGLES:
        name = TOGGLES[field]
        return _with(filters, **{name: NEXT[getattr(filters, name)]})
    if field is FilterField.SINCE:
        if not 0 <= chosen.value < len(SPANS):
            raise NotFound("choice")
        _, name, seconds = SPANS[chosen.value]
        is_set = getattr(filters, name) == seconds
        return _with(filters, **{name: None if is_set else seconds})
    if field is FilterField.LINK:
        return replace(filters, link=(await requests.get(chosen.value)).link if chosen.value else None)
    if field is FilterField.BIO_OFF:
        return replace(filters, bio=None)
    if field is FilterField.WORDS_OFF:
        return replace(filters, words=None)
    return RequestFilters()


async def _show(
    screen: AdminScreen, texts: Texts, state: FSMContext, requests: RequestDesk, lists: ListDesk, view: RequestView
) -> None:
    if await state.get_state() == ListForm.bio.state:
        await leave(state)
    await remember(state, view)
    channel = await requests.channel(view.channel_id)
    count = await lists.capped(view)
    text = texts.request_lists.filter(channel, view.filters, count)
    await screen.show(Page(text, keyboards.request_lists.editor(texts, view, count)))


async def show_links(
    event: TelegramObject,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    view = await lists.view(callback_data.view)
    channel = await requests.channel(view.channel_id)
    links = await lists.links(channel.id)
    text = texts.request_lists.links(channel, links)
    await screen.show(Page(text, keyboards.request_lists.links(texts, view, links)))


# -- words in the bio


async def begin_bio(
    event: TelegramObject,
    callback_data: ViewFilter,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    view = await lists.view(callback_data.view)
    await turn_to(state, ListForm, view=view.id)
    await state.set_state(ListForm.bio)
    await ask_bio(event, screen, texts, state, requests, lists)


async def ask_bio(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    """With what was typed before and is too short."""
    data = await state.get_data()
    view = await lists.view(data["view"])
    text = texts.request_lists.ask_bio(await requests.channel(view.channel_id), data.get("typed", ""))
    await screen.show(Page(text, keyboards.request_lists.asked_bio(texts, view)))


async def receive_bio(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    words = " ".join((message.text or "").split())[:LONGEST_WORDS]
    if len(words) < SHORTEST_WORDS:
        await state.update_data(typed=words)
        await ask_bio(message, screen, texts, state, requests, lists)
        return
    view = await lists.view((await state.get_data())["view"])
    filters = replace(view.filters, bio=words)
    changed = await lists.open(view.channel_id, filters, newest_first=view.newest_first)
    await _show(screen, texts, state, requests, lists, changed)


PROMPTS: dict[str, Prompt] = {str(ListForm.bio.state): ask_bio}


def build() -> Router:
    router = Router(name="request-filters")
    router.callback_query.register(show_filter, ViewFilter.filter(F.field == FilterField.MENU))
    router.callback_query.register(show_links, ViewFilter.filter(F.field == FilterField.LINKS))
    router.callback_query.register(begin_bio, ViewFilter.filter(F.field == FilterField.BIO_ASK))
    router.callback_query.register(change, ViewFilter.filter())
    router.message.register(receive_bio, ListForm.bio, F.text)
    return router
