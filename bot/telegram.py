"""The Bot, with our middlewares around each call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.types import LinkPreviewOptions

from bot.answers import HeldAnswers
from bot.pace import ChatPace
from bot.settings import Settings

REQUEST_SECONDS = 20


def api_server(settings: Settings) -> TelegramAPIServer:
    return TelegramAPIServer.from_base(settings.bot_api_url) if settings.bot_api_url else PRODUCTION


@asynccontextmanager
async def open_bot(settings: Settings, pace: ChatPace) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=api_server(settings), timeout=REQUEST_SECONDS)
    session.middleware(pace)
    session.middleware(HeldAnswers())
    try:
        yield Bot(
            settings.bot_token.get_secret_value(),
            session=session,
            default=DefaultBotProperties(parse_mode=ParseMode.HTML, link_preview=LinkPreviewOptions(is_disabled=True)),
        )
    finally:
        await session.close()
