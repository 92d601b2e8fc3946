"""The channels of an account: listed at once as they are stored, searched by typing; save one, load who waits there."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import ChannelVerb, SessionAction, SessionChannelAction, SessionVerb, ShowAll
from handlers.parking import Prompt
from handlers.runs import show_card
from handlers.screen import AdminScreen, Page
from handlers.searching import Searches, is_open, list_data, open_list, search, search_nothing, searched
from handlers.states import OpenList
from handlers.texts import Texts
from services.channels import ChannelService
from services.desks import RunDesk
from services.requests.load_desk import LoadDesk
from services.sessions import SessionService
from storage.models import SessionChannel

# -- the list


async def show_channels(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
) -> None:
    """All of them, or those where the account may invite: there, a tap loads who waits."""
    await sessions.get(callback_data.id)
    await screen.answer()
    loads = callback_data.verb is SessionVerb.LOAD
    if not await is_open(state, OpenList.channels, session=callback_data.id, loads=loads):
        await open_list(state, OpenList.channels, session=callback_data.id, loads=loads)
    await screen.show(await channels_page(texts, state, sessions, channels, callback_data.page))


async def refresh(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
) -> None:
    """Telegram is asked now; where it is slow, the old list is shown and the new one comes with the next look."""
    await screen.answer(texts.account_channels.asking())
    await channels.listing(callback_data.id, refresh=True)
    if not await is_open(state, OpenList.channels, session=callback_data.id):
        await open_list(state, OpenList.channels, session=callback_data.id, loads=False)
    await screen.show(await channels_page(texts, state, sessions, channels))


async def channels_page(
    texts: Texts, state: FSMContext, sessions: SessionService, channels: ChannelService, page: int = 0
) -> Page:
    data, wanted = await list_data(state), await searched(state)
    session = await sessions.get(data["session"])
    listing = await channels.listing(session.id)
    loads = bool(data.get("loads"))
    everything = [row for row in listing.rows if row.may_invite] if loads else listing.rows
    rows = [row for row in everything if wanted.matches(row.channel.title, row.channel.username)]
    shown = keyboards.window(rows, page)
    is_searched = wanted.wanted is not None
    found = texts.account_channels.found(len(rows), wanted.shown) if is_searched else None
    text = texts.account_channels.all(session, listing, everything, shown, found, loads=loads)
    markup = keyboards.account_channels.listing(texts, session.id, rows, page, loads=loads, is_searched=is_searched)
    return Page(text, markup)


async def show_all(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
) -> None:
    await search_nothing(state)
    await show_again(event, screen, texts, state, sessions, channels)


async def show_again(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
) -> None:
    await screen.show(await channels_page(texts, state, sessions, channels))


# -- typed


async def receive_text(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
    loads: LoadDesk,
    runs: RunDesk,
) -> None:
    """A name, link or id is looked up with this account; anything else searches the list."""
    text = message.text or ""
    if channels.is_reference(text):
        data = await list_data(state)
        found = await channels.find(text, data["session"])
        await _take(found, screen, texts, loads, runs, is_loading=bool(data.get("loads")))
    else:
        await search(message, screen, state)
        await show_again(message, screen, texts, state, sessions, channels)


# -- one of them


async def _take(
    found: SessionChannel,
    screen: AdminScreen,
    texts: Texts,
    desk: LoadDesk,
    runs: RunDesk,
    *,
    is_loading: bool,
) -> None:
    if is_loading:
        run = await desk.load(found.channel.id, found.session_id)
        await show_card(screen, texts, runs, run)
    else:
        markup = keyboards.account_channels.card(texts, found)
        await screen.show(Page(texts.account_channels.card(found), markup))


async def show_channel(
    event: TelegramObject,
    callback_data: SessionChannelAction,
    screen: AdminScreen,
    texts: Texts,
    channels: ChannelService,
    loads: LoadDesk,
    runs: RunDesk,
) -> None:
    found = await channels.seen(callback_data.session, callback_data.channel)
    is_loading = callback_data.verb is ChannelVerb.LOAD
    await _take(found, screen, texts, loads, runs, is_loading=is_loading)


PROMPTS: dict[str, Prompt] = {str(OpenList.channels.state): show_again}


def build() -> Router:
    """Saving one is a conversation of its own (handlers/add_source.py)."""
    router = Router(name="session-channels")
    lists = SessionAction.filter(F.verb.in_({SessionVerb.CHANNELS, SessionVerb.LOAD}))
    router.callback_query.register(show_channels, lists)
    router.callback_query.register(refresh, SessionAction.filter(F.verb == SessionVerb.CHANNELS_NOW))
    router.callback_query.register(show_all, OpenList.channels, ShowAll.filter())
    taken = SessionChannelAction.filter(F.verb.in_({ChannelVerb.SHOW, ChannelVerb.LOAD}))
    router.callback_query.register(show_channel, taken)
    router.message.register(receive_text, Searches(OpenList.channels))
    return router
