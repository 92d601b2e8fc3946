import asyncio
import gc
import logging
import random
import stat
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

from storage.database import Database
from storage.errors import ForeignDatabase
from storage.schema import confirmations, meta
from storage.types import utc_now

COUNTER = "counter"


async def set_counter(database: Database, value: int) -> None:
    async with database.write() as connection:
        await connection.execute(delete(meta).where(meta.c.key == COUNTER))
        await connection.execute(insert(meta).values(key=COUNTER, value=str(value).encode()))


async def get_counter(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(meta.c.value).where(meta.c.key == COUNTER))).scalar_one())


async def increment(database: Database) -> None:
    async with database.write() as connection:
        value = int((await connection.execute(select(meta.c.value).where(meta.c.key == COUNTER))).scalar_one())
        await asyncio.sleep(0)
        await connection.execute(update(meta).where(meta.c.key == COUNTER).values(value=str(value + 1).encode()))


async def test_concurrent_increments_lose_nothing(database: Database) -> None:
    """Fifty read-modify-writes at once count to fifty."""
    await set_counter(database, 0)
    await asyncio.gather(*(increment(database) for _ in range(50)))
    assert await get_counter(database) == 50


async def test_two_databases_on_one_file_lose_nothing(database: Database) -> None:
    """A second process (here: a second pair of engines) waits for the write lock instead of losing an update."""
    await set_counter(database, 0)
    async with Database.open(database.path) as other:
        await asyncio.gather(*(increment(one) for one in (database, other) * 10))
    assert await get_counter(database) == 20


async def test_an_exception_rolls_back(database: Database) -> None:
    """Nothing of a transaction that raised is stored, and the writer goes on."""
    await set_counter(database, 1)

    async def change_and_fail() -> None:
        async with database.write() as connection:
            await connection.execute(update(meta).values(value=b"2"))
            raise LookupError

    with pytest.raises(LookupError):
        await change_and_fail()
    assert await get_counter(database) == 1
    await increment(database)
    assert await get_counter(database) == 2


async def test_ddl_rolls_back(database: Database) -> None:
    """A table made in a transaction that raised was never there."""

    async def create_and_fail() -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql("CREATE TABLE half (id INTEGER) STRICT")
            raise LookupError

    with pytest.raises(LookupError):
        await create_and_fail()
    async with database.read() as connection:
        names = (await connection.exec_driver_sql("SELECT name FROM sqlite_schema")).scalars().all()
    assert "half" not in names


