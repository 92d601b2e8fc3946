"""Join requests by a user account, with kurigram (it imports as `pyrogram`).

Raw functions over a connection that this file opens and closes itself: kurigram's own paging never ends before an empty
page, its client reconnects in the background and then hangs, its storage wants a file. It never logs in here: it gets a
complete credential. Only this file and
pyrogram_convert.py import it, and only services/clients/factory.py imports this one, at first use.
"""

import asyncio
import logging
import re
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyrogram import Client, raw
from pyrogram.connection.transport import TCPAbridged
from pyrogram.errors import RPCError
from pyrogram.session import Session
from pyrogram.session.session import AuthKeyNotFound
from pyrogram.storage import SQLiteStorage

from services.clients import device
from services.clients.answers import lost_connection, translate
from services.clients.base import (
    LINKS_PAGE,
    LOG_PAGE,
    MEMBERS_PAGE,
    REQUESTS_PAGE,
    Credential,
    InviteLink,
    JoinsPage,
    LinkMaker,
    MembersPage,
    Peer,
    RequestsOffset,
    RequestsPage,
)
from services.clients.peers import channel_of, group_of
from services.clients.proxy import Proxy, dial
from services.clients.pyrogram_convert import LateRequests, joined, member
from services.errors import ChannelUnavailable, RightMissing, TelegramRefused, Unreachable

log = logging.getLogger(__name__)

# Below WARNING kurigram logs requests and answers whole.
logging.getLogger("pyrogram").setLevel(logging.WARNING)

ANSWER_SECONDS = 15
CLOSE_SECONDS = 5


def _keep_unknown_errors_off_the_disk() -> None:
    """kurigram appends each error that it has no class for to unknown_errors.txt in the working directory; where that
    is read-only, the refusal turns into an OSError. It tells such errors by a flag of the constructor."""
    construct = RPCError.__init__

    def quietly(self: Any, *args: Any, **kwargs: Any) -> None:
        construct(self, *args, **{**kwargs, "is_unknown": False})

    RPCError.__init__ = quietly


_keep_unknown_errors_off_the_disk()


class _Memory(SQLiteStorage):  # type: ignore[misc]
    """A storage that is complete from the start: with user_id or is_bot missing, kurigram begins a new login."""

    def __init__(self, credential: Credential) -> None:
        super().__init__("porter", Path(), in_memory=True)
        self._credential = credential

    async def open(self) -> None:
        await super().open()
        credential = self._credential
        await self.dc_id(credential.dc_id)
        await self.server_address(credential.host)
        await self.port(credential.port)
        await self.api_id(credential.api.api_id)
        await self.test_mode(credential.test_mode)
        await self.auth_key(credential.auth_key)
        await self.user_id(credential.user_id)
        await self.is_bot(credential.is_bot)


class _Transport(TCPAbridged):  # type: ignore[misc]
    """Directly, or through a Proxy of ours alone."""

    async def _connect_via_proxy(self, destination: tuple[str, int]) -> None:
        """Called where there is a proxy. ProxyFailed is no OSError: kurigram hands it on and does not try again."""
        sock = await dial(self.proxy, *destination)
        self._enable_keepalive(sock)
        self.reader, self.writer = await asyncio.open_connection(sock=sock)


