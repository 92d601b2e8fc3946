"""The application of a source's own, where it has one: id in clear, hash sealed."""

from sqlalchemy import select, update

from storage.database import Database
from storage.schema import sources
from storage.types import Clock, utc_now
from storage.vault import Vault

SEALED = "api_hash_sealed"


class SourceApplicationRepository:
    """Changing a source that is gone changes nothing."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def get(self, source_id: int) -> tuple[int, str] | None:
        """API id and hash. None: it has none of its own, or is gone. Raises CiphertextInvalid."""
        query = select(sources.c.api_id, sources.c[SEALED].label("sealed")).where(sources.c.id == source_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None or row.api_id is None or row.sealed is None:
            return None
        return row.api_id, self._vault.open("sources", SEALED, source_id, row.sealed).decode()

    async def set(self, source_id: int, api_id: int, api_hash: str) -> None:
        sealed = self._vault.seal("sources", SEALED, source_id, api_hash.encode())
        await self._change(source_id, api_id, sealed)

    async def clear(self, source_id: int) -> None:
        await self._change(source_id, None, None)

    async def _change(self, source_id: int, api_id: int | None, sealed: bytes | None) -> None:
        values = {"api_id": api_id, SEALED: sealed, "updated_at": self._clock()}
        async with self._database.write() as connection:
            await connection.execute(update(sources).where(sources.c.id == source_id).values(**values))
