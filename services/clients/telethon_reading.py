"""An account that reads channels and files, with Telethon: raw requests, a page or a part each."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from telethon.tl import functions, types

from services.clients import telethon_convert as convert
from services.clients import telethon_search as search
from services.clients.base import (
    DIALOGS_PAGE,
    HISTORY_PAGE,
    Account,
    DialogsOffset,
    DialogsPage,
    FileLocation,
    FoundPage,
    Hear,
    HearAsking,
    HistoryPage,
    Invitation,
    Peer,
    Post,
    RangeHash,
    SeenChannel,
    Span,
)
from services.clients.peers import channel_of, group_of
from services.clients.proxy import Proxy
from services.clients.telethon_calls import ask, translated
from services.clients.telethon_files import PartReader
from services.clients.telethon_history import LatePosts, Unparsed, head_of, parse
from services.clients.telethon_listening import ListeningClient
from services.clients.walks import walk_dialogs
from services.errors import ChannelNotFound, ChannelsTooMany, ChannelUnavailable, StaysPending, TelegramRefused
from storage.models import FileKind, Start, StartKind


class TelethonReading:
    """Implements base.ReadingClient. The client is connected."""

    def __init__(self, client: ListeningClient, proxy: Proxy | None = None) -> None:
        self._client = client
        self._parts = PartReader(client, proxy)

    @property
    def is_connected(self) -> bool:
        return bool(self._client.is_connected())

    # -- the account

    async def me(self) -> Account:
        return convert.account((await self._ask(functions.users.GetUsersRequest([types.InputUserSelf()])))[0])

    async def log_out(self) -> None:
        await self._ask(functions.auth.LogOutRequest())

    # -- channels

    async def channels(self) -> list[SeenChannel]:
        return await walk_dialogs(self.dialogs)

    async def dialogs(self, offset: DialogsOffset | None) -> DialogsPage:
        request = functions.messages.GetDialogsRequest(
            offset_date=offset.date if offset else None,
            offset_id=offset.message_id if offset else 0,
            offset_peer=convert.input_peer(offset.peer_id, offset.access_hash) if offset else types.InputPeerEmpty(),
            limit=DIALOGS_PAGE,
            hash=0,
            exclude_pinned=offset is not None,  # they stand on top of the first page, whatever their date
        )
        answer = await self._ask(request)
        seen = (convert.seen_channel(chat) for chat in answer.chats if not getattr(chat, "left", False))
        known = {channel.channel.id: channel for channel in seen if channel is not None}
        grown = {each.channel.id: each for each in convert.successors(answer.chats).values()}
        channels = tuple((known | grown).values())
        is_last = not isinstance(answer, types.messages.DialogsSlice) or not answer.dialogs
        return DialogsPage(channels, None if is_last else _behind(answer))

    async def resolve(self, username: str) -> SeenChannel:
        answer = await self._ask(functions.contacts.ResolveUsernameRequest(username))
        wanted = convert.peer_id(answer.peer)
        for channel in map(convert.seen_channel, answer.chats):
            if channel is not None and channel.peer.id == wanted:
                return channel
        raise ChannelNotFound(username)  # a person, or a bot

    async def look(self, peer: Peer) -> SeenChannel:
        if (chat_id := group_of(peer.id)) is not None:
            answer = await self._ask(functions.messages.GetFullChatRequest(chat_id))
            members = None  # the group itself says
        else:
            answer = await self._ask(functions.channels.GetFullChannelRequest(self._channel(peer)))
            members = answer.full_chat.participants_count
        for chat in answer.chats:
            channel = convert.seen_channel(chat, members)
            if channel is not None and channel.peer.id == peer.id:
                # Left out where nobody waits.
                waiting = (answer.full_chat.requests_pending or 0) if channel.may_invite else None
                return replace(channel, waiting=waiting)
        raise ChannelUnavailable

    async def invitation(self, link_hash: str) -> Invitation:
        return convert.invitation(await self._ask(functions.messages.CheckChatInviteRequest(link_hash)))

    async def join(self, link_hash: str) -> SeenChannel | None:
        try:
            answer = await self._ask(functions.messages.ImportChatInviteRequest(link_hash))
        except StaysPending as error:  # the word for people who are let in; here it is the account itself
            raise ChannelsTooMany from error
        if not isinstance(answer, types.messages.ChatInviteJoinResultOk):
            raise TelegramRefused("JOIN_BY_WEB_PAGE_ONLY")
        seen = [convert.seen_channel(chat) for chat in answer.updates.chats]
        return next((channel for channel in seen if channel is not None), None)

    # -- messages

    async def history(self, peer: Peer, after_id: int) -> HistoryPage:
        request = functions.messages.GetHistoryRequest(
            convert.input_peer(peer.id, peer.access_hash),
            # The window ends right above `after_id`: the page before that message, seen from the newest one.
            offset_id=after_id + 1,
            offset_date=None,
            add_offset=-HISTORY_PAGE,
            limit=HISTORY_PAGE,
            max_id=0,
            min_id=0,
            hash=0,
        )
        unparsed = await self._ask(Unparsed(request))
        head = head_of(unparsed)
        if head is not None and head.newer and head.count == HISTORY_PAGE:
            # With messages above it, a full page holds nothing that lies below `after_id`.
            late = LatePosts(lambda: _posts(_above(parse(unparsed), after_id)))
            return HistoryPage(late, head.newest_id, head.newer, is_last=False)
        answer = parse(unparsed)
        # Near the newest message a window may reach below `after_id`; that part is known.
        fresh = _above(answer, after_id)
        newer = _newer(answer, after_id) if fresh else 0
        is_last = newer == 0 or len(fresh) < len(answer.messages)
        successor = convert.successors(answer.chats).get(peer.id) if group_of(peer.id) is not None else None
        return HistoryPage(_posts(fresh), fresh[-1].id if fresh else None, newer, is_last, successor)

    async def start_after(self, peer: Peer, start: Start) -> int:
        if start.kind is StartKind.EVERYTHING:
            return 0
        return (await self.span(peer, start)).after_id

    async def span(self, peer: Peer, start: Start) -> Span:
        if start.message_id is not None:
            return Span(start.message_id, None)
        answer = await self._ask(search.edge(convert.input_peer(peer.id, peer.access_hash), start))
        return search.span(answer, start)

    async def count_files(self, peer: Peer, kinds: Sequence[FileKind]) -> dict[FileKind, int]:
        answer = await self._ask(search.counters(convert.input_peer(peer.id, peer.access_hash), kinds))
        return search.counts(answer, kinds)

    async def find_files(self, peer: Peer, kind: FileKind, offset_id: int, add_offset: int, limit: int) -> FoundPage:
        whose = convert.input_peer(peer.id, peer.access_hash)
        return search.page(await self._ask(search.files(whose, kind, offset_id, add_offset, limit)))

    async def posts(self, peer: Peer, message_ids: list[int]) -> list[Post]:
        wanted: list[Any] = [types.InputMessageID(message_id) for message_id in message_ids]
        if group_of(peer.id) is not None:
            answer = await self._ask(functions.messages.GetMessagesRequest(wanted))
        else:
            answer = await self._ask(functions.channels.GetMessagesRequest(self._channel(peer), wanted))
        return [
            convert.post(message)
            for message in answer.messages
            if isinstance(message, types.Message) and convert.peer_id(message.peer_id) == peer.id
        ]

    async def range_hashes(self, location: FileLocation, offset: int) -> list[RangeHash]:
        return await self._parts.hashes(location, offset)

    async def read_part(self, location: FileLocation, number: int) -> bytes:
        return await self._parts.read(location, number)

    # -- updates

    async def listen(self, hear: Hear) -> asyncio.Event:
        with translated():
            return await self._client.listen(hear)

    async def listen_asking(self, hear: HearAsking) -> asyncio.Event:
        with translated():
            return await self._client.listen_asking(hear)

    async def newest(self, peers: Sequence[Peer]) -> dict[int, int]:
        wanted = [types.InputDialogPeer(convert.input_peer(peer.id, peer.access_hash)) for peer in peers]
        answer = await self._ask(functions.messages.GetPeerDialogsRequest(wanted))
        found = ((convert.peer_id(dialog.peer), dialog.top_message) for dialog in answer.dialogs)
        return {peer_id: newest for peer_id, newest in found if peer_id is not None}

    async def close(self) -> None:
        try:
            await self._parts.close()
        finally:
            await self._client.disconnect()

    async def _ask(self, request: Any) -> Any:
        return await ask(self._client, request)

    @staticmethod
    def _channel(peer: Peer) -> Any:
        channel_id = channel_of(peer.id)
        if channel_id is None:
            raise ChannelUnavailable
        return types.InputChannel(channel_id, peer.access_hash)


def _above(answer: Any, after_id: int) -> list[Any]:
    """The page's messages above that id, ascending."""
    return sorted((each for each in answer.messages if each.id > after_id), key=lambda each: each.id)


