import asyncio
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from storage.database import Database
from storage.errors import DatabaseTooNew, ForeignDatabase
from storage.migrate import HEAD, SCRIPTS, migrate
from storage.schema import metadata
from tests.storage.past import at_revision

NEXT = f"""
from alembic import op

revision = "next"
down_revision = "{HEAD}"


def upgrade():
    {{what}}
"""


def ask(path: Path, statement: str) -> list[Any]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


def tables(path: Path) -> set[str]:
    """A virtual table and what it consists of are FTS5's."""
    every = ask(path, "SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {name for (name,) in every if not name.startswith("join_requests_text")}


def normalised(statements: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    return {name: re.sub(r"\s+", " ", sql) for name, sql in statements if sql and name != "alembic_version"}


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """Our scripts, with room for one more."""
    scripts = tmp_path / "migrations"
    shutil.copytree(SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    return scripts


def add_next(scripts: Path, what: str) -> None:
    (scripts / "versions" / "next.py").write_text(NEXT.format(what=what))


def test_head_is_the_newest_script() -> None:
    """The constant that spares the import of Alembic tells the truth."""
    assert ScriptDirectory(str(SCRIPTS)).get_heads() == [HEAD]


def test_migrations_make_what_the_schema_says(path: Path) -> None:
    """Columns, types, nullability, defaults, keys, indexes, STRICT and AUTOINCREMENT: the same statements."""
    wanted_path = path.with_name("wanted.db")
    engine = create_engine(f"sqlite:///{wanted_path}")
    metadata.create_all(engine)
    engine.dispose()
    statement = "SELECT name, sql FROM sqlite_schema"
    assert normalised(ask(path, statement)) == normalised(ask(wanted_path, statement))


def test_every_table_is_strict_and_no_id_is_reused(path: Path) -> None:
    """STRICT everywhere; a table with an `id` of its own giving counts on with AUTOINCREMENT."""
    ours = {name for name in tables(path) if name != "alembic_version" and not name.startswith("sqlite_")}
    strict = {row[1] for row in ask(path, "PRAGMA table_list") if row[5]}
    counting = {name for name, sql in ask(path, "SELECT name, sql FROM sqlite_schema") if "AUTOINCREMENT" in str(sql)}
    own_ids = {table.name for table in metadata.tables.values() if table.autoincrement_column is not None}
    assert ours == strict == set(metadata.tables)
    assert own_ids <= counting


def test_a_database_at_head_costs_no_alembic(path: Path) -> None:
    """An ordinary start imports neither Alembic nor its templates."""
    code = (
        "import sys; from pathlib import Path; from storage.migrate import migrate; "
        f"migrate(Path({str(path)!r})); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_new_database_leaves_no_snapshot(tmp_path: Path) -> None:
    """There is nothing to keep of an empty file."""
    path = tmp_path / "porter.db"
    path.touch()
    migrate(path)
    assert [file.name for file in tmp_path.iterdir()] == ["porter.db"]
    assert ask(path, "PRAGMA journal_mode") == [("wal",)]


def test_a_snapshot_stands_beside_the_migrated_file(path: Path, scripts: Path) -> None:
    """Before the first change the whole database is copied, readable by its owner alone, WAL included."""
    add_next(scripts, 'op.execute("DELETE FROM meta")')
    with closing(sqlite3.connect(path, isolation_level=None)) as unfolded:
        unfolded.execute("INSERT INTO meta VALUES ('here', x'01')")  # lies in the WAL as long as this is open
        migrate(path, head="next", scripts=scripts)
    snapshot = path.with_name("porter.db.before-next")
    assert ask(snapshot, "SELECT key FROM meta") == [("here",)]
    assert ask(snapshot, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert stat.S_IMODE(snapshot.stat().st_mode) == 0o600
    assert ask(path, "SELECT key FROM meta") == []
    assert ask(path, "SELECT version_num FROM alembic_version") == [("next",)]


def test_the_first_database_moves_on_with_its_rows(tmp_path: Path) -> None:
    """A database of revision 0001 comes to HEAD with what it holds, and a copy of it stays."""
    path = at_revision(tmp_path, "0001")
    ask(path, "INSERT INTO admins VALUES (7, 'OWNER', 'Ann', NULL, 0, NULL)")
    migrate(path)
    assert ask(path, "SELECT user_id, role FROM admins") == [(7, "OWNER")]
    assert ask(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert ask(path.with_name(f"porter.db.before-{HEAD}"), "SELECT name FROM admins") == [("Ann",)]


def test_messages_move_into_their_new_tables(tmp_path: Path) -> None:
    """From 0003 each message comes along, linked to its source and from now on to its channel as well."""
    path = at_revision(tmp_path, "0003")
    ask(path, "INSERT INTO channels VALUES (-1001, 'Harbour', NULL, 'CHANNEL', NULL, NULL, 0)")
    ask(
        path,
        "INSERT INTO sessions (id, name, user_id, account_name, masked_phone, api_id, fingerprint, state, created_at, "
        "updated_at) VALUES (3, 'Work', 9, 'Ann', '+1', 1, x'01', 'ACTIVE', 0, 0)",
    )
    ask(
        path,
        "INSERT INTO sources (id, name, session_id, channel_id, filters, target, folder, created_at, updated_at) "
        """VALUES (5, 'Papers', 3, -1001, '{"extensions":["pdf"],"kinds":[]}', 'LOCAL', 'papers', 0, 0)""",
    )
    for number in (2, 1):
        ask(path, f"INSERT INTO messages VALUES (-1001, {number}, 7, NULL, 'text {number}', NULL, NULL)")
        ask(path, f"INSERT INTO source_messages VALUES (5, {number})")
    migrate(path)
    assert ask(path, "SELECT * FROM messages") == [
        (-1001, 1, 7, None, "text 1", None, None),
        (-1001, 2, 7, None, "text 2", None, None),
    ]
    assert ask(path, "SELECT * FROM source_messages") == [(5, -1001, 1), (5, -1001, 2)]
    assert ask(path, "SELECT scope, start, only_matching, live FROM sources") == [("CHANNEL", None, 0, 0)]


def test_a_failing_script_changes_nothing(path: Path, scripts: Path) -> None:
    """DDL and rows of a migration that fails are rolled back together."""
    add_next(scripts, 'op.execute("CREATE TABLE half (id INTEGER)"); op.execute("DELETE FROM nowhere")')
    with pytest.raises(Exception, match="no such table"):
        migrate(path, head="next", scripts=scripts)
    assert "half" not in tables(path)
    assert ask(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]


def test_orphans_are_not_committed(path: Path, scripts: Path) -> None:
    """Foreign keys are off while a script runs, and looked after before its commit."""
    add_next(scripts, "op.execute(\"INSERT INTO flood_waits VALUES (77, 'x', 1)\")")
    with pytest.raises(RuntimeError, match="flood_waits"):
        migrate(path, head="next", scripts=scripts)
    assert ask(path, "SELECT * FROM flood_waits") == []


def test_rebuilding_a_table_keeps_its_children(path: Path, scripts: Path) -> None:
    """A table rebuilt by a batch migration does not cascade to the rows that point at it."""
    ask(path, "INSERT INTO channels (id, title, kind, updated_at) VALUES (-1001, 'Harbour', 'CHANNEL', 0)")
    columns = "channel_id, user_id, status, name, asked_at, is_scam, is_fake, first_seen_at, last_seen_at"
    ask(path, f"INSERT INTO join_requests ({columns}) VALUES (-1001, 1, 'PENDING', 'Ann', 0, 0, 0, 0, 0)")
    add_next(
        scripts,
        "import sqlalchemy as sa\n"
        '    with op.batch_alter_table("channels", recreate="always") as batch:\n'
        '        batch.alter_column("title", existing_type=sa.Text(), nullable=True)',
    )
    migrate(path, head="next", scripts=scripts)
    assert ask(path, "SELECT name FROM join_requests") == [("Ann",)]


def test_a_newer_database_is_refused_untouched(path: Path) -> None:
    """A revision of the future stops the start: no byte of the file changes and no snapshot appears."""
    ask(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew) as caught:
        migrate(path)
    assert (caught.value.found, caught.value.known) == ("9999", HEAD)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.before-*"))


def test_another_programs_database_is_refused_untouched(tmp_path: Path) -> None:
    """A file full of somebody else's tables gets none of ours."""
    path = tmp_path / "porter.db"
    ask(path, "CREATE TABLE theirs (id INTEGER)")
    before = path.read_bytes()
    with pytest.raises(ForeignDatabase):
        migrate(path)
    assert path.read_bytes() == before


async def test_paths_with_odd_signs_work(tmp_path: Path) -> None:
    """A directory may be called anything that the file system takes."""
    path = tmp_path / "it's 100% ünusual?#&" / "porter.db"
    async with Database.open(path) as database:
        await database.claim_identity(1, "telegram")
    assert await asyncio.to_thread(ask, path, "SELECT value FROM meta WHERE key = 'network'") == [(b"telegram",)]
