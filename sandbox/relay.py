"""A TCP relay on this machine that comes from another address: what is behind it looks like another host.

The sandbox listens on 127.0.0.1 alone, where all clients look alike; on Linux all of 127/8 is this machine, so a
connection may leave from 127.0.0.2.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

ELSEWHERE = "127.0.0.2"
CHUNK_BYTES = 256 * 1024


@asynccontextmanager
async def relay(host: str, port: int, source: str = ELSEWHERE) -> AsyncIterator[int]:
    """The port on 127.0.0.1 at which `host:port` can be reached from `source`."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
        except OSError:
            writer.close()
            return
        await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer))

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side ends; then the other one is told."""
    with suppress(ConnectionError):
        try:
            while data := await reader.read(CHUNK_BYTES):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()
