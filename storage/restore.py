"""A backup becomes a DATA_DIR again: all of it or nothing of it, killed at any moment.

    restore.part/     unpacked, proven, migrated, marked as restored; a kill here leaves DATA_DIR as it was
    restore.ready/    one rename decides: from here on every start of Porter (`finish`) carries the move to its end
    restore.placing/  what stood in DATA_DIR is out of the way, the new files take its place
    before-restore-…/ what stood in DATA_DIR before, kept

A restored database is marked: services/restores.py keeps its user clients closed until an owner has said that the
Porter it was copied from is off, because Telegram kills an auth key that it sees from two addresses.
"""

import asyncio
import os
import shutil
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, cast

from storage.backup import DATABASE, KEYS, MADE_AT, check_whole
from storage.database import Database
from storage.errors import BackupDamaged, KeyWrong, PlaceTaken
from storage.keys import KeyConfig
from storage.models import Restored
from storage.restored import RestoredRepository, skip_ids
from storage.sealed_file import CHUNK_BYTES, OpeningReader
from storage.snapshot import sync_folder
from storage.types import Clock, utc_now
from storage.vault import open_vault

STAGED, READY, PLACING, OLD = "restore.part", "restore.ready", "restore.placing", "old"
MOVED = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", KEYS)
"""The database moves with its WAL: a new database beside an old WAL would be read with the old one's pages."""


async def restore(
    backup: Path, data_dir: Path, config: KeyConfig, passphrase: str, *, force: bool = False, clock: Clock = utc_now
) -> Restored:
    """Callers hold the lock of `data_dir`. With `force` what stands there is kept beside, in `before-restore-...`.

    Raises PlaceTaken, BackupError, VaultError (a key is given in the settings and is not the backup's),
    DatabaseTooNew, OSError; `data_dir` is as it was then.
    """
    finish(data_dir)
    if not force and any((data_dir / name).exists() for name in MOVED):
        raise PlaceTaken("DATA_DIR holds a Porter already: use an empty one, or add --force, which keeps the old one")
    staged = data_dir / STAGED
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(mode=0o700)
    try:
        made_at = await asyncio.to_thread(_unpack, backup, staged, passphrase)
        restored = await _prove_and_mark(staged, config, made_at, clock())
        await asyncio.to_thread(_make_ready, data_dir)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    finish(data_dir)
    return restored


def finish(data_dir: Path, clock: Clock = utc_now) -> None:
    """Carry the move of a restore to its end, if one was decided. Before the database is opened. Blocking, quick.

    Two steps, so that each may be repeated: while the folder is READY nothing new stands in `data_dir`, and once it is
    PLACING nothing old does.
    """
    ready, placing = data_dir / READY, data_dir / PLACING
    if ready.exists():
        (ready / OLD).mkdir(mode=0o700, exist_ok=True)
        _move(data_dir, ready / OLD)
        ready.replace(placing)
        sync_folder(data_dir)
    if placing.exists():
        _move(placing, data_dir)
        old = placing / OLD
        if old.exists() and any(old.iterdir()):
            old.replace(data_dir / f"before-restore-{clock():%Y%m%dT%H%M%S%f}")
        shutil.rmtree(placing)
        sync_folder(data_dir)


def _move(source: Path, target: Path) -> None:
    for name in MOVED:
        if (source / name).exists():
            (source / name).replace(target / name)
    sync_folder(target)
    sync_folder(source)


def _unpack(backup: Path, staged: Path, passphrase: str) -> datetime:
    """When it was made. Only the two members that we know are written, under names of our own."""
    with backup.open("rb") as file:
        opening = OpeningReader(file, passphrase)
        try:
            stream = cast("IO[bytes]", opening)  # tarfile's streams only ever read
            with tarfile.open(mode="r|", fileobj=stream) as tar:
                for member in tar:
                    content = tar.extractfile(member) if member.name in (DATABASE, KEYS) else None
                    if content is not None:
                        _write(staged / member.name, content)
        except tarfile.TarError as error:
            raise BackupDamaged("the backup does not hold what it should") from error
        while opening.read(CHUNK_BYTES):  # only the last chunk proves that nothing is missing
            pass
        if not (staged / DATABASE).exists() or not (staged / KEYS).exists():
            raise BackupDamaged("the backup does not hold what it should")
        return datetime.fromtimestamp(opening.facts[MADE_AT] / 1000, UTC)


def _write(path: Path, content: IO[bytes]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file, CHUNK_BYTES)
        file.flush()
        os.fsync(file.fileno())


async def _prove_and_mark(staged: Path, config: KeyConfig, made_at: datetime, now: datetime) -> Restored:
    """The key that the next start will use opens it; its key file stays behind where the settings give another way."""
    key_file = staged / KEYS
    is_key_given = (config.master_key, config.master_key_file, config.master_passphrase) != (None, None, None)
    async with Database.open(staged / DATABASE) as database:
        try:
            await open_vault(database, replace(config, default_key_file=key_file))
        except KeyWrong as error:
            raise KeyWrong(
                "the settings give another key than the backup's: give that one, or none to use the backup's ring"
            ) from error
        await check_whole(database)
        restored = await RestoredRepository(database).mark(made_at, now)
        await skip_ids(database)
    if is_key_given:
        key_file.unlink()
    return restored


def _make_ready(data_dir: Path) -> None:
    staged = data_dir / STAGED
    for leftover in staged.glob(f"{DATABASE}.before-*"):  # of a migration: the backup itself is that copy
        leftover.unlink()
    sync_folder(staged)
    staged.replace(data_dir / READY)
    sync_folder(data_dir)
