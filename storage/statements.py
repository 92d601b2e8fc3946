"""What the repositories' statements share.

`insert` is the one construct of Core that differs between databases (its upsert), so it has one door.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from sqlalchemy.dialects.sqlite import insert

__all__ = ["CHUNK", "chunks", "insert"]

CHUNK = 500
"""Rows or bound values in one statement: the driver's sweet spot, and far below SQLite's limit of bound values."""

T = TypeVar("T")


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
