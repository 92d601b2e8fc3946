"""Who may operate Porter. Declared once, for messages and callbacks alike; everybody else meets silence."""

import logging

from aiogram import Router
from aiogram.filters import BaseFilter
from aiogram.types import CallbackQuery, Message, TelegramObject

from storage.models import Admin

log = logging.getLogger(__name__)


class IsAdmin(BaseFilter):
    """Reads what AdminMiddleware found; the role is read from the database at every update."""

    async def __call__(self, event: TelegramObject, admin: Admin | None = None) -> bool:
        return admin is not None


async def ignore_message(message: Message) -> None:
    log.info("a message of a stranger was ignored: user %s", message.from_user.id if message.from_user else None)


async def ignore_callback(callback: CallbackQuery) -> None:
    log.info("a button press of a stranger was ignored: user %s", callback.from_user.id)


def build() -> Router:
    router = Router(name="strangers")
    router.message.register(ignore_message)
    router.callback_query.register(ignore_callback)
    return router
