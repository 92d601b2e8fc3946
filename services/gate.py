"""What the bot itself may do at a channel. Implemented in bot/gate.py with the Bot API."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from storage.models import Channel


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the bot sees them."""

    user_id: int
    name: str
    is_bot: bool


@dataclass(frozen=True, slots=True)
class BotRights:
    """What the bot is allowed at a channel."""

    may_invite: bool
    may_ban: bool


OnMigrated = Callable[[int, int], Awaitable[None]]
"""(small group, the supergroup that it became)"""


class BotGate(Protocol):
    """A call about a small group that became a supergroup goes on there.

    Raises RequestError, RightMissing, FloodWait, Unreachable, TelegramRefused.
    """

    async def may_invite(self, channel_id: int) -> bool:
        """Whether the bot is an administrator there with the right to invite. False where it is no member."""

    async def rights(self, channel_id: int) -> BotRights: ...

    async def look(self, channel_id: int) -> Channel:
        """The channel as the bot sees it, `bot_may_invite` filled."""

    async def is_member(self, channel_id: int, user_id: int) -> bool:
        """Whether that person is in there. False as well where the bot may not see it."""

    async def approve(self, channel_id: int, user_id: int) -> None: ...

    async def deny(self, channel_id: int, user_id: int) -> None: ...

    async def ban(self, channel_id: int, user_id: int) -> None:
        """For good, members and others alike."""

    async def remove(self, channel_id: int, user_id: int) -> None:
        """They are no member afterwards, and may ask again."""


class GreetingGate(Protocol):
    """Raises FloodWait, Unreachable, RightMissing, TelegramRefused."""

    async def write(self, chat_id: int, text: str) -> None:
        """Plain text, to whoever asked to join a moment ago."""


class PeopleGate(Protocol):
    """Raises FloodWait, Unreachable."""

    async def person(self, user_id: int) -> Person | None:
        """None: the bot has never met them."""
