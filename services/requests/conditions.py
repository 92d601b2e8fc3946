"""Conditions on people who wait, as buttons set them: yes, no or either; how long they wait; words that were typed."""

from dataclasses import replace
from typing import Any

from services.errors import FilterInvalid, FilterTrouble
from storage.request_filters import WORDS_FROM
from storage.request_models import RequestFilters

FLAGS = ("has_photo", "has_username", "has_bio", "is_premium", "is_marked", "is_alike", "is_known")
"""Fields of RequestFilters that are yes, no or either. A button carries the position: the order is for good."""

MINUTE, HOUR, DAY = 60, 3600, 86_400
WAITS = (10 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY)
"""Seconds. A button carries the position: the order is for good."""
LONGEST_WORDS = 64

_NEXT: dict[bool | None, bool | None] = {None: True, True: False, False: None}


def turned(filters: RequestFilters, flag: str) -> RequestFilters:
    """Either, then yes, then no, then either again."""
    change: dict[str, Any] = {flag: _NEXT[getattr(filters, flag)]}
    return replace(filters, **change)


def typed_words(text: str) -> str:
    """What is searched for in names or bios. Raises FilterInvalid."""
    words = " ".join(text.split())
    if not WORDS_FROM <= len(words) <= LONGEST_WORDS or not words.isprintable():
        raise FilterInvalid(FilterTrouble.SEARCH)
    return words
