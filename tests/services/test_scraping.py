"""Scraping with real Telethon on the sandbox: complete, exact, and the same after any interruption."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.scenarios import ADMIN
from storage.models import FileKind, FileState, Filters, RunKind, RunStatus
from tests.services.conftest import Jetty, Pooled, Store, open_pool, open_store
from tests.services.desk import until
from tests.services.voyage import Voyage


@pytest.fixture
def voyage(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Voyage:
    return Voyage(jetty, store, pooled, tmp_path / "downloads")


async def test_everything_comes_home(voyage: Voyage) -> None:
    """Every message is stored, every file is byte-equal under its message's number, totals and counters agree."""
    source = await voyage.add()
    run = await voyage.scrape(source)
    assert (run.status, run.reason) == (RunStatus.DONE, None)
    documents = voyage.documents()
    assert {
        int(path.split("/")[1].replace(".", " ").split()[0]): sha for path, sha in voyage.disk().items()
    } == documents
    stored = await voyage.source_rows.get(source.id)
    assert stored is not None
    assert stored.total_files == len(documents)
    assert stored.total_messages == voyage.post_count()
    assert stored.last_scraped_at is not None
    assert run.progress.counters == {
        "messages": stored.total_messages,
        "files": len(documents),
        "failed": 0,
        "skipped": 0,
    }
    assert run.progress.done_bytes == run.progress.total_bytes == stored.total_bytes
    assert run.progress.done == run.progress.total == len(documents)


async def test_again_costs_little_and_brings_the_new(voyage: Voyage) -> None:
    """A second run asks for one page and fetches nothing; a new post is all that the third brings."""
    source = await voyage.add()
    await voyage.scrape(source)
    voyage.jetty.sandbox.faults.reset()
    run = await voyage.scrape(source)
    assert run.progress.counters["messages"] == 0
    assert voyage.jetty.calls("messages.getHistory") == 1
    assert voyage.jetty.calls("upload.getFile") == 0
    world = voyage.jetty.sandbox.world
    world.post(voyage.jetty.private, ADMIN, text="new", document=world.new_document("new.pdf", "application/pdf", b"n"))
    run = await voyage.scrape(source)
    assert (run.progress.counters["messages"], run.progress.counters["files"]) == (1, 1)
    assert len(voyage.disk()) == len(voyage.documents())


async def test_filters_choose_files_not_messages(voyage: Voyage) -> None:
    """By kind or by ending; what is not wanted is counted as skipped, its message stored all the same."""
    source = await voyage.add(filters=Filters(kinds=(FileKind.PHOTO,), extensions=("zip",)))
    run = await voyage.scrape(source)
    names = sorted(Path(path).suffix for path in voyage.disk())
    assert set(names) == {".jpg", ".zip"}
    counters = run.progress.counters
    assert counters["files"] == len(names)
    assert counters["files"] + counters["skipped"] == len(voyage.documents())
    assert counters["messages"] == voyage.post_count()


async def test_a_deleted_file_stops_nothing(voyage: Voyage) -> None:
    """Gone between walk and fetch: that file FAILED with its cause, the others are DONE, and so is the run."""
    source = await voyage.add()
    messages = voyage.jetty.private.messages
    gone = next(message for message in messages.values() if message.document)
    voyage.jetty.sandbox.faults.add("upload.getFile", delay_ms=20, times=3)

    original = voyage.source_rows.store_page

    class Deleting(type(voyage.source_rows)):  # type: ignore[misc]
        async def store_page(self, *page: object) -> object:
            stored = await original(*page)  # type: ignore[arg-type]
            voyage.jetty.sandbox.world.delete(gone)
            return stored

    voyage.source_rows = Deleting(voyage.store.database)
    run = await voyage.scrape(source)
    assert run.status is RunStatus.DONE
    assert run.progress.counters["failed"] == 1
    files = {row[1]: row[2] for row in (await voyage.rows())["files"]}
    assert files.pop(gone.id) == FileState.FAILED
    assert set(files.values()) == {FileState.DONE}


async def test_stale_references_are_fetched_again(voyage: Voyage) -> None:
    """FILE_REFERENCE_EXPIRED in the middle: the message is asked for again and the same part goes on."""
    source = await voyage.add()
    voyage.jetty.sandbox.faults.add("upload.getFile", error="FILE_REFERENCE_EXPIRED", times=4)
    run = await voyage.scrape(source)
    assert run.progress.counters["failed"] == 0
    assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())


async def test_a_refused_file_is_wanted_again_on_request(voyage: Voyage) -> None:
    """What Telegram refuses is FAILED with its word; asking for the failed ones fetches just those."""
    source = await voyage.add()
    voyage.jetty.sandbox.faults.add("upload.getFile", error="CDN_METHOD_INVALID")
    run = await voyage.scrape(source)
    assert run.status is RunStatus.DONE
    assert run.progress.counters["failed"] == 1
    async with voyage.sail() as (_, service):
        again = await service.retry_failed(source.id, 5)
        again = await voyage.desk.reached(again.id, RunStatus.DONE)
    assert (again.progress.counters["files"], again.progress.counters["failed"]) == (1, 0)
    assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())


