"""Under the questions about schedules and time zones."""

from collections.abc import Callable, Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    CHOSEN,
    EditPick,
    LoadAction,
    LoadVerb,
    Many,
    ManyVerb,
    SourceAction,
    SourceEdit,
    SourceVerb,
)
from handlers.keyboards.base import Row, button, home_row, markup, pairs, turning, window
from handlers.texts import Texts


def presets(words: Sequence[str], pick: Callable[[int], CallbackData]) -> list[Row]:
    """`words` describe the presets; a button carries the position."""
    return pairs(button(label, pick(position)) for position, label in enumerate(words))


def question(
    texts: Texts, source_id: int, words: Sequence[str], *, has_one: bool, paused: bool | None, is_load: bool = False
) -> InlineKeyboardMarkup:
    """`has_one`: there is a schedule that could go. `paused` None: none that could rest. `is_load`: of the channel of
    that id, who waits there is loaded."""

    def pick(what: EditPick, value: int = 0) -> SourceEdit:
        return SourceEdit(what=what, id=source_id, value=value)

    labels = texts.labels
    rest: Row = []
    if paused is not None:
        verb = SourceVerb.RESUME if paused else SourceVerb.PAUSE
        label = labels.resume_schedule if paused else labels.pause_schedule
        rest = [button(label, SourceAction(verb=verb, id=source_id))]
        if is_load:
            rest = [button(label, LoadAction(verb=LoadVerb.RESUME if paused else LoadVerb.PAUSE, channel=source_id))]
    by_hand = [button(labels.only_by_hand, pick(EditPick.SCHEDULE_OFF))] if has_one or source_id == CHOSEN else []
    back: CallbackData = Many(verb=ManyVerb.OPEN) if source_id == CHOSEN else pick(EditPick.MENU)
    if is_load:
        back = LoadAction(verb=LoadVerb.PLAN, channel=source_id)
    return markup(
        *presets(words, lambda position: pick(EditPick.SCHEDULE_PRESET, position)),
        by_hand,
        rest,
        [button(texts.schedules.zone_label(texts.zone.key), pick(EditPick.ZONE))],
        home_row(texts, back),
    )


def preview(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.use_schedule, SourceEdit(what=EditPick.SCHEDULE_USE, id=source_id), "primary")],
        home_row(texts, SourceEdit(what=EditPick.SCHEDULE_ASK, id=source_id)),
    )


def zones(
    texts: Texts,
    found: Sequence[tuple[int, str]],
    page: int,
    choose: Callable[[int], CallbackData],
    turn: Callable[[int], CallbackData],
    back: CallbackData,
) -> InlineKeyboardMarkup:
    """`found`: place and name of each."""
    return markup(
        *[[button(name, choose(place))] for place, name in window(found, page)],
        turning(texts, page, len(found), (turn(page - 1), turn(page + 1))),
        home_row(texts, back),
    )
