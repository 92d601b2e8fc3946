"""Sessions as the libraries write them, and files as older versions left them.

What a library of today still writes is written by that library. Older schemas are built from the CREATE statements of
their time (Telethon's `_upgrade_database`, Pyrogram's `update`, and the forks' own, read backwards).
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pyrogram.storage import SQLiteStorage
from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession, StringSession

KEY = bytes(range(1, 256)) + b"\x07"
DC = 4
HOST, PORT = "149.154.167.91", 443
HOST6 = "2001:67c:4e8:f004::a"
API_ID = 2_040
USER = 5_100_000_001
SMALL_USER = 777_001


# -- strings


def telethon_string(host: str = HOST) -> str:
    session = StringSession()
    session.set_dc(DC, host, PORT)
    session.auth_key = AuthKey(KEY)
    return str(session.save())


async def kurigram_string() -> str:
    """What Client.export_session_string() answers."""
    storage = SQLiteStorage("sample", Path(), in_memory=True)
    await storage.open()
    await _fill(storage)
    return str(await storage.export_session_string())


# -- files


async def kurigram_file(directory: Path, *, use_wal: bool = False) -> bytes:
    storage = SQLiteStorage("sample", directory, use_wal=use_wal)
    await storage.open()
    await _fill(storage)
    await storage.server_address(HOST)
    await storage.port(PORT)
    await storage.save()
    await storage.close()
    return (directory / "sample.session").read_bytes()


async def _fill(storage: SQLiteStorage) -> None:
    for name, value in {"dc_id": DC, "api_id": API_ID, "test_mode": False, "user_id": USER, "is_bot": False}.items():
        await getattr(storage, name)(value)
    await storage.auth_key(KEY)


def telethon_file(directory: Path) -> bytes:
    session = SQLiteSession(str(directory / "sample"))
    session.set_dc(DC, HOST, PORT)
    session.auth_key = AuthKey(KEY)
    session.save()
    session.close()
    return (directory / "sample.session").read_bytes()


Statement = str | tuple[str, Sequence[Any]]


def database(directory: Path, *statements: Statement) -> bytes:
    """The bytes of a database that these statements made."""
    path = directory / "made.session"
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(*((statement,) if isinstance(statement, str) else statement))
    connection.close()
    return path.read_bytes()


def old_telethon_file(version: int) -> Callable[[Path], bytes]:
    """Telethon 0.17 (1) to 1.42 (7)."""
    sent_files = {1: "", 2: "create table sent_files (md5_digest blob primary key, file_size integer, part_count int)"}

    def make(directory: Path) -> bytes:
        takeout = ", takeout_id integer" if version >= 5 else ""
        date = ", date integer" if version >= 7 else ""
        statements: list[Statement] = [
            "create table version (version integer primary key)",
            (
                "create table sessions (dc_id integer primary key, server_address text, port integer, auth_key blob"
                f"{takeout})"
            ),
            (
                "create table entities (id integer primary key, hash integer not null, username text, phone integer, "
                f"name text{date})"
            ),
            sent_files.get(
                version,
                "create table sent_files (md5_digest blob, file_size integer, type integer, id integer, hash integer, "
                "primary key(md5_digest, file_size, type))",
            )
            or "select 1",
            "create table update_state (id integer primary key, pts integer, qts integer, date integer, seq integer)"
            if version >= 4
            else "select 1",
            ("insert into version values (?)", (version,)),
            ("insert into sessions (dc_id, server_address, port, auth_key) values (?,?,?,?)", (DC, HOST, PORT, KEY)),
        ]
        return database(directory, *statements)

    return make


PEERS = (
    "CREATE TABLE peers (id INTEGER PRIMARY KEY, access_hash INTEGER, type INTEGER NOT NULL, phone_number TEXT, "
    "last_update_on INTEGER NOT NULL DEFAULT (CAST(STRFTIME('%s', 'now') AS INTEGER)))"
)
PEERS_TRIGGER = (
    "CREATE TRIGGER trg_peers_last_update_on AFTER UPDATE ON peers BEGIN UPDATE peers SET last_update_on = "
    "CAST(STRFTIME('%s', 'now') AS INTEGER) WHERE id = NEW.id; END"
)
USERNAMES = "CREATE TABLE usernames (id INTEGER, username TEXT, FOREIGN KEY (id) REFERENCES peers(id))"
UPDATE_STATE = "CREATE TABLE update_state (id INTEGER PRIMARY KEY, pts INTEGER, qts INTEGER, date INTEGER, seq INTEGER)"


def old_pyrogram_file(version: int, *extra: str) -> Callable[[Path], bytes]:
    """Pyrogram 1.0 (1) to 2.0 (3); its forks from there on."""

    def make(directory: Path) -> bytes:
        api = " api_id INTEGER," if version >= 3 else ""
        statements: list[Statement] = [
            (
                f"CREATE TABLE sessions (dc_id INTEGER PRIMARY KEY,{api} test_mode INTEGER, auth_key BLOB, "
                "date INTEGER NOT NULL, user_id INTEGER, is_bot INTEGER)"
            ),
            PEERS,
            "CREATE INDEX idx_peers_id ON peers (id)",
            "CREATE INDEX idx_peers_phone_number ON peers (phone_number)",
            PEERS_TRIGGER,
            "CREATE TABLE version (number INTEGER PRIMARY KEY)",
            *extra,
            ("INSERT INTO version VALUES (?)", (version,)),
            (
                "INSERT INTO sessions (dc_id, test_mode, auth_key, date, user_id, is_bot) VALUES (?, 0, ?, 0, ?, 0)",
                (DC, KEY, USER),
            ),
        ]
        if version >= 3:
            statements.append(("UPDATE sessions SET api_id = ?", (API_ID,)))
        return database(directory, *statements)

    return make


OLD_FILES: dict[str, Callable[[Path], bytes]] = {
    **{f"telethon v{version}": old_telethon_file(version) for version in range(1, 8)},
    "pyrogram v1": old_pyrogram_file(1),
    "pyrogram v2": old_pyrogram_file(2),
    "pyrogram v3": old_pyrogram_file(3),
    "pyrofork v4": old_pyrogram_file(4, USERNAMES, UPDATE_STATE),
    "hydrogram v3": old_pyrogram_file(3),
    "kurigram v4": old_pyrogram_file(4, USERNAMES),
    "kurigram v5": old_pyrogram_file(5, USERNAMES, UPDATE_STATE),
    "kurigram v6": old_pyrogram_file(6, USERNAMES, UPDATE_STATE, "CREATE INDEX idx_usernames_id ON usernames (id)"),
}
