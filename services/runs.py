"""The durable runner: every piece of long work is a row first, then a task.

    submit -> QUEUED -> RUNNING -> DONE | FAILED
                 ^         |-> WAITING(until) -> RUNNING     a flood wait, or Telegram is out of reach
                 |         |-> WAITING(until) -> QUEUED      a disk is full or gone, until `ready` says no more
                 |         |-> WAITING(held) -> QUEUED       its session is dead, until that is repaired
                 |         |-> PAUSED -> QUEUED              by an admin
                 |         |-> PAUSED(reason) -> QUEUED      by itself, until an admin has answered
                 '---------'-> CANCELLED                     by an admin

The row is the truth. A task runs only while its row is RUNNING, is ended before the row says anything else, and a
row that is RUNNING when a process begins belonged to one that died: `start` takes it over. So a run is never lost
and never works twice at the same time. Works must therefore bear being started again with their checkpoint.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum
from functools import partial
from typing import Any

from services import log_context
from services.errors import HEALING, AnswerNeeded, FloodWait, NotFound, PorterError, SessionDead, Unreachable
from services.notifier import Notifier
from storage.models import NewRun, Progress, Run, RunKind, RunStatus
from storage.runs import AT_GATES, Also, RunRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

MAX_RUNNING = 8
MAX_SCRAPES = 4
"""Scrapes never take all places: people who wait at a door come in between."""
MAX_LIVE = 2
"""New posts have places of their own, one an account: a scrape of six hours by the same account keeps none waiting."""
UNREACHABLE_PAUSES_SECONDS = (60, 120, 240, 480, 960)
READY_SECONDS = 60.0
"""A run that waits for a disk asks so often whether it is well again."""
HEALING_REASONS = frozenset(kind.__name__ for kind in HEALING)
SAVE_SECONDS = 1.0
"""Progress is written at most this often. What a kill takes is re-counted or shown a second older."""
POLL_SECONDS = 1.0
"""While runs wait for a moment, the clock is looked at this often: a machine that slept wakes to the right time."""
NOTICE_SECONDS = 3.0

LIVE_LANE = "LIVE"
STARTABLE = (RunStatus.QUEUED, RunStatus.WAITING)


class Priority(IntEnum):
    """Who goes first when places are short."""

    TAP = 0
    REQUESTS = 1
    LIVE = 2
    CRON = 3


class RunContext:
    """What a work is given: its row, and the way to say where it stands. Pause, cancel and stop cancel its task."""

    def __init__(self, run: Run, runs: RunRepository, notifier: Notifier) -> None:
        self.run = run
        self._runs = runs
        self._notifier = notifier
        self._stored = run
        self._storing = asyncio.Lock()

    @property
    def title(self) -> str:
        return self.run.title

    def progress(self, progress: Progress) -> None:
        """Cheap: kept in memory, stored within a second, drawn when it is time."""
        self.run = replace(self.run, progress=progress)
        self._notifier.run_progressed(self.run)

    async def checkpoint(self, values: dict[str, Any]) -> None:
        """Stored when this returns, and there at the next start. Replaces the one before."""
        self.run = replace(self.run, checkpoint=values)
        await self.save()

    async def save(self) -> None:
        """Write what is not written yet. The runner calls it once a second and at the end."""
        async with self._storing:  # an older state never overwrites a newer one
            run = self.run
            if run is not self._stored:
                await self._runs.save_progress(run.id, run.progress, run.checkpoint)
                self._stored = run


Work = Callable[[RunContext], Awaitable[None]]
Ready = Callable[[Run], Awaitable[bool]]
"""Whether what a run waits for is well again. Cheap, and asks nothing of Telegram."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    status: RunStatus
    reason: str | None = None
    wait_until: datetime | None = None


