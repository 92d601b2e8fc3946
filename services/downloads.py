"""The download engine: parts, window, hashes, resume. Where files come from and who is told stands in scraping.py.

A file is fetched in parts of 1 MiB, each written in its place; the SHA-256 of a part is stored after the write. So a
kill at any moment leaves parts that can be trusted once they are read again, and parts that are fetched again. A
whole file is renamed first and marked done then; one that was killed in between is recognised, not fetched again.

What a source that links or skips duplicates wants is looked for before it is fetched (the same document), and once more
when it is whole (the same bytes). The other file must be proven to lie there: its whole hash is read again. That costs
less than fetching, and a file is never given up for one that has rotted.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from functools import partial
from itertools import groupby
from typing import Protocol

from services.clients.base import PART_BYTES, FileLocation, Peer, Post, RangeHash
from services.clients.pool import ClientPool
from services.errors import (
    FileGone,
    FileReferenceExpired,
    FloodWait,
    FolderInvalid,
    NamesTaken,
    PorterError,
    TargetError,
    TargetFull,
    TelegramRefused,
)
from services.lanes import Lane, Lanes
from services.names import join
from services.proofs import Ask, Proof
from services.targets import Condition, IncomingFile, LinkImpossible, Target, Targets, part_count
from services.templates import DEFAULT, Template, facts_of, parse
from storage.files import FileRepository
from storage.models import Duplicates, File, FileState, NewMessage, Source, Twin

log = logging.getLogger(__name__)

BATCH = 100
"""Messages that are fetched again at once, for fresh locations."""
REFRESHES = 2
"""A location that is stale again and again is no location."""


class Report(Protocol):
    """Is told what happens. Cheap: called for every part."""

    def part(self, file: File, size_bytes: int) -> None: ...

    def done(self, file: File) -> None: ...

    def failed(self, file: File) -> None: ...

    def skipped(self, file: File) -> None:
        """Not kept: it is there already."""


Put = Callable[[str, str], Awaitable[bytes | None]]
"""(folder, name) -> the SHA-256 of the file that lies there durably now; None: the name is another file's."""


