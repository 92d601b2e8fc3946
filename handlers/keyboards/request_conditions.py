"""Conditions on people who wait, as buttons. Whoever shows them says by `pick` which callback a button carries."""

from collections.abc import Callable, Sequence

from aiogram.filters.callback_data import CallbackData

from handlers.callbacks import Condition
from handlers.keyboards.base import Row, button
from handlers.texts import Texts
from services.requests.conditions import FLAGS, WAITS
from storage.request_models import LinkCount, RequestFilters

Pick = Callable[[Condition, int], CallbackData]
NONE = -1
"""Of a choice: no such condition."""


def menu(texts: Texts, filters: RequestFilters, pick: Pick) -> list[Row]:
    """Every condition, two a line: any, yes or no by a tap; the others lead to their question."""
    words, labels = texts.conditions, texts.labels
    keys = [button(words.flag(flag, filters), pick(Condition.FLAG, place)) for place, flag in enumerate(FLAGS)]
    waits = filters.waits_over is not None or filters.waits_under is not None
    for is_set, label, what in (
        (waits, labels.waits_how_long, Condition.WAITS_MENU),
        (filters.words is not None, labels.name_contains, Condition.WORDS),
        (filters.bio is not None, labels.bio_contains, Condition.BIO),
        (filters.link is not None, labels.came_by_link, Condition.LINK_MENU),
    ):
        keys.append(button(marked(label, is_set), pick(what, 0)))
    if not filters.is_empty:
        keys.append(button(labels.no_conditions, pick(Condition.ANY, 0)))
    return [keys[place : place + 2] for place in range(0, len(keys), 2)]


def waits(texts: Texts, filters: RequestFilters, pick: Pick) -> list[Row]:
    """Over and under, side by side."""

    def key(what: Condition, place: int, chosen: int | None) -> Row:
        word = "over" if what is Condition.OVER else "under"
        label = f"{word} {texts.conditions.span(WAITS[place])}"
        return [button(marked(label, chosen == WAITS[place]), pick(what, place))]

    either = filters.waits_over is not None or filters.waits_under is not None
    return [
        *[
            key(Condition.OVER, place, filters.waits_over) + key(Condition.UNDER, place, filters.waits_under)
            for place in range(len(WAITS))
        ],
        [button(texts.labels.any_wait, pick(Condition.OVER, NONE))] if either else [],
    ]


def links(texts: Texts, offered: Sequence[LinkCount], filters: RequestFilters, pick: Pick) -> list[Row]:
    """With how many came by each."""
    rows = [
        [
            button(
                marked(texts.conditions.link_label(each), each.link == filters.link),
                pick(Condition.LINK, each.request_id),
            )
        ]
        for each in offered
    ]
    return [*rows, [button(texts.labels.any_link, pick(Condition.LINK, NONE))] if filters.link is not None else []]


def asked(texts: Texts, what: Condition, filters: RequestFilters, pick: Pick) -> list[Row]:
    """Under a question for words (`what`: WORDS or BIO)."""
    is_set = (filters.words if what is Condition.WORDS else filters.bio) is not None
    return [[button(texts.labels.any_words, pick(what, NONE))]] if is_set else []


def marked(label: str, is_set: bool) -> str:
    return f"● {label}" if is_set else label
