"""Carrying a channel home: walk its new messages, then fetch the files that the source wants.

The walk goes upwards from the source's cursor, page by page; each page is stored with its wanted files and the new
cursor in one transaction. So a killed run walks on where it stood, and nothing is stored or counted twice.
"""

from contextlib import aclosing
from dataclasses import asdict, dataclass
from datetime import UTC, tzinfo

from services import habits
from services.clients.base import PART_BYTES, HistoryPage, Peer
from services.clients.peers import group_of
from services.clients.pool import ClientPool
from services.downloads import Downloader
from services.errors import HEALING, NotFound
from services.filters import Matcher
from services.following import Following
from services.history import WINDOWS_AHEAD, walk
from services.lanes import Lanes
from services.runs import RunContext
from services.targets import Targets, part_count
from storage.files import FileRepository
from storage.models import File, FileTally, Progress, Run, Source
from storage.sources import SourceRepository
from storage.types import Clock, utc_now


class Scraper:
    """`work` is registered for RunKind.SCRAPE; a run's subject is the source."""

    def __init__(
        self,
        sources: SourceRepository,
        files: FileRepository,
        pool: ClientPool,
        targets: Targets,
        lanes: Lanes,
        *,
        clock: Clock = utc_now,
        windows: int = WINDOWS_AHEAD,
        zone: tzinfo = UTC,
        following: Following | None = None,
    ) -> None:
        """`windows`: pages of history that are asked for at once. `zone`: of the dates in names. `following` None: a
        group that became a supergroup ends there."""
        self._sources = sources
        self._files = files
        self._pool = pool
        self._targets = targets
        self._clock = clock
        self._windows = windows
        self._following = following
        self._downloader = Downloader(files, pool, lanes, zone=zone)

    async def work(self, context: RunContext) -> None:
        """Counters: "messages", "files", "failed", "skipped" (files that no filter wants), "duplicates" (that were
        there already and not kept). Raises PorterError."""
        source = await self._sources.get(context.run.subject_id)
        if source is None:
            raise NotFound("source")
        await self._check_target(source)  # before anything is asked of Telegram
        start = await self._start_of(context, source)
        peer = await self._pool.peer(source.session_id, source.channel_id)
        source, peer = await self._walk_to_the_end(context, source, peer, start)
        await self._fetch(context, source, peer, start)
        quiet_after = habits.quiet_after(await self._sources.dates(source.id, habits.POSTS))
        await self._sources.finished(source.id, self._clock(), quiet_after)

    async def ready(self, run: Run) -> bool:
        """Whether the disk that a run waits for is well again, with room for the file that comes next."""
        source = await self._sources.get(run.subject_id)
        try:
            if source is not None:
                await self._check_target(source)
        except HEALING:
            return False
        return True

    async def _check_target(self, source: Source) -> None:
        """Raises TargetUnavailable."""
        need_bytes = 0
        for file in await self._files.pending(source.id, limit=1):
            missing = part_count(file.size_bytes) - len(await self._files.parts(file.id))
            need_bytes = min(file.size_bytes, missing * PART_BYTES)
        await self._targets.of(source.root).check(need_bytes)

    async def _start_of(self, context: RunContext, source: Source) -> "_Start":
        """How the source stood when this run first began: what the run has done is told from the rows themselves, so
        that no kill makes it count wrong."""
        if not context.run.checkpoint:
            tally = await self._files.tally(source.id)
            start = _Start(source.total_messages, tally.done, tally.done_bytes, tally.failed, tally.skipped)
            await context.checkpoint(asdict(start))
            return start
        return _Start(**context.run.checkpoint)

    async def _walk(self, context: RunContext, source: Source, peer: Peer, start: "_Start") -> None:
        counters = {"files": 0, "failed": 0, "skipped": 0, **context.run.progress.counters}
        new = source.total_messages - start.messages
        matcher = Matcher(source.filters)
        done, total = 0, None

        async def ask(after_id: int) -> HistoryPage:
            async with self._pool.reading(source.session_id) as client:
                page = await client.history(peer, after_id)
            if page.successor is not None and self._following is not None:
                await self._following.note(source.session_id, page.successor)
            return page

        context.progress(Progress(counters={**counters, "messages": new}))
        async with aclosing(walk(ask, source.cursor, self._windows)) as pages:
            async for page in pages:
                new += await self._store(source, page, matcher)
                done += len(page.posts)
                counters["skipped"] += sum(1 for post in page.posts if post.file and not matcher.wants_file(post))
                if total is None and page.newer is not None:
                    total = done + page.newer
                context.progress(Progress(done=done, total=total, counters={**counters, "messages": new}))

    async def _walk_to_the_end(
        self, context: RunContext, source: Source, peer: Peer, start: "_Start"
    ) -> tuple[Source, Peer]:
        """Of the channel; of a group that became a supergroup, of both. A walk counts as one through all of the old
        group when that was known before it began: the group takes no message since."""
        while True:
            had_grown = await self._has_grown(source)
            await self._walk(context, source, peer, start)
            if not had_grown and not await self._has_grown(source):
                return source, peer
            fresh = await self._following.follow(source) if had_grown and self._following else None
            fresh = fresh or await self._sources.get(source.id)
            if fresh is None:
                raise NotFound("source")
            source, peer = fresh, await self._pool.peer(fresh.session_id, fresh.channel_id)

    async def _has_grown(self, source: Source) -> bool:
        if self._following is None or group_of(source.channel_id) is None:
            return False
        return await self._following.has_grown(source)

    async def _store(self, source: Source, page: HistoryPage, matcher: Matcher) -> int:
        """Answers how many messages were new to the source."""
        assert page.last_id is not None  # the walk hands out what brings something
        messages = [post.message for post in page.posts]
        wanted = [post.file for post in page.posts if post.file and matcher.wants_file(post)]
        stored = await self._sources.store_page(source.id, messages, wanted, page.last_id)
        return stored.new_messages

    async def _fetch(self, context: RunContext, source: Source, peer: Peer, start: "_Start") -> None:
        meter = _Meter(context, start, await self._files.tally(source.id))
        meter.show()
        await self._downloader.fetch_pending(source, peer, self._targets, meter)