class _Connection(Session):  # type: ignore[misc]
    """One connection for one life. `lost` is set when it ends; `is_key_unknown`: Telegram said -404."""

    START_TIMEOUT = 5

    def __init__(self, client: Client, credential: Credential) -> None:
        super().__init__(
            client, credential.dc_id, credential.host, credential.port, credential.auth_key, credential.test_mode
        )
        self.lost = asyncio.Event()
        self.is_key_unknown = False

    async def restart(self) -> None:
        """Called where kurigram would reconnect. Opening anew is up to the pool."""
        self.lost.set()

    async def recv_worker(self) -> None:
        try:
            await super().recv_worker()
        except AuthKeyNotFound:
            self.is_key_unknown = True
        finally:
            self.lost.set()

    async def within_life(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The work's result; Unreachable or SessionDead once the connection ends, which kurigram would sit out."""
        working = asyncio.ensure_future(work)
        losing = asyncio.ensure_future(self.lost.wait())
        try:
            await asyncio.wait((working, losing), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            if self.is_key_unknown:
                raise translate("AUTH_KEY_NOT_FOUND", 404)
            raise Unreachable("the connection was lost")
        except RPCError as error:
            seconds = error.value if isinstance(error.value, int) else 0
            raise translate(_word(error), error.CODE or 0, seconds) from error
        except OSError as error:  # a TimeoutError is one
            raise lost_connection(error) from error
        finally:
            for task in (working, losing):
                task.cancel()
            await asyncio.gather(working, losing, return_exceptions=True)


def _word(error: RPCError) -> str:
    """Telegram's word. Of an error without a class, kurigram keeps "[400 WORD]" as the value."""
    if error.ID:
        return str(error.ID)
    found = re.fullmatch(r"\[-?\d+ (.+)\]", str(error.value))
    return found[1] if found else type(error).__name__


class PyrogramClients:
    layer: int = raw.all.layer

    async def gate(self, credential: Credential, proxy: Proxy | None = None) -> "PyrogramGate":
        """Raises SessionDead, Unreachable."""
        client = Client(
            "porter",
            storage_engine=_Memory(credential),
            no_updates=True,
            sleep_threshold=0,
            workers=1,
            device_model=device.DEVICE_MODEL,
            system_version=device.SYSTEM_VERSION,
            app_version=device.APP_VERSION,
            lang_code=device.LANGUAGE,
            system_lang_code=device.LANGUAGE,
            loop=asyncio.get_running_loop(),
            protocol_factory=_Transport,
        )
        client.proxy = proxy  # the constructor would take it apart and hand kurigram's own class on
        await client.storage.open()
        connection = _Connection(client, credential)
        gate = PyrogramGate(client, connection)
        try:
            await connection.within_life(connection.start())
            if not connection.is_started.is_set():  # start() keeps OSErrors to itself
                raise Unreachable("no connection")
        except BaseException:
            await gate.close()
            raise
        return gate


class PyrogramGate:
    """Implements base.GateClient. The connection is open."""

    def __init__(self, client: Client, connection: _Connection) -> None:
        self._client = client
        self._connection = connection

    @property
    def is_connected(self) -> bool:
        return not self._connection.lost.is_set()

    async def join_requests(
        self, peer: Peer, offset: RequestsOffset | None, link: str | None = None, limit: int = REQUESTS_PAGE
    ) -> RequestsPage:
        user: Any = raw.types.InputUserEmpty()
        if offset is not None:
            user = raw.types.InputUser(user_id=offset.user_id, access_hash=offset.access_hash)
        answer = await self._ask(
            raw.functions.messages.GetChatInviteImporters(
                peer=_input_peer(peer),
                requested=True,
                link=link,
                offset_date=int(offset.date.timestamp()) if offset else 0,
                offset_user=user,
                limit=limit,
            )
        )
        people = {user.id: user for user in answer.users}
        hashes = {user_id: user.access_hash for user_id, user in people.items() if user.access_hash is not None}
        last = answer.importers[-1] if answer.importers else None
        behind = None
        if last is not None:
            asked_at = datetime.fromtimestamp(last.date, UTC)
            behind = RequestsOffset(asked_at, last.user_id, hashes.get(last.user_id, 0))
        user_ids = tuple(row.user_id for row in answer.importers)
        requests = LateRequests(peer.id, answer.importers, people, link)
        return RequestsPage(answer.count, user_ids, requests, hashes, behind)

    async def decide(self, peer: Peer, user_id: int, access_hash: int, *, approve: bool) -> None:
        user = raw.types.InputUser(user_id=user_id, access_hash=access_hash)
        await self._ask(
            raw.functions.messages.HideChatJoinRequest(peer=_input_peer(peer), user_id=user, approved=approve)
        )

    async def decide_all(self, peer: Peer, *, approve: bool) -> None:
        await self._ask(raw.functions.messages.HideAllChatJoinRequests(peer=_input_peer(peer), approved=approve))

    async def ban(self, peer: Peer, user_id: int, access_hash: int) -> None:
        await self._edit_banned(peer, user_id, access_hash, is_banned=True)

    async def unban(self, peer: Peer, user_id: int, access_hash: int) -> None:
        await self._edit_banned(peer, user_id, access_hash, is_banned=False)

    async def _edit_banned(self, peer: Peer, user_id: int, access_hash: int, *, is_banned: bool) -> None:
        """Who may not see messages is banned, and without any restriction free: ChatBannedRights says so."""
        if (channel_id := channel_of(peer.id)) is None:
            raise ChannelUnavailable
        await self._ask(
            raw.functions.channels.EditBanned(
                channel=raw.types.InputChannel(channel_id=channel_id, access_hash=peer.access_hash),
                participant=raw.types.InputPeerUser(user_id=user_id, access_hash=access_hash),
                banned_rights=raw.types.ChatBannedRights(until_date=0, view_messages=is_banned),
            )
        )

    async def admin_log_joins(self, peer: Peer, before: int = 0) -> JoinsPage:
        if group_of(peer.id) is not None:
            return JoinsPage((), None, None)
        answer = await self._ask(
            raw.functions.channels.GetAdminLog(
                channel=_input_channel(peer),
                q="",
                max_id=before,
                min_id=0,
                limit=LOG_PAGE,
                events_filter=raw.types.ChannelAdminLogEventsFilter(join=True, invite=True, invites=True),
            )
        )
        people = {user.id: user for user in answer.users}
        joins = tuple(told for event in answer.events if (told := joined(event, people)) is not None)
        if not answer.events:
            return JoinsPage(joins, None, None)
        last = answer.events[-1]
        return JoinsPage(joins, datetime.fromtimestamp(last.date, UTC), last.id)

    async def is_member(self, peer: Peer, user_id: int, access_hash: int) -> bool:
        person = raw.types.InputPeerUser(user_id=user_id, access_hash=access_hash)
        try:
            answer = await self._ask(
                raw.functions.channels.GetParticipant(channel=_input_channel(peer), participant=person)
            )
        except TelegramRefused as error:
            # Telegram's answer for somebody who never was a member, and for an account that is gone.
            if error.word in {"USER_NOT_PARTICIPANT", "PARTICIPANT_ID_INVALID"}:
                return False
            raise
        return not isinstance(answer.participant, raw.types.ChannelParticipantLeft | raw.types.ChannelParticipantBanned)

    async def recent_members(self, peer: Peer, offset: int = 0) -> MembersPage:
        if (chat_id := group_of(peer.id)) is not None:
            full = await self._ask(raw.functions.messages.GetFullChat(chat_id=chat_id))
            people = getattr(full.full_chat.participants, "participants", [])  # forbidden: none are shown
            return MembersPage(tuple(person.user_id for person in people), len(people))
        answer = await self._ask(
            raw.functions.channels.GetParticipants(
                channel=_input_channel(peer),
                filter=raw.types.ChannelParticipantsRecent(),
                offset=offset,
                limit=MEMBERS_PAGE,
                hash=0,
            )
        )
        members = tuple(user_id for person in answer.participants if (user_id := member(person)) is not None)
        return MembersPage(members, answer.count)

    async def link_makers(self, peer: Peer) -> list[LinkMaker]:
        try:
            answer = await self._ask(raw.functions.messages.GetAdminsWithInvites(peer=_input_peer(peer)))
        except RightMissing:
            return []  # not the creator, who alone sees the links of others
        people = {user.id: user for user in answer.users if isinstance(user, raw.types.User) and not user.is_self}
        return [
            LinkMaker(user.id, user.access_hash or 0)
            for admin in answer.admins
            if admin.invites_count and (user := people.get(admin.admin_id)) is not None
        ]

    async def invite_links(self, peer: Peer, maker: LinkMaker | None = None) -> list[InviteLink]:
        admin: Any = raw.types.InputUserSelf()
        if maker is not None:
            admin = raw.types.InputUser(user_id=maker.user_id, access_hash=maker.access_hash)
        answer = await self._ask(
            raw.functions.messages.GetExportedChatInvites(peer=_input_peer(peer), admin_id=admin, limit=LINKS_PAGE)
        )
        return [
            InviteLink(invite.link, invite.title, invite.requested or 0)
            for invite in answer.invites
            if isinstance(invite, raw.types.ChatInviteExported) and (invite.request_needed or invite.requested)
        ]

    async def close(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._connection.stop()
        except TimeoutError:
            log.warning("a connection did not end in %d s", CLOSE_SECONDS)
        finally:
            connection = self._connection.connection
            if connection is not None and connection.protocol is not None:
                # kurigram leaves the thread of each connection to the garbage collector.
                connection.protocol.crypto_executor.shutdown(wait=False)
            await self._client.storage.close()

    async def _ask(self, query: Any) -> Any:
        """Raises PorterError."""
        if not self.is_connected:
            raise Unreachable("the connection was lost")
        return await self._connection.within_life(
            self._connection.invoke(
                raw.functions.InvokeWithoutUpdates(query=query),
                retries=1,
                timeout=ANSWER_SECONDS,
                sleep_threshold=0,
                retry_delay=0,
            )
        )


def _input_peer(peer: Peer) -> Any:
    if (channel_id := channel_of(peer.id)) is not None:
        return raw.types.InputPeerChannel(channel_id=channel_id, access_hash=peer.access_hash)
    if (chat_id := group_of(peer.id)) is not None:
        return raw.types.InputPeerChat(chat_id=chat_id)
    raise ChannelUnavailable


def _input_channel(peer: Peer) -> Any:
    channel_id = channel_of(peer.id)
    if channel_id is None:
        raise ChannelUnavailable
    return raw.types.InputChannel(channel_id=channel_id, access_hash=peer.access_hash)
