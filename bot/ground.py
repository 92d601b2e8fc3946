"""What must hold before anything is asked of Telegram, and whoever may not start is refused here.

lock -> health's port -> database -> vault -> identity -> home -> leases

Nothing of this needs aiogram: the import that makes a start long comes after it (docs/decisions/0033-a-quick-start.md).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from bot.door import Door, open_door
from bot.lock import hold_lock
from bot.settings import Settings
from services.clients.base import MtprotoServer
from services.leases import take_over, this_host, this_process
from storage.database import Database
from storage.home import settle
from storage.leases import LeaseRepository
from storage.restore import finish
from storage.vault import Vault, open_vault


@dataclass(frozen=True)
class Ground:
    """`server`: another MTProto server than Telegram's."""

    settings: Settings
    server: MtprotoServer | None
    door: Door
    database: Database
    vault: Vault
    leases: LeaseRepository


@asynccontextmanager
async def open_ground(settings: Settings) -> AsyncIterator[Ground]:
    """Raises AnotherPorter, StorageError or SettingsInvalid before anything is touched."""
    async with AsyncExitStack() as stack:
        server = settings.mtproto()
        stack.enter_context(hold_lock(settings.data_dir))
        door = await stack.enter_async_context(open_door(settings.health_port))
        await asyncio.to_thread(finish, settings.data_dir)
        database = await stack.enter_async_context(Database.open(settings.data_dir / "porter.db"))
        vault = await open_vault(database, settings.keys)
        await database.claim_identity(settings.bot_id, settings.network)
        await settle(database)
        leases = LeaseRepository(database, this_process(), this_host())
        await take_over(leases)
        yield Ground(settings, server, door, database, vault, leases)
