"""The TCP connection of everything that Telethon opens for Porter: directly, or through the account's proxy alone."""

import socket
from typing import Any

from telethon.network import ConnectionTcpFull

from services.clients.proxy import DIAL_SECONDS, dial


class Connection(ConnectionTcpFull):  # type: ignore[misc]
    """`proxy`: a Proxy of ours, or None."""

    async def _proxy_connect(self, timeout: Any = None, local_addr: Any = None) -> socket.socket:
        """Called where there is a proxy. ProxyFailed is no OSError: Telethon hands it on and does not try again."""
        return await dial(self._proxy, self._ip, self._port, min(timeout or DIAL_SECONDS, DIAL_SECONDS))
