"""A first look at a channel that may be saved: whether it can be read, who is in it, and how much there is.

What was found is kept for a while in memory: the tap that follows the look asks Telegram nothing again.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.channels import ChannelService
from services.clients.pacing import answered
from services.clients.pool import ClientPool
from services.errors import AccountRequired, PorterError, Unreachable
from services.estimates import Estimate, Estimator
from services.readers import Readers
from services.saving import Offer
from storage.models import Filters, Start, StartKind
from storage.types import Clock, utc_now

KEPT = 64
FRESH = timedelta(minutes=30)
PATIENCE_SECONDS = 8.0
"""An admin waits so long for an answer, and holds up their other taps."""

_Key = tuple[int, int, Filters, str | None]


@dataclass(frozen=True, slots=True)
class Look:
    """`newest`: the id of the newest message, 0 in an empty channel. `estimate` None: nobody can tell, `trouble` says
    why, or it is a bot that reads there. `is_readable`: a message of it was read."""

    newest: int | None
    estimate: Estimate | None
    is_readable: bool
    trouble: PorterError | None


class FirstLooks:
    def __init__(
        self,
        readers: Readers,
        estimator: Estimator,
        listings: ChannelService,
        pool: ClientPool,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._readers = readers
        self._estimator = estimator
        self._listings = listings
        self._pool = pool
        self._clock = clock
        self._asking: dict[_Key, asyncio.Task[Look]] = {}
        self._kept: OrderedDict[_Key, tuple[datetime, Look]] = OrderedDict()

    def known(self, offer: Offer) -> Look | None:
        """What was found lately, without asking."""
        kept = self._kept.get(_key(offer))
        return kept[1] if kept is not None and self._clock() - kept[0] < FRESH else None

    async def look(self, offer: Offer) -> Look:
        """At the channel itself (members, title), at its newest message, and at what the filters would bring.
        Telegram's errors are told in the answer. Who asks meanwhile waits for the same one."""
        known = self.known(offer)
        if known is not None and known.trouble is None:
            return known
        key = _key(offer)
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._look(offer))
            asking.add_done_callback(lambda done: self._looked(key, done))
        return await asyncio.shield(asking)

    async def look_soon(self, offer: Offer) -> Look:
        """The same, while an admin waits: what takes longer than that is not known."""
        try:
            return await answered(self.look(offer), PATIENCE_SECONDS)
        except Unreachable as error:
            return Look(None, None, is_readable=False, trouble=error)

    def _looked(self, key: _Key, asking: asyncio.Task[Look]) -> None:
        del self._asking[key]
        if asking.cancelled() or asking.exception() is not None:
            return  # whoever waits for it is told
        self._kept[key] = (self._clock(), asking.result())
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    async def close(self) -> None:
        for asking in list(self._asking.values()):
            asking.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    def is_large(self, look: Look) -> bool:
        """Whether an admin is asked first. What a person's account could not count, may be."""
        if look.estimate is None:
            return look.trouble is not None
        return self._estimator.needs_asking(look.estimate)

    async def _look(self, offer: Offer) -> Look:
        session_id, channel = offer.session_id, offer.channel
        newest: int | None = None
        try:
            peer = await self._readers.peer(session_id, channel)
            async with self._pool.reading(session_id) as client:
                newest = await client.start_after(peer, Start(StartKind.NEW))
                await self._listings.keep(session_id, await client.look(peer))
            estimate = await self._estimator.estimate(
                session_id, channel.id, offer.profile.filters, Start(), offer.profile.root
            )
        except AccountRequired:
            return Look(newest, None, is_readable=newest is not None, trouble=None)
        except PorterError as error:
            return Look(newest, None, is_readable=newest is not None, trouble=error)
        return Look(newest, estimate, is_readable=True, trouble=None)


def _key(offer: Offer) -> _Key:
    return offer.session_id, offer.channel.id, offer.profile.filters, offer.profile.root
