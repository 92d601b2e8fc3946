"""Channels: which session sees which, and how an admin may name one.

What a session was shown once is stored, access hash included: nothing is resolved twice (TELEGRAM's ban for that lasts
hours).
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.bot_channels import meet, meet_again
from services.clients.base import Peer, SeenChannel
from services.clients.peers import id_of_channel
from services.clients.pool import ClientPool
from services.errors import (
    AccountRequired,
    ChannelNotFound,
    ChannelUnavailable,
    NotFound,
    PorterError,
    RightMissing,
    SessionRequired,
    TelegramError,
)
from services.gate import BotGate
from storage.channels import ChannelRepository
from storage.models import Channel, Session, SessionChannel, SessionKind, SessionState
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

_HOST = r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me|telegram\.dog)/"
_NAME = r"(?P<name>[A-Za-z][A-Za-z0-9_]{3,31})"
# A link may lead to a post, a topic or a preview (/s/) of the channel.
_REFERENCES = (
    re.compile(rf"@{_NAME}"),
    re.compile(rf"{_HOST}c/(?P<bare>\d+)(?:/.*)?", re.IGNORECASE),
    re.compile(rf"{_HOST}(?:s/)?{_NAME}(?:[/?#].*)?", re.IGNORECASE),
    re.compile(rf"tg://resolve/?\?domain={_NAME}(?:&.*)?", re.IGNORECASE),
    re.compile(r"(?P<id>-\d{1,18})"),
)
_BARE_NAME = re.compile(_NAME)
_RESERVED = frozenset({"joinchat", "addlist", "share", "proxy", "socks", "login", "addstickers", "addemoji", "boost"})


PATIENCE_SECONDS = 8.0
"""An admin waits so long for a list, and holds up their other taps."""
FRESH = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a session sees, most members first, as it was at `listed_at` (None: never asked yet). `is_refreshing`:
    Telegram is being asked meanwhile.
    """

    rows: list[SessionChannel]
    listed_at: datetime | None
    is_refreshing: bool


def read_reference(text: str) -> int | str | None:
    """The channel's id or username that a text names; None: it is no name, link or id (a plain word may still be one).

    @name, t.me/name, t.me/name/5, t.me/c/123/5, tg://resolve?domain=name, -100123.
    """
    for pattern in _REFERENCES:
        found = pattern.fullmatch(text.strip())
        if found is None:
            continue
        groups = found.groupdict()
        if "id" in groups:
            return int(groups["id"])
        if "bare" in groups:
            return id_of_channel(int(groups["bare"]))
        return None if groups["name"].lower() in _RESERVED else str(groups["name"])
    return None


OnGrown = Callable[[int, SeenChannel], Awaitable[None]]
"""(session, supergroup)"""


OnCarriedGrown = Callable[[str], Awaitable[None]]


async def _untold(_title: str) -> None:
    """Nobody is told."""


async def _unheard(_session_id: int, _grown: SeenChannel) -> None:
    """Nobody follows."""


