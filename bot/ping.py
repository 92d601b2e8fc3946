"""PING_URL: a call after good runs, for a service that raises the alarm when none comes (a dead man's switch).

The address is a secret: who knows it can keep the alarm silent. It stands in no line of the log.
"""

import asyncio
import logging
import time

import aiohttp

from storage.models import Run, RunStatus

log = logging.getLogger(__name__)

ANSWER_SECONDS = 10.0
GAP_SECONDS = 60.0
"""Between two calls: a channel full of new posts is no reason for more."""


class Pinger:
    """`settled` is the runner's to call (Runner.on_settled); it neither waits nor raises."""

    def __init__(self, url: str, *, gap_seconds: float = GAP_SECONDS) -> None:
        self._url = url
        self._gap_seconds = gap_seconds
        self._pinged_at = float("-inf")
        self._trouble: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def settled(self, run: Run) -> None:
        """Calls when the run came to its end and lost no file, whatever kind it is and whoever began it."""
        now = time.monotonic()
        is_good = run.status is RunStatus.DONE and not run.progress.counters.get("failed")
        if self._closed or not is_good or now - self._pinged_at < self._gap_seconds:
            return
        self._pinged_at = now
        task = asyncio.create_task(self._ping())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        self._closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ping(self) -> None:
        trouble = await self._call()
        if trouble is not None and trouble != self._trouble:
            log.warning("PING_URL was not reached: %s. Not told again until something changes", trouble)
        elif trouble is None and self._trouble is not None:
            log.info("PING_URL is reached again")
        self._trouble = trouble

    async def _call(self) -> str | None:
        """None, or the trouble by its kind: texts of errors carry the address."""
        try:
            timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
            async with aiohttp.ClientSession(timeout=timeout) as http, http.get(self._url) as answer:
                return None if answer.status < 400 else f"HTTP {answer.status}"
        except Exception as error:  # noqa: BLE001 - whatever it is: a ping fails no run, and the log says its kind
            return type(error).__name__
