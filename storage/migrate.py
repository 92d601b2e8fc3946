"""Bring the database file to the schema of this Porter, before the engines open. Blocking: runs in a thread.

Alembic costs a third of a second to import, so it is asked only when the stored revision is not HEAD.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event

from storage.errors import DatabaseDamaged, DatabaseTooNew, ForeignDatabase
from storage.snapshot import copy_database

HEAD = "0005"
"""The newest script in migrations/versions. A test holds the two equal."""

SCRIPTS = Path(__file__).parent / "migrations"


def migrate(path: Path, *, head: str = HEAD, scripts: Path = SCRIPTS) -> None:
    """Does nothing at HEAD. Else: a snapshot beside the file (not of an empty one), then scripts in ONE transaction.

    Raises DatabaseTooNew for a revision that this Porter does not know and ForeignDatabase for a file of another
    program; the file is untouched then.
    """
    revision, is_empty = _look(path)
    if revision == head:
        return
    if revision is None and not is_empty:
        raise ForeignDatabase("application", "another program", "Porter")
    if revision is not None:
        if revision not in known_revisions(scripts):
            raise DatabaseTooNew(revision, head)
        copy_database(path, path.with_name(f"{path.name}.before-{head}"))
    _run_scripts(path, scripts)


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
