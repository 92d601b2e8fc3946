"""The wire format of buttons: a versioned prefix, a verb and row ids. At most 64 bytes; no texts, no digits of codes.

A released prefix keeps its meaning for good: cards from before an update must go on working.
"""

from enum import StrEnum

from aiogram.filters.callback_data import CallbackData


class Place(StrEnum):
    HOME = "home"
    HELP = "help"
    SESSIONS = "sessions"
    SOURCES = "sources"
    REQUESTS = "requests"
    LOAD = "load"
    LOGIN = "login"
    LOGIN_QR = "qr"
    IMPORT = "import"
    ADD_SOURCE = "add"
    CONNECT = "connect"
    ADMINS = "admins"
    SAFETY = "safety"
    AUDIT = "audit"
    AGAIN = "again"


class Go(CallbackData, prefix="go1"):
    """To a place of the house."""

    to: Place
    page: int = 0


class Parked(CallbackData, prefix="pk1"):
    """A conversation that a command interrupted."""

    resume: bool


class Key(CallbackData, prefix="kp1"):
    """A key of the keypad. Which digit lies in which slot stands in the sealed FSM data."""

    attempt: int
    slot: int


class KeyVerb(StrEnum):
    BACKSPACE = "back"
    SUBMIT = "ok"
    RESEND = "again"
    QR = "qr"
    NUMBER = "number"


class KeyAction(CallbackData, prefix="ka1"):
    attempt: int
    verb: KeyVerb


class ImportUse(CallbackData, prefix="im1"):
    """Import the session that was sent. `mark`: of the very one that the button was made for."""

    mark: int


class SessionVerb(StrEnum):
    SHOW = "show"
    CHECK = "check"
    RENAME = "rename"
    CHANNELS = "chan"
    DELETE = "del"
    DELETE_SURELY = "del!"
    LOAD = "load"
    SIGN_IN = "in"
    CHANNELS_NOW = "chan!"
    API = "api"
    PROXY = "px"
    PROXY_OFF = "px0"
    PROXY_OFF_SURELY = "px0!"
    FORGET_SURELY = "here!"
    EXPORT = "exp"
    EXPORT_TELETHON = "expt"
    EXPORT_PYROGRAM = "expp"


class SessionAction(CallbackData, prefix="se1"):
    verb: SessionVerb
    id: int
    page: int = 0


class ChannelVerb(StrEnum):
    SHOW = "show"
    SAVE = "save"
    LOAD = "load"


class SessionChannelAction(CallbackData, prefix="sc1"):
    """A channel as one account sees it."""

    verb: ChannelVerb
    session: int
    channel: int


class ShowAll(CallbackData, prefix="sa1"):
    """No more searching: all rows of the list that is open."""


class SessionMove(CallbackData, prefix="sm1"):
    """What reads through a dead session goes over to another one."""

    id: int
    to: int


class SourceVerb(StrEnum):
    SHOW = "show"
    SCRAPE = "run"
    RETRY = "retry"
    PAUSE = "pause"
    RESUME = "on"
    DELETE = "del"
    DELETE_SURELY = "del!"
    VERIFY = "check"


class SourceAction(CallbackData, prefix="so1"):
    verb: SourceVerb
    id: int


class EditPick(StrEnum):
    """What is changed about a saved channel, and the answers."""

    MENU = "m"
    FOLDER = "f"
    ROOT = "r"
    ROOT_USE = "ru"
    FOLDER_KEEP = "fk"
    FOLDER_SURELY = "f!"
    NAMES = "n"
    NAMES_OWN = "no"
    NAMES_USE = "n!"
    DUPLICATES = "d"
    DUPLICATES_SET = "d!"
    LIVE = "lv"
    """`value`: 1 on, 0 off."""


class SourceEdit(CallbackData, prefix="sd1"):
    """`value`: the position of what was chosen; of roots 0 is Local."""

    what: EditPick
    id: int
    value: int = 0


class Pick(StrEnum):
    """What is chosen while a source is added."""

    SESSION = "s"
    CHANNEL = "c"
    PAGE = "p"
    FILES = "f"
    FILES_DONE = "fd"
    FOLDER = "fo"
    ROOT = "r"
    ROOT_USE = "ru"
    SCHEDULE = "sc"
    OWN_CRON = "oc"
    NAME = "n"
    CONFIRM = "ok"


class SourcePick(CallbackData, prefix="sp1"):
    what: Pick
    value: int = 0


class LoadPick(CallbackData, prefix="lp1"):
    """A channel to load waiting people of; or a page of the list of such channels."""

    channel: int = 0
    page: int = 0


class RequestVerb(StrEnum):
    LIST = "list"
    SHOW = "show"
    APPROVE = "yes"
    DENY = "no"
    NEXT = "next"


class RequestAction(CallbackData, prefix="jr1"):
    """`id`: the join request. For LIST `id` is the channel and `after` the last request of the page before."""

    verb: RequestVerb
    id: int
    after: int = 0


class BulkAction(CallbackData, prefix="jb1"):
    """Everybody who waits at a channel. Asks first."""

    channel: int
    approve: bool


class Confirm(CallbackData, prefix="ok1"):
    """A single-use "yes"."""

    id: int


class ForgetSurely(CallbackData, prefix="fg1"):
    """A person goes. `id`: of the single-use "yes"."""

    id: int


class OldPorterOff(CallbackData, prefix="rs1"):
    """An owner's word after a restore. `id`: of that restore, so that a button of an earlier one says nothing."""

    id: int


class RunVerb(StrEnum):
    SHOW = "show"
    PAUSE = "pause"
    RESUME = "on"
    CANCEL = "stop"
    TELL = "tell"


class RunAction(CallbackData, prefix="ru1"):
    verb: RunVerb
    id: int


class PersonVerb(StrEnum):
    SHOW = "show"
    OWNER = "own"
    APPROVER = "appr"
    VIEWER = "view"
    CHANNELS = "chan"
    CHOSEN = "ok"
    REMOVE = "rm"
    CLEAR_PIN = "pin"
    CLEAR_PIN_SURELY = "pin!"


class PersonAction(CallbackData, prefix="ad1"):
    """Somebody who operates Porter, or (`id` 0) somebody who shall."""

    verb: PersonVerb
    id: int = 0


class ChannelPick(CallbackData, prefix="ac1"):
    """A channel of an approver, chosen or not any more; or (`channel` 0) a page of them."""

    channel: int = 0
    page: int = 0


class Settle(CallbackData, prefix="as1"):
    """A single-use "yes" to what shall be of a person."""

    id: int


class PinVerb(StrEnum):
    BACKSPACE = "back"
    SUBMIT = "ok"
    QUIT = "quit"


class PinKey(CallbackData, prefix="pn1"):
    """A key of the PIN's keypad. Which digit lies in which slot stands in the sealed FSM data."""

    pad: int
    slot: int


class PinAction(CallbackData, prefix="pa1"):
    pad: int
    verb: PinVerb


class SafetyVerb(StrEnum):
    SET = "set"
    REMOVE = "rm"


class SafetyAction(CallbackData, prefix="sf1"):
    """One's own PIN."""

    verb: SafetyVerb


class AuditPick(CallbackData, prefix="au1"):
    """A page of the audit. `person` 0: of everybody."""

    person: int = 0
    page: int = 0
