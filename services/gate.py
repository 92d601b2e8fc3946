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

    async def approve(self, channel_id: int, user_id: int) -> None: ...

    async def deny(self, channel_id: int, user_id: int) -> None: ...


class PeopleGate(Protocol):
    """Raises FloodWait, Unreachable."""

    async def person(self, user_id: int) -> Person | None:
        """None: the bot has never met them."""
