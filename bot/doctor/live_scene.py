"""What claims look at: one account, or the bot. Whatever several claims need is asked once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.types import ChatFullInfo, ChatMemberAdministrator, ChatMemberMember

from bot.doctor.live_claim import NotSeen
from services.clients.base import PART_BYTES, GateClient, Peer
from services.clients.pacing import Governor
from services.clients.peers import id_of_channel
from services.clients.probe import Guard, Probe, Refusal, Tl
from storage.models import Session

T = TypeVar("T")
Answer = dict[str, Any]

ASKED_PAGE = 200
"""More than Telegram gives of chats and messages at once: what comes shows its own limit."""
LOOKED_AT = 5
"""So many of the account's channels are asked whether people wait there."""
IMPORTERS_PAGE = 200

NO_CHANNEL = ("the account is in no channel or supergroup", "Let an account of Porter's join a channel.")
NO_POSTS = ("the account's channels have no posts", "Let an account of Porter's join a channel with posts.")
NO_FILE = ("the channel has no document", "Let an account of Porter's join a channel with documents.")
ALL_AT_HOME = (
    "each document lies in the account's own data centre",
    "Let an account join a channel whose owner lives in another part of the world.",
)
NO_GATE = (
    "the account lets people in nowhere, or nobody waits there",
    "Start the round while somebody waits at a channel where an account of Porter's may let people in.",
)

NO_LOG = (
    "nobody has come in within two days where the account lets people in",
    "Start the round after somebody was let into a channel that an account of Porter's looks after.",
)


