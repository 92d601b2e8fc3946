"""aiogram's FSM storage on our SQLite: state and data of a conversation survive a restart, sealed.

And whose turn it is in one.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage, DefaultKeyBuilder, StateType, StorageKey

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


class Turns(BaseEventIsolation):
    """Updates of one conversation are handled one after the other.

    A lock lives while somebody holds it or waits for it: aiogram's SimpleEventIsolation keeps one for good for every
    stranger who ever wrote.
    """

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[StorageKey, asyncio.Lock] = WeakValueDictionary()

    @property
    def held(self) -> int:
        """Conversations that have an update under way."""
        return len(self._locks)

    @asynccontextmanager
    async def lock(self, key: StorageKey) -> AsyncGenerator[None, None]:
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            yield

    async def close(self) -> None:
        """Nothing is kept."""


class Conversations:
    """The conversation with an admin, for what happens by itself: `of` waits its turn among the admin's own updates."""

    def __init__(self, bot_id: int, storage: BaseStorage, isolation: BaseEventIsolation) -> None:
        self._bot_id = bot_id
        self._storage = storage
        self._isolation = isolation

    @asynccontextmanager
    async def of(self, admin_id: int) -> AsyncIterator[FSMContext]:
        key = StorageKey(bot_id=self._bot_id, chat_id=admin_id, user_id=admin_id)
        async with self._isolation.lock(key):
            yield FSMContext(self._storage, key)
