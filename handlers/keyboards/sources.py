"""Under saved channels, and the steps of adding one."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    OWN,
    EditPick,
    FailedFile,
    FailedVerb,
    Go,
    Many,
    ManyVerb,
    Pick,
    Place,
    RunAction,
    RunVerb,
    SeveralAction,
    SeveralVerb,
    ShowAll,
    SourceAction,
    SourceEdit,
    SourcePick,
    SourceVerb,
)
from handlers.keyboards.base import ROWS, Row, button, home_row, markup, turning, window
from handlers.keyboards.schedules import presets
from handlers.keyboards.sessions import sign_in_again
from handlers.texts import Texts
from services.sources import SourceCard
from storage.models import Session, SessionChannel


def listing(texts: Texts, cards: Sequence[SourceCard], page: int, *, is_searched: bool) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sources.label(card), SourceAction(verb=SourceVerb.SHOW, id=card.source.id))]
            for card in window(cards, page)
        ],
        turning(texts, page, len(cards), (Go(to=Place.SOURCES, page=n) for n in (page - 1, page + 1))),
        [button(texts.labels.show_all, ShowAll())] if is_searched else [],
        [button(texts.labels.choose_many, Many(verb=ManyVerb.OPEN))] if len(cards) > 1 else [],
        [
            button(texts.labels.add_source, Go(to=Place.ADD_SOURCE)),
            button(texts.labels.my_defaults, SourceEdit(what=EditPick.MENU, id=OWN)),
        ],
        home_row(texts),
    )


def choose(texts: Texts, cards: Sequence[SourceCard]) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sources.label(card), SourceAction(verb=SourceVerb.SCRAPE, id=card.source.id))]
            for card in cards[:ROWS]
        ],
        [] if cards else [button(texts.labels.add_source, Go(to=Place.ADD_SOURCE))],
        [button(texts.labels.saved, Go(to=Place.SOURCES))],
        home_row(texts),
    )


def card(texts: Texts, card: SourceCard) -> InlineKeyboardMarkup:
    def act(verb: SourceVerb) -> SourceAction:
        return SourceAction(verb=verb, id=card.source.id)

    labels = texts.labels
    first = (
        button(f"⏳ {card.run.title}", RunAction(verb=RunVerb.SHOW, id=card.run.id))
        if card.run
        else button(labels.scrape, act(SourceVerb.SCRAPE), "primary")
    )
    failed: list[Row] = []
    if card.tally.failed:
        which = FailedFile(verb=FailedVerb.LIST, source=card.source.id)
        again = button(texts.sources.retry_label(card.tally.failed), act(SourceVerb.RETRY))
        failed = [[] if card.run else [again], [button(labels.failed_files, which)]]
    schedule: Row = []
    if card.schedule or not card.source.enabled:
        paused = not card.source.enabled
        schedule = [
            button(labels.resume_schedule, act(SourceVerb.RESUME))
            if paused
            else button(labels.pause_schedule, act(SourceVerb.PAUSE))
        ]
    return markup(
        [sign_in_again(texts, card.source.session_id)] if card.source.is_held else [],
        [first],
        *failed,
        schedule,
        [
            button(labels.edit_source, SourceEdit(what=EditPick.MENU, id=card.source.id)),
            *([button(labels.verify, act(SourceVerb.VERIFY))] if _has_files(card) and not card.run else []),
        ],
        [button(labels.delete, act(SourceVerb.DELETE), "danger")],
        home_row(texts, Go(to=Place.SOURCES)),
    )


def _has_files(card: SourceCard) -> bool:
    return bool(card.tally.done or card.tally.skipped)


def delete(texts: Texts, source_id: int, *, has_messages: bool) -> InlineKeyboardMarkup:
    """Of messages that there are it is asked what becomes of them."""
    labels = texts.labels
    keep = button(labels.delete_keeping, SourceAction(verb=SourceVerb.DELETE_KEEPING, id=source_id), "danger")
    last = labels.delete_with_messages if has_messages else labels.delete_surely
    return markup(
        [keep] if has_messages else [],
        [button(last, SourceAction(verb=SourceVerb.DELETE_SURELY, id=source_id), "danger")],
        home_row(texts, SourceAction(verb=SourceVerb.SHOW, id=source_id)),
    )


def _cancel(texts: Texts) -> Row:
    return [button(texts.labels.cancel, Go(to=Place.SOURCES)), button(texts.labels.home, Go(to=Place.HOME))]


def _out(texts: Texts, back: int = 0) -> Row:
    """From a question of the form; `back` as Pick.BACK's value."""
    return [button(texts.labels.back, SourcePick(what=Pick.BACK, value=back)), *_cancel(texts)]


