"""The one way that secrets take: the message is deleted first, then the secret is used (CHAT.md, rule 9)."""

from aiogram.types import Message

from handlers.screen import AdminScreen
from handlers.texts import Texts


async def receive_secret(message: Message, screen: AdminScreen, texts: Texts) -> str:
    """The text of the message, which is gone from the chat by then, or the admin was asked to take it away."""
    secret = (message.text or "").strip()
    if not await screen.delete_typed():
        await message.answer(texts.login.secret_not_deleted())
    return secret