class ChannelService:
    def __init__(
        self,
        channels: ChannelRepository,
        sessions: SessionRepository,
        pool: ClientPool,
        gate: BotGate,
        *,
        clock: Clock = utc_now,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._channels = channels
        self._sessions = sessions
        self._pool = pool
        self._gate = gate
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._refreshing: dict[int, asyncio.Task[None]] = {}  # by session
        self._on_grown: OnGrown = _unheard
        self._on_carried_grown: OnCarriedGrown = _untold

    def on_grown(self, listener: OnGrown) -> None:
        """Told of each supergroup in a list of which it says what group it was."""
        self._on_grown = listener

    def on_carried_grown(self, listener: OnCarriedGrown) -> None:
        """Told the title of a group that a source carries, when the bot is the first to hear what it became."""
        self._on_carried_grown = listener

    async def close(self) -> None:
        """End what is being asked in the background."""
        for task in self._refreshing.values():
            task.cancel()
        await asyncio.gather(*self._refreshing.values(), return_exceptions=True)

    # -- what sessions see

    async def listing(self, session_id: int, *, refresh: bool = False) -> Listing:
        """What is stored, at once; asked anew in the background when that is old. Waits for Telegram, and no longer
        than an admin would, only where nothing is stored, or to `refresh`: then it raises TelegramError as well.

        Raises NotFound.
        """
        session = await self._session(session_id)
        listed_at = await self._channels.listed_at(session_id)
        is_old = listed_at is None or listed_at < self._clock() - FRESH
        is_worth_it = listed_at is None or session.state is SessionState.ACTIVE
        if refresh or (is_old and is_worth_it and session.kind is SessionKind.USER):
            task = self._refresh(session_id)
            if refresh or listed_at is None:
                await asyncio.wait((task,), timeout=self._patience_seconds)
                if task.done():
                    task.result()
        rows = await self._channels.of_session(session_id)
        return Listing(rows, await self._channels.listed_at(session_id), session_id in self._refreshing)

    def _refresh(self, session_id: int) -> asyncio.Task[None]:
        """One at a time: whoever asks meanwhile waits for the same answer."""
        task = self._refreshing.get(session_id)
        if task is None:
            task = asyncio.create_task(self._list(session_id))
            self._refreshing[session_id] = task
            task.add_done_callback(lambda done: self._refreshed(session_id, done))
        return task

    def _refreshed(self, session_id: int, task: asyncio.Task[None]) -> None:
        del self._refreshing[session_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            known = isinstance(error, PorterError)
            log.log(
                logging.INFO if known else logging.ERROR,
                "channels are not listed: %s",
                type(error).__name__,
                exc_info=None if known else error,
                extra={"session_id": session_id},
            )

    async def seen(self, session_id: int, channel_id: int) -> SessionChannel:
        """One of them, or a public one that it has met. Raises ChannelNotFound, TelegramError."""
        for row in await self._channels.of_session(session_id):
            if row.channel.id == channel_id:
                return row
        return await self.find(str(channel_id), session_id)

    async def of_session(self, session_id: int, refresh: bool = False) -> list[SessionChannel]:
        """Most members first; asked at Telegram when nothing is stored, or to `refresh`. Of a bot: those it has met.

        Raises NotFound, TelegramError.
        """
        if not refresh:
            stored = await self._channels.of_session(session_id)
            if stored:
                return stored
        await self._list(session_id)
        return await self._channels.of_session(session_id)

    async def may_invite(self) -> list[SessionChannel]:
        """Where an account may let people in, each channel once, most members first.

        A session that does not answer is left out. Raises SessionRequired.
        """
        found: dict[int, SessionChannel] = {}
        for session in await self._active(SessionKind.USER):
            try:
                rows = await self.of_session(session.id)
            except TelegramError as error:
                log.warning("channels are not listed: %s", type(error).__name__, extra={"session_id": session.id})
                continue
            for row in rows:
                if row.may_invite:
                    found.setdefault(row.channel.id, row)
        return sorted(found.values(), key=lambda row: (-(row.channel.members or 0), row.channel.title, row.channel.id))

    async def session_for(self, channel_id: int, may_invite: bool = False) -> int:
        """A session that sees the channel, with the right to invite if that is asked: then it is no bot's.

        Raises SessionRequired when none sees it, RightMissing when those that do may not invite.
        """
        active = {session.id for session in await self._active(SessionKind.USER if may_invite else None)}
        seeing = [each for each in await self._channels.sessions_of(channel_id) if each in active]
        if not seeing:
            raise SessionRequired(bots_do=not may_invite)
        if not may_invite:
            return seeing[0]
        allowed = await self._channels.sessions_of(channel_id, may_invite=True)
        # The right may be younger than the listing.
        for session_id in [each for each in seeing if each in allowed] or seeing:
            if session_id in allowed or (await self._look(session_id, channel_id)).may_invite:
                return session_id
        raise RightMissing

    async def check_right(self, session_id: int, channel_id: int) -> None:
        """Raises RightMissing when that session may not invite there (what is stored may be older than the right), and
        AccountRequired for a bot's."""
        if (await self._session(session_id)).kind is SessionKind.BOT:
            raise AccountRequired
        if session_id in await self._channels.sessions_of(channel_id, may_invite=True):
            return
        if not (await self._look(session_id, channel_id)).may_invite:
            raise RightMissing

    async def waiting_at(self, channel_id: int) -> int:
        """How many Telegram says are waiting, asked now by a session that may invite there.

        Raises SessionRequired, RightMissing, TelegramError.
        """
        session_id = await self.session_for(channel_id, may_invite=True)
        peer = await self._pool.peer(session_id, channel_id)
        async with self._pool.reading(session_id) as client:
            seen = await client.look(peer)
        await self.keep(session_id, seen)
        if seen.waiting is None:
            raise RightMissing
        return seen.waiting

    # -- finding

    @staticmethod
    def is_reference(text: str) -> bool:
        """Whether a text names a channel, rather than being a word to search for."""
        return read_reference(text) is not None

    async def find(self, text: str, session_id: int | None = None) -> SessionChannel:
        """The channel that a text names, as the given session sees it, or the one that can do most there.

        A plain word is taken for a username. Raises ChannelNotFound, ChannelUnavailable, SessionRequired; BotOutside
        where a bot is asked that is not in there.
        """
        reference = read_reference(text)
        if reference is None and _BARE_NAME.fullmatch(text.strip()):
            reference = text.strip()
        if reference is None:
            raise ChannelNotFound
        candidates = [await self._session(session_id)] if session_id is not None else await self._active()
        if isinstance(reference, int):
            return await self._by_id(reference, candidates)
        return await self._by_username(reference, candidates)

    async def _by_id(self, channel_id: int, candidates: list[Session]) -> SessionChannel:
        """An id is good only for a session that has met the channel: a fresh list tells. Bots are asked last."""
        session_ids = [session.id for session in candidates]
        known = await self._stored(channel_id, session_ids)
        if known is not None:
            return known
        bots = [session.id for session in candidates if session.kind is SessionKind.BOT]
        for session_id in session_ids:
            if session_id not in bots:
                await self._list(session_id)
        known = await self._stored(channel_id, session_ids)
        return known if known is not None else await self._met_by_any(channel_id, bots)

    async def _met_by_any(self, channel_id: int, bot_ids: list[int]) -> SessionChannel:
        trouble: TelegramError = ChannelNotFound()
        for session_id in bot_ids:
            try:
                return await self.keep(session_id, await meet(self._pool, session_id, Peer(channel_id, 0)))
            except (ChannelUnavailable, AccountRequired) as error:
                trouble = error
        raise trouble

    async def _by_username(self, username: str, candidates: list[Session]) -> SessionChannel:
        stored = await self._channels.by_username(username)
        if stored is not None:
            known = await self._stored(stored.id, [session.id for session in candidates])
            if known is not None:
                return known
        session = candidates[0]
        if session.kind is SessionKind.BOT:
            return await self.keep(session.id, await meet(self._pool, session.id, username))
        async with self._pool.reading(session.id) as client:
            return await self.keep(session.id, await client.resolve(username))

    async def _stored(self, channel_id: int, session_ids: list[int]) -> SessionChannel | None:
        """As a session sees it that may invite there, else as the first that sees it."""
        channel = await self._channels.get(channel_id)
        if channel is None:
            return None
        allowed = await self._channels.sessions_of(channel_id, may_invite=True)
        seeing = await self._channels.sessions_of(channel_id)
        for session_id in session_ids:
            # A public channel that was looked up before is in no list, but its access hash is here.
            if session_id not in seeing and await self._sessions.access_hash(session_id, channel_id) is not None:
                seeing.append(session_id)
        for session_id in [each for each in allowed if each in session_ids] or [
            each for each in session_ids if each in seeing
        ]:
            return SessionChannel(channel, session_id, session_id in allowed)
        return None

    # -- the bot

    async def refresh_bot_rights(self, channel_id: int) -> Channel:
        """The channel as the bot sees it now. Raises ChannelUnavailable for one that neither bot nor Porter knows."""
        try:
            await self._channels.put(await self._gate.look(channel_id))
        except (ChannelUnavailable, RightMissing):
            # The bot was removed: what is stored stays, without the right.
            await self._channels.set_bot_may_invite(channel_id, False)
        channel = await self._channels.get(channel_id)
        if channel is None:
            raise ChannelUnavailable
        return channel

    async def migrated(self, group_id: int, supergroup_id: int) -> None:
        """The bot heard that the small group became that supergroup. Raises what BotGate.look raises."""
        channel = await self._gate.look(supergroup_id)
        if await self._channels.grew(group_id, channel):
            await self._on_carried_grown(channel.title)

    # -- asking Telegram

    async def _active(self, kind: SessionKind | None = None) -> list[Session]:
        """Those that work, bots last."""
        active = [session for session in await self._sessions.all() if session.state is SessionState.ACTIVE]
        wanted = [session for session in active if kind is None or session.kind is kind]
        if not wanted:
            raise SessionRequired(bots_do=kind is not SessionKind.USER)
        return sorted(wanted, key=lambda session: session.kind is SessionKind.BOT)

    async def _session(self, session_id: int) -> Session:
        session = await self._sessions.get(session_id)
        if session is None:
            raise NotFound("session")
        return session

    async def _list(self, session_id: int) -> None:
        if (await self._session(session_id)).kind is SessionKind.BOT:
            met = [row.channel for row in await self._channels.of_session(session_id)]
            still = await meet_again(self._pool, session_id, met)
            await self._channels.put_listing(session_id, [(channel, False) for channel in still])
            return
        async with self._pool.reading(session_id) as client:
            seen = await client.channels()
        # Access hashes first: a channel that is listed can be asked for.
        await self._sessions.put_peers(session_id, {each.peer.id: each.peer.access_hash for each in seen})
        mine = [each for each in seen if each.is_member]
        await self._channels.put_listing(session_id, [(each.channel, each.may_invite) for each in mine])
        for each in seen:
            if each.was is not None:
                await self._on_grown(session_id, each)

    async def _look(self, session_id: int, channel_id: int) -> SessionChannel:
        peer = await self._pool.peer(session_id, channel_id)
        async with self._pool.reading(session_id) as client:
            return await self.keep(session_id, await client.look(peer))

    async def keep(self, session_id: int, seen: SeenChannel) -> SessionChannel:
        """What a session was shown: from now on it addresses the channel without asking who that is."""
        await self._sessions.put_peers(session_id, {seen.peer.id: seen.peer.access_hash})
        if seen.is_member and await self._has_list(session_id):
            await self._channels.add_seen(session_id, seen.channel, seen.may_invite)
        else:
            await self._channels.put(seen.channel)
        channel = await self._channels.get(seen.channel.id) or seen.channel
        return SessionChannel(channel, session_id, seen.may_invite)

    async def _has_list(self, session_id: int) -> bool:
        """One channel alone would look like the whole list of a session that was never asked for it."""
        if await self._channels.listed_at(session_id) is not None:
            return True
        try:
            listing = await self.listing(session_id)
        except TelegramError as error:
            log.info("channels are not listed: %s", type(error).__name__, extra={"session_id": session_id})
            return False
        return not listing.is_refreshing
