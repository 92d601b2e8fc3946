"""A bot that reads channels, with Telethon. Telegram gives bots no history and no list of their channels; it gives them
messages by their ids, 100 at once, and tells them what happened in a channel of late.

So a walk asks for windows of ids up to the newest one. Where that stands, the channel's own sequence of updates says:
https://core.telegram.org/api/updates. Calls of a walk over ids up to `top`: ceil(top / 100), two before the first, and
one more a minute. docs/decisions/0018-bots-that-read.md says what was rejected.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telethon import TelegramClient
from telethon.tl import functions, types

from services.clients.base import HISTORY_PAGE, DialogsOffset, DialogsPage, HistoryPage, Peer, SeenChannel
from services.clients.peers import channel_of
from services.clients.proxy import Proxy
from services.clients.telethon_reading import TelethonReading
from services.errors import AccountRequired
from storage.models import Start, StartKind

TOP_SECONDS = 60.0
"""So long the newest id that is known counts; a walk that takes longer asks again on its way."""
RECENT_UPDATES = (100, 1_000, 10_000)
"""How far back the newest post is looked for: edits and deletions are updates as well. Bots may ask for 100,000."""
CATCHING_UP_PAGES = 3
PROBES = 4
"""Windows without a single message that are passed by in a search for a date."""


@dataclass(frozen=True, slots=True)
class _Top:
    """The newest id of a channel, and where its sequence of updates stood when it was told (at `asked_at`, a time of
    the event loop)."""

    message_id: int
    pts: int
    asked_at: float


@dataclass(frozen=True, slots=True)
class _News:
    """A page of a channel's updates. `newest`: the highest id of a new message; None: there is none on the page.
    `mentioned`: the highest id of any message, edited and deleted ones included."""

    pts: int
    newest: int | None
    mentioned: int
    is_last: bool


class TelethonBotReading(TelethonReading):
    """Implements base.ReadingClient. Small groups are out of its reach: their messages are numbered for each of their
    members."""

    def __init__(self, client: TelegramClient, proxy: Proxy | None = None) -> None:
        super().__init__(client, proxy)
        self._tops: dict[int, _Top] = {}  # by channel
        self._asking_top = asyncio.Lock()

    # -- channels

    async def channels(self) -> list[SeenChannel]:
        raise AccountRequired

    async def dialogs(self, offset: DialogsOffset | None) -> DialogsPage:
        raise AccountRequired

    async def newest(self, peers: Sequence[Peer]) -> dict[int, int]:
        raise AccountRequired

    async def look(self, peer: Peer) -> SeenChannel:
        """`peer` may have the access hash 0: a bot needs none where it is a member."""
        if channel_of(peer.id) is None:
            raise AccountRequired
        return await super().look(peer)

    # -- messages

    async def history(self, peer: Peer, after_id: int) -> HistoryPage:
        """The messages among the next HISTORY_PAGE ids: there may be fewer, or none. `newer` counts ids."""
        top = await self._top(peer, after_id)
        last_id = min(after_id + HISTORY_PAGE, top)
        if last_id <= after_id:
            return HistoryPage((), None, 0, is_last=True)
        posts = await self.posts(peer, list(range(after_id + 1, last_id + 1)))
        return HistoryPage(tuple(posts), last_id, top - last_id, is_last=last_id == top)

    async def start_after(self, peer: Peer, start: Start) -> int:
        """The id up to which nothing is wanted. LAST counts ids, deleted ones among them."""
        match start.kind:
            case StartKind.EVERYTHING:
                return 0
            case StartKind.NEW if start.message_id is not None:
                return start.message_id
        top = await self._top(peer)
        match start.kind:
            case StartKind.LAST:
                return max(0, top - (start.count or 0))
            case StartKind.SINCE:
                assert start.at is not None
                return await self._last_before(peer, start.at, top)
            case _:
                return top

    async def _last_before(self, peer: Peer, at: datetime, top: int) -> int:
        """An id with everything older below it and everything from `at` on above it, by halves.

        Where too many ids in a row are gone to tell, it is lower than it could be: nothing that is wanted is missed.
        """
        low, high = 0, top
        while low < high:
            start = low if high - low <= HISTORY_PAGE else (low + high) // 2
            end, dates = await self._dates(peer, start, high)
            older = [message_id for message_id, date in dates if date < at]
            newer = [message_id for message_id, date in dates if date >= at]
            if older and newer:
                return max(older)
            low, high = (end, high) if older else (low, start)
        return low

    async def _dates(self, peer: Peer, start: int, high: int) -> tuple[int, list[tuple[int, datetime]]]:
        """Ids and dates of the first window above `start` that holds a message at all, and where that window ends."""
        end = start
        for _ in range(PROBES):
            begin, end = end, min(end + HISTORY_PAGE, high)
            found = await self._messages(peer, range(begin + 1, end + 1))
            dates = [(each.id, each.date) for each in found if isinstance(each, types.Message | types.MessageService)]
            if dates or end == high:
                return end, dates
        return end, []

    async def _messages(self, peer: Peer, message_ids: Sequence[int]) -> list[Any]:
        wanted = [types.InputMessageID(message_id) for message_id in message_ids]
        answer = await self._ask(functions.channels.GetMessagesRequest(self._channel(peer), wanted))
        return list(answer.messages)

    # -- the newest id

    async def _top(self, peer: Peer, above: int | None = None) -> int:
        """The newest id. What was told before counts for a while, unless the caller stands there already."""
        async with self._asking_top:
            now = asyncio.get_running_loop().time()
            known = self._tops.get(peer.id)
            is_fresh = known is not None and now < known.asked_at + TOP_SECONDS
            if known is None or not is_fresh or above is None or above >= known.message_id:
                known = await self._asked_top(self._channel(peer), known, now)
                self._tops[peer.id] = known
            return known.message_id

    async def _asked_top(self, channel: Any, known: _Top | None, now: float) -> _Top:
        caught_up = None if known is None else await self._catch_up(channel, known, now)
        if caught_up is not None:
            return caught_up
        pts = (await self._ask(functions.channels.GetFullChannelRequest(channel))).full_chat.pts
        mentioned = 0
        for updates in RECENT_UPDATES:
            news = await self._news(channel, max(1, pts - updates), updates)
            if news.newest is not None:
                return _Top(news.newest, news.pts, now)
            mentioned = max(mentioned, news.mentioned)
            if updates >= pts:
                break
        return _Top(mentioned, pts, now)  # nothing was posted for a very long time, only edited

    async def _catch_up(self, channel: Any, known: _Top, now: float) -> _Top | None:
        """What came since then. None: so much that it is quicker to begin anew."""
        top, pts = known.message_id, known.pts
        for _ in range(CATCHING_UP_PAGES):
            news = await self._news(channel, pts, RECENT_UPDATES[0])
            top, pts = max(top, news.newest or 0), news.pts
            if news.is_last:
                return _Top(top, pts, now)
        return None

    async def _news(self, channel: Any, pts: int, limit: int) -> _News:
        everything = types.ChannelMessagesFilterEmpty()
        answer = await self._ask(functions.updates.GetChannelDifferenceRequest(channel, everything, pts, limit))
        match answer:
            case types.updates.ChannelDifferenceTooLong():
                # As far back as we asked Telegram does not remember: it tells the channel's newest state instead.
                top = answer.dialog.top_message
                return _News(answer.dialog.pts or pts, top, top, is_last=True)
            case types.updates.ChannelDifference():
                posted = [message.id for message in answer.new_messages]
                changed = [each for update in answer.other_updates for each in _changed_by(update)]
                mentioned = max([*posted, *changed], default=0)
                return _News(answer.pts, max(posted, default=None), mentioned, is_last=bool(answer.final))
            case _:
                return _News(answer.pts, None, 0, is_last=True)


def _changed_by(update: Any) -> list[int]:
    match update:
        case types.UpdateEditChannelMessage():
            return [update.message.id]
        case types.UpdateDeleteChannelMessages():
            return list(update.messages)
    return []
