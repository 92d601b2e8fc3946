"""Never two processes on one auth key: who opens a client of a session holds its lease until the last one is closed.

docs/decisions/0010-one-process-a-session.md says what leases are for, and what stands beside them.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

from services.errors import AnotherPorter, SessionElsewhere
from storage.leases import LeaseRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

BEAT_SECONDS = 20.0
STALE = timedelta(seconds=90)
"""A holder on another host that was silent for so long is gone: it missed four beats."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

OnLost = Callable[[int], Awaitable[None]]
Sleep = Callable[[float], Awaitable[None]]


def this_host() -> str:
    """One boot of one kernel, containers on it included: what lives here shares our address and our file locks."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return f"host {socket.gethostname()}"


def this_process() -> str:
    """Unique, and a person can find it."""
    return f"{socket.gethostname()}, process {os.getpid()} ({secrets.token_hex(4)})"


async def take_over(rows: LeaseRepository, *, clock: Clock = utc_now) -> None:
    """At start, under the lock of DATA_DIR. Raises AnotherPorter while a Porter of another host is alive."""
    lease = await rows.elsewhere(clock() - STALE)
    if lease is not None:
        raise AnotherPorter(
            f"a Porter on another host uses this database: {lease.process}, last seen at "
            f"{lease.beat_at:%Y-%m-%d %H:%M:%S} UTC. Stop it there. If it is off already, start again after "
            f"{lease.beat_at + STALE:%H:%M:%S} UTC"
        )
    await rows.clear()


class Leases:
    """`on_lost` hears of a session that another process has taken, by its id: it closes what is open."""

    def __init__(
        self, rows: LeaseRepository, on_lost: OnLost, *, clock: Clock = utc_now, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._rows = rows
        self._on_lost = on_lost
        self._clock = clock
        self._sleep = sleep
        self._clients: Counter[int] = Counter()  # open or opening, by session
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep_beating())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def take(self, session_id: int) -> None:
        """One more client of it opens. Raises SessionElsewhere, RowMissing."""
        async with self._turns[session_id]:
            if not self._clients[session_id]:
                holder = await self._rows.take(session_id, self._clock() - STALE)
                if holder is not None:
                    raise SessionElsewhere(holder.process, holder.beat_at)
            self._clients[session_id] += 1

    async def give_back(self, session_id: int) -> None:
        """One of them is closed. Where the row cannot be deleted, it is no longer renewed."""
        async with self._turns[session_id]:
            self._clients[session_id] -= 1
            if self._clients[session_id]:
                return
            del self._clients[session_id]
            try:
                await self._rows.give_back(session_id)
            except Exception:  # a full disk: whoever closes clients goes on with the next one
                log.exception("a lease was not given back", extra={"session_id": session_id})

    async def beat(self) -> None:
        held = list(self._clients)
        if not held:
            return
        ours = await self._rows.beat(held)
        for session_id in set(held) - ours:
            if await self._is_lost(session_id):
                log.error("another process took a session: its clients close here", extra={"session_id": session_id})
                await self._on_lost(session_id)

    async def _is_lost(self, session_id: int) -> bool:
        """It may have been given back, and even taken anew, since we looked."""
        async with self._turns[session_id]:
            return bool(self._clients.get(session_id)) and not await self._rows.beat([session_id])

    async def _keep_beating(self) -> None:
        while True:
            await self._sleep(BEAT_SECONDS)
            try:
                await self.beat()
            except Exception:
                log.exception("the leases were not renewed; tried again in a moment")
