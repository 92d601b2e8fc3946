"""Every error that a service raises on purpose. Root and storage's leaves stand in storage/errors.py.

PorterError
├── TelegramError
│   ├── FloodWait               Telegram told us to wait; carries `until`
│   ├── Unreachable             no answer in time, or no connection
│   │   ├── SessionElsewhere    another process holds the session's lease; carries which, and when it was seen
│   │   └── ProxyFailed         its proxy does not let the account through; carries place and why
│   ├── SessionDead             signed out, revoked, expired, banned; carries `reason`
│   ├── ChannelUnavailable      private, left, banned from it, or gone
│   │   └── BotOutside          a bot account is not in that channel, or may not read it
│   ├── ChannelNotFound         nothing behind this name, link or id
│   ├── InviteInvalid           an invite link that is expired, revoked or misspelt
│   ├── JoinAsked               the admins there let people in: Telegram has passed the asking on
│   ├── ChannelsTooMany         the account is in as many channels as Telegram allows
│   ├── RightMissing            the account may not see or decide join requests there
│   ├── AccountRequired         a bot may not do this: it takes an account
│   ├── FileGone                the message or its file was deleted
│   ├── FileReferenceExpired    the location is stale: fetch the message again, go on at the same part
│   └── TelegramRefused         any other answer of Telegram; carries its code word
├── LoginError
│   ├── LoginTimedOut           the attempt is past its deadline, or none is there
│   ├── ApiCredentialsInvalid   Telegram does not know this API id and hash
│   ├── PhoneInvalid            no number that Telegram knows how to read
│   ├── PhoneBanned
│   ├── PhoneUnregistered       no account: Porter makes none
│   ├── PhoneFlood              too many codes for this number
│   ├── CodeInvalid
│   ├── CodeExpired             too late, or burnt because it was said in a chat
│   ├── ResendUnavailable       Telegram offers no other way for the code
│   ├── ResendTooEarly          not yet by another way; carries `at`
│   ├── PasswordInvalid
│   ├── TokenInvalid            no bot's token, or one that was revoked
│   ├── OwnBot                  the token of the bot that Porter itself is
│   ├── SessionExists           this account is here already; carries the name
│   └── AccountDiffers          not the account whose dead session was to be repaired; carries both names
├── SessionUnreadable           what was sent is no session that can be used; carries why
├── RequestError
│   ├── RequestGone             handled or withdrawn elsewhere
│   ├── AlreadyMember
│   └── StaysPending            cannot be let in now (too many channels); carries the code word
├── TargetError
│   ├── FolderInvalid           would leave the target's root
│   ├── NamesTaken              what lies under the names that a file may have is not ours
│   ├── TemplateInvalid         a name template that cannot be read; carries why and the word
│   ├── RootUnused              no admin has agreed to this root yet, or another disk is there now
│   └── TargetUnavailable       cannot be written; carries the system's word. Runs wait for the end of these three:
│       ├── TargetFull          no room beside the reserve, or a quota is used up
│       ├── TargetReadOnly
│       └── TargetGone          not mounted, or out of reach
├── ProxyInvalid                no proxy that could be used; what was typed is not carried
├── PassphraseInvalid           too short, or typed differently the second time
├── ExportOff                   the operator allows no exports
├── ExportUnsent                Telegram did not take the file: nothing has changed
├── SessionInUse                it cannot go yet; carries what uses it
├── FilterInvalid               what was typed is no size, date, word or number; carries why
├── PatternInvalid              no regular expression that RE2 reads; carries its word
├── CronInvalid                 not a cron line, or one that never fires; carries why
├── SinglePosts                 a source of single posts has nothing to look for, and no schedule
├── RulesTooMany                a channel has as many rules as it may
├── GreetingTooLong             a welcome or refusal of more characters than may be sent
├── NotFound                    the row is gone
├── SessionRequired             nothing can be read without an account
├── ReaderMissing               no account of Porter's sees this channel
├── AlreadySaved                a source carries this channel; carries its id
├── AnswerNeeded                a run cannot go on before an admin has answered; carries the reason
├── DecisionMade                somebody was faster; carries the request as it stands
├── UndoOver                    that decision cannot be taken back any more, or never could
├── ConfirmationExpired
├── NotAllowed                  not for this role, or not for this channel
├── OwnerForGood                named by ADMIN_IDS: stays an owner
├── NotAPerson                  no id of a person who could operate Porter; carries why
├── PinWrong                    carries how many tries are left
├── PinLocked                   carries `until`
├── RestoreUnconfirmed          restored or copied: accounts rest until an owner says that the old Porter is off
└── AnotherPorter               this DATA_DIR is held by a running process, here or on another host
"""

from datetime import datetime
from enum import StrEnum

from storage.errors import (
    AccountTaken,
    AlreadyActive,
    CiphertextInvalid,
    LastOwner,
    NameTaken,
    PorterError,
    RowInUse,
    RowMissing,
    SetGrown,
    StorageError,
)
from storage.models import JoinRequest

