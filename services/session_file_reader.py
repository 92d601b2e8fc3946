"""Reads a .session file in a process of its own: file on stdin, one line of JSON on stdout, nothing else.

The file comes from a chat and may be made to hurt: SQLite runs what a schema says (views, triggers, virtual tables,
generated columns) and has had memory errors on crafted pages. So this program has no network, no files, little memory
and few seconds; it opens the bytes as a database in memory, looks at the list of objects before anything else, refuses
all but plain tables, and reads one row of two of them. It never writes.

Standard library alone: services/session_files.py starts it isolated (`python -I -S`), without our packages.
The line is {"version": {...}, "session": {...}} or {"refused": one of REFUSALS}. Bytes are {"base64": ...}.
"""

import base64
import json
import sqlite3
import sys
from typing import Any

MAX_FILE_BYTES = 20 * 1024 * 1024
MEMORY_BYTES = 256 * 1024 * 1024
CPU_SECONDS = 5

HEADER = b"SQLite format 3\x00"
HEADER_BYTES = 100
WAL_HEADERS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")

MAX_OBJECTS = 64
"""The libraries' files have up to a dozen tables and indexes."""
MAX_COLUMNS = 32
MAX_VALUE_BYTES = 4096
MAX_STEPS = 1_000_000
"""Instructions of SQLite's machine; reading a session takes a few hundred."""

KNOWN_TRIGGERS = {"trg_peers_last_update_on"}
"""Pyrogram's own. It acts on updates, and nothing is updated here."""
WANTED = {
    "version": ("version", "number"),
    "sessions": ("dc_id", "server_address", "port", "auth_key", "api_id", "test_mode", "user_id", "is_bot"),
}

NOT_A_SESSION, DAMAGED, WAL_MISSING, HOSTILE = "NOT_A_SESSION", "DAMAGED", "WAL_MISSING", "HOSTILE"
REFUSALS = (NOT_A_SESSION, DAMAGED, WAL_MISSING, HOSTILE)


class Refused(Exception):
    """Carries one of REFUSALS."""


def extract(content: bytes) -> dict[str, Any]:
    """The row of `version` and that of `sessions`, wanted columns only; None where there is no row. Raises Refused."""
    if content.startswith(WAL_HEADERS):
        raise Refused(WAL_MISSING)
    if not content.startswith(HEADER):
        raise Refused(NOT_A_SESSION)
    if len(content) > MAX_FILE_BYTES:
        raise Refused(HOSTILE)
    _refuse_truncated(content)
    # File format 2.1.3: 2 and 2 say that a -wal file may lie beside it. A database in memory has none and is not opened
    # unless they say 1. What was only in that -wal is not here.
    uses_wal = 2 in content[18:20]
    connection = sqlite3.connect(":memory:", cached_statements=0)
    try:
        connection.deserialize(content[:18] + b"\x01\x01" + content[20:])
        found = _rows(connection)
    except (sqlite3.Error, UnicodeError, OverflowError) as error:
        is_endless = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT  # by MAX_STEPS
        raise Refused(HOSTILE if is_endless else DAMAGED) from error
    except Refused as error:
        raise (Refused(WAL_MISSING) if uses_wal and error.args[0] == NOT_A_SESSION else error) from None
    finally:
        connection.close()
    if uses_wal and (found["session"] is None or not found["session"].get("auth_key")):
        raise Refused(WAL_MISSING)
    return found


def _refuse_truncated(content: bytes) -> None:
    """By the header's own count of pages, where that count is valid (file format 1.3.7)."""
    if len(content) < HEADER_BYTES:
        raise Refused(DAMAGED)
    page_bytes = int.from_bytes(content[16:18], "big")
    page_bytes = 65536 if page_bytes == 1 else page_bytes
    pages = int.from_bytes(content[28:32], "big")
    if content[24:28] == content[92:96] and pages * page_bytes > len(content):
        raise Refused(DAMAGED)


def _rows(connection: sqlite3.Connection) -> dict[str, Any]:
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, MAX_COLUMNS)
    connection.setlimit(sqlite3.SQLITE_LIMIT_WORKER_THREADS, 0)
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.set_authorizer(_authorize)
    steps = iter(range(MAX_STEPS // 1000))
    connection.set_progress_handler(lambda: next(steps, None) is None, 1000)
    _refuse_odd_schema(connection)
    return {"version": _row(connection, "version"), "session": _row(connection, "sessions")}


def _authorize(action: int, first: str | None, *_: str | None) -> int:
    """Reading these three tables, and asking for columns. No function, no write, no attached file."""
    if action == sqlite3.SQLITE_SELECT:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_READ and first in {"sqlite_master", "version", "sessions"}:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_PRAGMA and first == "table_xinfo":
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _refuse_odd_schema(connection: sqlite3.Connection) -> None:
    """Plain tables, their indexes, Pyrogram's trigger. The list alone is read; nothing of it runs."""
    # One more than allowed is fetched, never all: there may be ten thousand.
    objects = connection.execute("SELECT type, name, sql FROM sqlite_master LIMIT ?", (MAX_OBJECTS + 1,)).fetchall()
    if len(objects) > MAX_OBJECTS:
        raise Refused(HOSTILE)
    tables = set()
    for kind, name, sql in objects:
        if kind == "table" and str(sql).upper().split()[:2] == ["CREATE", "TABLE"]:
            tables.add(name)
        elif not (kind == "index" or (kind == "trigger" and name in KNOWN_TRIGGERS)):
            raise Refused(HOSTILE)
    if not tables >= set(WANTED):
        raise Refused(NOT_A_SESSION)


def _row(connection: sqlite3.Connection, table: str) -> dict[str, Any] | None:
    columns = connection.execute(f"PRAGMA table_xinfo({table})").fetchall()
    if any(hidden for *_, hidden in columns):  # computed when read
        raise Refused(HOSTILE)
    names = [column[1] for column in columns if column[1] in WANTED[table]]
    if not names:
        raise Refused(NOT_A_SESSION)
    row = connection.execute(f"SELECT {', '.join(names)} FROM {table} LIMIT 1").fetchone()  # noqa: S608 - names of ours
    return None if row is None else dict(zip(names, map(_plain, row), strict=True))


def _plain(value: object) -> object:
    """As JSON has it. Raises Refused for what no session holds."""
    if isinstance(value, bytes):
        if len(value) > MAX_VALUE_BYTES:
            raise Refused(DAMAGED)
        return {"base64": base64.b64encode(value).decode()} if value else None
    if isinstance(value, float) or (isinstance(value, str) and len(value) > MAX_VALUE_BYTES):
        raise Refused(DAMAGED)
    return value


def _limit_this_process() -> None:
    """No core file, no file grown, no forks; the kernel ends what takes too long or too much."""
    import resource

    limits = {
        resource.RLIMIT_CPU: CPU_SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 16,
    }
    if sys.platform != "darwin":  # which refuses to set it
        limits[resource.RLIMIT_AS] = MEMORY_BYTES
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def main() -> None:
    _limit_this_process()
    content = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    answer: dict[str, Any]
    try:
        answer = extract(content)
    except Refused as refusal:
        answer = {"refused": refusal.args[0]}
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
