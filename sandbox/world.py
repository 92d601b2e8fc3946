"""The one World behind the MTProto server, the Bot API and the control API: plain data and the rules that change it.

Everything that a client can see follows from this state, so the two APIs never disagree. Changes are told to
listeners as events; the servers turn them into updates. All in one event loop: no locks, no awaits in here.

Ids: accounts and channels carry bare MTProto ids; a *peer* is the number that the Bot API shows
(user: the id itself, channel or supergroup: -1_000_000_000_000 - id, small group: -id).
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SERVICE_ID = 777000
"""Telegram's own account: login codes arrive in the chat with it."""

CHANNEL_BASE = 1_000_000_000_000
CODE_LIFETIME_S = 300
TOKEN_LIFETIME_S = 30
"""Of a QR code (TELEGRAM.md, Logging in)."""
HOME_DC = 2
"""Where accounts live that say nothing else, and where a login begins. DC 4 keeps the files."""
CODE_WAYS = ("app", "sms")
RESEND_AFTER_S = 60
WORDS_OF_CODES = ("anchor", "beacon", "cutter", "dinghy", "ensign", "fathom")


MediaKind = Literal["document", "photo", "video", "audio", "voice"]
ServiceAction = Literal[
    "channel_create", "title", "pin", "joined_by_request", "chat_create", "migrate_to", "migrate_from", "topic_create"
]
ChangeKind = Literal["new", "edit", "delete"]

CHANGES_KEPT = 1000
"""How many changes a difference can tell; a client that lags further starts from the newest state."""


class WorldError(Exception):
    """A rule of Telegram was broken. `name` is the MTProto error; the Bot API puts it in its own words."""

    def __init__(self, name: str, code: int = 400) -> None:
        super().__init__(name)
        self.name = name
        self.code = code


def peer_of_channel(channel_id: int) -> int:
    return -CHANNEL_BASE - channel_id


def channel_of_peer(peer: int) -> int:
    """The bare id; of a small group too: in this world no group has a channel's id."""
    return -peer - CHANNEL_BASE if peer < -CHANNEL_BASE else -peer


