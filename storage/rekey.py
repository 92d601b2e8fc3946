"""Move every sealed value to the newest key of the ring, so that the older ones may be thrown away."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Column, Table, bindparam, func, select, update

from storage import meta
from storage.database import Database
from storage.schema import metadata
from storage.statements import CHUNK
from storage.vault import META_ROW, SEALED_META, Vault, sealed_columns


@dataclass(frozen=True, slots=True)
class RekeyProgress:
    """`looked`: values looked at, of `total`; `moved`: those that another key had sealed."""

    looked: int
    total: int
    moved: int


async def rekey(database: Database, vault: Vault, progress: Callable[[RekeyProgress], None] = lambda _: None) -> int:
    """How many values were sealed anew. Killed half-way it is run again: both keys still open everything.

    Raises CiphertextInvalid at a damaged value. The check value moves last: it says that all others have. `progress`
    is told after each transaction.
    """
    places = [(table, column) for table in metadata.sorted_tables for column in sealed_columns(table)]
    async with database.read() as connection:
        counts = [await connection.scalar(select(func.count(column))) or 0 for _, column in places]
    now = RekeyProgress(0, sum(counts), 0)
    progress(now)
    for table, column in places:
        now = await _rekey_column(database, vault, table, column, now, progress)
    moved = now.moved
    async with database.write() as connection:
        for key in reversed(SEALED_META):
            value = await meta.get(connection, key)
            if value is not None and not vault.is_current(value):
                plaintext = vault.open("meta", key, META_ROW, value)
                await meta.put(connection, key, vault.seal("meta", key, META_ROW, plaintext))
                moved += 1
    return moved


async def _rekey_column(
    database: Database,
    vault: Vault,
    table: Table,
    column: Column[bytes],
    now: RekeyProgress,
    progress: Callable[[RekeyProgress], None],
) -> RekeyProgress:
    """In short transactions: a kill costs one of them."""
    last_id = 0
    page = select(table.c.id, column.label("value")).where(column.is_not(None)).order_by(table.c.id).limit(CHUNK)
    store = update(table).where(table.c.id == bindparam("row_id")).values({column.name: bindparam("sealed")})
    while True:
        async with database.write() as connection:
            rows = (await connection.execute(page.where(table.c.id > last_id))).all()
            if not rows:
                return now
            last_id = rows[-1].id
            resealed = []
            for row in rows:
                if not vault.is_current(row.value):
                    plaintext = vault.open(table.name, column.name, row.id, row.value)
                    sealed = vault.seal(table.name, column.name, row.id, plaintext)
                    resealed.append({"row_id": row.id, "sealed": sealed})
            if resealed:
                await connection.execute(store, resealed)
        now = RekeyProgress(now.looked + len(rows), now.total, now.moved + len(resealed))
        progress(now)
