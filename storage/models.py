"""Rows as plain data: frozen dataclasses that every folder above may hold. No behaviour beyond small questions.

Times are aware UTC datetimes. Channel ids are the Bot API's (-100..., groups too). Sealed columns never appear
here: whoever needs a secret asks the repository for it by name.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    OWNER = "OWNER"
    APPROVER = "APPROVER"
    VIEWER = "VIEWER"


class SessionState(StrEnum):
    ACTIVE = "ACTIVE"
    SIGNED_OUT = "SIGNED_OUT"
    BANNED = "BANNED"


HANDED_OVER = "HANDED_OVER"
"""The state_reason of a session whose file was on its way out when nobody could tell any more whether it arrived."""


class LoginStep(StrEnum):
    """What an unfinished login waits for."""

    CODE = "CODE"
    QR = "QR"
    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a step


class SessionKind(StrEnum):
    """Whose login a session is."""

    USER = "USER"
    BOT = "BOT"


class ChannelKind(StrEnum):
    CHANNEL = "CHANNEL"
    SUPERGROUP = "SUPERGROUP"
    GROUP = "GROUP"


class FileKind(StrEnum):
    """What a message can carry. Filters of a source choose among these."""

    PHOTO = "PHOTO"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"
    VOICE = "VOICE"
    DOCUMENT = "DOCUMENT"


class TargetKind(StrEnum):
    LOCAL = "LOCAL"
    NAS = "NAS"
    """A root of NAS_ROOTS; `Source.root` says which."""


class Duplicates(StrEnum):
    """What a source does with a file that lies whole in a folder of Porter's already, of whatever source."""

    KEEP = "KEEP"
    LINK = "LINK"
    SKIP = "SKIP"


class FileState(StrEnum):
    WANTED = "WANTED"
    PARTIAL = "PARTIAL"
    DONE = "DONE"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class RequestStatus(StrEnum):
    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    WITHDRAWN = "WITHDRAWN"
    HANDLED_ELSEWHERE = "HANDLED_ELSEWHERE"


class Way(StrEnum):
    """Through whom a decision went to Telegram, or how we learnt of it."""

    BOT = "BOT"
    SESSION = "SESSION"
    BULK = "BULK"
    RULE = "RULE"
    ELSEWHERE = "ELSEWHERE"


class RunKind(StrEnum):
    SCRAPE = "SCRAPE"
    LOAD_REQUESTS = "LOAD_REQUESTS"
    DECIDE_ALL = "DECIDE_ALL"
    DECIDE_SOME = "DECIDE_SOME"
    VERIFY = "VERIFY"


