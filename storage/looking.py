"""Looking at a database file without leaving a trace: nothing is written in it, nor beside it, Porter running or not.

A plain read-only connection to a WAL database makes -wal and -shm where there are none, owned by whoever looked.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from storage.database import READER_PRAGMAS, READERS, Database, open_engine

Uri = tuple[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class FileLook:
    """`revision` None: no schema of ours in it. `damage`: SQLite's word for it. `orphans`: tables with rows whose
    parent is gone."""

    revision: str | None
    is_empty: bool
    damage: str | None
    orphans: tuple[str, ...]


def look_at(path: Path) -> FileLook:
    """Blocking; reads the whole file. Raises sqlite3.OperationalError where it cannot be opened at all."""
    with _uri(path) as (name, options):
        query = "&".join(f"{key}={value}" for key, value in options.items())
        with closing(sqlite3.connect(f"{name}?{query}", uri=True, isolation_level=None)) as connection:
            try:
                return _read(connection)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError as error:  # its words name no values
                return FileLook(None, False, str(error), ())


@asynccontextmanager
async def open_to_look(path: Path) -> AsyncIterator[Database]:
    """A database at the schema of this Porter, for repositories: whatever would write raises OperationalError."""
    with _uri(path) as (name, options):
        url = URL.create("sqlite+aiosqlite", database=name, query={**options, "uri": "true"})
        engine = open_engine(url, pool_size=READERS, begin="BEGIN", pragmas=READER_PRAGMAS)
        try:
            yield Database(path, engine, engine)
        finally:
            await engine.dispose()


def _read(connection: sqlite3.Connection) -> FileLook:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    revision = None
    if "alembic_version" in tables:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        revision = row[0] if row else None
    (damage,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if damage != "ok":
        return FileLook(revision, not tables, str(damage), ())
    orphans = sorted({str(row[0]) for row in connection.execute("PRAGMA foreign_key_check")})
    return FileLook(revision, not tables, None, tuple(orphans))


@contextmanager
def _uri(path: Path) -> Iterator[Uri]:
    """The file as SQLite should open it. It tells nobody who looks when -wal and -shm come and go, hence:

    both there       Porter runs, or was killed: read with its WAL, and the index of it (-shm) left as it is
    no WAL           nobody has it open, and nothing is missing from the file
    a WAL alone      a copy without -shm: only on a copy of our own may SQLite make one
    """
    wal, index = (path.with_name(f"{path.name}{ending}") for ending in ("-wal", "-shm"))
    if wal.exists() and index.exists():
        yield path.absolute().as_uri(), {"mode": "ro", "readonly_shm": "1"}
    elif not wal.exists() or not wal.stat().st_size:
        yield path.absolute().as_uri(), {"mode": "ro", "immutable": "1"}
    else:
        with tempfile.TemporaryDirectory(prefix="porter-look-") as scratch:  # 0700
            for file in (path, wal):
                shutil.copyfile(file, Path(scratch, file.name))
            yield Path(scratch, path.name).as_uri(), {"mode": "rw"}
