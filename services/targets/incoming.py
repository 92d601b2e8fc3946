"""A file that is being fetched: parts in their places, its hash growing behind them, its name at the end."""

import errno
import hashlib
import os
import stat
import threading
from collections.abc import Mapping
from typing import Protocol

from services.clients.base import PART_BYTES
from services.targets import disk
from services.targets.contract import part_count


class Folders(Protocol):
    """Of the target that the file lies in. Blocking."""

    def open_folder(self, folder: str) -> int:
        """A descriptor; what is missing of it is made. The caller closes it."""

    def check_room(self, fd: int, need_bytes: int) -> None:
        """Raises TargetFull, TargetReadOnly."""


class LocalFile:
    """Holds its folder and itself open, so that neither can be exchanged under it."""

    def __init__(self, target: Folders, folder: str, file_id: int, size_bytes: int) -> None:
        self._target = target
        self._folder = folder
        self._part_name = disk.part_name(file_id)
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
        with disk.errors():
            self._folder_fd = self._target.open_folder(self._folder)
            there = disk.allocated_bytes(self._folder_fd, self._part_name)
            self._target.check_room(self._folder_fd, max(0, self._size_bytes - there))
            self._fd = os.open(self._part_name, os.O_RDWR | os.O_CREAT | disk.OPEN_FILE, 0o666, dir_fd=self._folder_fd)
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
            with disk.errors():
                proven = {number for number, sha256 in hashes.items() if disk.part_hash(self._fd, number) == sha256}
            self._there |= proven
            return proven

        return await disk.in_thread(read)

    async def write(self, number: int, data: bytes) -> bytes:
        def write() -> bytes:
            with disk.errors():
                self._target.check_room(self._fd, len(data))  # others write as well
                view, offset = memoryview(data), number * PART_BYTES
                while view:
                    written = os.pwrite(self._fd, view, offset)
                    view, offset = view[written:], offset + written
                self._there.add(number)
            return hashlib.sha256(data).digest()

        return await disk.in_thread(write)

    async def hash_ahead(self) -> None:
        def hash_ahead() -> None:
            if self._hashing.acquire(blocking=False):  # else another thread is at it, and goes as far as it can
                try:
                    with disk.errors():
                        self._hash_on()
                finally:
                    self._hashing.release()

        await disk.in_thread(hash_ahead)

    async def sha256(self) -> bytes:
        return await disk.in_thread(self._whole)

    async def finish(self, folder: str, name: str) -> bytes:
        def finish() -> bytes:
            sha256 = self._whole()
            with disk.errors():
                os.fsync(self._fd)
                named_fd = self._target.open_folder(folder)
                try:
                    os.rename(self._part_name, name, src_dir_fd=self._folder_fd, dst_dir_fd=named_fd)
                    disk.sync_folder(named_fd)
                finally:
                    os.close(named_fd)
            return sha256

        return await disk.in_thread(finish)

    def _whole(self) -> bytes:
        with disk.errors():
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
