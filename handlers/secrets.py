"""The one way that secrets take: the message is deleted first, then the secret is used (CHAT.md, rule 9)."""

import asyncio
import logging
from io import BytesIO
from pathlib import Path

from aiogram import Bot
from aiogram.client.telegram import PRODUCTION
from aiogram.exceptions import TelegramAPIError
from aiogram.types import Document, Message
from aiohttp import ClientError

from handlers.screen import AdminScreen
from handlers.texts import Texts
from services.errors import SessionTrouble, SessionUnreadable, Unreachable

log = logging.getLogger(__name__)

MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
"""What getFile gives (https://core.telegram.org/bots/api#getfile)."""
DOWNLOAD_SECONDS = 20


async def receive_secret(message: Message, screen: AdminScreen, texts: Texts) -> str:
    """The text of the message, which is gone from the chat by then, or the admin was asked to take it away."""
    secret = (message.text or "").strip()
    await _delete(message, screen, texts)
    return secret


async def receive_secret_file(message: Message, screen: AdminScreen, texts: Texts) -> bytes:
    """The bytes of the message's document. It is fetched while its message exists, deleted whether that worked or not,
    and only then looked at: Telegram promises a file to a bot only as long as the message that carries it.

    Raises SessionUnreadable (TOO_LARGE) without fetching, Unreachable.
    """
    assert message.bot is not None
    assert message.document is not None
    try:
        if (message.document.file_size or 0) > MAX_DOWNLOAD_BYTES:
            raise SessionUnreadable(SessionTrouble.TOO_LARGE)
        async with asyncio.timeout(DOWNLOAD_SECONDS):
            return await _fetch(message.bot, message.document)
    except (TelegramAPIError, ClientError, OSError) as error:  # a TimeoutError is an OSError
        raise Unreachable(type(error).__name__) from None  # the text may hold the file's address, and with it the token
    finally:
        await _delete(message, screen, texts)


async def _delete(message: Message, screen: AdminScreen, texts: Texts) -> None:
    if not await screen.delete_typed():
        await message.answer(texts.login.secret_not_deleted())


async def _fetch(bot: Bot, document: Document) -> bytes:
    """A self-hosted Bot API server in local mode names a file on its own disk, in a folder called like the token. Where
    that disk is ours too, the file is taken from there, for good: the server would keep it for hours."""
    path = (await bot.get_file(document.file_id)).file_path or ""
    if bot.session.api != PRODUCTION:
        if Path(path).is_absolute() and bot.token in Path(path).parts:
            return await asyncio.to_thread(take_file, Path(path))
        log.info("the Bot API server keeps a copy of the file that was sent, until it tidies up")
    content = BytesIO()
    await bot.download_file(path, content, timeout=DOWNLOAD_SECONDS)
    return content.getvalue()


def take_file(path: Path) -> bytes:
    """Its first MAX_DOWNLOAD_BYTES; the file itself is removed, as far as we may. Raises OSError."""
    with path.open("rb") as file:
        content = file.read(MAX_DOWNLOAD_BYTES)
    try:
        path.unlink()
    except OSError as error:
        log.warning("the Bot API server's copy of a file that was sent stays: %s", error.strerror)
    return content
