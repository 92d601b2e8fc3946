"""messages.*: history, search, single messages, and saying something."""

from collections.abc import Callable
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import history, peers, render
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import Message

MAX_TEXT = 4096


@method(functions.messages.GetHistoryRequest)
async def get_history(call: Call, request: Any) -> Any:
    chat = history.chat_of(call, request.peer)
    found = history.window(
        chat.messages,
        offset_id=request.offset_id,
        offset_date=request.offset_date,
        add_offset=request.add_offset,
        limit=request.limit,
        max_id=request.max_id,
        min_id=request.min_id,
    )
    newer = history.newer_than(chat.messages, found) if request.offset_id else None
    return history.page(call, chat, found, len(chat.messages), newer)


# Single messages --------------------------------------------------------------------------------------------------


@method(functions.channels.GetMessagesRequest)
async def get_channel_messages(call: Call, request: Any) -> Any:
    """In the order asked for; an empty message stands for each one that is not there."""
    channel = peers.readable_channel(call, request.channel)
    ids = _ids(request.id)
    messages = [channel.messages.get(message_id) for message_id in ids]
    present = [message for message in messages if message is not None and not message.deleted]
    answer = history.page(call, history.Chat([], channel), present, len(ids))
    answer.messages = _with_gaps(call, ids, messages, types.PeerChannel(channel.id))
    return answer


@method(functions.messages.GetMessagesRequest)
async def get_messages(call: Call, request: Any) -> Any:
    """The same for private chats and small groups, whose ids are the account's own."""
    world, viewer = call.world, call.user
    ids = _ids(request.id)
    own = dict(world.service.get(viewer.id, {}))
    for chats in world.chats.values():
        own.update(chats.get(viewer.id, {}))
    for group in world.channels.values():
        if group.basic and viewer.id in group.members:
            own.update(group.messages)
    messages = [own.get(message_id) for message_id in ids]
    present = [message for message in messages if message is not None and not message.deleted]
    _, chats_named, users = history.with_peers(call, present)
    return types.messages.Messages(_with_gaps(call, ids, messages, None), [], chats_named, users)


def _ids(wanted: list[Any]) -> list[int]:
    ids = [item.id for item in wanted if isinstance(item, types.InputMessageID)]
    if not ids or len(ids) > history.MAX_PAGE:
        raise fail("MESSAGE_IDS_EMPTY" if not ids else "LIMIT_INVALID")
    return ids


def _with_gaps(call: Call, ids: list[int], messages: list[Message | None], peer: Any) -> list[Any]:
    return [
        types.MessageEmpty(message_id, peer)
        if message is None or message.deleted
        else render.message(call.world, message, call.user.id)
        for message_id, message in zip(ids, messages, strict=True)
    ]


# Search -----------------------------------------------------------------------------------------------------------


def _is_kind(*kinds: str) -> Callable[[Message], bool]:
    return lambda message: message.document is not None and message.document.kind in kinds


def _has_link(message: Message) -> bool:
    return any(entity["type"] in ("url", "text_link") for entity in message.entities)


_FILTERS: dict[type, Callable[[Message], bool]] = {
    types.InputMessagesFilterEmpty: lambda _: True,
    types.InputMessagesFilterPhotos: _is_kind("photo"),
    types.InputMessagesFilterVideo: _is_kind("video"),
    types.InputMessagesFilterPhotoVideo: _is_kind("photo", "video"),
    types.InputMessagesFilterDocument: _is_kind("document"),
    types.InputMessagesFilterMusic: _is_kind("audio"),
    types.InputMessagesFilterVoice: _is_kind("voice"),
    types.InputMessagesFilterRoundVoice: _is_kind("voice"),
    types.InputMessagesFilterUrl: _has_link,
    types.InputMessagesFilterContacts: lambda message: message.contact is not None,
    types.InputMessagesFilterGif: lambda _: False,
    types.InputMessagesFilterRoundVideo: lambda _: False,
    types.InputMessagesFilterChatPhotos: lambda _: False,
    types.InputMessagesFilterGeo: lambda _: False,
    types.InputMessagesFilterPinned: lambda _: False,
    types.InputMessagesFilterMyMentions: lambda _: False,
}


