"""Before any router: who is it, which words, which screen. After it: every callback is answered."""

from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject, Update, User

from handlers.screen import AdminScreen, Screens
from handlers.texts import Texts
from services.admins import AdminService

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class AdminMiddleware(BaseMiddleware):
    """On updates, inside the FSM's: its lock is taken in the order of update ids, so taps stay in order."""

    def __init__(self, admins: AdminService, screens: Screens, zone: ZoneInfo) -> None:
        self._admins = admins
        self._screens = screens
        self._zone = zone

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, Update)
        user: User | None = data.get("event_from_user")
        admin = await self._admins.greet(user.id, user.full_name) if user else None
        data["admin"] = admin
        data["texts"] = Texts(zone=ZoneInfo(admin.timezone) if admin and admin.timezone else self._zone)
        if user is None:
            return await handler(event, data)
        screen = AdminScreen(self._screens, user.id, event)
        data["screen"] = screen
        result = await handler(event, data)
        if admin is not None:
            await screen.answer()
        return result
