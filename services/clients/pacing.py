"""All waiting for Telegram is done here, and here alone: flood waits, the pace of parts, lost connections.

A short wait is slept and the request repeated; a long one is stored (it outlives our restart) and raised, so that a run
can be put aside and an admin be told a clock time. Waits are per session and method, as Telegram counts them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from services.clients.answers import PaceWait
from services.errors import FloodWait, Unreachable
from storage.flood_waits import FloodWaitRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

T = TypeVar("T")

SHORT_WAIT_SECONDS = 30
SHORT_WAITS = 10
"""So many short waits in a row are as good as a long one."""

ANSWER_SECONDS = 30.0
PAUSES_SECONDS = (1.0, 3.0, 9.0)
"""Before each repeat of a read that got no answer."""

Sleep = Callable[[float], Awaitable[None]]
OnPace = Callable[[int, float], None]
"""(session id, seconds): FLOOD_PREMIUM_WAIT came."""


async def answered(request: Awaitable[T], timeout_seconds: float) -> T:
    """The answer, or Unreachable when it takes too long: both libraries wait for ever on a server that is gone."""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await request
    except TimeoutError as error:
        raise Unreachable("no answer in time") from error


class Governor:
    """`clock` and `sleep` are the tests' to replace."""

    def __init__(
        self, flood_waits: FloodWaitRepository, *, clock: Clock = utc_now, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._flood_waits = flood_waits
        self._clock = clock
        self._sleep = sleep
        # What is known of (session, method). This process alone writes the table: each key is read from it once.
        self._until: dict[tuple[int, str], datetime | None] = {}
        self._on_pace: list[OnPace] = []

    def listen(self, on_pace: OnPace) -> None:
        """Who is told when Telegram spaces an account's parts out."""
        self._on_pace.append(on_pace)

    async def call(
        self,
        session_id: int,
        method: str,
        request: Callable[[], Awaitable[T]],
        *,
        timeout_seconds: float = ANSWER_SECONDS,
        repeat: bool = False,
        on_unreachable: Callable[[], Awaitable[None]] | None = None,
    ) -> T:
        """The answer of `request`, which is called anew for each try. `method`: Telegram's name of it.

        `repeat`: it only reads, so it may be sent again when no answer came. `on_unreachable` is told each time that
        none came. Raises FloodWait for a wait that is no short one, Unreachable, and whatever else the request raises.
        """
        waits = repeats = 0
        while True:
            await self._sit_out(session_id, method)
            try:
                return await answered(request(), timeout_seconds)
            except PaceWait as pace:
                for tell in self._on_pace:
                    tell(session_id, pace.seconds)
                await self._sleep(pace.seconds)
            except FloodWait as wait:
                waits += 1
                await self._note(session_id, method, wait)
                if self._seconds_until(wait.until) > SHORT_WAIT_SECONDS or waits > SHORT_WAITS:
                    raise
            except Unreachable as error:
                # An answer that says "not now" is no reason to open another connection, and to lose what is on its way.
                if on_unreachable is not None and not error.is_answer:
                    await on_unreachable()
                if not repeat or repeats == len(PAUSES_SECONDS):
                    raise
                await self._sleep(PAUSES_SECONDS[repeats])
                repeats += 1

    async def _sit_out(self, session_id: int, method: str) -> None:
        """Sleep through what is left of a short wait. Raises FloodWait for a long one, without asking Telegram."""
        key = session_id, method
        if key not in self._until:
            self._until[key] = await self._flood_waits.get(session_id, method)
        until = self._until[key]
        if until is None:
            return
        seconds = self._seconds_until(until)
        if seconds > SHORT_WAIT_SECONDS:
            raise FloodWait(until)
        if seconds > 0:
            await self._sleep(seconds)
        if self._until[key] == until:
            self._until[key] = None

    async def _note(self, session_id: int, method: str, wait: FloodWait) -> None:
        """Remember a wait for every caller; a long one for the next start as well."""
        seconds = self._seconds_until(wait.until)
        log.info("flood wait of %.0f s for %s", seconds, method, extra={"session_id": session_id})
        key = session_id, method
        known = self._until.get(key)
        self._until[key] = wait.until if known is None else max(known, wait.until)
        if seconds > SHORT_WAIT_SECONDS:
            await self._flood_waits.put(session_id, method, wait.until)

    def _seconds_until(self, moment: datetime) -> float:
        return (moment - self._clock()).total_seconds()