class RunStatus(StrEnum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    WAITING = "WAITING"
    PAUSED = "PAUSED"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


HELD_BY = "SessionDead"
"""The reason of a run that waits for its session to be repaired; a class of services/errors.py, as all reasons."""

NEW_SINCE_PREVIEW = "NEW_SINCE_PREVIEW"
"""The reason of a run that has found more people than whoever asked for it was shown."""

BULK_RUNS = (RunKind.DECIDE_ALL, RunKind.DECIDE_SOME)
"""Decisions on many people at one channel."""

ACTIVE_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING, RunStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Admin:
    user_id: int
    role: Role
    name: str
    timezone: str | None
    created_at: datetime
    last_home_at: datetime | None
    channels: frozenset[int] = frozenset()
    """Of an approver. Owners and viewers need none: they see all."""
    unreachable_at: datetime | None = None
    """Since then Telegram has not let the bot write to them: they never pressed Start, or blocked it."""

    def sees(self, channel_id: int) -> bool:
        return self.role is not Role.APPROVER or channel_id in self.channels

    def decides(self, channel_id: int) -> bool:
        return self.role is not Role.VIEWER and self.sees(channel_id)


@dataclass(frozen=True, slots=True)
class PinState:
    """Of an admin who has a PIN. `tries`: wrong ones, and the one under way."""

    tries: int
    locked_until: datetime | None


class AuditOutcome(StrEnum):
    DONE = "DONE"
    REFUSED = "REFUSED"
    FAILED = "FAILED"


class AuditVerb(StrEnum):
    """What an admin did. Stored: a name keeps its meaning."""

    PRESS = "PRESS"
    """A button or command of others, refused."""
    CLAIM = "CLAIM"
    SESSION_ADD = "SESSION_ADD"
    SESSION_RENEW = "SESSION_RENEW"
    SESSION_RENAME = "SESSION_RENAME"
    SESSION_MOVE = "SESSION_MOVE"
    SESSION_PROXY = "SESSION_PROXY"
    SESSION_API = "SESSION_API"
    SESSION_EXPORT = "SESSION_EXPORT"
    SESSION_DELETE = "SESSION_DELETE"
    SOURCE_ADD = "SOURCE_ADD"
    SOURCE_EDIT = "SOURCE_EDIT"
    SOURCE_PAUSE = "SOURCE_PAUSE"
    SOURCE_RESUME = "SOURCE_RESUME"
    SOURCE_START_OVER = "SOURCE_START_OVER"
    SOURCE_DELETE = "SOURCE_DELETE"
    SOURCE_VERIFY = "SOURCE_VERIFY"
    ROOT_USE = "ROOT_USE"
    PROFILE = "PROFILE"
    JOIN = "JOIN"
    SCRAPE = "SCRAPE"
    RUN_PAUSE = "RUN_PAUSE"
    RUN_RESUME = "RUN_RESUME"
    RUN_STOP = "RUN_STOP"
    CONNECT = "CONNECT"
    LOAD = "LOAD"
    APPROVE = "APPROVE"
    DENY = "DENY"
    APPROVE_ALL = "APPROVE_ALL"
    DENY_ALL = "DENY_ALL"
    APPROVE_SOME = "APPROVE_SOME"
    DENY_SOME = "DENY_SOME"
    BAN = "BAN"
    UNDO = "UNDO"
    LOAD_SCHEDULE = "LOAD_SCHEDULE"
    NOTIFY = "NOTIFY"
    GREETING = "GREETING"
    RULE_ADD = "RULE_ADD"
    RULE_EDIT = "RULE_EDIT"
    RULE_LIVE = "RULE_LIVE"
    RULE_DELETE = "RULE_DELETE"
    FREEZE = "FREEZE"
    FORGET = "FORGET"
    ROLE_GIVE = "ROLE_GIVE"
    ROLE_TAKE = "ROLE_TAKE"
    PIN_SET = "PIN_SET"
    PIN_REMOVE = "PIN_REMOVE"
    PIN_TRY = "PIN_TRY"
    """A wrong one; REFUSED when it locks."""
    RESTORE = "RESTORE"


@dataclass(frozen=True, slots=True)
class AuditLine:
    """`admin_id` None: the operator at the terminal. `subject`: a name, as it was then."""

    id: int
    at: datetime
    admin_id: int | None
    admin_name: str
    verb: AuditVerb
    outcome: AuditOutcome
    subject: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Screen:
    """The one live message of an admin. `run_id`: the run whose card it shows, if it shows one."""

    admin_id: int
    message_id: int
    sent_at: datetime
    run_id: int | None


@dataclass(frozen=True, slots=True)
class Session:
    id: int
    name: str
    user_id: int
    account_name: str
    username: str | None
    masked_phone: str
    api_id: int
    state: SessionState
    state_reason: str | None
    checked_at: datetime | None
    created_at: datetime
    updated_at: datetime
    kind: SessionKind


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """An unfinished login. What it needs to go on (phone, auth key, hashes) lies sealed beside it."""

    id: int
    admin_id: int
    step: LoginStep
    deadline: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Channel:
    id: int
    title: str
    username: str | None
    kind: ChannelKind
    members: int | None
    bot_may_invite: bool | None  # None: not known yet
    updated_at: datetime
    migrated_to: int | None = None
    """The supergroup that this group became."""

    @property
    def is_private(self) -> bool:
        return self.username is None


@dataclass(frozen=True, slots=True)
class SessionChannel:
    """A channel as one session sees it."""

    channel: Channel
    session_id: int
    may_invite: bool


@dataclass(frozen=True, slots=True)
class Filters:
    """Which files of a source are wanted; services/filters.py reads them. An empty condition holds for every file.

    What a file is: any of `kinds`, of `extensions` (lower case, no dot) or of `mimes` ("application/pdf", or a whole
    group: "image/"). And its size, both ends included. And any of `words`, or `pattern` (RE2), in the post's text or
    the file's name. And the post's date: `since` included, `until` not.
    """

    kinds: tuple[FileKind, ...] = ()
    extensions: tuple[str, ...] = ()
    mimes: tuple[str, ...] = ()
    min_bytes: int | None = None
    max_bytes: int | None = None
    words: tuple[str, ...] = ()
    pattern: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Scope(StrEnum):
    """What of a channel a source carries."""

    CHANNEL = "CHANNEL"
    """All from its start on."""
    POSTS = "POSTS"
    """Single posts, as admins pick them. It has nothing to walk and no schedule."""


class StartKind(StrEnum):
    EVERYTHING = "EVERYTHING"
    LAST = "LAST"
    SINCE = "SINCE"
    NEW = "NEW"


@dataclass(frozen=True, slots=True)
class Start:
    """Where a source begins. The next run makes a cursor of it, and then it is gone.

    `count`: of LAST. `at`: of SINCE. `message_id`: of NEW, the newest message that is not wanted any more; None:
    whatever is the newest when the run looks.
    """

    kind: StartKind = StartKind.EVERYTHING
    count: int | None = None
    at: datetime | None = None
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """What an admin's channels are saved with when nothing else is said. `folder`: the one in which each channel gets
    its own; "" for the root itself. `cron` None: by hand only."""

    filters: Filters = Filters()
    root: str | None = None
    folder: str = ""
    cron: str | None = "0 */6 * * *"
    name_template: str | None = None
    duplicates: Duplicates = Duplicates.KEEP
    only_matching: bool = False
    live: bool = True


@dataclass(frozen=True, slots=True)
class NewSource:
    name: str
    session_id: int
    channel_id: int
    filters: Filters
    target: TargetKind
    folder: str  # relative to the target's root
    root: str | None = None  # of NAS_ROOTS; None: LOCAL
    name_template: str | None = None  # None: Porter's own names
    duplicates: Duplicates = Duplicates.KEEP
    scope: Scope = Scope.CHANNEL
    start: Start | None = None  # None: from the channel's beginning
    only_matching: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    id: int
    name: str
    session_id: int
    is_held: bool  # its session is dead; not the same as paused by an admin (`enabled`)
    channel_id: int
    channel_title: str
    filters: Filters
    target: TargetKind
    folder: str
    cursor: int
    enabled: bool
    created_at: datetime
    updated_at: datetime
    last_scraped_at: datetime | None
    total_messages: int
    total_files: int
    total_bytes: int
    root: str | None
    name_template: str | None
    duplicates: Duplicates
    scope: Scope
    start: Start | None  # not resolved yet
    only_matching: bool  # messages that no filter wants are not stored
    live: bool
    quiet_after: datetime | None  # silence from then on is against its habit
    api_id: int | None  # its own application; None: its session's


@dataclass(frozen=True, slots=True)
class NewPlace:
    """Where files of a source go from now on. `root`: of NAS_ROOTS; None: LOCAL."""

    source_id: int
    root: str | None
    folder: str


@dataclass(frozen=True, slots=True)
class NewMessage:
    id: int
    date: datetime
    sender_id: int | None
    text: str
    edited_at: datetime | None = None
    grouped_id: int | None = None


@dataclass(frozen=True, slots=True)
class NewFile:
    message_id: int
    document_id: int
    kind: FileKind
    name: str
    mime: str
    size_bytes: int
    date: datetime


@dataclass(frozen=True, slots=True)
class File:
    id: int
    source_id: int
    channel_id: int
    message_id: int
    document_id: int
    kind: FileKind
    name: str
    mime: str
    size_bytes: int
    state: FileState
    path: str | None  # set once DONE; storage/places.py says how it is read
    sha256: bytes | None
    attempts: int
    cause: str | None
    date: datetime
    duplicate_of: int | None = None
    """The file of which it is a link (DONE) or for whose sake it was not kept (SKIPPED); may be gone by now."""


@dataclass(frozen=True, slots=True)
class Twin:
    """A file that is DONE, and where its source's rows say that it lies."""

    file_id: int
    root: str | None
    path: str  # relative to that root
    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class LiveSource:
    """A source whose new posts are wanted at once, through this session."""

    id: int
    session_id: int
    channel_id: int
    cursor: int


@dataclass(frozen=True, slots=True)
class SilentSource:
    """A source whose channel has been silent `since` its last message, for longer than is its habit."""

    id: int
    name: str
    since: datetime


@dataclass(frozen=True, slots=True)
class RootSeal:
    """By what Porter knows a root again. `is_mount`: it was a file system of its own when it was first used."""

    mark: str
    is_mount: bool


@dataclass(frozen=True, slots=True)
class PageStored:
    """What a page of history added: messages new to the source, files newly wanted."""

    new_messages: int
    new_files: int


@dataclass(frozen=True, slots=True)
class FileTally:
    """The files of a source: fetched, still to fetch, given up, not kept because they were there already.

    `waiting` holds WANTED and PARTIAL; `damaged` and `missing` of those were DONE until a check found them so.
    """

    done: int
    done_bytes: int
    waiting: int
    waiting_bytes: int
    failed: int
    skipped: int = 0
    damaged: int = 0
    missing: int = 0

    @property
    def needs_care(self) -> bool:
        return bool(self.failed or self.damaged or self.missing)


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """A join request as Telegram tells it, from either side."""

    channel_id: int
    user_id: int
    name: str
    username: str | None
    bio: str | None
    asked_at: datetime
    has_photo: bool | None = None  # the bot's update does not tell
    is_premium: bool | None = None
    is_scam: bool = False
    is_fake: bool = False
    link: str | None = None
    language: str | None = None
    user_chat_id: int | None = None


@dataclass(frozen=True, slots=True)
class JoinRequest:
    id: int
    channel_id: int
    user_id: int
    status: RequestStatus
    name: str
    username: str | None
    bio: str | None
    asked_at: datetime
    has_photo: bool | None
    is_premium: bool | None
    is_scam: bool
    is_fake: bool
    link: str | None
    language: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    decided_at: datetime | None
    decided_by: int | None
    way: Way | None
    is_alike: bool = False
    """Many of one make asked within an hour."""
    is_known: bool = False
    """An earlier request of theirs, here or at another channel of ours, is over."""
    is_banned: bool = False
    refusal: str | None = None
    """Telegram's word for why they could not be decided last time."""
    rule_id: int | None = None
    user_chat_id: int | None = None


@dataclass(frozen=True, slots=True)
class PendingCount:
    """A channel where people wait."""

    channel: Channel
    pending: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. `total` None: not known yet. `counters` are the run's own numbers, by name."""

    done: int = 0
    total: int | None = None
    done_bytes: int = 0
    total_bytes: int | None = None
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunTally:
    """`waiting`: for their turn, for Telegram, for a disk, or for the repair of their session."""

    running: int
    waiting: int
    failed: int


@dataclass(frozen=True, slots=True)
class NewRun:
    """`title`: what the subject is called. `params`: what its kind of work wants to know."""

    subject_id: int
    title: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    id: int
    kind: RunKind
    subject_id: int
    title: str
    status: RunStatus
    priority: int
    requested_by: int | None  # None: the schedule
    params: dict[str, Any]
    checkpoint: dict[str, Any]
    progress: Progress
    wait_until: datetime | None
    reason: str | None  # a code of services/errors.py (class name), never a sentence
    tell: tuple[int, ...]  # admins who asked "tell me when done"
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE_RUNS

    @property
    def is_live(self) -> bool:
        """Made by a new post, not by an admin or a schedule: worth a word only when it does not go well."""
        return bool(self.params.get("live"))

    @property
    def is_quiet(self) -> bool:
        """Under way without trouble, and nobody asked for it: no screen needs to show it."""
        return self.is_live and self.status in (RunStatus.QUEUED, RunStatus.RUNNING)

    @property
    def is_asking(self) -> bool:
        """Paused itself: it goes on when an admin has answered."""
        return self.status is RunStatus.PAUSED and self.reason is not None

    @property
    def is_held(self) -> bool:
        """Waits for no moment, but for its session to be repaired."""
        return self.status is RunStatus.WAITING and self.reason == HELD_BY


@dataclass(frozen=True, slots=True)
class Schedule:
    id: int
    kind: RunKind
    subject_id: int
    cron: str
    timezone: str
    enabled: bool
    next_due_at: datetime | None


@dataclass(frozen=True, slots=True)
class HomeSummary:
    """What happened since an admin last looked."""

    since: datetime | None
    files: int
    files_bytes: int
    files_failed: int
    sources: int
    sources_paused: int
    sources_held: int  # their session is dead; those that are paused beside that are not counted
    sessions: tuple[Session, ...]
    pending: tuple[PendingCount, ...]
    runs: tuple[Run, ...]  # active ones
    runs_failed: int = 0  # that have stopped since then
    role: Role = Role.OWNER
    """Of whoever looks. Of an approver all but `pending` and `runs` of their channels is empty."""
    silent: tuple[SilentSource, ...] = ()  # the worst first, a few
    gates: int = 0  # channels where the bot lets people in


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A single-use "yes" that an admin may give until `expires_at`."""

    id: int
    admin_id: int
    verb: str
    payload: dict[str, Any]
    expires_at: datetime


class RestReason(StrEnum):
    """Why another Porter may use the same accounts."""

    BACKUP = "BACKUP"
    COPIED = "COPIED"
    """The database lies elsewhere than when it was used last: copied, or moved."""
    CONTESTED = "CONTESTED"
    """Another process polled with the same bot token."""


@dataclass(frozen=True, slots=True)
class Restored:
    """Nobody has said yet that the Porter from which this database came, or another one with its token, is off."""

    id: int  # of this mark: a button of an earlier one means another database
    made_at: datetime  # when the backup was made; else when Porter found out
    restored_at: datetime
    told: bool  # the owners have been asked
    why: RestReason = RestReason.BACKUP


@dataclass(frozen=True, slots=True)
class Traces:
    """What Porter knows of one person who is no admin: numbers of rows. `waiting`: of the requests, the open ones."""

    user_id: int
    name: str | None
    requests: int
    waiting: int
    peers: int  # access hashes, one a session that met the person
    messages: int  # saved ones that name the person as sender
    audit: int  # lines that name the person

    @property
    def is_empty(self) -> bool:
        return not (self.requests or self.peers or self.messages or self.audit)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one process to use a session. `host`: one boot of one kernel; `process`: for people to read."""

    session_id: int
    process: str
    host: str
    beat_at: datetime
