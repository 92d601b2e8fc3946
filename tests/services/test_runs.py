"""The runner on a real database: durable, never twice at once, and telling where it stands."""

import asyncio
import random
from datetime import timedelta

import pytest

from services.errors import (
    HEALING,
    ChannelUnavailable,
    FloodWait,
    NotFound,
    SessionDead,
    TargetGone,
    TargetUnavailable,
    Unreachable,
)
from services.runs import (
    MAX_RUNNING,
    MAX_SCRAPES,
    READY_SECONDS,
    UNREACHABLE_PAUSES_SECONDS,
    Priority,
    RunContext,
    Runner,
)
from storage.errors import AlreadyActive
from storage.models import Progress, Run, RunKind, RunStatus
from storage.runs import RunRepository
from tests.services.conftest import Store
from tests.services.desk import TICK, Desk, Ear, until


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(RunRepository(store.database))


async def submit(runner: Runner, subject: int = 1, kind: RunKind = RunKind.LOAD_REQUESTS, **params: int) -> Run:
    return await runner.submit(kind, subject, "News", priority=Priority.TAP, requested_by=5, params=params)


async def idle(_: RunContext) -> None:
    await asyncio.Event().wait()


async def at_once(_: RunContext) -> None:
    return


async def test_a_run_is_done(desk: Desk) -> None:
    """Submitted, worked, settled and told, with its progress stored."""

    async def work(context: RunContext) -> None:
        context.progress(Progress(done=3, total=3, counters={"new": 3}))

    async with desk.open(work) as runner:
        run = await desk.reached((await submit(runner)).id, RunStatus.DONE)
        assert await desk.told(1) == [RunStatus.DONE]
    assert (run.progress.done, run.progress.counters) == (3, {"new": 3})
    assert run.started_at is not None
    assert run.finished_at is not None
    assert desk.ear.settled[0].progress.done == 3


async def test_one_active_run_a_subject(desk: Desk) -> None:
    """A second one is refused with the id of the first; another subject or kind is not."""
    async with desk.open(idle) as runner:
        first = await submit(runner)
        with pytest.raises(AlreadyActive) as refused:
            await submit(runner)
        assert refused.value.run_id == first.id
        await submit(runner, subject=2)
        await submit(runner, kind=RunKind.DECIDE_ALL)


@pytest.mark.parametrize(
    ("error", "reason"), [(ChannelUnavailable(), "ChannelUnavailable"), (ZeroDivisionError(), "Defect")]
)
async def test_errors_end_a_run(desk: Desk, error: Exception, reason: str) -> None:
    """Ours are named; anything else is a defect. The next run of that subject may come."""

    async def work(_: RunContext) -> None:
        raise error

    async with desk.open(work) as runner:
        run = await desk.reached((await submit(runner)).id, RunStatus.FAILED)
        assert run.reason == reason
        await submit(runner)


async def test_a_flood_wait_is_waited_out(desk: Desk) -> None:
    """WAITING until Telegram's moment, not before; then it goes on by itself with its checkpoint."""
    seen: list[dict[str, int]] = []

    async def work(context: RunContext) -> None:
        seen.append(context.run.checkpoint)
        if len(seen) == 1:
            await context.checkpoint({"page": 7})
            raise FloodWait(desk.time.now + timedelta(hours=3))

    async with desk.open(work) as runner:
        run = await desk.reached((await submit(runner)).id, RunStatus.WAITING)
        assert run.reason == "FloodWait"
        desk.time.pass_seconds(3 * 3600 - 5)
        await asyncio.sleep(5 * TICK)
        assert len(seen) == 1
        desk.time.pass_seconds(6)
        run = await desk.reached(run.id, RunStatus.DONE)
        assert await desk.told(2) == [RunStatus.WAITING, RunStatus.DONE]
    assert seen == [{}, {"page": 7}]
    assert run.reason is None


async def test_out_of_reach_again_and_again(desk: Desk) -> None:
    """Growing pauses, then an end; a run that got on in between counts anew."""
    pauses: list[float] = []
    attempts = 0

    async def work(context: RunContext) -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 3:
            context.progress(Progress(counters={"new": 1}))
        raise Unreachable

    async with desk.open(work) as runner:
        run = await submit(runner)
        while True:
            run = await desk.reached(run.id, RunStatus.WAITING, RunStatus.FAILED)
            if run.status is RunStatus.FAILED:
                break
            assert run.wait_until is not None
            pauses.append(round((run.wait_until - desk.time.now).total_seconds()))
            tried = attempts
            desk.time.now = run.wait_until + timedelta(seconds=1)
            async with asyncio.timeout(5):
                while attempts == tried or (await runner.get(run.id)).status is RunStatus.RUNNING:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
    assert pauses == [60, 120, *UNREACHABLE_PAUSES_SECONDS]
    assert run.reason == "Unreachable"


