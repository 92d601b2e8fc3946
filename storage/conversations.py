"""Where each conversation stands and what it has collected: codes and passwords are on their way here, so sealed."""

import json
import logging
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.errors import CiphertextInvalid
from storage.schema import conversations
from storage.statements import insert
from storage.types import Clock, to_json, utc_now
from storage.vault import Vault

log = logging.getLogger(__name__)


class ConversationRepository:
    """`key` names bot, chat and user, as the bot's FSM builds it. A row without state and data does not exist."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def get_state(self, key: str) -> str | None:
        async with self._database.read() as connection:
            state: str | None = await connection.scalar(select(conversations.c.state).where(conversations.c.key == key))
        return state

    async def set_state(self, key: str, state: str | None) -> None:
        async with self._database.write() as connection:
            row_id = await self._row(connection, key)
            await connection.execute(update(conversations).where(conversations.c.id == row_id).values(state=state))
            await self._drop_if_empty(connection, row_id)

    async def get_data(self, key: str) -> dict[str, Any]:
        """Raises CiphertextInvalid."""
        statement = select(conversations.c.id, conversations.c.data_sealed).where(conversations.c.key == key)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None or row.data_sealed is None:
            return {}
        return self._open(row.id, row.data_sealed)[1]

    async def set_data(self, key: str, data: dict[str, Any]) -> None:
        """Replaces all data. The values must be what JSON can hold."""
        plaintext = to_json([self._clock().timestamp(), data]).encode()
        async with self._database.write() as connection:
            row_id = await self._row(connection, key)
            sealed = self._vault.seal("conversations", "data_sealed", row_id, plaintext) if data else None
            await connection.execute(
                update(conversations).where(conversations.c.id == row_id).values(data_sealed=sealed)
            )
            await self._drop_if_empty(connection, row_id)

    async def sweep(self, before: datetime) -> int:
        """Delete those that were last written before that moment; answers how many. One that does not open stays."""
        async with self._database.read() as connection:
            rows = (await connection.execute(select(conversations.c.id, conversations.c.data_sealed))).all()
        old = []
        for row in rows:
            try:
                if row.data_sealed is not None and self._open(row.id, row.data_sealed)[0] < before.timestamp():
                    old.append(row.id)
            except CiphertextInvalid:
                log.warning("a conversation cannot be opened", extra={"conversation_id": row.id})
        async with self._database.write() as connection:
            return (await connection.execute(delete(conversations).where(conversations.c.id.in_(old)))).rowcount

    def _open(self, row_id: int, sealed: bytes) -> tuple[float, dict[str, Any]]:
        """(when it was written, the data). Raises CiphertextInvalid."""
        stored = json.loads(self._vault.open("conversations", "data_sealed", row_id, sealed))
        if isinstance(stored, dict):  # as it was written before the time stood with it
            return self._clock().timestamp(), stored
        written_at, data = stored
        return written_at, data

    async def _row(self, connection: AsyncConnection, key: str) -> int:
        await connection.execute(insert(conversations).values(key=key).on_conflict_do_nothing())
        return int(
            (await connection.execute(select(conversations.c.id).where(conversations.c.key == key))).scalar_one()
        )

    async def _drop_if_empty(self, connection: AsyncConnection, row_id: int) -> None:
        await connection.execute(
            delete(conversations).where(
                conversations.c.id == row_id,
                conversations.c.state.is_(None),
                conversations.c.data_sealed.is_(None),
            )
        )
