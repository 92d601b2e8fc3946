"""A directory of this machine, with a guard for what may be unmounted.

The mark of a guarded root is read through the very descriptor that the file is opened from, so that an empty mount
point never gets a byte, whenever the disk goes away.
"""

import os
import stat
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count, islice
from pathlib import Path, PurePosixPath

from services.errors import TargetFull, TargetGone, TargetReadOnly
from services.names import MAX_NAME_BYTES, safe_name
from services.targets import disk
from services.targets.contract import (
    MANY_ENTRIES,
    Condition,
    IncomingFile,
    LinkImpossible,
    RootLook,
    check_folder,
    part_count,
)
from services.targets.incoming import LocalFile
from storage.models import RootSeal, Twin

RESERVE_BYTES = 512 * 1024 * 1024
"""A disk that is full to the last byte breaks what else lives on it: logs, databases, the NAS's own snapshots."""


class Guard:
    """Knows a root again. Without a seal it knows none."""

    def __init__(self) -> None:
        self.seal: RootSeal | None = None

    def knows(self, root_fd: int) -> bool:
        """Blocking."""
        seal = self.seal
        return (
            seal is not None and disk.read_mark(root_fd) == seal.mark and (disk.is_mount(root_fd) or not seal.is_mount)
        )


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
            with disk.errors(), self.open_root() as root_fd:
                self.check_room(root_fd, need_bytes)

        await disk.in_thread(check)

    @asynccontextmanager
    async def incoming(self, folder: str, file_id: int, size_bytes: int) -> AsyncIterator[IncomingFile]:
        file = LocalFile(self, folder, file_id, size_bytes)
        try:
            await disk.in_thread(file.open)
            yield file
        finally:
            await disk.in_thread(file.close)

    async def exists(self, folder: str, name: str) -> bool:
        return await disk.in_thread(lambda: self._exists(folder, name))

    async def find(self, folder: str, name: str, size_bytes: int, hashes: Mapping[int, bytes]) -> bytes | None:
        return await disk.in_thread(lambda: self._find(folder, name, size_bytes, hashes))

    async def link(self, twin: Twin, folder: str, name: str) -> bool:
        stop = threading.Event()
        return await disk.in_thread(lambda: self._link(twin, folder, name, stop), stop)

    async def condition(self, path: str, size_bytes: int, sha256: bytes) -> Condition:
        stop = threading.Event()
        return await disk.in_thread(lambda: self._condition(path, size_bytes, sha256, stop), stop)

    async def set_aside(self, path: str) -> None:
        await disk.in_thread(lambda: self._set_aside(path))

    async def discard(self, folder: str, file_id: int) -> None:
        await disk.in_thread(lambda: self._discard(folder, file_id))

    async def look(self, name: str) -> RootLook:
        def look() -> RootLook:
            with disk.errors(), self._open_any_root() as root_fd:
                with os.scandir(root_fd) as found:
                    entries = sum(1 for entry in islice(found, MANY_ENTRIES) if entry.name != disk.MARK_NAME)
                space = os.fstatvfs(root_fd)
                is_known = self._guard is None or self._guard.knows(root_fd)
                return RootLook(name, entries, space.f_bavail * space.f_frsize, disk.is_mount(root_fd), is_known)

        return await disk.in_thread(look)

    async def mark(self) -> RootSeal:
        """The mark of the root as it is; one is made where there is none. Another Porter's is left and shared."""

        def mark() -> RootSeal:
            with disk.errors(), self._open_any_root() as root_fd:
                self.check_room(root_fd, 0)
                return RootSeal(disk.read_mark(root_fd) or disk.make_mark(root_fd), disk.is_mount(root_fd))

        return await disk.in_thread(mark)

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
            fd = disk.below(fd, part, make=True)
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
            root_fd = os.open(self._root, disk.OPEN_FOLDER)
        except FileNotFoundError as error:
            raise TargetGone("ENOENT") from error
        try:
            yield root_fd
        finally:
            os.close(root_fd)

    @contextmanager
    def _folder(self, folder: str) -> Iterator[int]:
        """A descriptor of a folder; nothing is made. Raises disk.Nothing when it is not there."""
        parts = [] if folder == "." else check_folder(folder).split("/")
        with self.open_root() as root_fd:
            fd = os.dup(root_fd)
        for part in parts:
            fd = disk.below(fd, part, make=False)
        try:
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def _file(self, path: str) -> Iterator[int]:
        """A descriptor of a plain file. Raises disk.Nothing where nothing is, disk.NotPlain where something else is."""
        place = PurePosixPath(path)
        try:
            with self._folder(str(place.parent)) as folder_fd:
                fd = os.open(place.name, os.O_RDONLY | disk.OPEN_FILE, dir_fd=folder_fd)
        except FileNotFoundError as error:
            raise disk.Nothing from error
        except OSError as error:
            if error.errno in disk.LEADS_OUT:
                raise disk.NotPlain from error
            raise
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise disk.NotPlain
            yield fd
        finally:
            os.close(fd)

    def _exists(self, folder: str, name: str) -> bool:
        with disk.errors(), suppress(disk.Nothing), self._folder(folder) as folder_fd:
            return disk.lies(folder_fd, name)
        return False

    def _find(self, folder: str, name: str, size_bytes: int, hashes: Mapping[int, bytes]) -> bytes | None:
        with disk.errors(), suppress(disk.Nothing, disk.NotPlain), self._file(f"{folder}/{name}") as fd:
            if os.fstat(fd).st_size != size_bytes:
                return None
            if any(disk.part_hash(fd, number) != hashes.get(number) for number in range(part_count(size_bytes))):
                return None
            sha256 = disk.whole_hash(fd)
            # It may have been killed just after it got its name.
            os.fsync(fd)
            with self._folder(folder) as folder_fd:
                disk.sync_folder(folder_fd)
            return sha256
        return None

    def _link(self, twin: Twin, folder: str, name: str, stop: threading.Event) -> bool:
        place = PurePosixPath(twin.path)
        with disk.errors():
            try:
                with self._file(twin.path) as fd:
                    if os.fstat(fd).st_size != twin.size_bytes or disk.whole_hash(fd, stop) != twin.sha256:
                        raise LinkImpossible
                    folder_fd = self.open_folder(folder)
                    try:
                        with self._folder(str(place.parent)) as twin_fd:
                            return disk.link(twin_fd, place.name, os.fstat(fd), folder_fd, name)
                    finally:
                        os.close(folder_fd)
            except (disk.Nothing, disk.NotPlain) as error:
                raise LinkImpossible from error

    def _condition(self, path: str, size_bytes: int, sha256: bytes, stop: threading.Event) -> Condition:
        with disk.errors():
            try:
                with self._file(path) as fd:
                    same = os.fstat(fd).st_size == size_bytes and disk.whole_hash(fd, stop) == sha256
                    return Condition.INTACT if same else Condition.DAMAGED
            except disk.NotPlain:
                return Condition.DAMAGED
            except disk.Nothing:
                if self._is_empty():
                    raise TargetGone("EMPTY") from None
                return Condition.MISSING

    def _is_empty(self) -> bool:
        with self.open_root() as root_fd, os.scandir(root_fd) as entries:
            return all(entry.name == disk.MARK_NAME for entry in entries)

    def _set_aside(self, path: str) -> None:
        place = PurePosixPath(path)
        with disk.errors(), suppress(disk.Nothing, FileNotFoundError), self._folder(str(place.parent)) as folder_fd:
            endings = (f".damaged{n or ''}" for n in count())
            names = (safe_name(place.name, MAX_NAME_BYTES - len(ending)) + ending for ending in endings)
            free = next(name for name in names if not disk.lies(folder_fd, name))
            os.rename(place.name, free, src_dir_fd=folder_fd, dst_dir_fd=folder_fd)
            disk.sync_folder(folder_fd)

    def _discard(self, folder: str, file_id: int) -> None:
        with disk.errors(), suppress(disk.Nothing, FileNotFoundError), self._folder(folder) as folder_fd:
            os.unlink(disk.part_name(file_id), dir_fd=folder_fd)