async def test_pause_and_resume(desk: Desk) -> None:
    """Paused it does not work, resumed it goes on from its checkpoint."""
    starts: list[dict[str, int]] = []

    async def work(context: RunContext) -> None:
        starts.append(context.run.checkpoint)
        if len(starts) == 1:
            await context.checkpoint({"at": 1})
            context.progress(Progress(done=1))
            await asyncio.Event().wait()

    async with desk.open(work) as runner:
        run = await submit(runner)
        async with asyncio.timeout(5):
            while not (starts and (await runner.get(run.id)).checkpoint):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        paused = await runner.pause(run.id)
        assert paused.status is RunStatus.PAUSED
        assert (await runner.get(run.id)).progress.done == 1
        await asyncio.sleep(5 * TICK)
        assert len(starts) == 1
        await runner.resume(run.id)
        await desk.reached(run.id, RunStatus.DONE)
    assert starts == [{}, {"at": 1}]


async def test_cancel_ends_the_task_before_the_row(desk: Desk) -> None:
    """When cancel returns, nothing of the run works any more, and a successor may come."""
    working = 0

    async def work(_: RunContext) -> None:
        nonlocal working
        working += 1
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)  # what has to be cleaned up takes its time
            working -= 1

    async with desk.open(work) as runner:
        run = await submit(runner)
        await desk.reached(run.id, RunStatus.RUNNING)
        await asyncio.sleep(TICK)
        assert working == 1
        cancelled = await runner.cancel(run.id)
        assert working == 0
        assert cancelled.status is RunStatus.CANCELLED
        assert (await runner.cancel(run.id)).status is RunStatus.CANCELLED
        again = await submit(runner)
        await desk.reached(again.id, RunStatus.RUNNING)


async def test_cancelled_before_its_first_step(desk: Desk) -> None:
    """A task that is cancelled before it did anything leaves no trace: the run can be resumed and is DONE."""
    async with desk.open(at_once) as runner:
        run = await desk.rows.add(RunKind.SCRAPE, 1, "News", Priority.TAP, 5, {"session_id": 1})
        async with runner._changing:
            await runner._start(run)
            runner._tasks[run.id].cancel()
        await until(lambda: not runner._tasks)
        await runner.pause(run.id)
        await runner.resume(run.id)
        await desk.reached(run.id, RunStatus.DONE)


async def test_what_waits_is_not_hurried(desk: Desk) -> None:
    """Resuming a run that sits out a flood wait changes nothing; pausing and cancelling it work."""

    async def work(_: RunContext) -> None:
        raise FloodWait(desk.time.now + timedelta(hours=1))

    async with desk.open(work) as runner:
        run = await desk.reached((await submit(runner)).id, RunStatus.WAITING)
        assert (await runner.resume(run.id)).status is RunStatus.WAITING
        assert (await runner.pause(run.id)).status is RunStatus.PAUSED
        assert (await runner.cancel(run.id)).status is RunStatus.CANCELLED


async def test_unknown_runs(desk: Desk) -> None:
    """Each verb says NotFound."""
    async with desk.open(idle) as runner:
        for verb in (runner.get, runner.pause, runner.resume, runner.cancel):
            with pytest.raises(NotFound):
                await verb(99)
        with pytest.raises(NotFound):
            await runner.tell_when_done(99, 5)


async def test_scrapes_of_one_session_queue(desk: Desk) -> None:
    """One after the other, the most urgent first; join requests start at once beside them."""
    order: list[int] = []
    gates = {subject: asyncio.Event() for subject in range(1, 5)}

    async def work(context: RunContext) -> None:
        order.append(context.run.subject_id)
        await gates[context.run.subject_id].wait()

    async with desk.open(work) as runner:
        await runner.submit(RunKind.SCRAPE, 1, "a", priority=Priority.CRON, params={"session_id": 1})
        await until(lambda: order == [1])
        await runner.submit(RunKind.SCRAPE, 2, "b", priority=Priority.CRON, params={"session_id": 1})
        await runner.submit(RunKind.SCRAPE, 3, "c", priority=Priority.TAP, params={"session_id": 1})
        await runner.submit(RunKind.LOAD_REQUESTS, 4, "d", priority=Priority.REQUESTS, params={"session_id": 1})
        await until(lambda: order == [1, 4])
        for subject in (1, 3, 2):
            gates[subject].set()
            await asyncio.sleep(10 * TICK)
    assert order == [1, 4, 3, 2]


