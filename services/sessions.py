"""Sessions that Porter holds: look at them, check them, rename them, give them up."""

import logging
from dataclasses import dataclass
from datetime import datetime

from services import audit
from services.clients.pool import ClientPool
from services.clients.proxy import Proxy
from services.clients.proxy import unpack as unpack_proxy
from services.errors import NotFound, PorterError, RestoreUnconfirmed, SessionDead, SessionInUse
from services.outages import Outage
from services.repairs import SessionRepairs
from storage.flood_waits import FloodWaitRepository
from storage.models import AuditVerb, Run, Session, SessionState, Source
from storage.runs import RunRepository
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

WORST_FIRST = (SessionState.BANNED, SessionState.SIGNED_OUT, SessionState.ACTIVE)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session in the list. `sources`: how many read through it. `paused_until`: by Telegram, if it is."""

    session: Session
    sources: int
    paused_until: datetime | None


@dataclass(frozen=True, slots=True)
class SessionCard:
    """`sources` read through it, `runs` work with it now. `proxy`: its only way to Telegram; None: directly.
    `outage`: what waits for its repair, when it is dead. `may_export`: the operator allows it.
    """

    session: Session
    sources: tuple[Source, ...] = ()
    runs: tuple[Run, ...] = ()
    paused_until: datetime | None = None
    proxy: Proxy | None = None
    outage: Outage | None = None
    may_export: bool = False


class SessionService:
    def __init__(
        self,
        sessions: SessionRepository,
        sources: SourceRepository,
        runs: RunRepository,
        flood_waits: FloodWaitRepository,
        pool: ClientPool,
        repairs: SessionRepairs,
        *,
        may_export: bool = False,
        clock: Clock = utc_now,
    ) -> None:
        self._sessions = sessions
        self._sources = sources
        self._runs = runs
        self._flood_waits = flood_waits
        self._pool = pool
        self._repairs = repairs
        self._clock = clock
        self.may_export = may_export

    async def all(self) -> list[Session]:
        """Oldest first."""
        return await self._sessions.all()

    async def listing(self) -> list[SessionRow]:
        """What needs attention first (banned, signed out, paused by Telegram), then the most used."""
        use, paused = await self._sessions.use(), await self._paused()
        rows = [SessionRow(each, use.get(each.id, 0), paused.get(each.id)) for each in await self._sessions.all()]
        return sorted(rows, key=_attention)

    async def get(self, session_id: int) -> Session:
        """Raises NotFound."""
        session = await self._sessions.get(session_id)
        if session is None:
            raise NotFound("session")
        return session

    async def card(self, session_id: int) -> SessionCard:
        """Raises NotFound."""
        session = await self.get(session_id)
        packed = await self._sessions.proxy(session_id)
        return SessionCard(
            session,
            tuple(await self._sources.of_session(session_id)),
            await self._working(session_id),
            (await self._paused()).get(session_id),
            unpack_proxy(packed) if packed is not None else None,
            None if session.state is SessionState.ACTIVE else await self._repairs.outage(session_id),
            self.may_export,
        )

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

    async def refuse_if_used(self, session_id: int) -> Session:
        """Raises NotFound, and SessionInUse with what uses it. A run that only waits for its repair is no use."""
        session = await self.get(session_id)
        sources = tuple((source.id, source.name) for source in await self._sources.of_session(session_id))
        runs = tuple((run.id, run.title) for run in await self._working(session_id))
        if sources or runs:
            raise SessionInUse(session.name, sources, runs)
        return session

    async def delete(self, session_id: int) -> bool:
        """Sign out at Telegram, as far as it answers, then forget it. Answers whether Telegram said that it is out.

        In this order a kill in between leaves a dead row, which an admin sees, and not a live key, which nobody does.
        Raises NotFound, SessionInUse, RestoreUnconfirmed.
        """
        session = await self.get(session_id)
        async with audit.act(AuditVerb.SESSION_DELETE, session.name):
            return await self._delete(session_id)

    async def _delete(self, session_id: int) -> bool:
        await self.refuse_if_used(session_id)
        signed_out = False
        try:
            async with self._pool.reading(session_id) as client:
                await client.log_out()
            signed_out = True
        except RestoreUnconfirmed:
            raise  # it shall be signed out, and may not be asked yet
        except SessionDead:
            signed_out = True
        except PorterError as error:
            log.warning("not signed out: %s", type(error).__name__, extra={"session_id": session_id})
        await self._forget(session_id)
        return signed_out

    async def forget(self, session_id: int) -> None:
        """Delete it here only: its login stays alive at Telegram. Raises NotFound, SessionInUse."""
        session = await self.get(session_id)
        async with audit.act(AuditVerb.SESSION_DELETE, session.name, only="here"):
            await self.refuse_if_used(session_id)
            await self._forget(session_id)

    async def _forget(self, session_id: int) -> None:
        await self._pool.drop(session_id)
        await self._sessions.delete(session_id)
        await self._repairs.forgotten(session_id)

    async def _working(self, session_id: int) -> tuple[Run, ...]:
        active = await self._runs.active()
        return tuple(run for run in active if run.params.get("session_id") == session_id and not run.is_held)

    async def _paused(self) -> dict[int, datetime]:
        return await self._flood_waits.longest()


def _attention(row: SessionRow) -> tuple[int, bool, int, str]:
    session = row.session
    return WORST_FIRST.index(session.state), row.paused_until is None, -row.sources, session.name.casefold()
