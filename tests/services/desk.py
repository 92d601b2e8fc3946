"""A runner at work, for tests: with its own clock, an ear for what it tells, and a way to start it anew."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.outages import Outage
from services.runs import Ready, Runner, Work
from storage.models import Run, RunKind, RunStatus
from storage.runs import RunRepository
from tests.services.conftest import FakeTime

TICK = 0.01


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.005)


@dataclass
class Ear:
    """Hears what a runner tells. Implements services.notifier.Notifier and RuleNotifier."""

    progressed: list[Run] = field(default_factory=list)
    settled: list[Run] = field(default_factory=list)
    arrived: list[tuple[int, int]] = field(default_factory=list)
    died: list[Outage] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    grew: list[str] = field(default_factory=list)

    def run_progressed(self, run: Run) -> None:
        self.progressed.append(run)

    async def run_settled(self, run: Run) -> None:
        self.settled.append(run)

    async def requests_arrived(self, channel_id: int, count: int) -> None:
        self.arrived.append((channel_id, count))

    async def rules_stopped(self, channel_id: int, title: str) -> None:
        self.stopped.append(channel_id)

    async def channel_grew(self, title: str) -> None:
        self.grew.append(title)

    async def session_died(self, outage: Outage) -> None:
        self.died.append(outage)


@dataclass
class Desk:
    """A runner with its clock and ear; `open` makes another one on the same database, as a new process would."""

    rows: RunRepository
    time: FakeTime = field(default_factory=FakeTime)
    ear: Ear = field(default_factory=Ear)

    @asynccontextmanager
    async def open(
        self, work: Work, ready: Ready | None = None, others: dict[RunKind, tuple[Work, Ready]] | None = None
    ) -> AsyncIterator[Runner]:
        """`work` is for every kind that has none in `others`."""
        runner = Runner(self.rows, self.ear, clock=self.time, save_seconds=TICK, poll_seconds=TICK)
        for kind in RunKind:
            runner.register(kind, *(others or {}).get(kind, (work, ready)))
        await runner.start()
        try:
            yield runner
        finally:
            await runner.stop()

    async def told(self, count: int) -> list[RunStatus]:
        """What the notifier has heard, once it is so much: a row says that a run has ended before anybody is told."""
        async with asyncio.timeout(5):
            while len(self.ear.settled) < count:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return [run.status for run in self.ear.settled]

    async def reached(self, run_id: int, *statuses: RunStatus) -> Run:
        async with asyncio.timeout(5):
            while (run := await self.rows.get(run_id)) is None or run.status not in statuses:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        return run
