"""What the tests of the MTProto methods share: a scenario behind real servers, and unmodified clients of its people."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyrogram
from pyrogram.connection import Connection
from pyrogram.crypto import rsa as pyrogram_rsa
from pyrogram.storage import SQLiteStorage
from telethon import TelegramClient
from telethon.crypto import AuthKey as TelethonKey
from telethon.crypto import rsa as telethon_rsa
from telethon.sessions import MemorySession
from telethon.tl.alltlobjects import LAYER

from sandbox import scenarios
from sandbox.faults import Faults
from sandbox.mtproto import methods, pushes
from sandbox.mtproto.crypto import key_id
from sandbox.mtproto.rpc import Services
from sandbox.mtproto.server import HOST, MtprotoServers
from sandbox.scenarios import ADMIN, ARCHIVE, BOT, GROUP, NEWS
from sandbox.world import HOME_DC, Account, AuthKey, Channel, World, first_code
from tests.seeds import seed_sandbox

assert methods  # imported for its registrations


@dataclass
class Telegram:
    """A scenario that can be called. Clients that it opened are closed with it."""

    world: World
    services: Services
    servers: MtprotoServers
    _clients: list[Any] = field(default_factory=list)

    @property
    def admin(self) -> Account:
        return self.world.accounts[ADMIN]

    @property
    def bot(self) -> Account:
        return self.world.accounts[BOT]

    @property
    def archive(self) -> Channel:
        return self.world.channels[ARCHIVE]

    @property
    def news(self) -> Channel:
        return self.world.channels[NEWS]

    @property
    def group(self) -> Channel:
        return self.world.channels[GROUP]

    def code(self, account: Account) -> str:
        """The code that stands newest in the account's chat with 777000."""
        assert account.phone
        return first_code(account.phone, self.world.codes_sent[account.phone] - 1)

    def signed_in_key(self, user_id: int) -> bytes:
        """An auth key that a login long ago left in the world."""
        auth_key = os.urandom(256)
        self.world.auth_keys[key_id(auth_key)] = AuthKey(auth_key, HOME_DC, 99, user=user_id, layer=LAYER)
        return auth_key

    async def telethon(self, user_id: int | None = ADMIN, **options: Any) -> TelegramClient:
        """A connected Telethon client: of that account, or nobody's."""
        TelegramClient._config = None  # the list of DCs is shared in the process
        telethon_rsa.add_key(self.servers.rsa_key.public_pem, old=False)
        session = MemorySession()
        session.set_dc(options.pop("dc_id", HOME_DC), HOST, self.servers.ports[options.pop("port_of", HOME_DC)])
        if user_id is not None:
            session.auth_key = TelethonKey(self.signed_in_key(user_id))
        account = self.world.accounts.get(user_id or ADMIN) or self.admin
        client = TelegramClient(
            session,
            options.pop("api_id", account.api_id or 1),
            options.pop("api_hash", account.api_hash or "none"),
            **{"request_retries": 1, "connection_retries": 1, "flood_sleep_threshold": 0, **options},
        )
        self._clients.append(client)
        await client.connect()
        return client

    async def kurigram(self, user_id: int | None = ADMIN) -> pyrogram.Client:
        """A connected kurigram client: of that account, or nobody's. It needs a handshake then."""
        key = self.servers.rsa_key
        pyrogram_rsa.server_public_keys[key.fingerprint] = pyrogram_rsa.PublicKey(key.n, key.e)
        ports = self.servers.ports
        account = self.world.accounts.get(user_id or ADMIN) or self.admin
        auth_key = self.signed_in_key(user_id) if user_id is not None else None

        class Filled(SQLiteStorage):  # type: ignore[misc]
            async def open(self) -> None:
                await super().open()
                if auth_key is not None:
                    await self.dc_id(HOME_DC)
                    await self.server_address(HOST)
                    await self.port(ports[HOME_DC])
                    await self.api_id(account.api_id or 1)
                    await self.test_mode(False)
                    await self.auth_key(auth_key)
                    await self.user_id(user_id)
                    await self.is_bot(False)

        class Local(Connection):  # type: ignore[misc]
            def __init__(self, *args: Any, **options: Any) -> None:
                options["server_address"], options["port"] = HOST, ports[options["dc_id"]]
                super().__init__(*args, **options)

        client = pyrogram.Client(
            "rpc",
            api_id=account.api_id or 1,
            api_hash=account.api_hash or "none",
            storage_engine=Filled("rpc", None, in_memory=True),
            connection_factory=Local,
            no_updates=True,
            sleep_threshold=0,
        )
        self._clients.append(client)
        await client.connect()
        return client

    async def close(self) -> None:
        for client in self._clients:
            if isinstance(client, TelegramClient) or client.is_connected:
                await client.disconnect()


@asynccontextmanager
async def open_telegram(data_dir: Path, scenario: str = "jetty") -> AsyncIterator[Telegram]:
    world = scenarios.build(scenario)
    services = Services(world, Faults())
    pushes.attach(services)
    seed_sandbox(data_dir)
    async with MtprotoServers(services, data_dir).running() as servers:
        telegram = Telegram(world, services, servers)
        try:
            yield telegram
        finally:
            await telegram.close()