class Account:
    """One session. `known`: ids of channels that Porter knows, as the Bot API shows them; `hashes`: by the bare ids of
    those that this session has met, its access hashes. Raises what services/clients/probe.py raises, and
    NotSeen where there is nothing of a kind."""

    def __init__(
        self,
        session: Session,
        probe: Probe,
        governor: Governor,
        guard: Guard,
        known: Sequence[int],
        hashes: dict[int, int],
        open_gate: Callable[[], Awaitable[GateClient]],
        gate_layer: Callable[[], Awaitable[int]],
    ) -> None:
        self.session = session
        self.probe = probe
        self.known = known[:LOOKED_AT]
        self.hashes = hashes
        self.gate_layer = gate_layer
        self._governor = governor
        self._guard = guard
        self._open_gate = open_gate
        self._known: dict[str, asyncio.Task[Any]] = {}

    async def ask(self, method: str, /, dc_id: int | None = None, **fields: Any) -> Any:
        """Paced; a short flood wait is sat out."""
        return await self._governor.call(self.session.id, method, lambda: self.probe.ask(method, fields, dc_id))

    async def ask_gate(self, method: str, call: Callable[[GateClient], Awaitable[T]]) -> T:
        """By kurigram, beside the open connection."""
        await self._guard.let(method)
        gate = await self._open_gate()
        try:
            return await self._governor.call(self.session.id, method, lambda: call(gate))
        finally:
            await gate.close()

    async def once(self, name: str, make: Callable[[], Awaitable[T]]) -> T:
        if name not in self._known:
            self._known[name] = asyncio.ensure_future(make())
        result: T = await self._known[name]
        return result

    # -- what is there

    async def config(self) -> Answer:
        return await self.once("config", lambda: self.ask("help.getConfig"))

    async def dialogs(self) -> Answer:
        return await self.once(
            "dialogs",
            lambda: self.ask(
                "messages.getDialogs",
                offset_date=None,
                offset_id=0,
                offset_peer=Tl("inputPeerEmpty"),
                limit=ASKED_PAGE,
                hash=0,
            ),
        )

    async def used(self) -> Answer:
        """The channels that Porter knows, as the account sees them: of hundreds of chats they may not be the newest."""
        return await self.once("used", self._used)

    async def _used(self) -> Answer:
        wanted = [
            Tl("inputDialogPeer", {"peer": _input_peer(channel_id, it)}) for channel_id, it in self.hashes.items()
        ]
        if not wanted:
            return {"dialogs": [], "chats": []}
        try:
            answer: Answer = await self.ask("messages.getPeerDialogs", peers=wanted)
        except Refusal:  # of the whole, where the account has lost one of them
            return {"dialogs": [], "chats": []}
        return answer

    async def channels(self) -> list[Answer]:
        """Channels and supergroups that the account is in: what Porter uses first, then those with the most posts."""
        used, listed = await self.used(), await self.dialogs()
        tops = {it["peer"].get("channel_id"): it["top_message"] for it in [*listed["dialogs"], *used["dialogs"]]}
        found = {
            chat["id"]: chat
            for chat in [*listed["chats"], *used["chats"]]
            if chat["_"] == "Channel" and not (chat["left"] or chat["min"] or chat["monoforum"]) and chat["access_hash"]
        }
        if not found:
            raise NotSeen(*NO_CHANNEL)
        ours = {chat["id"] for chat in used["chats"]}
        return sorted(found.values(), key=lambda it: (it["id"] in ours, tops.get(it["id"]) or 0), reverse=True)

    async def groups(self) -> list[Answer]:
        """Small groups that the account is in."""
        found = [chat for chat in (await self.dialogs())["chats"] if chat["_"] == "Chat"]
        return [chat for chat in found if not (chat["left"] or chat["deactivated"])]

    async def full(self, channel: Answer) -> Answer:
        return await self.once(
            f"full {channel['id']}", lambda: self.ask("channels.getFullChannel", channel=input_channel(channel))
        )

    async def library(self) -> Answer:
        """The channel that is read."""
        return (await self.channels())[0]

    async def newest(self) -> Answer:
        """The newest page of the library."""
        return await self.once("newest", self._newest)

    async def _newest(self) -> Answer:
        channel = await self.library()
        page: Answer = await self.history(channel, limit=ASKED_PAGE)
        if not page["messages"]:
            raise NotSeen(*NO_POSTS)
        return page

    async def history(self, channel: Answer, **window: int) -> Answer:
        """A page of it; what is not named is 0."""
        names = ("offset_id", "add_offset", "limit", "max_id", "min_id", "hash")
        fields = {name: window.get(name, 0) for name in names}
        page: Answer = await self.ask("messages.getHistory", peer=input_peer(channel), offset_date=None, **fields)
        return page

    async def documents(self) -> list[Answer]:
        """The library's newest documents, the largest first."""
        return await self.once("documents", self._documents)

    async def _documents(self) -> list[Answer]:
        answer = await self.ask(
            "messages.search",
            peer=input_peer(await self.library()),
            q="",
            filter=Tl("inputMessagesFilterDocument"),
            min_date=None,
            max_date=None,
            offset_id=0,
            add_offset=0,
            limit=100,
            max_id=0,
            min_id=0,
            hash=0,
        )
        media = [message["media"] or {} for message in answer["messages"]]
        found: list[Answer] = [each["document"] for each in media if each.get("document")]
        if not found:
            raise NotSeen(*NO_FILE)
        return sorted(found, key=lambda document: document["size"], reverse=True)

    async def document(self) -> Answer:
        """The largest of them."""
        return (await self.documents())[0]

    async def foreign_document(self) -> Answer:
        """The largest that lies in another data centre than the account's own."""
        home = self.probe.home_dc
        found = next((each for each in await self.documents() if each["dc_id"] != home), None)
        if found is None:
            raise NotSeen(*ALL_AT_HOME)
        return found

    async def read(
        self, document: Answer, limit: int, offset: int = 0, *, dc_id: int | None = None, reference: bytes | None = None
    ) -> bytes:
        """A range of a document, of the data centre where it lies or of another one."""
        answer = await self.ask(
            "upload.getFile",
            dc_id=document["dc_id"] if dc_id is None else dc_id,
            location=location(document, reference),
            offset=offset,
            limit=limit,
        )
        return bytes(answer["bytes"])

    async def first_part(self) -> bytes:
        return await self.once("first part", self._first_part)

    async def _first_part(self) -> bytes:
        return await self.read(await self.document(), PART_BYTES)

    # -- where people wait

    async def gate(self) -> Answer:
        """A channel where the account may let people in and somebody waits."""
        return await self.once("gate", self._gate)

    async def _gate(self) -> Answer:
        managed = [channel for channel in await self.channels() if may_invite(channel)]
        for channel in managed[:LOOKED_AT]:
            if (await self.full(channel))["full_chat"].get("requests_pending"):
                return channel
        raise NotSeen(*NO_GATE)

    async def importers(self) -> Answer:
        """The newest page of those who wait."""
        return await self.once("importers", self._importers)

    async def _importers(self) -> Answer:
        return await self.waiting(await self.gate())

    async def waiting(self, channel: Answer, behind: tuple[int, Tl] | None = None) -> Answer:
        date, user = behind or (0, Tl("inputUserEmpty"))
        page: Answer = await self.ask(
            "messages.getChatInviteImporters",
            peer=input_peer(channel),
            requested=True,
            offset_date=date,
            offset_user=user,
            limit=IMPORTERS_PAGE,
        )
        return page

    async def log(self) -> Answer:
        """The newest events of somebody coming in, of a channel that the account looks after."""
        return await self.once("log", self._log)

    async def _log(self) -> Answer:
        managed = [channel for channel in await self.channels() if may_invite(channel)]
        for channel in managed[:LOOKED_AT]:
            page: Answer = await self.ask(
                "channels.getAdminLog",
                channel=input_channel(channel),
                q="",
                max_id=0,
                min_id=0,
                limit=100,
                events_filter=Tl("channelAdminLogEventsFilter", {"join": True, "invite": True, "invites": True}),
            )
            if page["events"]:
                return page
        raise NotSeen(*NO_LOG)

    async def close(self) -> None:
        for task in self._known.values():
            task.cancel()
        await asyncio.gather(*self._known.values(), return_exceptions=True)
        await self.probe.close()


