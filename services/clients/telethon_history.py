"""A page of history before it is parsed: where it ends stands in its first bytes.

Parsing a hundred messages takes longer than everything else that Porter does between two pages. So the answer is taken
as bytes, the next page is asked for by what the head of this one says, and the messages are parsed while that one is on
its way.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, overload

from telethon import TelegramClient
from telethon.extensions import BinaryReader
from telethon.tl import functions, types

from services.clients.base import Post
from services.clients.telethon_calls import translated

_INTS = struct.Struct("<I")
_OFFSET_ID_OFFSET = 1 << 2
"""The flag of channelMessages."""

# Before the id of a message stand its constructor and so many fields of flags.
_FLAG_FIELDS = {
    types.Message.CONSTRUCTOR_ID: 2,
    types.MessageService.CONSTRUCTOR_ID: 1,
    types.MessageEmpty.CONSTRUCTOR_ID: 1,
}


class Unparsed(functions.InvokeWithoutUpdatesRequest):  # type: ignore[misc]
    """A request whose answer comes as it is on the wire. `is_told`: its connection is told updates and stays so, where
    the wrapper would end that."""

    is_told = False

    def _bytes(self) -> bytes:
        return bytes(self.query) if self.is_told else bytes(super()._bytes())

    @staticmethod
    def read_result(reader: BinaryReader) -> bytes:
        return bytes(reader.read())


class UnparsedClient(TelegramClient):  # type: ignore[misc]
    """Sends Unparsed as it is: Telethon's own way would wrap it once more, and parse the answer."""

    async def _call(self, sender: Any, request: Any, *args: Any, **options: Any) -> Any:
        if isinstance(request, Unparsed):
            request.is_told = not self._no_updates
            return await sender.send(request)
        return await super()._call(sender, request, *args, **options)


def parse(answer: bytes) -> Any:
    """Raises TelegramError."""
    with translated():
        return BinaryReader(answer).tgread_object()


@dataclass(frozen=True, slots=True)
class Head:
    """Of a page: how many messages it holds, the id of its newest one, and how many stand above that."""

    count: int
    newest_id: int
    newer: int


def head_of(answer: bytes) -> Head | None:
    """None: not a page of a channel's messages that says where it stands. Then the whole of it has to be read."""
    try:
        return _head_of(answer)
    except struct.error:  # it ends before: an empty page
        return None


def _head_of(answer: bytes) -> Head | None:
    def integer(place: int) -> int:
        (value,) = _INTS.unpack_from(answer, place * _INTS.size)
        return int(value)

    if integer(0) != types.messages.ChannelMessages.CONSTRUCTOR_ID or not integer(1) & _OFFSET_ID_OFFSET:
        return None
    # constructor, flags, pts, count, offset_id_offset, vector, number of messages; the newest message first
    newer, count, kind = integer(4), integer(6), integer(7)
    if not count or kind not in _FLAG_FIELDS:
        return None
    return Head(count, integer(8 + _FLAG_FIELDS[kind]), newer)


class LatePosts(Sequence[Post]):
    """Read at the first look, and once."""

    def __init__(self, read: Callable[[], tuple[Post, ...]]) -> None:
        self._read = read
        self._posts: tuple[Post, ...] | None = None

    @property
    def _known(self) -> tuple[Post, ...]:
        if self._posts is None:
            self._posts = self._read()
        return self._posts

    def __len__(self) -> int:
        return len(self._known)

    @overload
    def __getitem__(self, index: int) -> Post: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Post]: ...
    def __getitem__(self, index: int | slice) -> Post | Sequence[Post]:
        return self._known[index]
