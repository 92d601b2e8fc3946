"""The TCP connection of everything that Telethon opens for Porter: directly, or through the account's proxy alone."""

import socket
from typing import Any

from telethon.network import ConnectionTcpAbridged

from services.clients.proxy import DIAL_SECONDS, dial


class Connection(ConnectionTcpAbridged):  # type: ignore[misc]
    """`proxy`: a Proxy of ours, or None.

    Abridged: Telethon's usual transport adds a CRC32 over what AES and the message key prove already, and over 1 MiB
    parts that counts (benchmark download-loopback).
    """

    async def _proxy_connect(self, timeout: Any = None, local_addr: Any = None) -> socket.socket:
        """Called where there is a proxy. ProxyFailed is no OSError: Telethon hands it on and does not try again."""
        return await dial(self._proxy, self._ip, self._port, min(timeout or DIAL_SECONDS, DIAL_SECONDS))
