"""Where files go. The only module that touches the disk of a target.

A file grows as `.porter-<file id>.part` beside its final name and gets that name when it is whole: written, proven,
synced, renamed, folder synced. Every path is opened from the root downwards, component by component, without
following links, so that nothing that lies in a target leads out of it.
"""

import asyncio
import errno
import hashlib
import os
import stat
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from services.clients.base import PART_BYTES
from services.errors import FolderInvalid, TargetUnavailable
from services.names import is_safe_folder
from storage.models import TargetKind

T = TypeVar("T")

LEADS_OUT = (errno.ELOOP, errno.ENOTDIR)
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
OPEN_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # not even a pipe that lies there makes us wait


def check_folder(folder: str) -> str:
    """The folder as it is stored, relative to the root of a target. Raises FolderInvalid."""
    folder = unicodedata.normalize("NFC", folder)
    if not is_safe_folder(folder):
        raise FolderInvalid
    return folder


class IncomingFile(Protocol):
    """A file on its way in. Raises TargetUnavailable."""

    async def verified(self, hashes: Mapping[int, bytes]) -> set[int]:
        """Which of these parts lie on disk with just that SHA-256."""

    async def write(self, number: int, data: bytes) -> bytes:
        """Part `number` into its place; answers its SHA-256."""

    async def finish(self, name: str) -> bytes:
        """The whole file under its final name, durable; answers its SHA-256, read back from the disk."""


class Target(Protocol):
    """Raises FolderInvalid, TargetUnavailable. `hashes`: SHA-256 of each part of PART_BYTES, by its number."""

    def incoming(self, folder: str, file_id: int, size_bytes: int) -> AbstractAsyncContextManager[IncomingFile]:
        """A file that grows; what an earlier run left of it is still there."""

    async def exists(self, folder: str, name: str) -> bool: ...

    async def find(self, folder: str, name: str, size_bytes: int, hashes: Mapping[int, bytes]) -> bytes | None:
        """SHA-256 of the file of that name if it has that size and just these parts, else None."""

    async def discard(self, folder: str, file_id: int) -> None:
        """Drop what has come of a file that will never be whole."""


class Targets:
    """The targets by kind."""

    def __init__(self, local_root: Path) -> None:
        self._by_kind: dict[TargetKind, Target] = {TargetKind.LOCAL: LocalTarget(local_root)}

    def of(self, kind: TargetKind) -> Target:
        return self._by_kind[kind]


