"""The download engine: parts, window, hashes, resume. Where files come from and who is told stands in scraping.py.

A file is fetched in parts of 1 MiB, each written in its place; the SHA-256 of a part is stored after the write. So a
kill at any moment leaves parts that can be trusted once they are read again, and parts that are fetched again. A
whole file is renamed first and marked done then; one that was killed in between is recognised, not fetched again.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from services.clients.base import PART_BYTES, FileLocation, Peer, Post
from services.clients.pool import ClientPool
from services.errors import FileGone, FileReferenceExpired, FloodWait, PorterError, TargetUnavailable, TelegramRefused
from services.names import file_name, join
from services.targets import IncomingFile, Target, part_count
from storage.files import FileRepository
from storage.models import File, Source

log = logging.getLogger(__name__)

# What Telegram bears (TELEGRAM.md, Files): files at once, and bytes that are asked for and not there yet.
SMALL_AT_ONCE = 5
LARGE_AT_ONCE = 2
LARGE_BYTES = 20 * 1024 * 1024
WINDOW_BYTES = 4 * 1024 * 1024
WORKERS = 6
"""Of one file: more than fill the window, so that it stays full while parts are written. Bounds the memory as well."""
BATCH = 100
"""Messages that are fetched again at once, for fresh locations."""
REFRESHES = 2
"""A location that is stale again and again is no location."""


class Report(Protocol):
    """Is told what happens. Cheap: called for every part."""

    def part(self, file: File, size_bytes: int) -> None: ...

    def done(self, file: File) -> None: ...

    def failed(self, file: File) -> None: ...


class Downloader:
    """Built once; each run calls `fetch_pending` for its source."""

    def __init__(self, files: FileRepository, pool: ClientPool) -> None:
        self._files = files
        self._pool = pool
        self._claimed: set[tuple[str, str]] = set()  # (target, path) that a file is just getting

    async def fetch_pending(self, source: Source, peer: Peer, target: Target, report: Report) -> None:
        """Every WANTED and PARTIAL file of the source. A file that fails is marked so and never stops the others.

        Raises what stops them all: FloodWait, Unreachable, SessionDead, ChannelUnavailable, TargetError.
        """
        order = _Order(source, peer, target, report)
        try:
            async with asyncio.TaskGroup() as group:
                async for file, location in self._pending(order):
                    slot = order.slot(file)
                    await slot.acquire()
                    group.create_task(self._fetch_in_slot(order, slot, file, location))
        except BaseExceptionGroup as errors:
            raise _leading(errors) from errors

    async def _pending(self, order: "_Order") -> AsyncIterator[tuple[File, FileLocation | None]]:
        after_id = 0
        while batch := await self._files.pending(order.source.id, after_id, BATCH):
            after_id = batch[-1].id
            posts = await self._posts(order, sorted({file.message_id for file in batch}))
            for file in batch:
                yield file, _location(posts, file)

    async def _posts(self, order: "_Order", message_ids: list[int]) -> list[Post]:
        async with self._pool.reading(order.source.session_id) as client:
            return await client.posts(order.peer, message_ids)

    # -- one file

    async def _fetch_in_slot(
        self, order: "_Order", slot: asyncio.Semaphore, file: File, location: FileLocation | None
    ) -> None:
        try:
            if location is None:
                raise FileGone
            await self._fetch(order, file, _Whereabouts(location))
        except (FileGone, FileReferenceExpired, TelegramRefused) as error:
            cause = error.word if isinstance(error, TelegramRefused) else type(error).__name__
            log.warning("file %d failed: %s", file.id, cause, extra={"source_id": order.source.id})
            if isinstance(error, FileGone):
                await order.target.discard(order.source.folder, file.id)
            await self._files.failed(file.id, cause)
            order.report.failed(file)
        else:
            order.report.done(file)
        finally:
            slot.release()

    async def _fetch(self, order: "_Order", file: File, where: "_Whereabouts") -> None:
        hashes = await self._files.parts(file.id)
        parts = part_count(file.size_bytes)
        if parts and len(hashes) == parts and await self._place(order, file, hashes, None):
            return
        async with order.target.incoming(order.source.folder, file.id, file.size_bytes) as incoming:
            have = await incoming.verified(hashes) if hashes else set()
            for number in have:
                order.report.part(file, _part_size(file, number))
            missing = deque(number for number in range(parts) if number not in have)
            hashes = {number: sha256 for number, sha256 in hashes.items() if number in have}
            await self._fetch_parts(order, file, where, incoming, missing, hashes)
            if not await self._place(order, file, hashes, incoming):
                raise TargetUnavailable("EEXIST")

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

        async def work() -> None:
            while missing:
                number = missing.popleft()
                data = await self._read(order, file, where, number)
                hashes[number] = await incoming.write(number, data)
                if part_count(file.size_bytes) > 1:  # a single part has nothing to resume
                    await self._files.add_part(file.id, number, hashes[number])
                order.report.part(file, len(data))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(WORKERS, len(missing))):
                    group.create_task(work())
        except BaseExceptionGroup as errors:
            raise _leading(errors) from errors

    async def _read(self, order: "_Order", file: File, where: "_Whereabouts", number: int) -> bytes:
        wanted = _part_size(file, number)
        for attempt in range(REFRESHES + 1):
            location = where.location
            try:
                async with order.window.room(wanted), self._pool.reading(order.source.session_id) as client:
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
                fresh = _location(await self._posts(order, [file.message_id]), file)
                if fresh is None:
                    raise FileGone
                where.location = fresh

    # -- names

    def _names(self, file: File) -> tuple[str, str]:
        """The usual one, and one that no other file has: an edited message may carry a second document."""
        return (
            file_name(file.message_id, file.name, file.kind, file.mime),
            file_name(file.message_id, file.name, file.kind, file.mime, file.document_id),
        )

    async def _place(
        self, order: "_Order", file: File, hashes: dict[int, bytes], incoming: IncomingFile | None
    ) -> bool:
        """The whole file gets its name and is done; `incoming` None: only if it lies there already. Answers whether.

        What lies under a name is never overwritten, whoever put it there.
        """
        folder = order.source.folder
        for name in self._names(file):
            path = join(folder, name)
            with self._claim(order.source, path) as is_ours:
                if not is_ours or await self._files.path_taken(order.source.id, path):
                    continue
                if await order.target.exists(folder, name):
                    sha256 = await self._recognise(order, file, name, hashes)
                else:
                    sha256 = await incoming.finish(name) if incoming else None
                if sha256 is not None:
                    await self._files.done(file.id, path, sha256)
                    return True
        return False

    async def _recognise(self, order: "_Order", file: File, name: str, hashes: dict[int, bytes]) -> bytes | None:
        """A run that was killed between rename and `done` has left the whole file there: proven by its parts."""
        sha256 = await order.target.find(order.source.folder, name, file.size_bytes, hashes)
        if sha256 is not None:
            await order.target.discard(order.source.folder, file.id)
        return sha256

    @contextmanager
    def _claim(self, source: Source, path: str) -> Iterator[bool]:
        """Whether nobody else is just giving this name to a file; two runs may share a folder."""
        claim = (source.target, path)
        if claim in self._claimed:
            yield False
            return
        self._claimed.add(claim)
        try:
            yield True
        finally:
            self._claimed.discard(claim)


class ByteWindow:
    """At most so many bytes at once; in the order of asking when it is full."""

    def __init__(self, size_bytes: int) -> None:
        self._free_bytes = size_bytes
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def room(self, size_bytes: int) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: self._free_bytes >= size_bytes)
            self._free_bytes -= size_bytes
        try:
            yield
        finally:
            self._free_bytes += size_bytes
            async with self._changed:
                self._changed.notify_all()


@dataclass(slots=True)
class _Order:
    """One run's downloads: of which source, whereto, and how much at once."""

    source: Source
    peer: Peer
    target: Target
    report: Report
    window: ByteWindow = field(default_factory=lambda: ByteWindow(WINDOW_BYTES))
    small: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SMALL_AT_ONCE))
    large: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LARGE_AT_ONCE))

    def slot(self, file: File) -> asyncio.Semaphore:
        return self.large if file.size_bytes >= LARGE_BYTES else self.small


@dataclass(slots=True)
class _Whereabouts:
    """Where a file lies at Telegram right now."""

    location: FileLocation
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


def _location(posts: list[Post], file: File) -> FileLocation | None:
    """None: the message is gone, or carries another document by now."""
    for post in posts:
        if post.message.id == file.message_id and post.location and post.location.document_id == file.document_id:
            return post.location
    return None


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
