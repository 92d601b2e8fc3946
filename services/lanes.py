"""How much an account fetches at once: files, and bytes that are asked for and not there yet.

Telegram counts both by account (TELEGRAM.md, Files), so all runs of a session share one lane, and sessions do not wait
for each other. FLOOD_PREMIUM_WAIT says that the window is too wide: it is halved, and grows again part by part.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from services.clients.base import PART_BYTES

SMALL_AT_ONCE = 5
LARGE_AT_ONCE = 2
LARGE_BYTES = 20 * 1024 * 1024
WINDOW_BYTES = 4 * 1024 * 1024
WRITING_BYTES = PART_BYTES
"""One part more keeps the window full while another is written."""
WIDEN_BYTES = 16 * 1024 * 1024
"""So much has to come without a new wait before a narrowed window grows by one part."""


class ByteWindow:
    """At most so many bytes at once; in the order of asking when it is full."""

    def __init__(self, size_bytes: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds."""
        self._full_bytes = size_bytes
        self._limit_bytes = size_bytes
        self._used_bytes = 0
        self._come_bytes = 0  # since the window was last made narrower or wider
        self._narrowed_until = 0.0
        self._clock = clock
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()  # in the order of asking

    @property
    def limit_bytes(self) -> int:
        return self._limit_bytes

    @asynccontextmanager
    async def room(self, size_bytes: int) -> AsyncIterator[None]:
        """Whatever the window, one may always ask."""
        await self._enter(size_bytes)
        try:
            yield
            self._came(size_bytes)
        finally:
            self._used_bytes -= size_bytes
            self._let_in()

    async def _enter(self, size_bytes: int) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((size_bytes, turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove((size_bytes, turn))
            else:  # it was let in, and nobody is there any more
                self._used_bytes -= size_bytes
                self._let_in()
            raise

    def _let_in(self) -> None:
        """In their order; a small one may fit where a large one before it does not."""
        still: deque[tuple[int, asyncio.Future[None]]] = deque()
        for size_bytes, turn in self._waiting:
            if turn.cancelled() or (self._used_bytes and self._used_bytes + size_bytes > self._limit_bytes):
                still.append((size_bytes, turn))
            else:
                self._used_bytes += size_bytes
                turn.set_result(None)
        self._waiting = still

    def narrow(self, seconds: float) -> None:
        """Telegram wants a pause of that length. All that is in flight hears so: until it is over, once is enough."""
        now = self._clock()
        if now < self._narrowed_until:
            return
        self._narrowed_until = now + seconds
        self._limit_bytes = max(PART_BYTES, self._limit_bytes // 2)
        self._come_bytes = 0

    def _came(self, size_bytes: int) -> None:
        self._come_bytes += size_bytes
        if self._limit_bytes < self._full_bytes and self._come_bytes >= WIDEN_BYTES:
            self._limit_bytes = min(self._full_bytes, self._limit_bytes + PART_BYTES)
            self._come_bytes = 0


class Lane:
    """Of one session. `window`: what is on its way. `unnoted`: that, and what has come and is being written and noted;
    as much as a kill can take."""

    def __init__(self, window_bytes: int) -> None:
        self.window = ByteWindow(window_bytes)
        self.unnoted = ByteWindow(window_bytes + WRITING_BYTES)
        self._small = asyncio.Semaphore(SMALL_AT_ONCE)
        self._large = asyncio.Semaphore(LARGE_AT_ONCE)

    def slot(self, size_bytes: int) -> asyncio.Semaphore:
        """The place of a file of that size."""
        return self._large if size_bytes >= LARGE_BYTES else self._small


class Lanes:
    def __init__(self, window_bytes: int = WINDOW_BYTES) -> None:
        self._window_bytes = window_bytes
        self._lanes: dict[int, Lane] = {}

    def of(self, session_id: int) -> Lane:
        return self._lanes.setdefault(session_id, Lane(self._window_bytes))

    def paced(self, session_id: int, seconds: float) -> None:
        """Telegram spaces this account's parts out."""
        self.of(session_id).window.narrow(seconds)