async def test_places_are_bounded(desk: Desk) -> None:
    """Scrapes never take all places, and all kinds together stay under the cap."""
    async with desk.open(idle) as runner:
        for subject in range(MAX_RUNNING):
            await submit(runner, subject, RunKind.SCRAPE, session_id=subject)
            await submit(runner, subject, RunKind.LOAD_REQUESTS)
        await asyncio.sleep(20 * TICK)
        running = [run for run in await desk.rows.active() if run.status is RunStatus.RUNNING]
    assert len(running) == MAX_RUNNING
    assert sum(run.kind is RunKind.SCRAPE for run in running) <= MAX_SCRAPES


async def test_progress_is_written_seldom(desk: Desk) -> None:
    """A thousand reports make a handful of writes, and the last one is stored however the run ends."""

    class Counting(RunRepository):
        saved = 0

        async def save_progress(
            self, run_id: int, progress: Progress, checkpoint: dict[str, int] | None = None
        ) -> None:
            self.saved += 1
            await super().save_progress(run_id, progress, checkpoint)

    rows = Counting(desk.rows._database)
    desk.rows = rows

    async def work(context: RunContext) -> None:
        for number in range(1000):
            context.progress(Progress(done=number + 1))
            if number % 250 == 0:
                await asyncio.sleep(2 * TICK)
        raise ChannelUnavailable

    async with desk.open(work) as runner:
        run = await desk.reached((await submit(runner)).id, RunStatus.FAILED)
    assert run.progress.done == 1000
    assert rows.saved <= 12
    assert len(desk.ear.progressed) >= 1000


async def test_stopping_requeues(desk: Desk) -> None:
    """A stop ends the task and leaves the run QUEUED; nobody is told; the next start goes on."""
    async with desk.open(idle) as runner:
        run = await submit(runner)
        await desk.reached(run.id, RunStatus.RUNNING)
    assert (await desk.reached(run.id, RunStatus.QUEUED)).checkpoint == {}
    assert desk.ear.settled == []
    async with desk.open(at_once):
        await desk.reached(run.id, RunStatus.DONE)


async def test_a_dead_process_is_taken_over(desk: Desk) -> None:
    """A row that a killed process left RUNNING runs again at the next start, with its checkpoint."""
    run = await desk.rows.add(RunKind.SCRAPE, 1, "News", Priority.TAP, 5, {"session_id": 1})
    await desk.rows.set_status(run.id, RunStatus.RUNNING)
    await desk.rows.save_progress(run.id, Progress(done=4), {"at": 4})
    seen: list[dict[str, int]] = []

    async def work(context: RunContext) -> None:
        seen.append(context.run.checkpoint)

    async with desk.open(work):
        await desk.reached(run.id, RunStatus.DONE)
    assert seen == [{"at": 4}]


async def test_never_lost_and_never_twice_at_once(desk: Desk) -> None:
    """Twenty restarts with pauses, resumes and cancels at random: no subject is ever worked on twice at a time, and in
    the end every run that was not cancelled is DONE."""
    dice = random.Random(4711)
    working: set[int] = set()
    pages: dict[int, int] = {}

    async def work(context: RunContext) -> None:
        run = context.run
        assert run.subject_id not in working, "twice at once"
        working.add(run.subject_id)
        try:
            for page in range(context.run.checkpoint.get("page", 0), 12):
                await asyncio.sleep(dice.random() * 0.004)
                await context.checkpoint({"page": page + 1})
                pages[run.id] = pages.get(run.id, 0) + 1
        finally:
            try:
                await asyncio.sleep(dice.random() * 0.002)
            finally:
                working.discard(run.subject_id)

    ids: list[int] = []
    for life in range(20):
        async with desk.open(work) as runner:
            if life < 4:
                ids += [(await submit(runner, subject=10 * life + n)).id for n in range(3)]
            for _ in range(6):
                await asyncio.sleep(dice.random() * 0.01)
                victim = dice.choice(ids)
                verb = dice.choice([runner.pause, runner.resume, runner.resume])
                await verb(victim)
    async with desk.open(work) as runner:
        for run_id in ids:
            await runner.resume(run_id)
        runs = [await desk.reached(run_id, RunStatus.DONE, RunStatus.FAILED) for run_id in ids]
    assert {run.status for run in runs} == {RunStatus.DONE}
    assert all(run.checkpoint == {"page": 12} for run in runs)


async def test_tell_when_done(desk: Desk) -> None:
    """Who asked stands on the row that is told at the end."""
    gate = asyncio.Event()

    async def work(_: RunContext) -> None:
        await gate.wait()

    async with desk.open(work) as runner:
        run = await submit(runner)
        await runner.tell_when_done(run.id, 7)
        gate.set()
        await desk.reached(run.id, RunStatus.DONE)
        await desk.told(1)
    assert desk.ear.settled[-1].tell == (7,)


