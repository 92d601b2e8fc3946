"""Saved channels: made, listed, paused, scraped, deleted."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo

from services import audit, names, templates
from services.errors import (
    AlreadyActive,
    NotFound,
    RootUnused,
    TargetError,
    TargetGone,
    TemplateInvalid,
    TemplateTrouble,
)
from services.runs import Priority, Runner
from services.schedule import ScheduleService, next_times
from services.targets import RootLook, Targets, check_folder
from storage.files import FileRepository
from storage.models import (
    AuditVerb,
    Duplicates,
    File,
    FileKind,
    FileState,
    FileTally,
    NewMessage,
    NewSource,
    Run,
    RunKind,
    Schedule,
    Source,
)
from storage.schedules import ScheduleRepository
from storage.sources import SourceRepository
from storage.types import utc_now

PREVIEWS = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SourceCard:
    """A source and what surrounds it. `run`: the scrape that is under way, if any, else the check of its files."""

    source: Source
    schedule: Schedule | None
    run: Run | None
    tally: FileTally
    is_member: bool = True
    """Of its channel: a stranger is told of no new posts."""


class SourceService:
    def __init__(
        self,
        sources: SourceRepository,
        files: FileRepository,
        schedules: ScheduleRepository,
        runner: Runner,
        schedule: ScheduleService,
        targets: Targets,
        *,
        zone: tzinfo = UTC,
    ) -> None:
        """`zone`: of the dates in names."""
        self._sources = sources
        self._files = files
        self._schedules = schedules
        self._runner = runner
        self._schedule = schedule
        self._targets = targets
        self._zone = zone
        self._on_live: Callable[[], None] = lambda: None

    async def create(self, new: NewSource, cron: str | None, timezone: str) -> SourceCard:
        """`cron` None: scraped by hand only. Nothing is made when this raises NameTaken, CronInvalid, FolderInvalid,
        RootUnused or TargetUnavailable."""
        async with audit.act(AuditVerb.SOURCE_ADD, new.name):
            await self._check_place(new.root, new.folder)
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
        source = await self._source(source_id)
        is_member = await self._sources.is_member(source.session_id, source.channel_id)
        return replace(await self._card(source), is_member=is_member)

    async def set_enabled(self, source_id: int, enabled: bool) -> None:
        """Off: its schedule rests; by hand it can be scraped still. Raises NotFound."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_RESUME if enabled else AuditVerb.SOURCE_PAUSE, source.name):
            await self._sources.set_enabled(source.id, enabled)
            await self._schedule.set_enabled(RunKind.SCRAPE, source.id, enabled)
            self._on_live()

    async def set_live(self, source_id: int, live: bool) -> None:
        """New posts at once, the schedule as the safety net. Raises NotFound."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_EDIT, source.name, live=live):
            await self._sources.set_live(source.id, live)
            self._on_live()

    def on_live(self, listener: Callable[[], None]) -> None:
        """Called when a source begins or ceases to be live."""
        self._on_live = listener

    async def delete(self, source_id: int) -> None:
        """Ends its run first. Whole files stay on disk, what has come of unfinished ones goes. Raises NotFound."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_DELETE, source.name):
            await self._delete(source)

    async def _delete(self, source: Source) -> None:
        await self._schedule.remove(RunKind.SCRAPE, source.id)
        for kind in (RunKind.SCRAPE, RunKind.VERIFY):
            run = await self._runner.active_of(kind, source.id)
            if run is not None:
                await self._runner.cancel(run.id)
        await self._discard_unfinished(source)
        await self._sources.delete(source.id)

    async def _discard_unfinished(self, source: Source) -> None:
        after_id = 0
        try:
            target = self._targets.of(source.root)
            while batch := await self._files.pending(source.id, after_id):
                after_id = batch[-1].id
                for file in batch:
                    await target.discard(source.folder, file.id)
        except TargetError as error:
            # A disk that is gone is no reason to keep the source.
            log.warning("unfinished files stay: %s", error, extra={"source_id": source.id})

    # -- where files go, and under which names

    @property
    def roots(self) -> list[str]:
        """Names of NAS_ROOTS, beside LOCAL."""
        return self._targets.roots

    async def look(self, root: str) -> RootLook:
        """What lies in a root. Raises NotFound, TargetUnavailable."""
        return await self._targets.look(root)

    async def use_root(self, root: str) -> None:
        """The admin agrees to this root as it is now. Raises NotFound, TargetUnavailable."""
        async with audit.act(AuditVerb.ROOT_USE, root):
            await self._targets.use(root)

    async def move(self, source_id: int, root: str | None, folder: str) -> None:
        """From now on files go there; those that are saved stay where they are.

        Raises NotFound, FolderInvalid, RootUnused, TargetUnavailable, AlreadyActive (a run fills the old folder).
        """
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_EDIT, source.name, to=f"{root or 'Local'}/{folder}"):
            await self._check_place(root, folder, source.name_template)
            await self._sources.set_target(source.id, root, folder)
            if (root, folder) != (source.root, source.folder):
                await self._discard_unfinished(source)

    async def preview(self, source_id: int, template: str) -> list[str]:
        """What its newest files would be called; a made-up one where it has none. Raises NotFound, TemplateInvalid."""
        source = await self._source(source_id)
        parsed = _fitting(template, source.folder)
        known = await self._files.newest(source.id, PREVIEWS) or [_made_up(source)]
        facts = [templates.facts_of(file, source.channel_title, message, self._zone) for file, message in known]
        return ["/".join(filter(None, parsed.render(each))) for each in facts]

    async def set_names(self, source_id: int, template: str | None) -> None:
        """Of files that come from the next run on. None: Porter's own. Raises NotFound, TemplateInvalid."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_EDIT, source.name):
            if template is not None:
                _fitting(template, source.folder)
            await self._sources.set_name_template(source.id, None if template == templates.DEFAULT else template)

    async def set_duplicates(self, source_id: int, duplicates: Duplicates) -> None:
        """Of files that come from the next run on. Raises NotFound."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_EDIT, source.name):
            await self._sources.set_duplicates(source.id, duplicates)

    async def _check_place(self, root: str | None, folder: str, template: str | None = None) -> None:
        check_folder(folder)
        if template is not None:
            _fitting(template, folder)
        if root is None:
            return
        try:
            is_known = (await self._targets.look(root)).is_known
        except NotFound:
            raise TargetGone("UNSET") from None
        if not is_known:
            raise RootUnused(root)

    # -- work

    async def verify(self, source_id: int, admin_id: int) -> Run:
        """Compare what is on disk with what was saved. Raises NotFound, and AlreadyActive with the run under way."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_VERIFY, source.name):
            return await self._runner.submit(
                RunKind.VERIFY,
                source.id,
                source.name,
                priority=Priority.TAP,
                requested_by=admin_id,
                params={"root": source.root},
            )

    async def scrape(self, source_id: int, admin_id: int | None) -> Run:
        """`admin_id` None: the schedule asks. Raises NotFound, and AlreadyActive with the run under way."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SCRAPE, source.name):
            try:
                return await self._runner.submit(
                    RunKind.SCRAPE,
                    source.id,
                    source.name,
                    priority=Priority.CRON if admin_id is None else Priority.TAP,
                    requested_by=admin_id,
                    params={"session_id": source.session_id, "root": source.root},
                )
            except AlreadyActive as error:
                if admin_id is not None:
                    await self._runner.claim(error.run_id)
                raise

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
        scrape = await self._runner.active_of(RunKind.SCRAPE, source.id)
        return SourceCard(
            source,
            await self._schedules.get_for(RunKind.SCRAPE, source.id),
            scrape if scrape and not scrape.is_quiet else await self._runner.active_of(RunKind.VERIFY, source.id),
            await self._files.tally(source.id),
        )


def _fitting(template: str, folder: str) -> templates.Template:
    """Raises TemplateInvalid: also when it makes too many folders below that one."""
    parsed = templates.parse(template)
    if len(parsed.folders) + len(folder.split("/")) > names.MAX_DEPTH:
        raise TemplateInvalid(TemplateTrouble.TOO_DEEP)
    return parsed


def _made_up(source: Source) -> tuple[File, NewMessage]:
    now = utc_now()
    file = File(
        id=0,
        source_id=source.id,
        channel_id=source.channel_id,
        message_id=812,
        document_id=1,
        kind=FileKind.DOCUMENT,
        name="minutes.pdf",
        mime="application/pdf",
        size_bytes=0,
        state=FileState.WANTED,
        path=None,
        sha256=None,
        attempts=0,
        cause=None,
        date=now,
    )
    return file, NewMessage(812, now, None, "")
