"""What Porter forgets: of everybody who was refused, after a number of days; of one person, at once.

Once a day, and a minute after each start. Storage deletes in short transactions, so that nobody waits for it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from services import audit
from storage.models import AuditVerb, Traces
from storage.people import PeopleRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

FIRST_SECONDS = 60.0
DAY_SECONDS = 86_400.0

Sweeper = Callable[[datetime], Awaitable[int]]
"""Deletes what is older than that moment; answers how much."""
Tidier = Callable[[], Awaitable[int]]
"""Deletes what is over by its own clock; answers how much."""
Sleep = Callable[[float], Awaitable[None]]


class Retention:
    """`days`: how long personal data stay after a decision; 0: for good. `tidiers` work in any case: what they delete
    (unfinished logins, unanswered questions) is of no more use to anybody. Both by name, for the log."""

    def __init__(
        self,
        days: int,
        sweepers: Mapping[str, Sweeper],
        tidiers: Mapping[str, Tidier],
        *,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._days = days
        self._sweepers = sweepers
        self._tidiers = tidiers
        self._clock = clock
        self._sleep = sleep
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep_sweeping())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def sweep(self) -> dict[str, int]:
        """How much of each went. One that fails holds up no other."""
        work: dict[str, Tidier] = dict(self._tidiers)
        if self._days:
            before = self._clock() - timedelta(days=self._days)
            work |= {name: partial(sweep, before) for name, sweep in self._sweepers.items()}
        swept = {}
        for name, go in work.items():
            try:
                swept[name] = await go()
            except Exception:
                log.exception("not swept: %s; tried again tomorrow", name)
        counts = ", ".join(f"{count} {name}" for name, count in swept.items() if count)
        log.log(logging.INFO if counts else logging.DEBUG, "swept what is old: %s", counts or "nothing")
        return swept

    async def _keep_sweeping(self) -> None:
        await self._sleep(FIRST_SECONDS)
        while True:
            await self.sweep()
            await self._sleep(DAY_SECONDS)


class Forgetting:
    """One person, at once: an owner's act. Telegram is asked nothing."""

    def __init__(self, people: PeopleRepository) -> None:
        self._people = people

    async def traces(self, user_id: int) -> Traces:
        return await self._people.traces(user_id)

    async def forget(self, user_id: int) -> Traces:
        """What was there. The audit tells that somebody was forgotten, and not who."""
        async with audit.act(AuditVerb.FORGET):
            traces = await self._people.forget(user_id)
        log.info("a person was forgotten: %d requests, %d access hashes", traces.requests, traces.peers)
        return traces
