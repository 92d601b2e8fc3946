"""The watch: every session is asked once an hour whether it still works, one at a time, spread over the hour.

It finds the dead ones that nothing uses just now, and it keeps the others alive: Telegram forgets what is never used.
Who comes next follows from the stored times of the last checks, so a restart neither repeats a sweep nor bunches it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from services.channels import ChannelService
from services.clients.pool import ClientPool
from services.errors import PorterError
from services.repairs import SessionRepairs
from services.sessions import SessionService
from storage.models import Session, SessionState
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

INTERVAL = timedelta(hours=1)
LONGEST_GAP_SECONDS = 60.0
"""Between two checks; more than 60 sessions come closer together, so that each has its turn within the hour."""

Look = Callable[[int], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]


def looking(sessions: SessionService, channels: ChannelService, pool: ClientPool) -> Look:
    """One check. It also learns the channels of a session that was never asked for them: a dead one's sources may
    want to move there. A client that was opened for it alone is closed at once: sixty open ones cost memory."""

    async def look(session_id: int) -> None:
        was_open = pool.is_open(session_id)
        try:
            session = await sessions.check(session_id)
            if session.state is SessionState.ACTIVE:
                await channels.of_session(session_id)
        finally:
            if not was_open:
                await pool.rest(session_id)

    return look


class SessionWatch:
    """`look` checks one session; it raises PorterError where nothing could be learnt."""

    def __init__(
        self,
        sessions: SessionRepository,
        repairs: SessionRepairs,
        look: Look,
        *,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._sessions = sessions
        self._repairs = repairs
        self._look = look
        self._clock = clock
        self._sleep = sleep
        self._asked: dict[int, datetime] = {}  # in vain, too: one that does not answer holds up no other
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def check_next(self) -> Session | None:
        """Check the session whose last check is longest ago, due or not. None: there is none that works."""
        session = min(await self._alive(), key=self._last, default=None)
        if session is None:
            return None
        self._asked[session.id] = self._clock()
        try:
            await self._look(session.id)
        except PorterError as error:
            log.warning("a session was not checked: %s", type(error).__name__, extra={"session_id": session.id})
        return session

    async def _watch(self) -> None:
        while True:
            try:
                await self._repairs.release_alive()
                await self._sleep(await self._gap_seconds())
                if any(self._last(session) + INTERVAL <= self._clock() for session in await self._alive()):
                    await self.check_next()
            except Exception:
                log.exception("the watch stumbled; it goes on in a moment")
                await self._sleep(LONGEST_GAP_SECONDS)

    async def _gap_seconds(self) -> float:
        return min(LONGEST_GAP_SECONDS, INTERVAL.total_seconds() / max(1, len(await self._alive())))

    async def _alive(self) -> list[Session]:
        """Oldest first. A dead one is not asked again: its key never comes back, a person must sign in."""
        return [session for session in await self._sessions.all() if session.state is SessionState.ACTIVE]

    def _last(self, session: Session) -> datetime:
        checked_at = session.checked_at or session.created_at
        return max(checked_at, self._asked.get(session.id, checked_at))
