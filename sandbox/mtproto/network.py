"""The line between the clients and the MTProto servers: a round-trip time and a bandwidth, settable while it runs.

Loopback answers at once and without end, so what pipelining and large parts are worth shows only on a line like this.
Every delay is put on the way back: an answer arrives one whole round trip after its request was seen here. Requests
that are under way together therefore share their waiting: N in flight of S bytes each bring N * S per round trip.
"""

import asyncio
from collections import deque

TIMER_LATE_S = 0.0005
"""The event loop rounds its sleep up to whole milliseconds: its timers are late by half of one, on average."""

MAX_QUEUED_BYTES = 64 * 1024 * 1024
"""Answers of one connection that may wait for their time; then its next request is not read until some have gone."""


class Network:
    """The settings. `rtt_ms`: there and back. `mbit`: megabit a second, of each DC and direction; 0: no limit."""

    def __init__(self) -> None:
        self.rtt_ms = 0.0
        self.mbit = 0.0
        self.file_bytes = 0
        """Of files, that have left for a client: not what was under way when its connection ended."""

    def shape(self, *, rtt_ms: float | None = None, mbit: float | None = None) -> None:
        """Set one or both. Raises ValueError for a negative number."""
        if (rtt_ms is not None and rtt_ms < 0) or (mbit is not None and mbit < 0):
            raise ValueError("a network is neither faster than light nor slower than a standstill")
        if rtt_ms is not None:
            self.rtt_ms = rtt_ms
        if mbit is not None:
            self.mbit = mbit

    @property
    def shaped(self) -> bool:
        return bool(self.rtt_ms or self.mbit)

    @property
    def rtt_s(self) -> float:
        return self.rtt_ms / 1000


class Direction:
    """One way of a DC's line. Its connections share the bandwidth: each piece waits until those before are through."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._free_at = 0.0

    def carry(self, size_bytes: int, start: float) -> float:
        """When the last byte of a piece that starts then is through. Times are the event loop's."""
        if not self._network.mbit:
            return start
        self._free_at = max(self._free_at, start) + size_bytes * 8 / (self._network.mbit * 1_000_000)
        return self._free_at


class Link:
    """One DC's line."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.up = Direction(network)
        self.down = Direction(network)


class Outbox:
    """What one connection has to send, in order, each piece at its time. Without shaping it writes at once."""

    def __init__(self, writer: asyncio.StreamWriter, link: Link) -> None:
        self._writer = writer
        self._link = link
        self._network = link.network
        self._loop = asyncio.get_running_loop()
        self._opened_at = self._loop.time()
        self._queue: deque[tuple[float, bytes, int]] = deque()  # due, data, bytes of a file in it
        self._queued_bytes = 0
        self._last_due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._room = asyncio.Event()
        self._room.set()

    def arrived(self, size_bytes: int) -> float:
        """Note that a request has been read; gives the moment from which its answer's round trip counts."""
        now = self._loop.time()
        if not self._network.shaped:
            return now
        # TCP itself takes a round trip before the first packet of a connection can leave.
        return self._link.up.carry(size_bytes, max(now, self._opened_at + self._network.rtt_s))

    def send(self, data: bytes, asked_at: float | None, file_bytes: int = 0) -> None:
        """Send the answer to what arrived at `asked_at`; None: the server speaks unasked, half a round trip away.
        `file_bytes`: so many of it are a file's."""
        if not self._network.shaped and not self._queue:
            self._leave(data, file_bytes)
            return
        half = self._network.rtt_s / 2
        now = self._loop.time()
        leaves = now if asked_at is None else asked_at + half
        due = max(self._link.down.carry(len(data), leaves) + half, now, self._last_due)
        self._last_due = due
        self._queue.append((due, data, file_bytes))
        self._queued_bytes += len(data)
        if self._queued_bytes > MAX_QUEUED_BYTES:
            self._room.clear()
        if self._timer is None:
            self._timer = self._loop.call_at(due - TIMER_LATE_S, self._deliver)

    def _deliver(self) -> None:
        self._timer = None
        # The loop's timers are exact to a millisecond: what is due within the next one goes now.
        soon = self._loop.time() + 0.001
        while self._queue and self._queue[0][0] <= soon:
            _, data, file_bytes = self._queue.popleft()
            self._queued_bytes -= len(data)
            self._leave(data, file_bytes)
        if self._queued_bytes <= MAX_QUEUED_BYTES:
            self._room.set()
        if self._queue:
            self._timer = self._loop.call_at(self._queue[0][0] - TIMER_LATE_S, self._deliver)

    def _leave(self, data: bytes, file_bytes: int) -> None:
        self._writer.write(data)
        self._network.file_bytes += file_bytes

    async def drain(self) -> None:
        """Wait while the client takes less than it asks for. Raises ConnectionError when it is gone."""
        await self._room.wait()
        await self._writer.drain()

    def close(self) -> None:
        """Forget what is still under way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue.clear()
        self._queued_bytes = 0
        self._room.set()
