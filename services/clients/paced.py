"""What services hold: clients whose every call goes through the pacing and over the session's one connection.

Reads are repeated when no answer came. Decisions are not: repeated, they would find their own work done and take it for
somebody else's. Signing out and joining are not either.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from services.clients.base import (
    REQUESTS_PAGE,
    Account,
    DialogsOffset,
    DialogsPage,
    FileLocation,
    FoundPage,
    GateClient,
    Hear,
    HearAsking,
    HistoryPage,
    Invitation,
    InviteLink,
    JoinsPage,
    LinkMaker,
    MembersPage,
    Peer,
    Post,
    RangeHash,
    ReadingClient,
    RequestsOffset,
    RequestsPage,
    SeenChannel,
    Span,
)
from services.clients.walks import walk_dialogs
from storage.models import FileKind, Start

C_co = TypeVar("C_co", covariant=True)
T = TypeVar("T")

TAP_SECONDS = 10.0
"""Where an admin waits for the answer."""
PART_SECONDS = 120.0
"""A part of 1 MiB behind three others, on a slow line."""


class Line(Protocol[C_co]):
    """A shared client behind its pacing; slots.Slot is one."""

    @property
    def is_connected(self) -> bool: ...

    async def ask(
        self,
        method: str,
        request: Callable[[C_co], Awaitable[T]],
        *,
        repeat: bool = False,
        timeout_seconds: float = ...,
    ) -> T: ...


class PacedReading:
    """Implements base.ReadingClient."""

    def __init__(self, line: Line[ReadingClient]) -> None:
        self._line = line

    @property
    def is_connected(self) -> bool:
        return self._line.is_connected

    async def me(self) -> Account:
        return await self._line.ask("users.getUsers", lambda client: client.me(), timeout_seconds=TAP_SECONDS)

    async def log_out(self) -> None:
        await self._line.ask("auth.logOut", lambda client: client.log_out(), timeout_seconds=TAP_SECONDS)

    async def channels(self) -> list[SeenChannel]:
        return await walk_dialogs(self.dialogs)

    async def dialogs(self, offset: DialogsOffset | None) -> DialogsPage:
        return await self._line.ask("messages.getDialogs", lambda client: client.dialogs(offset), repeat=True)

    async def resolve(self, username: str) -> SeenChannel:
        return await self._line.ask("contacts.resolveUsername", lambda client: client.resolve(username), repeat=True)

    async def look(self, peer: Peer) -> SeenChannel:
        return await self._line.ask("channels.getFullChannel", lambda client: client.look(peer), repeat=True)

    async def invitation(self, link_hash: str) -> Invitation:
        return await self._line.ask(
            "messages.checkChatInvite", lambda client: client.invitation(link_hash), timeout_seconds=TAP_SECONDS
        )

    async def join(self, link_hash: str) -> SeenChannel | None:
        return await self._line.ask(
            "messages.importChatInvite", lambda client: client.join(link_hash), timeout_seconds=TAP_SECONDS
        )

    async def history(self, peer: Peer, after_id: int) -> HistoryPage:
        return await self._line.ask("messages.getHistory", lambda client: client.history(peer, after_id), repeat=True)

    async def start_after(self, peer: Peer, start: Start) -> int:
        return await self._line.ask("messages.getHistory", lambda client: client.start_after(peer, start), repeat=True)

    async def span(self, peer: Peer, start: Start) -> Span:
        return await self._line.ask("messages.getHistory", lambda client: client.span(peer, start), repeat=True)

    async def count_files(self, peer: Peer, kinds: Sequence[FileKind]) -> dict[FileKind, int]:
        return await self._line.ask(
            "messages.getSearchCounters", lambda client: client.count_files(peer, kinds), repeat=True
        )

    async def find_files(self, peer: Peer, kind: FileKind, offset_id: int, add_offset: int, limit: int) -> FoundPage:
        return await self._line.ask(
            "messages.search", lambda client: client.find_files(peer, kind, offset_id, add_offset, limit), repeat=True
        )

    async def posts(self, peer: Peer, message_ids: list[int]) -> list[Post]:
        return await self._line.ask("channels.getMessages", lambda client: client.posts(peer, message_ids), repeat=True)

    async def read_part(self, location: FileLocation, number: int) -> bytes:
        return await self._line.ask(
            "upload.getFile",
            lambda client: client.read_part(location, number),
            repeat=True,
            timeout_seconds=PART_SECONDS,
        )

    async def range_hashes(self, location: FileLocation, offset: int) -> list[RangeHash]:
        return await self._line.ask("upload.getFileHashes", lambda client: client.range_hashes(location, offset))

    async def listen(self, hear: Hear) -> asyncio.Event:
        return await self._line.ask("updates.getState", lambda client: client.listen(hear), repeat=True)

    async def listen_asking(self, hear: HearAsking) -> asyncio.Event:
        return await self._line.ask("updates.getState", lambda client: client.listen_asking(hear), repeat=True)

    async def newest(self, peers: Sequence[Peer]) -> dict[int, int]:
        return await self._line.ask("messages.getPeerDialogs", lambda client: client.newest(peers), repeat=True)

    async def close(self) -> None:
        """The pool closes clients; who only holds one for a while has nothing to close."""


class PacedGate:
    """Implements base.GateClient."""

    def __init__(self, line: Line[GateClient]) -> None:
        self._line = line

    @property
    def is_connected(self) -> bool:
        return self._line.is_connected

    async def join_requests(
        self, peer: Peer, offset: RequestsOffset | None, link: str | None = None, limit: int = REQUESTS_PAGE
    ) -> RequestsPage:
        return await self._line.ask(
            "messages.getChatInviteImporters",
            lambda client: client.join_requests(peer, offset, link, limit),
            repeat=True,
        )

    async def decide(self, peer: Peer, user_id: int, access_hash: int, *, approve: bool) -> None:
        await self._line.ask(
            "messages.hideChatJoinRequest",
            lambda client: client.decide(peer, user_id, access_hash, approve=approve),
            timeout_seconds=TAP_SECONDS,
        )

    async def decide_all(self, peer: Peer, *, approve: bool) -> None:
        await self._line.ask(
            "messages.hideAllChatJoinRequests", lambda client: client.decide_all(peer, approve=approve)
        )

    async def admin_log_joins(self, peer: Peer, before: int = 0) -> JoinsPage:
        return await self._line.ask(
            "channels.getAdminLog", lambda client: client.admin_log_joins(peer, before), repeat=True
        )

    async def is_member(self, peer: Peer, user_id: int, access_hash: int) -> bool:
        return await self._line.ask(
            "channels.getParticipant", lambda client: client.is_member(peer, user_id, access_hash), repeat=True
        )

    async def recent_members(self, peer: Peer, offset: int = 0) -> MembersPage:
        return await self._line.ask(
            "channels.getParticipants", lambda client: client.recent_members(peer, offset), repeat=True
        )

    async def link_makers(self, peer: Peer) -> list[LinkMaker]:
        return await self._line.ask(
            "messages.getAdminsWithInvites", lambda client: client.link_makers(peer), repeat=True
        )

    async def invite_links(self, peer: Peer, maker: LinkMaker | None = None) -> list[InviteLink]:
        return await self._line.ask(
            "messages.getExportedChatInvites", lambda client: client.invite_links(peer, maker), repeat=True
        )

    async def ban(self, peer: Peer, user_id: int, access_hash: int) -> None:
        await self._line.ask(
            "channels.editBanned",
            lambda client: client.ban(peer, user_id, access_hash),
            timeout_seconds=TAP_SECONDS,
        )

    async def unban(self, peer: Peer, user_id: int, access_hash: int) -> None:
        await self._line.ask(
            "channels.editBanned",
            lambda client: client.unban(peer, user_id, access_hash),
            timeout_seconds=TAP_SECONDS,
        )

    async def close(self) -> None:
        """As above."""
