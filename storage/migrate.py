"""Bring the database file to the schema of this Porter, before the engines open. Blocking: runs in a thread.

Alembic costs a third of a second to import, so it is asked only when the stored revision is not HEAD.
"""

import errno
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import OperationalError

from storage.errors import DatabaseDamaged, DatabaseTooNew, ForeignDatabase, NoRoom
from storage.snapshot import copy_database

log = logging.getLogger(__name__)

HEAD = "0005"
"""The newest script in migrations/versions. A test holds the two equal."""

SNAPSHOTS_KEPT = 3

SCRIPTS = Path(__file__).parent / "migrations"


def migrate(path: Path, *, head: str = HEAD, scripts: Path = SCRIPTS) -> None:
    """Does nothing at HEAD. Else: a snapshot beside the file (not of an empty one), then scripts in ONE transaction.
    Of the snapshots the newest SNAPSHOTS_KEPT stay.

    Raises DatabaseTooNew for a revision that this Porter does not know, ForeignDatabase for a file of another program
    and NoRoom; the file is untouched then.
    """
    revision, is_empty = _look(path)
    if revision == head:
        return
    if revision is None and not is_empty:
        raise ForeignDatabase("application", "another program", "Porter")
    if revision is not None:
        if revision not in known_revisions(scripts):
            raise DatabaseTooNew(revision, head)
        _check_room(path)
        snapshot = path.with_name(f"{path.name}.before-{head}")
        log.info("the database moves from schema %s to %s; as it was it stays in %s", revision, head, snapshot.name)
        with _no_room_told(path, snapshot):
            copy_database(path, snapshot)
            _run_scripts(path, scripts)
        _forget_old_snapshots(path)
        return
    with _no_room_told(path, None):
        _run_scripts(path, scripts)


def _check_room(path: Path) -> None:
    """For the copy, and for as much in the WAL: a script may write every row anew. Raises NoRoom."""
    size = sum(file.stat().st_size for file in (path, path.with_name(f"{path.name}-wal")) if file.exists())
    if shutil.disk_usage(path.parent).free < 2 * size:
        raise _no_room(path)


def _no_room(path: Path) -> NoRoom:
    return NoRoom(2 * path.stat().st_size, shutil.disk_usage(path.parent).free)


@contextmanager
def _no_room_told(path: Path, snapshot: Path | None) -> Iterator[None]:
    """A disk that fills up on the way: the scripts are rolled back, and the copy gives its room back."""
    try:
        yield
    except (OSError, sqlite3.OperationalError, OperationalError) as error:
        cause = error.orig if isinstance(error, OperationalError) else error
        is_full = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        if not (is_full or getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT)):
            raise
        if snapshot is not None:
            snapshot.unlink(missing_ok=True)
        raise _no_room(path) from error


def _forget_old_snapshots(path: Path) -> None:
    """Each holds the whole database of its time, with what was deleted since."""
    there = [file for file in path.parent.glob(f"{path.name}.before-*") if file.suffix != ".part"]
    old = sorted(there, key=lambda file: file.stat().st_mtime_ns)[:-SNAPSHOTS_KEPT]
    for file in old:
        file.unlink()
        log.info("removed %s: the newest %d copies from before upgrades are kept", file.name, SNAPSHOTS_KEPT)


def is_current(path: Path) -> bool:
    """Whether the file is at HEAD. Raises DatabaseDamaged."""
    return _look(path)[0] == HEAD


def _look(path: Path) -> tuple[str | None, bool]:
    """(the stored revision, whether there are no tables at all), read without the right to write.

    Raises DatabaseDamaged."""
    try:
        return _read_revision(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise DatabaseDamaged(path.name) from error


def _read_revision(path: Path) -> tuple[str | None, bool]:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        if "alembic_version" not in tables:
            return None, not tables
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return (row[0] if row else None), False


def known_revisions(scripts: Path = SCRIPTS) -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory(str(scripts)).walk_revisions()}


def _run_scripts(path: Path, scripts: Path) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    engine = _migration_engine(path)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            _check_references(connection)
    finally:
        engine.dispose()


def _migration_engine(path: Path) -> Engine:
    """foreign_keys OFF before BEGIN (it is ignored inside): with it on, a table rebuild deletes the children."""
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=NullPool,
        connect_args={"isolation_level": None},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")  # a property of the file, so once is enough
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def say_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _check_references(connection: Connection) -> None:
    """What foreign_keys=OFF let pass must not be committed: raising here rolls the whole migration back."""
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if orphans:
        tables = sorted({str(row[0]) for row in orphans})
        raise RuntimeError(f"migration left rows without their parent in {', '.join(tables)}: rolled back")
