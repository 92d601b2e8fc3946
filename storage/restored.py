"""The mark of a database that another Porter may be using too: a row of `meta`, there until an owner says that it is
off. A restore sets it, a copy (storage/home.py), and a second process with the same bot token."""

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import meta
from storage.database import Database
from storage.models import Restored, RestReason
from storage.schema import meta as meta_table
from storage.schema import metadata
from storage.types import to_json

RESTORED = "restored"
SKIPPED_IDS = 1_000_000


class RestoredRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self) -> Restored | None:
        async with self._database.read() as connection:
            stored = await meta.get(connection, RESTORED)
        return None if stored is None else _unpack(stored)

    async def mark(self, made_at: datetime, restored_at: datetime) -> Restored:
        """A restored backup. An older mark is replaced."""
        restored = _new(RestReason.BACKUP, made_at, restored_at)
        async with self._database.write() as connection:
            await meta.put(connection, RESTORED, _pack(restored))
        return restored

    async def contest(self, at: datetime) -> Restored:
        """Somebody else works with this bot's token. A mark that is there already stays."""
        async with self._database.write() as connection:
            return await put_mark(connection, RestReason.CONTESTED, at)

    async def set_told(self, restored: Restored) -> None:
        """Nothing happens where the mark is gone meanwhile."""
        told = replace(restored, told=True)
        async with self._database.write() as connection:
            if await meta.get(connection, RESTORED) is not None:
                await meta.put(connection, RESTORED, _pack(told))

    async def clear(self, restored_id: int) -> bool:
        """False: there is no mark, or one of another restore. Of two who clear at once, one gets True."""
        async with self._database.write() as connection:
            stored = await meta.get(connection, RESTORED)
            if stored is None or _unpack(stored).id != restored_id:
                return False
            await connection.execute(delete(meta_table).where(meta_table.c.key == RESTORED))
            return True


async def put_mark(connection: AsyncConnection, why: RestReason, at: datetime) -> Restored:
    """The mark that is there, else a new one."""
    stored = await meta.get(connection, RESTORED)
    if stored is not None:
        return _unpack(stored)
    restored = _new(why, at, at)
    await meta.put(connection, RESTORED, _pack(restored))
    return restored


async def skip_ids(database: Database) -> None:
    """The Porter that was copied went on giving ids after the copy, and buttons with them still stand in chats. So
    that none of them hits a stranger's row, new rows begin far behind."""
    sequence = text("UPDATE sqlite_sequence SET seq = seq + :skipped WHERE name = :name")
    first = text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :skipped)")
    async with database.write() as connection:
        for table in metadata.sorted_tables:
            if table.dialect_options["sqlite"]["autoincrement"]:
                values = {"name": table.name, "skipped": SKIPPED_IDS}
                if not (await connection.execute(sequence, values)).rowcount:
                    await connection.execute(first, values)


def _new(why: RestReason, made_at: datetime, restored_at: datetime) -> Restored:
    return Restored(secrets.randbelow(2**31 - 1) + 1, made_at, restored_at, told=False, why=why)


def _pack(restored: Restored) -> bytes:
    values = {
        "id": restored.id,
        "made_at": restored.made_at.timestamp(),
        "restored_at": restored.restored_at.timestamp(),
        "told": restored.told,
        "why": restored.why,
    }
    return to_json(values).encode()


def _unpack(stored: bytes) -> Restored:
    values = json.loads(stored)
    made_at, restored_at = (datetime.fromtimestamp(values[name], UTC) for name in ("made_at", "restored_at"))
    why = RestReason(values.get("why", RestReason.BACKUP))
    return Restored(values["id"], made_at, restored_at, values["told"], why)
