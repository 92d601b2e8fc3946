"""A backup: the database as it stands at one moment, Porter running or not, and the key ring - one file, sealed.

Inside the sealed file (sealed_file.py) lies a tar of two members, the keys first:

    porter.key      the key ring as a key file holds it, newest first (that of a passphrase: the derived key)
    porter.db       copied with SQLite's backup API, migrated to the schema of this Porter, checked
"""

import asyncio
import io
import os
import shutil
import sqlite3
import tarfile
from pathlib import Path
from typing import IO, cast

from storage.database import Database
from storage.errors import BackupDamaged, NothingToBackUp, PlaceTaken
from storage.keys import KeyConfig, write_keys
from storage.sealed_file import SealingWriter
from storage.snapshot import copy_database, sync_folder
from storage.types import Clock, utc_now
from storage.vault import key_ring

DATABASE, KEYS = "porter.db", "porter.key"
MADE_AT = "made_at_ms"
SCRATCH = "backup.part"
"""A folder beside the database while a backup is made; what a kill left there is removed by the next one."""


async def back_up(
    database: Path, config: KeyConfig, target: Path, passphrase: str, *, force: bool = False, clock: Clock = utc_now
) -> int:
    """Write `target`; answers its size in bytes. Only one may be made of a database at a time: callers hold a lock.

    Raises NothingToBackUp, PlaceTaken (unless `force`), BackupDamaged (the database itself is), VaultError when the
    keys do not open it - a backup without its keys would be found out when it is needed -, OSError.
    """
    scratch = database.parent / SCRATCH
    _prepare(database, target, scratch, force=force)
    try:
        made_at_ms = int(clock().timestamp() * 1000)
        copy = scratch / DATABASE
        await asyncio.to_thread(_copy, database, copy)
        async with Database.open(copy) as opened:
            ring = await key_ring(opened, config)
            if ring is None:
                raise NothingToBackUp("the database is empty")
            await check_whole(opened)
        return await asyncio.to_thread(_pack, copy, ring, target, passphrase, made_at_ms)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _prepare(database: Path, target: Path, scratch: Path, *, force: bool) -> None:
    if target.exists() and not force:
        raise PlaceTaken("the file exists already: name another one, or add --force")
    if not database.exists():
        raise NothingToBackUp("there is no database in DATA_DIR")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)


def _copy(database: Path, copy: Path) -> None:
    try:
        copy_database(database, copy)
    except sqlite3.Error as error:  # its words name no values
        raise BackupDamaged(f"SQLite cannot copy the database: {error}") from error


async def check_whole(database: Database) -> None:
    """Raises BackupDamaged when SQLite finds its own pages in disorder."""
    async with database.read() as connection:
        found = (await connection.exec_driver_sql("PRAGMA quick_check(1)")).scalar_one()
    if found != "ok":
        raise BackupDamaged("SQLite finds the database damaged")


def _pack(copy: Path, ring: list[bytes], target: Path, passphrase: str, made_at_ms: int) -> int:
    unfinished = target.with_name(target.name + ".part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            sealing = SealingWriter(file, passphrase, {MADE_AT: made_at_ms})
            stream = cast("IO[bytes]", sealing)  # tarfile's streams only ever write
            with tarfile.open(mode="w|", fileobj=stream, format=tarfile.PAX_FORMAT) as tar, copy.open("rb") as pages:
                key_file = write_keys(ring)
                tar.addfile(_member(KEYS, len(key_file)), io.BytesIO(key_file))
                tar.addfile(_member(DATABASE, copy.stat().st_size), pages)
            sealing.finish()
            file.flush()
            os.fsync(file.fileno())
        size = unfinished.stat().st_size
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)
    return size


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o600
    return member
