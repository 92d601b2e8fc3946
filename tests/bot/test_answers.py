"""Classes that answers are read by are built once."""

import gc
import weakref
from typing import Any

from aiogram import Bot
from aiogram.methods import GetUpdates, Response
from aiogram.methods.base import TelegramMethod

from bot.answers import HeldAnswers


async def test_classes_of_answers_are_held() -> None:
    """After a garbage collection it is the same class still, which pydantic alone would have dropped."""
    held = HeldAnswers()

    async def answer(bot: Bot, method: TelegramMethod[Any]) -> Any:
        return weakref.ref(Response[type(method).__returning__])  # type: ignore[name-defined]

    before = await held(answer, Bot("1:token"), GetUpdates())
    gc.collect()
    assert before() is not None
    assert before() is (await held(answer, Bot("1:token"), GetUpdates()))()