# Storage's leaves that a handler may meet; handlers import nothing of storage but its models.
__all__ = [
    "AccountTaken",
    "AlreadyActive",
    "CiphertextInvalid",
    "LastOwner",
    "NameTaken",
    "PorterError",
    "RowInUse",
    "RowMissing",
    "SetGrown",
    "StorageError",
]


class TelegramError(PorterError):
    pass


class FloodWait(TelegramError):
    def __init__(self, until: datetime) -> None:
        super().__init__(f"flood wait until {until:%Y-%m-%dT%H:%M:%SZ}")
        self.until = until


class Unreachable(TelegramError):
    """`is_answer`: Telegram did answer, that it has trouble of its own: the connection is as good as any other."""

    def __init__(self, *words: object, is_answer: bool = False) -> None:
        super().__init__(*words)
        self.is_answer = is_answer


class SessionElsewhere(Unreachable):
    """`process`: the holder of the lease, as a person can find it."""

    def __init__(self, process: str, beat_at: datetime) -> None:
        super().__init__(f"the session is in use by {process}, seen at {beat_at:%Y-%m-%dT%H:%M:%SZ}")
        self.process = process
        self.beat_at = beat_at


class ProxyTrouble(StrEnum):
    """Why Telegram was not reached through a proxy."""

    REFUSED = "REFUSED"
    """Nothing listens there."""
    HOST_UNKNOWN = "HOST_UNKNOWN"
    NO_ROUTE = "NO_ROUTE"
    TIMED_OUT = "TIMED_OUT"
    WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 - the name of a trouble
    TARGET_REFUSED = "TARGET_REFUSED"
    """The proxy answers, but does not lead to Telegram."""
    NOT_A_PROXY = "NOT_A_PROXY"
    """What answers there speaks something else, or hangs up."""


class ProxyFailed(Unreachable):
    """`place`: the proxy as it may be shown. There is no other way for its account: nothing connects without it."""

    def __init__(self, place: str, why: ProxyTrouble) -> None:
        super().__init__(f"{place}: {why}")
        self.place = place
        self.why = why


