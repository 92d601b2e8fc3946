"""Where files go. The only module that touches the disk of a target.

A file grows as `.porter-<file id>.part` in the source's folder and gets its name when it is whole: written, proven,
synced, renamed, folder synced. Every path is opened from the root downwards, component by component, without
following links, so that nothing that lies in a target leads out of it.

A root of NAS_ROOTS is opened only when it is the one that an admin has agreed to: its mark lies in it, and it is a file
system of its own if it was one then. The mark is read through the very descriptor that the file is opened from, so that
an empty mount point never gets a byte, whenever the disk goes away.
"""

import asyncio
import errno
import hashlib
import os
import re
import secrets
import stat
import threading
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import count, islice
from pathlib import Path, PurePosixPath
from typing import Protocol, TypeVar

from services.clients.base import PART_BYTES
from services.errors import FolderInvalid, NotFound, TargetFull, TargetGone, TargetReadOnly, TargetUnavailable
from services.names import MAX_NAME_BYTES, is_safe_folder, safe_name
from storage.models import RootSeal, Twin
from storage.roots import RootRepository

T = TypeVar("T")

LEADS_OUT = (errno.ELOOP, errno.ENOTDIR)
IS_FULL = (errno.ENOSPC, errno.EDQUOT)
IS_GONE = (
    errno.ENOENT,
    errno.ENODEV,
    errno.ENXIO,
    errno.EIO,
    errno.ESTALE,
    errno.ENOTCONN,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ETIMEDOUT,
)
NO_LINK = (errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES)
NO_FOLDER_SYNC = (errno.EINVAL, errno.EOPNOTSUPP)  # some network file systems: names are as safe as they make them
MARK_NAME = ".porter-root"
MARK = re.compile(rb"[0-9a-f]{32}\n")
RESERVE_BYTES = 512 * 1024 * 1024
"""A disk that is full to the last byte breaks what else lives on it: logs, databases, the NAS's own snapshots."""
MANY_ENTRIES = 1000
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
OPEN_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # not even a pipe that lies there makes us wait


def check_folder(folder: str) -> str:
    """The folder as it is stored, relative to the root of a target. Raises FolderInvalid."""
    folder = unicodedata.normalize("NFC", folder)
    if not is_safe_folder(folder):
        raise FolderInvalid
    return folder


class Condition(StrEnum):
    """How a file that was DONE is found."""

    INTACT = "INTACT"
    DAMAGED = "DAMAGED"
    MISSING = "MISSING"


@dataclass(frozen=True, slots=True)
class RootLook:
    """What an admin should know of a root before it is used. `entries`: at most MANY_ENTRIES are counted."""

    name: str
    entries: int
    free_bytes: int
    is_mount: bool
    is_known: bool
    """It is the one that was agreed to."""


class IncomingFile(Protocol):
    """A file on its way in. Raises TargetUnavailable."""

    async def verified(self, hashes: Mapping[int, bytes]) -> set[int]:
        """Which of these parts lie on disk with just that SHA-256."""

    async def write(self, number: int, data: bytes) -> bytes:
        """Part `number` into its place; answers its SHA-256."""

    async def sha256(self) -> bytes:
        """Of the whole file, all parts of which are there; read back from the disk."""

    async def finish(self, folder: str, name: str) -> bytes:
        """The whole file under its final name, durable; answers its SHA-256. Raises FolderInvalid."""


class Target(Protocol):
    """Raises FolderInvalid, TargetUnavailable. `hashes`: SHA-256 of each part of PART_BYTES, by its number."""

    async def check(self, need_bytes: int = 0) -> None:
        """Cheap. That it is there, may be written and has room for so much beside the reserve."""

    def incoming(self, folder: str, file_id: int, size_bytes: int) -> AbstractAsyncContextManager[IncomingFile]:
        """A file that grows; what an earlier run left of it is still there."""

    async def exists(self, folder: str, name: str) -> bool: ...

    async def find(self, folder: str, name: str, size_bytes: int, hashes: Mapping[int, bytes]) -> bytes | None:
        """SHA-256 of the file of that name if it has that size and just these parts, else None. Durable then."""

    async def link(self, twin: Twin, folder: str, name: str) -> bool:
        """The twin under a second name, durable. False: that name is another file's.

        Raises LinkImpossible, also when the twin is not there any more as it was.
        """

    async def condition(self, path: str, size_bytes: int, sha256: bytes) -> Condition:
        """Reads the whole file. Raises TargetGone as well where a root is empty that held files."""

    async def set_aside(self, path: str) -> None:
        """Another name for what lies there, `<name>.damaged`, so that the good one can come back."""

    async def discard(self, folder: str, file_id: int) -> None:
        """Drop what has come of a file that will never be whole."""


