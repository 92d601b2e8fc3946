"""One Porter a DATA_DIR, and one backup of it at a time: a file lock held for life.

The kernel drops it with the process, kill -9 included.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.errors import AnotherPorter

LOCK = "porter.lock"


def is_locked(data_dir: Path) -> bool:
    """Whether a running Porter holds it. Makes no file; a start in this very microsecond would be refused."""
    try:
        descriptor = os.open(data_dir / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def hold_lock(
    data_dir: Path, name: str = LOCK, held: str = "this DATA_DIR is in use by another Porter"
) -> Iterator[None]:
    """Raises AnotherPorter when a running process holds it."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(data_dir / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AnotherPorter(held) from error
        yield
    finally:
        os.close(descriptor)
