"""Conditions on people who wait, as buttons set them: yes, no or any; how long they wait; words that were typed."""

from dataclasses import replace
from typing import Any

from services.errors import FilterInvalid, FilterTrouble
from storage.request_filters import WORDS_FROM
from storage.request_models import RequestFilters, RequestGroup

FLAGS = ("has_photo", "has_username", "has_bio", "is_premium", "is_marked", "is_alike", "is_known")
"""Fields of RequestFilters that are yes, no or any. A button carries the position: the order is for good."""

MINUTE, HOUR, DAY = 60, 3600, 86_400
WAITS = (10 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 30 * DAY)
"""Seconds. A button carries the position: the order is for good."""
LONGEST_WORDS = 64

_UNREMARKABLE = {"is_marked": False, "is_alike": False}
SAID: dict[RequestGroup, dict[str, bool]] = {
    RequestGroup.MARKED: {"is_marked": True},
    RequestGroup.ALIKE: {"is_marked": False, "is_alike": True},
    RequestGroup.COMPLETE: {"has_username": True, "has_photo": True, **_UNREMARKABLE},
    RequestGroup.BARE: _UNREMARKABLE,
    RequestGroup.UNSEEN: {"has_username": True, **_UNREMARKABLE},
}
"""Yes or no of everybody in a group. A test holds it against storage.request_filters."""

_NEXT: dict[bool | None, bool | None] = {None: True, True: False, False: None}


def holds(filters: RequestFilters, flag: str) -> bool | None:
    """What is known of everybody meant, by the flag itself or by their group. None: either may be."""
    asked: bool | None = getattr(filters, flag)
    return asked if asked is not None or filters.group is None else SAID[filters.group].get(flag)


def is_untold(filters: RequestFilters, flag: str) -> bool:
    """Of nobody meant it is known."""
    return flag == "has_photo" and filters.has_photo is None and filters.group is RequestGroup.UNSEEN


def turned(filters: RequestFilters, flag: str) -> RequestFilters:
    """Any, then yes, then no, then any again. What their group says is turned by taking the group apart: all else that
    it says stays, as conditions of their own."""
    now = holds(filters, flag)
    change: dict[str, Any] = {flag: _NEXT[now]}
    if filters.group is not None and (now is not getattr(filters, flag) or is_untold(filters, flag)):
        said = {name: holds(filters, name) for name in SAID[filters.group]}
        change = {**said, "group": None, **change}
    return replace(filters, **change)


def waiting_over(filters: RequestFilters, seconds: int) -> RequestFilters:
    """The same once more takes it away. What would leave nobody beside it goes."""
    over = None if filters.waits_over == seconds else seconds
    is_empty = over is not None and filters.waits_under is not None and filters.waits_under <= over
    return replace(filters, waits_over=over, waits_under=None if is_empty else filters.waits_under)


def waiting_under(filters: RequestFilters, seconds: int) -> RequestFilters:
    """As `waiting_over`."""
    under = None if filters.waits_under == seconds else seconds
    is_empty = under is not None and filters.waits_over is not None and filters.waits_over >= under
    return replace(filters, waits_under=under, waits_over=None if is_empty else filters.waits_over)


def typed_words(text: str) -> str:
    """What is searched for in names or bios. Raises FilterInvalid."""
    words = " ".join(text.split())
    if not WORDS_FROM <= len(words) <= LONGEST_WORDS or not words.isprintable():
        raise FilterInvalid(FilterTrouble.SEARCH)
    return words
