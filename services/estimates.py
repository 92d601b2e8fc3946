"""What a first run would bring, before it begins: how many files, how large, how long, and whether there is room.

Counts come from Telegram (messages.getSearchCounters); sizes, and the share that passes the filters, from a sample of
the newest files of each kind and of a second page: from the middle of the channel, or from where the start lies. At
most CALLS requests and SAMPLE_FILES files, whatever the channel's size. Where the sample was everything, it is exact.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from services.clients.base import HISTORY_PAGE, FoundPage, Peer, Post, ReadingClient
from services.clients.pacing import answered
from services.clients.pool import ClientPool
from services.errors import AccountRequired, NotFound, RestoreUnconfirmed, TargetError, TelegramError
from services.filters import Matcher, kinds_of
from services.targets import Targets
from storage.models import (
    FileKind,
    FileTally,
    Filters,
    Run,
    RunKind,
    Scope,
    SessionKind,
    Source,
    Start,
    StartKind,
)
from storage.runs import RunRepository
from storage.sessions import SessionRepository

log = logging.getLogger(__name__)

CALLS = 8
SAMPLE_FILES = 200
LARGEST_PAGE = 100
SECONDS = 10.0
"""An admin waits for the answer."""
GIB = 1024**3
ASK_ABOVE_BYTES = 20 * GIB
UNSEEN_BYTES = 1024 * 1024
"""Taken for a file of a kind of which no page brought any."""

# Where no scrape has shown yet what it reaches: a window of 4 MiB, five small files or a page at a time, each 0.2 s.
ROUND_TRIP_SECONDS = 0.2
PACE_BYTES_A_SECOND = 4 * 1024 * 1024 / ROUND_TRIP_SECONDS
FILES_A_SECOND = 5 / (2 * ROUND_TRIP_SECONDS)
POSTS_A_SECOND = HISTORY_PAGE / ROUND_TRIP_SECONDS
PACED_BYTES = 16 * 1024 * 1024
"""A run that brought less says nothing of the pace."""
PACED_RUNS = 5
RUNS_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Estimate:
    """`posts` None: Telegram does not say. `counts`: posts with a file of each kind that the filters may want, before
    they choose; `files` and `size_bytes`: what they choose, duplicates included. `is_sampled`: both are reckoned from
    a sample. `free_bytes`: in the target beside the reserve; None: not known. `is_measured`: `seconds` is at the pace
    of past runs, else at a usual one."""

    posts: int | None
    counts: dict[FileKind, int]
    files: int
    size_bytes: int
    is_sampled: bool
    seconds: float
    free_bytes: int | None
    is_measured: bool = False

    def needs_asking(self, limit_bytes: int) -> bool:
        return self.size_bytes > limit_bytes or not self.fits

    @property
    def fits(self) -> bool:
        return self.free_bytes is None or self.size_bytes <= self.free_bytes


class Estimator:
    def __init__(
        self,
        sessions: SessionRepository,
        runs: RunRepository,
        pool: ClientPool,
        targets: Targets,
        *,
        ask_above_bytes: int = ASK_ABOVE_BYTES,
    ) -> None:
        self._sessions = sessions
        self._runs = runs
        self._pool = pool
        self._targets = targets
        self.ask_above_bytes = ask_above_bytes

    async def estimate(
        self, session_id: int, channel_id: int, filters: Filters, start: Start, root: str | None
    ) -> Estimate:
        """`root` None: LOCAL. Raises NotFound, AccountRequired (a bot may not search), PatternInvalid, TelegramError
        (Unreachable after SECONDS)."""
        session = await self._sessions.get(session_id)
        if session is None:
            raise NotFound("session")
        if session.kind is SessionKind.BOT:
            raise AccountRequired
        matcher = Matcher(filters)
        peer = await self._pool.peer(session_id, channel_id)
        if start.kind is StartKind.NEW and start.message_id is None:
            return await self._estimate(0, [], root)
        async with self._pool.reading(session_id) as client:
            posts, kinds = await answered(_Survey(client, peer, matcher).take(filters, start), SECONDS)
        return await self._estimate(posts, kinds, root)

    async def look(
        self, session_id: int, channel_id: int, filters: Filters, start: Start, root: str | None
    ) -> Estimate | None:
        """The same where it is no more than good to know. None: Telegram does not let us look now, or not at all."""
        try:
            return await self.estimate(session_id, channel_id, filters, start, root)
        except (TelegramError, NotFound, RestoreUnconfirmed) as error:
            log.info("no estimate: %s", type(error).__name__, extra={"session_id": session_id})
            return None

    async def first_run(self, source: Source, tally: FileTally) -> Estimate | None:
        """What the next run of a source that never came to an end would bring, with what is wanted already."""
        begun = Start(StartKind.NEW, message_id=source.cursor) if source.cursor else Start()
        start = source.start or begun
        if source.scope is Scope.POSTS:
            start = Start(StartKind.NEW)
        rest = await self.look(source.session_id, source.channel_id, source.filters, start, source.root)
        if rest is None:
            return None
        return replace(rest, files=rest.files + tally.waiting, size_bytes=rest.size_bytes + tally.waiting_bytes)

    def needs_asking(self, estimate: Estimate) -> bool:
        """Whether an admin is asked before a first run brings so much."""
        return estimate.needs_asking(self.ask_above_bytes)

    async def _estimate(self, posts: int | None, kinds: Sequence["_Kind"], root: str | None) -> Estimate:
        files = sum(kind.wanted_files for kind in kinds)
        size_bytes = sum(kind.wanted_bytes for kind in kinds)
        pace = await self._pace()
        at = pace or PACE_BYTES_A_SECOND
        return Estimate(
            posts=posts,
            counts={kind.kind: kind.inside for kind in kinds},
            files=files,
            size_bytes=size_bytes,
            is_sampled=not all(kind.is_exact for kind in kinds),
            seconds=max(size_bytes / at, files / FILES_A_SECOND) + (posts or 0) / POSTS_A_SECOND,
            free_bytes=await self._free_bytes(root),
            is_measured=pace is not None,
        )

    async def _pace(self) -> float | None:
        """Bytes a second of the last runs that brought much, from their first moment to their last."""
        ended = await self._runs.done(RunKind.SCRAPE, RUNS_LOOKED_AT)
        much = [run for run in ended if run.progress.done_bytes >= PACED_BYTES][:PACED_RUNS]
        seconds = sum(_seconds(run) for run in much)
        return sum(run.progress.done_bytes for run in much) / seconds if seconds else None

    async def _free_bytes(self, root: str | None) -> int | None:
        try:
            return await self._targets.of(root).free_bytes()
        except TargetError:
            return None  # a disk that is away says so when the run begins


def _seconds(run: Run) -> float:
    if run.started_at is None or run.finished_at is None:
        return 0.0
    return (run.finished_at - run.started_at).total_seconds()


@dataclass(slots=True)
class _Kind:
    """What is known of a kind. `whole`: files in all the channel; `inside`: of those, above the start."""

    kind: FileKind
    whole: int
    inside: int
    is_counted: bool = False
    """`inside` is no guess."""
    seen: dict[int, bool] = field(default_factory=dict)  # message id -> whether its file is wanted
    seen_bytes: int = 0  # of the wanted ones

    @property
    def is_exact(self) -> bool:
        return self.is_counted and len(self.seen) >= self.inside

    @property
    def unseen(self) -> int:
        return max(0, self.inside - len(self.seen))

    @property
    def wanted_files(self) -> int:
        if not self.seen:
            return self.inside
        return round(self.inside * sum(self.seen.values()) / len(self.seen))

    @property
    def wanted_bytes(self) -> int:
        if not self.seen:
            return self.inside * UNSEEN_BYTES
        return round(self.inside * self.seen_bytes / len(self.seen))

    def add(self, posts: Sequence[Post], matcher: Matcher) -> None:
        for post in posts:
            if post.message.id not in self.seen:
                is_wanted = self.seen[post.message.id] = matcher.wants_file(post)
                self.seen_bytes += post.file.size_bytes if is_wanted and post.file else 0


class _Survey:
    """The calls of one estimate."""

    def __init__(self, client: ReadingClient, peer: Peer, matcher: Matcher) -> None:
        self._client = client
        self._peer = peer
        self._matcher = matcher
        self._left = CALLS

    async def take(self, filters: Filters, start: Start) -> tuple[int | None, list[_Kind]]:
        """How many posts would be read, and each kind that there is."""
        posts, after_id = await self._span(filters, start)
        self._left -= 1
        counts = await self._client.count_files(self._peer, kinds_of(filters))
        kinds = [_Kind(kind, whole, whole, is_counted=not after_id) for kind, whole in counts.items() if whole]
        pages = min(self._left, 2 * len(kinds)) or 1
        limit = min(LARGEST_PAGE, SAMPLE_FILES // pages)
        for kind in kinds:
            await self._newest(kind, after_id, limit)
        for kind in sorted(kinds, key=lambda kind: kind.unseen * max(1, kind.wanted_bytes), reverse=True):
            if self._left and not kind.is_exact:
                await self._deeper(kind, after_id, limit)
        return posts, [kind for kind in kinds if kind.inside]

    async def _span(self, filters: Filters, start: Start) -> tuple[int | None, int]:
        """Posts of the start; files are wanted above what is later: that start, or the filters' date."""
        self._left -= 1
        span = await self._client.span(self._peer, start)
        if filters.since is None:
            return span.posts, span.after_id
        self._left -= 1
        since = await self._client.span(self._peer, Start(StartKind.SINCE, at=filters.since))
        return span.posts, max(span.after_id, since.after_id)

    async def _newest(self, kind: _Kind, after_id: int, limit: int) -> None:
        page = await self._page(kind, 0, 0, limit)
        inside = _above(page, after_id)
        kind.add(inside, self._matcher)
        if len(inside) < len(page.posts):  # the page reaches down to the start
            kind.inside, kind.is_counted = len(inside), True
        elif len(page.posts) >= kind.whole:
            kind.is_counted = True
        elif after_id and page.posts:
            newest = page.posts[0].message.id  # until it is counted: files lie as densely everywhere
            kind.inside = max(len(inside), round(kind.whole * max(0, newest - after_id) / newest))

    async def _deeper(self, kind: _Kind, after_id: int, limit: int) -> None:
        """A page from the middle; with a start the one right above it, which tells how many there are up to there."""
        if not after_id:
            kind.add((await self._page(kind, 0, kind.whole // 2, limit)).posts, self._matcher)
            return
        page = await self._page(kind, after_id + 1, -limit, limit)
        inside = _above(page, after_id)
        kind.add(inside, self._matcher)
        if page.newer is not None and page.count:
            # The page knows the files that it searched; `whole` may hold kin of them, such as GIFs beside videos.
            kind.inside = round((page.newer + len(inside)) * kind.whole / page.count)
            kind.is_counted = True

    async def _page(self, kind: _Kind, offset_id: int, add_offset: int, limit: int) -> FoundPage:
        self._left -= 1
        return await self._client.find_files(self._peer, kind.kind, offset_id, add_offset, limit)


def _above(page: FoundPage, after_id: int) -> list[Post]:
    return [post for post in page.posts if post.message.id > after_id]
