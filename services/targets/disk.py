"""Single steps on descriptors, blocking; the system's errors in our words."""

import asyncio
import errno
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from services.clients.base import PART_BYTES
from services.errors import FolderInvalid, TargetFull, TargetGone, TargetReadOnly, TargetUnavailable
from services.targets.contract import LinkImpossible

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
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
OPEN_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # not even a pipe that lies there makes us wait


def part_name(file_id: int) -> str:
    return f".porter-{file_id}.part"


def part_hash(fd: int, number: int) -> bytes:
    return hashlib.sha256(os.pread(fd, PART_BYTES, number * PART_BYTES)).digest()


def whole_hash(fd: int, stop: threading.Event | None = None) -> bytes:
    """Read in parts: memory stays bounded, whatever the size. `stop` set: nobody waits for the answer any more."""
    digest, offset = hashlib.sha256(), 0
    while (block := os.pread(fd, PART_BYTES, offset)) and not (stop and stop.is_set()):
        digest.update(block)
        offset += len(block)
    return digest.digest()


class Nothing(Exception):
    """No such file or folder below the root."""


class NotPlain(Exception):
    """A link, a folder, a pipe."""


def below(fd: int, part: str, *, make: bool) -> int:
    """A descriptor of a folder in that one, which is closed. Raises Nothing."""
    try:
        if make:
            try:
                os.mkdir(part, dir_fd=fd)
            except FileExistsError:
                pass
            else:
                sync_folder(fd)
        return os.open(part, OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=fd)
    except FileNotFoundError as error:
        if make:
            raise
        raise Nothing from error
    finally:
        os.close(fd)


def sync_folder(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise


def lies(folder_fd: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def allocated_bytes(folder_fd: int, name: str) -> int:
    try:
        return os.stat(name, dir_fd=folder_fd, follow_symlinks=False).st_blocks * 512
    except FileNotFoundError:
        return 0


def link(twin_fd: int, twin_name: str, proven: os.stat_result, folder_fd: int, name: str) -> bool:
    """`proven`: of the file that was hashed, in case another one has got its name since."""
    try:
        os.link(twin_name, name, src_dir_fd=twin_fd, dst_dir_fd=folder_fd, follow_symlinks=False)
    except FileExistsError:
        is_ours = is_same(os.stat(name, dir_fd=folder_fd, follow_symlinks=False), proven)
        if is_ours:  # killed between the link and its row
            sync_folder(folder_fd)
        return is_ours
    except OSError as error:
        if error.errno in NO_LINK:
            raise LinkImpossible from error
        raise
    if not is_same(os.stat(name, dir_fd=folder_fd, follow_symlinks=False), proven):
        os.unlink(name, dir_fd=folder_fd)
        raise LinkImpossible
    sync_folder(folder_fd)
    return True


def is_same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def is_mount(root_fd: int) -> bool:
    """Whether the root is a file system of its own."""
    return os.fstat(root_fd).st_dev != os.stat("..", dir_fd=root_fd).st_dev


def read_mark(root_fd: int) -> str | None:
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


def make_mark(root_fd: int) -> str:
    mark = secrets.token_hex(16)
    growing = f"{MARK_NAME}.new"
    fd = os.open(growing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | OPEN_FILE, 0o644, dir_fd=root_fd)
    try:
        os.write(fd, f"{mark}\n".encode())
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(growing, MARK_NAME, src_dir_fd=root_fd, dst_dir_fd=root_fd)
    sync_folder(root_fd)
    return mark


@contextmanager
def errors() -> Iterator[None]:
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


async def in_thread(work: Callable[[], T], stop: threading.Event | None = None) -> T:
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
