"""Under the questions of changing a saved channel."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import EditPick, Go, Place, SourceAction, SourceEdit, SourceVerb
from handlers.keyboards.base import ROWS, Row, button, home_row, markup
from handlers.texts import Texts
from services.many_sources import Reader
from services.sources import SourceCard
from services.templates import DEFAULT
from storage.models import Duplicates, Scope, Session, Source


def _pick(what: EditPick, source_id: int, value: int = 0) -> SourceEdit:
    return SourceEdit(what=what, id=source_id, value=value)


def _back(texts: Texts, source_id: int) -> Row:
    return home_row(texts, _pick(EditPick.MENU, source_id))


def menu(texts: Texts, card: SourceCard, account: str, schedule: str) -> InlineKeyboardMarkup:
    """Behind each button stands what it is now. `schedule` in words.

    Of single posts nothing is left out, nothing begins anew, and none come by themselves.
    """
    labels, source = texts.labels, card.source
    is_walked = source.scope is Scope.CHANNEL
    live = labels.new_at_once if source.live else labels.not_at_once

    def item(label: str, value: str, what: EditPick) -> Row:
        return [button(f"{label}: {value}", _pick(what, source.id))]

    return markup(
        item(labels.edit_name, source.name, EditPick.NAME),
        item(labels.edit_account, account, EditPick.ACCOUNT),
        item(labels.edit_schedule, schedule, EditPick.SCHEDULE) if is_walked else [],
        [button(live, _pick(EditPick.LIVE, source.id, int(not source.live)))] if is_walked else [],
        [button(labels.edit_filters, _pick(EditPick.FILTERS, source.id))] if is_walked else [],
        item(labels.edit_folder, f"{source.root or labels.local}/{source.folder}", EditPick.FOLDER),
        item(labels.edit_names, source.name_template or DEFAULT, EditPick.NAMES),
        item(labels.edit_duplicates, texts.editing.duplicates_word(source.duplicates), EditPick.DUPLICATES),
        item(labels.edit_application, texts.applications.word(source), EditPick.API),
        [button(labels.start_over_source, _pick(EditPick.START_OVER, source.id))] if is_walked else [],
        [button(labels.make_defaults, _pick(EditPick.DEFAULTS_USE, source.id))],
        home_row(texts, SourceAction(verb=SourceVerb.SHOW, id=source.id)),
    )


def back(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    return markup(_back(texts, source_id))


def accounts(texts: Texts, source_id: int, readers: Sequence[Reader]) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.sessions.label(each.session), _pick(EditPick.ACCOUNT_PICK, source_id, each.session.id))]
            for each in readers[:ROWS]
        ],
        [] if readers else [button(texts.labels.add_account, Go(to=Place.LOGIN))],
        _back(texts, source_id),
    )


def account_move(texts: Texts, source_id: int, to: Session) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.move_account, _pick(EditPick.ACCOUNT_SURELY, source_id, to.id), "primary")],
        home_row(texts, _pick(EditPick.ACCOUNT, source_id)),
    )


def folder(texts: Texts, source_id: int, roots: Sequence[str], chosen: str | None) -> InlineKeyboardMarkup:
    """`chosen` None: Local."""
    rows = [
        [button(f"{'● ' if name == chosen else ''}{name or texts.labels.local}", _pick(EditPick.ROOT, source_id, n))]
        for n, name in enumerate((None, *roots))
    ]
    return markup(
        *(rows if roots else []),
        [button(texts.labels.use_folder, _pick(EditPick.FOLDER_KEEP, source_id), "primary")],
        _back(texts, source_id),
    )


def use_root(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.use_root, _pick(EditPick.ROOT_USE, source_id), "primary")],
        home_row(texts, _pick(EditPick.FOLDER, source_id)),
    )


def move(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.from_now_on, _pick(EditPick.FOLDER_SURELY, source_id), "primary")],
        home_row(texts, _pick(EditPick.FOLDER, source_id)),
    )


def names(texts: Texts, source: Source) -> InlineKeyboardMarkup:
    own = [button(texts.labels.own_names, _pick(EditPick.NAMES_OWN, source.id))] if source.name_template else []
    return markup(own, _back(texts, source.id))


def preview(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.use_names, _pick(EditPick.NAMES_USE, source_id), "primary")],
        home_row(texts, _pick(EditPick.NAMES, source_id)),
    )


CHOICES = tuple(Duplicates)
"""What the buttons of the duplicates stand for, by position."""


def duplicates(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    labels = (texts.labels.keep_duplicates, texts.labels.link_duplicates, texts.labels.skip_duplicates)
    return markup(
        *[[button(label, _pick(EditPick.DUPLICATES_SET, source_id, n))] for n, label in enumerate(labels)],
        _back(texts, source_id),
    )