async def test_a_deaf_notifier_ends_no_run(desk: Desk) -> None:
    """When telling fails the run is DONE all the same."""

    class Deaf(Ear):
        async def run_settled(self, run: Run) -> None:
            raise ConnectionError

    desk.ear = Deaf()
    async with desk.open(at_once) as runner:
        await desk.reached((await submit(runner)).id, RunStatus.DONE)


async def test_a_run_of_a_dead_session_is_held(desk: Desk) -> None:
    """It waits over a restart, however late it gets, and goes on with its checkpoint once the session works."""
    is_dead = True

    async def work(context: RunContext) -> None:
        if is_dead:
            await context.checkpoint({"page": 2})
            raise SessionDead("SESSION_REVOKED")

    async with desk.open(work) as runner:
        run = await desk.reached((await submit(runner, session_id=3)).id, RunStatus.WAITING)
        assert run.is_held
    desk.time.pass_seconds(1_000_000)
    async with desk.open(work) as runner:
        await asyncio.sleep(10 * TICK)
        assert (await runner.get(run.id)).is_held
        assert await runner.release({4}) == []
        is_dead = False
        assert [each.id for each in await runner.release({3})] == [run.id]
        run = await desk.reached(run.id, RunStatus.DONE)
    assert run.checkpoint == {"page": 2}


async def test_a_run_that_is_bound_to_no_session_ends(desk: Desk) -> None:
    """It chooses its session anew at each start, so it has nothing to wait for."""

    async def work(_: RunContext) -> None:
        raise SessionDead("SESSION_REVOKED")

    async with desk.open(work) as runner:
        run = await desk.reached((await submit(runner)).id, RunStatus.FAILED)
    assert run.reason == "SessionDead"


# -- disks


@pytest.mark.parametrize("error", [*HEALING, TargetUnavailable], ids=lambda kind: kind.__name__)
async def test_what_a_disk_does_to_a_run(desk: Desk, error: type[TargetUnavailable]) -> None:
    """Full, read-only or gone: it waits, for a minute at a time. What no time heals ends it."""

    async def work(_: RunContext) -> None:
        raise error("EIO")

    async with desk.open(work) as runner:
        run = await desk.reached((await submit(runner)).id, RunStatus.WAITING, RunStatus.FAILED)
    assert run.reason == error.__name__
    if error is TargetUnavailable:
        assert run.status is RunStatus.FAILED
    else:
        assert run.wait_until is not None
        assert abs(run.wait_until - desk.time.now - timedelta(seconds=READY_SECONDS)) < timedelta(seconds=1)


async def test_a_run_asks_before_it_goes_on(desk: Desk) -> None:
    """While the answer is no, or there is none, the row waits on and nobody hears of it; with a yes it works."""
    answers: list[bool | None] = [False, None, True]
    asked = 0
    works = 0

    async def work(_: RunContext) -> None:
        nonlocal works
        works += 1
        if works == 1:
            raise TargetGone("ENOENT")

    async def ready(_: Run) -> bool:
        nonlocal asked
        asked += 1
        answer = answers.pop(0)
        if answer is None:
            raise ZeroDivisionError
        return answer

    async with desk.open(work, ready) as runner:
        run = await desk.reached((await submit(runner)).id, RunStatus.WAITING)
        await asyncio.sleep(5 * TICK)
        assert asked == 0
        for _ in range(2):
            desk.time.pass_seconds(READY_SECONDS + 1)
            await waits_on(desk, run.id)
        desk.time.pass_seconds(READY_SECONDS + 1)
        await desk.reached(run.id, RunStatus.DONE)
        assert await desk.told(2) == [RunStatus.WAITING, RunStatus.DONE]
    assert (works, asked) == (2, 3)


async def waits_on(desk: Desk, run_id: int) -> None:
    """The row has got another moment to wait for."""
    async with asyncio.timeout(5):
        while True:
            run = await desk.rows.get(run_id)
            assert run is not None
            if run.wait_until is not None and run.wait_until > desk.time.now:
                return
            await asyncio.sleep(TICK)


async def test_a_disk_that_hangs_holds_nobody_else(desk: Desk) -> None:
    """No answer at all: other runs start, and this one can be stopped."""
    hanging = asyncio.Event()

    async def work(context: RunContext) -> None:
        if context.run.subject_id == 1:
            raise TargetGone("ESTALE")

    async def ready(_: Run) -> bool:
        hanging.set()
        await asyncio.Event().wait()
        return True

    async with desk.open(work, ready) as runner:
        run = await desk.reached((await submit(runner)).id, RunStatus.WAITING)
        desk.time.pass_seconds(READY_SECONDS + 1)
        await hanging.wait()
        await desk.reached((await submit(runner, subject=2)).id, RunStatus.DONE)
        assert (await runner.cancel(run.id)).status is RunStatus.CANCELLED
