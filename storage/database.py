"""One SQLite file, two engines: a writer that never loses an update and readers that never wait for it.

The driver runs in autocommit and we say BEGIN ourselves. With the driver's own transactions concurrent
read-modify-writes lost updates and DDL survived a rollback; with BEGIN IMMEDIATE everywhere readers queued behind
writers. Hence `write()` takes the write lock at its first moment, on the single connection of its pool, and `read()`
sees the last commit while a write is open (WAL).
"""

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage import meta
from storage.driver import connect
from storage.errors import ForeignDatabase
from storage.migrate import migrate

log = logging.getLogger(__name__)

BUSY_TIMEOUT_MS = 10_000
EMPTY_WAL_TRIES = 10
EMPTY_WAL_PAUSE_SECONDS = 0.2
WAL_BUSY_SECONDS = 0.2
"""Writers wait meanwhile, so readers are not waited for longer than that."""
READERS = 4

WRITER_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys = ON",
    # FULL makes each commit survive a power cut as well as a kill -9. NORMAL would be ten times cheaper (0.02 ms
    # against 0.2 ms on an SSD), but could forget the newest rows, and with them which ids were given out: an old
    # button might then name a stranger's row.
    "PRAGMA synchronous = FULL",
    # What is deleted is overwritten with zeros, wherever it lay: /forget means the bytes.
    "PRAGMA secure_delete = ON",
)
READER_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA query_only = ON",
)


class Database:
    """Made by `Database.open`. Repositories hold it for life."""

    def __init__(self, path: Path, writer: AsyncEngine, reader: AsyncEngine) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        # We queue here and not in the pools: a task cancelled while a pool connects frees its place there without
        # waking those who wait for it, and they would wait for the pool's whole timeout (seen: 30 s).
        self._may_write = asyncio.Semaphore(1)
        self._may_read = asyncio.Semaphore(READERS)

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[Self]:
        """Migrate the file (made when missing, 0600 in a directory of 0700) and open it.

        Raises DatabaseTooNew or ForeignDatabase, and has touched nothing then.
        """
        # At DEBUG the driver logs every statement with its values.
        logging.getLogger("aiosqlite").setLevel(logging.INFO)
        await asyncio.to_thread(_make_private, path)
        await asyncio.to_thread(migrate, path)
        writer = _engine(path, pool_size=1, begin="BEGIN IMMEDIATE", pragmas=WRITER_PRAGMAS)
        reader = _engine(path, pool_size=READERS, begin="BEGIN", pragmas=READER_PRAGMAS)
        try:
            yield cls(path, writer, reader)
        finally:
            # Readers first: the last connection to close folds the WAL into the file, and a reader may not.
            await reader.dispose()
            await writer.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A snapshot: all statements inside see the same moment. Writing raises OperationalError."""
        async with self._may_read, self._reader.begin() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction of its own: commits at the end, rolls back on any exception and on cancellation.

        Only one is open at a time; the others queue. Never wait for the network inside, never open another inside.
        """
        async with self._may_write, self._writer.begin() as connection:
            yield connection

    async def empty_wal(self) -> bool:
        """Fold the WAL into the file and cut it to nothing: it would keep what was deleted until it is written over.

        False: somebody has read all the while. The next call, or the end of Porter, does it.
        """
        for _ in range(EMPTY_WAL_TRIES):
            async with self._may_write:
                if await asyncio.to_thread(_truncate_wal, self.path):
                    return True
            await asyncio.sleep(EMPTY_WAL_PAUSE_SECONDS)
        log.warning("the WAL was not emptied: somebody read all the while")
        return False

    async def claim_identity(self, bot_id: int, network: str) -> None:
        """Bind a new database to this bot and network (Telegram, or the name of another MTProto server).

        Raises ForeignDatabase when it is bound to others: channel ids and message ids would mean something else.
        """
        claims = {"bot_id": str(bot_id), "network": network}
        async with self.write() as connection:
            for what, current in claims.items():
                stored = await meta.get(connection, what)
                if stored is None:
                    await meta.put(connection, what, current.encode())
                elif stored.decode() != current:
                    raise ForeignDatabase(what, stored.decode(), current)


def _make_private(path: Path) -> None:
    """The file exists and only its owner may read it. SQLite gives -wal and -shm the mode of the file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.parent.stat().st_uid == os.geteuid():
        path.parent.chmod(0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)


def _truncate_wal(path: Path) -> bool:
    """On a connection of its own: the writer's begins a transaction with its first statement, and that may not."""
    with closing(sqlite3.connect(path, timeout=WAL_BUSY_SECONDS, isolation_level=None)) as connection:
        (is_busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


def _engine(path: Path, *, pool_size: int, begin: str, pragmas: tuple[str, ...]) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(path)),
        pool_size=pool_size,
        max_overflow=0,
        async_creator=partial(connect, path),
        hide_parameters=True,  # error texts would carry the values otherwise
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def say_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    @event.listens_for(engine.sync_engine, "invalidate")
    def roll_back(connection: Any, _record: Any, _error: BaseException | None) -> None:
        # A cancelled task drops its connection. A cursor that a kept traceback holds makes SQLite keep the closed
        # connection, and its write lock with it, until the cursor is collected.
        if connection is not None:
            connection.rollback()

    return engine
