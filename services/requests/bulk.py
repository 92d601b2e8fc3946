"""Deciding everybody who waits at a channel.

Deciding all is one call for Telegram, without an outcome per person. So: list, decide, list again, and settle by
comparison - whoever waited here and is not on the new list was decided; whoever asked meanwhile stays. The moment of
the decision stands in the checkpoint before the call goes out, so a kill around it is told from its list.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime

from services import audit
from services.access import Rights
from services.audit import AuditService
from services.channels import ChannelService
from services.clients.base import Peer
from services.clients.pool import ClientPool
from services.errors import (
    DecisionMade,
    FloodWait,
    NotAllowed,
    PorterError,
    RequestGone,
    RightMissing,
    SessionRequired,
    StaysPending,
    TelegramRefused,
    Unreachable,
)
from services.requests.deciding import Decider
from services.requests.submitting import Submitting
from services.requests.walks import RequestLister, Walk
from services.runs import RunContext
from storage.join_requests import JoinRequestRepository
from storage.models import AuditOutcome, AuditVerb, JoinRequest, Progress, RequestStatus, Run, RunKind, Way
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Before each new list. How many people one call decides only Telegram knows; it is repeated while that helps."""
BOT_PAUSE_SECONDS = 0.05
"""The bot decides one by one, below the 30 calls a second that Telegram allows it."""
BOT_PAGE = 100


