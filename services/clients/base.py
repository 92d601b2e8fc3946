"""What services ask of a user client. Nothing of Telethon or Pyrogram passes this line, in either direction.

Adapters translate: ids to the Bot API's form, library errors to services/errors.py, TL objects to the frozen
dataclasses below. No adapter sleeps or retries: waiting is done in services/clients/pacing.py alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from services.clients.proxy import Proxy
from storage.models import Channel, ChannelKind, FileKind, IncomingRequest, NewFile, NewMessage, Start

PART_BYTES = 1024 * 1024
"""The largest range that upload.getFile gives at once (TELEGRAM.md, Files)."""

HISTORY_PAGE = 100
DIALOGS_PAGE = 100
REQUESTS_PAGE = 200
LOG_PAGE = 100
MEMBERS_PAGE = 200
LINKS_PAGE = 100


@dataclass(frozen=True, slots=True)
class MtprotoServer:
    """An MTProto server other than Telegram's: the DC where logins begin, and its RSA key (PKCS#1 PEM)."""

    dc_id: int
    host: str
    port: int
    public_key_pem: str


@dataclass(frozen=True, slots=True)
class ApiCredentials:
    api_id: int
    api_hash: str

    def __repr__(self) -> str:
        return f"ApiCredentials(api_id={self.api_id})"


@dataclass(frozen=True, slots=True)
class Credential:
    """What a session is made of, whatever format it came in. `auth_key`: 256 bytes."""

    dc_id: int
    host: str
    port: int
    auth_key: bytes
    api: ApiCredentials
    user_id: int
    is_bot: bool = False
    test_mode: bool = False

    def __repr__(self) -> str:
        return f"Credential(user_id={self.user_id}, dc_id={self.dc_id})"


@dataclass(frozen=True, slots=True)
class Account:
    user_id: int
    name: str
    username: str | None
    phone: str | None
    is_bot: bool = False

    def __repr__(self) -> str:
        return f"Account(user_id={self.user_id})"


@dataclass(frozen=True, slots=True)
class Peer:
    """A channel or group that a session can address: id as the Bot API shows it, access hash of that session."""

    id: int
    access_hash: int


@dataclass(frozen=True, slots=True)
class SeenChannel:
    """A channel as the client's account sees it."""

    channel: Channel
    peer: Peer
    may_invite: bool
    is_member: bool = True
    """False: a public one that it only looks at."""
    was: int | None = None
    """The small group that became this supergroup."""
    waiting: int | None = None
    """How many ask to join; None where the account is not told, or was not asked (`look`)."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an invite link leads to. `seen`: the channel itself, for an account that may see it by now."""

    title: str
    kind: ChannelKind
    members: int | None
    asks_approval: bool
    seen: SeenChannel | None


@dataclass(frozen=True, slots=True)
class DialogsOffset:
    """The last dialog of a page; the next one starts behind it. `peer_id`: of any chat, a person's is positive."""

    date: datetime
    message_id: int
    peer_id: int
    access_hash: int


@dataclass(frozen=True, slots=True)
class DialogsPage:
    """The channels and groups among up to 100 dialogs. `next` None: that was the last page."""

    channels: tuple[SeenChannel, ...]
    next: DialogsOffset | None


@dataclass(frozen=True, slots=True)
class FileLocation:
    """Where a file lies right now. The reference expires: never stored, fetched again with the message."""

    document_id: int
    access_hash: int
    file_reference: bytes
    dc_id: int
    size_bytes: int
    thumb_size: str = ""  # photos: the largest size's letter
    is_photo: bool = False


@dataclass(frozen=True, slots=True)
class RangeHash:
    """SHA-256 of a range of a file, in Telegram's words: upload.getFileHashes."""

    offset: int
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Post:
    message: NewMessage
    file: NewFile | None
    location: FileLocation | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """The messages right above the id that was asked for. `posts` ascend by id; they may be parsed at the first look
    alone, which raises TelegramError for what cannot be.

    `last_id`: the highest id looked at, service messages included; None: nothing lies above. `newer`: how many messages
    lie above the page, None where Telegram does not say. `is_last`: none do, for sure. `successor`: of a small group,
    the supergroup that it became.
    """

    posts: Sequence[Post]
    last_id: int | None
    newer: int | None
    is_last: bool
    successor: SeenChannel | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A channel or group has a new message. `message_id` None: something happened there, look."""

    channel_id: int
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Edited:
    """A message as it is now. Where only buttons or reactions changed nothing is told."""

    channel_id: int
    post: Post


@dataclass(frozen=True, slots=True)
class Missed:
    """The connection was away, or Telegram has given up telling: what came meanwhile is told to nobody."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks to join a channel has changed. `waiting`: how many do now; `recent`: those who asked last."""

    channel_id: int
    waiting: int
    recent: tuple[int, ...]


News = Posted | Edited | Missed
Hear = Callable[[News], None]
HearAsking = Callable[[Asking | Missed], None]
"""Cheap, and raises nothing: called in between the answers of the same connection."""


