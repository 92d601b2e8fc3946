"""The group of NOTIFY_CHAT: cards stand there, and admins decide in them. Nothing else of Porter works in a group.

The door lets decisions on one person through (handlers/request_notices.py); the service asks whether this admin may
decide at that channel. Whoever is no admin meets silence, and so does every message: whatever an admin is told here is
an alert that they alone see.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, F, Router
from aiogram.enums import ChatType
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import BaseFilter, ExceptionTypeFilter
from aiogram.types import CallbackQuery, ErrorEvent, TelegramObject

from handlers import access, request_notices
from handlers.callbacks import NoticeAction
from handlers.screen import AdminScreen
from handlers.texts import Texts
from services import audit
from services.errors import NotAllowed, PorterError
from services.requests.notify_group import NotifyGroup
from storage.models import Admin, AuditOutcome, AuditVerb

log = logging.getLogger(__name__)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class InNotifyChat(BaseFilter):
    async def __call__(self, callback: CallbackQuery, notify_group: NotifyGroup) -> bool:
        return callback.message is not None and callback.message.chat.id == notify_group.id


class GroupDoor(BaseMiddleware):
    """Default deny: what is not a decision on one person is not done here."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        assert isinstance(event, CallbackQuery)
        admin: Admin | None = data.get("admin")
        if admin is None or not await InNotifyChat()(event, data["notify_group"]):
            return await handler(event, data)
        with data["audits"].by(admin):
            if not _is_decision(event.data):
                return await data["screen"].answer(data["texts"].notices.not_here(), alert=True)
            if admin.role not in access.rule_of(event.data).roles:
                await audit.note(AuditVerb.PRESS, NoticeAction.__prefix__, AuditOutcome.REFUSED)
                return await data["screen"].answer(data["texts"].errors.of(NotAllowed()), alert=True)
            return await handler(event, data)


def _is_decision(pressed: str | None) -> bool:
    """`pressed`: the data of a button, which anybody may have forged."""
    try:
        return NoticeAction.unpack(pressed or "").verb in request_notices.DECISIONS
    except (TypeError, ValueError):
        return False


async def explain(event: ErrorEvent, screen: AdminScreen, texts: Texts) -> None:
    """Nobody else in the group shall read it."""
    if isinstance(event.exception, PorterError):
        log.info("refused: %s", type(event.exception).__name__, extra={"admin_id": screen.admin_id})
        await screen.answer(texts.errors.of(event.exception), alert=True)
    elif isinstance(event.exception, TelegramAPIError):
        log.warning("the Bot API did not take an answer: %s", type(event.exception).__name__)
    else:
        log.error("a defect", exc_info=event.exception)
        await screen.answer(texts.errors.defect(), alert=True)


def build() -> Router:
    router = Router(name="notify-chat")
    router.callback_query.outer_middleware(GroupDoor())
    router.callback_query.filter(access.IsAdmin(), InNotifyChat())
    last = Router(name="notify-chat-errors")  # a router's own handlers go before those of the routers in it
    pressed_in_a_group = F.update.callback_query.message.chat.type != ChatType.PRIVATE
    last.errors.register(explain, ExceptionTypeFilter(Exception), pressed_in_a_group)
    router.include_routers(request_notices.decisions(), last)
    return router