def _posts(messages: list[Any]) -> tuple[Post, ...]:
    return tuple(convert.post(each) for each in messages if isinstance(each, types.Message))


def _newer(answer: Any, after_id: int) -> int | None:
    """How many messages stand before the page's newest one (offset_id_offset: https://core.telegram.org/api/offsets),
    or what is left of all when the walk begins."""
    if (position := getattr(answer, "offset_id_offset", None)) is not None:
        return int(position)
    if after_id == 0 and (count := getattr(answer, "count", None)) is not None:
        return int(count) - len(answer.messages)
    return None


def _behind(answer: Any) -> DialogsOffset | None:
    """The offset of the page behind this one: its last dialog whose newest message came along."""
    messages = {(convert.peer_id(each.peer_id), each.id): each for each in answer.messages}
    hashes = {user.id: user.access_hash for user in answer.users}
    hashes |= {seen.peer.id: seen.peer.access_hash for seen in map(convert.seen_channel, answer.chats) if seen}
    for dialog in reversed(answer.dialogs):
        peer_id = convert.peer_id(dialog.peer)
        message = messages.get((peer_id, dialog.top_message))
        if peer_id is not None and message is not None and getattr(message, "date", None) is not None:
            return DialogsOffset(message.date, message.id, peer_id, hashes.get(peer_id) or 0)
    return None
