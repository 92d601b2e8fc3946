"""Rows in, markup out. Pure: no services, no state. Labels are cut to what a phone shows."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from aiogram.filters.callback_data import CallbackData
from aiogram.types import (
    ChatAdministratorRights,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    KeyboardButton,
    KeyboardButtonRequestChat,
    ReplyKeyboardMarkup,
)

from handlers.callbacks import (
    BulkAction,
    Confirm,
    Go,
    Key,
    KeyAction,
    KeyVerb,
    LoadPick,
    Parked,
    Pick,
    Place,
    RequestAction,
    RequestVerb,
    RunAction,
    RunVerb,
    SessionAction,
    SessionVerb,
    SourceAction,
    SourcePick,
    SourceVerb,
)
from handlers.texts import Texts
from handlers.texts.base import shorten
from services.sessions import SessionCard
from services.sources import SourceCard
from storage.models import (
    FileKind,
    Filters,
    HomeSummary,
    JoinRequest,
    PendingCount,
    Run,
    RunStatus,
    Session,
    SessionChannel,
)

ROWS = 8
"""Rows of a list a page (CHAT.md, rule 2)."""

Row = list[InlineKeyboardButton]
Item = TypeVar("Item")


def button(label: str, data: CallbackData, style: str | None = None) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=shorten(label), callback_data=data.pack(), style=style)


def markup(*rows: Row) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])


def pages(count: int) -> int:
    return max(1, -(-count // ROWS))


def window(items: Sequence[Item], page: int) -> Sequence[Item]:
    """The rows of one page; a page number beyond the end shows the last one."""
    page = min(page, pages(len(items)) - 1)
    return items[page * ROWS : (page + 1) * ROWS]


def home_row(texts: Texts, back: CallbackData | None = None) -> Row:
    row = [button(texts.labels.back, back)] if back else []
    return [*row, button(texts.labels.home, Go(to=Place.HOME))]


def only_home(texts: Texts, back: CallbackData | None = None) -> InlineKeyboardMarkup:
    return markup(home_row(texts, back))


def one(label: str, data: CallbackData, texts: Texts, back: CallbackData | None = None) -> InlineKeyboardMarkup:
    """One thing to do, and the way out."""
    return markup([button(label, data)], home_row(texts, back))


def _turning(texts: Texts, page: int, count: int, to: Iterable[CallbackData]) -> Row:
    previous, following = to
    row = []
    if page > 0:
        row.append(button(texts.labels.previous, previous))
    if page < pages(count) - 1:
        row.append(button(texts.labels.following, following))
    return row


# -- home


def home(texts: Texts, summary: HomeSummary, *, parked: bool) -> InlineKeyboardMarkup:
    labels = texts.labels
    rows: list[Row] = []
    if parked:
        rows.append([button(labels.resume, Parked(resume=True)), button(labels.drop, Parked(resume=False))])
    rows += [[button(f"⏳ {run.title}", RunAction(verb=RunVerb.SHOW, id=run.id))] for run in summary.runs[:3]]
    if not summary.sessions and not summary.pending:
        rows.append([button(labels.approve_requests, Go(to=Place.CONNECT))])
        rows.append([button(labels.save_channels, Go(to=Place.LOGIN))])
    rows.append([button(labels.waiting, Go(to=Place.REQUESTS)), button(labels.saved, Go(to=Place.SOURCES))])
    rows.append([button(labels.accounts, Go(to=Place.SESSIONS)), button(labels.help, Go(to=Place.HELP))])
    return markup(*rows)


# -- login


def share_number(texts: Texts) -> ReplyKeyboardMarkup:
    return ReplyKeyboardMarkup(
        keyboard=[[KeyboardButton(text=texts.labels.share_number, request_contact=True)]],
        resize_keyboard=True,
        one_time_keyboard=True,
    )


def keypad(texts: Texts, attempt: int, slots: str, *, submit: bool, resend: bool) -> InlineKeyboardMarkup:
    """Digits 1-9 and 0 in their usual places. `slots`: the digit of each slot; a press tells the slot alone."""
    keys = {digit: button(digit, Key(attempt=attempt, slot=slot)) for slot, digit in enumerate(slots)}
    labels = texts.labels
    bottom = [button(labels.backspace, KeyAction(attempt=attempt, verb=KeyVerb.BACKSPACE)), keys["0"]]
    if submit:
        bottom.append(button(labels.submit, KeyAction(attempt=attempt, verb=KeyVerb.SUBMIT), "success"))
    rows = [[keys[digit] for digit in row] for row in ("123", "456", "789")]
    return markup(*rows, bottom, *_login_ways_out(texts, attempt, resend=resend))


def no_keypad(texts: Texts, attempt: int, *, resend: bool) -> InlineKeyboardMarkup:
    return markup(*_login_ways_out(texts, attempt, resend=resend))


def new_code(texts: Texts, attempt: int) -> InlineKeyboardMarkup:
    again = button(texts.labels.new_code, KeyAction(attempt=attempt, verb=KeyVerb.RESEND))
    return markup([again], [button(texts.labels.start_over, Go(to=Place.LOGIN))], home_row(texts))


def _login_ways_out(texts: Texts, attempt: int, *, resend: bool) -> list[Row]:
    label = texts.labels.resend if resend else texts.labels.new_code
    return [
        [button(label, KeyAction(attempt=attempt, verb=KeyVerb.RESEND))],
        [button(texts.labels.start_over, Go(to=Place.LOGIN)), button(texts.labels.home, Go(to=Place.HOME))],
    ]


def signed_in(texts: Texts, session: Session) -> InlineKeyboardMarkup:
    labels = texts.labels
    return markup(
        [button(labels.save_channels, Go(to=Place.ADD_SOURCE))],
        [button(labels.load, Go(to=Place.LOAD))],
        [button(labels.channels, SessionAction(verb=SessionVerb.CHANNELS, id=session.id))],
        home_row(texts),
    )


# -- accounts


def sessions(texts: Texts, rows: Sequence[Session], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sessions.label(session), SessionAction(verb=SessionVerb.SHOW, id=session.id))]
            for session in window(rows, page)
        ],
        _turning(texts, page, len(rows), (Go(to=Place.SESSIONS, page=n) for n in (page - 1, page + 1))),
        [button(texts.labels.add_account, Go(to=Place.LOGIN))],
        home_row(texts),
    )


def session(texts: Texts, card: SessionCard) -> InlineKeyboardMarkup:
    def act(verb: SessionVerb) -> SessionAction:
        return SessionAction(verb=verb, id=card.session.id)

    labels = texts.labels
    return markup(
        [button(labels.channels, act(SessionVerb.CHANNELS)), button(labels.load, act(SessionVerb.LOAD))],
        [button(labels.check, act(SessionVerb.CHECK)), button(labels.rename, act(SessionVerb.RENAME))],
        [button(labels.delete, act(SessionVerb.DELETE), "danger")],
        home_row(texts, Go(to=Place.SESSIONS)),
    )


def delete_session(texts: Texts, session_id: int) -> InlineKeyboardMarkup:
    surely = SessionAction(verb=SessionVerb.DELETE_SURELY, id=session_id)
    return markup(
        [button(texts.labels.sign_out_and_delete, surely, "danger")],
        home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=session_id)),
    )


def session_channels(texts: Texts, session_id: int, count: int, page: int) -> InlineKeyboardMarkup:
    def turn(to: int) -> SessionAction:
        return SessionAction(verb=SessionVerb.CHANNELS, id=session_id, page=to)

    return markup(
        _turning(texts, page, count, (turn(page - 1), turn(page + 1))),
        [button(texts.labels.add_source, Go(to=Place.ADD_SOURCE))],
        home_row(texts, SessionAction(verb=SessionVerb.SHOW, id=session_id)),
    )


# -- saved channels


def sources(texts: Texts, cards: Sequence[SourceCard], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sources.label(card), SourceAction(verb=SourceVerb.SHOW, id=card.source.id))]
            for card in window(cards, page)
        ],
        _turning(texts, page, len(cards), (Go(to=Place.SOURCES, page=n) for n in (page - 1, page + 1))),
        [button(texts.labels.add_source, Go(to=Place.ADD_SOURCE))],
        home_row(texts),
    )


def scrape_which(texts: Texts, cards: Sequence[SourceCard]) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sources.label(card), SourceAction(verb=SourceVerb.SCRAPE, id=card.source.id))]
            for card in cards[:ROWS]
        ],
        [button(texts.labels.saved, Go(to=Place.SOURCES))],
        home_row(texts),
    )


def source(texts: Texts, card: SourceCard) -> InlineKeyboardMarkup:
    def act(verb: SourceVerb) -> SourceAction:
        return SourceAction(verb=verb, id=card.source.id)

    labels = texts.labels
    first = (
        button(f"⏳ {card.run.title}", RunAction(verb=RunVerb.SHOW, id=card.run.id))
        if card.run
        else button(labels.scrape, act(SourceVerb.SCRAPE), "primary")
    )
    schedule: Row = []
    if card.schedule:
        paused = not card.source.enabled
        schedule = [
            button(labels.resume_schedule, act(SourceVerb.RESUME))
            if paused
            else button(labels.pause_schedule, act(SourceVerb.PAUSE))
        ]
    return markup(
        [first],
        schedule,
        [button(labels.delete, act(SourceVerb.DELETE), "danger")],
        home_row(texts, Go(to=Place.SOURCES)),
    )


def delete_source(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    surely = SourceAction(verb=SourceVerb.DELETE_SURELY, id=source_id)
    return markup(
        [button(texts.labels.delete_surely, surely, "danger")],
        home_row(texts, SourceAction(verb=SourceVerb.SHOW, id=source_id)),
    )


def _cancel(texts: Texts) -> Row:
    return [button(texts.labels.cancel, Go(to=Place.SOURCES)), button(texts.labels.home, Go(to=Place.HOME))]


def pick_session(texts: Texts, rows: Sequence[Session]) -> InlineKeyboardMarkup:
    return markup(
        *[[button(texts.sessions.label(row), SourcePick(what=Pick.SESSION, value=row.id))] for row in rows[:ROWS]],
        _cancel(texts),
    )


def pick_channel(texts: Texts, rows: Sequence[SessionChannel], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sessions.channel_label(row), SourcePick(what=Pick.CHANNEL, value=row.channel.id))]
            for row in window(rows, page)
        ],
        _turning(texts, page, len(rows), (SourcePick(what=Pick.PAGE, value=n) for n in (page - 1, page + 1))),
        _cancel(texts),
    )


EXTENSIONS = ("pdf", "zip", "epub", "mp3")
CHOICES: tuple[FileKind | str, ...] = (*FileKind, *EXTENSIONS)
"""What the buttons of the file types stand for, by position: a button carries the position."""


def pick_files(texts: Texts, chosen: Filters) -> InlineKeyboardMarkup:
    def choice(position: int) -> InlineKeyboardButton:
        what = CHOICES[position]
        on = what in chosen.kinds if isinstance(what, FileKind) else what in chosen.extensions
        label = what.value.capitalize() if isinstance(what, FileKind) else f".{what}"
        return button(f"{'☑' if on else '☐'} {label}", SourcePick(what=Pick.FILES, value=position))

    choices = [choice(position) for position in range(len(CHOICES))]
    everything = "☑" if not chosen.kinds and not chosen.extensions else "☐"
    return markup(
        [button(f"{everything} {texts.labels.all_files}", SourcePick(what=Pick.FILES, value=len(CHOICES)))],
        *[choices[n : n + 3] for n in range(0, len(choices), 3)],
        [button(texts.labels.done, SourcePick(what=Pick.FILES_DONE), "primary")],
        _cancel(texts),
    )


def pick_default(texts: Texts, label: str, what: Pick) -> InlineKeyboardMarkup:
    return markup([button(label, SourcePick(what=what), "primary")], _cancel(texts))


def pick_schedule(texts: Texts, words: Sequence[str]) -> InlineKeyboardMarkup:
    """`words` describe the presets, in their order; a button carries the position, 1 the first."""
    presets = [button(label, SourcePick(what=Pick.SCHEDULE, value=n + 1)) for n, label in enumerate(words)]
    return markup(
        *[presets[n : n + 2] for n in range(0, len(presets), 2)],
        [button(texts.labels.own_schedule, SourcePick(what=Pick.OWN_CRON))],
        [button(texts.labels.only_by_hand, SourcePick(what=Pick.SCHEDULE, value=0))],
        _cancel(texts),
    )


def cancel_source(texts: Texts) -> InlineKeyboardMarkup:
    return markup(_cancel(texts))


# -- waiting people


def overview(texts: Texts, pending: Sequence[PendingCount], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.requests.overview_label(row), RequestAction(verb=RequestVerb.LIST, id=row.channel.id))]
            for row in window(pending, page)
        ],
        _turning(texts, page, len(pending), (Go(to=Place.REQUESTS, page=n) for n in (page - 1, page + 1))),
        [button(texts.labels.load, Go(to=Place.LOAD)), button(texts.labels.connect, Go(to=Place.CONNECT))],
        home_row(texts),
    )


def waiting(
    texts: Texts, channel_id: int, rows: Sequence[JoinRequest], *, previous: int | None, more: bool
) -> InlineKeyboardMarkup:
    """`previous`: the request behind which the page before starts; None on the first page."""

    def turn(after: int) -> RequestAction:
        return RequestAction(verb=RequestVerb.LIST, id=channel_id, after=after)

    turning = [button(texts.labels.previous, turn(previous))] if previous is not None else []
    if more:
        turning.append(button(texts.labels.following, turn(rows[-1].id)))
    everybody = [
        button(texts.labels.approve_all, BulkAction(channel=channel_id, approve=True), "success"),
        button(texts.labels.deny_all, BulkAction(channel=channel_id, approve=False), "danger"),
    ]
    return markup(
        *[[button(texts.requests.label(row), RequestAction(verb=RequestVerb.SHOW, id=row.id))] for row in rows],
        turning,
        everybody if rows else [],
        [button(texts.labels.load, LoadPick(channel=channel_id))],
        home_row(texts, Go(to=Place.REQUESTS)),
    )


def person(texts: Texts, request: JoinRequest, *, pending: bool) -> InlineKeyboardMarkup:
    labels = texts.labels
    decide = [
        button(labels.approve, RequestAction(verb=RequestVerb.APPROVE, id=request.id), "success"),
        button(labels.deny, RequestAction(verb=RequestVerb.DENY, id=request.id), "danger"),
    ]
    return markup(
        decide if pending else [],
        [
            button(labels.the_list, RequestAction(verb=RequestVerb.LIST, id=request.channel_id)),
            button(labels.next_person, RequestAction(verb=RequestVerb.NEXT, id=request.id)),
        ],
        home_row(texts, Go(to=Place.REQUESTS)),
    )


def confirm(texts: Texts, label: str, confirmation: int, back: CallbackData, style: str) -> InlineKeyboardMarkup:
    return markup([button(label, Confirm(id=confirmation), style)], home_row(texts, back))


def load_where(texts: Texts, rows: Sequence[SessionChannel], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[[button(row.channel.title, LoadPick(channel=row.channel.id))] for row in window(rows, page)],
        _turning(texts, page, len(rows), (LoadPick(page=n) for n in (page - 1, page + 1))),
        home_row(texts, Go(to=Place.REQUESTS)),
    )


CONNECT_CHANNEL, CONNECT_GROUP = 1, 2
"""request_id of the two pickers: which of them was used does not matter to us, Telegram wants them distinct."""


def connect(texts: Texts) -> ReplyKeyboardMarkup:
    """Telegram's own pickers; choosing makes the bot an administrator with the right to invite (TELEGRAM.md)."""

    def picker(label: str, request_id: int, *, is_channel: bool) -> KeyboardButton:
        rights = ChatAdministratorRights(
            is_anonymous=False,
            can_manage_chat=True,
            can_delete_messages=False,
            can_manage_video_chats=False,
            can_restrict_members=False,
            can_promote_members=False,
            can_change_info=False,
            can_invite_users=True,
            can_post_stories=False,
            can_edit_stories=False,
            can_delete_stories=False,
            can_send_welcome_messages=False,
        )
        # Telegram wants the user's rights to include the bot's.
        user_rights = rights.model_copy(update={"can_promote_members": True})
        request = KeyboardButtonRequestChat(
            request_id=request_id,
            chat_is_channel=is_channel,
            user_administrator_rights=user_rights,
            bot_administrator_rights=rights,
            request_title=True,
        )
        return KeyboardButton(text=label, request_chat=request)

    labels = texts.labels
    return ReplyKeyboardMarkup(
        keyboard=[
            [picker(labels.choose_channel, CONNECT_CHANNEL, is_channel=True)],
            [picker(labels.choose_group, CONNECT_GROUP, is_channel=False)],
        ],
        resize_keyboard=True,
        one_time_keyboard=True,
    )


# -- long work


def run(texts: Texts, row: Run, *, told: bool) -> InlineKeyboardMarkup:
    def act(verb: RunVerb) -> RunAction:
        return RunAction(verb=verb, id=row.id)

    labels = texts.labels
    if not row.is_active:
        return only_home(texts)
    goes_on = row.status is RunStatus.PAUSED
    return markup(
        [
            button(labels.resume_run, act(RunVerb.RESUME)) if goes_on else button(labels.pause, act(RunVerb.PAUSE)),
            button(labels.stop_run, act(RunVerb.CANCEL)),
        ],
        [] if told else [button(labels.tell_me, act(RunVerb.TELL))],
        home_row(texts),
    )
