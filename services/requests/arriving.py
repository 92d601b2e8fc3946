"""Join requests as they arrive: stored before Telegram hears that they were taken, told afterwards."""

import logging
from collections import defaultdict
from collections.abc import Callable

from services.channels import ChannelService
from services.errors import PorterError
from services.notifier import Notifier
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import Channel, ChannelKind, IncomingRequest
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)


class Arrivals:
    def __init__(
        self,
        requests: JoinRequestRepository,
        channel_rows: ChannelRepository,
        channels: ChannelService,
        notifier: Notifier,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._requests = requests
        self._channel_rows = channel_rows
        self._channels = channels
        self._notifier = notifier
        self._clock = clock
        self._listeners: list[Callable[[], None]] = []

    def on_stored(self, listener: Callable[[], None]) -> None:
        """Called when somebody new waits."""
        self._listeners.append(listener)

    async def take(self, incoming: list[IncomingRequest]) -> None:
        """What the bot was told. Stored when this returns; storing the same again changes nothing."""
        by_channel: defaultdict[int, list[IncomingRequest]] = defaultdict(list)
        for request in incoming:
            by_channel[request.channel_id].append(request)
        for channel_id in by_channel:
            await self._know(channel_id)
        for channel_id, requests in by_channel.items():
            await self._keep(channel_id, requests)

    async def take_listed(self, channel_id: int, listed: list[IncomingRequest]) -> None:
        """What an account saw on the list of a channel that is stored: as `take`, but it says nothing of the bot."""
        await self._keep(channel_id, listed)

    async def _keep(self, channel_id: int, requests: list[IncomingRequest]) -> None:
        new = await self._requests.store(requests)
        if new:
            for listener in self._listeners:
                listener()
            await self._announce(channel_id, new)

    async def _know(self, channel_id: int) -> None:
        """A request belongs to a channel that is stored. That the bot hears of it proves its right to invite."""
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            try:
                channel = await self._channels.refresh_bot_rights(channel_id)
            except PorterError as error:
                log.warning("a channel is not known: %s", type(error).__name__, extra={"channel_id": channel_id})
                name = str(channel_id)
                channel = Channel(channel_id, name, None, ChannelKind.CHANNEL, None, True, self._clock())
                await self._channel_rows.put(channel)
        if not channel.bot_may_invite:
            await self._channel_rows.set_bot_may_invite(channel_id, True)

    async def _announce(self, channel_id: int, count: int) -> None:
        try:
            await self._notifier.requests_arrived(channel_id, count)
        except Exception:
            log.exception("new requests were not told", extra={"channel_id": channel_id})
