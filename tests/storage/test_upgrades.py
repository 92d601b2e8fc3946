"""What an upgrade leaves beside the database, and what it needs: copies, and room for them."""

import logging
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.errors import NoRoom
from storage.migrate import HEAD, SNAPSHOTS_KEPT, migrate
from tests.services.conftest import small_disk
from tests.storage.past import at_revision, every_row

__all__ = ["small_disk"]

MIB = 1024 * 1024


def snapshots(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.glob("porter.db.*"))


def fill(path: Path, size: int) -> None:
    """A row of that many bytes, folded into the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("INSERT INTO meta VALUES ('ballast', zeroblob(?))", (size,))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_only_an_upgrade_makes_a_copy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At HEAD nothing is copied and nothing said; on the way there one copy stays, and the log names it."""
    caplog.set_level(logging.INFO, logger="storage.migrate")
    path = at_revision(tmp_path, "0004")
    caplog.clear()
    migrate(path)
    assert snapshots(path) == [f"porter.db.before-{HEAD}"]
    assert f"from schema 0004 to {HEAD}" in caplog.text
    assert f"porter.db.before-{HEAD}" in caplog.text
    caplog.clear()
    migrate(path)
    assert snapshots(path) == [f"porter.db.before-{HEAD}"]
    assert not caplog.records


def test_the_newest_copies_are_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of those that stood there the oldest go, by their age and not by their names; each is named in the log."""
    caplog.set_level(logging.INFO, logger="storage.migrate")
    path = at_revision(tmp_path, "0004")
    for age, name in enumerate(("0008", "0001", "0007", "0002")):
        old = path.with_name(f"porter.db.before-{name}")
        old.write_bytes(b"old")
        os.utime(old, (1_000_000 - age, 1_000_000 - age))
    path.with_name("porter.db.kept-by-hand").write_bytes(b"mine")
    migrate(path)
    kept = [f"porter.db.before-{name}" for name in sorted(("0001", HEAD, "0008"))]
    assert snapshots(path) == [*kept, "porter.db.kept-by-hand"]
    assert len(kept) == SNAPSHOTS_KEPT
    assert "removed porter.db.before-0007" in caplog.text
    assert "removed porter.db.before-0002" in caplog.text


def test_no_room_is_seen_before_anything_is_touched(small_disk: Path) -> None:
    """Less free than a copy and a WAL may take: one line with both numbers, no byte changed, nothing left behind."""
    path = at_revision(small_disk, "0004")
    fill(path, 2 * MIB)
    (small_disk / "other").write_bytes(bytes(3 * MIB))
    before = path.read_bytes()
    with pytest.raises(NoRoom, match=r"takes \d MB beside it; \d MB are free") as refused:
        migrate(path)
    assert "\n" not in str(refused.value)
    assert refused.value.free_bytes < refused.value.needed_bytes
    assert path.read_bytes() == before
    assert not snapshots(path)
    (small_disk / "other").unlink()
    migrate(path)
    assert snapshots(path) == [f"porter.db.before-{HEAD}"]


def test_a_disk_that_fills_up_on_the_way_undoes_the_upgrade(small_disk: Path, tmp_path: Path) -> None:
    """A script writes more than there is room for: rolled back, the copy gives its room back, one line."""
    scripts = tmp_path / "scripts"
    path = at_revision(small_disk, HEAD)
    rows = every_row(path)
    shutil.copytree(Path(migrate.__code__.co_filename).parent / "migrations", scripts)
    (scripts / "versions" / "next.py").write_text(
        "from alembic import op\n"
        f'revision, down_revision = "next", "{HEAD}"\n'
        "def upgrade():\n"
        "    for number in range(64):\n"
        "        op.execute(f\"INSERT INTO meta VALUES ('{number}', zeroblob(1048576))\")\n"
    )
    with pytest.raises(NoRoom):
        migrate(path, head="next", scripts=scripts)
    assert every_row(path) == rows
    assert snapshots(path) == []
    migrate(path)
