"""Telethon, opened the way Porter needs it: no file, no sleeping, our device, updates for who asks.

Only the files telethon_*.py of this folder import Telethon, and only services/clients/factory.py imports this one, at
its first use: it takes more than a second.
"""

import logging
from functools import partial
from typing import Any

from telethon import TelegramClient
from telethon.crypto import AuthKey, rsa
from telethon.sessions import MemorySession

from services.clients import device
from services.clients.base import ApiCredentials, Credential, MtprotoServer
from services.clients.probe import Guard
from services.clients.proxy import Proxy
from services.clients.telethon_bot import TelethonBotReading
from services.clients.telethon_calls import translated
from services.clients.telethon_connection import Connection
from services.clients.telethon_listening import ListeningClient
from services.clients.telethon_login import TelethonLogin
from services.clients.telethon_probe import ProbeClient, TelethonProbe
from services.clients.telethon_reading import TelethonReading
from services.errors import LoginTimedOut, SessionDead

# Below WARNING Telethon logs answers whole.
logging.getLogger("telethon").setLevel(logging.WARNING)

CONNECT_SECONDS = 10
RECONNECTS = 3
"""Connections of readers come back by themselves after a hiccup, a second apart; what takes longer, the pool mends."""


class _Memory(MemorySession):  # type: ignore[misc]
    """Keeps no entities: Porter addresses peers by access hashes of its own, and a long walk would pile them up."""

    def process_entities(self, tlo: Any) -> None:
        pass


class TelethonClients:
    def __init__(self, server: MtprotoServer | None) -> None:
        self._server = server
        if server is not None:
            rsa.add_key(server.public_key_pem, old=False)
        # Telethon keeps the list of DCs on the class: a class of our own holds the list of this server.
        self._client_class: Any = type("PorterTelegramClient", (TelegramClient,), {"_config": None})
        self._reader_class: Any = type("PorterListeningClient", (ListeningClient,), {"_config": None})

    async def login(
        self,
        api: ApiCredentials,
        resume: Credential | None = None,
        proxy: Proxy | None = None,
        *,
        hears: bool = False,
    ) -> TelethonLogin:
        """A client for an account that is not signed in: at the server's DC, or where an earlier attempt was left.

        It does not reconnect by itself: Telethon would send the code request a second time.
        """
        memory = _Memory()
        if resume is not None:
            _fill(memory, resume)
        elif self._server is not None:
            memory.set_dc(self._server.dc_id, self._server.host, self._server.port)
        client = self._build_login(memory, api, proxy, hears=hears)
        try:
            await _connect(client)
        except SessionDead as error:
            raise LoginTimedOut from error  # the key of the earlier attempt is no longer known
        open_at = partial(self._login_at, proxy)
        return TelethonLogin(client, api, open_at, hears=hears, is_resumed=resume is not None)

    async def _login_at(
        self, proxy: Proxy | None, api: ApiCredentials, dc_id: int, host: str, port: int
    ) -> TelegramClient:
        """A client at another DC, with a key of its own there."""
        memory = _Memory()
        memory.set_dc(dc_id, host, port)
        client = self._build_login(memory, api, proxy, hears=False)
        await _connect(client)
        return client

    def _build_login(
        self, memory: MemorySession, api: ApiCredentials, proxy: Proxy | None, *, hears: bool
    ) -> TelegramClient:
        # The second try is what follows PHONE_MIGRATE, after Telethon has moved to the account's DC.
        return self._build(
            memory,
            api,
            proxy,
            client_class=self._client_class,
            request_retries=1,
            auto_reconnect=False,
            receive_updates=hears,
        )

    async def reading(self, credential: Credential, proxy: Proxy | None = None) -> TelethonReading:
        memory = _Memory()
        _fill(memory, credential)
        # Behind a proxy the pool mends: it knows what to say of a proxy that fails, Telethon takes that for a defect.
        client = self._build(
            memory,
            credential.api,
            proxy,
            client_class=self._reader_class,
            request_retries=0,
            auto_reconnect=proxy is None,
        )
        await _connect(client)
        return (TelethonBotReading if credential.is_bot else TelethonReading)(client, proxy)

    async def probe(self, credential: Credential, proxy: Proxy | None, guard: Guard) -> TelethonProbe:
        """Asks nothing that `guard` does not let through."""
        memory = _Memory()
        _fill(memory, credential)
        kind = type("PorterProbeClient", (ProbeClient,), {"_config": None, "guard": guard})
        client = self._build(memory, credential.api, proxy, client_class=kind, request_retries=0, auto_reconnect=False)
        await _connect(client)
        return TelethonProbe(client, proxy)

    def _build(
        self,
        memory: MemorySession,
        api: ApiCredentials,
        proxy: Proxy | None,
        *,
        client_class: Any,
        request_retries: int,
        auto_reconnect: bool,
        receive_updates: bool = False,
    ) -> Any:
        return client_class(
            memory,
            api.api_id,
            api.api_hash,
            connection=Connection,
            proxy=proxy,
            use_ipv6=":" in (memory.server_address or ""),
            timeout=CONNECT_SECONDS,
            request_retries=request_retries,  # tries behind the first one
            connection_retries=RECONNECTS,
            auto_reconnect=auto_reconnect,
            flood_sleep_threshold=0,
            raise_last_call_error=True,
            receive_updates=receive_updates,
            catch_up=False,
            device_model=device.DEVICE_MODEL,
            system_version=device.SYSTEM_VERSION,
            app_version=device.APP_VERSION,
            lang_code=device.LANGUAGE,
            system_lang_code=device.LANGUAGE,
        )


def _fill(memory: MemorySession, credential: Credential) -> None:
    memory.set_dc(credential.dc_id, credential.host, credential.port)
    memory.auth_key = AuthKey(credential.auth_key)


async def _connect(client: TelegramClient) -> None:
    """Raises SessionDead, Unreachable. Whatever happens, nothing half-open stays behind."""
    try:
        with translated():
            await client.connect()
    except BaseException:
        await client.disconnect()
        ending = client.disconnected
        if ending.done() and not ending.cancelled():
            ending.exception()  # looked at, or asyncio logs the refusal of an unknown key as a defect of ours
        raise
