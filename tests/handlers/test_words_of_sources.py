"""How saved channels read: on buttons, where room is scarce, and on their cards."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.texts import Texts
from handlers.texts.base import LABEL_CHARACTERS
from services.sources import SourceCard
from storage.models import Duplicates, FileTally, Filters, Scope, Source, TargetKind

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEXTS = Texts(clock=lambda: NOW)


def card(name: str, files: int, *, live: bool = False) -> SourceCard:
    source = Source(
        id=1,
        name=name,
        session_id=1,
        is_held=False,
        channel_id=-1,
        channel_title=name,
        filters=Filters(),
        target=TargetKind.LOCAL,
        folder="folder",
        cursor=0,
        enabled=True,
        created_at=NOW,
        updated_at=NOW,
        last_scraped_at=NOW,
        total_messages=0,
        total_files=files,
        total_bytes=0,
        root=None,
        name_template=None,
        duplicates=Duplicates.KEEP,
        scope=Scope.CHANNEL,
        start=None,
        only_matching=False,
        live=live,
        quiet_after=None,
        api_id=None,
    )
    return SourceCard(source, None, None, FileTally(files, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("name", "files", "label"),
    [
        ("News", 1, "📥 News · 1 file"),
        ("Harbour Board", 120, "📥 Harbour Board · 120 files"),
        ("Harbour Archive", 120, "📥 Harbour Archive · 120"),
        ("The Archive of the Harbour", 1204, "📥 The Archive of th… · 1,204"),
    ],
)
def test_a_name_is_cut_no_further_than_it_must_be(name: str, files: int, label: str) -> None:
    """The word “files” goes before a letter of the name does."""
    assert TEXTS.sources.label(card(name, files)) == label
    assert len(label) <= LABEL_CHARACTERS


def test_the_safety_net_reads_as_one_sentence() -> None:
    """Small letters in mid-sentence; a weekday and its time stay on one line."""
    moment = NOW + timedelta(days=2)
    text = TEXTS.sources.card(card("News", 1, live=True), "Every 6 hours", [moment])
    assert text.endswith("\nand as a safety net: every 6 hours · next Sun\N{NO-BREAK SPACE}12:00")
    assert TEXTS.sources.card(card("News", 1), "Every 6 hours", [moment]).splitlines()[-1].startswith("Every 6 hours")