async def test_a_long_flood_wait_puts_the_run_aside(voyage: Voyage) -> None:
    """WAITING until Telegram's moment with everything kept; then it goes on and ends like any other."""
    source = await voyage.add()
    voyage.jetty.sandbox.faults.add("upload.getFile", error="FLOOD_WAIT_3600")
    async with voyage.sail() as (_, service):
        run = await service.scrape(source.id, 5)
        run = await voyage.desk.reached(run.id, RunStatus.WAITING)
        assert run.reason == "FloodWait"
        assert run.wait_until is not None
        assert run.wait_until - voyage.pooled.time.now > timedelta(minutes=50)
        voyage.pooled.time.pass_seconds(3700)
        voyage.desk.time.pass_seconds(3700)
        run = await voyage.desk.reached(run.id, RunStatus.DONE)
    assert run.progress.counters["failed"] == 0
    assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())


async def test_a_dead_session_holds_the_run(voyage: Voyage) -> None:
    """Signed out elsewhere: it waits for no moment but for the repair, and the pool's owner has heard of it."""
    source = await voyage.add()
    voyage.jetty.sandbox.world.revoke(ADMIN)
    run = await voyage.scrape(source)
    assert run.is_held
    assert run.wait_until is None
    assert [session_id for session_id, _ in voyage.pooled.deaths] == [voyage.pooled.session.id]


async def test_a_source_that_is_deleted_meanwhile(voyage: Voyage) -> None:
    """A run without its source says so."""
    source = await voyage.add()
    await voyage.source_rows.delete(source.id)
    async with voyage.sail() as (runner, _):
        run = await runner.submit(RunKind.SCRAPE, source.id, "gone", priority=1)  # type: ignore[arg-type]
        run = await voyage.desk.reached(run.id, RunStatus.FAILED)
    assert run.reason == "NotFound"


async def test_progress_is_seen_while_it_runs(voyage: Voyage) -> None:
    """First messages, then files with bytes; done never passes total, and nothing runs backwards within a phase."""
    source = await voyage.add()
    await voyage.scrape(source)
    seen = [run.progress for run in voyage.desk.ear.progressed]
    fetching = [progress for progress in seen if progress.total_bytes]
    assert len(fetching) > len(voyage.documents())
    assert all(p.done_bytes <= (p.total_bytes or 0) and p.done <= (p.total or 0) for p in fetching)
    assert [p.done_bytes for p in fetching] == sorted(p.done_bytes for p in fetching)


# -- interruptions


@pytest.fixture
async def calm(jetty: Jetty, tmp_path: Path) -> AsyncIterator[Voyage]:
    """The same channel carried home elsewhere without any disturbance."""
    async with open_store(tmp_path / "calm") as store, open_pool(jetty, store) as pooled:
        voyage = Voyage(jetty, store, pooled, tmp_path / "calm-downloads")
        await voyage.scrape(await voyage.add())
        yield voyage


@pytest.mark.timeout(240)
async def test_interrupted_anywhere_it_ends_the_same(voyage: Voyage, calm: Voyage) -> None:
    """Stopped at random moments, a new runner each time: rows, totals, names and bytes as after an undisturbed run."""
    lives = 60 if os.environ.get("PORTER_PROVE") else 20
    seed = int(os.environ.get("PORTER_SEED", random.randrange(2**32)))
    print(f"seed {seed}")
    dice = random.Random(seed)
    source = await voyage.add()
    run = None
    for _ in range(lives):
        voyage.jetty.sandbox.faults.add("upload.getFile", delay_ms=dice.randrange(1, 15), times=4)
        async with voyage.sail() as (_, service):
            run = run or await service.scrape(source.id, 5)
            await asyncio.sleep(dice.uniform(0, 0.12))
        if await voyage.active(source) is None:
            break
    voyage.jetty.sandbox.faults.clear()
    async with voyage.sail():
        assert run is not None
        run = await voyage.desk.reached(run.id, RunStatus.DONE, RunStatus.FAILED)
    assert run.status is RunStatus.DONE
    assert voyage.disk() == calm.disk()
    assert await voyage.rows() == await calm.rows()
    assert run.progress.counters["files"] == len(voyage.documents())
    assert run.progress.counters["messages"] == voyage.post_count()


async def test_pause_keeps_parts(voyage: Voyage) -> None:
    """Paused in the middle of a large file; resumed, the parts that lie on disk are not asked for again."""
    source = await voyage.add(filters=Filters(extensions=("zip", "pdf", "mp3")))
    voyage.jetty.sandbox.faults.add("upload.getFile", delay_ms=40, times=100)
    async with voyage.sail() as (runner, service):
        run = await service.scrape(source.id, 5)
        await until(lambda: any(told.progress.done_bytes > 2**20 for told in voyage.desk.ear.progressed))
        paused = await runner.pause(run.id)
        assert paused.status is RunStatus.PAUSED
        voyage.jetty.sandbox.faults.clear()
        await asyncio.sleep(0.3)
        asked = voyage.jetty.calls("upload.getFile")
        await asyncio.sleep(0.2)
        assert voyage.jetty.calls("upload.getFile") == asked
        done_before = (await voyage.desk.rows.get(run.id)).progress.done_bytes  # type: ignore[union-attr]
        assert done_before > 2**20
        voyage.jetty.sandbox.faults.reset()
        await runner.resume(run.id)
        await voyage.desk.reached(run.id, RunStatus.DONE)
    arrived = {row[1]: row[4] for row in (await voyage.rows())["files"] if row[4]}
    assert arrived.keys() <= voyage.documents().keys()
    sizes = [message.document.size for message in voyage.jetty.private.messages.values() if message.id in arrived]
    assert voyage.jetty.calls("upload.getFile") < sum(-(-size // 2**20) for size in sizes)