def stable_int(*parts: object, bits: int = 63) -> int:
    """A number that looks random and is the same at each start."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - bits) or 1


@dataclass
class Account:
    id: int
    first_name: str
    last_name: str = ""
    username: str | None = None
    phone: str | None = None
    bio: str = ""
    password: str | None = field(default=None, repr=False)
    password_hint: str = ""
    api_id: int = 0
    api_hash: str = field(default="", repr=False)
    is_bot: bool = False
    token: str | None = field(default=None, repr=False)  # of a bot
    former_tokens: list[str] = field(default_factory=list, repr=False)  # that its owner has revoked
    has_photo: bool = False
    premium: bool = False
    scam: bool = False
    fake: bool = False
    language: str = "en"
    banned: bool = False
    deactivated: bool = False
    too_many_channels: bool = False  # may join no more: approving answers USER_CHANNELS_TOO_MUCH
    home_dc: int = HOME_DC
    code_ways: list[str] = field(default_factory=lambda: list(CODE_WAYS))  # how a code comes; then what resend names
    resend_after_s: int = RESEND_AFTER_S

    @property
    def access_hash(self) -> int:
        return stable_int("user", self.id)

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


@dataclass
class Document:
    """A file. Its bytes are derived from the id (`seeded`), or lie in the blob store when somebody uploaded them."""

    id: int
    name: str
    mime: str
    size: int
    kind: MediaKind = "document"
    dc_id: int = 4
    seeded: bool = True
    width: int = 0
    height: int = 0
    duration: int = 0
    reference_version: int = 1

    @property
    def access_hash(self) -> int:
        return stable_int("document", self.id)

    @property
    def file_reference(self) -> bytes:
        return self.reference_version.to_bytes(4, "big") + self.id.to_bytes(8, "big")


@lru_cache(maxsize=1024)
def _document_key(document_id: int) -> bytes:
    return hashlib.sha256(b"porter-sandbox-document:%d" % document_id).digest()


def derived_bytes(document_id: int, offset: int, length: int) -> bytes:
    """`length` bytes from `offset` of a seeded document: an AES-CTR key stream, so any range costs only itself."""
    block, skip = divmod(offset, 16)
    counter = block.to_bytes(16, "big")
    stream = Cipher(algorithms.AES(_document_key(document_id)), modes.CTR(counter)).encryptor()
    return stream.update(bytes(skip + length))[skip:]


@dataclass
class Message:
    """A message in a private chat, or a post in a channel. `chat`: peer id as the Bot API shows it.

    `chat` of a private chat with a bot is the *user's* id; `bot_id` then names the bot.
    """

    id: int
    chat: int
    sender: int  # account id, SERVICE_ID, or the channel's peer for posts in its name
    date: int
    text: str = ""
    entities: list[dict[str, Any]] = field(default_factory=list)  # as the Bot API writes them
    document: Document | None = None
    reply_markup: dict[str, Any] | None = None  # as the Bot API writes it
    contact: dict[str, Any] | None = None
    chat_shared: dict[str, Any] | None = None
    users_shared: dict[str, Any] | None = None
    forward: dict[str, int] | None = None  # {"peer", "id", "date"}
    grouped_id: int | None = None  # the number that the posts of an album share
    edited: int | None = None
    deleted: bool = False
    bot_id: int | None = None
    action: ServiceAction | None = None  # of a service message; `text` then carries the title, if any
    thread: int | None = None  # of a forum: the topic, by the id of its first message
    moved: int | None = None  # of "migrate_to" and "migrate_from": the bare id of the other side
    version: int = 0  # grows with each edit: key for caches


@dataclass
class Change:
    """One step of a sequence of updates: what updates.getDifference and getChannelDifference tell again."""

    pts: int
    kind: ChangeKind
    message_id: int
    bot_id: int | None = None  # of a private chat with a bot
    chat: int | None = None  # of a small group: its peer


@dataclass
class Request:
    """A person asking to join."""

    user: int
    date: int
    link: str | None = None


@dataclass
class Membership:
    user: int
    date: int
    role: Literal["creator", "admin", "member"] = "member"
    may_invite: bool = False
    may_ban: bool = False
    may_topics: bool = False  # of a forum


@dataclass
class Link:
    """An invite link beside the channel's own. `creator`: the admin who made it."""

    url: str
    creator: int
    date: int
    title: str = ""
    revoked: bool = False


@dataclass
class AdminEvent:
    """A line of the channel's admin log."""

    id: int
    date: int
    actor: int
    user: int
    action: Literal["join_by_request", "join", "leave", "ban", "unban"]
    link: str | None = None  # of "join_by_request": what they came by
    since: int | None = None  # of "ban": since when that person had been a member, if so


@dataclass
class Channel:
    """A channel, a supergroup (`megagroup`), or a small group (`basic`, a megagroup beside: members speak there).

    A supergroup may be a `forum`: what is said there may belong to a topic.
    """

    id: int
    title: str
    username: str | None = None
    megagroup: bool = False
    basic: bool = False
    forum: bool = False
    migrated_to: int | None = None  # of a small group: the supergroup that it became, bare
    created: int = 0
    about: str = ""
    pts: int = 1
    next_message_id: int = 1
    messages: dict[int, Message] = field(default_factory=dict)  # by id, ascending
    members: dict[int, Membership] = field(default_factory=dict)
    extra_members: int = 0  # people who are counted but not modelled
    requests: dict[int, Request] = field(default_factory=dict)  # pending, by user id
    approved: dict[int, int] = field(default_factory=dict)  # user id -> who approved
    denied: dict[int, int] = field(default_factory=dict)
    banned: set[int] = field(default_factory=set)
    admin_log: list[AdminEvent] = field(default_factory=list)
    invite_hash: str = ""
    links: list[Link] = field(default_factory=list)  # beside the own one
    approval: bool = False  # joining needs an admin's approval
    changes: list[Change] = field(default_factory=list)  # the last CHANGES_KEPT

    @property
    def invite_link(self) -> str:
        return f"https://t.me/+{self.invite_hash}" if self.invite_hash else f"https://t.me/{self.username}"

    def link_of(self, invite_hash: str) -> str | None:
        """The link with that hash, if it is still good."""
        if invite_hash and invite_hash == self.invite_hash:
            return self.invite_link
        return next((it.url for it in self.links if it.url.endswith(f"/+{invite_hash}") and not it.revoked), None)

    @property
    def peer(self) -> int:
        return -self.id if self.basic else peer_of_channel(self.id)

    @property
    def access_hash(self) -> int:
        return stable_int("channel", self.id)

    @property
    def member_count(self) -> int:
        return len(self.members) + self.extra_members

    def may_invite(self, user_id: int) -> bool:
        member = self.members.get(user_id)
        return member is not None and (member.role == "creator" or (member.role == "admin" and member.may_invite))

    def may_ban(self, user_id: int) -> bool:
        member = self.members.get(user_id)
        return member is not None and (member.role == "creator" or (member.role == "admin" and member.may_ban))