class LocalTarget:
    """A directory of this machine. `root` itself may be a link; nothing below it is followed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @asynccontextmanager
    async def incoming(self, folder: str, file_id: int, size_bytes: int) -> AsyncIterator[IncomingFile]:
        file = _LocalFile(self._root, folder, file_id, size_bytes)
        try:
            await _in_thread(file.open)
            yield file
        finally:
            await _in_thread(file.close)

    async def exists(self, folder: str, name: str) -> bool:
        return await _in_thread(lambda: self._exists(folder, name))

    async def find(self, folder: str, name: str, size_bytes: int, hashes: Mapping[int, bytes]) -> bytes | None:
        return await _in_thread(lambda: self._find(folder, name, size_bytes, hashes))

    async def discard(self, folder: str, file_id: int) -> None:
        await _in_thread(lambda: self._discard(folder, file_id))

    def _exists(self, folder: str, name: str) -> bool:
        with _errors(), _folder(self._root, folder) as folder_fd:
            try:
                os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
            except FileNotFoundError:
                return False
            return True

    def _find(self, folder: str, name: str, size_bytes: int, hashes: Mapping[int, bytes]) -> bytes | None:
        with _errors(), _folder(self._root, folder) as folder_fd:
            try:
                fd = os.open(name, os.O_RDONLY | OPEN_FILE, dir_fd=folder_fd)
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ELOOP):
                    return None
                raise
            try:
                status = os.fstat(fd)
                if not stat.S_ISREG(status.st_mode) or status.st_size != size_bytes:
                    return None
                numbers = range(part_count(size_bytes))
                return _whole_hash(fd) if all(_part_hash(fd, n) == hashes.get(n) for n in numbers) else None
            finally:
                os.close(fd)

    def _discard(self, folder: str, file_id: int) -> None:
        with _errors(), _folder(self._root, folder) as folder_fd, suppress(FileNotFoundError):
            os.unlink(_part_name(file_id), dir_fd=folder_fd)


class _LocalFile:
    """Holds its folder and itself open, so that neither can be exchanged under it."""

    def __init__(self, root: Path, folder: str, file_id: int, size_bytes: int) -> None:
        self._root = root
        self._folder = folder
        self._part_name = _part_name(file_id)
        self._size_bytes = size_bytes
        self._folder_fd = -1
        self._fd = -1
        # The hash of the whole grows behind the parts, so that a large file is not read once more at its end.
        self._there: set[int] = set()
        self._digest = hashlib.sha256()
        self._hashed_parts = 0
        self._hashing = threading.Lock()

    def open(self) -> None:
        """Blocking; close() is due even when this raises."""
        with _errors():
            self._folder_fd = _open_folder(self._root, self._folder)
            self._fd = os.open(self._part_name, os.O_RDWR | os.O_CREAT | OPEN_FILE, 0o666, dir_fd=self._folder_fd)
            if not stat.S_ISREG(os.fstat(self._fd).st_mode):
                raise OSError(errno.ENOTDIR, "not a plain file")
            os.ftruncate(self._fd, self._size_bytes)

    def close(self) -> None:
        for fd in (self._fd, self._folder_fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._folder_fd = -1

    async def verified(self, hashes: Mapping[int, bytes]) -> set[int]:
        def read() -> set[int]:
            with _errors():
                proven = {number for number, sha256 in hashes.items() if _part_hash(self._fd, number) == sha256}
            self._there |= proven
            return proven

        return await _in_thread(read)

    async def write(self, number: int, data: bytes) -> bytes:
        def write() -> bytes:
            with _errors():
                view, offset = memoryview(data), number * PART_BYTES
                while view:
                    written = os.pwrite(self._fd, view, offset)
                    view, offset = view[written:], offset + written
                self._there.add(number)
                if self._hashing.acquire(blocking=False):  # else another thread is at it, and goes as far as it can
                    try:
                        self._hash_on()
                    finally:
                        self._hashing.release()
            return hashlib.sha256(data).digest()

        return await _in_thread(write)

    async def finish(self, name: str) -> bytes:
        def finish() -> bytes:
            with _errors():
                if os.fstat(self._fd).st_size != self._size_bytes:
                    raise OSError(errno.EIO, "somebody else has changed the file")
                self._there.update(range(part_count(self._size_bytes)))
                self._hash_on()
                os.fsync(self._fd)
                os.rename(self._part_name, name, src_dir_fd=self._folder_fd, dst_dir_fd=self._folder_fd)
                os.fsync(self._folder_fd)
            return self._digest.digest()

        return await _in_thread(finish)

    def _hash_on(self) -> None:
        """Blocking. Reads from the disk what is there without a gap behind what is hashed."""
        while self._hashed_parts in self._there:
            self._digest.update(os.pread(self._fd, PART_BYTES, self._hashed_parts * PART_BYTES))
            self._hashed_parts += 1


def part_count(size_bytes: int) -> int:
    return -(-size_bytes // PART_BYTES)


def _part_name(file_id: int) -> str:
    return f".porter-{file_id}.part"


def _part_hash(fd: int, number: int) -> bytes:
    return hashlib.sha256(os.pread(fd, PART_BYTES, number * PART_BYTES)).digest()


def _whole_hash(fd: int) -> bytes:
    """Read in parts: memory stays bounded, whatever the size."""
    digest, offset = hashlib.sha256(), 0
    while block := os.pread(fd, PART_BYTES, offset):
        digest.update(block)
        offset += len(block)
    return digest.digest()


def _open_folder(root: Path, folder: str) -> int:
    """A descriptor of root/folder; what is missing of it is made. The caller closes it."""
    parts = check_folder(folder).split("/")
    root.mkdir(parents=True, exist_ok=True)
    fd = os.open(root, OPEN_FOLDER)
    for part in parts:
        try:
            with suppress(FileExistsError):
                os.mkdir(part, dir_fd=fd)
            below = os.open(part, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=fd)
        finally:
            os.close(fd)
        fd = below
    return fd


@contextmanager
def _folder(root: Path, folder: str) -> Iterator[int]:
    fd = _open_folder(root, folder)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in LEADS_OUT:
            raise FolderInvalid from error
        raise TargetUnavailable(errno.errorcode.get(error.errno or 0, "unknown")) from error


async def _in_thread(work: Callable[[], T]) -> T:
    """Blocking I/O, seen to its end even when we are cancelled: a write must not outlive the run that asked for it,
    nor its descriptor be closed (and given to another file) while a thread still writes."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait({thread})
        if not thread.cancelled():
            thread.exception()  # seen; the cancellation is what the caller hears of
        raise
