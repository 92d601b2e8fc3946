"""Listing who waits at a channel: page by page by a user session, each page stored before the next is asked for.

A walk keeps its place in the run's checkpoint: after a flood wait or a kill it goes on there and never starts anew
(TELEGRAM.md, Reading: restarting walks is what makes flood waits grow).
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from services.clients.base import Peer, RequestsOffset, RequestsPage
from services.clients.pool import ClientPool
from services.errors import RequestGone
from services.runs import RunContext
from storage.join_requests import JoinRequestRepository
from storage.models import IncomingRequest, Progress, RequestStatus, Way
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

KEY = "walk"
TIMES = frozenset({"began_at", "newest", "last_date"})


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

    def after(self, page: RequestsPage, fresh: list[IncomingRequest], new: int, asked_by: datetime | None) -> "Walk":
        dates = [request.asked_at for request in fresh]
        return replace(
            self,
            seen=self.seen + len(fresh),
            new=self.new + new,
            meant=self.meant + sum(asked_by is None or date <= asked_by for date in dates),
            total=page.total if self.total is None else min(self.total, page.total),
            newest=max([*dates, *([self.newest] if self.newest else [])]),
            last_date=page.next.date if page.next else None,
            last_user_id=page.next.user_id if page.next else 0,
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
        self._clock = clock

    async def walk(
        self,
        context: RunContext,
        session_id: int,
        peer: Peer,
        counters: dict[str, int],
        asked_by: datetime | None = None,
    ) -> Walk:
        """The whole list, stored; drawn as the run's progress. `counters` of the run are left as they are.

        The walk stays in the checkpoint until the caller has drawn its conclusions and calls `forget`.
        """
        stored = context.run.checkpoint.get(KEY)
        walk = Walk.from_json(stored) if stored else Walk(self._clock())
        offset = await self._offset(session_id, walk)
        if walk.seen and offset is None:
            return walk  # the kill came after the last page
        seen: set[int] = set()
        while True:
            page = await self._page(session_id, peer, offset)
            fresh = [request for request in page.requests if request.user_id not in seen]
            if not fresh:  # the end is an empty page; a page without a new row would go on for ever
                return replace(walk, last_date=None)
            seen.update(request.user_id for request in fresh)
            walk = walk.after(page, fresh, await self._requests.store(fresh), asked_by)
            offset = page.next
            await context.checkpoint({**context.run.checkpoint, KEY: walk.to_json()})
            shown = {**counters, "new": walk.new, "known": walk.seen - walk.new}
            context.progress(Progress(done=walk.seen, total=max(page.total, walk.seen), counters=shown))
            if offset is None:
                return walk

    async def forget(self, context: RunContext, **values: Any) -> None:
        """The walk is over and used; `values` go into the checkpoint in the same write."""
        kept = {name: value for name, value in context.run.checkpoint.items() if name != KEY}
        await context.checkpoint({**kept, **values})

    async def meet(self, session_id: int, peer: Peer, user_id: int) -> int:
        """The access hash by which the session addresses somebody who waits. Raises RequestGone: is not on the list."""
        stored = await self._sessions.access_hash(session_id, user_id)
        offset: RequestsOffset | None = None
        seen: set[int] = set()
        while stored is None:
            page = await self._page(session_id, peer, offset)
            stored = page.access_hashes.get(user_id)
            offset = page.next
            is_last = offset is None or seen.issuperset(page.access_hashes)
            if stored is None and is_last:
                raise RequestGone
            seen.update(page.access_hashes)
        return stored

    async def _page(self, session_id: int, peer: Peer, offset: RequestsOffset | None) -> RequestsPage:
        async with self._pool.gate(session_id) as client:
            page = await client.join_requests(peer, offset)
        # Kept, so that deciding resolves nobody.
        await self._sessions.put_peers(session_id, page.access_hashes)
        return page

    async def _offset(self, session_id: int, walk: Walk) -> RequestsOffset | None:
        """The access hash is the session's secret: it lies sealed with the others, not in the checkpoint."""
        if walk.last_date is None:
            return None
        access_hash = await self._sessions.access_hash(session_id, walk.last_user_id)
        return RequestsOffset(walk.last_date, walk.last_user_id, access_hash or 0)


async def settle_gone(requests: JoinRequestRepository, context: RunContext, walk: Walk) -> int:
    """Who waited here before the walk and is not on Telegram's list: handled or withdrawn, we cannot tell which.

    Who arrived during the walk was seen later than it began and stays.
    """
    if not walk.is_complete:
        log.warning("the list is not complete: %d of %s", walk.seen, walk.total, extra={"run_id": context.run.id})
        return 0
    return await requests.settle_missing(
        context.run.subject_id, walk.began_at, RequestStatus.HANDLED_ELSEWHERE, Way.ELSEWHERE
    )