@dataclass(frozen=True, slots=True)
class Span:
    """What lies above a start. `posts`: how many, service messages included; None where Telegram does not say."""

    after_id: int
    posts: int | None


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Posts that carry a kind of file, newest first. `count`: how many there are in all; `newer`: how many of those
    stand before the page's first, None where Telegram does not say."""

    posts: tuple[Post, ...]
    count: int
    newer: int | None


@dataclass(frozen=True, slots=True)
class RequestsOffset:
    """The last row of a page; the next one starts behind it."""

    date: datetime
    user_id: int
    access_hash: int


@dataclass(frozen=True, slots=True)
class RequestsPage:
    """`total`: what Telegram says is waiting in all. `requests` may be parsed at the first look alone; `user_ids` are
    theirs, in the same order. `access_hashes`: by user id. `next`: None when empty."""

    total: int
    user_ids: tuple[int, ...]
    requests: Sequence[IncomingRequest]
    access_hashes: dict[int, int]
    next: RequestsOffset | None


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody became a member, as the channel's own log tells it. `by`: who let them in; None: they came by
    themselves."""

    user_id: int
    at: datetime
    by: int | None
    name: str = ""
    username: str | None = None


@dataclass(frozen=True, slots=True)
class JoinsPage:
    """Newest first. `next`: the event below which the next page lies; None: nothing is older."""

    joins: tuple[Joined, ...]
    oldest: datetime | None
    next: int | None


@dataclass(frozen=True, slots=True)
class MembersPage:
    """Who came last first. `total`: how many members there are."""

    user_ids: tuple[int, ...]
    total: int


@dataclass(frozen=True, slots=True)
class InviteLink:
    """An invite link that asks for approval. `waiting`: how many came by it and wait."""

    link: str
    title: str | None
    waiting: int


@dataclass(frozen=True, slots=True)
class LinkMaker:
    """An admin who has made invite links."""

    user_id: int
    access_hash: int


class CodeKind(StrEnum):
    APP = "APP"
    SMS = "SMS"
    CALL = "CALL"
    FLASH_CALL = "FLASH_CALL"
    MISSED_CALL = "MISSED_CALL"
    EMAIL = "EMAIL"
    FRAGMENT = "FRAGMENT"
    WORD = "WORD"
    PHRASE = "PHRASE"
    EMAIL_SETUP = "EMAIL_SETUP"


@dataclass(frozen=True, slots=True)
class SentCode:
    """`length`: digits, None where the kind has none. `next_kind` None: Telegram offers no other way.

    `detail`: where it went or comes from, as Telegram hints at it: the pattern of an e-mail address, the beginning of
    the number that will call.
    """

    kind: CodeKind
    length: int | None
    next_kind: CodeKind | None
    resend_after_seconds: int | None
    code_hash: str
    detail: str | None = None

    def __repr__(self) -> str:
        return f"SentCode(kind={self.kind})"


@dataclass(frozen=True, slots=True)
class LoginToken:
    """What a QR code carries, good for `seconds`. A secret: for a picture alone."""

    link: str
    seconds: float

    def __repr__(self) -> str:
        return f"LoginToken(seconds={self.seconds:g})"


class LoginClient(Protocol):
    """An account that is not signed in yet. Raises LoginError, FloodWait, Unreachable, TelegramRefused."""

    @property
    def is_connected(self) -> bool:
        """False once the connection is lost: such a client is of no more use."""

    async def try_application(self) -> None:
        """Let Telegram look at API id and hash. Sends nothing to anybody. Raises ApiCredentialsInvalid."""

    async def send_code(self, phone: str) -> SentCode: ...

    async def resend_code(self, phone: str, code_hash: str) -> SentCode: ...

    async def sign_in(self, phone: str, code: str, code_hash: str, kind: CodeKind = CodeKind.APP) -> Account | None:
        """The account, or None: a password is wanted."""

    async def export_token(self) -> LoginToken | Account | None:
        """A new code to draw; or, once one was scanned, the account, or None: a password is wanted."""

    async def scanned(self, seconds: float) -> bool:
        """Whether a code was scanned within that time. False as well when the connection is lost meanwhile.

        A client hears of it only when it was opened to (ClientFactory.login, `hears`).
        """

    async def sign_in_bot(self, token: str) -> Account:
        """The bot of that token. Raises TokenInvalid."""

    async def password_hint(self) -> str | None: ...

    async def check_password(self, password: str) -> Account: ...

    def credential(self, user_id: int = 0) -> Credential:
        """What to store so that another process goes on from here (Telegram may have moved us to another DC)."""

    async def log_out(self) -> None:
        """Give up a login that has succeeded."""

    async def close(self) -> None: ...


class ReadingClient(Protocol):
    """Reads channels and files. Raises TelegramError."""

    @property
    def is_connected(self) -> bool:
        """False once the connection is lost for good: the pool then opens another client."""

    async def me(self) -> Account: ...

    async def log_out(self) -> None: ...

    async def channels(self) -> list[SeenChannel]:
        """Every channel, supergroup and group among the account's dialogs."""

    async def dialogs(self, offset: DialogsOffset | None) -> DialogsPage:
        """One page of that walk; None: the first."""

    async def resolve(self, username: str) -> SeenChannel: ...

    async def look(self, peer: Peer) -> SeenChannel:
        """The channel as it is now, members counted (channels.getFullChannel)."""

    async def invitation(self, link_hash: str) -> Invitation:
        """Without joining. Raises InviteInvalid."""

    async def join(self, link_hash: str) -> SeenChannel | None:
        """By an invite link; None: joined, but Telegram's answer does not show the channel. Raises InviteInvalid,
        JoinAsked, ChannelsTooMany, AlreadyMember."""

    async def history(self, peer: Peer, after_id: int) -> HistoryPage:
        """Up to HISTORY_PAGE messages with ids above `after_id`, oldest first."""

    async def start_after(self, peer: Peer, start: Start) -> int:
        """The id below which, and including which, nothing is wanted; 0 for EVERYTHING. One call at most."""

    async def span(self, peer: Peer, start: Start) -> Span:
        """The same, with what it leaves. One call at most."""

    async def count_files(self, peer: Peer, kinds: Sequence[FileKind]) -> dict[FileKind, int]:
        """How many posts carry a file of each kind. One call. A person's account alone may ask: AccountRequired."""

    async def find_files(self, peer: Peer, kind: FileKind, offset_id: int, add_offset: int, limit: int) -> FoundPage:
        """A page of them, cut as https://core.telegram.org/api/offsets says; at most 100. AccountRequired, as above."""

    async def posts(self, peer: Peer, message_ids: list[int]) -> list[Post]:
        """These messages again, with fresh locations; deleted ones are missing. At most 100 ids."""

    async def read_part(self, location: FileLocation, number: int) -> bytes:
        """Part `number` (PART_BYTES each) of a file; shorter at its end, empty behind it."""

    async def range_hashes(self, location: FileLocation, offset: int) -> list[RangeHash]:
        """Of ranges from about `offset` (bytes) on: as many as Telegram gives at once."""

    async def listen(self, hear: Hear) -> asyncio.Event:
        """From now on `hear` is told what happens in the account's channels and groups. Set: it is not any more, the
        connection is lost for good. Only what the account is a member of tells."""

    async def listen_asking(self, hear: HearAsking) -> asyncio.Event:
        """The same, of people who ask to join where the account may let them in. Beside `listen`, on one connection."""

    async def newest(self, peers: Sequence[Peer]) -> dict[int, int]:
        """The id of the newest message of each, by the peer's id. At most DIALOGS_PAGE peers; raises
        ChannelUnavailable when one of them is."""

    async def close(self) -> None: ...


