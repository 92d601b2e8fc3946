"""services.requests.board with the Bot API: digests and cards in admins' own chats, or in the group of NOTIFY_CHAT."""

import logging
from collections.abc import Awaitable, Sequence
from zoneinfo import ZoneInfo

from aiogram import Bot
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
)
from aiogram.types import InlineKeyboardMarkup, Message

from handlers import keyboards
from handlers.notifier import texts_for
from handlers.people import start_link
from handlers.screen import Page, Screens
from handlers.texts import Texts
from handlers.texts.base import shorten
from services.admins import AdminService
from services.requests.board import DigestLine, MovedTo, Place, Refusal, Sent
from storage.models import Admin, Channel, JoinRequest

log = logging.getLogger(__name__)

NO_CHAT = ("chat not found", "have no rights to send", "not enough rights to send")
NO_TOPIC = ("thread not found", "TOPIC_DELETED", "TOPIC_CLOSED", "TOPIC_ID_INVALID")
TOPIC_NAME_CHARACTERS = 128


class RequestNotifier:
    """Implements services.requests.board.Board."""

    def __init__(self, bot: Bot, screens: Screens, admins: AdminService, zone: ZoneInfo) -> None:
        self._bot = bot
        self._screens = screens
        self._admins = admins
        self._zone = zone
        self._flat: set[int] = set()  # groups that have no topics, or let the bot make none, when Porter started

    async def digest(self, place: Place, lines: Sequence[DigestLine]) -> Sent:
        texts = await self._texts(place.chat_id)
        if place.chat_id < 0:
            markup = keyboards.notices.group_digest(texts, await start_link(self._bot))
        else:
            markup = keyboards.notices.digest(texts, lines)
        return await self._send(place, texts.notices.digest(lines), markup)

    async def card(self, place: Place, request: JoinRequest, channel: Channel) -> Sent:
        texts = await self._texts(place.chat_id)
        return await self._send(place, texts.notices.card(request, channel), keyboards.notices.card(texts, request))

    async def heal(
        self, chat_id: int, message_id: int, request: JoinRequest, channel: Channel, decided_by: str | None
    ) -> bool:
        text = (await self._texts(chat_id)).notices.decided(request, channel, decided_by)
        return await self._settled(self._bot.edit_message_text(text, chat_id=chat_id, message_id=message_id))

    async def take_away(self, chat_id: int, message_id: int) -> bool:
        if await self.is_screen(chat_id, message_id):
            return True
        try:
            await self._bot.delete_message(chat_id, message_id)
        except TelegramBadRequest:
            # Older than 48 hours: it cannot be deleted.
            text = (await self._texts(chat_id)).notices.over()
            return await self._settled(self._bot.edit_message_text(text, chat_id=chat_id, message_id=message_id))
        except TelegramForbiddenError:
            return True
        except TelegramAPIError as error:
            return self._later(error)
        return True

    async def is_screen(self, chat_id: int, message_id: int) -> bool:
        return await self._screens.live(chat_id) == message_id

    def has_room(self, chat_id: int) -> bool:
        return self._screens.has_room(chat_id)

    async def open_topic(self, chat_id: int, name: str) -> int | None:
        if chat_id in self._flat:
            return None
        try:
            if (await self._bot.get_chat(chat_id)).is_forum:
                topic = await self._bot.create_forum_topic(chat_id, shorten(name, TOPIC_NAME_CHARACTERS))
                return topic.message_thread_id
        except TelegramBadRequest as error:
            log.warning("the bot makes no topics in the group for notices: %s", error.message)
        except TelegramAPIError as error:
            log.warning("no topic was made in the group for notices: %s", error.message)
            return None  # next time, perhaps
        self._flat.add(chat_id)
        return None

    async def name_unreachable(self, owner_id: int, admin: Admin) -> None:
        texts = await self._texts(owner_id)
        await self._tell(owner_id, Page(texts.notices.unreachable(admin, await start_link(self._bot))))

    async def name_lost_group(self, owner_id: int) -> None:
        texts = await self._texts(owner_id)
        await self._tell(owner_id, Page(texts.notices.lost_group(), keyboards.only_home(texts)))

    # -- one call of the Bot API

    async def _send(self, place: Place, text: str, markup: InlineKeyboardMarkup) -> Sent:
        try:
            message: Message = await self._bot.send_message(
                place.chat_id, text, message_thread_id=place.topic_id, reply_markup=markup
            )
        except TelegramForbiddenError:
            return Refusal.NO_CHAT
        except TelegramMigrateToChat as error:
            return MovedTo(error.migrate_to_chat_id)
        except TelegramAPIError as error:
            if any(word in error.message for word in NO_TOPIC):
                return Refusal.NO_TOPIC
            if any(word in error.message for word in NO_CHAT):
                return Refusal.NO_CHAT
            self._later(error)
            return Refusal.LATER
        return message.message_id

    async def _settled(self, call: Awaitable[object]) -> bool:
        """Whether nothing is left to do: what Telegram refuses once (too old, deleted, left) it refuses for good."""
        try:
            await call
        except (TelegramBadRequest, TelegramForbiddenError) as error:
            log.debug("a notice stays as it is: %s", error.message)
        except TelegramAPIError as error:
            return self._later(error)
        return True

    @staticmethod
    def _later(error: TelegramAPIError) -> bool:
        log.warning("a notice was not written, tried again: %s", type(error).__name__)
        return False

    async def _tell(self, admin_id: int, page: Page) -> None:
        try:
            await self._screens.tell(admin_id, page)
        except TelegramAPIError as error:
            log.warning("an owner was not told: %s", type(error).__name__, extra={"admin_id": admin_id})

    async def _texts(self, chat_id: int) -> Texts:
        """The words of an admin, or (a group) in the zone of the installation."""
        return await texts_for(self._admins, chat_id, self._zone)
