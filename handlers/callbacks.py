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
    RUNS = "runs"
    REQUESTS = "requests"
    LOAD = "load"
    LOGIN = "login"
    LOGIN_QR = "qr"
    IMPORT = "import"
    BOT = "bot"
    BOT_USE = "bot!"
    ADD_SOURCE = "add"
    CONNECT = "connect"
    ADMINS = "admins"
    SAFETY = "safety"
    AUDIT = "audit"
    SETTINGS = "set"
    TELLING = "tell"
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
    SCRAPE_SURELY = "run!"
    RETRY = "retry"
    PAUSE = "pause"
    RESUME = "on"
    DELETE = "del"
    DELETE_SURELY = "del!"
    DELETE_KEEPING = "delk!"
    """Its messages stay."""
    VERIFY = "check"


class SourceAction(CallbackData, prefix="so1"):
    verb: SourceVerb
    id: int


OWN, CHOSEN = 0, -1
"""In place of a saved channel's id: the admin's own defaults, and those that are chosen in the list."""


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
    DEFAULTS_USE = "du"
    DEFAULTS_OWN = "do"
    FILTERS = "fi"
    START_OVER = "so"
    NAME = "nm"
    ACCOUNT = "ac"
    ACCOUNT_PICK = "a1"
    ACCOUNT_SURELY = "ac!"
    SCHEDULE = "sc"
    SCHEDULE_ASK = "sc?"
    SCHEDULE_PRESET = "sp"
    SCHEDULE_USE = "sc!"
    SCHEDULE_OFF = "s0!"
    ZONE = "z"
    ZONE_PAGE = "zp"
    ZONE_SET = "z!"
    API = "ap"
    API_OFF = "ap0"


class SourceEdit(CallbackData, prefix="sd1"):
    """`id`: of the saved channel, or OWN or CHOSEN. `value`: the position of what was chosen (of roots 0 is Local), or
    the id of an account."""

    what: EditPick
    id: int
    value: int = 0


class SaveVerb(StrEnum):
    """What is done about a channel that was forwarded or linked."""

    CARD = "c"
    ALL = "a"
    ALL_SURELY = "a!"
    NEW = "n"
    POSTS = "p"
    CHANGE = "ch"
    STEPS = "st"
    ACCOUNT = "ac"


class SaveAction(CallbackData, prefix="sv1"):
    """Everything that it takes, so that it works for good: nothing of it is kept elsewhere. `post` 0: of none;
    `more`: how many others were forwarded with it. `session` 0: the account is not chosen yet."""

    channel: int
    verb: SaveVerb
    post: int = 0
    more: int = 0
    session: int = 0


class LinkPick(CallbackData, prefix="lk1"):
    """One of several links of a message. They stand in the sealed FSM data, and `mark` says whether it is those."""

    mark: int
    position: int


class InviteVerb(StrEnum):
    CARD = "c"
    ASK = "a"
    JOIN = "j"
    AGAIN = "g"


class InviteAction(CallbackData, prefix="iv1"):
    """About an invite link. It is a secret, and stands in the sealed FSM data alone; `mark` as above."""

    verb: InviteVerb
    mark: int
    session: int = 0


class SeveralVerb(StrEnum):
    OPEN = "o"
    PAGE = "p"
    REVIEW = "r"
    SAVE = "r!"


class SeveralAction(CallbackData, prefix="sl1"):
    """Several channels of an account, ticked in its list."""

    session: int
    verb: SeveralVerb
    page: int = 0


class SeveralTick(CallbackData, prefix="tk1"):
    channel: int
    page: int = 0


class FilterPart(StrEnum):
    """What of the filters is changed, and the answers."""

    MENU = "m"
    PRESET = "p"
    ENDINGS = "x"
    SIZE = "s"
    WORDS = "w"
    DATES = "d"
    ONLY = "o"
    EVERYTHING = "e"
    CLEAR = "0"
    KEEP = "ok"


class FilterPick(CallbackData, prefix="fi1"):
    """`id`: of the saved channel; 0: the admin's own defaults, -1: the one that is being added. `value`: a position."""

    what: FilterPart
    id: int
    value: int = 0