class Runner:
    """Started once. Works are registered before `start`."""

    def __init__(
        self,
        runs: RunRepository,
        notifier: Notifier,
        *,
        clock: Clock = utc_now,
        save_seconds: float = SAVE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._runs = runs
        self._notifier = notifier
        self._clock = clock
        self._save_seconds = save_seconds
        self._poll_seconds = poll_seconds
        self._works: dict[RunKind, Work] = {}
        self._ready: dict[RunKind, Ready] = {}
        self._asking: dict[int, asyncio.Task[None]] = {}  # by run: a disk that hangs holds nobody but its own run
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._lanes: dict[int, str] = {}  # of the runs in _tasks
        self._failures: dict[int, int] = {}  # run id -> times in a row that Telegram was out of reach
        self._listeners: list[Callable[[Run], None]] = []
        self._notices: set[asyncio.Task[None]] = set()
        self._changing = asyncio.Lock()  # starting and ending tasks: one at a time
        self._wake = asyncio.Event()
        self._dispatcher: asyncio.Task[None] | None = None

    def register(self, kind: RunKind, work: Work, ready: Ready | None = None) -> None:
        """`ready` None: a run that waits for its disk is tried again every minute."""
        self._works[kind] = work
        if ready is not None:
            self._ready[kind] = ready

    def on_settled(self, listener: Callable[[Run], None]) -> None:
        """Called when a run has ended or waits, and raises nothing."""
        self._listeners.append(listener)

    async def start(self) -> None:
        """Take over what a dead process left RUNNING, then work on everything that is due."""
        interrupted = await self._runs.requeue_interrupted()
        if interrupted:
            log.info("%d interrupted runs go on", len(interrupted))
        self._dispatcher = asyncio.create_task(self._dispatch())

    async def stop(self) -> None:
        """End all tasks; their rows are QUEUED again, for the next start."""
        if self._dispatcher is None:
            return
        self._dispatcher.cancel()
        for asking in self._asking.values():
            asking.cancel()
        async with self._changing:
            for run_id in list(self._tasks):
                await self._end_task(run_id)
        await asyncio.gather(self._dispatcher, return_exceptions=True)
        self._dispatcher = None
        await self._runs.requeue_interrupted()
        if self._notices:
            _, late = await asyncio.wait(self._notices, timeout=NOTICE_SECONDS)
            for notice in late:
                notice.cancel()

    # -- what admins and schedules ask for

    async def submit(
        self,
        kind: RunKind,
        subject_id: int,
        title: str,
        *,
        priority: Priority,
        requested_by: int | None = None,
        params: dict[str, Any] | None = None,
        delay_seconds: float = 0.0,
        also: Also | None = None,
    ) -> Run:
        """A new QUEUED run, durable when this returns; it starts after `delay_seconds` at the soonest. `also`: is
        written in the same transaction. Raises AlreadyActive with the id of the one under way."""
        not_before = self._clock() + timedelta(seconds=delay_seconds) if delay_seconds else None
        run = await self._runs.add(kind, subject_id, title, priority, requested_by, params or {}, not_before, also)
        self._wake.set()
        return run

    async def submit_many(
        self, kind: RunKind, new: Sequence[NewRun], *, priority: Priority, requested_by: int | None
    ) -> dict[int, int]:
        """As `submit`, in one go. Answers, by subject, the run under way where there is one."""
        busy = await self._runs.add_many(kind, new, priority, requested_by)
        self._wake.set()
        return busy

    async def claim(self, run_id: int) -> None:
        """An admin asks for what a new post has begun: its row stays when it has ended."""
        await self._runs.claim(run_id)

    async def get(self, run_id: int) -> Run:
        """Raises NotFound."""
        run = await self._runs.get(run_id)
        if run is None:
            raise NotFound("run")
        return run

    async def active_of(self, kind: RunKind, subject_id: int) -> Run | None:
        return await self._runs.active_of(kind, subject_id)

    async def active(self) -> list[Run]:
        """The most urgent first."""
        return await self._runs.active()

    async def pause(self, run_id: int) -> Run:
        """Keeps the checkpoint. A run that has ended stays as it is. Raises NotFound."""
        return await self._take_out(run_id, RunStatus.PAUSED)

    async def cancel(self, run_id: int) -> Run:
        """What is done is kept. A run that has ended stays as it is. Raises NotFound."""
        return await self._take_out(run_id, RunStatus.CANCELLED)

    async def resume(self, run_id: int) -> Run:
        """Only what is PAUSED goes on: a run that waits for Telegram is not hurried. Raises NotFound."""
        run = await self._runs.set_status(run_id, RunStatus.QUEUED, only_from=(RunStatus.PAUSED,))
        self._wake.set()
        return run or await self.get(run_id)

    async def answer(self, run_id: int, checkpoint: dict[str, Any]) -> Run:
        """What the run paused itself for is answered. One that is not PAUSED stays as it is. Raises NotFound."""
        run = await self._runs.answer(run_id, checkpoint)
        self._wake.set()
        return run or await self.get(run_id)

    async def release(self, session_ids: Collection[int]) -> list[Run]:
        """These sessions work: what was held because one of them was dead goes on where it stood. Answers those."""
        released = await self._runs.requeue_held(session_ids)
        if released:
            log.info("%d held runs go on", len(released))
            self._wake.set()
        return released

    async def tell_when_done(self, run_id: int, admin_id: int) -> Run:
        """Raises NotFound."""
        run = await self._runs.add_tell(run_id, admin_id)
        if run is None:
            raise NotFound("run")
        return run

    async def _take_out(self, run_id: int, status: RunStatus) -> Run:
        """The task ends first, then the row changes: a successor that the free row lets in meets no old task."""
        async with self._changing:
            had_task = await self._end_task(run_id)
            run = await self._runs.set_status(run_id, status)
        self._wake.set()
        if run is None:
            run = await self.get(run_id)
            if not had_task:
                return run  # over long ago, and told then
        self._failures.pop(run_id, None)
        self._notify(run)
        return run

    async def _end_task(self, run_id: int) -> bool:
        """Answers whether there was one. It has written its last progress and holds no file when this returns."""
        task = self._tasks.get(run_id)
        if task is None:
            return False
        task.cancel()
        await asyncio.wait({task})
        return True

    # -- choosing what runs

    async def _dispatch(self) -> None:
        """The only place that starts tasks."""
        while True:
            self._wake.clear()
            has_waiting = False
            try:
                has_waiting = await self._start_due()
            except Exception:
                log.exception("runs could not be started; tried again in a moment")
                has_waiting = True
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_seconds if has_waiting else None):
                    await self._wake.wait()

    async def _start_due(self) -> bool:
        """Start what may start. Answers whether a run waits for a moment."""
        async with self._changing:
            rows = await self._runs.active()  # most urgent first
            now = self._clock()
            for run in rows:
                is_due = not run.is_held and (run.wait_until is None or run.wait_until <= now)
                if run.status not in STARTABLE or not is_due:
                    continue
                if run.status is RunStatus.WAITING and run.reason in HEALING_REASONS and run.kind in self._ready:
                    self._ask(run)
                elif self._has_place(run):
                    await self._start(run)
        return any(run.wait_until is not None and not run.is_held for run in rows)

    def _has_place(self, run: Run) -> bool:
        if run.id in self._tasks or run.kind not in self._works or len(self._tasks) >= MAX_RUNNING:
            return False
        if run.kind is not RunKind.SCRAPE:
            return True
        lanes = list(self._lanes.values())
        kind, at_most = (LIVE_LANE, MAX_LIVE) if run.is_live else (RunKind.SCRAPE, MAX_SCRAPES)
        return _lane(run) not in lanes and sum(lane.startswith(kind) for lane in lanes) < at_most

    async def _start(self, run: Run) -> None:
        started = await self._runs.set_status(run.id, RunStatus.RUNNING, only_from=STARTABLE)
        if started is not None:
            self._lanes[run.id] = _lane(started)
            task = self._tasks[run.id] = asyncio.create_task(self._run(started), name=f"run-{run.id}")
            # Not a `finally` of the task: one that is cancelled before its first step runs no line of it.
            task.add_done_callback(partial(self._ended, run.id))

    def _ended(self, run_id: int, _: asyncio.Task[None]) -> None:
        del self._tasks[run_id], self._lanes[run_id]
        self._wake.set()

    def _ask(self, run: Run) -> None:
        if run.id not in self._asking:
            task = self._asking[run.id] = asyncio.create_task(self._ask_ready(run))
            task.add_done_callback(lambda _: self._asking.pop(run.id, None))

    async def _ask_ready(self, run: Run) -> None:
        """The row waits on without a word, or is QUEUED."""
        try:
            is_ready = await self._ready[run.kind](run)
        except Exception:
            log.exception("a disk could not be asked", extra={"run_id": run.id})
            is_ready = False
        row = await self._runs.get(run.id)
        if row is None or (row.reason, row.wait_until) != (run.reason, run.wait_until):
            return  # an admin was faster than a disk that hangs
        if is_ready:
            await self._runs.set_status(run.id, RunStatus.QUEUED, only_from=(RunStatus.WAITING,))
            self._wake.set()
        else:
            until = self._clock() + timedelta(seconds=READY_SECONDS)
            await self._runs.set_status(
                run.id, RunStatus.WAITING, reason=run.reason, wait_until=until, only_from=(RunStatus.WAITING,)
            )

    # -- one run

    async def _run(self, run: Run) -> None:
        with log_context.bound(**_ids(run)):
            await self._work_and_settle(run)

    async def _work_and_settle(self, run: Run) -> None:
        """A cancelled task leaves the row to whoever cancelled it."""
        began = time.monotonic()
        self._notifier.run_progressed(run)
        try:
            outcome = await self._work(run)
            settled = await self._runs.set_status(
                run.id,
                outcome.status,
                reason=outcome.reason,
                wait_until=outcome.wait_until,
                only_from=(RunStatus.RUNNING,),
            )
            if settled is not None:
                _log_outcome(settled, time.monotonic() - began)
                if _is_forgotten(settled):
                    await self._runs.delete(settled.id)
                self._notify(settled)
        except Exception:
            # The database itself fails (disk full): the row stays RUNNING, the next start takes it over.
            log.exception("a run could not be settled")

    async def _work(self, run: Run) -> _Outcome:
        context = RunContext(run, self._runs, self._notifier)
        outcome = _Outcome(RunStatus.DONE)
        try:
            async with self._saving(context):
                await self._works[run.kind](context)
        except FloodWait as error:
            outcome = _Outcome(RunStatus.WAITING, "FloodWait", error.until)
        except Unreachable:
            return self._unreachable(run, context.run)
        except HEALING as error:
            until = self._clock() + timedelta(seconds=READY_SECONDS)
            outcome = _Outcome(RunStatus.WAITING, type(error).__name__, until)
            log.warning("run waits: %s (%s)", outcome.reason, error.why)
        except AnswerNeeded as error:
            outcome = _Outcome(RunStatus.PAUSED, error.reason)
        except PorterError as error:
            # What is bound to one session waits for its repair; any other run may find another session.
            is_held = isinstance(error, SessionDead) and "session_id" in run.params
            outcome = _Outcome(RunStatus.WAITING if is_held else RunStatus.FAILED, type(error).__name__)
        except Exception:
            outcome = _Outcome(RunStatus.FAILED, "Defect")
            log.exception("run failed of a defect")
        self._failures.pop(run.id, None)
        return outcome

    def _unreachable(self, before: Run, after: Run) -> _Outcome:
        """Growing pauses, and an end to them. A run that got on in between starts counting anew."""
        failures = 0 if _has_moved(before.progress, after.progress) else self._failures.get(before.id, 0)
        if failures >= len(UNREACHABLE_PAUSES_SECONDS):
            self._failures.pop(before.id, None)
            return _Outcome(RunStatus.FAILED, "Unreachable")
        self._failures[before.id] = failures + 1
        until = self._clock() + timedelta(seconds=UNREACHABLE_PAUSES_SECONDS[failures])
        return _Outcome(RunStatus.WAITING, "Unreachable", until)

    @asynccontextmanager
    async def _saving(self, context: RunContext) -> AsyncIterator[None]:
        """Progress goes to the database while the work goes on, and once more however it ends."""
        saver = asyncio.create_task(self._save_often(context))
        try:
            yield
        finally:
            saver.cancel()
            await asyncio.gather(saver, return_exceptions=True)
            await context.save()

    async def _save_often(self, context: RunContext) -> None:
        while True:
            await asyncio.sleep(self._save_seconds)
            try:
                await context.save()
            except Exception:
                log.exception("progress was not stored")

    def _notify(self, run: Run) -> None:
        """Telegram's slowness is no reason to hold the place of a run."""
        for listener in self._listeners:
            listener(run)
        notice = asyncio.create_task(self._tell(run))
        self._notices.add(notice)
        notice.add_done_callback(self._notices.discard)

    async def _tell(self, run: Run) -> None:
        with log_context.bound(**_ids(run)):  # an admin may have ended it
            try:
                await self._notifier.run_settled(run)
            except Exception:
                log.exception("the end of a run was not told")


