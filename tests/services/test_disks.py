"""Runs on disks that fill up, go away and come back: they wait, say so once, and go on by themselves. And checks."""

# ruff: noqa: ASYNC240 - a test may look at its own small disk

import asyncio
import os
from pathlib import Path

import pytest

from services.errors import FolderInvalid, RootUnused, TargetGone, TemplateInvalid
from services.runs import READY_SECONDS
from storage.errors import AlreadyActive
from storage.models import Duplicates, RunKind, RunStatus, Source, TargetKind
from tests.services.conftest import Jetty, Pooled, Store, as_root
from tests.services.desk import until
from tests.services.voyage import Voyage


@pytest.fixture
async def voyage(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Voyage:
    voyage = Voyage(jetty, store, pooled, tmp_path / "downloads", {"nas": tmp_path / "disk"})
    await voyage.know(jetty.private)
    return voyage


async def on_nas(voyage: Voyage, folder: str = "archive") -> Source:
    source = await voyage.add(folder=folder)
    await (await voyage.targets()).use("nas")
    await voyage.source_rows.set_target(source.id, "nas", folder)
    return source


def bytes_of(voyage: Voyage) -> int:
    return sum(
        message.document.size for message in voyage.jetty.private.messages.values() if message.document is not None
    )


async def test_a_full_disk_waits_and_goes_on(voyage: Voyage, small_disk: Path) -> None:
    """A real file system fills up: the run waits with what is safe, asks nothing of Telegram meanwhile, says nothing
    more, and goes on when there is room. Nothing is fetched twice."""
    filler = small_disk / "filler"
    source = await on_nas(voyage)
    needed = bytes_of(voyage)
    voyage.reserve_bytes = 256 * 1024
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    filler.write_bytes(bytes(free - needed // 2 - voyage.reserve_bytes))
    async with voyage.sail() as (_, service):
        run = await service.scrape(source.id, 5)
        run = await voyage.desk.reached(run.id, RunStatus.WAITING)
        assert run.reason == "TargetFull"
        tally = await voyage.file_rows.tally(source.id)
        assert 0 < tally.done < len(voyage.documents())
        assert (run.progress.done, run.progress.total) == (tally.done, tally.done + tally.waiting)
        assert tally.failed == 0
        voyage.jetty.sandbox.faults.reset()
        settled = len(voyage.desk.ear.settled)
        for _ in range(3):
            voyage.desk.time.pass_seconds(READY_SECONDS + 1)
            now = voyage.desk.time.now
            while (row := await voyage.desk.rows.get(run.id)) is None or (row.wait_until or now) <= now:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert voyage.jetty.calls("messages.getHistory") == voyage.jetty.calls("upload.getFile") == 0
        assert len(voyage.desk.ear.settled) == settled
        filler.unlink()
        voyage.desk.time.pass_seconds(READY_SECONDS + 1)
        run = await voyage.desk.reached(run.id, RunStatus.DONE)
    assert run.progress.counters["files"] == len(voyage.documents())
    stored = await voyage.source_rows.get(source.id)
    assert stored is not None
    assert (stored.total_files, stored.total_bytes) == (len(voyage.documents()), needed)


async def test_an_unmounted_root_gets_nothing(voyage: Voyage, small_disk: Path) -> None:
    """Not one byte, not one folder on the disk below; mounted again, the run goes on by itself."""
    source = await on_nas(voyage)
    mark = (small_disk / ".porter-root").read_bytes()
    as_root("umount", small_disk)
    async with voyage.sail() as (_, service):
        run = await service.scrape(source.id, 5)
        run = await voyage.desk.reached(run.id, RunStatus.WAITING)
        assert run.reason == "TargetGone"
        assert list(small_disk.iterdir()) == []
        as_root("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", small_disk)
        (small_disk / ".porter-root").write_bytes(mark)
        voyage.desk.time.pass_seconds(READY_SECONDS + 1)
        await voyage.desk.reached(run.id, RunStatus.DONE)
    assert len(list(small_disk.rglob("archive/*"))) == len(voyage.documents())


async def test_a_disk_that_goes_away_in_the_middle(voyage: Voyage, small_disk: Path) -> None:
    """Torn out of a run: it waits, and the mount point below stays as empty as it was."""
    source = await on_nas(voyage)
    voyage.jetty.sandbox.faults.add("upload.getFile", delay_ms=40, times=200)
    async with voyage.sail() as (_, service):
        run = await service.scrape(source.id, 5)
        await until(lambda: any(small_disk.rglob("archive/*")))
        as_root("umount", "--lazy", small_disk)
        run = await voyage.desk.reached(run.id, RunStatus.WAITING)
    assert run.reason == "TargetGone"
    assert list(small_disk.iterdir()) == []


async def test_moving_leaves_what_is_there(voyage: Voyage, tmp_path: Path) -> None:
    """New files go to the other root, old ones stay and are still found by a check."""
    (tmp_path / "disk").mkdir()
    source = await voyage.add()
    await voyage.scrape(source)
    before = voyage.disk()
    async with voyage.sail() as (_, service):
        with pytest.raises(RootUnused):
            await service.move(source.id, "nas", "archive")
        with pytest.raises(TargetGone):
            await service.move(source.id, "other", "archive")
        with pytest.raises(FolderInvalid):
            await service.move(source.id, None, "../out")
        await service.use_root("nas")
        await service.move(source.id, "nas", "new")
        card = await service.get(source.id)
        assert (card.source.target, card.source.root, card.source.folder) == (TargetKind.NAS, "nas", "new")
        voyage.post(b"fresh")
        run = await service.scrape(source.id, 5)
        await voyage.desk.reached(run.id, RunStatus.DONE)
        assert voyage.disk() == before
        assert [path.read_bytes() for path in (tmp_path / "disk/new").iterdir()] == [b"fresh"]
        run = await service.verify(source.id, 5)
        run = await voyage.desk.reached(run.id, RunStatus.DONE)
    assert run.progress.counters == {"damaged": 0, "missing": 0}
    assert run.progress.done == len(voyage.documents())


async def test_nothing_moves_under_a_run(voyage: Voyage) -> None:
    """Refused with the run that is under way; names and duplicates may change, and hold from the next run on."""
    source = await voyage.add()
    voyage.jetty.sandbox.faults.add("messages.getHistory", delay_ms=500)
    async with voyage.sail() as (runner, service):
        run = await service.scrape(source.id, 5)
        with pytest.raises(AlreadyActive) as refused:
            await service.move(source.id, None, "new")
        assert refused.value.run_id == run.id
        await service.set_names(source.id, "{name}")
        await service.set_duplicates(source.id, Duplicates.SKIP)
        with pytest.raises(TemplateInvalid):
            await service.set_names(source.id, "{name.__class__}")
        await runner.cancel(run.id)
        card = await service.get(source.id)
        assert (card.source.name_template, card.source.duplicates) == ("{name}", Duplicates.SKIP)
        assert len(await service.preview(source.id, "{date:%Y}/{id}")) >= 1


# -- checks


async def test_a_check_finds_and_fetches_again(voyage: Voyage) -> None:
    """Damaged and missing ones are wanted again, not counted meanwhile, and come back byte-equal; what was damaged is
    set aside."""
    source = await voyage.add()
    await voyage.scrape(source)
    good = voyage.disk()
    damaged, missing = sorted(good)[:2]
    (voyage.root / damaged).write_bytes(b"rotten")
    (voyage.root / missing).unlink()
    async with voyage.sail() as (_, service):
        run = await service.verify(source.id, 5)
        run = await voyage.desk.reached(run.id, RunStatus.DONE)
        assert run.progress.counters == {"damaged": 1, "missing": 1}
        assert run.progress.done == run.progress.total == len(good)
        card = await service.get(source.id)
        assert (card.tally.damaged, card.tally.missing, card.tally.waiting) == (1, 1, 2)
        assert card.source.total_files == len(good) - 2
        again = await service.scrape(source.id, 5)
        again = await voyage.desk.reached(again.id, RunStatus.DONE)
        assert again.progress.counters["files"] == 2
        card = await service.get(source.id)
        assert (card.tally.damaged, card.tally.missing, card.source.total_files) == (0, 0, len(good))
    after = voyage.disk()
    aside = after.pop(f"{damaged}.damaged")
    assert after == good
    assert aside not in good.values()
    assert (voyage.root / f"{damaged}.damaged").read_bytes() == b"rotten"


async def test_a_check_on_a_disk_that_is_away_loses_nothing(voyage: Voyage) -> None:
    """Waits instead of calling everything missing."""
    source = await voyage.add()
    await voyage.scrape(source)
    voyage.root.rename(voyage.root.with_name("away"))
    async with voyage.sail() as (_, service):
        run = await service.verify(source.id, 5)
        run = await voyage.desk.reached(run.id, RunStatus.WAITING)
        assert run.reason == "TargetGone"
        assert (await service.get(source.id)).tally.missing == 0


async def test_files_in_a_root_that_is_not_set_any_more(voyage: Voyage, tmp_path: Path) -> None:
    """After a move, with the old root taken out of NAS_ROOTS: said so, not called missing."""
    (tmp_path / "disk").mkdir()
    source = await on_nas(voyage)
    await voyage.scrape(source)
    await voyage.source_rows.set_target(source.id, None, "archive")
    voyage.nas_roots = {}
    async with voyage.sail() as (_, service):
        run = await service.verify(source.id, 5)
        run = await voyage.desk.reached(run.id, RunStatus.DONE)
    assert run.progress.counters == {"damaged": 0, "missing": 0, "unchecked": len(voyage.documents())}


async def test_a_check_is_paused_and_goes_on(voyage: Voyage, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a new process it reads on where it stood, and its numbers agree at the end."""
    source = await voyage.add()
    await voyage.scrape(source)
    monkeypatch.setattr("services.verifying.SAVE_FILES", 1)
    (voyage.root / min(voyage.disk())).unlink()
    async with voyage.sail() as (runner, service):
        run = await service.verify(source.id, 5)
        await until(lambda: any(r.kind is RunKind.VERIFY and r.progress.done >= 2 for r in voyage.desk.ear.progressed))
        await runner.pause(run.id)
    async with voyage.sail() as (runner, _):
        await runner.resume(run.id)
        run = await voyage.desk.reached(run.id, RunStatus.DONE)
    assert run.progress.done == run.progress.total == len(voyage.documents())
    assert run.progress.done_bytes == run.progress.total_bytes
    assert run.progress.counters["missing"] == 1


async def test_a_check_looks_at_originals_of_what_was_left_out(voyage: Voyage) -> None:
    """A file that was skipped for the sake of one that is gone now is wanted after all."""
    first = await voyage.add()
    await voyage.scrape(first)
    second = await voyage.add("Second", folder="second")
    await voyage.source_rows.set_duplicates(second.id, Duplicates.SKIP)
    run = await voyage.scrape(second)
    assert run.progress.counters["duplicates"] == len(voyage.documents())
    assert run.progress.counters["files"] == 0
    assert run.progress.done == run.progress.total
    (voyage.root / min(voyage.disk())).unlink()
    async with voyage.sail() as (_, service):
        run = await service.verify(second.id, 5)
        run = await voyage.desk.reached(run.id, RunStatus.DONE)
        assert run.progress.counters == {"damaged": 0, "missing": 1}
        again = await service.scrape(second.id, 5)
        await voyage.desk.reached(again.id, RunStatus.DONE)
    assert sum(path.startswith("second/") for path in voyage.disk()) == 1
