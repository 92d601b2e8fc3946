"""Chats as lists of messages: finding one, cutting a window out of it, answering with a page.

https://core.telegram.org/api/offsets
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from telethon.tl import types

from sandbox.mtproto.methods import peers, render
from sandbox.mtproto.rpc import Call
from sandbox.world import SERVICE_ID, Channel, Message

MAX_PAGE = 100
DEFAULT_PAGE = 20


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat of the account: its messages that are there, oldest first."""

    messages: list[Message]
    channel: Channel | None = None
    partner: int | None = None  # of a private chat


def chat_of(call: Call, peer: Any) -> Chat:
    """The chat behind an input peer. Raises CHANNEL_INVALID, CHANNEL_PRIVATE, PEER_ID_INVALID."""
    if isinstance(peer, types.InputPeerChat):
        group = peers.known_group(call, peer.chat_id)
        return Chat(present(group.messages.values()), group)
    if hasattr(peer, "channel_id"):
        channel = peers.readable_channel(call, peer)
        return Chat(present(channel.messages.values()), channel)
    partner = peers.known_user(call, peer, "PEER_ID_INVALID").id
    return Chat(private_messages(call, partner), partner=partner)


def private_messages(call: Call, partner: int) -> list[Message]:
    if partner == SERVICE_ID:
        return present(call.world.service.get(call.user.id, {}).values())
    return present(call.world.chats.get(partner, {}).get(call.user.id, {}).values())


def present(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if not message.deleted]


def window(
    messages: list[Message],
    *,
    offset_id: int = 0,
    offset_date: datetime | None = None,
    add_offset: int = 0,
    limit: int = DEFAULT_PAGE,
    max_id: int = 0,
    min_id: int = 0,
) -> list[Message]:
    """A page, newest first, of `messages` (oldest first).

    The page starts behind the last message whose id is at least `offset_id` (whose date is at least `offset_date`,
    if there is no id), moved by `add_offset`. What would lie before the newest message is cut off, not moved.
    `max_id` and `min_id` (both exclusive) thin the page out afterwards.
    """
    start = 0
    if offset_id:
        start = len(messages) - bisect_left(messages, offset_id, key=lambda message: message.id)
    elif offset_date is not None and (date := int(offset_date.timestamp())) > 0:
        start = len(messages) - bisect_left(messages, date, key=lambda message: message.date)
    first = start + add_offset
    last = first + min(limit or DEFAULT_PAGE, MAX_PAGE)
    first, last = max(first, 0), min(last, len(messages))
    if first >= last:
        return []
    page = messages[len(messages) - last : len(messages) - first][::-1]
    return [message for message in page if (not max_id or message.id < max_id) and message.id > min_id]


def page(call: Call, chat: Chat, found: list[Message], count: int, newer: int | None = None) -> Any:
    """A page as the answer of getHistory, search and getMessages. `count`: how many there are in all; `newer`: how
    many of them stand before the page's first, told where an offset was given."""
    rendered, chats, users = with_peers(call, found, chat.channel)
    if chat.channel is not None and not chat.channel.basic:
        pts = chat.channel.pts
        return types.messages.ChannelMessages(pts, count, rendered, [], chats, users, offset_id_offset=newer)
    if len(found) == count:
        return types.messages.Messages(rendered, [], chats, users)
    return types.messages.MessagesSlice(count, rendered, [], chats, users, offset_id_offset=newer)


def newer_than(messages: list[Message], found: list[Message]) -> int | None:
    """How many of `messages` (oldest first) stand before a page of them; None for an empty page."""
    if not found:
        return None
    return len(messages) - bisect_left(messages, found[0].id + 1, key=lambda message: message.id)


def with_peers(
    call: Call, messages: list[Message], channel: Channel | None = None
) -> tuple[list[render.Raw], list[Any], list[Any]]:
    """Messages, and the channels and users that they name, all as TL."""
    viewer = call.user.id
    people, channel_ids = render.mentioned(messages)
    if channel is not None:
        channel_ids.add(channel.id)
    channels = [call.world.channels[channel_id] for channel_id in sorted(channel_ids)]
    return (
        [render.message(call.world, message, viewer) for message in messages],
        [render.channel(it, viewer) for it in channels],
        render.users(call.world, people, viewer),
    )
