"""What comes back from the Bot API is read by a pydantic class for each kind of method, `Response[...]`. pydantic holds
those weakly: after each garbage collection aiogram builds them anew, getUpdates' for 10 ms, in the middle of a tap.
"""

from typing import Any

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.methods import Response
from aiogram.methods.base import TelegramMethod, TelegramType


class HeldAnswers(BaseRequestMiddleware):
    """Holds the class of each kind of method from its first call on: two dozen in all."""

    def __init__(self) -> None:
        self._held: dict[type[TelegramMethod[Any]], type[Response[Any]]] = {}

    async def __call__(
        self, make_request: NextRequestMiddlewareType[TelegramType], bot: Bot, method: TelegramMethod[TelegramType]
    ) -> Any:
        kind = type(method)
        if kind not in self._held:
            self._held[kind] = Response[kind.__returning__]  # type: ignore[name-defined]
        return await make_request(bot, method)
