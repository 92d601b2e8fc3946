"""Which accounts can read a channel, and how each of them comes to address it.

A private channel is read by the accounts whose list it stands in. A public one is read by every account of a person,
once that account has looked its name up - and each does so once (contacts.resolveUsername is what Telegram punishes).
A bot reads where it has been seen to.
"""

import asyncio
import logging
from datetime import timedelta

from services.channels import ChannelService
from services.clients.base import Peer
from services.clients.pool import ClientPool
from services.errors import NotFound, ReaderMissing, SessionRequired, TelegramError, Unreachable
from services.links import ChannelLink
from storage.channels import ChannelRepository
from storage.models import Channel, Session, SessionKind, SessionState
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

JUST_NOW = timedelta(seconds=10)


class Readers:
    def __init__(
        self,
        channels: ChannelRepository,
        sessions: SessionRepository,
        sources: SourceRepository,
        listings: ChannelService,
        pool: ClientPool,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._channels = channels
        self._sessions = sessions
        self._sources = sources
        self._listings = listings
        self._pool = pool
        self._clock = clock

    async def find(self, link: ChannelLink, username: str | None = None) -> Channel:
        """The channel that a link or a forwarded post is from. `username`: of a channel whose id is known.

        Raises ChannelNotFound, ReaderMissing (private, and in no account's list), SessionRequired, TelegramError.
        """
        if isinstance(link.channel, str):
            return await self._by_name(link.channel)
        known = await self._channels.get(link.channel)
        if known is not None and await self.of(known):
            return known
        if username is not None:
            return await self._by_name(username)
        return await self._by_lists(link.channel)

    async def introduce(self, session_id: int, channel_id: int) -> Channel | None:
        """The channel, if that account is a bot that can read it: then it counts among those that can. Others have
        lists of their own."""
        is_bot = any(each.id == session_id and each.kind is SessionKind.BOT for each in await self._active())
        return await self._met(session_id, channel_id) if is_bot else None

    async def of(self, channel: Channel) -> list[Session]:
        """Those that can read it; first the one with the fewest saved channels."""
        active = await self._active()
        listed = set(await self._channels.sessions_of(channel.id))
        can = [
            each
            for each in active
            if each.id in listed or (channel.username is not None and each.kind is SessionKind.USER)
        ]
        saved = {each.id: len(await self._sources.of_session(each.id)) for each in can}
        return sorted(can, key=lambda each: (each.kind is not SessionKind.USER, saved[each.id], each.id))

    async def peer(self, session_id: int, channel: Channel) -> Peer:
        """How that account addresses the channel; a public one it has never met is looked up, once.

        Raises ChannelUnavailable, ChannelNotFound, SessionDead, TelegramError.
        """
        if channel.username is not None and await self._sessions.access_hash(session_id, channel.id) is None:
            async with self._pool.reading(session_id) as client:
                await self._listings.keep(session_id, await client.resolve(channel.username))
        return await self._pool.peer(session_id, channel.id)

    async def _active(self) -> list[Session]:
        return [each for each in await self._sessions.all() if each.state is SessionState.ACTIVE]

    async def _by_name(self, username: str) -> Channel:
        known = await self._channels.by_username(username)
        if known is not None and await self.of(known):
            return known
        """By an account of a person, else by a bot, which must be in there."""
        active = sorted(await self._active(), key=lambda each: each.kind is SessionKind.BOT)
        if not active:
            raise SessionRequired
        return (await self._listings.find(f"@{username}", active[0].id)).channel

    async def _by_lists(self, channel_id: int) -> Channel:
        """An account may have joined since it was asked last: all are asked anew, side by side."""
        active = await self._active()
        if not active:
            raise SessionRequired
        answers = await asyncio.gather(*(self._listed(each.id) for each in active if each.kind is SessionKind.USER))
        known = await self._channels.get(channel_id)
        if known is not None and await self.of(known):
            return known
        for bot in (each for each in active if each.kind is SessionKind.BOT):
            if (met := await self._met(bot.id, channel_id)) is not None:
                return met
        if not all(answers):
            raise Unreachable("not every account was asked")
        raise ReaderMissing

    async def _met(self, bot_id: int, channel_id: int) -> Channel | None:
        """The channel, if that bot can read it: bots have no lists, each is asked for this one."""
        try:
            return (await self._listings.find(str(channel_id), bot_id)).channel
        except TelegramError as error:
            log.info("a bot does not see a channel: %s", type(error).__name__, extra={"session_id": bot_id})
            return None

    async def _listed(self, session_id: int) -> bool:
        """Whether its list is as Telegram has it now, or had it a moment ago: ten posts may be forwarded in one go."""
        listed_at = await self._channels.listed_at(session_id)
        if listed_at is not None and self._clock() - listed_at < JUST_NOW:
            return True
        try:
            return not (await self._listings.listing(session_id, refresh=True)).is_refreshing
        except (TelegramError, NotFound) as error:
            log.info("channels are not listed: %s", type(error).__name__, extra={"session_id": session_id})
            return False