class StartPart(StrEnum):
    """Where a saved channel begins."""

    CHOOSE = "c"
    PRESET = "p"
    COUNT = "n"
    DATE = "d"
    SURELY = "!"


class StartPick(CallbackData, prefix="st1"):
    """`id` and `value`: as of FilterPick."""

    what: StartPart
    id: int
    value: int = 0


class FailedVerb(StrEnum):
    LIST = "list"
    RETRY = "retry"


class FailedFile(CallbackData, prefix="ff1"):
    """Files of a saved channel that could not be fetched. `value`: a page of them, or the file to try again."""

    verb: FailedVerb
    source: int
    value: int = 0


class ManyVerb(StrEnum):
    """What happens to the saved channels that are chosen in the list."""

    OPEN = "open"
    TICK = "t"
    PAGE = "p"
    ALL = "all"
    NONE = "none"
    RUN = "run"
    PAUSE = "off"
    RESUME = "on"
    ACCOUNT = "acc"
    ACCOUNT_PICK = "acc1"
    FOLDER = "dir"
    FOLDER_ROOT = "root"
    ROOT_USE = "root!"
    FOLDER_KEEP = "dirk"
    DELETE = "del"


class Many(CallbackData, prefix="my1"):
    """`value`: a saved channel, a page, an account, or the position of a root (0: Local)."""

    verb: ManyVerb
    value: int = 0


class ManySurely(CallbackData, prefix="ms1"):
    """A single-use "yes" to what was asked about them."""

    id: int


class ManyDelete(CallbackData, prefix="md1"):
    """A single-use "yes" to deleting them. `keep`: their messages stay."""

    id: int
    keep: bool


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
    SCHEDULE_KEEP = "sk"
    OWN_CRON = "oc"
    NAME = "n"
    CONFIRM = "ok"
    CHANGE = "ch"
    BACK = "b"
    """To the question before; with a value, to the same one."""


class SourcePick(CallbackData, prefix="sp1"):
    what: Pick
    value: int = 0


class LoadPick(CallbackData, prefix="lp1"):
    """A channel to load waiting people of; or a page of the list of such channels."""

    channel: int = 0
    page: int = 0


class LoadVerb(StrEnum):
    ASK = "a"
    GO = "g"
    """`value`: so many of the newest, 0: all."""
    LINKS = "l"
    LINK = "k"
    """`value`: the position of the link, of those that stand in the sealed FSM data."""
    PLAN = "p"
    NEWEST = "n"
    """Each time, by the schedule; `value` as of GO."""
    PAUSE = "off"
    RESUME = "on"
    REMOVE = "rm"


class LoadAction(CallbackData, prefix="ld1"):
    """Loading who waits at a channel: how many, and when."""

    verb: LoadVerb
    channel: int
    value: int = 0


class RightsVerb(StrEnum):
    SHOW = "s"
    CHECK = "c"


class RightsPick(CallbackData, prefix="rg1"):
    """Who may let people in where; a page of it, or asking Telegram again."""

    verb: RightsVerb = RightsVerb.SHOW
    page: int = 0


class RequestVerb(StrEnum):
    LIST = "list"
    SHOW = "show"
    APPROVE = "yes"
    DENY = "no"
    NEXT = "next"
    BAN = "ban"
    BAN_SURELY = "bans"
    UNDO = "undo"


class RequestAction(CallbackData, prefix="jr1"):
    """`id`: the join request, among everybody who waits there. For LIST `id` is the channel; `after` says nothing any
    more."""

    verb: RequestVerb
    id: int
    after: int = 0


class WaitingAction(CallbackData, prefix="jr2"):
    """A join request in a list: `view` says whose turn is next; 0: everybody's who waits there."""

    verb: RequestVerb
    id: int
    view: int = 0


class ViewVerb(StrEnum):
    OPEN = "o"
    ORDER = "r"
    UNSEARCH = "u"
    """As it was before words were typed."""
    TICKS = "t"
    TICK = "x"
    TICK_PAGE = "p"
    UNTICK = "n"


