"""Under the list in which several saved channels are chosen, and under the questions about them."""

from collections.abc import Collection, Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    CHOSEN,
    EditPick,
    Go,
    Many,
    ManyDelete,
    ManySurely,
    ManyVerb,
    Place,
    ShowAll,
    SourceEdit,
)
from handlers.keyboards.base import ROWS, Row, button, home_row, markup, turning, window
from handlers.texts import Texts
from services.many_sources import Reader
from services.sources import SourceCard


def choose(
    texts: Texts, cards: Sequence[SourceCard], chosen: Collection[int], page: int, *, is_searched: bool
) -> InlineKeyboardMarkup:
    labels = texts.labels
    every = [button(texts.many.all_label(len(cards), is_searched=is_searched), Many(verb=ManyVerb.ALL))]
    none = [button(labels.choose_none, Many(verb=ManyVerb.NONE))]
    return markup(
        *[
            [
                button(
                    texts.many.label(card, ticked=card.source.id in chosen),
                    Many(verb=ManyVerb.TICK, value=card.source.id),
                )
            ]
            for card in window(cards, page)
        ],
        turning(texts, page, len(cards), (Many(verb=ManyVerb.PAGE, value=n) for n in (page - 1, page + 1))),
        [*(every if cards else []), *(none if chosen else [])],
        [button(labels.show_all, ShowAll())] if is_searched else [],
        *(_acts(texts) if chosen else []),
        home_row(texts, Go(to=Place.SOURCES)),
    )


def _acts(texts: Texts) -> list[Row]:
    labels = texts.labels
    return [
        [
            button(labels.run_many, Many(verb=ManyVerb.RUN), "primary"),
            button(labels.pause_many, Many(verb=ManyVerb.PAUSE)),
            button(labels.resume_many, Many(verb=ManyVerb.RESUME)),
        ],
        [
            button(labels.edit_schedule, SourceEdit(what=EditPick.SCHEDULE, id=CHOSEN)),
            button(labels.edit_folder, Many(verb=ManyVerb.FOLDER)),
            button(labels.edit_account, Many(verb=ManyVerb.ACCOUNT)),
        ],
        [button(labels.delete_many, Many(verb=ManyVerb.DELETE), "danger")],
    ]


def _back(texts: Texts) -> Row:
    return home_row(texts, Many(verb=ManyVerb.OPEN))


def surely(texts: Texts, label: str, confirmation: int, back: CallbackData | None = None) -> InlineKeyboardMarkup:
    yes = button(label, ManySurely(id=confirmation), "primary")
    return markup([yes], home_row(texts, back or Many(verb=ManyVerb.OPEN)))


def accounts(texts: Texts, readers: Sequence[Reader]) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.many.reader_label(each), Many(verb=ManyVerb.ACCOUNT_PICK, value=each.session.id))]
            for each in readers[:ROWS]
        ],
        [] if readers else [button(texts.labels.add_account, Go(to=Place.LOGIN))],
        _back(texts),
    )


def base(texts: Texts, roots: Sequence[str], chosen: str | None) -> InlineKeyboardMarkup:
    """`chosen` None: Local."""
    rows = [
        [
            button(
                f"{'● ' if name == chosen else ''}{name or texts.labels.local}",
                Many(verb=ManyVerb.FOLDER_ROOT, value=place),
            )
        ]
        for place, name in enumerate((None, *roots))
    ]
    keep = button(texts.labels.use_folder, Many(verb=ManyVerb.FOLDER_KEEP), "primary")
    return markup(*(rows if roots else []), [keep], _back(texts))


def use_root(texts: Texts) -> InlineKeyboardMarkup:
    yes = button(texts.labels.use_root, Many(verb=ManyVerb.ROOT_USE), "primary")
    return markup([yes], home_row(texts, Many(verb=ManyVerb.FOLDER)))


def delete(texts: Texts, confirmation: int) -> InlineKeyboardMarkup:
    labels = texts.labels
    return markup(
        [button(labels.delete_keeping, ManyDelete(id=confirmation, keep=True), "danger")],
        [button(labels.delete_with_messages, ManyDelete(id=confirmation, keep=False), "danger")],
        _back(texts),
    )


def outcome(texts: Texts) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.saved, Go(to=Place.SOURCES)), button(texts.labels.all_work, Go(to=Place.RUNS))],
        _back(texts),
    )
