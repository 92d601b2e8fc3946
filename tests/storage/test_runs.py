"""Runs, schedules, and the summary of the home screen."""

import asyncio

import pytest

from storage.database import Database
from storage.errors import AlreadyActive
from storage.files import FileRepository
from storage.join_requests import JoinRequestRepository
from storage.models import ACTIVE_RUNS, HELD_BY, Progress, Run, RunKind, RunStatus, SessionState
from storage.runs import RunRepository
from storage.schedules import ScheduleRepository
from storage.summary import SummaryRepository
from tests.storage.conftest import Clock
from tests.storage.make import CHANNEL_ID, Maker, file, message, request


@pytest.fixture
def runs(database: Database, clock: Clock) -> RunRepository:
    return RunRepository(database, clock=clock)


@pytest.fixture
def schedules(database: Database) -> ScheduleRepository:
    return ScheduleRepository(database)


async def scrape(runs: RunRepository, subject_id: int = 1, priority: int = 0) -> Run:
    return await runs.add(RunKind.SCRAPE, subject_id, "Papers", priority, 7, {"session_id": 3})


async def test_a_run_begins_queued(runs: RunRepository, clock: Clock) -> None:
    """With what it was asked for, no progress, and nobody to tell."""
    run = await scrape(runs)
    assert (run.status, run.is_active, run.params) == (RunStatus.QUEUED, True, {"session_id": 3})
    assert (run.progress, run.checkpoint, run.tell) == (Progress(), {}, ())
    assert (run.created_at, run.started_at, run.finished_at) == (clock.now, None, None)
    assert await runs.get(run.id) == run


@pytest.mark.parametrize("status", ACTIVE_RUNS)
async def test_one_active_run_a_subject(runs: RunRepository, status: RunStatus) -> None:
    """Whichever active status the first one has, a second is refused and told of it; other kinds are not."""
    first = await scrape(runs)
    await runs.set_status(first.id, status)
    with pytest.raises(AlreadyActive) as caught:
        await scrape(runs)
    assert caught.value.run_id == first.id
    await runs.add(RunKind.LOAD_REQUESTS, 1, "Harbour", 1, None, {})


async def test_of_many_at_once_one_is_added(runs: RunRepository) -> None:
    """A cron that fires while an admin taps does not double the work."""
    outcomes = await asyncio.gather(*(scrape(runs) for _ in range(10)), return_exceptions=True)
    assert sum(isinstance(outcome, Run) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyActive) for outcome in outcomes) == 9


async def test_after_its_end_a_run_may_come_again(runs: RunRepository) -> None:
    """What has ended neither blocks the next run nor comes back to life."""
    first = await scrape(runs)
    await runs.set_status(first.id, RunStatus.DONE)
    second = await scrape(runs)
    assert second.id > first.id
    assert await runs.set_status(first.id, RunStatus.RUNNING) is None
    assert await runs.set_status(first.id, RunStatus.RUNNING, only_from=(RunStatus.DONE,)) is None
    assert [run.id for run in await runs.recent(10)] == [second.id, first.id]


async def test_status_changes_are_stamped(runs: RunRepository, clock: Clock) -> None:
    """The first start and the end leave their times; reason and wait belong to the status that gave them."""
    run = await scrape(runs)
    started_at = clock.advance(seconds=1)
    await runs.set_status(run.id, RunStatus.RUNNING)
    wait_until = clock.advance(seconds=30)
    waiting = await runs.set_status(run.id, RunStatus.WAITING, reason="FloodWait", wait_until=wait_until)
    assert waiting is not None
    assert (waiting.reason, waiting.wait_until, waiting.finished_at) == ("FloodWait", wait_until, None)
    again = await runs.set_status(run.id, RunStatus.RUNNING)
    assert again is not None
    assert (again.reason, again.wait_until, again.started_at) == (None, None, started_at)
    ended = await runs.set_status(run.id, RunStatus.FAILED, reason="ChannelUnavailable")
    assert ended is not None
    assert (ended.reason, ended.finished_at, ended.is_active) == ("ChannelUnavailable", clock.now, False)


async def test_status_is_compared_before_it_is_set(runs: RunRepository) -> None:
    """A change that expects another status does nothing; of two that expect the same, one wins."""
    run = await scrape(runs)
    assert await runs.set_status(run.id, RunStatus.PAUSED, only_from=(RunStatus.RUNNING,)) is None
    queued = (RunStatus.QUEUED,)
    outcomes = await asyncio.gather(*(runs.set_status(run.id, RunStatus.RUNNING, only_from=queued) for _ in range(5)))
    assert sum(outcome is not None for outcome in outcomes) == 1
    assert await runs.set_status(77, RunStatus.RUNNING) is None


async def test_progress_is_kept(runs: RunRepository) -> None:
    """Numbers and checkpoint come back; a progress without checkpoint leaves the stored one."""
    run = await scrape(runs)
    await runs.save_progress(run.id, Progress(done=1), {"cursor": 100})
    progress = Progress(done=5, total=9, done_bytes=10, total_bytes=20, counters={"files": 2})
    await runs.save_progress(run.id, progress)
    stored = await runs.get(run.id)
    assert stored is not None
    assert (stored.progress, stored.checkpoint) == (progress, {"cursor": 100})


async def test_who_wants_to_hear_of_the_end(runs: RunRepository) -> None:
    """Each admin once, in the order of asking, none lost when they ask at once."""
    run = await scrape(runs)
    await asyncio.gather(*(runs.add_tell(run.id, admin_id) for admin_id in (7, 8, 7, 9)))
    stored = await runs.get(run.id)
    assert stored is not None
    assert sorted(stored.tell) == [7, 8, 9]
    assert await runs.add_tell(77, 7) is None


