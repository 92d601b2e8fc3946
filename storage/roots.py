"""The roots that an admin has agreed to use, by name. They lie in `meta`: few, and a backup carries them along."""

import json

from sqlalchemy import select

from storage import meta
from storage.database import Database
from storage.models import RootSeal
from storage.schema import meta as meta_table

PREFIX = "root:"


class RootRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> dict[str, RootSeal]:
        statement = select(meta_table).where(meta_table.c.key.startswith(PREFIX, autoescape=True))
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return {row.key.removeprefix(PREFIX): RootSeal(**json.loads(row.value)) for row in rows}

    async def put(self, name: str, seal: RootSeal) -> None:
        value = json.dumps({"mark": seal.mark, "is_mount": seal.is_mount}).encode()
        async with self._database.write() as connection:
            await meta.put(connection, f"{PREFIX}{name}", value)
