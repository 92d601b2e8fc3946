"""The reader of session files as a process of its own, with files that were made to hurt."""

import asyncio
import random
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services import session_file_reader, session_files
from services.errors import SessionTrouble, SessionUnreadable
from services.session_formats import read_tables
from tests.services import session_samples as samples
from tests.services.session_samples import DC, HOST, KEY, PORT, Statement, database
from tests.services.test_session_formats import mutated

SEED = 356
CHILDREN = 40
"""Damaged files that go through the real child; the others are read in the test's process."""

VERSION = "CREATE TABLE version (version INTEGER PRIMARY KEY)"
SESSIONS = (
    "CREATE TABLE sessions (dc_id INTEGER PRIMARY KEY, server_address TEXT, port INTEGER, auth_key BLOB, "
    "takeout_id INTEGER)"
)
ROW: Statement = ("INSERT INTO sessions VALUES (?, ?, ?, ?, NULL)", (DC, HOST, PORT, KEY))
GOOD: tuple[Statement, ...] = (VERSION, SESSIONS, "INSERT INTO version VALUES (7)", ROW)
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT"


def inside(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def why_refused(content: bytes) -> SessionTrouble:
    with pytest.raises(SessionUnreadable) as refused:
        read_tables(await session_files.read_file(content))
    return refused.value.why


async def test_a_good_file_through_the_child(tmp_path: Path) -> None:
    """The child tells what the file holds, and no file is left or made anywhere it could be."""
    content = samples.telethon_file(tmp_path)
    before = inside(tmp_path)
    assert read_tables(await session_files.read_file(content)).auth_key == KEY
    assert inside(tmp_path) == before


HOSTILE: dict[str, tuple[Statement, ...]] = {
    "a view in the table's place": (
        VERSION,
        "INSERT INTO version VALUES (7)",
        f"CREATE VIEW sessions AS {ENDLESS} i AS dc_id, randomblob(1000000000) AS auth_key FROM n",
    ),
    "a view beside": (*GOOD, "CREATE VIEW v AS SELECT 1"),
    "a trigger": (*GOOD, "CREATE TRIGGER t AFTER INSERT ON sessions BEGIN DELETE FROM sessions; END"),
    "a full-text table": (*GOOD, "CREATE VIRTUAL TABLE f USING fts5(x)"),
    "a virtual table in the table's place": (
        VERSION,
        "INSERT INTO version VALUES (7)",
        "CREATE VIRTUAL TABLE sessions USING fts5(dc_id, auth_key)",
    ),
    "a column that is computed": (
        VERSION,
        "INSERT INTO version VALUES (7)",
        "CREATE TABLE sessions (dc_id INTEGER, auth_key BLOB AS (zeroblob(900000000)) VIRTUAL)",
        "INSERT INTO sessions VALUES (2)",
    ),
    "ten thousand tables": (
        "PRAGMA page_size = 512",
        "PRAGMA synchronous = OFF",
        *GOOD,
        "BEGIN",
        *(f"CREATE TABLE t{n} (x)" for n in range(10_000)),
        "COMMIT",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_files(name: str, tmp_path: Path) -> None:
    """Refused by the list of objects, before a row is read."""
    assert await why_refused(database(tmp_path, *HOSTILE[name])) is SessionTrouble.HOSTILE


def huge_key(directory: Path) -> bytes:
    return database(directory, *GOOD, "UPDATE sessions SET auth_key = zeroblob(15000000)")


def no_tables(directory: Path) -> bytes:
    return database(directory, "CREATE TABLE notes (x)")


def no_row(directory: Path) -> bytes:
    return database(directory, *GOOD, "DELETE FROM sessions")


def signed_out(directory: Path) -> bytes:
    return database(directory, *GOOD, "UPDATE sessions SET auth_key = x''")


def a_float(directory: Path) -> bytes:
    return database(directory, *GOOD, "UPDATE sessions SET port = 1.5")


def cut_off(directory: Path) -> bytes:
    return samples.telethon_file(directory)[:-4096]


def firefoxs_cookies(directory: Path) -> bytes:
    return database(
        directory, "CREATE TABLE version (x)", "CREATE TABLE sessions (y)", "INSERT INTO version VALUES (1)"
    )


def own_schema(directory: Path) -> bytes:
    """A schema whose text is no longer what SQLite parsed: found out when it is read."""
    path = directory / "own.session"
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in GOOD:
        connection.execute(*((statement,) if isinstance(statement, str) else statement))
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = 'CREATE TABLE sessions (nonsense' WHERE name = 'sessions'")
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (huge_key, SessionTrouble.DAMAGED),
        (no_tables, SessionTrouble.NOT_A_SESSION),
        (no_row, SessionTrouble.NO_KEY),
        (signed_out, SessionTrouble.NO_KEY),
        (a_float, SessionTrouble.DAMAGED),
        (cut_off, SessionTrouble.DAMAGED),
        (firefoxs_cookies, SessionTrouble.NOT_A_SESSION),
        (own_schema, SessionTrouble.DAMAGED),
        (lambda _: b"PK\x03\x04" + bytes(5000), SessionTrouble.NOT_A_SESSION),
        (lambda _: session_file_reader.HEADER, SessionTrouble.DAMAGED),
        (lambda _: b"\x37\x7f\x06\x82" + bytes(4096), SessionTrouble.WAL_MISSING),
        (lambda _: session_file_reader.HEADER + bytes(20 * 1024 * 1024 - 16), SessionTrouble.DAMAGED),
        (lambda _: bytes(20 * 1024 * 1024 + 1), SessionTrouble.TOO_LARGE),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
async def test_bad_files(make: Callable[[Path], bytes], why: SessionTrouble, tmp_path: Path) -> None:
    """Each with the reason that an admin can act on."""
    assert await why_refused(make(tmp_path)) is why


@pytest.mark.parametrize("written_before", [0, 2, 3])
async def test_a_file_that_misses_its_wal(written_before: int, tmp_path: Path) -> None:
    """What was written last lies in a file that did not come along: tables, rows or the key are missing here."""
    path = tmp_path / "live.session"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    for number, statement in enumerate(GOOD):
        if number == written_before:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute(*((statement,) if isinstance(statement, str) else statement))
    alone = path.read_bytes()
    connection.close()
    assert await why_refused(alone) is SessionTrouble.WAL_MISSING
    assert read_tables(await session_files.read_file(path.read_bytes())).auth_key == KEY


async def test_damaged_files_through_the_child(tmp_path: Path) -> None:
    """A sample of the mutations through the real child: a session or a refusal, and the folder stays as it was."""
    chance = random.Random(SEED)
    content = samples.telethon_file(tmp_path)
    before = inside(tmp_path)
    outcomes = {"read": 0, "refused": 0}
    for _ in range(CHILDREN):
        try:
            read_tables(await session_files.read_file(mutated(content[:8192], chance) + content[8192:]))
            outcomes["read"] += 1
        except SessionUnreadable:
            outcomes["refused"] += 1
    assert all(outcomes.values()), outcomes
    assert inside(tmp_path) == before


LIMITED = """
import sys
sys.path.insert(0, sys.argv[1])
import session_file_reader
session_file_reader._limit_this_process()
"""


@pytest.mark.parametrize(
    "deed",
    [
        "bytearray(300 * 1024 * 1024)",
        "open('written', 'wb', 0).write(b'x' * 10)",
        "[open('/dev/null') for _ in range(20)]",
    ],
)
async def test_the_limits_hold(deed: str, tmp_path: Path) -> None:
    """Memory, files written and files opened: what a broken SQLite might try fails in that process."""
    folder = str(Path(session_file_reader.__file__).parent)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", LIMITED + deed, folder, stderr=asyncio.subprocess.DEVNULL, cwd=tmp_path
    )
    assert await child.wait() != 0


async def test_the_child_is_killed_when_it_is_cancelled() -> None:
    """An admin's Porter that stops does not leave a reader behind."""
    task = asyncio.create_task(session_files.read_file(session_file_reader.HEADER + bytes(1000)))
    await asyncio.sleep(0.005)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
