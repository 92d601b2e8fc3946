"""SQLite's connections for SQLAlchemy: a statement in one trip to the connection's thread.

aiosqlite makes a trip of each call, and SQLAlchemy makes four calls of a statement: cursor, execute, fetch all, close.
Each trip wakes a thread and then the event loop again, which costs more than most of our statements do.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Self

import aiosqlite


class Connection(aiosqlite.Connection):
    """As SQLAlchemy asks of an aiosqlite connection. What else aiosqlite offers is left as it is."""

    def cursor(self) -> "Cursor":  # type: ignore[override]
        return Cursor(self)

    async def run(self, sql: str, values: Sequence[Any], *, many: bool) -> "Done":
        return await self._execute(_run, self._conn, sql, values, many)  # type: ignore[no-any-return, no-untyped-call]


Done = tuple[Any, int, int | None, list[Any]]
"""description, rowcount, lastrowid, rows"""


class Cursor:
    """Holds all rows of its last statement: SQLAlchemy takes them all anyhow, unless one streams, and nobody does."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, values: Sequence[Any] = ()) -> Self:
        return self._take(await self._connection.run(sql, values, many=False))

    async def executemany(self, sql: str, values: Sequence[Sequence[Any]]) -> Self:
        return self._take(await self._connection.run(sql, values, many=True))

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """SQLite's cursor is closed since the statement ended."""

    def _take(self, done: Done) -> Self:
        self.description, self.rowcount, self.lastrowid, self._rows = done
        return self


def _run(connection: sqlite3.Connection, sql: str, values: Sequence[Any], many: bool) -> Done:
    with closing(connection.cursor()) as cursor:
        if many:
            cursor.executemany(sql, values)
        else:
            cursor.execute(sql, values)
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows


async def connect(path: Path) -> Connection:
    """In the driver's autocommit: BEGIN is said by storage/database.py alone."""
    connector = partial(sqlite3.connect, path, isolation_level=None, check_same_thread=False)
    connection = Connection(connector, iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: an abandoned connection holds no process up
    return await connection  # type: ignore[return-value]
