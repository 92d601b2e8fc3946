"""Our update loop on aiogram's Dispatcher.

aiogram's own acknowledges updates whose handlers still run when it stops (LIBRARIES.md section 6). Here the join
requests of a batch are stored in one transaction before the next getUpdates acknowledges them: kill -9 loses none.
Every other update is a tracked task; at stop they get STOP_SECONDS to finish.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from aiogram import Bot, Dispatcher
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramConflictError,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiogram.types import ChatJoinRequest, Update

from services.errors import PorterError

log = logging.getLogger(__name__)

POLL_SECONDS = 25
STOP_SECONDS = 3.0
BATCH = 100
CONFLICTS_TOLERATED = 3  # a Porter that was just killed may still hold its last long poll for a moment
PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)


class AnotherPoller(PorterError):
    """Somebody else polls with this token."""


class WebhookSet(PorterError):
    """Telegram sends this bot's updates to an address that somebody has set, and gives them to nobody else."""


class Poller:
    def __init__(
        self,
        bot: Bot,
        dispatcher: Dispatcher,
        take_requests: Callable[[list[ChatJoinRequest]], Awaitable[None]],
        pauses_seconds: tuple[float, ...] = PAUSES_SECONDS,
    ) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._take_requests = take_requests
        self._tasks: set[asyncio.Task[object]] = set()
        self._pauses = pauses_seconds
        self._offset: int | None = None
        self.polled_at: float | None = None
        """When Telegram answered last, and what it brought was taken; time.monotonic()."""

    async def run(self, stop: asyncio.Event) -> None:
        """Polls until `stop` is set. Raises AnotherPoller, WebhookSet, TelegramUnauthorizedError (a void token)."""
        allowed = sorted({*self._dispatcher.resolve_used_update_types(), "chat_join_request"})
        stopping = asyncio.create_task(stop.wait())
        failures = 0
        try:
            while not stop.is_set():
                try:
                    updates = await self._next_batch(allowed, stopping)
                    await self._accept(updates)
                    self.polled_at = time.monotonic()
                    failures = 0
                except TelegramUnauthorizedError:
                    raise
                except Exception as error:  # noqa: BLE001 - a full disk too: the batch is not acknowledged, it comes again
                    failures += 1
                    await self._pause(error, failures, stopping)
        finally:
            stopping.cancel()
            await self._finish()

    async def _next_batch(self, allowed: list[str], stopping: asyncio.Task[bool]) -> Sequence[Update]:
        poll = asyncio.create_task(
            self._bot.get_updates(
                offset=self._offset,
                limit=BATCH,
                timeout=POLL_SECONDS,
                allowed_updates=allowed,
                request_timeout=POLL_SECONDS + 10,
            )
        )
        try:
            await asyncio.wait({poll, stopping}, return_when=asyncio.FIRST_COMPLETED)
            # Not acknowledged yet: what this poll would have brought comes again at the next start.
            return poll.result() if poll.done() else []
        finally:
            poll.cancel()

    async def _accept(self, updates: Sequence[Update]) -> None:
        requests = [update.chat_join_request for update in updates if update.chat_join_request]
        if requests:
            await self._take_requests(requests)
        for update in updates:
            if update.chat_join_request is None:
                task: asyncio.Task[object] = asyncio.create_task(self._dispatcher.feed_update(self._bot, update))
                self._tasks.add(task)
                task.add_done_callback(self._forget)
        if updates:
            self._offset = updates[-1].update_id + 1

    def _forget(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("an update was not handled", exc_info=error)

    async def _pause(self, error: Exception, failures: int, stopping: asyncio.Task[bool]) -> None:
        if isinstance(error, TelegramConflictError) and "webhook" in error.message:
            raise WebhookSet(
                "a webhook is set for this bot, so Telegram gives its updates to that address alone. Remove it "
                "(deleteWebhook of the Bot API), or give Porter a bot of its own"
            ) from error
        if isinstance(error, TelegramConflictError) and failures > CONFLICTS_TOLERATED:
            raise AnotherPoller("another process polls with this bot token") from error
        seconds = self._pauses[min(failures, len(self._pauses)) - 1]
        if isinstance(error, TelegramRetryAfter):
            seconds = max(seconds, error.retry_after)
        log.warning("polling failed (%s), again in %d s", type(error).__name__, seconds)
        await asyncio.wait({stopping}, timeout=seconds)

    async def _finish(self) -> None:
        """Let handlers end, then acknowledge what was handled, so that no tap is handled twice."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
        if self._offset is not None:
            try:
                await self._bot.get_updates(offset=self._offset, limit=1, timeout=0, request_timeout=1)
            except TelegramAPIError as error:
                log.warning("the last updates could not be acknowledged: %s", type(error).__name__)
