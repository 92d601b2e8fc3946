"""Deciding everybody who waits, by a session: one call, without an outcome a person.

So: list, decide, list again. Whoever was meant and is not on the new list was decided, and the channel's own log says
who came in and by whom: so whoever asked between list and call, and came in unseen, is known by name. The moment of the
call stands in the checkpoint before it goes out, so a kill around it is told from list and log. Whom the call leaves
waiting is asked about one by one afterwards (services/requests/bulk_each.py): only that tells why.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from services.access import Rights
from services.clients.base import Joined, Peer
from services.clients.pool import ClientPool
from services.errors import AnswerNeeded, PorterError, RequestGone, RightMissing, Unreachable
from services.requests.bulk_each import closed, finished, progress_of
from services.requests.membership import CLOCKS_APART, Membership
from services.requests.walks import RequestLister
from services.runs import RunContext
from storage.bulk import BulkRepository, Settled
from storage.join_requests import JoinRequestRepository
from storage.models import NEW_SINCE_PREVIEW, IncomingRequest, JoinRequest, RequestStatus, Way
from storage.request_models import ItemOutcome
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Before each new list. How many people one call decides only Telegram knows; it is repeated while that helps."""
FEW = 50
"""So many who are left are asked about one by one instead: that tells why they stay, and sweeps nobody in."""
FRESH = timedelta(seconds=60)
"""A list is good for the call so long. Whoever answers about newcomers within it need not answer about newer ones."""
BY_LIST = "BY_LIST"
"""The reason of an outcome that the list alone tells: the log could not be read."""


