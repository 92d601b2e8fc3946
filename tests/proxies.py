"""Real proxies on 127.0.0.1: SOCKS5 (RFC 1928, 1929) and HTTP CONNECT, with and without a password.

They leave from 127.0.0.2, so that a server tells who came through a proxy from who came directly.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

OUTSIDE = "127.0.0.2"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class TestProxy:
    """`logins`: what clients said, in order. `targets`: where they were led. `carried`: bytes, both ways."""

    __test__ = False

    kind: str
    user: str | None = None
    password: str | None = None
    port: int = 0
    logins: list[str] = field(default_factory=list)
    targets: list[tuple[str, int]] = field(default_factory=list)
    carried: int = 0
    refuses: bool = False  # to lead anybody anywhere
    hangs: bool = False  # takes connections and says nothing
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def typed(self) -> str:
        login = f"{self.user}:{self.password}@" if self.user else ""
        return f"{self.kind}://{login}127.0.0.1:{self.port}"

    @property
    def place(self) -> str:
        return f"{self.kind}://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Every connection through it ends."""
        for writer in self._writers:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greet: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[Streams | None]]
        greet = self._socks5 if self.kind == "socks5" else self._connect
        self._writers.add(writer)
        try:
            if self.hangs:
                await reader.read(-1)
                return
            outside = await greet(reader, writer)
            if outside is not None:
                self._writers.add(outside[1])
                await asyncio.gather(self._pump(reader, outside[1]), self._pump(outside[0], writer))
                self._writers.discard(outside[1])
        except (OSError, asyncio.IncompleteReadError):
            return  # one of the two went away
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.carried += len(data)
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def _lead(self, host: str, port: int) -> Streams:
        self.targets.append((host, port))
        return await asyncio.open_connection(host, port, local_addr=(OUTSIDE, 0))

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams | None:
        _, count = await reader.readexactly(2)
        offered = await reader.readexactly(count)
        wanted = 2 if self.user else 0
        if wanted not in offered:
            writer.write(b"\x05\xff")
            return None
        writer.write(bytes([5, wanted]))
        if self.user:
            await reader.readexactly(1)
            user = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
            password = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
            self.logins.append(f"{user}:{password}")
            right = (user, password) == (self.user, self.password)
            writer.write(bytes([1, not right]))
            if not right:
                return None
        _, _, _, kind = await reader.readexactly(4)
        assert kind == 1, "Telegram's servers are asked for by address"
        host = ".".join(map(str, await reader.readexactly(4)))
        port = int.from_bytes(await reader.readexactly(2), "big")
        if self.refuses:
            writer.write(b"\x05\x02\x00\x01" + bytes(6))
            return None
        outside = await self._lead(host, port)
        writer.write(b"\x05\x00\x00\x01" + bytes(6))
        return outside

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Streams | None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n")[0].split()
        assert method == "CONNECT"
        if self.user:
            given = next((line for line in head.split("\r\n") if line.lower().startswith("proxy-authorization:")), "")
            self.logins.append(base64.b64decode(given.rpartition(" ")[2]).decode())
            if self.logins[-1] != f"{self.user}:{self.password}":
                writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                return None
        if self.refuses:
            writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n")
            return None
        host, _, port = target.rpartition(":")
        outside = await self._lead(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        return outside


@asynccontextmanager
async def open_proxy(kind: str, user: str | None = None, password: str | None = None) -> AsyncIterator[TestProxy]:
    proxy = TestProxy(kind, user, password)
    serving: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(proxy.serve(reader, writer))
        serving.add(task)
        task.add_done_callback(serving.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
