"""Our update loop on aiogram's Dispatcher.

aiogram's own acknowledges updates whose handlers still run when it stops (LIBRARIES.md section 6). Here the join
requests of a batch are stored in one transaction before the next getUpdates acknowledges them: kill -9 loses none.
Every other update is a tracked task; at stop they get STOP_SECONDS to finish.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

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
ACKNOWLEDGED_SECONDS = 0.5
"""At the least, for the last call after that: Porter ends within five seconds, whatever does not answer."""
BATCH = 100
ASKED_FOR = ["callback_query", "chat_join_request", "message", "my_chat_member"]
"""Named before the routers are there, so that the first poll need not wait for them. A test holds them to it."""
CONFLICTS_TOLERATED = 3  # a Porter that was just killed may still hold its last long poll for a moment
PAUSES_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)


class AnotherPoller(PorterError):
    """Somebody else polls with this token."""


class WebhookSet(PorterError):
    """Telegram sends this bot's updates to an address that somebody has set, and gives them to nobody else."""


Poll = asyncio.Task[list[Update]]


def _poll(bot: Bot, offset: int | None = None) -> Poll:
    return asyncio.create_task(
        bot.get_updates(
            offset=offset,
            limit=BATCH,
            timeout=POLL_SECONDS,
            allowed_updates=ASKED_FOR,
            request_timeout=POLL_SECONDS + 10,
        )
    )


@asynccontextmanager
async def first_poll(bot: Bot) -> AsyncIterator[Poll]:
    """On its way while what handles its updates is built: a Poller takes it over. It acknowledges nothing."""
    poll = _poll(bot)
    try:
        yield poll
    finally:
        poll.cancel()
        await asyncio.gather(poll, return_exceptions=True)


class Poller:
    """`first`: a poll that is on its way already."""

    def __init__(
        self,
        bot: Bot,
        dispatcher: Dispatcher,
        take_requests: Callable[[list[ChatJoinRequest]], Awaitable[None]],
        pauses_seconds: tuple[float, ...] = PAUSES_SECONDS,
        first: Poll | None = None,
    ) -> None:
        self._bot = bot
        self._dispatcher = dispatcher
        self._take_requests = take_requests
        self._tasks: set[asyncio.Task[object]] = set()
        self._pauses = pauses_seconds
        self._first = first
        self._offset: int | None = None
        self.polled_at: float | None = None
        """When Telegram answered last, and what it brought was taken; time.monotonic()."""

    def check_token(self) -> None:
        """Raises TelegramUnauthorizedError when the first poll has come back with it by now."""
        error = self._first.exception() if self._first and self._first.done() else None
        if isinstance(error, TelegramUnauthorizedError):
            raise error

    async def run(self, stop: asyncio.Event) -> None:
        """Polls until `stop` is set. Raises AnotherPoller, WebhookSet, TelegramUnauthorizedError (a void token)."""
        stopping = asyncio.create_task(stop.wait())
        failures = 0
        try:
            while not stop.is_set():
                try:
                    updates = await self._next_batch(stopping)
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

    async def _next_batch(self, stopping: asyncio.Task[bool]) -> Sequence[Update]:
        poll, self._first = self._first or _poll(self._bot, self._offset), None
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
        deadline = asyncio.get_running_loop().time() + STOP_SECONDS + ACKNOWLEDGED_SECONDS
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
        if self._offset is not None:
            try:
                async with asyncio.timeout_at(deadline):
                    await self._bot.get_updates(offset=self._offset, limit=1, timeout=0)
            except (TelegramAPIError, TimeoutError) as error:
                log.warning("the last updates could not be acknowledged: %s", type(error).__name__)