@dataclass(frozen=True, slots=True)
class _Start:
    """The source's totals when the run began; its checkpoint."""

    messages: int
    files: int
    files_bytes: int
    failed: int
    duplicates: int = 0


class _Meter:
    """Counts files and bytes as they come. Implements downloads.Report."""

    def __init__(self, context: RunContext, start: _Start, tally: FileTally) -> None:
        self._context = context
        self._files = max(0, tally.done - start.files)
        self._failed = tally.failed - start.failed
        self._duplicates = max(0, tally.skipped - start.duplicates)  # a check may have wanted some again
        self._files_bytes = max(0, tally.done_bytes - start.files_bytes)
        self._waiting = tally.waiting
        self._waiting_bytes = tally.waiting_bytes
        self._arrived_bytes: dict[int, int] = {}  # of files that are not whole yet, by file id

    def part(self, file: File, size_bytes: int) -> None:
        self._arrived_bytes[file.id] = self._arrived_bytes.get(file.id, 0) + size_bytes
        self.show()

    def done(self, file: File) -> None:
        self._files += 1
        self._files_bytes += file.size_bytes
        self._settled(file)

    def failed(self, file: File) -> None:
        self._failed += 1
        self._settled(file)

    def skipped(self, file: File) -> None:
        self._duplicates += 1
        self._settled(file)

    def _settled(self, file: File) -> None:
        self._arrived_bytes.pop(file.id, None)
        self._waiting -= 1
        self._waiting_bytes -= file.size_bytes
        self.show()

    def show(self) -> None:
        settled = self._files + self._failed + self._duplicates
        duplicates = {"duplicates": self._duplicates} if self._duplicates else {}
        before = self._context.run.progress.counters
        self._context.progress(
            Progress(
                done=settled,
                total=settled + self._waiting,
                done_bytes=self._files_bytes + sum(self._arrived_bytes.values()),
                total_bytes=self._files_bytes + self._waiting_bytes,
                counters={**before, "files": self._files, "failed": self._failed, **duplicates},
            )
        )
