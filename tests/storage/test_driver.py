import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from storage.driver import Connection


class Counting(Connection):
    trips = 0

    async def _execute(self, *what: Any, **more: Any) -> Any:
        self.trips += 1
        return await super()._execute(*what, **more)  # type: ignore[no-untyped-call]


@pytest.fixture
def counting(tmp_path: Path) -> Counting:
    return Counting(partial(sqlite3.connect, tmp_path / "some.db", isolation_level=None), iter_chunk_size=64)


@pytest.fixture
async def engine(counting: Counting) -> AsyncIterator[AsyncEngine]:
    async def give() -> Any:
        return await counting

    engine = create_async_engine("sqlite+aiosqlite:///some.db", async_creator=give, pool_size=1, max_overflow=0)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE TABLE t (id INTEGER PRIMARY KEY, word TEXT UNIQUE) STRICT")
    yield engine
    await engine.dispose()


async def test_a_statement_is_one_trip(engine: AsyncEngine, counting: Counting) -> None:
    """Reading, writing and both at once; of one row or many."""
    async with engine.begin() as connection:
        for statement, values, rows in (
            ("INSERT INTO t (word) VALUES (?)", ("a",), None),
            ("INSERT INTO t (word) VALUES (?)", [("b",), ("c",)], None),
            ("INSERT INTO t (word) VALUES (?), (?) RETURNING id", ("d", "e"), [(4,), (5,)]),
            ("SELECT word FROM t WHERE id < ? ORDER BY id", (3,), [("a",), ("b",)]),
            ("SELECT word FROM t WHERE id > ?", (9,), []),
        ):
            before = counting.trips
            result = await connection.exec_driver_sql(statement, values)
            found = [tuple(row) for row in result] if result.returns_rows else None
            assert (found, counting.trips - before) == (rows, 1), statement


async def test_what_a_write_tells(engine: AsyncEngine) -> None:
    """How many rows, and which id the last one got."""
    async with engine.begin() as connection:
        added = await connection.exec_driver_sql("INSERT INTO t (word) VALUES (?)", ("a",))
        assert (added.rowcount, added.lastrowid) == (1, 1)
        assert (await connection.exec_driver_sql("INSERT INTO t (word) VALUES (?)", [("b",), ("c",)])).rowcount == 2
        assert (await connection.exec_driver_sql("UPDATE t SET word = word || '!'")).rowcount == 3
        assert (await connection.exec_driver_sql("DELETE FROM t WHERE id > ? RETURNING id", (1,))).all() == [(2,), (3,)]


async def test_a_refusal_is_the_databases_own(engine: AsyncEngine) -> None:
    """It comes out as SQLAlchemy's error, and the transaction goes on without the statement."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO t (word) VALUES ('a')")
        with pytest.raises(IntegrityError, match="UNIQUE"):
            await connection.exec_driver_sql("INSERT INTO t (word) VALUES ('b'), ('a')")
        assert (await connection.exec_driver_sql("SELECT word FROM t")).scalars().all() == ["a"]
