"""Saved channels as a service: made whole or not at all, shown with what surrounds them, deleted with their work."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.errors import CronInvalid, FolderInvalid, NotFound
from services.runs import Priority
from storage.errors import AlreadyActive, NameTaken
from storage.models import RunKind, RunStatus
from storage.types import utc_now
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import until
from tests.services.voyage import Voyage


@pytest.fixture
async def voyage(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Voyage:
    voyage = Voyage(jetty, store, pooled, tmp_path / "downloads")
    await voyage.know(jetty.private)
    return voyage


async def test_a_card_shows_source_schedule_run_and_files(voyage: Voyage) -> None:
    """Created with a schedule, scraped: each part of the card follows."""
    async with voyage.sail() as (_, service):
        card = await service.create(voyage.new(), "0 */6 * * *", "Europe/Berlin")
        assert card.schedule is not None
        assert (card.schedule.cron, card.schedule.timezone) == ("0 */6 * * *", "Europe/Berlin")
        assert (card.run, card.tally.done) == (None, 0)
        run = await service.scrape(card.source.id, 5)
        shown = (await service.get(card.source.id)).run
        assert shown is None or shown.id == run.id
        await voyage.desk.reached(run.id, RunStatus.DONE)
        (card,) = await service.all()
    assert card.run is None
    assert card.tally.done == card.source.total_files == len(voyage.documents())


async def test_nothing_is_made_by_halves(voyage: Voyage) -> None:
    """A bad line, zone, folder or a taken name leaves no source and no schedule behind."""
    async with voyage.sail() as (_, service):
        for new, cron, timezone, error in (
            (voyage.new(), "0 0 31 2 *", "UTC", CronInvalid),
            (voyage.new(), "0 0 * * *", "Mars/Olympus", CronInvalid),
            (voyage.new(folder="../out"), None, "UTC", FolderInvalid),
        ):
            with pytest.raises(error):
                await service.create(new, cron, timezone)
        assert await service.all() == []
        await service.create(voyage.new(), None, "UTC")
        with pytest.raises(NameTaken):
            await service.create(voyage.new(), "0 0 * * *", "UTC")
        assert len(await service.all()) == 1
    assert await voyage.schedule_rows.all() == []


async def test_one_scrape_at_a_time(voyage: Voyage) -> None:
    """A second one is refused with the first one's id; the schedule's come last in the queue."""
    async with voyage.sail() as (_, service):
        card = await service.create(voyage.new(), None, "UTC")
        voyage.jetty.sandbox.faults.add("messages.getHistory", delay_ms=300)
        run = await service.scrape(card.source.id, None)
        assert (run.priority, run.requested_by) == (Priority.CRON, None)
        with pytest.raises(AlreadyActive) as refused:
            await service.scrape(card.source.id, 5)
        assert refused.value.run_id == run.id
        await voyage.desk.reached(run.id, RunStatus.DONE)
        again = await service.scrape(card.source.id, 5)
        assert (again.priority, again.requested_by) == (Priority.TAP, 5)
        await voyage.desk.reached(again.id, RunStatus.DONE)


async def test_deleting_ends_the_run_first(voyage: Voyage) -> None:
    """In the middle of a scrape: the run is CANCELLED, rows are gone, on disk stays what is whole and nothing else."""
    async with voyage.sail() as (runner, service):
        card = await service.create(voyage.new(), "0 0 * * *", "UTC")
        voyage.jetty.sandbox.faults.add("upload.getFile", delay_ms=100, times=50)
        run = await service.scrape(card.source.id, 5)
        await until(lambda: any(voyage.root.rglob("*.part")))
        await service.delete(card.source.id)
        assert (await runner.get(run.id)).status is RunStatus.CANCELLED
        with pytest.raises(NotFound):
            await service.get(card.source.id)
    assert await voyage.schedule_rows.all() == []
    assert not any((await voyage.rows()).values())
    assert not list(voyage.root.rglob("*.part"))


async def test_unknown_sources(voyage: Voyage) -> None:
    """Each verb says NotFound."""
    async with voyage.sail() as (_, service):
        for attempt in (
            service.get(99),
            service.set_enabled(99, False),
            service.delete(99),
            service.scrape(99, 5),
            service.retry_failed(99, 5),
        ):
            with pytest.raises(NotFound):
                await attempt


async def test_pausing_rests_the_schedule(voyage: Voyage) -> None:
    """Source and schedule rest together and go on together."""
    async with voyage.sail() as (_, service):
        card = await service.create(voyage.new(), "0 0 * * *", "UTC")
        for enabled in (False, True):
            await service.set_enabled(card.source.id, enabled)
            card = await service.get(card.source.id)
            assert card.schedule is not None
            assert (card.source.enabled, card.schedule.enabled) == (enabled, enabled)


async def test_a_schedule_scrapes(voyage: Voyage) -> None:
    """What fell due while Porter was down is scraped once it is up; its files come home."""
    async with voyage.sail() as (_, service):
        card = await service.create(voyage.new(), "0 0 * * *", "UTC")
        await voyage.schedule_rows.put(
            RunKind.SCRAPE, card.source.id, "0 0 * * *", "UTC", utc_now() - timedelta(hours=2)
        )

        async def due(schedule: object) -> None:
            await service.scrape(card.source.id, None)

        voyage.schedule.on(RunKind.SCRAPE, due)
        await voyage.schedule.start()
        await until(lambda: any(run.requested_by is None for run in voyage.desk.ear.settled))
        await voyage.schedule.stop()
        assert service.folder_for("Tech News!") == "tech-news"
    assert [run.status for run in voyage.desk.ear.settled] == [RunStatus.DONE]
    assert len(voyage.disk()) == len(voyage.documents())