async def test_cancellation_rolls_back(database: Database) -> None:
    """A task cancelled inside write() leaves nothing behind, and the writer goes on."""
    await set_counter(database, 1)
    inside = asyncio.Event()

    async def change_and_hang() -> None:
        async with database.write() as connection:
            await connection.execute(update(meta).values(value=b"2"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(change_and_hang())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await get_counter(database) == 1
    await increment(database)
    assert await get_counter(database) == 2


async def test_cancellation_at_any_moment_keeps_pairs_whole(database: Database) -> None:
    """Cancelled anywhere, in a statement or between two, a transaction has happened or it has not."""
    random.seed(20261121)

    async def add_pair(number: int) -> None:
        async with database.write() as connection:
            for half in ("left", "right"):
                await connection.execute(insert(meta).values(key=f"{number} {half}", value=b""))

    for number in range(100):
        task = asyncio.create_task(add_pair(number))
        await asyncio.sleep(random.random() * 0.003)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    await add_pair(100)
    async with database.read() as connection:
        keys = set(await connection.scalars(select(meta.c.key)))
    numbers = {key.split()[0] for key in keys}
    assert "100" in numbers
    assert keys == {f"{number} {half}" for number in numbers for half in ("left", "right")}


async def test_a_cancelled_task_does_not_hold_up_the_next(path: Path) -> None:
    """Cancelled while its connection is being made, a task lets the next one write at once, not after 30 seconds."""
    for ticks in range(30):
        async with Database.open(path) as database:
            first, second = (asyncio.create_task(set_counter(database, value)) for value in (1, 2))
            for _ in range(ticks):
                await asyncio.sleep(0)
            first.cancel()
            async with asyncio.timeout(5):
                await asyncio.gather(first, second, return_exceptions=True)
            assert await get_counter(database) == 2


async def test_a_kept_traceback_does_not_hold_the_write_lock(database: Database) -> None:
    """Cancelled in the middle of a statement, with its exception kept by somebody: the next one writes at once."""
    long_enough = text(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select count(*) from n"
    )
    working = asyncio.Event()

    async def work() -> None:
        async with database.write() as connection:
            await connection.execute(insert(meta).values(key="half", value=b""))
            working.set()
            await connection.execute(long_enough)

    gc.disable()
    try:
        task = asyncio.create_task(work())
        await working.wait()
        await asyncio.sleep(0.05)
        task.cancel()
        kept = (await asyncio.gather(task, return_exceptions=True))[0]
        async with asyncio.timeout(8):
            await set_counter(database, 1)
        assert isinstance(kept, asyncio.CancelledError)
    finally:
        gc.enable()


async def test_a_reader_sees_the_last_commit_while_a_write_is_open(database: Database) -> None:
    """Readers neither wait for a writer nor see what it has not committed."""
    await set_counter(database, 1)
    async with database.write() as connection:
        await connection.execute(update(meta).values(value=b"2"))
        async with asyncio.timeout(1):
            assert await get_counter(database) == 1
    assert await get_counter(database) == 2


async def test_a_read_is_one_moment(database: Database) -> None:
    """All statements of one read() see the same state, whatever is committed meanwhile."""
    await set_counter(database, 1)
    counter = select(meta.c.value).where(meta.c.key == COUNTER)
    async with database.read() as connection:
        before = await connection.scalar(counter)
        await increment(database)
        assert await connection.scalar(counter) == before


async def test_a_reader_cannot_write(database: Database) -> None:
    """query_only holds for every reading connection."""
    with pytest.raises(OperationalError):
        async with database.read() as connection:
            await connection.execute(insert(meta).values(key="x", value=b""))


async def test_strict_tables_refuse_other_types(database: Database) -> None:
    """Text does not slip into an integer column."""
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO confirmations (admin_id, verb, payload, expires_at) VALUES ('someone', 'x', '{}', 1)"
            )


async def test_deleted_ids_never_come_back(database: Database) -> None:
    """The highest id is not given again after its row is gone."""
    row = insert(confirmations).values(admin_id=1, verb="x", payload={}, expires_at=utc_now())
    async with database.write() as connection:
        first = (await connection.execute(row.returning(confirmations.c.id))).scalar_one()
        await connection.execute(delete(confirmations))
        second = (await connection.execute(row.returning(confirmations.c.id))).scalar_one()
    assert second > first


async def test_files_are_private(tmp_path: Path) -> None:
    """The directory is 0700 and the database with its companions 0600, also where they were open before."""
    path = tmp_path / "data" / "porter.db"
    path.parent.mkdir(mode=0o755)
    async with Database.open(path) as database:
        await set_counter(database, 1)
        assert await get_counter(database) == 1
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert set(modes) == {"porter.db", "porter.db-wal", "porter.db-shm"}
    assert set(modes.values()) == {0o600}


async def test_closing_folds_the_wal_away(path: Path) -> None:
    """After a clean end one file is left: a copy of it is a whole backup."""
    async with Database.open(path) as database:
        await set_counter(database, 1)
        await get_counter(database)
    assert [file.name for file in path.parent.iterdir()] == ["porter.db"]


async def test_error_texts_hide_values(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    """Neither an error's text nor the driver's debug log shows what was being stored."""
    caplog.set_level(logging.DEBUG, logger="sqlalchemy")
    statement = insert(meta).values(key="same", value=b"hunter2")

    async def store() -> None:
        async with database.write() as connection:
            await connection.execute(statement)

    await store()
    with pytest.raises(IntegrityError) as caught:
        await store()
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in caplog.text
    assert not logging.getLogger("aiosqlite").isEnabledFor(logging.DEBUG)


async def test_identity_is_claimed_once(database: Database) -> None:
    """The bot and network of the first start are accepted again, others are refused and named."""
    await database.claim_identity(1, "telegram")
    await database.claim_identity(1, "telegram")
    with pytest.raises(ForeignDatabase) as other_bot:
        await database.claim_identity(2, "telegram")
    assert (other_bot.value.what, other_bot.value.stored, other_bot.value.current) == ("bot_id", "1", "2")
    with pytest.raises(ForeignDatabase):
        await database.claim_identity(1, "sandbox")


CHILD = """
import asyncio, sys
from pathlib import Path
from sqlalchemy import insert
from storage.database import Database
from storage.schema import meta

async def main():
    async with Database.open(Path(sys.argv[1])) as database:
        for number in range(100_000):
            async with database.write() as connection:
                await connection.execute(insert(meta).values(key=str(number), value=b""))
            print(number, flush=True)

asyncio.run(main())
"""


async def test_kill_9_loses_no_commit(path: Path) -> None:
    """Whatever a killed process had committed is there for the next one."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", CHILD, str(path), stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    for _ in range(20):
        await child.stdout.readline()
    child.kill()
    told = 20 + len((await child.stdout.read()).split())
    await child.wait()
    async with Database.open(path) as database, database.read() as connection:
        stored = (await connection.execute(select(func.count()).select_from(meta))).scalar_one()
    assert stored >= told
