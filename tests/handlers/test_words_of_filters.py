"""Filters, starts and estimates in words: pure functions, in tables. What people typed is never markup."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from handlers.texts import Texts
from services.estimates import GIB, Estimate
from services.presets import Preset, toggle
from storage.models import FileKind, Filters, Start, StartKind

MIB = 2**20
texts = Texts(zone=ZoneInfo("Europe/Berlin"))
MIDNIGHT = datetime(2025, 12, 31, 23, tzinfo=UTC)  # in Berlin


def presets(*wanted: Preset, **conditions: object) -> Filters:
    filters = Filters(**conditions)  # type: ignore[arg-type]
    for preset in wanted:
        filters = toggle(filters, preset)
    return filters


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (Filters(), "all files"),
        (presets(Preset.PDF), "PDF"),
        (
            presets(Preset.PDF, Preset.ARCHIVES, min_bytes=5 * MIB, max_bytes=GIB, words=("invoice",), since=MIDNIGHT),
            "PDF or archives, 5 MB to 1 GB, with «invoice», since 1 Jan 2026",
        ),
        (presets(*Preset), "PDF, archives, images, videos, music, voice messages, e-books, office files or documents"),
        (Filters(kinds=(FileKind.PHOTO,), extensions=("dwg",)), "photos or .dwg"),
        (Filters(mimes=("text/x-<script>",)), "text/x-&lt;script&gt;"),
        (Filters(min_bytes=1536), "all files, from 1.5 KB"),
        (Filters(max_bytes=100 * MIB), "all files, up to 100 MB"),
        (Filters(words=("<b>", "a & b")), "all files, with «&lt;b&gt;» or «a &amp; b»"),
        (Filters(words=tuple("abcdefg")), "all files, with «a», «b», «c», «d», «e» or 2 more words"),
        (Filters(pattern="a<b"), "all files, with /<code>a&lt;b</code>/"),
        (Filters(until=MIDNIGHT), "all files, until 31 Dec 2025"),
        (Filters(since=MIDNIGHT, until=datetime(2026, 3, 31, 22, tzinfo=UTC)), "all files, 1 Jan 2026 to 31 Mar 2026"),
    ],
)
def test_filters(filters: Filters, words: str) -> None:
    """One sentence; days are the reader's, the last one included."""
    assert texts.filters.words(filters) == words


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (Start(), "everything"),
        (Start(StartKind.LAST, count=1), "the last post"),
        (Start(StartKind.LAST, count=1000), "the last 1,000 posts"),
        (Start(StartKind.SINCE, at=MIDNIGHT), "since 1 Jan 2026"),
        (Start(StartKind.NEW, message_id=7), "only what is new"),
    ],
)
def test_starts(start: Start, words: str) -> None:
    """As on the button and on the card."""
    assert texts.filters.start(start) == words


LARGE = Estimate(9000, {FileKind.DOCUMENT: 2500, FileKind.VOICE: 1}, 2311, 84 * GIB, True, 6 * 3600, 120 * GIB, True)


def test_the_question_before_a_large_run() -> None:
    """How much, how long, how much room; what is reckoned is not told as if it were known."""
    asked = texts.estimates.ask(LARGE)
    assert asked == ("⚠️ That is about <b>84.0 GB</b> in 2,311 files: about 6 h, as fast as lately; 120 GB are free.")
    known = Estimate(9, {}, 3, 84 * GIB, False, 30, 2 * GIB)
    assert texts.estimates.ask(known) == (
        "⚠️ That is <b>84.0 GB</b> in 3 files: less than a minute, at a usual pace; 2.0 GB are free: that is not enough."
    )
    assert "free" not in texts.estimates.ask(Estimate(None, {}, 3, GIB, True, 30, None))


def test_lines_of_an_estimate() -> None:
    """For pages that say more: by kind, and in one line."""
    assert texts.estimates.counts(LARGE) == "2,500 documents, 1 voice message"
    assert texts.estimates.line(LARGE) == (
        "9,000 posts, about 2,311 files, 84.0 GB: about 6 h, as fast as lately; 120 GB are free"
    )
    nothing = Estimate(0, {}, 0, 0, False, 0, None)
    assert (texts.estimates.counts(nothing), texts.estimates.amount(nothing)) == ("no files", "no files")
    assert texts.estimates.brings(nothing, is_large=False) == "0 posts, no files."
    assert "cannot be counted" in texts.estimates.brings(None, is_large=False)
