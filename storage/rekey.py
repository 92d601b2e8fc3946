"""Move every sealed value to the newest key of the ring, so that the older ones may be thrown away."""

from sqlalchemy import Column, Table, bindparam, select, update

from storage import meta
from storage.database import Database
from storage.schema import metadata
from storage.statements import CHUNK
from storage.vault import META_ROW, SEALED_META, Vault, sealed_columns


async def rekey(database: Database, vault: Vault) -> int:
    """How many values were sealed anew. Killed half-way it is run again: both keys still open everything.

    Raises CiphertextInvalid at a damaged value. The check value moves last: it says that all others have.
    """
    moved = 0
    for table in metadata.sorted_tables:
        for column in sealed_columns(table):
            moved += await _rekey_column(database, vault, table, column)
    async with database.write() as connection:
        for key in reversed(SEALED_META):
            value = await meta.get(connection, key)
            if value is not None and not vault.is_current(value):
                plaintext = vault.open("meta", key, META_ROW, value)
                await meta.put(connection, key, vault.seal("meta", key, META_ROW, plaintext))
                moved += 1
    return moved


async def _rekey_column(database: Database, vault: Vault, table: Table, column: Column[bytes]) -> int:
    """In short transactions, so that Porter may go on working meanwhile."""
    moved = 0
    last_id = 0
    page = select(table.c.id, column.label("value")).where(column.is_not(None)).order_by(table.c.id).limit(CHUNK)
    store = update(table).where(table.c.id == bindparam("row_id")).values({column.name: bindparam("sealed")})
    while True:
        async with database.write() as connection:
            rows = (await connection.execute(page.where(table.c.id > last_id))).all()
            if not rows:
                return moved
            last_id = rows[-1].id
            resealed = []
            for row in rows:
                if not vault.is_current(row.value):
                    plaintext = vault.open(table.name, column.name, row.id, row.value)
                    sealed = vault.seal(table.name, column.name, row.id, plaintext)
                    resealed.append({"row_id": row.id, "sealed": sealed})
            if resealed:
                await connection.execute(store, resealed)
                moved += len(resealed)