class GateClient(Protocol):
    """Join requests by a user account. Raises RequestError, TelegramError."""

    @property
    def is_connected(self) -> bool:
        """As above."""

    async def join_requests(
        self, peer: Peer, offset: RequestsOffset | None, link: str | None = None, limit: int = REQUESTS_PAGE
    ) -> RequestsPage:
        """Newest first. `link`: only who came by it; each of them says so then."""

    async def decide(self, peer: Peer, user_id: int, access_hash: int, *, approve: bool) -> None: ...

    async def decide_all(self, peer: Peer, *, approve: bool) -> None: ...

    async def admin_log_joins(self, peer: Peer, before: int = 0) -> JoinsPage:
        """A page (LOG_PAGE events at most) of who came in, from event `before` down; 0: from the newest. Telegram
        keeps 48 hours. Empty for a small group, which has no log."""

    async def is_member(self, peer: Peer, user_id: int, access_hash: int) -> bool:
        """Of a channel or supergroup; of a small group `recent_members` tells."""

    async def recent_members(self, peer: Peer, offset: int = 0) -> MembersPage:
        """A page (MEMBERS_PAGE at most) of the members who came last; of a small group, all of them."""

    async def link_makers(self, peer: Peer) -> list[LinkMaker]:
        """The other admins who have made invite links. Only the channel's creator is told: else there are none."""

    async def invite_links(self, peer: Peer, maker: LinkMaker | None = None) -> list[InviteLink]:
        """The links of one admin by which people ask to join (the newest LINKS_PAGE); None: the account's own."""

    async def ban(self, peer: Peer, user_id: int, access_hash: int) -> None:
        """For good, members and others alike. Raises RightMissing."""

    async def unban(self, peer: Peer, user_id: int, access_hash: int) -> None:
        """They may come and ask again."""

    async def close(self) -> None: ...


class ClientFactory(Protocol):
    """Opens clients. Built once in bot/app.py; knows the MTProto server and its key.

    `proxy`: the only way that the client takes, to every data centre; None: directly. Raises ProxyFailed.
    """

    async def login(
        self,
        api: ApiCredentials,
        resume: Credential | None = None,
        proxy: Proxy | None = None,
        *,
        hears: bool = False,
    ) -> LoginClient:
        """`hears`: that a QR code was scanned."""

    async def reading(self, credential: Credential, proxy: Proxy | None = None) -> ReadingClient: ...

    async def gate(self, credential: Credential, proxy: Proxy | None = None) -> GateClient: ...
