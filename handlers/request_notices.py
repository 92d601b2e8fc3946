"""How a channel tells of new people, and deciding in the message that told of one.

Cards stand in admins' own chats, or in the group of NOTIFY_CHAT (handlers/notify_chat.py is its door). A press answers
and heals that message; the copies of others heal by themselves (services/requests/notices.py).
"""

from aiogram import F, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import ExceptionTypeFilter
from aiogram.types import CallbackQuery, ErrorEvent

from handlers import keyboards
from handlers.callbacks import NoticeAction, NoticeVerb
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.admins import AdminService
from services.errors import DecisionMade
from services.requests.notice_desk import NoticeDesk
from services.requests.notify_group import NotifyGroup
from storage.models import Admin, JoinRequest
from storage.request_models import NotifyMode

MODES = {
    NoticeVerb.DIGEST: NotifyMode.DIGEST,
    NoticeVerb.CARDS: NotifyMode.CARDS,
    NoticeVerb.SILENCE: NotifyMode.SILENT,
}
DECISIONS = {NoticeVerb.APPROVE: True, NoticeVerb.DENY: False}


async def show_settings(
    callback: CallbackQuery,
    callback_data: NoticeAction,
    screen: AdminScreen,
    texts: Texts,
    notices: NoticeDesk,
    notify_group: NotifyGroup,
) -> None:
    channel = await notices.channel(callback_data.id)
    chosen = await notices.settings(channel.id)
    text = texts.notices.settings(channel, chosen, group=notify_group.id is not None)
    await screen.show(Page(text, keyboards.notices.settings(texts, chosen)))


async def choose(
    callback: CallbackQuery,
    callback_data: NoticeAction,
    screen: AdminScreen,
    texts: Texts,
    notices: NoticeDesk,
    notify_group: NotifyGroup,
) -> None:
    """Under a digest, too: "Silence here" shows what was chosen, and how to take it back."""
    await notices.choose(callback_data.id, MODES[callback_data.verb], callback_data.value or None)
    await show_settings(callback, callback_data, screen, texts, notices, notify_group)


async def decide(
    callback: CallbackQuery,
    callback_data: NoticeAction,
    screen: AdminScreen,
    texts: Texts,
    notices: NoticeDesk,
    admin: Admin,
) -> None:
    decided = await notices.decide(callback_data.id, DECISIONS[callback_data.verb])
    await screen.answer()
    await _heal(callback, decided, admin.name, texts, notices)


async def decided_before(
    event: ErrorEvent, screen: AdminScreen, texts: Texts, notices: NoticeDesk, admins: AdminService
) -> None:
    """Somebody was faster: the alert says what was decided, the card who did it."""
    assert isinstance(event.exception, DecisionMade)
    callback, request = event.update.callback_query, event.exception.request
    assert callback is not None
    await screen.answer(texts.errors.of(event.exception), alert=True)
    decider = await admins.find(request.decided_by) if request.decided_by is not None else None
    await _heal(callback, request, decider.name if decider is not None else None, texts, notices)


async def _heal(
    callback: CallbackQuery, request: JoinRequest, decided_by: str | None, texts: Texts, notices: NoticeDesk
) -> None:
    message = callback.message
    if message is None or not await notices.is_card_of(message.chat.id, message.message_id, request.id):
        return
    channel = await notices.channel(request.channel_id)
    text = texts.notices.decided(request, channel, decided_by)
    assert callback.bot is not None
    try:
        await callback.bot.edit_message_text(text, chat_id=message.chat.id, message_id=message.message_id)
    except TelegramBadRequest as error:
        if "not modified" not in error.message:
            raise
    await notices.healed(message.chat.id, message.message_id, request)


def decisions() -> Router:
    """What may be pressed in the group, too."""
    router = Router(name="notice-decisions")
    router.callback_query.register(decide, NoticeAction.filter(F.verb.in_(set(DECISIONS))))
    pressed = F.update.callback_query.data.startswith(f"{NoticeAction.__prefix__}:")
    router.errors.register(decided_before, ExceptionTypeFilter(DecisionMade), pressed)
    return router


def build() -> Router:
    router = Router(name="notices")
    router.callback_query.register(show_settings, NoticeAction.filter(F.verb == NoticeVerb.SHOW))
    router.callback_query.register(choose, NoticeAction.filter(F.verb.in_(set(MODES))))
    router.include_router(decisions())
    return router
