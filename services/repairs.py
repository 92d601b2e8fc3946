"""What happens when a session dies and when it works again. docs/decisions/0005-session-watch.md says why so.

Nothing is written to a source when its session dies: it is held because the session is not ACTIVE, and no longer when
it is. What is under way waits as a run, and is set free here.
"""

import logging

from services import audit
from services.clients.pool import ClientPool
from services.errors import NotFound, SessionDead
from services.notifier import Notifier
from services.outages import GoingOn, Moved, Outage, Refuge
from services.runs import Runner
from storage.models import AuditVerb, RunKind, Session, SessionState
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)


class SessionRepairs:
    def __init__(
        self,
        sessions: SessionRepository,
        sources: SourceRepository,
        pool: ClientPool,
        runner: Runner,
        notifier: Notifier,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._sessions = sessions
        self._sources = sources
        self._pool = pool
        self._runner = runner
        self._notifier = notifier
        self._clock = clock

    async def died(self, session_id: int, error: SessionDead) -> None:
        """Store it. Whoever finds a session dead may call this: the owners are told by the first call alone."""
        state = SessionState.BANNED if error.is_banned else SessionState.SIGNED_OUT
        if not await self._sessions.died(session_id, state, error.reason, self._clock()):
            return
        log.warning("session is dead: %s", error.reason, extra={"session_id": session_id})
        try:
            await self._notifier.session_died(await self.outage(session_id))
        except Exception:
            log.exception("a dead session was not told", extra={"session_id": session_id})

    async def outage(self, session_id: int) -> Outage:
        """What hangs on the session. Raises NotFound."""
        session = await self._session(session_id)
        sources = await self._sources.of_session(session_id)
        waiting = sum(source.enabled for source in sources)
        return Outage(session, len(sources), waiting, await self._refuge(session_id))

    async def revived(self, session_id: int) -> GoingOn:
        """It works again: what waited for it goes on where it stood.

        Its clients are closed before: they hold the key that has died.
        """
        await self._pool.drop(session_id)
        released = await self._runner.release({session_id})
        scrapes = [run for run in released if run.kind is RunKind.SCRAPE]
        sources = await self._sources.of_session(session_id)
        furthest = max(scrapes, key=lambda run: run.progress.done, default=None)
        return GoingOn(sum(source.enabled for source in sources), furthest)

    async def move(self, session_id: int, to_id: int) -> Moved:
        """All sources that the other session can read go over to it, and go on there. Raises NotFound."""
        session = await self._session(session_id)
        to = await self._session(to_id)
        stay = {source.id: source.name for source in await self._sources.of_session(session_id)}
        moved = (await self._sources.movable(session_id)).get(to_id, [])
        async with audit.act(AuditVerb.SESSION_MOVE, session.name, to=to.name, moved=len(moved)):
            await self._sources.move(moved, to_id)
        await self._runner.release({to_id})
        log.info("%d sources moved to session %d", len(moved), to_id, extra={"session_id": session_id})
        return Moved(to, len(moved), tuple(name for source_id, name in stay.items() if source_id not in moved))

    async def forgotten(self, session_id: int) -> None:
        """It is deleted: what was held for it does not wait for ever, it ends and says why."""
        await self._runner.release({session_id})

    async def release_alive(self) -> None:
        """Set free what is held though its session works: a kill, or a race, came between the two."""
        alive = {session.id for session in await self._sessions.all() if session.state is SessionState.ACTIVE}
        await self._runner.release(alive)

    async def _session(self, session_id: int) -> Session:
        session = await self._sessions.get(session_id)
        if session is None:
            raise NotFound("session")
        return session

    async def _refuge(self, session_id: int) -> Refuge | None:
        movable = await self._sources.movable(session_id)
        if not movable:
            return None
        best = max(movable, key=lambda other_id: len(movable[other_id]))  # the oldest of equals
        return Refuge(await self._session(best), tuple(movable[best]))