async def test_interrupted_runs_are_queued_again(runs: RunRepository) -> None:
    """After a kill only what was RUNNING changes; waits and pauses go on."""
    rows = [await scrape(runs, subject_id) for subject_id in range(1, 5)]
    statuses = (RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.RUNNING, RunStatus.DONE)
    for row, status in zip(rows, statuses, strict=True):
        await runs.set_status(row.id, status)
    back = await runs.requeue_interrupted()
    assert [(run.id, run.status) for run in back] == [(rows[0].id, RunStatus.QUEUED), (rows[2].id, RunStatus.QUEUED)]
    assert await runs.requeue_interrupted() == []
    paused = await runs.get(rows[1].id)
    assert paused is not None
    assert paused.status is RunStatus.PAUSED


async def test_active_runs_by_urgency(runs: RunRepository) -> None:
    """The lowest number first, then the oldest; the ended are left out."""
    late, urgent, early = await scrape(runs, 1, 3), await scrape(runs, 2, 0), await scrape(runs, 3, 3)
    ended = await scrape(runs, 4, 0)
    await runs.set_status(ended.id, RunStatus.CANCELLED)
    assert await runs.active() == [urgent, late, early]
    assert await runs.active_of(RunKind.SCRAPE, 2) == urgent
    assert await runs.active_of(RunKind.SCRAPE, 4) is None


async def test_a_subject_has_one_schedule(schedules: ScheduleRepository, clock: Clock) -> None:
    """Setting it again changes it under the id that it has."""
    first = await schedules.put(RunKind.SCRAPE, 1, "0 6 * * *", "UTC", clock.now)
    second = await schedules.put(RunKind.SCRAPE, 1, "0 7 * * *", "Europe/Oslo", None, enabled=False)
    assert first.id == second.id
    assert (second.cron, second.timezone, second.enabled, second.next_due_at) == (
        "0 7 * * *",
        "Europe/Oslo",
        False,
        None,
    )
    assert await schedules.get_for(RunKind.SCRAPE, 1) == second
    assert await schedules.get_for(RunKind.LOAD_REQUESTS, 1) is None


async def test_schedules_change_and_go(schedules: ScheduleRepository, clock: Clock) -> None:
    """They can be switched off, told when they are due, and deleted by their subject; disabled ones are listed."""
    kept = await schedules.put(RunKind.SCRAPE, 1, "0 6 * * *", "UTC", None)
    await schedules.put(RunKind.SCRAPE, 2, "0 6 * * *", "UTC", None)
    await schedules.set_enabled(kept.id, False)
    await schedules.set_next_due(kept.id, clock.now)
    await schedules.delete_for(RunKind.SCRAPE, 2)
    [stored] = await schedules.all()
    assert (stored.id, stored.enabled, stored.next_due_at) == (kept.id, False, clock.now)


async def test_what_is_held_is_queued_for_its_own_session(runs: RunRepository) -> None:
    """A run that waits for another session, or for a moment, stays as it is."""
    mine, other, patient = [await scrape(runs, subject_id) for subject_id in (1, 2, 3)]
    await runs.set_status(mine.id, RunStatus.WAITING, reason=HELD_BY)
    await runs.set_status(patient.id, RunStatus.WAITING, reason="FloodWait")
    assert await runs.requeue_held({4}) == []
    [queued] = await runs.requeue_held({3})
    assert (queued.id, queued.status, queued.reason) == (mine.id, RunStatus.QUEUED, None)
    assert [run.status for run in await runs.active()] == [RunStatus.QUEUED, other.status, RunStatus.WAITING]


async def test_the_home_screen_in_numbers(make: Maker, runs: RunRepository, database: Database, clock: Clock) -> None:
    """Files since the last look, and what stands now."""
    files, summary = FileRepository(database, clock=clock), SummaryRepository(database)
    session = await make.session()
    source, paused = await make.source(session), await make.source(session)
    await make.sources.set_enabled(paused.id, False)
    page = [message(number) for number in range(1, 5)]
    await make.sources.store_page(source.id, page, [file(n, n, size_bytes=10 * n) for n in range(1, 5)], cursor=4)
    wanted = await files.pending(source.id)
    await files.done(wanted[0].id, "1", b"")
    looked_at = clock.advance(hours=1)
    await files.done(wanted[1].id, "2", b"")
    await files.failed(wanted[2].id, "FileGone")
    await JoinRequestRepository(database).store([request(1), request(2)])
    run = await scrape(runs)

    home = await summary.home(looked_at)
    assert (home.since, home.files, home.files_bytes, home.files_failed) == (looked_at, 1, 20, 1)
    assert (home.sources, home.sources_paused) == (2, 1)
    assert (home.sessions, home.runs) == ((session,), (run,))
    assert [(one.channel.id, one.pending) for one in home.pending] == [(CHANNEL_ID, 2)]
    assert (await summary.home(None)).files == 2
    await make.sessions.died(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", clock.now)
    home = await summary.home(None)
    assert (home.sources, home.sources_paused, home.sources_held) == (2, 1, 1), "what is paused is not counted twice"


async def test_the_home_screen_of_a_new_porter(database: Database) -> None:
    """Nothing anywhere is zero, not an error."""
    home = await SummaryRepository(database).home(None)
    assert (home.files, home.files_bytes, home.files_failed, home.sources, home.sources_paused) == (0, 0, 0, 0, 0)
    assert (home.sessions, home.pending, home.runs) == ((), (), ())
