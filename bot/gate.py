"""services.gate with the Bot API: what the bot itself may do at a channel."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from aiogram import Bot
from aiogram.enums import ChatType
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.types import ChatMemberAdministrator, ChatMemberMember, ChatMemberOwner, ChatMemberRestricted

from services.errors import (
    AlreadyMember,
    ChannelUnavailable,
    FloodWait,
    PorterError,
    RequestGone,
    RightMissing,
    StaysPending,
    TelegramRefused,
    Unreachable,
)
from services.gate import BotRights, OnMigrated, Person
from storage.models import Channel, ChannelKind
from storage.types import utc_now

log = logging.getLogger(__name__)

T = TypeVar("T")

KINDS = {
    ChatType.CHANNEL: ChannelKind.CHANNEL,
    ChatType.SUPERGROUP: ChannelKind.SUPERGROUP,
    ChatType.GROUP: ChannelKind.GROUP,
}

# Telegram's words for a decision (TELEGRAM.md, Join requests) -> ours.
WORDS: dict[str, type[PorterError]] = {
    "HIDE_REQUESTER_MISSING": RequestGone,
    "INPUT_USER_DEACTIVATED": RequestGone,
    "USER_ID_INVALID": RequestGone,
    "USER_ALREADY_PARTICIPANT": AlreadyMember,
    "USER_CHANNELS_TOO_MUCH": StaysPending,
    "CHAT_ADMIN_REQUIRED": RightMissing,
    "not enough rights": RightMissing,
    "chat not found": ChannelUnavailable,
}


def _translate(description: str) -> PorterError:
    word = next((word for word in WORDS if word in description), None)
    return TelegramRefused(description.removeprefix("Bad Request: ")) if word is None else WORDS[word](word)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except TelegramRetryAfter as error:
        raise FloodWait(utc_now() + timedelta(seconds=error.retry_after)) from error
    except (TelegramNetworkError, TelegramServerError) as error:
        raise Unreachable("the Bot API does not answer") from error
    except TelegramMigrateToChat as error:
        raise ChannelUnavailable("the group became a supergroup") from error
    except TelegramForbiddenError as error:
        if "user is deactivated" in error.message:
            raise RequestGone("INPUT_USER_DEACTIVATED") from error
        raise RightMissing("the bot is not there any more") from error
    except TelegramBadRequest as error:
        raise _translate(error.message) from error


def _rights(member: object) -> BotRights:
    if isinstance(member, ChatMemberOwner):
        return BotRights(may_invite=True, may_ban=True)
    if isinstance(member, ChatMemberAdministrator):
        return BotRights(bool(member.can_invite_users), bool(member.can_restrict_members))
    return BotRights(may_invite=False, may_ban=False)


async def _unheard(_group_id: int, _supergroup_id: int) -> None:
    """Nobody follows."""


class BotApiGate:
    """Implements services.gate.BotGate, GreetingGate and PeopleGate."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._on_migrated: OnMigrated = _unheard

    def on_migrated(self, listener: OnMigrated) -> None:
        """Told of a small group that became a supergroup, before the call goes on there."""
        self._on_migrated = listener

    async def _there(self, channel_id: int, call: Callable[[int], Awaitable[T]]) -> T:
        """The call about that channel, or about what it has become."""
        try:
            return await call(channel_id)
        except TelegramMigrateToChat as moved:
            await self._on_migrated(channel_id, moved.migrate_to_chat_id)
            return await call(moved.migrate_to_chat_id)

    async def may_invite(self, channel_id: int) -> bool:
        try:
            member = await self._bot.get_chat_member(channel_id, self._bot.id)
        except (TelegramBadRequest, TelegramForbiddenError):
            return False  # no member, or no such chat for the bot
        except TelegramAPIError as error:
            log.warning("rights of the bot are not known: %s", type(error).__name__, extra={"channel_id": channel_id})
            return False
        return _rights(member).may_invite

    async def rights(self, channel_id: int) -> BotRights:
        async with _translated():
            return _rights(await self._bot.get_chat_member(channel_id, self._bot.id))

    async def look(self, channel_id: int) -> Channel:
        async with _translated():
            chat = await self._bot.get_chat(channel_id)
            members = await self._bot.get_chat_member_count(channel_id)
        return Channel(
            id=chat.id,
            title=chat.title or "",
            username=chat.username,
            kind=KINDS.get(ChatType(chat.type), ChannelKind.CHANNEL),
            members=members,
            bot_may_invite=await self.may_invite(channel_id),
            updated_at=utc_now(),
        )

    async def is_member(self, channel_id: int, user_id: int) -> bool:
        async with _translated():
            try:
                member = await self._bot.get_chat_member(channel_id, user_id)
            except (TelegramBadRequest, TelegramForbiddenError):
                return False  # never was there, or the bot may not look
        if isinstance(member, ChatMemberRestricted):
            return member.is_member
        return isinstance(member, ChatMemberMember | ChatMemberAdministrator | ChatMemberOwner)

    async def approve(self, channel_id: int, user_id: int) -> None:
        async with _translated():
            await self._there(channel_id, lambda chat_id: self._bot.approve_chat_join_request(chat_id, user_id))

    async def deny(self, channel_id: int, user_id: int) -> None:
        async with _translated():
            await self._there(channel_id, lambda chat_id: self._bot.decline_chat_join_request(chat_id, user_id))

    async def ban(self, channel_id: int, user_id: int) -> None:
        async with _translated():
            await self._bot.ban_chat_member(channel_id, user_id)

    async def remove(self, channel_id: int, user_id: int) -> None:
        """Without `only_if_banned`, unbanning takes a member out (https://core.telegram.org/bots/api#unbanchatmember)."""
        async with _translated():
            await self._bot.unban_chat_member(channel_id, user_id)

    async def write(self, chat_id: int, text: str) -> None:
        async with _translated():
            await self._bot.send_message(chat_id, text, parse_mode=None)

    async def person(self, user_id: int) -> Person | None:
        """A chat does not tell whether it is with a bot; the names of bots end as Telegram wants it."""
        if user_id == self._bot.id:
            return Person(user_id, "", is_bot=True)
        try:
            async with _translated():
                chat = await self._bot.get_chat(user_id)
        except (ChannelUnavailable, TelegramRefused):
            return None
        return Person(user_id, chat.full_name, is_bot=(chat.username or "").lower().endswith("bot"))