class Everybody:
    def __init__(
        self,
        bulk: BulkRepository,
        requests: JoinRequestRepository,
        sessions: SessionRepository,
        lister: RequestLister,
        membership: Membership,
        pool: ClientPool,
        rights: Rights,
        *,
        clock: Clock = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bulk = bulk
        self._requests = requests
        self._sessions = sessions
        self._lister = lister
        self._membership = membership
        self._pool = pool
        self._rights = rights
        self._clock = clock
        self._sleep = sleep

    async def decide(self, context: RunContext, session_id: int, peer: Peer) -> None:
        """Until nobody who is meant waits any more, or only a few. Raises AnswerNeeded when more people wait than
        whoever asked was shown and they would be let in; NotAllowed, RightMissing, TelegramError."""
        left: int | None = None
        for pause_seconds in (0.0, *PAUSES_SECONDS):
            await self._sleep(pause_seconds)
            is_fresh = self._is_listed(context)
            is_told = _moment(context, "told_at") is not None
            if not is_fresh and not await self._list(context, session_id, peer) and is_told:
                continue  # a list that Telegram cut short tells nothing of who is not on it
            tally = await self._bulk.tally(context.run.id)
            context.progress(progress_of(tally))
            helps = left is None or tally.undecided < left
            if is_told and (tally.undecided <= FEW or not helps):
                return
            await self._include(context, is_fresh=is_fresh)
            left = (await self._bulk.tally(context.run.id)).undecided
            if not left:
                return
            await self._tell_all(context, session_id, peer)

    # -- who is there

    def _is_listed(self, context: RunContext) -> bool:
        listed_at = context.run.checkpoint.get("listed_at")
        return listed_at is not None and self._clock() - datetime.fromisoformat(listed_at) < FRESH

    async def _list(self, context: RunContext, session_id: int, peer: Peer) -> bool:
        """Whether the list is complete."""
        told_at = _moment(context, "told_at")
        if told_at is None:
            since = await self._newest_join(session_id, peer)
            values = {"log_from": None if since is None else since.isoformat()}
            await context.checkpoint({**context.run.checkpoint, **values})
        counters = progress_of(await self._bulk.tally(context.run.id)).counters
        walk = await self._lister.walk(context, session_id, peer, counters)
        if told_at is None:
            await self._lister.settle_gone(context, session_id, peer, walk)
            await self._close(context)
        elif walk.is_complete:
            await self._conclude(context, session_id, peer, told_at)
        is_unproven = told_at is not None and not walk.is_complete
        await self._lister.forget(context, listed_at=self._clock().isoformat(), unproven=is_unproven)
        return walk.is_complete

    async def _include(self, context: RunContext, *, is_fresh: bool) -> None:
        """Newcomers: who is denied with the others comes to no harm; who would be let in is asked about. An answer to a
        list that is fresh still counts for whoever came since."""
        run = context.run
        if (answered := run.checkpoint.get("include")) is not None:
            await self._bulk.include(run.id, run.subject_id, answered)
            if is_fresh:
                return
        count, newest = await self._bulk.newcomers(run.id, run.subject_id)
        if not count:
            return
        if not run.params["approve"]:
            await self._bulk.include(run.id, run.subject_id, newest)
            return
        seen = (await self._bulk.tally(run.id)).undecided
        await context.checkpoint({**run.checkpoint, "new": count, "seen": seen, "newest": newest})
        raise AnswerNeeded(NEW_SINCE_PREVIEW)

    async def _close(self, context: RunContext) -> None:
        """Who waited no more before anything was decided here."""
        run, after_id = context.run, 0
        while items := await self._bulk.undecided(run.id, after_id):
            after_id = items[-1].request.id
            gone = [item.request for item in items if item.request.status is not RequestStatus.PENDING]
            await self._bulk.settle(
                run.id, [Settled(request.id, closed(request)) for request in gone], run.requested_by
            )

    # -- the call

    async def _tell_all(self, context: RunContext, session_id: int, peer: Peer) -> None:
        run, before = context.run, context.run.checkpoint.get("told_at")
        await self._rights.check_decides(run.requested_by, run.subject_id)
        await self._lister.forget(context, told_at=self._clock().isoformat(), listed_at=None)
        try:
            await finished(self._call(session_id, peer, run.params["approve"]))
        except RequestGone:
            log.info("nobody waits any more", extra={"run_id": run.id})
        except Unreachable:
            raise  # Telegram may have done it
        except PorterError:
            await self._lister.forget(context, told_at=before)
            raise
        # Who asked while the call was under way was decided by it: the later moment counts them in.
        await self._lister.forget(context, told_at=self._clock().isoformat())

    async def _call(self, session_id: int, peer: Peer, approve: bool) -> None:
        async with self._pool.gate(session_id) as client:
            await client.decide_all(peer, approve=approve)

    # -- what it did

    async def _conclude(self, context: RunContext, session_id: int, peer: Peer, told_at: datetime) -> None:
        """Whoever was last seen before the call and is on no list since then was decided by it, or has come or gone
        by themselves meanwhile: the log tells."""
        run, approve = context.run, context.run.params["approve"]
        joins = await self._joins(context, session_id, peer, told_at)
        session = await self._sessions.get(session_id)
        ours = {user_id for user_id, joined in joins.items() if session and joined.by == session.user_id}
        unseen: set[int] = set()
        if approve:
            unseen = set(await self._strangers(context, [joins[user_id] for user_id in ours]))
            await self._bulk.include_unseen(run.id, run.subject_id, unseen)
        else:
            missing = await self._requests.missing(run.subject_id, told_at)
            await self._bulk.include_unseen(run.id, run.subject_id, missing)

        over: list[JoinRequest] = []
        waiting = after_id = 0
        while items := await self._bulk.undecided(run.id, after_id):
            after_id = items[-1].request.id
            for item in items:
                request = item.request
                is_over = request.status is not RequestStatus.PENDING or request.last_seen_at < told_at
                if is_over or request.user_id in unseen:
                    over.append(request)
                else:
                    waiting += 1
        # Where the log names nobody and most are gone, it is the log that is missing.
        is_logged = bool(ours) or len(over) <= waiting
        settled = [_outcome(request, approve, joins, ours, is_logged=is_logged) for request in over]
        await self._bulk.settle(run.id, settled, run.requested_by)

    async def _strangers(self, context: RunContext, joins: list[Joined]) -> list[int]:
        """Of those who were let in in this account's name, who is neither meant nor was decided one by one. They are
        stored, as far as the bot has not told of them."""
        run = context.run
        by_user = {joined.user_id: joined for joined in joins}
        since = min((joined.at for joined in joins), default=self._clock())
        strangers = await self._bulk.strangers(run.id, run.subject_id, list(by_user), since - CLOCKS_APART)
        await self._requests.store(
            [
                IncomingRequest(run.subject_id, user_id, joined.name, joined.username, None, joined.at)
                for user_id in strangers
                if (joined := by_user[user_id])
            ]
        )
        return strangers

    async def _joins(self, context: RunContext, session_id: int, peer: Peer, told_at: datetime) -> Mapping[int, Joined]:
        """Who came in since the list before the call, by user id. Telegram's clock is compared with itself."""
        since = _moment(context, "log_from")
        joins = await self._membership.came_in(session_id, peer, since or told_at)
        return {user_id: joined for user_id, joined in joins.items() if since is None or joined.at >= since}

    async def _newest_join(self, session_id: int, peer: Peer) -> datetime | None:
        """When somebody came in last. None: nobody has lately, or the log may not be read."""
        try:
            async with self._pool.gate(session_id) as client:
                page = await client.admin_log_joins(peer)
        except RightMissing:
            return None
        return page.joins[0].at if page.joins else None


def _outcome(
    request: JoinRequest, approve: bool, joins: Mapping[int, Joined], ours: set[int], *, is_logged: bool
) -> Settled:
    if request.status is not RequestStatus.PENDING and request.way is not Way.ELSEWHERE:
        return Settled(request.id, ItemOutcome.ELSEWHERE)  # another admin of ours was faster
    if request.user_id in joins:
        by_us = approve and request.user_id in ours
        return Settled(request.id, ItemOutcome.APPROVED if by_us else ItemOutcome.ELSEWHERE)
    if not approve:
        return Settled(request.id, ItemOutcome.DENIED)
    if is_logged:
        return Settled(request.id, ItemOutcome.WITHDRAWN)
    return Settled(request.id, ItemOutcome.APPROVED, BY_LIST)


def _moment(context: RunContext, name: str) -> datetime | None:
    value = context.run.checkpoint.get(name)
    return None if value is None else datetime.fromisoformat(value)
