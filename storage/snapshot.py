"""A copy of a live database, taken with SQLite's backup API: whole, WAL included, readable by its owner alone."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path


def copy_database(source: Path, target: Path) -> None:
    """Blocking. An older `target` is replaced in one step, so that an interrupted copy never stands there; one that
    fails leaves nothing."""
    unfinished = target.with_name(target.name + ".part")
    unfinished.unlink(missing_ok=True)
    os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    try:
        _copy(source, unfinished)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    unfinished.replace(target)


def _copy(source: Path, unfinished: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as original,
        closing(sqlite3.connect(unfinished)) as copy,
    ):
        original.backup(copy)
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())


def sync_folder(folder: Path) -> None:
    """What was made, renamed or removed in it survives a power cut. Blocking."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
