"""Our spacing on the Bot API: what Telegram lets a bot do in one chat is spent on the admin's taps first.

About a burst of 20 and then one a second in a person's chat, 20 a minute in a group, edits counted like messages
(TELEGRAM.md, The bot's side). A call that would go over waits for its turn; a 429 that comes all the same is obeyed and
the call repeated. Cards that only move a bar ask `spare` before and leave the admin a reserve.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import (
    EditMessageCaption,
    EditMessageMedia,
    EditMessageReplyMarkup,
    EditMessageText,
    SendDocument,
    SendMessage,
    SendPhoto,
)
from aiogram.methods.base import TelegramMethod, TelegramType

log = logging.getLogger(__name__)

BURST = 20.0
REFILL_PER_SECOND = 1.0
GROUP_REFILL_PER_SECOND = 20 / 60
LONGEST_WAIT_SECONDS = 20
LONGEST_WAIT_ELSEWHERE_SECONDS = 2
"""An approval that Telegram puts off is the caller's to tell: the admin holds the phone, or a run can wait."""
REPEATS = 3

COUNTED = (
    SendMessage,
    SendDocument,
    SendPhoto,
    EditMessageText,
    EditMessageCaption,
    EditMessageMedia,
    EditMessageReplyMarkup,
)


class ChatPace(BaseRequestMiddleware):
    def __init__(
        self,
        burst: float = BURST,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        # chat -> (what was left, when), the longest unused first; below zero: promised away
        self._chats: dict[int, tuple[float, float]] = {}

    @property
    def remembered(self) -> int:
        """Chats that something is known of: those whose burst is not whole again, and few more."""
        return len(self._chats)

    def spare(self, chat_id: int) -> float:
        """How many messages and edits the chat takes at once now."""
        left, since = self._chats.get(chat_id, (self._burst, 0.0))
        return min(self._burst, left + (self._clock() - since) * _refill(chat_id))

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Any:
        chat_id = method.chat_id if isinstance(method, COUNTED) else None
        for repeat in range(REPEATS + 1):
            if isinstance(chat_id, int):
                await self._take_turn(chat_id)
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as error:
                longest = LONGEST_WAIT_SECONDS if chat_id is not None else LONGEST_WAIT_ELSEWHERE_SECONDS
                if repeat == REPEATS or error.retry_after > longest:
                    raise
                log.info("the Bot API asks for %d s of patience", error.retry_after)
                if isinstance(chat_id, int):
                    self._remember(chat_id, 0.0)
                await self._sleep(error.retry_after)
        raise AssertionError("the loop returns or raises")

    async def _take_turn(self, chat_id: int) -> None:
        left = self.spare(chat_id) - 1
        self._remember(chat_id, left)
        if left < 0:
            await self._sleep(-left / _refill(chat_id))

    def _remember(self, chat_id: int, left: float) -> None:
        """Whoever asks to join may be greeted once and never again: each call forgets up to two chats that
        are whole."""
        self._chats.pop(chat_id, None)
        self._chats[chat_id] = (left, self._clock())
        for oldest in list(islice(self._chats, 2)):
            if self.spare(oldest) >= self._burst:
                del self._chats[oldest]


def _refill(chat_id: int) -> float:
    """Messages a second. Ids of groups and channels are negative."""
    return REFILL_PER_SECOND if chat_id > 0 else GROUP_REFILL_PER_SECOND
