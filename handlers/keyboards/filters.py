"""Under what is saved of a channel, and from where on."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    EditPick,
    FilterPart,
    FilterPick,
    Go,
    Pick,
    Place,
    SourceAction,
    SourceEdit,
    SourcePick,
    SourceVerb,
    StartPart,
    StartPick,
)
from handlers.keyboards.base import Row, button, home_row, markup
from handlers.texts import Texts
from services.presets import Preset, chosen, others
from storage.models import Filters, Start, StartKind

NEW_SOURCE = -1
"""Stands for the channel that is being added, where others have an id."""
OWN_DEFAULTS = 0

PRESETS = tuple(Preset)
STARTS = (
    Start(),
    Start(StartKind.LAST, count=100),
    Start(StartKind.LAST, count=1000),
    Start(StartKind.NEW),
)
"""What the buttons stand for, by position."""


def menu(texts: Texts, of: int, filters: Filters, only_matching: bool, start: Start) -> InlineKeyboardMarkup:
    def pick(label: str, what: FilterPart, value: int = 0) -> Row:
        return [button(label, FilterPick(what=what, id=of, value=value))]

    labels, now = texts.labels, chosen(filters)
    presets = [
        button(f"{_box(preset in now)} {labels.presets[preset]}", FilterPick(what=FilterPart.PRESET, id=of, value=n))
        for n, preset in enumerate(PRESETS)
    ]
    has_dates, has_words = filters.since or filters.until, filters.words or filters.pattern
    has_sizes = filters.min_bytes is not None or filters.max_bytes is not None
    done = labels.done if of == NEW_SOURCE else labels.keep_filters
    return markup(
        pick(f"{_box(filters == Filters())} {labels.everything}", FilterPart.EVERYTHING),
        *[presets[n : n + 2] for n in range(0, len(presets), 2)],
        pick(_marked(labels.other_types, others(filters).extensions), FilterPart.ENDINGS)
        + pick(_marked(labels.size, has_sizes), FilterPart.SIZE),
        pick(_marked(labels.words, has_words), FilterPart.WORDS)
        + pick(_marked(labels.dates, has_dates), FilterPart.DATES),
        pick(f"{_box(only_matching)} {labels.only_matching}", FilterPart.ONLY),
        [button(labels.start_from.format(texts.filters.start(start)), StartPick(what=StartPart.CHOOSE, id=of))]
        if of == NEW_SOURCE
        else [],
        [button(done, FilterPick(what=FilterPart.KEEP, id=of), "primary")],
        _out(texts, of),
    )


def _box(is_on: bool) -> str:
    return "☑" if is_on else "☐"


def _marked(label: str, is_set: object) -> str:
    return f"● {label}" if is_set else label


def _out(texts: Texts, of: int) -> Row:
    if of == NEW_SOURCE:
        return [
            button(texts.labels.back, SourcePick(what=Pick.BACK)),
            button(texts.labels.cancel, Go(to=Place.SOURCES)),
            button(texts.labels.home, Go(to=Place.HOME)),
        ]
    return home_row(texts, SourceEdit(what=EditPick.MENU, id=of))


def asked(texts: Texts, of: int, clear: str) -> InlineKeyboardMarkup:
    """Under a question of the editor. `clear`: the label of the answer that sets no condition."""
    return markup(
        [button(clear, FilterPick(what=FilterPart.CLEAR, id=of))],
        home_row(texts, FilterPick(what=FilterPart.MENU, id=of)),
    )


def kept(texts: Texts, of: int, *, was_read: bool) -> InlineKeyboardMarkup:
    over = [button(texts.labels.start_over, SourceEdit(what=EditPick.START_OVER, id=of))] if was_read else []
    back = SourceEdit(what=EditPick.MENU, id=of) if of == OWN_DEFAULTS else SourceAction(verb=SourceVerb.SHOW, id=of)
    return markup(over, home_row(texts, back))


# -- where it starts


def starts(texts: Texts, of: int, now: Start | None) -> InlineKeyboardMarkup:
    """`now` None: nothing is chosen yet."""
    rows: Sequence[Row] = [
        [button(f"{'● ' if start == now else ''}{label}", StartPick(what=StartPart.PRESET, id=of, value=n))]
        for n, (start, label) in enumerate(zip(STARTS, texts.labels.starts, strict=True))
    ]
    return markup(
        *rows,
        [
            button(texts.labels.own_number, StartPick(what=StartPart.COUNT, id=of)),
            button(texts.labels.since_date, StartPick(what=StartPart.DATE, id=of)),
        ],
        home_row(texts, _from_starts(of)),
    )


def _from_starts(of: int) -> FilterPick | SourceEdit:
    if of == NEW_SOURCE:
        return FilterPick(what=FilterPart.MENU, id=of)
    return SourceEdit(what=EditPick.MENU, id=of)


def ask_start(texts: Texts, of: int) -> InlineKeyboardMarkup:
    return markup(home_row(texts, StartPick(what=StartPart.CHOOSE, id=of)))


def start_over(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.start_over_surely, StartPick(what=StartPart.SURELY, id=source_id), "primary")],
        home_row(texts, StartPick(what=StartPart.CHOOSE, id=source_id)),
    )


def first_run(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    """Under the question before a large one."""
    return markup(
        [button(texts.labels.start_run, SourceAction(verb=SourceVerb.SCRAPE_SURELY, id=source_id), "primary")],
        [button(texts.labels.change_filters, SourceEdit(what=EditPick.FILTERS, id=source_id))],
        home_row(texts, SourceAction(verb=SourceVerb.SHOW, id=source_id)),
    )