class LinkImpossible(Exception):
    """Other file system, one without links, or the original is not proven."""


class Targets:
    """The targets: LOCAL, and the roots of NAS_ROOTS by name. `load` once, before any of those is used."""

    def __init__(
        self,
        local_root: Path,
        nas_roots: Mapping[str, Path] | None = None,
        seals: RootRepository | None = None,
        *,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> None:
        """`seals` are needed where there are `nas_roots`."""
        self._local = LocalTarget(local_root, reserve_bytes=reserve_bytes)
        self._guards = {name: Guard() for name in nas_roots or {}}
        self._nas = {
            name: LocalTarget(path, self._guards[name], reserve_bytes=reserve_bytes)
            for name, path in (nas_roots or {}).items()
        }
        self._seals = seals

    @property
    def roots(self) -> list[str]:
        """Names of NAS_ROOTS, as the operator wrote them."""
        return list(self._nas)

    async def load(self) -> None:
        seals = await self._seals.all() if self._seals else {}
        for name, guard in self._guards.items():
            guard.seal = seals.get(name)

    def of(self, root: str | None) -> "LocalTarget":
        """None: LOCAL. Raises TargetGone: no such root is set."""
        if root is None:
            return self._local
        if root not in self._nas:
            raise TargetGone("UNSET")
        return self._nas[root]

    async def look(self, root: str) -> RootLook:
        """Raises NotFound, TargetUnavailable."""
        if root not in self._nas:
            raise NotFound("root")
        return await self._nas[root].look(root)

    async def use(self, root: str) -> None:
        """An admin agrees to the root as it is now: from here on it is known by its mark.

        Raises NotFound, TargetUnavailable.
        """
        if root not in self._nas or self._seals is None:
            raise NotFound("root")
        seal = await self._nas[root].mark()
        await self._seals.put(root, seal)
        self._guards[root].seal = seal


class Guard:
    """Knows a root again. Without a seal it knows none."""

    def __init__(self) -> None:
        self.seal: RootSeal | None = None

    def knows(self, root_fd: int) -> bool:
        """Blocking."""
        seal = self.seal
        return seal is not None and _read_mark(root_fd) == seal.mark and (_is_mount(root_fd) or not seal.is_mount)


class LocalTarget:
    """A directory of this machine. `root` itself may be a link; nothing below it is followed.

    With a guard nothing is written, nor the root made, unless the guard knows it.
    """

    def __init__(self, root: Path, guard: Guard | None = None, *, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._root = root
        self._guard = guard
        self._reserve_bytes = reserve_bytes

    async def check(self, need_bytes: int = 0) -> None:
        def check() -> None:
            with _errors(), self.open_root() as root_fd:
                self.check_room(root_fd, need_bytes)

        await _in_thread(check)

    async def free_bytes(self) -> int | None:
        """Beside the reserve. None: the file system knows no sizes. Raises TargetUnavailable."""

        def free() -> int | None:
            with _errors(), self.open_root() as root_fd:
                space = os.fstatvfs(root_fd)
                return max(0, space.f_bavail * space.f_frsize - self._reserve_bytes) if space.f_blocks else None

        return await _in_thread(free)

    @asynccontextmanager
    async def incoming(self, folder: str, file_id: int, size_bytes: int) -> AsyncIterator[IncomingFile]:
        file = _LocalFile(self, folder, file_id, size_bytes)
        try:
            await _in_thread(file.open)
            yield file
        finally:
            await _in_thread(file.close)

    async def exists(self, folder: str, name: str) -> bool:
        return await _in_thread(lambda: self._exists(folder, name))

    async def find(self, folder: str, name: str, size_bytes: int, hashes: Mapping[int, bytes]) -> bytes | None:
        return await _in_thread(lambda: self._find(folder, name, size_bytes, hashes))

    async def link(self, twin: Twin, folder: str, name: str) -> bool:
        stop = threading.Event()
        return await _in_thread(lambda: self._link(twin, folder, name, stop), stop)

    async def condition(self, path: str, size_bytes: int, sha256: bytes) -> Condition:
        stop = threading.Event()
        return await _in_thread(lambda: self._condition(path, size_bytes, sha256, stop), stop)

    async def set_aside(self, path: str) -> None:
        await _in_thread(lambda: self._set_aside(path))

    async def discard(self, folder: str, file_id: int) -> None:
        await _in_thread(lambda: self._discard(folder, file_id))

    async def look(self, name: str) -> RootLook:
        def look() -> RootLook:
            with _errors(), self._open_any_root() as root_fd:
                with os.scandir(root_fd) as found:
                    entries = sum(1 for entry in islice(found, MANY_ENTRIES) if entry.name != MARK_NAME)
                space = os.fstatvfs(root_fd)
                is_known = self._guard is None or self._guard.knows(root_fd)
                return RootLook(name, entries, space.f_bavail * space.f_frsize, _is_mount(root_fd), is_known)

        return await _in_thread(look)

    async def mark(self) -> RootSeal:
        """The mark of the root as it is; one is made where there is none. Another Porter's is left and shared."""

        def mark() -> RootSeal:
            with _errors(), self._open_any_root() as root_fd:
                self.check_room(root_fd, 0)
                return RootSeal(_read_mark(root_fd) or _make_mark(root_fd), _is_mount(root_fd))

        return await _in_thread(mark)

    # -- blocking, for this module

    @contextmanager
    def open_root(self) -> Iterator[int]:
        """A descriptor of the root. Raises TargetGone when it is not the one that the guard knows."""
        if self._guard is None:
            self._root.mkdir(parents=True, exist_ok=True)
        with self._open_any_root() as root_fd:
            if self._guard is not None and not self._guard.knows(root_fd):
                raise TargetGone("UNMARKED")
            yield root_fd

    def open_folder(self, folder: str) -> int:
        """A descriptor of root/folder; what is missing of it is made, durably. The caller closes it."""
        parts = check_folder(folder).split("/")
        with self.open_root() as root_fd:
            fd = os.dup(root_fd)
        for part in parts:
            fd = _below(fd, part, make=True)
        return fd

    def check_room(self, fd: int, need_bytes: int) -> None:
        """Raises TargetFull, TargetReadOnly."""
        space = os.fstatvfs(fd)
        if space.f_flag & os.ST_RDONLY:
            raise TargetReadOnly("EROFS")
        # Some network file systems know no sizes: a disk of none says nothing.
        if space.f_blocks and space.f_bavail * space.f_frsize - need_bytes < self._reserve_bytes:
            raise TargetFull("RESERVE")

    @contextmanager
    def _open_any_root(self) -> Iterator[int]:
        try:
            root_fd = os.open(self._root, OPEN_FOLDER)
        except FileNotFoundError as error:
            raise TargetGone("ENOENT") from error
        try:
            yield root_fd
        finally:
            os.close(root_fd)

    @contextmanager
    def _folder(self, folder: str) -> Iterator[int]:
        """A descriptor of a folder; nothing is made. Raises _Nothing when it is not there."""
        parts = [] if folder == "." else check_folder(folder).split("/")
        with self.open_root() as root_fd:
            fd = os.dup(root_fd)
        for part in parts:
            fd = _below(fd, part, make=False)
        try:
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def _file(self, path: str) -> Iterator[int]:
        """A descriptor of a plain file. Raises _Nothing where nothing is, _NotPlain where something else is."""
        place = PurePosixPath(path)
        try:
            with self._folder(str(place.parent)) as folder_fd:
                fd = os.open(place.name, os.O_RDONLY | OPEN_FILE, dir_fd=folder_fd)
        except FileNotFoundError as error:
            raise _Nothing from error
        except OSError as error:
            if error.errno in LEADS_OUT:
                raise _NotPlain from error
            raise
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise _NotPlain
            yield fd
        finally:
            os.close(fd)

    def _exists(self, folder: str, name: str) -> bool:
        with _errors(), suppress(_Nothing), self._folder(folder) as folder_fd:
            return _lies(folder_fd, name)
        return False

    def _find(self, folder: str, name: str, size_bytes: int, hashes: Mapping[int, bytes]) -> bytes | None:
        with _errors(), suppress(_Nothing, _NotPlain), self._file(f"{folder}/{name}") as fd:
            if os.fstat(fd).st_size != size_bytes:
                return None
            if any(_part_hash(fd, number) != hashes.get(number) for number in range(part_count(size_bytes))):
                return None
            sha256 = _whole_hash(fd)
            # It may have been killed just after it got its name.
            os.fsync(fd)
            with self._folder(folder) as folder_fd:
                _sync_folder(folder_fd)
            return sha256
        return None

    def _link(self, twin: Twin, folder: str, name: str, stop: threading.Event) -> bool:
        place = PurePosixPath(twin.path)
        with _errors():
            try:
                with self._file(twin.path) as fd:
                    if os.fstat(fd).st_size != twin.size_bytes or _whole_hash(fd, stop) != twin.sha256:
                        raise LinkImpossible
                    folder_fd = self.open_folder(folder)
                    try:
                        with self._folder(str(place.parent)) as twin_fd:
                            return _link(twin_fd, place.name, os.fstat(fd), folder_fd, name)
                    finally:
                        os.close(folder_fd)
            except (_Nothing, _NotPlain) as error:
                raise LinkImpossible from error

    def _condition(self, path: str, size_bytes: int, sha256: bytes, stop: threading.Event) -> Condition:
        with _errors():
            try:
                with self._file(path) as fd:
                    same = os.fstat(fd).st_size == size_bytes and _whole_hash(fd, stop) == sha256
                    return Condition.INTACT if same else Condition.DAMAGED
            except _NotPlain:
                return Condition.DAMAGED
            except _Nothing:
                if self._is_empty():
                    raise TargetGone("EMPTY") from None
                return Condition.MISSING

    def _is_empty(self) -> bool:
        with self.open_root() as root_fd, os.scandir(root_fd) as entries:
            return all(entry.name == MARK_NAME for entry in entries)

    def _set_aside(self, path: str) -> None:
        place = PurePosixPath(path)
        with _errors(), suppress(_Nothing, FileNotFoundError), self._folder(str(place.parent)) as folder_fd:
            endings = (f".damaged{n or ''}" for n in count())
            names = (safe_name(place.name, MAX_NAME_BYTES - len(ending)) + ending for ending in endings)
            free = next(name for name in names if not _lies(folder_fd, name))
            os.rename(place.name, free, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
            _sync_folder(folder_fd)

    def _discard(self, folder: str, file_id: int) -> None:
        with _errors(), suppress(_Nothing, FileNotFoundError), self._folder(folder) as folder_fd:
            os.unlink(_part_name(file_id), dir_fd=folder_fd)


class _LocalFile:
    """Holds its folder and itself open, so that neither can be exchanged under it."""

    def __init__(self, target: LocalTarget, folder: str, file_id: int, size_bytes: int) -> None:
        self._target = target
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
        """Blocking; close() is due even when this raises. A file for which there is no room is not begun."""
        with _errors():
            self._folder_fd = self._target.open_folder(self._folder)
            there = _allocated_bytes(self._folder_fd, self._part_name)
            self._target.check_room(self._folder_fd, max(0, self._size_bytes - there))
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
                self._target.check_room(self._fd, len(data))  # others write as well
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

    async def sha256(self) -> bytes:
        return await _in_thread(self._whole)

    async def finish(self, folder: str, name: str) -> bytes:
        def finish() -> bytes:
            sha256 = self._whole()
            with _errors():
                os.fsync(self._fd)
                named_fd = self._target.open_folder(folder)
                try:
                    os.rename(self._part_name, name, src_dir_fd=self._folder_fd, dst_dir_fd=named_fd)
                    _sync_folder(named_fd)
                finally:
                    os.close(named_fd)
            return sha256

        return await _in_thread(finish)

    def _whole(self) -> bytes:
        with _errors():
            if os.fstat(self._fd).st_size != self._size_bytes:
                raise OSError(errno.EIO, "somebody else has changed the file")
            self._there.update(range(part_count(self._size_bytes)))
            self._hash_on()
        return self._digest.digest()

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


def _whole_hash(fd: int, stop: threading.Event | None = None) -> bytes:
    """Read in parts: memory stays bounded, whatever the size. `stop` set: nobody waits for the answer any more."""
    digest, offset = hashlib.sha256(), 0
    while (block := os.pread(fd, PART_BYTES, offset)) and not (stop and stop.is_set()):
        digest.update(block)
        offset += len(block)
    return digest.digest()


class _Nothing(Exception):
    """No such file or folder below the root."""


class _NotPlain(Exception):
    """A link, a folder, a pipe."""


def _below(fd: int, part: str, *, make: bool) -> int:
    """A descriptor of a folder in that one, which is closed. Raises _Nothing."""
    try:
        if make:
            try:
                os.mkdir(part, dir_fd=fd)
            except FileExistsError:
                pass
            else:
                _sync_folder(fd)
        return os.open(part, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=fd)
    except FileNotFoundError as error:
        if make:
            raise
        raise _Nothing from error
    finally:
        os.close(fd)


def _sync_folder(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise


def _lies(folder_fd: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _allocated_bytes(folder_fd: int, name: str) -> int:
    try:
        return os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0


def _link(twin_fd: int, twin_name: str, proven: os.stat_result, folder_fd: int, name: str) -> bool:
    """`proven`: of the file that was hashed, in case another one has got its name since."""
    try:
        os.link(twin_name, name, src_dir_fd=twin_fd, dst_dir_fd=folder_fd, follow_symlinks=False)
    except FileExistsError:
        is_ours = _is_same(os.stat(name, dir_fd=folder_fd, follow_symlinks=False), proven)
        if is_ours:  # killed between the link and its row
            _sync_folder(folder_fd)
        return is_ours
    except OSError as error:
        if error.errno in NO_LINK:
            raise LinkImpossible from error
        raise
    if not _is_same(os.stat(name, dir_fd=folder_fd, follow_symlinks=False), proven):
        os.unlink(name, dir_fd=folder_fd)
        raise LinkImpossible
    _sync_folder(folder_fd)
    return True


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def _is_mount(root_fd: int) -> bool:
    """Whether the root is a file system of its own."""
    return os.fstat(root_fd).st_dev != os.stat("..", dir_fd=root_fd).st_dev


def _read_mark(root_fd: int) -> str | None:
    """None: there is none, or what has its name is none."""
    try:
        fd = os.open(MARK_NAME, os.O_RDONLY | OPEN_FILE, dir_fd=root_fd)
        try:
            text = os.read(fd, 64)
        finally:
            os.close(fd)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP, errno.EISDIR):
            return None
        raise
    return text.decode().strip() if MARK.fullmatch(text) else None


def _make_mark(root_fd: int) -> str:
    mark = secrets.token_hex(16)
    growing = f"{MARK_NAME}.new"
    fd = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | OPEN_FILE, 0o644, dir_fd=root_fd)
    try:
        os.write(fd, f"{mark}\n".encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(growing, MARK_NAME, src_dir_fd=root_fd, dst_dir_fd=root_fd)
    _sync_folder(root_fd)
    return mark


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in LEADS_OUT:
            raise FolderInvalid from error
        word = errno.errorcode.get(error.errno or 0, "unknown")
        if error.errno in IS_FULL:
            raise TargetFull(word) from error
        if error.errno == errno.EROFS:
            raise TargetReadOnly(word) from error
        raise (TargetGone if error.errno in IS_GONE else TargetUnavailable)(word) from error


async def _in_thread(work: Callable[[], T], stop: threading.Event | None = None) -> T:
    """Blocking I/O, seen to its end even when we are cancelled: a write must not outlive the run that asked for it,
    nor its descriptor be closed (and given to another file) while a thread still writes. `stop` is set then."""
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        if stop is not None:
            stop.set()
        await asyncio.wait({thread})
        if not thread.cancelled():
            thread.exception()  # seen; the cancellation is what the caller hears of
        raise