class BotSide:
    """The bot. `channels`: ids that Porter knows, as the Bot API shows them; `owners`: of people."""

    def __init__(self, bot: Bot, channels: Sequence[int], owners: Sequence[int]) -> None:
        self.bot = bot
        self.channels = channels[:LOOKED_AT]
        self.owners = owners[:LOOKED_AT]
        self._standings: dict[int, Any] = {}
        self._chat: ChatFullInfo | None = None

    async def standing(self, channel_id: int) -> Any:
        """What getChatMember says of the bot itself there; its refusal is answered, not raised."""
        if channel_id not in self._standings:
            try:
                self._standings[channel_id] = await self.bot.get_chat_member(channel_id, self.bot.id)
            except (TelegramBadRequest, TelegramForbiddenError) as error:
                self._standings[channel_id] = error
        return self._standings[channel_id]

    async def inside(self) -> int:
        """A channel that the bot may look at."""
        for channel_id in self.channels:
            if isinstance(await self.standing(channel_id), ChatMemberAdministrator | ChatMemberMember):
                return channel_id
        raise NotSeen("the bot is in no channel that Porter knows", "Make the bot an administrator of a channel.")

    async def chat(self) -> ChatFullInfo:
        """That channel, as getChat shows it."""
        if self._chat is None:
            self._chat = await self.bot.get_chat(await self.inside())
        return self._chat


def input_peer(channel: Answer) -> Tl:
    return _input_peer(channel["id"], channel["access_hash"])


def _input_peer(channel_id: int, access_hash: int) -> Tl:
    return Tl("inputPeerChannel", {"channel_id": channel_id, "access_hash": access_hash})


def input_channel(channel: Answer) -> Tl:
    return Tl("inputChannel", {"channel_id": channel["id"], "access_hash": channel["access_hash"]})


def input_user(user: Answer, kind: str = "inputUser") -> Tl:
    return Tl(kind, {"user_id": user["id"], "access_hash": user["access_hash"] or 0})


def peer_of(channel: Answer) -> Peer:
    return Peer(id_of_channel(channel["id"]), channel["access_hash"])


def location(document: Answer, reference: bytes | None = None) -> Tl:
    fields = {name: document[name] for name in ("id", "access_hash", "file_reference")}
    if reference is not None:
        fields["file_reference"] = reference
    return Tl("inputDocumentFileLocation", {**fields, "thumb_size": ""})


def may_invite(channel: Answer) -> bool:
    return bool(channel["creator"] or (channel["admin_rights"] or {}).get("invite_users"))
