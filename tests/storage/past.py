"""Databases as Porters of the past left them."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from storage.migrate import SCRIPTS, migrate

Rows = dict[str, list[tuple[object, ...]]]

INDEXES = ("sqlite_", "join_requests_text", "alembic_version")
"""Tables that hold no rows of their own."""


def revisions() -> list[str]:
    """The oldest first."""
    return sorted(script.name[:4] for script in (SCRIPTS / "versions").glob("0*.py"))


def at_revision(folder: Path, revision: str) -> Path:
    """An empty database as a Porter of that revision made it."""
    scripts = folder / "scripts"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    for script in (scripts / "versions").glob("0*.py"):
        if script.name[:4] > revision:
            script.unlink()
    path = folder / "porter.db"
    path.touch(0o600)
    migrate(path, head=revision, scripts=scripts)
    shutil.rmtree(scripts)
    return path


def tables(connection: sqlite3.Connection, schema: str = "main") -> dict[str, list[str]]:
    """Their columns, without generated ones, by name."""
    names = connection.execute(f"SELECT name FROM {schema}.sqlite_schema WHERE type = 'table'").fetchall()
    return {
        name: [row[1] for row in connection.execute(f"PRAGMA {schema}.table_info({name})")]
        for (name,) in names
        if not name.startswith(INDEXES)
    }


def every_row(path: Path) -> Rows:
    with closing(sqlite3.connect(path)) as connection:
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in tables(connection)}


def take_along(today: Path, past: Path) -> None:
    """Fill an older database with what one of today says in the tables and columns that it has: rows that are sealed
    stay so, and open where they lie."""
    with closing(sqlite3.connect(past, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS today", (str(today),))
        connection.execute("BEGIN")
        for name, columns in tables(connection).items():
            common = ", ".join(set(columns) & set(tables(connection, "today")[name]))
            connection.execute(f"INSERT INTO {name} ({common}) SELECT {common} FROM today.{name}")
        connection.execute("COMMIT")
