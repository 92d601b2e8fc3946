"""Parts of files, each from the DC where it lies, with Telethon.

A DC other than the account's own needs a connection and a login there. Telethon makes both, but only inside its own
download_media, which asks 128 KiB at a time and leaks the connection when it is cancelled half-way. So the connections
here are our own, of the public MTProtoSender.
"""

import asyncio
import logging
from collections import defaultdict
from typing import Any

from telethon import TelegramClient
from telethon.errors import FileMigrateError
from telethon.network import MTProtoSender
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER

from services import log_context
from services.clients import device
from services.clients.base import PART_BYTES, FileLocation, RangeHash
from services.clients.proxy import Proxy
from services.clients.telethon_calls import translated
from services.clients.telethon_connection import Connection
from services.clients.telethon_convert import input_location
from services.errors import TelegramRefused

CONNECT_SECONDS = 10
RECONNECTS = 3


class PartReader:
    """One authorised connection per DC, kept as long as the client: exporting a login is flood-limited itself."""

    def __init__(self, client: TelegramClient, proxy: Proxy | None = None) -> None:
        self._client = client
        self._proxy = proxy
        self._senders: dict[int, MTProtoSender] = {}
        self._opening: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._ids = log_context.ids()  # the client's; whoever needs a connection first has more

    async def read(self, location: FileLocation, number: int) -> bytes:
        """Raises FileReferenceExpired, FileGone, TelegramError, PaceWait."""
        offset = number * PART_BYTES
        if offset >= location.size_bytes:
            return b""
        # cdn_supported stays off: parts then always come from Telegram itself.
        request = functions.upload.GetFileRequest(input_location(location), offset, PART_BYTES)
        with translated():
            try:
                answer = await self.ask(location.dc_id, request)
            except FileMigrateError as error:
                answer = await self.ask(error.new_dc, request)
        if not isinstance(answer, types.upload.File):
            raise TelegramRefused(type(answer).__name__)
        return bytes(answer.bytes)

    async def hashes(self, location: FileLocation, offset: int) -> list[RangeHash]:
        """Raises as `read`."""
        request = functions.upload.GetFileHashesRequest(input_location(location), offset)
        with translated():
            try:
                answer = await self.ask(location.dc_id, request)
            except FileMigrateError as error:
                answer = await self.ask(error.new_dc, request)
        return [RangeHash(each.offset, each.limit, each.hash) for each in answer]

    async def close(self) -> None:
        for sender in self._senders.values():
            await sender.disconnect()
        self._senders.clear()

    async def ask(self, dc_id: int, request: Any) -> Any:
        """The answer of that DC. Raises what Telethon raises."""
        if dc_id == self._client.session.dc_id:
            return await self._client(request)
        async with self._opening[dc_id]:
            if dc_id not in self._senders:
                self._senders[dc_id] = await log_context.apart(self._open(dc_id), **self._ids)
        return await self._senders[dc_id].send(request)

    async def _open(self, dc_id: int) -> MTProtoSender:
        """A connection to that DC, signed in with a login that the account's own DC exports."""
        loggers: defaultdict[str, logging.Logger] = defaultdict(lambda: logging.getLogger("telethon"))
        address = await self._address(dc_id)
        sender = MTProtoSender(
            None,
            loggers=loggers,
            retries=RECONNECTS,
            auto_reconnect=self._proxy is None,
            connect_timeout=CONNECT_SECONDS,
        )
        try:
            connection = Connection(address.ip_address, address.port, dc_id, loggers=loggers, proxy=self._proxy)
            await sender.connect(connection)
            exported = await self._client(functions.auth.ExportAuthorizationRequest(dc_id))
            sign_in = functions.auth.ImportAuthorizationRequest(exported.id, exported.bytes)
            await sender.send(functions.InvokeWithLayerRequest(LAYER, self._introduced(sign_in)))
        except BaseException:
            await sender.disconnect()
            raise
        return sender

    async def _address(self, dc_id: int) -> Any:
        """The DcOption, of the kind that the account's own connection is."""
        config = await self._client(functions.help.GetConfigRequest())
        use_ipv6 = ":" in self._client.session.server_address
        options = [each for each in config.dc_options if each.id == dc_id and not each.cdn and not each.tcpo_only]
        if not options:
            raise TelegramRefused(f"DC_{dc_id}_UNKNOWN")
        # False sorts first: the right protocol, then DCs that serve more than media.
        return min(options, key=lambda each: (bool(each.ipv6) != use_ipv6, bool(each.media_only)))

    def _introduced(self, query: Any) -> Any:
        return functions.InitConnectionRequest(
            api_id=self._client.api_id,
            device_model=device.DEVICE_MODEL,
            system_version=device.SYSTEM_VERSION,
            app_version=device.APP_VERSION,
            system_lang_code=device.LANGUAGE,
            lang_pack="",  # is for official apps
            lang_code=device.LANGUAGE,
            query=query,
        )
