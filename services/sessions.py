"""Sessions that Porter holds: look at them, check them, rename them, give them up."""

import logging
from dataclasses import dataclass

from services import audit
from services.clients.pool import ClientPool
from services.errors import NotFound, PorterError, RestoreUnconfirmed, RowInUse, SessionDead
from services.outages import Outage
from services.repairs import SessionRepairs
from storage.channels import ChannelRepository
from storage.models import AuditVerb, Session, SessionState
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionCard:
    """`used_by`: names of the sources that read through it. `outage`: what waits for its repair, when it is dead."""

    session: Session
    used_by: list[str]
    outage: Outage | None = None


class SessionService:
    def __init__(
        self,
        sessions: SessionRepository,
        channels: ChannelRepository,
        pool: ClientPool,
        repairs: SessionRepairs,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._sessions = sessions
        self._pool = pool
        self._repairs = repairs
        self._clock = clock

    async def all(self) -> list[Session]:
        return await self._sessions.all()

    async def get(self, session_id: int) -> Session:
        """Raises NotFound."""
        session = await self._sessions.get(session_id)
        if session is None:
            raise NotFound("session")
        return session

    async def card(self, session_id: int) -> SessionCard:
        """Raises NotFound."""
        session = await self.get(session_id)
        outage = None if session.state is SessionState.ACTIVE else await self._repairs.outage(session_id)
        return SessionCard(session, await self._sessions.used_by(session_id), outage)

    async def check(self, session_id: int) -> Session:
        """Ask Telegram whether it still works, and store what it says. Raises NotFound, Unreachable, FloodWait."""
        before = await self.get(session_id)
        try:
            async with self._pool.reading(session_id) as client:
                account = await client.me()
        except SessionDead as error:
            await self._repairs.died(session_id, error)
        else:
            await self._sessions.update_account(session_id, account.name, account.username)
            await self._sessions.set_state(session_id, SessionState.ACTIVE, None, self._clock())
            if before.state is not SessionState.ACTIVE:
                await self._repairs.revived(session_id)
        return await self.get(session_id)

    async def rename(self, session_id: int, name: str) -> None:
        """Raises NotFound, NameTaken."""
        session = await self.get(session_id)
        async with audit.act(AuditVerb.SESSION_RENAME, session.name, to=name):
            await self._sessions.rename(session_id, name)

    async def refuse_if_used(self, session_id: int) -> None:
        """Raises NotFound, and RowInUse with the names of what uses it."""
        card = await self.card(session_id)
        if card.used_by:
            raise RowInUse("sessions", session_id, card.used_by)

    async def delete(self, session_id: int) -> None:
        """Sign out at Telegram, as far as it answers, then forget it. Raises NotFound, RowInUse, RestoreUnconfirmed.

        In this order a kill in between leaves a dead row, which an admin sees, and not a live key, which nobody does.
        """
        session = await self.get(session_id)
        async with audit.act(AuditVerb.SESSION_DELETE, session.name):
            await self._delete(session_id)

    async def _delete(self, session_id: int) -> None:
        await self.refuse_if_used(session_id)
        try:
            async with self._pool.reading(session_id) as client:
                await client.log_out()
        except RestoreUnconfirmed:
            raise  # it shall be signed out, and may not be asked yet
        except PorterError as error:
            log.warning("not signed out: %s", type(error).__name__, extra={"session_id": session_id})
        await self._pool.drop(session_id)
        await self._sessions.delete(session_id)
        await self._repairs.forgotten(session_id)
