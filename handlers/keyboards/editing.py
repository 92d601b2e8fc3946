"""Under the questions of changing a saved channel."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import EditPick, SourceAction, SourceEdit, SourceVerb
from handlers.keyboards.base import Row, button, home_row, markup
from handlers.texts import Texts
from storage.models import Duplicates, Scope, Source


def _pick(what: EditPick, source_id: int, value: int = 0) -> SourceEdit:
    return SourceEdit(what=what, id=source_id, value=value)


def _back(texts: Texts, source_id: int) -> Row:
    return home_row(texts, _pick(EditPick.MENU, source_id))


def menu(texts: Texts, source: Source) -> InlineKeyboardMarkup:
    labels, source_id = texts.labels, source.id
    live = labels.live_off if source.live else labels.live_on
    return markup(
        [button(labels.edit_folder, _pick(EditPick.FOLDER, source_id))],
        [button(labels.edit_names, _pick(EditPick.NAMES, source_id))],
        [button(labels.edit_duplicates, _pick(EditPick.DUPLICATES, source_id))],
        [button(live, _pick(EditPick.LIVE, source_id, int(not source.live)))] if source.scope is Scope.CHANNEL else [],
        home_row(texts, SourceAction(verb=SourceVerb.SHOW, id=source_id)),
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
