"""A small group becomes a supergroup: another id, another access hash, and messages that are counted anew.

Wherever that is seen (a page of history, a list of channels) it is noted, before anything else of the same answer is
stored: a kill in between loses nothing. A source first reads what is left of the old group to its end, and goes over
then, in one transaction. Its messages and files keep the old id, so neither is fetched twice, and what is still to be
fetched of the old group is.
"""

import logging
from collections.abc import Callable

from services.clients.base import SeenChannel
from services.clients.pool import ClientPool
from services.notifier import Notifier
from storage.channels import ChannelRepository
from storage.models import Source
from storage.sessions import SessionRepository
from storage.sources import SourceRepository

log = logging.getLogger(__name__)


class Following:
    def __init__(
        self,
        channels: ChannelRepository,
        sessions: SessionRepository,
        sources: SourceRepository,
        pool: ClientPool,
        notifier: Notifier,
    ) -> None:
        self._channels = channels
        self._sessions = sessions
        self._sources = sources
        self._pool = pool
        self._notifier = notifier
        self._noted: set[tuple[int, int]] = set()  # (session, supergroup): every page of the old group says it again
        self._on_followed: Callable[[], None] = lambda: None

    def on_followed(self, listener: Callable[[], None]) -> None:
        """Called when a source has gone over."""
        self._on_followed = listener

    async def note(self, session_id: int, grown: SeenChannel) -> None:
        """That session has seen that a group became this supergroup. The owners hear of it once, if it is carried."""
        if grown.was is None or (session_id, grown.channel.id) in self._noted:
            return
        await self._sessions.put_peers(session_id, {grown.peer.id: grown.peer.access_hash})
        if grown.is_member:
            await self._channels.add_seen(session_id, grown.channel, grown.may_invite)
        if await self._channels.grew(grown.was, grown.channel):
            log.info("a group became a supergroup", extra={"channel_id": grown.was})
            await self._notifier.channel_grew(grown.channel.title)
        self._noted.add((session_id, grown.channel.id))

    async def has_grown(self, source: Source) -> bool:
        """Whether the group of this source is known to be a supergroup by now."""
        channel = await self._channels.get(source.channel_id)
        return channel is not None and channel.migrated_to is not None

    async def follow(self, source: Source) -> Source | None:
        """The source as it reads on in the supergroup that its group became. None: it, or the group, is gone.

        Call it at the end of the old history. Raises TelegramError.
        """
        channel = await self._channels.get(source.channel_id)
        if channel is None or channel.migrated_to is None:
            return None
        if await self._sessions.access_hash(source.session_id, channel.migrated_to) is None:
            await self._look_again(source)
        await self._sources.follow(source.id, source.channel_id, channel.migrated_to)
        self._on_followed()
        return await self._sources.get(source.id)

    async def _look_again(self, source: Source) -> None:
        """Another session has noted it. The group's last message comes with the supergroup as this one addresses it."""
        peer = await self._pool.peer(source.session_id, source.channel_id)
        async with self._pool.reading_for(source) as client:
            page = await client.history(peer, max(0, source.cursor - 1))
        if page.successor is not None:
            await self.note(source.session_id, page.successor)
