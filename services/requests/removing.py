"""Keeping somebody out: denied and banned at once; and taking back one's own last approval.

A denial cannot be taken back: the asking is gone at Telegram, and they may only ask again.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from services import audit
from services.access import Rights
from services.channels import ChannelService
from services.clients.base import GateClient, Peer
from services.clients.pool import ClientPool
from services.errors import (
    ChannelUnavailable,
    DecisionMade,
    NotFound,
    PorterError,
    RightMissing,
    SessionRequired,
    TelegramRefused,
    UndoOver,
)
from services.gate import BotGate
from services.requests.deciding import Decider
from services.requests.listing import RequestLists
from storage.models import AuditVerb, Channel, JoinRequest, RequestStatus, Way
from storage.request_decisions import RequestDecisions
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

UNDO_WITHIN = timedelta(minutes=10)
ONE_BY_ONE = (Way.BOT, Way.SESSION)

ByBot = Callable[[int, int], Awaitable[None]]
BySession = Callable[[GateClient, Peer, int, int], Awaitable[None]]


def may_be_taken_back(request: JoinRequest) -> bool:
    """For UNDO_WITHIN of the decision. Of a decision on many nothing is: it has its own moment before it begins."""
    by_hand = request.way in ONE_BY_ONE and request.decided_by is not None
    return request.status is RequestStatus.APPROVED and by_hand


@dataclass(frozen=True, slots=True)
class Banned:
    """The request as it stands then. `trouble`: they are denied, and why they could not be banned."""

    request: JoinRequest
    trouble: PorterError | None = None


class Removals:
    def __init__(
        self,
        decisions: RequestDecisions,
        lists: RequestLists,
        decider: Decider,
        sessions: SessionRepository,
        channels: ChannelService,
        pool: ClientPool,
        gate: BotGate,
        rights: Rights,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._decisions = decisions
        self._lists = lists
        self._decider = decider
        self._sessions = sessions
        self._channels = channels
        self._pool = pool
        self._gate = gate
        self._rights = rights
        self._clock = clock

    async def ban(self, request_id: int, admin_id: int) -> Banned:
        """Denied first: where nobody of ours may ban, that holds all the same. Raises what Decider.decide raises.

        Who was handled elsewhere meanwhile is left alone: somebody may have let them in on purpose.
        """
        request = await self._lists.get(request_id)
        channel = await self._lists.channel(request.channel_id)
        async with audit.act(AuditVerb.BAN, request.name, channel=channel.title) as detail:
            with audit.told_elsewhere():
                denied = await self._decider.decide(request_id, admin_id, approve=False)
            if denied.status is not RequestStatus.DENIED:
                detail["elsewhere"] = 1
                return Banned(denied)
            try:
                await self._remove(channel, request.user_id, self._gate.ban, _ban)
            except PorterError as error:
                log.info("denied, not banned: %s", type(error).__name__, extra={"request_id": request_id})
                detail["unbanned"] = 1
                return Banned(denied, error)
            return Banned(await self._decisions.banned(request_id) or denied)

    async def undoable(self, admin_id: int, channel_id: int) -> JoinRequest | None:
        """What the admin may take back there: the decision that they made last, if it let somebody in, for ten
        minutes."""
        last = await self._decisions.last_of(admin_id, channel_id, self._clock() - UNDO_WITHIN)
        return last if last is not None and may_be_taken_back(last) else None

    async def undo(self, request_id: int, admin_id: int) -> JoinRequest:
        """They are out again, may ask anew, and the row says DENIED. Raises UndoOver, DecisionMade, NotFound,
        NotAllowed, RightMissing, TelegramError; they are in still."""
        request = await self._lists.get(request_id)
        channel = await self._lists.channel(request.channel_id)
        async with audit.act(AuditVerb.UNDO, request.name, channel=channel.title):
            await self._rights.check_decides(admin_id, channel.id)
            last = await self.undoable(admin_id, channel.id)
            if last is None or last.id != request_id:
                raise UndoOver
            way = await self._remove(channel, last.user_id, self._gate.remove, _remove)
            taken_back = await self._decisions.take_back(last, way, admin_id)
            if taken_back is None:
                raise DecisionMade(await self._lists.get(request_id))
            return taken_back

    async def _remove(self, channel: Channel, user_id: int, by_bot: ByBot, by_session: BySession) -> Way:
        """By the bot when it may, else by a session. Raises what the bot met when no session can either."""
        try:
            await by_bot(channel.id, user_id)
        except (RightMissing, ChannelUnavailable, TelegramRefused) as error:
            log.info("the bot may not remove: %s", type(error).__name__, extra={"channel_id": channel.id})
            try:
                await self._by_session(channel, user_id, by_session)
            except (SessionRequired, NotFound):
                raise error from None
            return Way.SESSION
        return Way.BOT

    async def _by_session(self, channel: Channel, user_id: int, act: BySession) -> None:
        """Raises NotFound: the session has never met them."""
        session_id = await self._channels.session_for(channel.id, may_invite=True)
        peer = await self._pool.peer(session_id, channel.id)
        access_hash = await self._sessions.access_hash(session_id, user_id)
        if access_hash is None:
            raise NotFound("person")
        async with self._pool.gate(session_id) as client:
            await act(client, peer, user_id, access_hash)


async def _ban(client: GateClient, peer: Peer, user_id: int, access_hash: int) -> None:
    await client.ban(peer, user_id, access_hash)


async def _remove(client: GateClient, peer: Peer, user_id: int, access_hash: int) -> None:
    """Banned, and free again at once. Killed in between they are banned: taking it back again goes on from there."""
    await client.ban(peer, user_id, access_hash)
    await client.unban(peer, user_id, access_hash)
