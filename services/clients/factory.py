"""Opens clients, importing each library when it is first needed: together they cost seconds and 100 MB."""

import asyncio
import importlib
from typing import TYPE_CHECKING, Any

from services.clients.base import (
    ApiCredentials,
    Credential,
    GateClient,
    LoginClient,
    MtprotoServer,
    ReadingClient,
)
from services.clients.probe import Guard, Probe
from services.clients.proxy import Proxy
from services.errors import AccountRequired

if TYPE_CHECKING:
    from services.clients.pyrogram_client import PyrogramClients
    from services.clients.telethon_client import TelethonClients


class Clients:
    """Implements base.ClientFactory. `server`: another MTProto server than Telegram's."""

    def __init__(self, server: MtprotoServer | None) -> None:
        self._server = server
        self._importing = asyncio.Lock()
        self._telethon: TelethonClients | None = None
        self._pyrogram: PyrogramClients | None = None

    async def login(
        self,
        api: ApiCredentials,
        resume: Credential | None = None,
        proxy: Proxy | None = None,
        *,
        hears: bool = False,
    ) -> LoginClient:
        return await (await self._with_telethon()).login(api, resume, proxy, hears=hears)

    async def reading(self, credential: Credential, proxy: Proxy | None = None) -> ReadingClient:
        return await (await self._with_telethon()).reading(credential, proxy)

    async def gate(self, credential: Credential, proxy: Proxy | None = None) -> GateClient:
        if credential.is_bot:
            raise AccountRequired  # who waits is told to accounts of people alone
        return await (await self._with_pyrogram()).gate(credential, proxy)

    async def probe(self, credential: Credential, proxy: Proxy | None, guard: Guard) -> Probe:
        """For the doctor's round alone. Raises SessionDead, Unreachable, ProxyFailed."""
        return await (await self._with_telethon()).probe(credential, proxy, guard)

    async def gate_layer(self) -> int:
        """The layer of Telegram's schema that clients for join requests speak."""
        return (await self._with_pyrogram()).layer

    async def _with_telethon(self) -> "TelethonClients":
        async with self._importing:
            if self._telethon is None:
                module = await asyncio.to_thread(importlib.import_module, "services.clients.telethon_client")
                self._telethon = module.TelethonClients(self._server)
            return self._telethon

    async def _with_pyrogram(self) -> "PyrogramClients":
        async with self._importing:
            if self._pyrogram is None:
                module = await asyncio.to_thread(_import_pyrogram)
                self._pyrogram = module.PyrogramClients()
            return self._pyrogram


def _import_pyrogram() -> Any:
    """kurigram asks for an event loop while it is imported and would leave one of its own open in this thread."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        return importlib.import_module("services.clients.pyrogram_client")
    finally:
        asyncio.set_event_loop(None)
        loop.close()
