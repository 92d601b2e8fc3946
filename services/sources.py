"""Saved channels: made, listed, paused, scraped, deleted."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import Any

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
from services.filters import Matcher
from services.runs import Priority, Runner
from services.schedule import ScheduleService, check_schedule
from services.targets import RootLook, Targets, check_folder
from storage.files import FileRepository
from storage.models import (
    AuditVerb,
    Duplicates,
    File,
    FileKind,
    FileState,
    FileTally,
    Filters,
    NewMessage,
    NewSource,
    Run,
    RunKind,
    Schedule,
    Scope,
    Source,
    Start,
)
from storage.schedules import ScheduleRepository
from storage.sources import SourceRepository
from storage.types import utc_now

PREVIEWS = 3
PAGE = 8
LONGEST_NAME = 60
NO_FILES = FileTally(0, 0, 0, 0, 0)

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


@dataclass(frozen=True, slots=True)
class FailedFiles:
    """`count`: of all pages; `causes`: how many of them failed why, the most frequent first."""

    source: Source
    files: list[File]
    page: int
    count: int
    causes: dict[str, int]


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
        """`cron` None: scraped by hand only, as single posts always are. Nothing is made when this raises NameTaken,
        CronInvalid, PatternInvalid, TemplateInvalid, FolderInvalid, RootUnused or TargetUnavailable."""
        async with audit.act(AuditVerb.SOURCE_ADD, new.name):
            await self.check_place(new.root, new.folder, new.name_template)
            Matcher(new.filters)
            cron = None if new.scope is Scope.POSTS else cron
            if cron is not None:
                check_schedule(cron, timezone)
            source = await self._sources.add(new)
            if cron is not None:
                await self._schedule.set(RunKind.SCRAPE, source.id, cron, timezone)
            self._on_live()
        return await self._card(source)

    async def widen(self, source_id: int, new: NewSource, cron: str | None, timezone: str) -> SourceCard:
        """A source of single posts carries the whole channel from now on: name, filters, start and schedule are
        `new`'s. Raises NotFound, NameTaken, CronInvalid."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_EDIT, source.name, to=new.name):
            if cron is not None:
                check_schedule(cron, timezone)
            await self._sources.widen(source.id, new)
            if cron is not None:
                await self._schedule.set(RunKind.SCRAPE, source.id, cron, timezone)
            self._on_live()
        return await self.get(source_id)

    async def of_channel(self, channel_id: int) -> list[Source]:
        """What carries posts of that channel."""
        return await self._sources.of_channel(channel_id)

    async def bare(self) -> list[Source]:
        """By name, without what surrounds them: one statement."""
        return await self._sources.all()

    async def all(self) -> list[SourceCard]:
        """What needs attention first, then by name. A handful of statements, however many there are."""
        schedules = await self._schedules.of_kind(RunKind.SCRAPE)
        tallies = await self._files.tallies()
        active = await self._runner.active()
        runs = {run.subject_id: run for run in active if run.kind is RunKind.VERIFY}
        runs |= {run.subject_id: run for run in active if run.kind is RunKind.SCRAPE}
        cards = [
            SourceCard(
                source,
                schedules.get(source.id),
                runs.get(source.id),
                replace(tallies.get(source.id, NO_FILES), done_bytes=source.total_bytes),
            )
            for source in await self._sources.all()
        ]
        return sorted(cards, key=_attention)

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

    def live_changed(self) -> None:
        """Several did, or are read through another account from now on."""
        self._on_live()

    async def rename(self, source_id: int, name: str) -> None:
        """Raises NotFound, NameTaken."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_EDIT, source.name, to=name):
            await self._sources.rename(source.id, name)

    async def delete(self, source_id: int, *, keep_messages: bool = False) -> None:
        """Ends its run first. Whole files stay on disk, what has come of unfinished ones goes; messages that are kept
        are taken up again when the channel is saved anew. Raises NotFound."""
        source = await self._source(source_id)
        kept = {"kept": source.total_messages} if keep_messages else {}
        async with audit.act(AuditVerb.SOURCE_DELETE, source.name, **kept):
            await self._delete(source, keep_messages)

    async def _delete(self, source: Source, keep_messages: bool) -> None:
        await self._schedule.remove(RunKind.SCRAPE, source.id)
        for kind in (RunKind.SCRAPE, RunKind.VERIFY):
            run = await self._runner.active_of(kind, source.id)
            if run is not None:
                await self._runner.cancel(run.id)
        await self.discard_unfinished(source)
        await self._sources.delete(source.id, keep_messages=keep_messages)

    async def discard_unfinished(self, source: Source) -> None:
        """Take away what has come of files that are not whole. No run of it works."""
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
            await self.check_place(root, folder, source.name_template)
            await self._sources.set_target(source.id, root, folder)
            if (root, folder) != (source.root, source.folder):
                await self.discard_unfinished(source)

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

    # -- what is saved, and from where on

    async def set_filters(self, source_id: int, filters: Filters, *, only_matching: bool) -> None:
        """Of messages that are read from the next run on; those that were read before are looked at again only after
        `start_over`. Raises NotFound, PatternInvalid."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_EDIT, source.name):
            Matcher(filters)
            await self._sources.set_filters(source.id, filters, only_matching=only_matching)

    async def start_over(self, source_id: int, start: Start) -> None:
        """The next run reads the messages from there on once more. Files that are there are not fetched again; those
        that failed, and those that the filters want by now, are. Raises NotFound, AlreadyActive."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_START_OVER, source.name):
            await self._sources.start_over(source.id, start)

    async def check_place(self, root: str | None, folder: str, template: str | None = None) -> None:
        """Raises FolderInvalid, TemplateInvalid (with such names too deep), RootUnused, TargetUnavailable."""
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

    async def scrape(self, source_id: int, admin_id: int | None, posts: Sequence[int] = ()) -> Run:
        """`admin_id` None: the schedule asks. `posts`: just these messages, their albums, and their files whatever the
        filters say. Raises NotFound, and AlreadyActive with the run under way."""
        source = await self._source(source_id)
        picked = {"posts": sorted(set(posts))} if posts else {}
        async with audit.act(AuditVerb.SCRAPE, source.name):
            try:
                return await self._runner.submit(
                    RunKind.SCRAPE,
                    source.id,
                    source.name,
                    priority=Priority.CRON if admin_id is None else Priority.TAP,
                    requested_by=admin_id,
                    params={**scrape_params(source), **picked},
                )
            except AlreadyActive as error:
                if admin_id is not None:
                    await self._runner.claim(error.run_id)
                raise

    async def retry_failed(self, source_id: int, admin_id: int, file_id: int | None = None) -> Run:
        """Want the files again that failed (or that one), and scrape. Raises NotFound, AlreadyActive (and has reset
        them then)."""
        if not await self._files.reset_failed(source_id, file_id) and file_id is not None:
            raise NotFound("file")
        return await self.scrape(source_id, admin_id)

    async def failed_files(self, source_id: int, page: int) -> FailedFiles:
        """A page of what could not be fetched; beyond the end the last one. Raises NotFound."""
        source = await self._source(source_id)
        causes = await self._files.causes(source.id)
        count = sum(causes.values())
        page = min(max(page, 0), max(0, count - 1) // PAGE)
        return FailedFiles(source, await self._files.given_up(source.id, PAGE, page * PAGE), page, count, causes)

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


def scrape_params(source: Source) -> dict[str, Any]:
    """What the runner wants to know of a scrape of it."""
    return {"session_id": source.session_id, "root": source.root}


def _attention(card: SourceCard) -> tuple[bool, bool, bool, str]:
    return not card.source.is_held, not card.tally.needs_care, card.run is None, card.source.name.casefold()


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
