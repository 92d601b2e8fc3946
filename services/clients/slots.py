"""The place of one client of one session in the pool: opened at its first call, mended, closed when idle."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from services.clients.pacing import ANSWER_SECONDS, Governor, answered
from services.errors import SessionDead, Unreachable
from services.log_context import apart

log = logging.getLogger(__name__)

CLOSE_SECONDS = 10.0


class Connected(Protocol):
    @property
    def is_connected(self) -> bool: ...

    async def close(self) -> None: ...


C = TypeVar("C", bound=Connected)
T = TypeVar("T")


class Slot(Generic[C]):
    """The place of one client of one session: empty, or holding it open. Implements paced.Line."""

    def __init__(
        self,
        session_id: int,
        governor: Governor,
        connect: Callable[[int], Awaitable[C]],
        on_dead: Callable[[int, SessionDead], Awaitable[None]],
        on_alive: Callable[[int], None],
        on_closed: Callable[[int], Awaitable[None]],
        idle_seconds: float,
    ) -> None:
        self._session_id = session_id
        self._governor = governor
        self._connect = connect
        self._on_dead = on_dead
        self._on_alive = on_alive
        self._on_closed = on_closed
        self._idle_seconds = idle_seconds
        self._client: C | None = None
        self._connecting = asyncio.Lock()
        self._users = 0
        self._idle: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def is_connected(self) -> bool:
        return self._client is not None and self._client.is_connected

    @property
    def is_used(self) -> bool:
        return self._users > 0

    # -- calls

    async def ask(
        self,
        method: str,
        request: Callable[[C], Awaitable[T]],
        *,
        repeat: bool = False,
        timeout_seconds: float = ANSWER_SECONDS,
    ) -> T:
        """One paced request on the shared client."""
        used: C | None = None

        async def once() -> T:
            nonlocal used
            used = await self._opened()
            return await request(used)

        async def lost() -> None:
            await self._discard(used)

        try:
            if not repeat:
                # What is sent once only goes over a connection that is there.
                await self._governor.call(self._session_id, "connect", self._opened, timeout_seconds=timeout_seconds)
            answer = await self._governor.call(
                self._session_id, method, once, timeout_seconds=timeout_seconds, repeat=repeat, on_unreachable=lost
            )
        except SessionDead as error:
            await self._on_dead(self._session_id, error)
            raise
        self._on_alive(self._session_id)
        return answer

    async def _opened(self) -> C:
        async with self._connecting:
            if not self.is_connected:
                await self.close()
            if self._client is None:
                self._client = await self._connect(self._session_id)
            return self._client

    # -- closing

    async def _discard(self, client: C | None) -> None:
        """Close a client that is of no more use, unless somebody has replaced it already."""
        if client is not None and client is self._client:
            await self.close()

    async def close(self) -> None:
        """The next call opens a new client. Whoever waits on this one gets Unreachable."""
        closing = self._start_closing()
        if closing is not None:
            await asyncio.shield(closing)  # a client is closed whole, even if its last user is cancelled

    def _start_closing(self) -> asyncio.Task[None] | None:
        client, self._client = self._client, None
        if client is None:
            return None
        closing = apart(self._close(client), session_id=self._session_id)  # often a timer's, long after its last user
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return closing

    async def _close(self, client: C) -> None:
        try:
            await answered(client.close(), CLOSE_SECONDS)
        except Unreachable:
            log.warning("a client did not close in time", extra={"session_id": self._session_id})
        except Exception:  # whatever a library does at its end, what comes after goes on
            log.exception("a client did not close cleanly", extra={"session_id": self._session_id})
        finally:
            await self._on_closed(self._session_id)

    async def end(self) -> None:
        """Closed, and everything that was being closed is so."""
        if self._idle is not None:
            self._idle.cancel()
        async with self._connecting:  # a client that is just being opened is closed as well
            await self.close()
        await asyncio.gather(*self._closing)

    # -- idling

    @contextmanager
    def used(self) -> Iterator[None]:
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        self._users += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _leave(self) -> None:
        self._users -= 1
        if not self._users:
            self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._start_closing)
