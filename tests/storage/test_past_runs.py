"""What has ended: newest first, narrowed, without what nobody looks for; and many runs added at once."""

from dataclasses import replace

from storage.database import Database
from storage.models import NewRun, Progress, RunKind, RunStatus
from storage.runs import RunRepository
from storage.summary import SummaryRepository
from tests.storage.conftest import Clock
from tests.storage.make import CHANNEL_ID


async def ended(
    rows: RunRepository,
    subject_id: int,
    title: str,
    status: RunStatus = RunStatus.DONE,
    kind: RunKind = RunKind.SCRAPE,
    *,
    failed: int = 0,
    live: bool = False,
) -> int:
    run = await rows.add(kind, subject_id, title, 0, None, {"live": True} if live else {})
    if failed:
        await rows.save_progress(run.id, replace(Progress(), counters={"failed": failed}))
    await rows.set_status(run.id, status, reason="Defect" if status is RunStatus.FAILED else None)
    return run.id


async def test_past_runs_by_pages(database: Database) -> None:
    """Newest first; active ones are not past; a new post that came at once and well is left out."""
    rows = RunRepository(database)
    ids = [await ended(rows, number, f"Run {number}") for number in range(5)]
    await ended(rows, 1, "live", live=True)
    lost = await ended(rows, 1, "live", live=True, failed=1)
    stopped = await ended(rows, 1, "live", RunStatus.FAILED, live=True)
    await rows.add(RunKind.SCRAPE, 9, "active", 0, None, {})
    everything = [stopped, lost, *reversed(ids)]
    assert [run.id for run in await rows.past(3)] == everything[:3]
    assert [run.id for run in await rows.past(10, 3)] == everything[3:]
    assert [run.id for run in await rows.past(10, only_failed=True)] == [stopped, lost]


async def test_past_runs_are_narrowed(database: Database) -> None:
    """By title, and to the gates of an approver; one without channels sees nothing."""
    rows = RunRepository(database)
    gate = await ended(rows, CHANNEL_ID, "Gate", kind=RunKind.LOAD_REQUESTS)
    await ended(rows, CHANNEL_ID, "Papers")
    await ended(rows, CHANNEL_ID - 1, "Other gate", kind=RunKind.DECIDE_ALL)
    assert [run.id for run in await rows.past(9, channel_ids={CHANNEL_ID})] == [gate]
    assert await rows.past(9, channel_ids=()) == []
    assert [run.title for run in await rows.past(9, titles=["Papers"])] == ["Papers"]
    assert await rows.past(9, titles=[]) == []
    assert await rows.titles({CHANNEL_ID}) == ["Gate"]
    assert set(await rows.titles()) == {"Gate", "Papers", "Other gate"}


async def test_many_runs_are_added_but_for_the_busy(database: Database) -> None:
    """In one go; what is under way of the same kind is named, of another kind it is no obstacle."""
    rows = RunRepository(database)
    busy = await rows.add(RunKind.SCRAPE, 2, "Two", 3, None, {})
    await rows.add(RunKind.VERIFY, 3, "Three", 3, None, {})
    new = [NewRun(number, f"Run {number}", {"session_id": 7}) for number in (1, 2, 3)]
    assert await rows.add_many(RunKind.SCRAPE, new, 0, 5) == {2: busy.id}
    added = [run for run in await rows.active() if run.kind is RunKind.SCRAPE and run.id != busy.id]
    assert [(run.subject_id, run.requested_by, run.params, run.status) for run in added] == [
        (1, 5, {"session_id": 7}, RunStatus.QUEUED),
        (3, 5, {"session_id": 7}, RunStatus.QUEUED),
    ]
    assert await rows.add_many(RunKind.SCRAPE, new[1:2], 0, 5) == {2: busy.id}
    assert await rows.add_many(RunKind.SCRAPE, [], 0, 5) == {}


async def test_home_counts_what_stopped_lately(database: Database, clock: Clock) -> None:
    """Since the admin last looked."""
    rows = RunRepository(database, clock=clock)
    await ended(rows, 1, "old", RunStatus.FAILED)
    since = clock.advance(hours=1)
    await ended(rows, 1, "new", RunStatus.FAILED)
    await ended(rows, 2, "well")
    assert (await SummaryRepository(database).home(since)).runs_failed == 1
    assert (await SummaryRepository(database).home(None)).runs_failed == 2
