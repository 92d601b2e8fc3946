"""The people who wait at a channel: what sets them apart, lists of them, page by page, searched by typing, ticked.

A list is a view that is stored, and its buttons carry the id: they go on meaning the same people. Another order,
another filter is another view.
"""

import asyncio
from dataclasses import replace

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import RequestAction, RequestVerb, ViewAction, ViewVerb
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.searching import Searches, is_open, list_data, may_be_secret, open_list
from handlers.states import OpenList
from handlers.texts import Texts
from services.desks import RequestDesk
from services.requests.conditions import LONGEST_WORDS
from services.requests.list_desk import ListDesk
from services.requests.listing import SHORTEST_WORDS
from storage.request_models import RequestView

# -- a channel


async def show_channel(
    event: TelegramObject,
    callback_data: RequestAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    lists: ListDesk,
) -> None:
    """What sets those who wait apart; where nothing does, their list."""
    channel = await requests.channel(callback_data.id)
    groups = await lists.groups(channel.id)
    everybody = await lists.open(channel.id)
    if len(groups) < 2:
        await show_view(screen, texts, state, lists, everybody.id, is_whole=True)
        return
    await remember(state, everybody)
    text = texts.request_lists.groups(channel, groups)
    await screen.show(Page(text, keyboards.request_lists.groups(texts, channel.id, everybody, groups)))


# -- a list


async def show_list(
    event: TelegramObject,
    callback_data: ViewAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    await show_view(screen, texts, state, lists, callback_data.view, callback_data.after)


async def turn_order(
    event: TelegramObject,
    callback_data: ViewAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    view = await lists.view(callback_data.view)
    turned = await lists.open(view.channel_id, view.filters, newest_first=not view.newest_first)
    await show_view(screen, texts, state, lists, turned.id)


async def end_search(
    event: TelegramObject,
    callback_data: ViewAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    view = await lists.view(callback_data.view)
    filters = replace(view.filters, words=None)
    whole = await lists.open(view.channel_id, filters, newest_first=view.newest_first)
    await show_view(screen, texts, state, lists, whole.id)


async def show_view(
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
    view_id: int,
    after: int = 0,
    note: str = "",
    *,
    is_whole: bool = False,
) -> None:
    """A page of it, by keyset: `after` is the last one of the page before. `is_whole`: the channel has no groups to go
    back to."""
    look, is_there = await asyncio.gather(lists.look(view_id, after), is_open(state, OpenList.waiting, view=view_id))
    if not is_there:
        await open_list(state, OpenList.waiting, view=view_id)
    shown = [texts.requests.line(row) for row in look.page.rows]
    text = texts.request_lists.list(look.channel, look.view.filters, look.count, shown, note=note)
    await screen.show(Page(text, keyboards.request_lists.waiting(texts, look, after, is_whole=is_whole)))


async def remember(state: FSMContext, view: RequestView) -> None:
    """What is typed from now on searches that list."""
    if not await is_open(state, OpenList.waiting, view=view.id):
        await open_list(state, OpenList.waiting, view=view.id)


# -- searching


async def search(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    """Another view, of those of the open list in whose name or username the words stand."""
    view = await lists.view((await list_data(state))["view"])
    words = " ".join((message.text or "").split()).lstrip("@")[:LONGEST_WORDS]
    note = ""
    if await may_be_secret(state):
        # A view is stored in the clear.
        await screen.delete_typed()
        note = texts.request_lists.taken_away()
    elif len(words) < SHORTEST_WORDS:
        note = texts.request_lists.too_short()
    else:
        filters = replace(view.filters, words=words)
        view = await lists.open(view.channel_id, filters, newest_first=view.newest_first)
    await show_view(screen, texts, state, lists, view.id, note=note)


async def show_again(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    await show_view(screen, texts, state, lists, (await list_data(state))["view"])


# -- ticking


async def show_ticks(
    event: TelegramObject,
    callback_data: ViewAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    look = await lists.look(callback_data.view, callback_data.after)
    await remember(state, look.view)
    ticked = await lists.ticked(look.channel.id)
    text = texts.request_lists.list(look.channel, look.view.filters, look.count, [], ticked=len(ticked))
    await screen.show(Page(text, keyboards.request_lists.ticking(texts, look, callback_data.after, ticked)))


async def tick(
    event: TelegramObject,
    callback_data: ViewAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    lists: ListDesk,
) -> None:
    """One, the whole page, or nobody of the channel any more."""
    view = await lists.view(callback_data.view)
    if callback_data.verb is ViewVerb.TICK:
        await lists.tick(callback_data.id)
    elif callback_data.verb is ViewVerb.TICK_PAGE:
        await lists.tick_page(view, callback_data.after)
    else:
        await lists.untick_all(view.channel_id)
    await show_ticks(event, callback_data, screen, texts, state, lists)


PROMPTS: dict[str, Prompt] = {str(OpenList.waiting.state): show_again}


def build_first() -> Router:
    """What is pressed most, before the many that are asked whether a press is theirs; and @name, which in a list of
    people is one of them and no channel to be saved."""
    router = Router(name="request-lists-first")
    router.callback_query.register(show_list, ViewAction.filter(F.verb == ViewVerb.OPEN))
    router.message.register(search, Searches(OpenList.waiting), F.text.regexp(r"^@\w+$"))
    return router


def build() -> Router:
    router = Router(name="request-lists")
    router.callback_query.register(show_channel, RequestAction.filter(F.verb == RequestVerb.LIST))
    router.callback_query.register(turn_order, ViewAction.filter(F.verb == ViewVerb.ORDER))
    router.callback_query.register(end_search, ViewAction.filter(F.verb == ViewVerb.UNSEARCH))
    router.callback_query.register(show_ticks, ViewAction.filter(F.verb == ViewVerb.TICKS))
    router.callback_query.register(tick, ViewAction.filter())
    router.message.register(search, Searches(OpenList.waiting))
    return router
