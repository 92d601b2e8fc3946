"""What filters mean: for SQLite, by `facts`, and for a request in hand. A test holds the two against each other.

`facts` packs what is yes or no of a request into one number of 192 (schema.FACTS): any combination of such filters is a
set of numbers, and the index (channel, facts, asked_at, id) serves each as one run that is sorted already.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache

from storage.models import IncomingRequest, JoinRequest
from storage.request_models import RequestFilters, RequestGroup

USERNAME, BIO, PREMIUM, MARKED, ALIKE, KNOWN = 1, 8, 16, 32, 64, 128
PHOTO_SHIFT, NO_PHOTO, PHOTO = 1, 1, 2
"""Two bits: 0 nobody has told, 1 none, 2 there is one."""

WORDS_FROM = 3
"""Characters: shorter words have no trigram to be found by."""

ALIKE_FROM = 20
ALIKE_WITHIN_MS = 3_600_000
"""So many of one shape who asked in the same hour of the clock are alike."""
_TELLING_BIO = 12
_DIGITS = re.compile(r"\d+")
_SPACE = re.compile(r"\s+")


def _photo(facts: int) -> int:
    return facts >> PHOTO_SHIFT & 3


ALL_FACTS = frozenset(facts for facts in range(256) if _photo(facts) <= PHOTO)

_FLAGS = {
    "has_username": USERNAME,
    "has_bio": BIO,
    "is_premium": PREMIUM,
    "is_marked": MARKED,
    "is_alike": ALIKE,
    "is_known": KNOWN,
}


def group_of(facts: int) -> RequestGroup:
    if facts & MARKED:
        return RequestGroup.MARKED
    if facts & ALIKE:
        return RequestGroup.ALIKE
    if not facts & USERNAME or _photo(facts) == NO_PHOTO:
        return RequestGroup.BARE
    return RequestGroup.COMPLETE if _photo(facts) == PHOTO else RequestGroup.UNSEEN


@lru_cache(maxsize=256)
def facts_meant(filters: RequestFilters) -> frozenset[int]:
    """Those that the filters allow, of all that are possible. Words, links and times are not in them."""

    def allows(facts: int) -> bool:
        for name, bit in _FLAGS.items():
            wanted = getattr(filters, name)
            if wanted is not None and bool(facts & bit) is not wanted:
                return False
        if filters.has_photo is not None and _photo(facts) != (PHOTO if filters.has_photo else NO_PHOTO):
            return False
        return filters.group is None or group_of(facts) is filters.group

    return frozenset(facts for facts in ALL_FACTS if allows(facts))


def facts_of(request: JoinRequest) -> int:
    photo = {None: 0, False: NO_PHOTO, True: PHOTO}[request.has_photo]
    flags = (
        (USERNAME, request.username is not None),
        (BIO, bool(request.bio)),
        (PREMIUM, bool(request.is_premium)),
        (MARKED, request.is_scam or request.is_fake),
        (ALIKE, request.is_alike),
        (KNOWN, request.is_known),
    )
    return (photo << PHOTO_SHIFT) + sum(bit for bit, is_set in flags if is_set)


def matches(filters: RequestFilters, request: JoinRequest, now: datetime) -> bool:
    """Whether the filters mean this request."""
    waits = now - request.asked_at
    contains: tuple[tuple[str | None, Callable[[str], bool]], ...] = (
        (filters.words, lambda words: any(words in (text or "").lower() for text in (request.name, request.username))),
        (filters.bio, lambda words: words in (request.bio or "").lower()),
    )
    return (
        facts_of(request) in facts_meant(filters)
        and (filters.link is None or request.link == filters.link)
        and (filters.waits_over is None or waits >= timedelta(seconds=filters.waits_over))
        and (filters.waits_under is None or waits < timedelta(seconds=filters.waits_under))
        and all(text is None or found(text.lower()) for text, found in contains)
    )


def shape_of(request: IncomingRequest) -> int:
    """Equal for people of one make: the same bio, else the same username, else the same name, all but for digits."""
    bio = _SPACE.sub(" ", _DIGITS.sub("0", (request.bio or "").casefold())).strip()
    if len(bio) >= _TELLING_BIO:
        told = f"bio {bio}"
    elif request.username and _DIGITS.search(request.username):
        told = f"username {_DIGITS.sub('0', request.username.casefold())}"
    else:
        told = f"name {_SPACE.sub(' ', _DIGITS.sub('0', request.name.casefold())).strip()}"
    return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=8).digest(), "little", signed=True)