def _matching(messages: list[Message], wanted: Any) -> list[Message]:
    matches = _FILTERS.get(type(wanted))
    if matches is None:
        raise fail("INPUT_FILTER_INVALID")
    return [message for message in messages if message.action is None and matches(message)]


@method(functions.messages.SearchRequest)
async def search(call: Call, request: Any) -> Any:
    """Messages that match, paged as history is. Text and names of files are searched, letter case aside."""
    chat = history.chat_of(call, request.peer)
    matching = _matching(chat.messages, request.filter)
    if request.q:
        q = request.q.casefold()
        matching = [m for m in matching if q in m.text.casefold() or (m.document and q in m.document.name.casefold())]
    if request.from_id is not None:
        sender = peers.known_user(call, request.from_id, "PEER_ID_INVALID").id
        matching = [m for m in matching if m.sender == sender]
    if request.min_date is not None and (after := int(request.min_date.timestamp())) > 0:
        matching = [m for m in matching if m.date > after]
    if request.max_date is not None and (before := int(request.max_date.timestamp())) > 0:
        matching = [m for m in matching if m.date < before]
    found = history.window(
        matching,
        offset_id=request.offset_id,
        add_offset=request.add_offset,
        limit=request.limit,
        max_id=request.max_id,
        min_id=request.min_id,
    )
    newer = history.newer_than(matching, found) if request.offset_id else None
    return history.page(call, chat, found if request.limit else [], len(matching), newer)


@method(functions.messages.GetSearchCountersRequest)
async def get_search_counters(call: Call, request: Any) -> list[Any]:
    chat = history.chat_of(call, request.peer)
    return [types.messages.SearchCounter(wanted, len(_matching(chat.messages, wanted))) for wanted in request.filters]


# Saying something -------------------------------------------------------------------------------------------------


@method(functions.messages.SendMessageRequest)
async def send_message(call: Call, request: Any) -> Any:
    """Plain text to a bot, or to a channel in which the account may write."""
    world, sender = call.world, call.user
    if not request.message:
        raise fail("MESSAGE_EMPTY")
    if len(request.message) > MAX_TEXT:
        raise fail("MESSAGE_TOO_LONG")
    if isinstance(request.peer, types.InputPeerChat):
        group = peers.known_group(call, request.peer.chat_id)
        message = world.post(group, sender.id, text=request.message)
        said = types.UpdateNewMessage(render.message(world, message, sender.id), world.private_pts[sender.id], 1)
        _, chats, users = history.with_peers(call, [message], group)
        return types.Updates([types.UpdateMessageID(message.id, request.random_id), said], users, chats, world.now(), 0)
    if hasattr(request.peer, "channel_id"):
        channel = peers.readable_channel(call, request.peer)
        member = channel.members.get(sender.id)
        if member is None or (not channel.megagroup and member.role == "member"):
            raise fail("CHAT_WRITE_FORBIDDEN")
        message = world.post(channel, sender.id if channel.megagroup else channel.peer, text=request.message)
        if not channel.megagroup:
            world.burn_codes(request.message)  # said by a person, though the post bears the channel's name
        update = types.UpdateNewChannelMessage(render.message(world, message, sender.id), channel.pts, 1)
        _, chats, users = history.with_peers(call, [message], channel)
        sent_as = types.UpdateMessageID(message.id, request.random_id)
        return types.Updates([sent_as, update], users, chats, world.now(), seq=0)
    partner = peers.known_user(call, request.peer, "PEER_ID_INVALID")
    if not partner.is_bot:
        raise fail("PEER_ID_INVALID")  # people do not talk to each other here
    message = world.send_private(partner.id, sender.id, sender.id, text=request.message)
    pts = world.private_pts[sender.id]
    return types.UpdateShortSentMessage(message.id, pts, 1, message.date, out=True)
