"""Saved channels: made, listed, paused, scraped, deleted."""

import logging
from dataclasses import dataclass

from services import audit, names
from services.errors import NotFound, TargetError
from services.runs import Priority, Runner
from services.schedule import ScheduleService, next_times
from services.targets import Targets, check_folder
from storage.files import FileRepository
from storage.models import AuditVerb, FileTally, NewSource, Run, RunKind, Schedule, Source
from storage.schedules import ScheduleRepository
from storage.sources import SourceRepository

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceCard:
    """A source and what surrounds it. `run`: the scrape that is under way, if any."""

    source: Source
    schedule: Schedule | None
    run: Run | None
    tally: FileTally


class SourceService:
    def __init__(
        self,
        sources: SourceRepository,
        files: FileRepository,
        schedules: ScheduleRepository,
        runner: Runner,
        schedule: ScheduleService,
        targets: Targets,
    ) -> None:
        self._sources = sources
        self._files = files
        self._schedules = schedules
        self._runner = runner
        self._schedule = schedule
        self._targets = targets

    async def create(self, new: NewSource, cron: str | None, timezone: str) -> SourceCard:
        """`cron` None: scraped by hand only. Raises NameTaken, CronInvalid, FolderInvalid; nothing is made then."""
        async with audit.act(AuditVerb.SOURCE_ADD, new.name):
            check_folder(new.folder)
            if cron is not None:
                next_times(cron, timezone, 1)
            source = await self._sources.add(new)
            if cron is not None:
                await self._schedule.set(RunKind.SCRAPE, source.id, cron, timezone)
        return await self._card(source)

    async def all(self) -> list[SourceCard]:
        """By name."""
        return [await self._card(source) for source in await self._sources.all()]

    async def get(self, source_id: int) -> SourceCard:
        """Raises NotFound."""
        return await self._card(await self._source(source_id))

    async def set_enabled(self, source_id: int, enabled: bool) -> None:
        """Off: its schedule rests; by hand it can be scraped still. Raises NotFound."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_RESUME if enabled else AuditVerb.SOURCE_PAUSE, source.name):
            await self._sources.set_enabled(source.id, enabled)
            await self._schedule.set_enabled(RunKind.SCRAPE, source.id, enabled)

    async def delete(self, source_id: int) -> None:
        """Ends its run first. Whole files stay on disk, what has come of unfinished ones goes. Raises NotFound."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_DELETE, source.name):
            await self._delete(source)

    async def _delete(self, source: Source) -> None:
        await self._schedule.remove(RunKind.SCRAPE, source.id)
        run = await self._runner.active_of(RunKind.SCRAPE, source.id)
        if run is not None:
            await self._runner.cancel(run.id)
        await self._discard_unfinished(source)
        await self._sources.delete(source.id)

    async def _discard_unfinished(self, source: Source) -> None:
        target, after_id = self._targets.of(source.target), 0
        while batch := await self._files.pending(source.id, after_id):
            after_id = batch[-1].id
            for file in batch:
                try:
                    await target.discard(source.folder, file.id)
                except TargetError as error:
                    # A disk that is gone is no reason to keep the source.
                    log.warning("unfinished files stay: %s", error, extra={"source_id": source.id})
                    return

    async def scrape(self, source_id: int, admin_id: int | None) -> Run:
        """`admin_id` None: the schedule asks. Raises NotFound, and AlreadyActive with the run under way."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SCRAPE, source.name):
            return await self._runner.submit(
                RunKind.SCRAPE,
                source.id,
                source.name,
                priority=Priority.CRON if admin_id is None else Priority.TAP,
                requested_by=admin_id,
                params={"session_id": source.session_id},
            )

    async def retry_failed(self, source_id: int, admin_id: int) -> Run:
        """Want the files again that failed, and scrape. Raises NotFound, AlreadyActive (and has reset them then)."""
        await self._files.reset_failed(source_id)
        return await self.scrape(source_id, admin_id)

    def folder_for(self, title: str) -> str:
        """What to propose for a channel of that title."""
        return names.folder_for(title)

    async def _source(self, source_id: int) -> Source:
        source = await self._sources.get(source_id)
        if source is None:
            raise NotFound("source")
        return source

    async def _card(self, source: Source) -> SourceCard:
        return SourceCard(
            source,
            await self._schedules.get_for(RunKind.SCRAPE, source.id),
            await self._runner.active_of(RunKind.SCRAPE, source.id),
            await self._files.tally(source.id),
        )
