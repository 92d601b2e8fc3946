"""Listing who waits at a channel, page by page by a user session. While a page is stored, the next is under way.

A walk keeps its place in the run's checkpoint: after a flood wait or a kill it goes on there and never starts anew
(TELEGRAM.md, Reading: restarting walks is what makes flood waits grow).
"""

import logging
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Self

from services.clients.base import REQUESTS_PAGE, Peer, RequestsOffset, RequestsPage
from services.clients.pool import ClientPool
from services.errors import RequestGone
from services.requests.membership import Membership
from services.requests.reading_ahead import ReadingAhead, ReadPage
from services.runs import RunContext
from storage.join_requests import JoinRequestRepository
from storage.models import IncomingRequest, Progress
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

KEY = "walk"
TIMES = frozenset({"began_at", "newest", "last_date"})


@dataclass(frozen=True, slots=True)
class Part:
    """What of the list is walked. `newest`: no more than so many. `link`: only who came by that invite link."""

    newest: int | None = None
    link: str | None = None

    @property
    def is_whole(self) -> bool:
        return self.newest is None and self.link is None


WHOLE = Part()


@dataclass(frozen=True, slots=True)
class Gone:
    """Who waited here and is not on Telegram's list any more. `elsewhere`: they are members, so somebody let them in.
    `withdrawn`: they are not; they asked no more, or were denied elsewhere."""

    withdrawn: int = 0
    elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk stands. `total`: the fewest that any page said are waiting. `newest`: when the last one asked.

    `meant`: how many of those seen had asked by the moment that the caller gave.
    """

    began_at: datetime
    seen: int = 0
    new: int = 0
    meant: int = 0
    total: int | None = None
    newest: datetime | None = None
    last_date: datetime | None = None
    last_user_id: int = 0

    @property
    def is_complete(self) -> bool:
        """A list that Telegram cut short says nothing of those who are not on it."""
        return self.seen >= (self.total or 0)

    def after(self, read: ReadPage, fresh: list[IncomingRequest], asked_by: datetime | None) -> "Walk":
        """`new` stays; and so does the place, where the top was looked at once more."""
        page = read.page
        behind = page.next if not read.is_top else None
        dates = [request.asked_at for request in fresh]
        return replace(
            self,
            seen=self.seen + len(fresh),
            meant=self.meant + sum(asked_by is None or date <= asked_by for date in dates),
            total=page.total if self.total is None else min(self.total, page.total),
            newest=max([*dates, *([self.newest] if self.newest else [])]),
            last_date=behind.date if behind else self.last_date,
            last_user_id=behind.user_id if behind else self.last_user_id,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name in self.__slots__
            if (value := getattr(self, name)) is not None
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        def read(name: str, value: Any) -> Any:
            return datetime.fromisoformat(value) if name in TIMES else value

        return cls(**{name: read(name, value) for name, value in values.items()})


class RequestLister:
    def __init__(
        self, requests: JoinRequestRepository, sessions: SessionRepository, pool: ClientPool, clock: Clock = utc_now
    ) -> None:
        self._requests = requests
        self._sessions = sessions
        self._pool = pool
        self._membership = Membership(sessions, pool)
        self._clock = clock

    async def walk(
        self,
        context: RunContext,
        session_id: int,
        peer: Peer,
        counters: dict[str, int],
        asked_by: datetime | None = None,
        part: Part = WHOLE,
    ) -> Walk:
        """That part of the list, stored; drawn as the run's progress. `counters` of the run are left as they are.

        The walk stays in the checkpoint until the caller has drawn its conclusions and calls `forget`.
        """
        stored = context.run.checkpoint.get(KEY)
        walk = Walk.from_json(stored) if stored else Walk(self._clock())
        offset = await self._offset(session_id, walk)
        if walk.seen and offset is None:
            return walk  # the kill came after the last page
        ahead = ReadingAhead(
            partial(self._page, session_id, peer, part.link),
            offset,
            None if part.newest is None else part.newest - walk.seen,
            walk.newest,
        )
        async with aclosing(ahead.batches()) as batches:
            async for batch in batches:
                walk = await self._store(session_id, walk, batch, asked_by)
                await context.checkpoint({**context.run.checkpoint, KEY: walk.to_json()})
                self._show(context, walk, max(batch[-1].page.total, walk.seen), counters, part)
        return replace(walk, last_date=None)

    async def forget(self, context: RunContext, **values: Any) -> None:
        """The walk is over and used; `values` go into the checkpoint in the same write."""
        kept = {name: value for name, value in context.run.checkpoint.items() if name != KEY}
        await context.checkpoint({**kept, **values})

    async def settle_gone(self, context: RunContext, session_id: int, peer: Peer, walk: Walk) -> Gone:
        """Who waited here before a walk of the whole list and was not met on it. Whoever arrived during the walk was
        seen later than it began, and stays. Raises TelegramError."""
        if not walk.is_complete:
            log.warning("the list is not complete: %d of %s", walk.seen, walk.total, extra={"run_id": context.run.id})
            return Gone()
        missing = await self._requests.missing(context.run.subject_id, walk.began_at)
        members = await self._membership.who_is_in(session_id, peer, missing)
        gone = await self._requests.settle_gone(context.run.subject_id, walk.began_at, members.keys())
        return Gone(*gone)

    async def meet(self, session_id: int, peer: Peer, user_id: int) -> int:
        """The access hash by which the session addresses somebody who waits. Raises RequestGone: is not on the list."""
        stored = await self._sessions.access_hash(session_id, user_id)
        offset: RequestsOffset | None = None
        seen: set[int] = set()
        while stored is None:
            page = await self._page(session_id, peer, None, offset)
            await self._sessions.put_peers(session_id, page.access_hashes)
            stored = page.access_hashes.get(user_id)
            offset = page.next
            is_last = offset is None or seen.issuperset(page.access_hashes)
            if stored is None and is_last:
                raise RequestGone
            seen.update(page.access_hashes)
        return stored

    # -- pages

    async def _page(
        self,
        session_id: int,
        peer: Peer,
        link: str | None,
        offset: RequestsOffset | None,
        limit: int = REQUESTS_PAGE,
    ) -> RequestsPage:
        async with self._pool.gate(session_id) as client:
            return await client.join_requests(peer, offset, link, limit)

    async def _store(self, session_id: int, walk: Walk, batch: list[ReadPage], asked_by: datetime | None) -> Walk:
        """The access hashes are kept, so that deciding resolves nobody."""
        hashes = {user_id: hash_ for read in batch for user_id, hash_ in read.page.access_hashes.items()}
        await self._sessions.put_peers(session_id, hashes)
        fresh = [read.fresh for read in batch]
        new = await self._requests.store([request for requests in fresh for request in requests])
        for read, requests in zip(batch, fresh, strict=True):
            walk = walk.after(read, requests, asked_by)
        return replace(walk, new=walk.new + new)

    async def _offset(self, session_id: int, walk: Walk) -> RequestsOffset | None:
        """The access hash is the session's secret: it lies sealed with the others, not in the checkpoint."""
        if walk.last_date is None:
            return None
        access_hash = await self._sessions.access_hash(session_id, walk.last_user_id)
        return RequestsOffset(walk.last_date, walk.last_user_id, access_hash or 0)

    @staticmethod
    def _show(context: RunContext, walk: Walk, total: int, counters: dict[str, int], part: Part) -> None:
        shown = {**counters, "new": walk.new, "known": walk.seen - walk.new}
        wanted = total if part.newest is None else min(total, part.newest)
        context.progress(Progress(done=walk.seen, total=max(wanted, walk.seen), counters=shown))
