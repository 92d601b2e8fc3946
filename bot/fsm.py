"""aiogram's FSM storage on our SQLite: state and data of a conversation survive a restart, sealed."""

from collections.abc import Mapping
from typing import Any

from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, DefaultKeyBuilder, StateType, StorageKey

from storage.conversations import ConversationRepository


class SqliteStorage(BaseStorage):
    def __init__(self, conversations: ConversationRepository) -> None:
        self._conversations = conversations
        self._keys = DefaultKeyBuilder(prefix="fsm", with_bot_id=True)

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        await self._conversations.set_state(self._keys.build(key), state.state if isinstance(state, State) else state)

    async def get_state(self, key: StorageKey) -> str | None:
        return await self._conversations.get_state(self._keys.build(key))

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        await self._conversations.set_data(self._keys.build(key), dict(data))

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        return await self._conversations.get_data(self._keys.build(key))

    async def close(self) -> None:
        """The database is closed by whoever opened it (bot/app.py)."""
