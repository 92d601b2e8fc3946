"""Before any router: who is it, which words, which screen, which desks. After it: every callback is answered."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from aiogram import BaseMiddleware
from aiogram.types import InlineKeyboardMarkup, TelegramObject, Update, User

from handlers import access
from handlers.screen import AdminScreen, Screens
from handlers.texts import Texts
from services import log_context
from services.admins import AdminService
from services.desks import Desks
from storage.models import Admin

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class AdminMiddleware(BaseMiddleware):
    """On updates, inside the FSM's: its lock is taken in the order of update ids, so taps stay in order."""

    def __init__(self, admins: AdminService, screens: Screens, desks: Desks, zone: ZoneInfo) -> None:
        self._admins = admins
        self._screens = screens
        self._desks = desks
        self._zone = zone

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        user: User | None = data.get("event_from_user")
        admin = await self._admins.greet(user.id, user.full_name, wrote=_wrote(event, user)) if user else None
        with log_context.bound(admin_id=admin.user_id if admin else None):
            return await self._handle(handler, event, data, user, admin)

    async def _handle(
        self, handler: Handler, event: Update, data: dict[str, Any], user: User | None, admin: Admin | None
    ) -> Any:
        data["admin"] = admin
        data["texts"] = Texts(zone=ZoneInfo(admin.timezone) if admin and admin.timezone else self._zone)
        if user is None:
            return await handler(event, data)
        screen = AdminScreen(self._screens, user.id, event, partial(_offered, admin))
        data |= {
            "screen": screen,
            "requests": self._desks.requests(user.id),
            "lists": self._desks.lists(user.id),
            "bulk": self._desks.bulk(user.id),
            "rules": self._desks.rules(user.id),
            "runs": self._desks.runs(user.id),
            "notices": self._desks.notices(user.id),
            "loads": self._desks.loads(user.id),
        }
        result = await handler(event, data)
        if admin is not None:
            await screen.answer()
        return result


def _wrote(event: Update, user: User) -> bool:
    """In the bot's own chat: whoever only presses in a group may never have pressed Start."""
    message = event.message or (event.callback_query.message if event.callback_query is not None else None)
    return message is not None and message.chat.id == user.id


def _offered(admin: Admin | None, markup: InlineKeyboardMarkup) -> InlineKeyboardMarkup:
    """Nobody but the claim link's opener, an owner by then, is shown something while they are no admin."""
    return access.offered(markup, admin.role) if admin is not None else markup