class SessionDead(TelegramError):
    """`reason`: Telegram's word (AUTH_KEY_UNREGISTERED, ...). `is_banned`: the account itself is gone."""

    def __init__(self, reason: str, *, is_banned: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_banned = is_banned


class ChannelUnavailable(TelegramError):
    pass


class BotOutside(ChannelUnavailable):
    pass


class ChannelNotFound(TelegramError):
    pass


class InviteInvalid(TelegramError):
    pass


class JoinAsked(TelegramError):
    pass


class ChannelsTooMany(TelegramError):
    pass


class RightMissing(TelegramError):
    pass


class AccountRequired(TelegramError):
    pass


class FileGone(TelegramError):
    pass


class FileReferenceExpired(TelegramError):
    pass


class TelegramRefused(TelegramError):
    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class LoginError(PorterError):
    pass


class LoginTimedOut(LoginError):
    pass


class ApiCredentialsInvalid(LoginError):
    pass


class PhoneInvalid(LoginError):
    pass


class PhoneBanned(LoginError):
    pass


class PhoneUnregistered(LoginError):
    pass


class PhoneFlood(LoginError):
    pass


class CodeInvalid(LoginError):
    pass


class CodeExpired(LoginError):
    pass


class ResendUnavailable(LoginError):
    pass


class ResendTooEarly(LoginError):
    """`at`: from then on."""

    def __init__(self, at: datetime) -> None:
        super().__init__("the code cannot be sent another way yet")
        self.at = at


class PasswordInvalid(LoginError):
    pass


class TokenInvalid(LoginError):
    pass


class OwnBot(LoginError):
    pass


class SessionExists(LoginError):
    def __init__(self, name: str) -> None:
        super().__init__("this account is stored already")
        self.name = name


class AccountDiffers(LoginError):
    """`name`: what Porter calls the session; `account_name`: who signed in."""

    def __init__(self, name: str, account_name: str) -> None:
        super().__init__("another account than before")
        self.name = name
        self.account_name = account_name


class SessionTrouble(StrEnum):
    """Why something that was sent as a session cannot be used."""

    NOT_A_SESSION = "NOT_A_SESSION"
    DAMAGED = "DAMAGED"
    TOO_LARGE = "TOO_LARGE"
    WAL_MISSING = "WAL_MISSING"
    """SQLite keeps the newest rows in a -wal file, which did not come along."""
    HOSTILE = "HOSTILE"
    """More than a session: views, virtual tables, thousands of tables, or it broke its reader."""
    NO_KEY = "NO_KEY"
    """A session that was never signed in, or is signed out."""
    DC_UNKNOWN = "DC_UNKNOWN"
    FOREIGN = "FOREIGN"
    """Its address is of another network than this Porter's."""
    OWN_BOT = "OWN_BOT"
    """Of the bot that Porter is."""


class SessionUnreadable(PorterError):
    def __init__(self, why: SessionTrouble) -> None:
        super().__init__(why)
        self.why = why


class RequestError(PorterError):
    pass


class RequestGone(RequestError):
    pass


class AlreadyMember(RequestError):
    pass


class StaysPending(RequestError):
    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class TargetError(PorterError):
    pass


class FolderInvalid(TargetError):
    pass


class NamesTaken(TargetError):
    pass


class TemplateTrouble(StrEnum):
    """Why a template of names is none."""

    EMPTY = "EMPTY"
    TOO_LONG = "TOO_LONG"
    TOO_DEEP = "TOO_DEEP"
    BRACE = "BRACE"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    NO_FORMAT = "NO_FORMAT"
    """Only a date takes one."""
    BAD_DATE = "BAD_DATE"
    BAD_FOLDER = "BAD_FOLDER"
    CONSTANT = "CONSTANT"
    """Every file would have the same name."""


class TemplateInvalid(TargetError):
    def __init__(self, why: TemplateTrouble, word: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.word = word


class RootUnused(TargetError):
    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.root = root


class TargetUnavailable(TargetError):
    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TargetFull(TargetUnavailable):
    pass


class TargetReadOnly(TargetUnavailable):
    pass


class TargetGone(TargetUnavailable):
    pass


HEALING = (TargetFull, TargetReadOnly, TargetGone)
"""Somebody mends the disk, and the run goes on by itself."""


class FilterTrouble(StrEnum):
    """What cannot be read of what an admin typed."""

    SIZE = "SIZE"
    SIZE_ORDER = "SIZE_ORDER"
    DATE = "DATE"
    DATE_ORDER = "DATE_ORDER"
    WORDS = "WORDS"
    MANY_WORDS = "MANY_WORDS"
    EXTENSIONS = "EXTENSIONS"
    COUNT = "COUNT"
    SEARCH = "SEARCH"
    """Too short or too long to look for in names and bios."""


class FilterInvalid(PorterError):
    def __init__(self, why: FilterTrouble) -> None:
        super().__init__(why)
        self.why = why


class PatternInvalid(PorterError):
    """`why`: RE2's own word, or ours."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class CronInvalid(PorterError):
    """`why`: "syntax" (`word`: the field), "parts" or "seconds" (`word`: how many), "random",
    "together" (day and weekday), "never", "timezone"."""

    def __init__(self, why: str, word: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.word = word


class SinglePosts(PorterError):
    pass


class ProxyInvalid(PorterError):
    pass


class PassphraseInvalid(PorterError):
    pass


class ExportOff(PorterError):
    pass


class ExportUnsent(PorterError):
    pass


class SessionInUse(PorterError):
    """`sources`: those that read through it, as (id, name). `runs`: what works with it just now, as (id, title)."""

    def __init__(self, name: str, sources: tuple[tuple[int, str], ...], runs: tuple[tuple[int, str], ...]) -> None:
        super().__init__(f"a session is in use by {len(sources)} sources and {len(runs)} runs")
        self.name = name
        self.sources = sources
        self.runs = runs


class NotFound(PorterError):
    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is gone")
        self.what = what


class SessionRequired(PorterError):
    """`bots_do`: a bot that reads would be good for it, too."""

    def __init__(self, *, bots_do: bool = True) -> None:
        super().__init__("no session can do this")
        self.bots_do = bots_do


class ReaderMissing(PorterError):
    pass


class AlreadySaved(PorterError):
    def __init__(self, source_id: int) -> None:
        super().__init__(f"source {source_id} carries this channel")
        self.source_id = source_id


class AnswerNeeded(PorterError):
    """`reason`: NEW_SINCE_PREVIEW, or the name of an error that an admin can mend."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DecisionMade(PorterError):
    def __init__(self, request: JoinRequest) -> None:
        super().__init__(f"join request {request.id} is {request.status}")
        self.request = request


class UndoOver(PorterError):
    pass


class RulesTooMany(PorterError):
    pass


class GreetingTooLong(PorterError):
    pass


class ConfirmationExpired(PorterError):
    pass


class NotAllowed(PorterError):
    is_noted = False
    """The audit has its line already."""


class OwnerForGood(PorterError):
    pass


class PersonTrouble(StrEnum):
    """Why an id cannot operate Porter."""

    NOT_AN_ID = "NOT_AN_ID"
    CHANNEL = "CHANNEL"
    GROUP = "GROUP"
    BOT = "BOT"
    ANONYMOUS = "ANONYMOUS"
    """What Telegram shows for an administrator who hides."""
    CHANNEL_BOT = "CHANNEL_BOT"
    """What Telegram shows for who writes in the name of a channel."""
    TELEGRAM = "TELEGRAM"
    HIDDEN = "HIDDEN"
    """A forwarded message whose sender hides behind a name."""


class NotAPerson(PorterError):
    def __init__(self, why: PersonTrouble) -> None:
        super().__init__(why)
        self.why = why


class PinWrong(PorterError):
    def __init__(self, left: int) -> None:
        super().__init__("a wrong PIN")
        self.left = left


class PinLocked(PorterError):
    def __init__(self, until: datetime) -> None:
        super().__init__("too many wrong PINs")
        self.until = until


class RestoreUnconfirmed(PorterError):
    pass


class AnotherPorter(PorterError):
    pass
