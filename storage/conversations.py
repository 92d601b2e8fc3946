"""Where each conversation stands and what it has collected: codes and passwords are on their way here, so sealed."""

import json
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.schema import conversations
from storage.statements import insert
from storage.types import to_json
from storage.vault import Vault


class ConversationRepository:
    """`key` names bot, chat and user, as the bot's FSM builds it. A row without state and data does not exist."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

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
        data: dict[str, Any] = json.loads(self._vault.open("conversations", "data_sealed", row.id, row.data_sealed))
        return data

    async def set_data(self, key: str, data: dict[str, Any]) -> None:
        """Replaces all data. The values must be what JSON can hold."""
        plaintext = to_json(data).encode()
        async with self._database.write() as connection:
            row_id = await self._row(connection, key)
            sealed = self._vault.seal("conversations", "data_sealed", row_id, plaintext) if data else None
            await connection.execute(
                update(conversations).where(conversations.c.id == row_id).values(data_sealed=sealed)
            )
            await self._drop_if_empty(connection, row_id)

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