class BulkDecisions:
    """`work` is registered for DECIDE_ALL; a run's subject is the channel."""

    def __init__(
        self,
        requests: JoinRequestRepository,
        channels: ChannelService,
        pool: ClientPool,
        lister: RequestLister,
        decider: Decider,
        submitting: Submitting,
        rights: Rights,
        audits: AuditService,
        *,
        clock: Clock = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._requests = requests
        self._channels = channels
        self._pool = pool
        self._lister = lister
        self._decider = decider
        self._submitting = submitting
        self._rights = rights
        self._audits = audits
        self._clock = clock
        self._sleep = sleep

    async def decide_all(self, channel_id: int, admin_id: int, approve: bool) -> Run:
        """Everybody who waits now. Raises NotFound, NotAllowed, AlreadyActive."""
        async with audit.act(_all(approve), await self._submitting.title(channel_id), step="asked"):
            await self._rights.check_decides(admin_id, channel_id)
            return await self._submitting.submit(RunKind.DECIDE_ALL, channel_id, admin_id, {"approve": approve})

    async def work(self, context: RunContext) -> None:
        """In the name of who asked, who may have lost the right since then. Raises NotAllowed."""
        run = context.run
        if run.requested_by is None:
            await self._decide(context)
            return
        with self._audits.by(await self._rights.of(run.requested_by)):
            await self._audited(context, _all(run.params["approve"]))

    async def _audited(self, context: RunContext, verb: AuditVerb) -> None:
        """A pause, and Telegram that asks for patience, is no end: the line is written when the run goes on."""
        title = context.run.title
        try:
            await self._check(context.run)
            await self._decide(context)
        except NotAllowed:
            await audit.note(verb, title, AuditOutcome.REFUSED)
            raise
        except (FloodWait, Unreachable):
            raise
        except PorterError as error:
            await audit.note(verb, title, AuditOutcome.FAILED, error=type(error).__name__)
            raise
        await audit.note(verb, title, **context.run.progress.counters)

    async def _check(self, run: Run) -> None:
        """Raises NotAllowed."""
        await self._rights.check_decides(run.requested_by, run.subject_id)

    async def _decide(self, context: RunContext) -> None:
        """Counters: "approved" or "denied", "elsewhere", "stay". Raises RightMissing when nobody of ours may."""
        channel_id = context.run.subject_id
        try:
            session_id = await self._channels.session_for(channel_id, may_invite=True)
        except (SessionRequired, RightMissing):
            channel = await self._channels.refresh_bot_rights(channel_id)
            if not channel.bot_may_invite:
                raise
            await self._by_bot(context)
        else:
            await self._by_session(context, session_id, await self._pool.peer(session_id, channel_id))

    # -- by a session

    async def _by_session(self, context: RunContext, session_id: int, peer: Peer) -> None:
        counters = _counters(context)
        waiting_before: int | None = None
        for pause_seconds in (0.0, *PAUSES_SECONDS):
            await self._sleep(pause_seconds)
            newest = context.run.checkpoint.get("newest")
            asked_by = datetime.fromisoformat(newest) if newest else None
            walk = await self._lister.walk(context, session_id, peer, dict(counters), asked_by)
            await self._settle(context, session_id, peer, walk, counters)
            self._show(context, counters, walk.meant)
            if not walk.meant or (waiting_before is not None and walk.meant >= waiting_before):
                break
            waiting_before = walk.meant
            await self._tell_all(context, session_id, peer, walk)
        counters["stay"] = walk.meant
        self._show(context, counters, 0)

    async def _tell_all(self, context: RunContext, session_id: int, peer: Peer, walk: Walk) -> None:
        newest = context.run.checkpoint.get("newest") or (walk.newest.isoformat() if walk.newest else None)
        await self._check(context.run)
        await self._lister.forget(context, newest=newest, told_at=self._clock().isoformat())
        try:
            async with self._pool.gate(session_id) as client:
                await client.decide_all(peer, approve=context.run.params["approve"])
        except RequestGone:
            log.info("nobody waits any more", extra={"run_id": context.run.id})
        # Who asked while the call was under way was decided by it: the later moment counts them in.
        await self._lister.forget(context, told_at=self._clock().isoformat())

    async def _settle(
        self, context: RunContext, session_id: int, peer: Peer, walk: Walk, counters: Counter[str]
    ) -> None:
        told_at = context.run.checkpoint.get("told_at")
        if told_at is None:
            gone = await self._lister.settle_gone(context, session_id, peer, walk)
            counters["elsewhere"] += gone.elsewhere + gone.withdrawn
            return
        status = RequestStatus.APPROVED if context.run.params["approve"] else RequestStatus.DENIED
        if walk.is_complete:
            counters[status.lower()] += await self._requests.settle_missing(
                context.run.subject_id,
                datetime.fromisoformat(told_at),
                status,
                Way.BULK,
                context.run.requested_by,
            )

    # -- by the bot

    async def _by_bot(self, context: RunContext) -> None:
        """One by one. Decided rows wait no more, so a kill repeats nothing."""
        run, after_id = context.run, 0
        counters = _counters(context)
        waiting = await self._requests.count(run.subject_id)
        while page := await self._requests.page(run.subject_id, after_id, BOT_PAGE):
            after_id = page[-1].id
            for request in page:
                if request.first_seen_at <= run.created_at:  # who arrived since then was not meant
                    counters[await self._outcome(context, request)] += 1
                    waiting -= 1
                    self._show(context, counters, waiting)
                    await self._sleep(BOT_PAUSE_SECONDS)

    async def _outcome(self, context: RunContext, request: JoinRequest) -> str:
        run = context.run
        try:
            decided = await self._decider.decide_of_many(request.id, run.requested_by, run.params["approve"])
        except DecisionMade:
            return "elsewhere"
        except (StaysPending, TelegramRefused) as error:
            log.info("a request stays: %s", error.word, extra={"run_id": run.id, "request_id": request.id})
            return "stay"
        return "elsewhere" if decided.status is RequestStatus.HANDLED_ELSEWHERE else decided.status.lower()

    def _show(self, context: RunContext, counters: Counter[str], waiting: int) -> None:
        decided = sum(counters.values())
        shown = {name: count for name, count in counters.items() if count}
        context.progress(Progress(done=decided, total=decided + max(0, waiting), counters=shown))


def _counters(context: RunContext) -> Counter[str]:
    """What the run had decided before it was interrupted."""
    before = context.run.progress.counters
    return Counter({name: before.get(name, 0) for name in ("approved", "denied", "elsewhere")})


def _all(approve: bool) -> AuditVerb:
    return AuditVerb.APPROVE_ALL if approve else AuditVerb.DENY_ALL
