"""Rows in, markup out: what every keyboard is made of. Labels are cut to what a phone shows."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton

from handlers.callbacks import Go, Place
from handlers.texts import Texts
from handlers.texts.base import shorten

ROWS = 8
"""Rows of a list a page (CHAT.md, rule 2)."""
HALF_ROW = 20
"""Characters of a label that a phone shows when two stand in a row."""
Row = list[InlineKeyboardButton]
Item = TypeVar("Item")


def button(label: str, data: CallbackData, style: str | None = None) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=shorten(label), callback_data=data.pack(), style=style)


def markup(*rows: Row) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])


def pairs(keys: Iterable[InlineKeyboardButton]) -> list[Row]:
    """Two a row; a label that half a row would cut stands alone."""
    rows: list[Row] = []
    for key in keys:
        if rows and len(rows[-1]) == 1 and max(len(key.text), len(rows[-1][0].text)) <= HALF_ROW:
            rows[-1].append(key)
        else:
            rows.append([key])
    return rows


def pages(count: int) -> int:
    return max(1, -(-count // ROWS))


def window(items: Sequence[Item], page: int) -> Sequence[Item]:
    """The rows of one page; a page number beyond the end shows the last one."""
    page = min(page, pages(len(items)) - 1)
    return items[page * ROWS : (page + 1) * ROWS]


def home_row(texts: Texts, back: CallbackData | None = None) -> Row:
    row = [button(texts.labels.back, back)] if back else []
    return [*row, button(texts.labels.home, Go(to=Place.HOME))]


def home_key(texts: Texts) -> list[KeyboardButton]:
    """The way out on a keyboard below the chat: a message has either that or buttons of its own."""
    return [KeyboardButton(text=texts.labels.home)]


def only_home(texts: Texts, back: CallbackData | None = None) -> InlineKeyboardMarkup:
    return markup(home_row(texts, back))


def one(label: str, data: CallbackData, texts: Texts, back: CallbackData | None = None) -> InlineKeyboardMarkup:
    """One thing to do, and the way out."""
    return markup([button(label, data)], home_row(texts, back))


def turning(texts: Texts, page: int, count: int, to: Iterable[CallbackData]) -> Row:
    previous, following = to
    row = []
    if page > 0:
        row.append(button(texts.labels.previous, previous))
    if page < pages(count) - 1:
        row.append(button(texts.labels.following, following))
    return row