def _ids(run: Run) -> dict[str, int | None]:
    """What lines of the log that are written for it carry."""
    subject = "channel_id" if run.kind in AT_GATES else "source_id"
    return {"run_id": run.id, subject: run.subject_id, "session_id": run.params.get("session_id")}


def _log_outcome(run: Run, seconds: float) -> None:
    """One line a run, with what it has done so far; of a new post that came home well, for the curious alone."""
    level = logging.WARNING if run.status is RunStatus.FAILED or run.is_held else logging.INFO
    if _is_forgotten(run):
        level = logging.DEBUG
    counts = {"items": run.progress.done, "bytes": run.progress.done_bytes, **run.progress.counters}
    counted = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    log.log(
        level,
        "%s run %s after %.1f s%s",
        run.kind,
        run.status,
        seconds,
        f": {counted}" if counted else "",
        extra={"reason": run.reason},
    )


def _has_moved(before: Progress, after: Progress) -> bool:
    """Counters and bytes only grow; `done` starts anew with each phase of a work."""
    return sum(after.counters.values()) > sum(before.counters.values()) or after.done_bytes > before.done_bytes


def _is_forgotten(run: Run) -> bool:
    """A post that came home is no piece of work that anybody looks for among the past ones."""
    return run.status is RunStatus.DONE and run.is_live and not run.tell and not run.progress.counters.get("failed")


def _lane(run: Run) -> str:
    """Runs of one lane go one after the other: scrapes by the same session. Every other run has its own."""
    if run.kind is RunKind.SCRAPE:
        return f"{LIVE_LANE if run.is_live else run.kind}/{run.params.get('session_id')}"
    return f"{run.kind}/{run.subject_id}"