class ViewAction(CallbackData, prefix="vw1"):
    """A list of waiting people. `after`: the last of the page before; `id`: whom to tick."""

    verb: ViewVerb
    view: int
    after: int = 0
    id: int = 0


class GateCard(CallbackData, prefix="gt1"):
    """How the gate of a channel is kept."""

    channel: int


class NoticeVerb(StrEnum):
    SHOW = "s"
    DIGEST = "d"
    """`value`: minutes between two."""
    CARDS = "c"
    SILENCE = "x"
    APPROVE = "yes"
    DENY = "no"


class NoticeAction(CallbackData, prefix="nt1"):
    """How a channel tells of new people; or (APPROVE, DENY) a decision in a message that told of one. `id`: of the
    channel, or of the join request."""

    verb: NoticeVerb
    id: int
    value: int = 0


class BulkAsk(CallbackData, prefix="bk1"):
    """A decision on many: those that a view means, or those whom the admin has ticked there. Asks first."""

    view: int
    channel: int
    approve: bool
    ticked: bool = False


class BulkVerb(StrEnum):
    INCLUDE = "too"
    """Decide those too who came since the preview."""
    ONLY = "only"
    """Only who was shown."""
    FILE = "csv"


class BulkRun(CallbackData, prefix="bk2"):
    """What is asked of a decision on many that is under way, or of one that is over. `id`: the run."""

    verb: BulkVerb
    id: int


class Condition(StrEnum):
    """What can be said of people who wait (handlers/conditions.py). A `value` of -1: no such condition."""

    MENU = "m"
    FLAG = "f"
    """`value`: which yes or no."""
    WAITS_MENU = "wm"
    OVER = "o"
    """`value`: how long they wait at least; -1: however long, at most as well."""
    UNDER = "u"
    WORDS = "w"
    BIO = "b"
    LINK_MENU = "lm"
    LINK = "l"
    """`value`: a request that came by it."""
    ANY = "any"
    """No condition at all."""
    SHOW = "s"
    """Those who are meant."""


class ConditionPick(CallbackData, prefix="cn1"):
    """A condition of the rule that is being written."""

    what: Condition
    value: int = 0


class ViewFilter(CallbackData, prefix="jr3"):
    """From what a list shows to another list: the conditions that `view` has, but for this."""

    what: Condition
    view: int
    value: int = 0


class RuleVerb(StrEnum):
    LIST = "list"
    SHOW = "show"
    ADD = "add"
    EDIT = "edit"
    FORM = "form"
    ACTION = "act"
    KEEP = "keep"
    LIVE = "live"
    TRIAL = "trial"
    UP = "up"
    DOWN = "down"
    DELETE = "del"
    FREEZE = "ice"
    FREE = "free"


class RuleButton(CallbackData, prefix="rr1"):
    """`id`: the rule; the channel for LIST (`value`: the page), ADD, FREEZE and FREE. FORM, ACTION and KEEP are of the
    form that is open (`value`: which action)."""

    verb: RuleVerb
    id: int = 0
    value: int = 0


class RuleSurely(CallbackData, prefix="ry1"):
    """A single-use "yes" to a change of rules."""

    id: int


class GreetingVerb(StrEnum):
    SHOW = "show"
    WELCOME = "hi"
    REFUSAL = "no"
    NO_WELCOME = "hi0"
    NO_REFUSAL = "no0"


class GreetingAction(CallbackData, prefix="gr1"):
    """What people are told who ask to join a channel."""

    verb: GreetingVerb
    channel: int


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


class RunPick(CallbackData, prefix="rl1"):
    """A page of what works, waits and went. `failed`: of what went wrong alone."""

    page: int = 0
    failed: bool = False


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


class ZoneVerb(StrEnum):
    ASK = "?"
    PAGE = "p"
    SET = "!"


class ZonePick(CallbackData, prefix="tz1"):
    """The admin's own time zone. `value`: the page, or the place of the zone among all."""

    verb: ZoneVerb
    value: int = 0