def pick_session(texts: Texts, rows: Sequence[Session], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sessions.label(row), SourcePick(what=Pick.SESSION, value=row.id))]
            for row in window(rows, page)
        ],
        turning(texts, page, len(rows), (SourcePick(what=Pick.PAGE, value=n) for n in (page - 1, page + 1))),
        _cancel(texts),
    )


def pick_channel(texts: Texts, session_id: int, rows: Sequence[SessionChannel], page: int) -> InlineKeyboardMarkup:
    several = SeveralAction(session=session_id, verb=SeveralVerb.OPEN)
    return markup(
        *[
            [button(texts.account_channels.label(row), SourcePick(what=Pick.CHANNEL, value=row.channel.id))]
            for row in window(rows, page)
        ],
        turning(texts, page, len(rows), (SourcePick(what=Pick.PAGE, value=n) for n in (page - 1, page + 1))),
        [button(texts.labels.several, several)] if len(rows) > 1 else [],
        _cancel(texts),
    )


def pick_default(texts: Texts, label: str, what: Pick, back: int = 0) -> InlineKeyboardMarkup:
    return markup([button(label, SourcePick(what=what), "primary")], _out(texts, back))


def confirm(texts: Texts, *, is_large: bool) -> InlineKeyboardMarkup:
    """`is_large`: more than an admin may have meant."""
    if not is_large:
        return pick_default(texts, texts.labels.confirm_source, Pick.CONFIRM)
    return markup(
        [button(texts.labels.confirm_large, SourcePick(what=Pick.CONFIRM), "primary")],
        [button(texts.labels.change_form, SourcePick(what=Pick.CHANGE))],
        _out(texts),
    )


def pick_folder(texts: Texts, roots: Sequence[str], chosen: str | None) -> InlineKeyboardMarkup:
    """`chosen` None: Local. One that is no root any more can be left as well."""
    rows = [
        [button(f"{'● ' if name == chosen else ''}{name or texts.labels.local}", SourcePick(what=Pick.ROOT, value=n))]
        for n, name in enumerate((None, *roots))
    ]
    use = button(texts.labels.use_folder, SourcePick(what=Pick.FOLDER), "primary")
    return markup(*(rows if roots or chosen else []), [use], _out(texts))


def pick_schedule(texts: Texts, words: Sequence[str], keep: str | None = None) -> InlineKeyboardMarkup:
    """`words` describe the presets, in their order; a button carries the position, 1 the first. `keep`: what is
    chosen already, in words."""
    return markup(
        [button(keep, SourcePick(what=Pick.SCHEDULE_KEEP), "primary")] if keep else [],
        *presets(words, lambda position: SourcePick(what=Pick.SCHEDULE, value=position + 1)),
        [button(texts.labels.own_schedule, SourcePick(what=Pick.OWN_CRON))],
        [button(texts.labels.only_by_hand, SourcePick(what=Pick.SCHEDULE, value=0))],
        _out(texts),
    )


def again(texts: Texts, back: int = 0) -> InlineKeyboardMarkup:
    """Under what is typed. `back` as Pick.BACK's value."""
    return markup(_out(texts, back))
