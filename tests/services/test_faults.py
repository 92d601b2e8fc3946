"""A scrape among Telegram's faults, each alone and mixed at random: it ends complete, or says why; calls stay bounded.

Governor and runner go by clocks of the test's own, so no wait is sat out.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.texts.runs import DISKS, REASONS
from sandbox.faults import Faults
from sandbox.scenarios import ADMIN
from services.runs import Runner
from storage.models import FileState, Run, RunStatus, Source
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.voyage import Voyage

HISTORY, POSTS, PART = "messages.getHistory", "channels.getMessages", "upload.getFile"
IN_FLIGHT = 6
"""A lost connection takes what is on its way along: parts of the window, pages asked for ahead."""
WAITS = 40
"""So often a run may be put aside before it ends, with faults that come to an end."""


@pytest.fixture
def voyage(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Voyage:
    return Voyage(jetty, store, pooled, tmp_path / "downloads")


async def sail_to_the_end(voyage: Voyage, source: Source) -> Run:
    """As an admin who waits: whenever the run waits for a moment, that moment comes."""
    async with voyage.sail() as (runner, service):
        run = await service.scrape(source.id, 5)
        for _ in range(WAITS):
            run = await settled(voyage, runner, run.id)
            if not run.is_active:
                return run
            assert run.wait_until is not None, "it waits, and nobody says until when"
            seconds = (run.wait_until - voyage.desk.time.now) / timedelta(seconds=1) + 1
            voyage.desk.time.pass_seconds(max(0.0, seconds))
            voyage.pooled.time.pass_seconds(max(0.0, seconds))
    raise AssertionError(f"it waits on and on: {run.reason}")


async def settled(voyage: Voyage, runner: Runner, run_id: int) -> Run:
    """At an end, or waiting for a moment that has not come."""
    async with asyncio.timeout(30):
        while True:
            run = await runner.get(run_id)
            is_due = run.wait_until is not None and run.wait_until <= voyage.desk.time.now
            if not run.is_active or (run.status is RunStatus.WAITING and not is_due):
                return run
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Case:
    """A fault and what may come of it. `calls`: how many more of each method it may cost than an undisturbed run."""

    name: str
    order: Callable[[Faults], None]
    calls: dict[str, int]


def fault(method: str, times: int, more: int = 0, *, pauses: int = 0, **what: Any) -> Case:
    """`more`: calls beside one for each fault. `pauses`: so often the run is put aside, and begins with a page and the
    messages of its files."""
    costs = Counter({HISTORY: pauses, POSTS: pauses}) + Counter({method: times + more})
    name = " ".join(f"{value}" for value in (method, *what.values(), f"x{times}"))
    return Case(name, lambda faults: faults.add(method, times=times, **what), costs)


HEALED = [
    fault(HISTORY, 3, error="FLOOD_WAIT_3"),
    fault(PART, 3, error="FLOOD_WAIT_2"),
    fault(POSTS, 1, error="FLOOD_WAIT_5"),
    fault(HISTORY, 1, error="FLOOD_WAIT_3600"),
    fault(PART, 2, IN_FLIGHT, pauses=2, error="FLOOD_WAIT_7200"),
    fault(PART, 6, error="FLOOD_PREMIUM_WAIT_3"),
    fault(HISTORY, 2, IN_FLIGHT, drop=True),
    fault(POSTS, 1, IN_FLIGHT, drop=True),
    fault(PART, 2, 2 * IN_FLIGHT, drop=True),
    fault(PART, 4, delay_ms=300),
    fault(HISTORY, 1, delay_ms=300),
    fault(HISTORY, 1, error="RPC_CALL_FAIL"),
    fault(PART, 3, error="RPC_CALL_FAIL"),
    fault(PART, 3, error="INTERDC_4_CALL_ERROR"),
    fault(POSTS, 1, error="RPC_MCGET_FAIL"),
    fault(PART, 2, error="TIMEOUT"),
    fault(PART, 30, IN_FLIGHT, pauses=4, error="RPC_CALL_FAIL"),  # more than one call bears: the run waits for Telegram
]


@pytest.mark.parametrize("method", [HISTORY, POSTS, PART])
async def test_faults_that_pass(voyage: Voyage, method: str) -> None:
    """Complete by hash, no file given up, and no more calls than the faults themselves cost."""
    faults = voyage.jetty.sandbox.faults
    for number, case in enumerate(case for case in HEALED if case.name.startswith(method)):
        source = await voyage.add(case.name, folder=f"case {number}")
        faults.reset()
        case.order(faults)
        run = await sail_to_the_end(voyage, source)
        assert (run.status, run.reason) == (RunStatus.DONE, None), case.name
        assert not faults.take(method), f"{case.name}: it did not come to that"
        await assert_complete(voyage, source)
        assert_bounded(voyage, case.calls, case.name)


async def test_stale_references(voyage: Voyage) -> None:
    """FILE_REFERENCE_EXPIRED: the message once more, and the same part; nothing else."""
    source = await voyage.add()
    voyage.jetty.sandbox.faults.add(PART, error="FILE_REFERENCE_EXPIRED", times=4)
    run = await sail_to_the_end(voyage, source)
    assert run.status is RunStatus.DONE
    await assert_complete(voyage, source)
    assert_bounded(voyage, {PART: 4, POSTS: 4})


async def test_a_file_at_another_data_centre(voyage: Voyage) -> None:
    """FILE_MIGRATE: the way there is found once, and the files of both places come."""
    world = voyage.jetty.sandbox.world
    dcs = {document.dc_id for channel, _, document in world.documents() if channel is voyage.jetty.private}
    assert dcs == {2, 4}
    source = await voyage.add()
    run = await sail_to_the_end(voyage, source)
    assert run.status is RunStatus.DONE
    await assert_complete(voyage, source)
    assert_bounded(voyage, {})
    assert voyage.jetty.calls("auth.exportAuthorization") == 1


async def test_deleted_between_listing_and_download(voyage: Voyage) -> None:
    """Given up with its cause; the others come, and the run is done."""
    source = await voyage.add()
    gone = next(message for message in voyage.jetty.private.messages.values() if message.document)
    original = voyage.source_rows

    class Deleting(type(original)):  # type: ignore[misc]
        async def store_page(self, *page: object) -> object:
            stored = await super().store_page(*page)
            if not gone.deleted:
                voyage.jetty.sandbox.world.delete(gone)
            return stored

    voyage.source_rows = Deleting(voyage.store.database)
    run = await sail_to_the_end(voyage, source)
    assert (run.status, run.progress.counters["failed"]) == (RunStatus.DONE, 1)
    states = Counter(row[2] for row in (await voyage.rows())["files"])
    assert states == {FileState.FAILED: 1, FileState.DONE: len(voyage.documents())}
    assert whole(voyage) == sorted(voyage.documents().values())


async def test_banned_in_the_middle(voyage: Voyage) -> None:
    """The reader loses the channel, at whichever step: the run stops and says so; let in again, the rest comes."""
    channel, faults = voyage.jetty.private, voyage.jetty.sandbox.faults
    for at in (HISTORY, POSTS, PART):
        source = await voyage.add(at, folder=at)
        faults.reset()
        async with voyage.sail() as (runner, service):
            if at == HISTORY:
                channel.banned.add(ADMIN)
            run = await service.scrape(source.id, 5)
            await voyage.jetty.until_called(at)
            channel.banned.add(ADMIN)
            # Parts come from wherever the file lies: the ban is felt when the message is asked for again.
            faults.add(PART, error="FILE_REFERENCE_EXPIRED", times=100)
            run = await settled(voyage, runner, run.id)
        assert (run.status, run.reason) == (RunStatus.FAILED, "ChannelUnavailable"), at
        channel.banned.clear()
        faults.clear()
        assert (await sail_to_the_end(voyage, source)).status is RunStatus.DONE
        await assert_complete(voyage, source)


LASTING = [
    (HISTORY, "CHANNEL_PRIVATE", "ChannelUnavailable"),
    (POSTS, "CHANNEL_PRIVATE", "ChannelUnavailable"),
    (PART, "CHANNEL_PRIVATE", "ChannelUnavailable"),
    (HISTORY, "CHANNEL_INVALID", "ChannelUnavailable"),
    (HISTORY, "A_WORD_OF_TOMORROW", "TelegramRefused"),
    (POSTS, "A_WORD_OF_TOMORROW", "TelegramRefused"),
    (HISTORY, "USER_DEACTIVATED", "SessionDead"),
]


async def test_faults_that_do_not_pass(voyage: Voyage) -> None:
    """Stopped at once, with a reason that has words, and without asking again and again."""
    for number, (method, error, reason) in enumerate(LASTING):
        source = await voyage.add(f"{method} {error}", folder=f"case {number}")
        voyage.jetty.sandbox.faults.reset()
        voyage.jetty.sandbox.faults.add(method, error=error, times=1000)
        async with voyage.sail() as (runner, service):
            run = await settled_or_held(runner, (await service.scrape(source.id, 5)).id)
        voyage.jetty.sandbox.faults.clear()
        assert run.reason == reason, (method, error)
        assert run.is_held if reason == "SessionDead" else run.status is RunStatus.FAILED, (method, error)
        assert reason in REASONS
        assert voyage.jetty.calls(method) <= IN_FLIGHT, (method, error)


async def settled_or_held(runner: Runner, run_id: int) -> Run:
    async with asyncio.timeout(20):
        while True:
            run = await runner.get(run_id)
            if not run.is_active or run.is_held:
                return run
            await asyncio.sleep(0.01)


async def test_telegram_stays_away(voyage: Voyage) -> None:
    """Out of reach for hours: growing waits, then an end that says so. What has come is kept."""
    source = await voyage.add()
    voyage.jetty.sandbox.faults.add(PART, error="RPC_CALL_FAIL", times=100_000)
    run = await sail_to_the_end(voyage, source)
    assert (run.status, run.reason) == (RunStatus.FAILED, "Unreachable")
    assert run.reason in REASONS
    # Six tries of the run, four of each call; at a time five small files and a window's worth of large ones.
    assert voyage.jetty.calls(PART) <= 6 * 4 * (5 + 4)
    voyage.jetty.sandbox.faults.clear()
    run = await sail_to_the_end(voyage, source)
    assert run.status is RunStatus.DONE
    await assert_complete(voyage, source)


MIXED = [
    (HISTORY, {"error": "FLOOD_WAIT_4"}),
    (HISTORY, {"error": "FLOOD_WAIT_900"}),
    (HISTORY, {"drop": True}),
    (POSTS, {"error": "FLOOD_WAIT_1"}),
    (POSTS, {"drop": True}),
    (PART, {"error": "FLOOD_WAIT_2"}),
    (PART, {"error": "FLOOD_WAIT_4000"}),
    (PART, {"error": "FLOOD_PREMIUM_WAIT_1"}),
    (PART, {"error": "RPC_CALL_FAIL"}),
    (PART, {"error": "TIMEOUT"}),
    (PART, {"error": "FILE_REFERENCE_EXPIRED"}),
    (PART, {"drop": True}),
    (PART, {"delay_ms": 40}),
]


@pytest.mark.parametrize("seed", range(4))
async def test_faults_at_random(voyage: Voyage, seed: int) -> None:
    """A dozen of them in any order: complete by hash, or files given up with a cause that names them all; then a
    second run, without faults, brings what was given up."""
    chance = random.Random(seed)
    source = await voyage.add()
    ordered = Counter[str]()
    for _ in range(12):
        method, what = chance.choice(MIXED)
        voyage.jetty.sandbox.faults.add(method, times=1, **what)  # type: ignore[arg-type]
        ordered[method] += 1
    run = await sail_to_the_end(voyage, source)
    assert run.status is RunStatus.DONE
    assert_bounded(voyage, {method: times * IN_FLIGHT for method, times in ordered.items()} | {POSTS: 24})
    async with voyage.store.database.read() as connection:
        causes = (await connection.exec_driver_sql("SELECT cause FROM files WHERE state = 'FAILED'")).scalars().all()
    assert len(causes) == run.progress.counters["failed"]
    assert set(causes) <= {"FileReferenceExpired"}
    voyage.jetty.sandbox.faults.clear()
    async with voyage.sail() as (runner, service):
        again = await service.retry_failed(source.id, 5)
        assert (await settled(voyage, runner, again.id)).status is RunStatus.DONE
    await assert_complete(voyage, source)


def whole(voyage: Voyage) -> list[str]:
    return sorted(sha256 for path, sha256 in voyage.disk().items() if not Path(path).name.startswith("."))


async def assert_complete(voyage: Voyage, source: Source) -> None:
    """Disk equal by hash and no scrap beside, every message once, totals that agree with the rows."""
    documents = voyage.documents()
    folder = f"{source.folder}/"
    assert sorted(sha for path, sha in voyage.disk().items() if path.startswith(folder)) == sorted(documents.values())
    tally = await voyage.file_rows.tally(source.id)
    assert (tally.done, tally.waiting, tally.failed, tally.skipped) == (len(documents), 0, 0, 0)
    rows = await voyage.rows()
    links = [row for row in rows["links"] if row[0] == source.id]
    assert len(links) == len(rows["messages"]) == voyage.post_count()
    stored = await voyage.source_rows.get(source.id)
    assert stored is not None
    assert stored.total_files == len(documents)
    assert stored.total_messages == voyage.post_count()


def assert_bounded(voyage: Voyage, more: dict[str, int], what: str = "") -> None:
    """Beside what an undisturbed run asks for: a page, the messages of its files, each part once."""
    world = voyage.jetty.sandbox.world
    sizes = [document.size for channel, _, document in world.documents() if channel is voyage.jetty.private]
    usual = {HISTORY: 1, POSTS: 1, PART: sum(-(-size // (1024 * 1024)) for size in sizes)}
    for method, calls in usual.items():
        assert voyage.jetty.calls(method) <= calls + more.get(method, 0), (method, what)


def test_every_reason_has_words() -> None:
    """Whatever a scrape may end or wait with is said in words."""
    assert {"FloodWait", "Unreachable", "ChannelUnavailable", "SessionDead", "TelegramRefused"} <= {
        *REASONS,
        "FloodWait",
    }
    assert {"TargetFull", "TargetGone", "TargetReadOnly"} <= set(DISKS)
