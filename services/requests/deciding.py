"""Deciding on one who waits: by the bot when it may, else by a session that may."""

import asyncio
import logging
from dataclasses import dataclass
from weakref import WeakValueDictionary

from services import audit
from services.access import Rights
from services.channels import ChannelService
from services.clients.base import Peer
from services.clients.pool import ClientPool
from services.errors import (
    AlreadyMember,
    ChannelUnavailable,
    DecisionMade,
    NotFound,
    RequestGone,
    RightMissing,
    SessionRequired,
    StaysPending,
    TelegramError,
)
from services.gate import BotGate
from services.requests.greetings import Greetings
from services.requests.membership import Membership
from services.requests.walks import RequestLister
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import AuditVerb, Channel, JoinRequest, RequestStatus, Way
from storage.request_decisions import RequestDecisions

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Teller:
    """Who tells Telegram of decisions at a channel: a session, or (None) the bot."""

    session_id: int | None
    peer: Peer | None = None


class Decider:
    """Asks for the right of whoever decides, by id; None: Porter itself."""

    def __init__(
        self,
        requests: JoinRequestRepository,
        decisions: RequestDecisions,
        channel_rows: ChannelRepository,
        channels: ChannelService,
        pool: ClientPool,
        gate: BotGate,
        lister: RequestLister,
        rights: Rights,
        greetings: Greetings,
        membership: Membership,
    ) -> None:
        self._requests = requests
        self._decisions = decisions
        self._channel_rows = channel_rows
        self._channels = channels
        self._pool = pool
        self._gate = gate
        self._lister = lister
        self._rights = rights
        self._greetings = greetings
        self._membership = membership
        self._deciding: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def decide(self, request_id: int, admin_id: int | None, approve: bool) -> JoinRequest:
        """By the bot when it may, else by a session that may. Answers the request as it stands then.

        Handled or withdrawn elsewhere is an answer too: HANDLED_ELSEWHERE, WITHDRAWN. Raises DecisionMade when we have
        decided before; NotFound, NotAllowed, RightMissing, SessionRequired, StaysPending, TelegramError: it waits
        still.
        """
        async with self.turn(request_id):  # whoever pressed first comes first
            request = await self._get(request_id)
            channel = await self._channel(request.channel_id)
            verb = AuditVerb.APPROVE if approve else AuditVerb.DENY
            async with audit.act(verb, request.name, channel=channel.title) as detail:
                decided = await self._decide(request, admin_id, approve)
                if decided.way is Way.ELSEWHERE:
                    detail["elsewhere"] = 1
                return decided

    async def decide_by_rule(self, request_id: int, rule_id: int, approve: bool) -> JoinRequest:
        """As `decide`, without a line in the audit: the rules write one for many. The request says which rule."""
        async with self.turn(request_id):
            return await self._decide(await self._get(request_id), None, approve, rule_id=rule_id)

    def turn(self, request_id: int) -> asyncio.Lock:
        """Held by whoever decides on that one, from looking to storing."""
        return self._deciding.setdefault(request_id, asyncio.Lock())

    async def _tell_or_note(self, request: JoinRequest, approve: bool) -> Way:
        """As `tell`; why Telegram cannot let somebody in stays with the request."""
        try:
            return await self.tell(request, approve)
        except StaysPending as error:
            await self._decisions.refused(request.id, error.word)
            raise

    async def _decide(
        self,
        request: JoinRequest,
        admin_id: int | None,
        approve: bool,
        *,
        rule_id: int | None = None,
    ) -> JoinRequest:
        await self._rights.check_decides(admin_id, request.channel_id)
        if request.status is not RequestStatus.PENDING:
            raise DecisionMade(request)
        await self._greetings.before(request, approve)
        try:
            way = await self._tell_or_note(request, approve)
        except (RequestGone, AlreadyMember) as error:
            is_in = isinstance(error, AlreadyMember) or await self._is_in_as_far_as_known(request)
            status = RequestStatus.HANDLED_ELSEWHERE if is_in else RequestStatus.WITHDRAWN
            settled = await self._requests.settle(request.id, status, Way.ELSEWHERE, decided_by=None)
        else:
            status = RequestStatus.APPROVED if approve else RequestStatus.DENIED
            way = way if rule_id is None else Way.RULE
            settled = await self._requests.settle(request.id, status, way, admin_id, rule_id)
        if settled is None:
            raise DecisionMade(await self._get(request.id))
        return settled

    async def tell(self, request: JoinRequest, approve: bool) -> Way:
        """Telegram hears of it; nothing is stored. For who holds the turn. Raises as `decide`, and RequestGone and
        AlreadyMember."""
        return await self.tell_by(await self.teller(request.channel_id), request, approve)

    async def teller(self, channel_id: int) -> Teller:
        """The bot when it may, else a session that may.

        Raises NotFound, SessionRequired, RightMissing, TelegramError.
        """
        channel = await self._channel(channel_id)
        if channel.bot_may_invite is None:
            channel = await self._channels.refresh_bot_rights(channel.id)
        if channel.bot_may_invite:
            return Teller(None)
        session_id = await self._channels.session_for(channel_id, may_invite=True)
        return Teller(session_id, await self._pool.peer(session_id, channel_id))

    async def tell_by(self, teller: Teller, request: JoinRequest, approve: bool) -> Way:
        """As `tell`. A bot that has lost its right makes way for a session."""
        if teller.session_id is None or teller.peer is None:
            try:
                await (self._gate.approve if approve else self._gate.deny)(request.channel_id, request.user_id)
            except (RightMissing, ChannelUnavailable):
                log.info("the bot has lost its right", extra={"channel_id": request.channel_id})
                await self._channel_rows.set_bot_may_invite(request.channel_id, False)
                return await self.tell(request, approve)
            return Way.BOT
        access_hash = await self._lister.meet(teller.session_id, teller.peer, request.user_id)
        async with self._pool.gate(teller.session_id) as client:
            await client.decide(teller.peer, request.user_id, access_hash, approve=approve)
        return Way.SESSION

    async def is_member(self, request: JoinRequest) -> bool:
        """Of the channel they asked to join; as a session sees it, else the bot. Raises TelegramError."""
        try:
            session_id = await self._channels.session_for(request.channel_id, may_invite=True)
        except (SessionRequired, RightMissing, NotFound):
            return await self._gate.is_member(request.channel_id, request.user_id)
        peer = await self._pool.peer(session_id, request.channel_id)
        return await self._membership.is_in(session_id, peer, request.user_id)

    async def _is_in_as_far_as_known(self, request: JoinRequest) -> bool:
        """The decision is over in any case: that nobody can say whether they are in does not hold it up."""
        try:
            return await self.is_member(request)
        except TelegramError as error:
            log.info("membership is not known: %s", type(error).__name__, extra={"request_id": request.id})
            return True

    async def _get(self, request_id: int) -> JoinRequest:
        request = await self._requests.get(request_id)
        if request is None:
            raise NotFound("join request")
        return request

    async def _channel(self, channel_id: int) -> Channel:
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        return channel
