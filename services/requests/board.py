"""Where messages about waiting people are written. Implemented in handlers/request_notifier.py with the Bot API."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from storage.models import Admin, Channel, JoinRequest


@dataclass(frozen=True, slots=True)
class Place:
    """An admin's private chat, or the group for notices, and the channel's topic in it."""

    chat_id: int
    topic_id: int | None = None


@dataclass(frozen=True, slots=True)
class DigestLine:
    """A channel in a digest. `new` 0: nobody since an earlier digest, whose place this one takes."""

    channel: Channel
    new: int
    waiting: int


class Refusal(StrEnum):
    """Why a message was not sent."""

    NO_CHAT = "NO_CHAT"
    """The bot may not write there: they never pressed Start, or blocked it; or it is not in the group."""
    NO_TOPIC = "NO_TOPIC"
    """Somebody deleted the topic."""
    LATER = "LATER"
    """The Bot API does not answer, or asks for patience."""


@dataclass(frozen=True, slots=True)
class MovedTo:
    """It was not sent: the group became this supergroup."""

    chat_id: int


Sent = int | Refusal | MovedTo
"""The id of the message, or why there is none."""


class Board(Protocol):
    """No method raises what Telegram says: it is an answer here."""

    async def digest(self, place: Place, lines: Sequence[DigestLine]) -> Sent: ...

    async def card(self, place: Place, request: JoinRequest, channel: Channel) -> Sent: ...

    async def heal(
        self, chat_id: int, message_id: int, request: JoinRequest, channel: Channel, decided_by: str | None
    ) -> bool:
        """A card tells what became of the request, and has no buttons. False: not now."""

    async def take_away(self, chat_id: int, message_id: int) -> bool:
        """What says nothing any more goes; a digest that is the admin's screen by now stays. False: not now."""

    async def is_screen(self, chat_id: int, message_id: int) -> bool:
        """Whether a digest was used: its message is the admin's screen by now."""

    def has_room(self, chat_id: int) -> bool:
        """Whether the chat takes an edit that nobody waits for."""

    async def open_topic(self, chat_id: int, name: str) -> int | None:
        """A new topic of the group. None: it has no topics, or the bot may not make any."""

    async def name_unreachable(self, owner_id: int, admin: Admin) -> None:
        """Tell an owner that the bot cannot write to that admin, with the link that mends it."""

    async def name_lost_group(self, owner_id: int) -> None:
        """Tell an owner that the bot cannot write to the group for notices."""
