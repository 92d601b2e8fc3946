"""What the database is, by name: whose it is, and what the vault needs to know its key again."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.schema import meta
from storage.statements import insert


async def get(connection: AsyncConnection, key: str) -> bytes | None:
    value: bytes | None = await connection.scalar(select(meta.c.value).where(meta.c.key == key))
    return value


async def put(connection: AsyncConnection, key: str, value: bytes) -> None:
    statement = insert(meta).values(key=key, value=value)
    await connection.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
