"""messages.*: the list of chats."""

from dataclasses import dataclass
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import history, render
from sandbox.mtproto.methods.history import MAX_PAGE, Chat
from sandbox.mtproto.rpc import Call, method
from sandbox.world import SERVICE_ID, Channel, Message, peer_of_channel

ARCHIVE_FOLDER = 1


@dataclass(frozen=True, slots=True)
class Dialog:
    """`peer`: as the Bot API shows it. `top`: the newest message; a channel may have none left."""

    peer: int
    chat: Chat
    top: Message | None
    date: int


@method(functions.messages.GetDialogsRequest)
async def get_dialogs(call: Call, request: Any) -> Any:
    """Newest first. A page starts behind `offset_peer`; if that is no dialog (any more), behind `offset_date`."""
    dialogs = [] if request.folder_id == ARCHIVE_FOLDER else _dialogs(call)
    count = len(dialogs)
    is_first = True
    offset_peer = _peer_id(request.offset_peer)
    if offset_peer is not None or request.offset_date is not None:
        is_first = False
        places = [place for place, dialog in enumerate(dialogs) if dialog.peer == offset_peer]
        if places:
            dialogs = dialogs[places[0] + 1 :]
        elif request.offset_date is not None and (date := int(request.offset_date.timestamp())) > 0:
            dialogs = [dialog for dialog in dialogs if dialog.date < date]
        else:
            is_first = True
    page = dialogs[: min(request.limit or history.DEFAULT_PAGE, MAX_PAGE)]
    parts = _rendered(call, page)
    if is_first and len(page) == count:
        return types.messages.Dialogs(*parts)
    return types.messages.DialogsSlice(count, *parts)


@method(functions.messages.GetPinnedDialogsRequest)
async def get_pinned_dialogs(call: Call, _request: Any) -> Any:
    """Nothing is pinned."""
    return types.messages.PeerDialogs([], [], [], [], state(call))


@method(functions.messages.GetPeerDialogsRequest)
async def get_peer_dialogs(call: Call, request: Any) -> Any:
    wanted = []
    for named in request.peers:
        chat = history.chat_of(call, named.peer)
        peer_id = chat.channel.peer if chat.channel is not None else chat.partner
        assert peer_id is not None
        wanted.append(_dialog(peer_id, chat))
    return types.messages.PeerDialogs(*_rendered(call, wanted), state(call))


def state(call: Call) -> Any:
    """The account's own sequence of updates: private chats. Channels have one each."""
    return types.updates.State(
        pts=call.world.private_pts.get(call.user.id, 1), qts=0, date=call.world.now(), seq=1, unread_count=0
    )


def _dialogs(call: Call) -> list[Dialog]:
    viewer, world = call.user, call.world
    found = [
        _dialog(channel.peer, Chat(history.present(channel.messages.values()), channel))
        for channel in world.channels.values()
        if viewer.id in channel.members
    ]
    for partner in (SERVICE_ID, *world.chats):
        chat = Chat(history.private_messages(call, partner), partner=partner)
        if chat.messages:
            found.append(_dialog(partner, chat))
    found.sort(key=lambda dialog: (dialog.date, dialog.peer), reverse=True)
    return found


def _dialog(peer: int, chat: Chat) -> Dialog:
    top = chat.messages[-1] if chat.messages else None
    date = top.date if top is not None else chat.channel.created if chat.channel is not None else 0
    return Dialog(peer, chat, top, date)


def _rendered(call: Call, dialogs: list[Dialog]) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Dialogs, their newest messages, and the channels and users that these name."""
    viewer = call.user.id
    messages, chats, users = history.with_peers(call, [dialog.top for dialog in dialogs if dialog.top is not None])
    silent = [dialog.chat.channel for dialog in dialogs if dialog.top is None and dialog.chat.channel is not None]
    chats += [render.channel(channel, viewer) for channel in silent]
    return (
        [
            types.Dialog(
                peer=render.peer(dialog.peer),
                top_message=dialog.top.id if dialog.top is not None else 0,
                read_inbox_max_id=dialog.top.id if dialog.top is not None else 0,
                read_outbox_max_id=0,
                unread_count=0,
                unread_mentions_count=0,
                unread_reactions_count=0,
                unread_poll_votes_count=0,
                notify_settings=types.PeerNotifySettings(),
                pts=channel.pts if (channel := dialog.chat.channel) is not None and not channel.basic else None,
            )
            for dialog in dialogs
        ],
        messages,
        chats,
        users,
    )


def _peer_id(peer: Any) -> int | None:
    """The Bot API's id of an input peer; None for the empty one."""
    if hasattr(peer, "channel_id"):
        return peer_of_channel(peer.channel_id)
    if hasattr(peer, "chat_id"):
        return -int(peer.chat_id)
    return getattr(peer, "user_id", None)


def too_long(call: Call, channel: Channel) -> Any:
    """The answer to a client that has missed too much of a channel: its dialog as it is now."""
    parts = _rendered(call, [_dialog(channel.peer, Chat(history.present(channel.messages.values()), channel))])
    [dialog], messages, chats, users = parts
    return types.updates.ChannelDifferenceTooLong(dialog, messages, chats, users, final=True)