@dataclass
class LoginCode:
    """`way`: how it was sent, counted along the account's `code_ways`. `burnt`: it was said in a chat."""

    phone: str
    hash: str = field(repr=False)
    code: str = field(repr=False)
    sent_at: int
    api_id: int
    way: int = 0
    burnt: bool = False


@dataclass
class AuthKey:
    """An auth key that a DC agreed on. `user` once signed in. `layer` as the client said."""

    key: bytes = field(repr=False)
    dc_id: int
    salt: int
    user: int | None = None
    api_id: int = 0
    layer: int = 0
    revoked: bool = False
    duplicated: bool = False
    password_pending: int | None = None  # account that has given its code and not its password
    created: int = 0
    exported_from: int | None = None  # key id of the home DC's session that this one belongs to


@dataclass
class ExportedLogin:
    """What auth.exportAuthorization gave out: good once, for one account at one DC."""

    user: int
    dc_id: int
    key_id: int


@dataclass
class LoginToken:
    """What a QR code of a login carries: of which key, until when (seconds since 1970), scanned by whom."""

    key_id: int
    api_id: int
    expires: int
    accepted_by: int | None = None


@dataclass
class QueuedUpdate:
    """What a bot has not acknowledged yet. `body`: the Bot API's JSON without update_id."""

    id: int
    date: int
    body: dict[str, Any]


@dataclass
class BotState:
    """What the Bot API keeps for a bot."""

    next_update_id: int = 100_001
    updates: list[QueuedUpdate] = field(default_factory=list)
    allowed_updates: list[str] = field(default_factory=list)  # empty: Telegram's default set
    commands: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by scope and language


# What happens, told to listeners ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class MessageSent:
    message: Message


@dataclass(frozen=True)
class ServiceMessageSent:
    """777000 wrote to an account."""

    user: int
    message: Message


@dataclass(frozen=True)
class MessageEdited:
    message: Message


@dataclass(frozen=True)
class MessageDeleted:
    chat: int
    message_id: int
    bot_id: int | None


@dataclass(frozen=True)
class RequestsChanged:
    """Somebody asked, or requests were settled. `asked`: the new ones only."""

    channel: Channel
    asked: tuple[Request, ...] = ()


@dataclass(frozen=True)
class MembershipChanged:
    """Somebody came, went, was banned, got other rights. `by_request`: an admin let them in."""

    channel: Channel
    user: int
    old: Membership | None
    new: Membership | None
    actor: int
    was_banned: bool = False
    by_request: bool = False


@dataclass(frozen=True)
class LoginAccepted:
    """Somebody scanned the QR code of a login; `key_id`: whose."""

    key_id: int


@dataclass(frozen=True)
class AccountRevoked:
    user: int


@dataclass(frozen=True)
class CommandsChanged:
    """A bot has set or deleted a list of its commands."""

    bot: int


Event = (
    MessageSent
    | ServiceMessageSent
    | MessageEdited
    | MessageDeleted
    | RequestsChanged
    | MembershipChanged
    | LoginAccepted
    | AccountRevoked
    | CommandsChanged
)