class Downloader:
    """Built once; each run calls `fetch_pending` for its source."""

    def __init__(self, files: FileRepository, pool: ClientPool, lanes: Lanes, *, zone: tzinfo = UTC) -> None:
        """`zone`: of the dates in names."""
        self._files = files
        self._pool = pool
        self._lanes = lanes
        self._zone = zone
        self._claimed: set[tuple[str | None, str]] = set()  # (root, path) that a file is just getting

    async def fetch_pending(self, source: Source, peer: Peer, targets: Targets, report: Report) -> None:
        """Every WANTED and PARTIAL file of the source. A file that fails is marked so and never stops the others.

        Raises what stops them all: FloodWait, Unreachable, SessionDead, ChannelUnavailable, TargetError.
        """
        template = parse(source.name_template or DEFAULT)
        lane = self._lanes.of(source.session_id)
        order = _Order(source, peer, targets, targets.of(source.root), template, report, lane)
        try:
            async with asyncio.TaskGroup() as group:
                async for file, post in self._pending(order):
                    slot = lane.slot(file.size_bytes)
                    await slot.acquire()
                    if order.full is not None:
                        slot.release()
                        break
                    fetching = group.create_task(self._fetch_in_slot(order, file, post))
                    # Not a `finally` of the task: one that is cancelled before its first step runs no line of it.
                    fetching.add_done_callback(partial(_release, slot))
        except BaseExceptionGroup as errors:
            raise _leading(errors) from errors
        if order.full is not None:
            raise order.full

    async def _pending(self, order: "_Order") -> AsyncIterator[tuple[File, Post | None]]:
        after_id = 0
        while batch := await self._files.pending(order.source.id, after_id, BATCH):
            after_id = batch[-1].id
            for channel_id, some in groupby(batch, key=lambda file: file.channel_id):
                files = list(some)
                posts = await self._posts(order, channel_id, sorted({file.message_id for file in files}))
                for file in files:
                    yield file, _post_of(posts, file)

    async def _posts(self, order: "_Order", channel_id: int, message_ids: list[int]) -> list[Post]:
        """A source that followed its group to a supergroup has files of both."""
        peer = order.peer
        if channel_id != peer.id:
            peer = await self._pool.peer(order.source.session_id, channel_id)
        async with self._pool.reading_for(order.source) as client:
            return await client.posts(peer, message_ids)

    # -- one file

    async def _fetch_in_slot(self, order: "_Order", file: File, post: Post | None) -> None:
        """The slot is the caller's to give back."""
        try:
            if post is None or post.location is None:
                raise FileGone
            state = await self._fetch(order, file, _Whereabouts(post.location), post.message)
        except (FileGone, FileReferenceExpired, TelegramRefused, NamesTaken, _FolderTaken) as error:
            cause = error.word if isinstance(error, TelegramRefused) else type(error).__name__.lstrip("_")
            log.warning("file %d failed: %s", file.id, cause, extra={"source_id": order.source.id})
            if isinstance(error, FileGone):
                await order.target.discard(order.source.folder, file.id)
            await self._files.failed(file.id, cause)
            order.report.failed(file)
        except TargetFull as error:
            order.full = error  # no file is begun any more; those on their way may still fit
        else:
            (order.report.skipped if state is FileState.SKIPPED else order.report.done)(file)

    async def _fetch(self, order: "_Order", file: File, where: "_Whereabouts", message: NewMessage) -> FileState:
        """Answers DONE or SKIPPED."""
        if order.source.duplicates is not Duplicates.KEEP:
            state = await self._settle_as(order, file, message, await self._files.twins_of_document(file))
            if state is not None:
                await order.target.discard(order.source.folder, file.id)
                return state
        hashes = await self._files.parts(file.id)
        parts = part_count(file.size_bytes)
        if (
            parts
            and len(hashes) == parts
            and await self._place(order, file, message, self._recogniser(order, file, hashes))
        ):
            return FileState.DONE
        async with order.target.incoming(order.source.folder, file.id, file.size_bytes) as incoming:
            have = await incoming.verified(hashes) if hashes else set()
            for number in have:
                order.report.part(file, _part_size(file, number))
            missing = deque(number for number in range(parts) if number not in have)
            hashes = {number: sha256 for number, sha256 in hashes.items() if number in have}
            await self._fetch_parts(order, file, where, incoming, missing, hashes)
            return await self._keep(order, file, message, incoming, hashes)

    async def _keep(
        self, order: "_Order", file: File, message: NewMessage, incoming: IncomingFile, hashes: dict[int, bytes]
    ) -> FileState:
        """A whole file gets its name, unless it is a duplicate after all."""
        if order.source.duplicates is not Duplicates.KEEP:
            twins = await self._files.twins_by_hash(file, await incoming.sha256())
            state = await self._settle_as(order, file, message, twins)
            if state is not None:
                await order.target.discard(order.source.folder, file.id)
                return state
        recognise = self._recogniser(order, file, hashes)

        async def put(folder: str, name: str) -> bytes | None:
            if await order.target.exists(folder, name):
                return await recognise(folder, name)
            return await incoming.finish(folder, name)

        if not await self._place(order, file, message, put):
            raise NamesTaken
        return FileState.DONE

    # -- duplicates

    async def _settle_as(self, order: "_Order", file: File, message: NewMessage, twins: list[Twin]) -> FileState | None:
        """DONE as a link of one of these, SKIPPED for the sake of one, or None: none of them is there as it was."""
        for twin in twins:
            if order.source.duplicates is Duplicates.SKIP:
                if await self._is_there(order, twin):
                    await self._files.skipped(file.id, twin.file_id)
                    return FileState.SKIPPED
            elif twin.root == order.source.root and await self._link(order, file, message, twin):
                return FileState.DONE
        return None

    async def _is_there(self, order: "_Order", twin: Twin) -> bool:
        try:
            target = order.targets.of(twin.root)
            return await target.condition(twin.path, twin.size_bytes, twin.sha256) is Condition.INTACT
        except TargetError as error:
            # A disk that is away proves nothing, and is no reason to wait.
            log.info("a duplicate is not proven: %s", error, extra={"source_id": order.source.id})
            return False

    async def _link(self, order: "_Order", file: File, message: NewMessage, twin: Twin) -> bool:
        async def put(folder: str, name: str) -> bytes | None:
            return twin.sha256 if await order.target.link(twin, folder, name) else None

        try:
            return await self._place(order, file, message, put, twin.file_id)
        except LinkImpossible:
            return False

    async def _fetch_parts(
        self,
        order: "_Order",
        file: File,
        where: "_Whereabouts",
        incoming: IncomingFile,
        missing: deque[int],
        hashes: dict[int, bytes],
    ) -> None:
        """Empties `missing`, fills `hashes`."""
        proof = Proof(self._hashes(order, where) if order.has_hashes and part_count(file.size_bytes) > 1 else None)

        async def work() -> None:
            while missing:
                number = missing.popleft()
                async with order.lane.unnoted.room(_part_size(file, number)):
                    data = await self._read_proven(order, file, where, number, proof)
                    hashes[number] = await incoming.write(number, data)
                    if part_count(file.size_bytes) > 1:  # a single part has nothing to resume
                        await self._files.add_part(file.id, number, hashes[number])
                await incoming.hash_ahead()  # not before the part is noted: until then a kill takes it
                order.report.part(file, len(data))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(order.lane.unnoted.limit_bytes // PART_BYTES, len(missing))):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            raise _leading(errors) from errors
        finally:
            await proof.end()
            order.has_hashes = order.has_hashes and proof.is_answered

    def _hashes(self, order: "_Order", where: "_Whereabouts") -> Ask:
        async def ask(offset: int) -> list[RangeHash]:
            async with self._pool.reading_for(order.source) as client:
                return await client.range_hashes(where.location, offset)

        return ask

    async def _read_proven(
        self, order: "_Order", file: File, where: "_Whereabouts", number: int, proof: Proof
    ) -> bytes:
        """A part that is not what Telegram says of it is fetched once more."""
        proof.begin(number)
        data = await self._read(order, file, where, number)
        if await proof.holds(number, data):
            return data
        log.warning("part %d of file %d is not what its hash says", number, file.id)
        data = await self._read(order, file, where, number)
        if not await proof.holds(number, data):
            raise TelegramRefused("HASH_MISMATCH")
        return data

    async def _read(self, order: "_Order", file: File, where: "_Whereabouts", number: int) -> bytes:
        wanted = _part_size(file, number)
        for attempt in range(REFRESHES + 1):
            location = where.location
            try:
                async with order.lane.window.room(wanted), self._pool.reading_for(order.source) as client:
                    data = await client.read_part(location, number)
            except FileReferenceExpired:
                if attempt == REFRESHES:
                    raise
                await self._refresh(order, file, where, location)
            else:
                if len(data) != wanted:
                    raise TelegramRefused("SIZE_MISMATCH")
                return data
        raise AssertionError("unreachable")

    async def _refresh(self, order: "_Order", file: File, where: "_Whereabouts", stale: FileLocation) -> None:
        """Once for all parts that found this location stale."""
        async with where.lock:
            if where.location is stale:
                fresh = _post_of(await self._posts(order, file.channel_id, [file.message_id]), file)
                if fresh is None or fresh.location is None:
                    raise FileGone
                where.location = fresh.location

    # -- names

    def _names(self, order: "_Order", file: File, message: NewMessage) -> Iterator[tuple[str, str]]:
        """(folder, name): the usual one, and one that no other file has: names may be the same, and an edited message
        may carry a second document."""
        facts = facts_of(file, order.source.channel_title, message, self._zone)
        for with_document in (False, True):
            below, name = order.template.render(facts, with_document=with_document)
            yield (join(order.source.folder, below) if below else order.source.folder), name

    async def _place(
        self, order: "_Order", file: File, message: NewMessage, put: Put, duplicate_of: int | None = None
    ) -> bool:
        """The whole file gets its name by `put` and is done. Answers whether.

        What lies under a name is never overwritten, whoever put it there.
        """
        for folder, name in self._names(order, file, message):
            path = join(folder, name)
            with self._claim(order.source, path) as is_ours:
                if not is_ours or await self._files.path_taken(order.source.id, path):
                    continue
                try:
                    sha256 = await put(folder, name)
                except FolderInvalid as error:
                    if folder == order.source.folder:
                        raise
                    raise _FolderTaken from error
                if sha256 is not None:
                    await self._files.done(file.id, path, sha256, duplicate_of)
                    return True
        return False

    def _recogniser(self, order: "_Order", file: File, hashes: dict[int, bytes]) -> Put:
        """A run that was killed between rename and `done` has left the whole file there: proven by its parts."""

        async def recognise(folder: str, name: str) -> bytes | None:
            sha256 = await order.target.find(folder, name, file.size_bytes, hashes)
            if sha256 is not None:
                await order.target.discard(order.source.folder, file.id)
            return sha256

        return recognise

    @contextmanager
    def _claim(self, source: Source, path: str) -> Iterator[bool]:
        """Whether nobody else is just giving this name to a file; two runs may share a folder, and there are disks
        for which `A.pdf` and `a.pdf` are one name."""
        claim = (source.root, path.casefold())
        if claim in self._claimed:
            yield False
            return
        self._claimed.add(claim)
        try:
            yield True
        finally:
            self._claimed.discard(claim)


class _FolderTaken(Exception):
    """A folder that the template asks for is a file, or a link that leads elsewhere. A matter of this file alone."""


@dataclass(slots=True)
class _Order:
    """One run's downloads: of which source, whereto, and how much at once."""

    source: Source
    peer: Peer
    targets: Targets
    target: Target
    template: Template
    report: Report
    lane: Lane
    full: TargetFull | None = None
    has_hashes: bool = True  # Telegram has not refused to tell them yet


@dataclass(slots=True)
class _Whereabouts:
    """Where a file lies at Telegram right now."""

    location: FileLocation
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


def _post_of(posts: list[Post], file: File) -> Post | None:
    """None: the message is gone, or carries another document by now."""
    for post in posts:
        if post.message.id == file.message_id and post.location and post.location.document_id == file.document_id:
            return post
    return None


def _release(slot: asyncio.Semaphore, _fetched: asyncio.Task[None]) -> None:
    slot.release()


def _part_size(file: File, number: int) -> int:
    return min(PART_BYTES, file.size_bytes - number * PART_BYTES)


def _leading(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error that says what to do: a defect before all others, then the longest flood wait, then any."""
    leaves = list(_leaves(errors))
    defects = [error for error in leaves if not isinstance(error, PorterError)]
    waits = sorted((error for error in leaves if isinstance(error, FloodWait)), key=lambda error: error.until)
    return [*leaves[:1], *waits, *defects][-1]


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for child in error.exceptions:
            yield from _leaves(child)
    else:
        yield error
