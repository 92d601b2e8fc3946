"""The TCP connection of everything that Telethon opens for Porter: directly, or through the account's proxy alone."""

import asyncio
import socket
from typing import Any

from telethon.network import ConnectionTcpAbridged

from services.clients.proxy import DIAL_SECONDS, dial

READ_AHEAD_BYTES = 2 * 1024 * 1024
"""asyncio's own limit of 64 KiB stops and starts the socket a dozen times for each part of a file."""


class Connection(ConnectionTcpAbridged):  # type: ignore[misc]
    """`proxy`: a Proxy of ours, or None.

    Abridged: Telethon's usual transport adds a CRC32 over what AES and the message key prove already, and over 1 MiB
    parts that counts (benchmark download-loopback).
    """

    async def _connect(self, timeout: Any = None, ssl: Any = None) -> None:
        """As Telethon 1.45 does it, with room for whole parts."""
        place: dict[str, Any] = {"host": self._ip, "port": self._port}
        if self._proxy:
            place = {"sock": await self._proxy_connect(timeout)}
        async with asyncio.timeout(timeout):
            self._reader, self._writer = await asyncio.open_connection(**place, limit=READ_AHEAD_BYTES, ssl=ssl)
        self._codec = self.packet_codec(self)
        self._init_conn()
        await self._writer.drain()

    async def _proxy_connect(self, timeout: Any = None, local_addr: Any = None) -> socket.socket:
        """Called where there is a proxy. ProxyFailed is no OSError: Telethon hands it on and does not try again."""
        return await dial(self._proxy, self._ip, self._port, min(timeout or DIAL_SECONDS, DIAL_SECONDS))