@dataclass
class Memory:
    """What the servers keep between calls: derived from the world or short-lived, so it is never saved."""

    rendered: dict[tuple[int, int, int], tuple[int, int, bytes]] = field(default_factory=dict)
    """TL bytes of messages: (viewer or 0, chat, id) -> (message version, file reference version, bytes)."""
    srp: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Password checks under way: key id -> (srp id, the server's secret exponent)."""
    documents: dict[int, Document] = field(default_factory=dict)


@dataclass
class World:
    accounts: dict[int, Account] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)  # by bare id
    chats: dict[int, dict[int, dict[int, Message]]] = field(default_factory=dict)  # bot id -> user id -> messages
    service: dict[int, dict[int, Message]] = field(default_factory=dict)  # user id -> messages from 777000
    next_private_id: int = 1
    codes: dict[str, LoginCode] = field(default_factory=dict, repr=False)  # by code hash
    codes_sent: dict[str, int] = field(default_factory=dict)  # by phone, ever
    auth_keys: dict[int, AuthKey] = field(default_factory=dict)  # by key id (signed 64 bit)
    blobs: dict[int, bytes] = field(default_factory=dict)  # uploaded documents
    next_document_id: int = 9_000_000_000
    started_bots: dict[int, set[int]] = field(default_factory=dict)  # bot id -> users who pressed Start
    blocked_bots: dict[int, set[int]] = field(default_factory=dict)  # bot id -> users who blocked it
    bots: dict[int, BotState] = field(default_factory=dict)  # by bot id
    exported_logins: dict[str, ExportedLogin] = field(default_factory=dict, repr=False)  # by token, in hexadecimal
    login_tokens: dict[str, LoginToken] = field(default_factory=dict)  # by token, in hexadecimal
    private_changes: dict[int, list[Change]] = field(default_factory=dict)  # by user: the last CHANGES_KEPT
    private_pts: dict[int, int] = field(default_factory=dict)  # by user; 1 before the first change
    scenario: str = ""
    admin_id: int = 0  # the account that stands for Porter's owner
    token_lifetime_s: int = TOKEN_LIFETIME_S
    requests_page_cap: int = 200  # rows that messages.getChatInviteImporters gives at most
    clock_offset_s: int = 0
    version: int = 0  # grows with each change: what the persister watches

    def __post_init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []
        self.memory = Memory()

    # -- time and listeners

    def now(self) -> int:
        return int(time.time()) + self.clock_offset_s

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call what it returns to hear no more."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def touch(self) -> None:
        """Something changed that no listener needs to hear of."""
        self.version += 1

    def tell(self, event: Event) -> None:
        self.touch()
        for listener in self._listeners:
            listener(event)

    # -- finding

    def account(self, user_id: int) -> Account:
        try:
            return self.accounts[user_id]
        except KeyError:
            raise WorldError("USER_ID_INVALID") from None

    def account_by_phone(self, phone: str) -> Account | None:
        digits = "".join(filter(str.isdigit, phone))
        return next((a for a in self.accounts.values() if a.phone and a.phone.lstrip("+") == digits), None)

    def account_by_username(self, username: str) -> Account | None:
        wanted = username.lower()
        return next((a for a in self.accounts.values() if (a.username or "").lower() == wanted), None)

    def bot_by_token(self, token: str) -> Account | None:
        return next((a for a in self.accounts.values() if a.is_bot and a.token == token), None)

    def channel(self, channel_id: int) -> Channel:
        try:
            return self.channels[channel_id]
        except KeyError:
            raise WorldError("CHANNEL_INVALID") from None

    def channel_by_peer(self, peer: int) -> Channel:
        return self.channel(channel_of_peer(peer))

    def channel_by_username(self, username: str) -> Channel | None:
        wanted = username.lower()
        return next((c for c in self.channels.values() if (c.username or "").lower() == wanted), None)

    def channel_by_invite(self, invite_hash: str) -> Channel | None:
        return next((c for c in self.channels.values() if c.link_of(invite_hash) is not None), None)

    def readable_channel(self, channel_id: int, user_id: int) -> Channel:
        """The channel if that account may read it, else CHANNEL_PRIVATE."""
        channel = self.channel(channel_id)
        if user_id in channel.banned or (channel.username is None and user_id not in channel.members):
            raise WorldError("CHANNEL_PRIVATE")
        return channel

    def documents(self) -> list[tuple[Channel, Message, Document]]:
        return [
            (channel, message, message.document)
            for channel in self.channels.values()
            for message in channel.messages.values()
            if message.document is not None and not message.deleted
        ]

    def document_bytes(self, document: Document, offset: int, length: int) -> bytes:
        length = max(0, min(length, document.size - offset))
        if document.seeded:
            return derived_bytes(document.id, offset, length)
        return self.blobs[document.id][offset : offset + length]

    def new_document(self, name: str, mime: str, content: bytes, kind: MediaKind = "document") -> Document:
        """Keep uploaded bytes."""
        document = Document(self.next_document_id, name, mime, len(content), kind, dc_id=2, seeded=False)
        self.next_document_id += 1
        self.blobs[document.id] = content
        return document

    # -- private chats

    def private_chat(self, bot_id: int, user_id: int) -> dict[int, Message]:
        return self.chats.setdefault(bot_id, {}).setdefault(user_id, {})

    def send_private(self, bot_id: int, user_id: int, sender: int, **content: Any) -> Message:
        """A message between a person and a bot, by either. A person's first one counts as pressing Start."""
        message = Message(self._private_id(), user_id, sender, self.now(), bot_id=bot_id, **content)
        if sender == user_id:
            self.started_bots.setdefault(bot_id, set()).add(user_id)
            self.burn_codes(message.text)
        self.private_chat(bot_id, user_id)[message.id] = message
        self._note_private(user_id, "new", message)
        self.tell(MessageSent(message))
        return message

    def send_service(self, user_id: int, text: str) -> Message:
        message = Message(self._private_id(), SERVICE_ID, SERVICE_ID, self.now(), text=text)
        self.service.setdefault(user_id, {})[message.id] = message
        self._note_private(user_id, "new", message)
        self.tell(ServiceMessageSent(user_id, message))
        return message

    def _note_private(self, user_id: int, kind: ChangeKind, message: Message) -> None:
        pts = self.private_pts.get(user_id, 1) + 1
        self.private_pts[user_id] = pts
        changes = self.private_changes.setdefault(user_id, [])
        changes.append(Change(pts, kind, message.id, message.bot_id, message.chat if message.chat < 0 else None))
        del changes[:-CHANGES_KEPT]

    def _private_id(self) -> int:
        self.next_private_id += 1
        return self.next_private_id - 1

    # -- channels

    def post(self, channel: Channel, sender: int, **content: Any) -> Message:
        if channel.basic:
            if channel.migrated_to is not None and content.get("action") != "migrate_to":
                raise WorldError("PEER_ID_INVALID")
            channel.next_message_id = self._private_id()  # small groups count with the private chats
        message = Message(channel.next_message_id, channel.peer, sender, self.now(), **content)
        channel.next_message_id += 1
        channel.messages[message.id] = message
        self._note(message, "new")
        if sender > 0:
            self.burn_codes(message.text)
        self.tell(MessageSent(message))
        return message

    def edit(self, message: Message, **content: Any) -> Message:
        """Change text, entities, document or reply_markup in place."""
        for name, value in content.items():
            setattr(message, name, value)
        message.edited = self.now()
        message.version += 1
        self._note(message, "edit")
        self.tell(MessageEdited(message))
        return message

    def delete(self, message: Message) -> None:
        message.deleted = True
        message.version += 1
        self._note(message, "delete")
        self.tell(MessageDeleted(message.chat, message.id, message.bot_id))

    def _note(self, message: Message, kind: ChangeKind) -> None:
        if message.chat < 0:
            channel = self.channel_by_peer(message.chat)
            if channel.basic:
                for user_id in channel.members:
                    self._note_private(user_id, kind, message)
            else:
                self._note_change(channel, kind, message.id)
        elif message.bot_id is not None:
            self._note_private(message.chat, kind, message)

    def _note_change(self, channel: Channel, kind: ChangeKind, message_id: int) -> None:
        channel.pts += 1
        channel.changes.append(Change(channel.pts, kind, message_id))
        del channel.changes[:-CHANGES_KEPT]

    def expire_references(self, document: Document) -> None:
        """What clients hold of this file is void: FILE_REFERENCE_EXPIRED until they fetch the message again."""
        document.reference_version += 1
        self.touch()

    def set_member(self, channel: Channel, user_id: int, new: Membership | None, actor: int) -> None:
        old = channel.members.get(user_id)
        if new is None:
            channel.members.pop(user_id, None)
        else:
            channel.members[user_id] = new
        self.tell(MembershipChanged(channel, user_id, old, new, actor))

    # -- join requests

    def ask_to_join(self, channel: Channel, user_ids: list[int], link: str | None = None) -> list[Request]:
        asked = []
        for user_id in user_ids:
            if user_id in channel.banned:
                raise WorldError("CHANNEL_PRIVATE")
            if user_id in channel.members:
                raise WorldError("USER_ALREADY_PARTICIPANT")
            if user_id in channel.requests:
                raise WorldError("INVITE_REQUEST_SENT")
            request = Request(user_id, self.now(), link)
            channel.requests[user_id] = request
            asked.append(request)
        self.tell(RequestsChanged(channel, tuple(asked)))
        return asked

    def withdraw(self, channel: Channel, user_id: int) -> None:
        if channel.requests.pop(user_id, None) is None:
            raise WorldError("HIDE_REQUESTER_MISSING")
        self.tell(RequestsChanged(channel))

    def decide(self, channel: Channel, user_id: int, actor: int, *, approve: bool) -> None:
        """Settle one request as messages.hideChatJoinRequest does."""
        if not channel.may_invite(actor):
            raise WorldError("CHAT_ADMIN_REQUIRED")
        if user_id not in channel.requests:
            if user_id in channel.members:
                raise WorldError("USER_ALREADY_PARTICIPANT")
            raise WorldError("HIDE_REQUESTER_MISSING")
        account = self.account(user_id)
        if account.deactivated:
            raise WorldError("INPUT_USER_DEACTIVATED")
        if approve and account.too_many_channels:
            raise WorldError("USER_CHANNELS_TOO_MUCH")
        self._settle(channel, user_id, actor, approve)
        self.tell(RequestsChanged(channel))

    def decide_all(self, channel: Channel, actor: int, *, approve: bool, link: str | None = None) -> None:
        if not channel.may_invite(actor):
            raise WorldError("CHAT_ADMIN_REQUIRED")
        for request in list(channel.requests.values()):
            if link is not None and request.link != link:
                continue
            if not (approve and self.account(request.user).too_many_channels):
                self._settle(channel, request.user, actor, approve)
        self.tell(RequestsChanged(channel))

    def _settle(self, channel: Channel, user_id: int, actor: int, approve: bool) -> None:
        request = channel.requests.pop(user_id)
        if not approve:
            channel.denied[user_id] = actor
            return
        channel.approved[user_id] = actor
        was_banned = user_id in channel.banned
        channel.banned.discard(user_id)
        new = channel.members[user_id] = Membership(user_id, self.now())
        channel.admin_log.append(
            AdminEvent(len(channel.admin_log) + 1, self.now(), actor, user_id, "join_by_request", request.link)
        )
        self.tell(MembershipChanged(channel, user_id, None, new, actor, was_banned, by_request=True))

    # -- login

    def send_code(self, phone: str, api_id: int, way: int = 0) -> LoginCode:
        """A new code, told in the account's chat with 777000.

        Codes are a function of phone and count: the same at each start. A number without an account gets one too,
        as in life; only its SMS could tell, and the sandbox sends none.
        """
        number = "+" + "".join(filter(str.isdigit, phone))
        account = self.account_by_phone(number)
        if account is not None and account.banned:
            raise WorldError("PHONE_NUMBER_BANNED")
        count = self.codes_sent.get(number, 0)
        self.codes_sent[number] = count + 1
        code = LoginCode(
            number,
            hashlib.sha256(f"hash/{number}/{count}".encode()).hexdigest()[:18],
            first_code(number, count, kind=self.code_ways(number)[way]),
            self.now(),
            api_id,
            way,
        )
        self.codes[code.hash] = code
        self.touch()
        if account is not None:
            self.send_service(
                account.id,
                f"Login code: {code.code}. Do not give this code to anyone, even if they say they are from Telegram!",
            )
        return code

    def code_ways(self, phone: str) -> list[str]:
        """How the codes of this number are sent, one way after the other."""
        account = self.account_by_phone(phone)
        return account.code_ways if account is not None else list(CODE_WAYS)

    def home_dc_of(self, phone: str) -> int:
        account = self.account_by_phone(phone)
        return account.home_dc if account is not None else HOME_DC

    def drop_codes(self, phone: str) -> None:
        """The login is done or given up: no code of this number counts any more."""
        self.codes = {key: code for key, code in self.codes.items() if code.phone != phone}
        self.touch()

    def burn_codes(self, text: str) -> None:
        """A code said in any chat but 777000's own is void, as in life (TELEGRAM.md, Logging in)."""
        if not text:
            return
        squeezed = "".join(c for c in text if c not in " .-")
        for code in self.codes.values():
            if code.code in squeezed:
                code.burnt = True

    def live_code(self, phone: str, code_hash: str) -> LoginCode:
        """The code that this hash stands for, if it is still good. A burnt one reads as expired, as in life."""
        code = self.codes.get(code_hash)
        number = "+" + "".join(filter(str.isdigit, phone))
        if code is None or code.phone != number:
            raise WorldError("PHONE_CODE_EXPIRED")
        if code.burnt or self.now() - code.sent_at > CODE_LIFETIME_S:
            raise WorldError("PHONE_CODE_EXPIRED")
        return code

    def revoke_session(self, key_id: int) -> None:
        """Terminate one session: its key at the home DC, and the keys that it lent its login to."""
        user_id = self.auth_keys[key_id].user
        for known_id, key in self.auth_keys.items():
            if known_id == key_id or key.exported_from == key_id:
                key.revoked = True
        if user_id is not None:
            self.tell(AccountRevoked(user_id))

    def accept_login(self, token: str, user_id: int) -> None:
        """That account scans a QR code; `token` in hexadecimal."""
        known = self.login_tokens.get(token)
        if known is None:
            raise WorldError("AUTH_TOKEN_INVALID")
        if known.expires < self.now():
            raise WorldError("AUTH_TOKEN_EXPIRED")
        if known.accepted_by is not None:
            raise WorldError("AUTH_TOKEN_ALREADY_ACCEPTED")
        known.accepted_by = self.account(user_id).id
        self.tell(LoginAccepted(known.key_id))

    def revoke_token(self, bot_id: int) -> str:
        """BotFather's /revoke: the old token is void, the bot's sessions end. The new one."""
        bot = self.account(bot_id)
        assert bot.token is not None
        bot.former_tokens.append(bot.token)
        bot.token = bot_token(bot_id, len(bot.former_tokens))
        self.revoke(bot_id)
        return bot.token

    def revoke(self, user_id: int) -> None:
        """Terminate every session of the account, as "Devices" in an official app does."""
        for key in self.auth_keys.values():
            if key.user == user_id:
                key.revoked = True
        self.tell(AccountRevoked(user_id))


def bot_token(bot_id: int, count: int = 0) -> str:
    """The token that BotFather gives a bot for the `count`-th time."""
    return f"{bot_id}:AAsandbox{stable_int('token', bot_id, *([count] if count else [])):026d}"


def first_code(phone: str, count: int = 0, length: int = 5, *, kind: str = "app") -> str:
    """The code of the `count`-th login of a phone: no leading zero, so that it reads the same as a number.

    `kind` "word" and "phrase": of letters.
    """
    if kind in ("word", "phrase"):
        drawn = stable_int("words", phone, count)
        words = [WORDS_OF_CODES[(drawn + step) % len(WORDS_OF_CODES)] for step in range(3)]
        return words[0] if kind == "word" else " ".join(words)
    low = 10 ** (length - 1)
    return str(low + stable_int("code", phone, count) % (9 * low))
