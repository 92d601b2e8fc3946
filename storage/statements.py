"""What the repositories' statements share.

`insert` is the one construct of Core that differs between databases (its upsert), so it has one door.
"""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import Insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["CHUNK", "Bulk", "chunks", "insert"]

CHUNK = 500
"""Rows or bound values in one statement: the driver's sweet spot, and far below SQLite's limit of bound values."""

T = TypeVar("T")


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]


class Bulk:
    """An insert of every column of its table, compiled once, whose rows go straight to the driver.

    For the one path where rows come by the hundred thousand: Core's handling of each value costs four times what SQLite
    takes to store it (benchmark history-loopback). Values are as SQLite takes them: no column type converts them.
    """

    def __init__(self, statement: Insert) -> None:
        compiled = statement.compile(dialect=sqlite.dialect(paramstyle="qmark"))
        names = compiled.positiontup or []
        self._sql = str(compiled)
        self._values = itemgetter(*names)

    async def execute(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Answers how many rows were written."""
        if not rows:
            return 0
        result = await connection.exec_driver_sql(self._sql, [self._values(row) for row in rows])
        return result.rowcount
