"""python -m benchmarks.fixed_bot TOKEN URL: the least that an aiogram bot can do about a press, to be measured beside.

One handler edits the message into a fixed text under a fixed keyboard, and answers. It reads nothing.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, Message

READY = "the fixed bot polls"
# Two, in turn: Telegram refuses an edit that changes nothing.
TEXTS = cycle(["\n".join(f"· Person {number} @user_{number}, {n} h ago" for number in range(8)) for n in (1, 2)])
PEOPLE = [[InlineKeyboardButton(text=f"Person {number}", callback_data=f"p:{number}")] for number in range(8)]
KEYBOARD = InlineKeyboardMarkup(inline_keyboard=PEOPLE)


async def press(callback: CallbackQuery) -> None:
    assert isinstance(callback.message, Message)
    await callback.message.edit_text(next(TEXTS), reply_markup=KEYBOARD)
    await callback.answer()


async def main(token: str, url: str) -> None:
    dispatcher = Dispatcher()
    dispatcher.callback_query.register(press)
    bot = Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(url)))
    print(READY, flush=True)
    await dispatcher.start_polling(bot, handle_signals=True)


@asynccontextmanager
async def running(token: str, url: str, **env: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """As a process of its own, from when it is about to poll. `env` beside our own environment."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.fixed_bot", token, url,
        env={**os.environ, **env}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        assert READY in (await process.stdout.readline()).decode()
        yield process
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
