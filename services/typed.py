"""What people type when they are asked for sizes, dates, words and numbers. All raise FilterInvalid with the reason."""

import re
from datetime import date, datetime, time, timedelta, tzinfo

from services.errors import FilterInvalid, FilterTrouble
from services.filters import pattern_finder

MOST_WORDS = 20
LONGEST_WORD = 64
MOST_EXTENSIONS = 30
MOST_POSTS = 10_000_000

_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE = re.compile(r"(\d+(?:[.,]\d{1,3})?)\s*([kmgt]?)(?:i?b|bytes?)?", re.IGNORECASE)
_EXTENSION = re.compile(r"[\w+-]{1,16}")
_DATES = (
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})"), (1, 2, 3)),
    (re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})"), (3, 2, 1)),
)
_FROM = re.compile(r"(?:from|since|over|at least|>=?|≥)\s*(.+)", re.IGNORECASE)
_TO = re.compile(r"(?:up to|to|until|till|under|at most|<=?|≤)\s*(.+)", re.IGNORECASE)


def sizes(text: str) -> tuple[int | None, int | None]:
    """Smallest and largest, in bytes, both included; a number without a word before it is the largest.

    "5 MB - 1 GB", "from 200k", "up to 1.5GB". Steps of 1024, as Telegram shows sizes.
    """
    text = text.strip()
    if ends := _TO.fullmatch(text):
        return None, _size(ends[1])
    begins = _FROM.fullmatch(text)
    parts = re.split(r"\s*(?:-|–|—|\.\.+|\bto\b)\s*", begins[1] if begins else text)
    if len(parts) == 1:
        size = _size(parts[0])
        return (size, None) if begins else (None, size)
    unit = _SIZE.fullmatch(parts[1])
    low, high = _size(parts[0], unit[2] if unit else ""), _size("-".join(parts[1:]))
    if low > high:
        raise FilterInvalid(FilterTrouble.SIZE_ORDER)
    return low, high


def _size(text: str, usual_unit: str = "") -> int:
    """`usual_unit`: of "5 - 10 MB"."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise FilterInvalid(FilterTrouble.SIZE)
    bare = not found[2] and text.strip()[-1].isdigit()
    size = float(found[1].replace(",", ".")) * _UNITS[(usual_unit if bare else found[2]).lower()]
    if size >= 2**53:
        raise FilterInvalid(FilterTrouble.SIZE)
    return round(size)


def dates(text: str, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """First moment and the moment after the last, in UTC's terms; one day alone is the first.

    "2026-01-31", "31.01.2026 - 31.03.2026", "until 31.03.2026". Days are the admin's.
    """
    text = text.strip()
    if ends := _TO.fullmatch(text):
        return None, _end(_day(ends[1]), zone)
    begins = _FROM.fullmatch(text)
    parts = re.split(r"\s+(?:-|to|until)\s+|\s*(?:–|—|\.\.\.*)\s*", begins[1] if begins else text)
    if len(parts) == 1:
        return _begin(_day(parts[0]), zone), None
    first, last = _day(parts[0]), _day(" ".join(parts[1:]))
    if first > last:
        raise FilterInvalid(FilterTrouble.DATE_ORDER)
    return _begin(first, zone), _end(last, zone)


def day(text: str, zone: tzinfo) -> datetime:
    """The first moment of that day."""
    begins = _FROM.fullmatch(text.strip())
    return _begin(_day(begins[1] if begins else text), zone)


def _day(text: str) -> date:
    for pattern, (year, month, day_of_month) in _DATES:
        if found := pattern.fullmatch(text.strip()):
            try:
                wanted = date(int(found[year]), int(found[month]), int(found[day_of_month]))
            except ValueError as error:
                raise FilterInvalid(FilterTrouble.DATE) from error
            if 1970 < wanted.year < 2200:  # Telegram began in 2013; no column takes what lies far outside of its time
                return wanted
    raise FilterInvalid(FilterTrouble.DATE)


def _begin(of: date, zone: tzinfo) -> datetime:
    return datetime.combine(of, time(), zone)


def _end(of: date, zone: tzinfo) -> datetime:
    return _begin(of + timedelta(days=1), zone)


def words(text: str) -> tuple[tuple[str, ...], str | None]:
    """Words with commas between, or a pattern between slashes: `invoice, bill`, `/invoice.*2026/`. Raises
    PatternInvalid as well."""
    text = text.strip()
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        pattern_finder(text[1:-1])
        return (), text[1:-1]
    found = tuple(dict.fromkeys(" ".join(word.split()) for word in re.split(r"[,;\n]", text) if word.strip()))
    if not found:
        raise FilterInvalid(FilterTrouble.WORDS)
    if len(found) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in found):
        raise FilterInvalid(FilterTrouble.MANY_WORDS)
    return found, None


def extensions(text: str) -> tuple[str, ...]:
    """Endings of file names, with or without a dot: `.dwg, iso`."""
    found = tuple(dict.fromkeys(part.lstrip("*").lstrip(".").lower() for part in re.split(r"[,;\s]+", text) if part))
    if not found or len(found) > MOST_EXTENSIONS or not all(_EXTENSION.fullmatch(each) for each in found):
        raise FilterInvalid(FilterTrouble.EXTENSIONS)
    return found


def count(text: str) -> int:
    """How many posts: `500`, `1,000`, `2 500`."""
    digits = re.sub(r"[\s,.'’]", "", text)
    if not digits.isdecimal() or len(digits) > len(str(MOST_POSTS)) or not 1 <= int(digits) <= MOST_POSTS:
        raise FilterInvalid(FilterTrouble.COUNT)
    return int(digits)
