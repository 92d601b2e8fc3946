"""The MTProto side of the sandbox: two data centres on 127.0.0.1 that unmodified clients take for Telegram's."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from telethon.tl.tlobject import TLObject

from sandbox.mtproto.connection import Connection, Dc
from sandbox.mtproto.crypto import RsaKey
from sandbox.mtproto.network import Link, Network
from sandbox.mtproto.rpc import Services, serialise
from sandbox.mtproto.session import Sessions
from sandbox.world import HOME_DC

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
FILES_DC = 4

_READ_BUFFER = 1024 * 1024

# A client may have many large parts in flight. Only one that stops reading is made to wait: while a connection waits,
# its requests are not seen, and their round trip would start too late.
_WRITE_BUFFER = 32 * 1024 * 1024


class MtprotoServers:
    """Both DCs. They share the RSA key and the sessions; auth keys, as with Telegram, belong to one DC each.

    `data_dir` (an existing directory) keeps the RSA key: a client's copy of the public half stays good.
    """

    def __init__(self, services: Services, data_dir: Path, *, port: int = 0, files_port: int = 0) -> None:
        self.network = Network()
        self.public_key_file = data_dir / "mtproto_public.pem"
        self.rsa_key = RsaKey.load_or_create(data_dir / "mtproto_private.pem")
        self.public_key_file.write_text(self.rsa_key.public_pem)
        self._services = services
        self._wanted_ports = {HOME_DC: port, FILES_DC: files_port}
        self._sessions = Sessions()
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def ports(self) -> dict[int, int]:
        """The port of each DC, by its id. Empty while the servers do not run."""
        return self._services.ports

    @asynccontextmanager
    async def running(self) -> AsyncIterator["MtprotoServers"]:
        """Listen; at the end, close every connection. Raises OSError when a port is taken."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._end_connections)
            for dc_id, wanted in self._wanted_ports.items():
                dc = Dc(dc_id, self._services, self.rsa_key, self._sessions, Link(self.network))
                server = await self._listen(dc, wanted)
                stack.callback(server.close)
                self._services.ports[dc_id] = server.sockets[0].getsockname()[1]
            not_pushing, self._services.push = self._services.push, self.push
            not_reaching, self._services.push_to_key = self._services.push_to_key, self.push_to_key
            try:
                yield self
            finally:
                self._services.push = not_pushing
                self._services.push_to_key = not_reaching
                self._services.ports.clear()

    def push(self, user_id: int, updates: TLObject | bytes) -> None:
        """Send an `Updates` object to each of the account's open connections that listen.

        Those are sessions at the home DC that have called a method since they said who they are, calls of files and of
        logging in aside, and whose last call was not wrapped in invokeWithoutUpdates.
        """
        body: bytes | None = None
        home_dc = self._services.world.account(user_id).home_dc
        for session, wire in self._sessions.connected():
            key = session.key
            if key.user != user_id or key.revoked or key.duplicated or key.dc_id != home_dc:
                continue
            if session.wants_updates:
                body = body or serialise(updates)
                wire.push(session, body)

    def push_to_key(self, key_id: int, updates: TLObject | bytes) -> None:
        """Send an `Updates` object to whoever is connected with this key, signed in or not."""
        body = serialise(updates)
        for session, wire in self._sessions.connected():
            if session.key is self._services.world.auth_keys.get(key_id):
                wire.push(session, body)

    async def drop_connections(self) -> None:
        """Close every connection, as a restart of Telegram's servers does. Clients may come back at once."""
        await self._end_connections()

    async def _listen(self, dc: Dc, port: int) -> asyncio.Server:
        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.set_write_buffer_limits(high=_WRITE_BUFFER)
            task = asyncio.get_running_loop().create_task(Connection(dc, reader, writer).serve())
            self._connections.add(task)
            task.add_done_callback(ended)
            # A task that is cancelled before its first step cleans nothing up itself.
            task.add_done_callback(lambda _: writer.transport.abort())

        def ended(task: asyncio.Task[None]) -> None:
            self._connections.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                log.error("a connection to DC %d failed", dc.id, exc_info=error)

        return await asyncio.start_server(accept, HOST, port, limit=_READ_BUFFER)

    async def _end_connections(self) -> None:
        for task in self._connections:
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
