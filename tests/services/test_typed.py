"""What people type: sizes, dates, words, endings, numbers. Tables of what is read, and of what is refused and why."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from services import typed
from services.errors import FilterInvalid, FilterTrouble, PatternInvalid

KIB, MIB, GIB = 2**10, 2**20, 2**30
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("5 MB", None, 5 * MIB),
        ("1.5GB", None, GIB * 3 // 2),
        ("1,5 gb", None, GIB * 3 // 2),
        ("200k", None, 200 * KIB),
        ("200 KiB", None, 200 * KIB),
        ("1024", None, 1024),
        ("0", None, 0),
        ("17 bytes", None, 17),
        ("up to 20 MB", None, 20 * MIB),
        ("< 20MB", None, 20 * MIB),
        ("to 3m", None, 3 * MIB),
        ("from 5 MB", 5 * MIB, None),
        (">=5m", 5 * MIB, None),
        ("at least 1 t", 2**40, None),
        ("5 MB - 1 GB", 5 * MIB, GIB),
        ("5MB-1GB", 5 * MIB, GIB),
        ("5 – 10 MB", 5 * MIB, 10 * MIB),
        ("5 MB to 1 GB", 5 * MIB, GIB),
        ("from 5 MB to 1 GB", 5 * MIB, GIB),
        ("5..10k", 5 * KIB, 10 * KIB),
        ("  5 MB  ", None, 5 * MIB),
        ("5 MB - 5 MB", 5 * MIB, 5 * MIB),
    ],
)
def test_sizes(text: str, low: int | None, high: int | None) -> None:
    """Units in any case, with steps of 1024; ranges in the ways that people write them."""
    assert typed.sizes(text) == (low, high)


@pytest.mark.parametrize(
    "text",
    ["", "big", "MB", "-5 MB", "5 MB -", "5 XB", "1.2.3 MB", "1 - 2 - 3 MB", "9999999 TB", "up to", "٣ MB x", "NaN"],
)
def test_no_sizes(text: str) -> None:
    """Refused with what would be one, never guessed."""
    with pytest.raises(FilterInvalid) as refused:
        typed.sizes(text)
    assert refused.value.why is FilterTrouble.SIZE


@pytest.mark.parametrize(
    ("text", "since", "until"),
    [
        ("2026-01-31", datetime(2026, 1, 30, 23, tzinfo=UTC), None),
        ("31.01.2026", datetime(2026, 1, 30, 23, tzinfo=UTC), None),
        ("since 1.7.2026", datetime(2026, 6, 30, 22, tzinfo=UTC), None),
        ("2026-01-01 - 2026-01-31", datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 31, 23, tzinfo=UTC)),
        ("1.1.2026–1.1.2026", datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, 23, tzinfo=UTC)),
        ("from 1.1.2026 to 31.3.2026", datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)),
        ("until 28.02.2024", None, datetime(2024, 2, 28, 23, tzinfo=UTC)),
    ],
)
def test_dates(text: str, since: datetime | None, until: datetime | None) -> None:
    """Days of the admin's zone, summer time included; the last day is wanted to its end."""
    assert typed.dates(text, BERLIN) == (since, until)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tomorrow", FilterTrouble.DATE),
        ("2026-02-30", FilterTrouble.DATE),
        ("31.04.2026", FilterTrouble.DATE),
        ("0001-01-01", FilterTrouble.DATE),
        ("9999-12-31", FilterTrouble.DATE),
        ("until 9999-12-31", FilterTrouble.DATE),
        ("2026-13-01", FilterTrouble.DATE),
        ("01/02/2026", FilterTrouble.DATE),  # day or month first? nobody knows
        ("", FilterTrouble.DATE),
        ("2026-03-01 - 2026-02-01", FilterTrouble.DATE_ORDER),
    ],
)
def test_no_dates(text: str, why: FilterTrouble) -> None:
    """Days that there are not, ways to write them that can be read in two ways, and wrong orders."""
    with pytest.raises(FilterInvalid) as refused:
        typed.dates(text, BERLIN)
    assert refused.value.why is why


def test_a_day() -> None:
    """For a start: its first moment in the admin's zone."""
    assert typed.day("since 2026-01-31", BERLIN) == datetime(2026, 1, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words", "pattern"),
    [
        ("invoice", ("invoice",), None),
        ("invoice, Bill ,, total  sum", ("invoice", "Bill", "total sum"), None),
        ("Отчёт;下週", ("Отчёт", "下週"), None),
        ("a, a", ("a",), None),
        ("/invoice.*2026/", (), "invoice.*2026"),
        ("/a,b/", (), "a,b"),
        ("//", ("//",), None),
        ("and/or", ("and/or",), None),
    ],
)
def test_words(text: str, words: tuple[str, ...], pattern: str | None) -> None:
    """Between commas; between slashes it is a pattern."""
    assert typed.words(text) == (words, pattern)


@pytest.mark.parametrize("text", ["", " , ,", ";", "w" * 65, ",".join(str(n) for n in range(21))])
def test_no_words(text: str) -> None:
    """None, too long ones, too many."""
    with pytest.raises(FilterInvalid):
        typed.words(text)


@pytest.mark.parametrize(
    "text", ["/(/", "/[z-a]/", "/a{1000}{1000}{1000}/", "/(?<=a)b/", r"/(a)\1/", "/" + "a" * 501 + "/"]
)
def test_no_patterns(text: str) -> None:
    """What RE2 does not read, with its word."""
    with pytest.raises(PatternInvalid) as refused:
        typed.words(text)
    assert refused.value.why


@pytest.mark.parametrize(
    ("text", "extensions"),
    [("dwg", ("dwg",)), (".DWG, *.iso;c++", ("dwg", "iso", "c++")), ("7z 7z", ("7z",))],
)
def test_extensions(text: str, extensions: tuple[str, ...]) -> None:
    """With dots and stars or without."""
    assert typed.extensions(text) == extensions


@pytest.mark.parametrize("text", ["", ".", "tar.gz", "a/b", "x" * 17, " ".join(f"e{n}" for n in range(31))])
def test_no_extensions(text: str) -> None:
    """Nothing that could be one, and too many."""
    with pytest.raises(FilterInvalid):
        typed.extensions(text)


@pytest.mark.parametrize(("text", "count"), [("1", 1), ("1,000", 1000), ("2 500", 2500), ("10000000", 10_000_000)])
def test_count(text: str, count: int) -> None:
    """Thousands may be set apart."""
    assert typed.count(text) == count


@pytest.mark.parametrize("text", ["", "0", "-5", "many", "10000001", "1e3", "²", "9" * 5000])
def test_no_count(text: str) -> None:
    """Nothing that would be asked of Telegram."""
    with pytest.raises(FilterInvalid):
        typed.count(text)
