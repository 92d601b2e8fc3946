"""Join requests: taken as they arrive, loaded by a session, decided one by one or all at once.

What Telegram says is the truth; a row tells what we know of it. A decision goes to Telegram first and is stored then,
by compare-and-set. Killed in between, the row waits still, and the next attempt hears that it was handled.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from services import audit
from services.access import Rights
from services.audit import AuditService
from services.bulk_requests import BulkRequests
from services.channels import ChannelService
from services.clients.pool import ClientPool
from services.errors import (
    AlreadyMember,
    ChannelUnavailable,
    DecisionMade,
    FloodWait,
    NotAllowed,
    NotFound,
    PorterError,
    RequestGone,
    RightMissing,
    Unreachable,
)
from services.gate import BotGate
from services.notifier import Notifier
from services.request_walks import RequestLister
from services.runs import Priority, RunContext, Runner
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import (
    AuditOutcome,
    AuditVerb,
    Channel,
    ChannelKind,
    IncomingRequest,
    JoinRequest,
    PendingCount,
    RequestStatus,
    Run,
    RunKind,
    Way,
)
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

PAGE = 8


class JoinRequestService:
    """`work_load` and `work_decide_all` are registered for their kinds of run; a run's subject is the channel.

    Deciding and loading ask for the right of whoever asks, by id; None: Porter itself. Looking is not limited here:
    handlers look through services/desks.py.
    """

    def __init__(
        self,
        requests: JoinRequestRepository,
        channel_rows: ChannelRepository,
        sessions: SessionRepository,
        channels: ChannelService,
        pool: ClientPool,
        gate: BotGate,
        runner: Runner,
        notifier: Notifier,
        rights: Rights,
        audits: AuditService,
        *,
        clock: Clock = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._requests = requests
        self._channel_rows = channel_rows
        self._channels = channels
        self._pool = pool
        self._gate = gate
        self._runner = runner
        self._notifier = notifier
        self._rights = rights
        self._audits = audits
        self._clock = clock
        self._lister = RequestLister(requests, sessions, pool, clock)
        self._bulk = BulkRequests(
            requests, channels, pool, self._lister, self._decide_of_many, self._check_run, clock=clock, sleep=sleep
        )
        self._deciding: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    # -- arriving

    async def take(self, incoming: list[IncomingRequest]) -> None:
        """What the bot was told. Stored when this returns; storing the same again changes nothing."""
        by_channel: defaultdict[int, list[IncomingRequest]] = defaultdict(list)
        for request in incoming:
            by_channel[request.channel_id].append(request)
        for channel_id in by_channel:
            await self._know(channel_id)
        for channel_id, requests in by_channel.items():
            new = await self._requests.store(requests)
            if new:
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

    # -- looking

    async def overview(self) -> list[PendingCount]:
        """The channels where people wait, most of them first."""
        return await self._requests.overview()

    async def channel(self, channel_id: int) -> Channel:
        """Raises NotFound."""
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        return channel

    async def count(self, channel_id: int) -> int:
        return await self._requests.count(channel_id)

    async def page(self, channel_id: int, after_id: int = 0, limit: int = PAGE) -> list[JoinRequest]:
        """Who waits behind `after_id`, ascending."""
        return await self._requests.page(channel_id, after_id, limit)

    async def page_before(self, channel_id: int, after_id: int, limit: int = PAGE) -> int:
        """The `after_id` of the page before the one that starts behind `after_id`."""
        rows = await self._requests.before(channel_id, after_id + 1, limit)
        return rows[0].id - 1 if len(rows) == limit else 0

    async def get(self, request_id: int) -> JoinRequest:
        """Raises NotFound."""
        request = await self._requests.get(request_id)
        if request is None:
            raise NotFound("join request")
        return request

    async def next_pending(self, channel_id: int, after_id: int = 0) -> JoinRequest | None:
        """Who comes behind that one; behind the last comes the first again. None: nobody waits."""
        return await self._requests.next_pending(channel_id, after_id)

    # -- deciding one

    async def decide(self, request_id: int, admin_id: int | None, approve: bool) -> JoinRequest:
        """By the bot when it may, else by a session that may. Answers the request as it stands then.

        Handled or withdrawn elsewhere is an answer too: HANDLED_ELSEWHERE. Raises DecisionMade when we have decided
        before; NotFound, NotAllowed, RightMissing, SessionRequired, StaysPending, TelegramError: it waits still.
        """
        async with self._turn(request_id):  # whoever pressed first comes first
            request = await self.get(request_id)
            channel = await self.channel(request.channel_id)
            verb = AuditVerb.APPROVE if approve else AuditVerb.DENY
            async with audit.act(verb, request.name, channel=channel.title) as detail:
                decided = await self._decide(request, admin_id, approve)
                if decided.status is RequestStatus.HANDLED_ELSEWHERE:
                    detail["elsewhere"] = 1
                return decided

    async def _decide_of_many(self, request_id: int, admin_id: int | None, approve: bool) -> JoinRequest:
        """As `decide`, without a line in the audit: the run has its own."""
        async with self._turn(request_id):
            return await self._decide(await self.get(request_id), admin_id, approve)

    def _turn(self, request_id: int) -> asyncio.Lock:
        return self._deciding.setdefault(request_id, asyncio.Lock())

    async def _decide(self, request: JoinRequest, admin_id: int | None, approve: bool) -> JoinRequest:
        await self._rights.check_decides(admin_id, request.channel_id)
        if request.status is not RequestStatus.PENDING:
            raise DecisionMade(request)
        try:
            way = await self._tell(request, approve)
        except (RequestGone, AlreadyMember):
            settled = await self._requests.settle(
                request.id, RequestStatus.HANDLED_ELSEWHERE, Way.ELSEWHERE, decided_by=None
            )
        else:
            status = RequestStatus.APPROVED if approve else RequestStatus.DENIED
            settled = await self._requests.settle(request.id, status, way, admin_id)
        if settled is None:
            raise DecisionMade(await self.get(request.id))
        return settled

    async def _tell(self, request: JoinRequest, approve: bool) -> Way:
        channel = await self.channel(request.channel_id)
        if channel.bot_may_invite is None:
            channel = await self._channels.refresh_bot_rights(channel.id)
        if channel.bot_may_invite:
            try:
                await (self._gate.approve if approve else self._gate.deny)(channel.id, request.user_id)
            except (RightMissing, ChannelUnavailable):
                log.info("the bot has lost its right", extra={"channel_id": channel.id})
                await self._channel_rows.set_bot_may_invite(channel.id, False)
            else:
                return Way.BOT
        session_id = await self._channels.session_for(channel.id, may_invite=True)
        peer = await self._pool.peer(session_id, channel.id)
        access_hash = await self._lister.meet(session_id, peer, request.user_id)
        async with self._pool.gate(session_id) as client:
            await client.decide(peer, request.user_id, access_hash, approve=approve)
        return Way.SESSION

    # -- long work

    async def load(self, channel_id: int, admin_id: int | None, session_id: int | None = None) -> Run:
        """Load who waits at Telegram; `session_id` None: by any session that may.

        Raises NotFound, NotAllowed, SessionRequired, RightMissing, AlreadyActive.
        """
        async with audit.act(AuditVerb.LOAD, await self._title(channel_id)):
            await self._rights.check_decides(admin_id, channel_id)
            if session_id is None:
                session_id = await self._channels.session_for(channel_id, may_invite=True)
            else:
                await self._channels.check_right(session_id, channel_id)
            return await self._submit(RunKind.LOAD_REQUESTS, channel_id, admin_id, {"session_id": session_id})

    async def decide_all(self, channel_id: int, admin_id: int, approve: bool) -> Run:
        """Everybody who waits now. Raises NotFound, NotAllowed, AlreadyActive."""
        async with audit.act(_all(approve), await self._title(channel_id), step="asked"):
            await self._rights.check_decides(admin_id, channel_id)
            return await self._submit(RunKind.DECIDE_ALL, channel_id, admin_id, {"approve": approve})

    async def work_load(self, context: RunContext) -> None:
        """Counters: "new", "known", "gone" (waited here, and no more at Telegram)."""
        run = context.run
        session_id = run.params["session_id"]
        peer = await self._pool.peer(session_id, run.subject_id)
        await self._bulk.load(context, session_id, peer)

    async def work_decide_all(self, context: RunContext) -> None:
        """In the name of who asked, who may have lost the right since then. Raises NotAllowed."""
        run = context.run
        if run.requested_by is None:
            await self._bulk.decide_all(context)
            return
        with self._audits.by(await self._rights.of(run.requested_by)):
            await self._decide_all_audited(context, _all(run.params["approve"]))

    async def _decide_all_audited(self, context: RunContext, verb: AuditVerb) -> None:
        """A pause, and Telegram that asks for patience, is no end: the line is written when the run goes on."""
        title = context.run.title
        try:
            await self._check_run(context.run)
            await self._bulk.decide_all(context)
        except NotAllowed:
            await audit.note(verb, title, AuditOutcome.REFUSED)
            raise
        except (FloodWait, Unreachable):
            raise
        except PorterError as error:
            await audit.note(verb, title, AuditOutcome.FAILED, error=type(error).__name__)
            raise
        await audit.note(verb, title, **context.run.progress.counters)

    async def _check_run(self, run: Run) -> None:
        """Raises NotAllowed."""
        await self._rights.check_decides(run.requested_by, run.subject_id)

    async def _title(self, channel_id: int) -> str:
        channel = await self._channel_rows.get(channel_id)
        return channel.title if channel else str(channel_id)

    async def _submit(self, kind: RunKind, channel_id: int, admin_id: int | None, params: dict[str, object]) -> Run:
        channel = await self.channel(channel_id)
        return await self._runner.submit(
            kind, channel_id, channel.title, priority=Priority.REQUESTS, requested_by=admin_id, params=params
        )


def _all(approve: bool) -> AuditVerb:
    return AuditVerb.APPROVE_ALL if approve else AuditVerb.DENY_ALL
