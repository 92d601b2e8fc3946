"""Every session format, both ways, against what the libraries themselves write."""

import base64
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyrogram.storage import SQLiteStorage
from telethon.sessions import StringSession

from services import session_file_reader
from services.errors import SessionTrouble, SessionUnreadable
from services.session_formats import (
    PRODUCTION,
    TEST,
    FoundSession,
    SessionFormat,
    is_telegrams,
    read_string,
    read_tables,
    write_pyrogram_string,
    write_telethon_string,
)
from tests.services import session_samples as samples
from tests.services.session_samples import API_ID, DC, HOST, HOST6, KEY, OLD_FILES, PORT, SMALL_USER, USER

SEED = 351
FILE_MUTATIONS = 1_500
STRING_MUTATIONS = 1_000


def found(format_: SessionFormat, **fields: Any) -> FoundSession:
    return FoundSession(format_, DC, KEY, **fields)


def packed(layout: str, *values: object) -> str:
    """As Pyrogram's storage.py packs a string."""
    return base64.urlsafe_b64encode(struct.pack(layout, *values)).decode().rstrip("=")


PYROGRAM_351 = packed(SQLiteStorage.OLD_SESSION_STRING_FORMAT, DC, False, KEY, SMALL_USER, False)
PYROGRAM_356 = packed(SQLiteStorage.OLD_SESSION_STRING_FORMAT_64, DC, False, KEY, USER, False)
PYROGRAM_362 = packed(SQLiteStorage.SESSION_STRING_FORMAT, DC, API_ID, False, KEY, USER, False)

STRINGS = [
    (samples.telethon_string(), found(SessionFormat.TELETHON_STRING, address=(HOST, PORT)), 353),
    (samples.telethon_string(HOST6), found(SessionFormat.TELETHON_STRING, address=(HOST6, PORT)), 369),
    (PYROGRAM_351, found(SessionFormat.PYROGRAM_STRING_351, user_id=SMALL_USER), 351),
    (PYROGRAM_356, found(SessionFormat.PYROGRAM_STRING_356, user_id=USER), 356),
    (PYROGRAM_362, found(SessionFormat.PYROGRAM_STRING_362, user_id=USER, api_id=API_ID), 362),
]


@pytest.mark.parametrize(("text", "expected", "length"), STRINGS)
def test_strings_are_read(text: str, expected: FoundSession, length: int) -> None:
    """All that each format says, and nothing made up."""
    assert len(text) == length
    assert read_string(text) == expected


@pytest.mark.parametrize(("text", "expected", "length"), STRINGS)
def test_strings_are_written_byte_for_byte(text: str, expected: FoundSession, length: int) -> None:
    """What was read is written as the library wrote it."""
    if expected.format is SessionFormat.TELETHON_STRING:
        assert expected.address is not None
        assert write_telethon_string(expected.dc_id, expected.address, expected.auth_key) == text
    else:
        assert write_pyrogram_string(expected, expected.format) == text


async def test_the_libraries_read_what_we_write() -> None:
    """Telethon and kurigram open our strings and find the same key in them."""
    theirs = StringSession(write_telethon_string(DC, (HOST6, PORT), KEY))
    assert (theirs.dc_id, theirs.server_address, theirs.port, theirs.auth_key.key) == (DC, HOST6, PORT, KEY)
    for text, expected, _ in STRINGS[2:]:
        storage = SQLiteStorage("theirs", Path(), session_string=text, in_memory=True)
        await storage.open()
        assert (await storage.dc_id(), await storage.auth_key()) == (DC, KEY)
        assert await storage.user_id() == expected.user_id
        await storage.close()


async def test_what_kurigram_exports() -> None:
    """The string that Client.export_session_string() answers is ours, byte for byte."""
    assert await samples.kurigram_string() == PYROGRAM_362


def test_a_string_that_needs_more_than_is_known() -> None:
    """Without user or API id no Pyrogram string is written: the libraries would start a new login from it."""
    with pytest.raises(ValueError, match="needs a user id"):
        write_pyrogram_string(found(SessionFormat.TELETHON_STRING))


@pytest.mark.parametrize("wrap", ["  {}\n", '"{}"', "`{}`", "<{}>"])
@pytest.mark.parametrize(("text", "expected", "length"), STRINGS)
def test_strings_as_people_paste_them(text: str, expected: FoundSession, length: int, wrap: str) -> None:
    """Spaces, line breaks and quotes around it, padding lost or added."""
    broken = f"{text[:100]}\n{text[100:]}"
    assert read_string(wrap.format(broken)) == expected
    assert read_string(text.rstrip("=")) == expected


def test_a_telethon_string_of_a_test_server() -> None:
    """Telethon tells test servers by their address alone."""
    assert read_string(write_telethon_string(2, TEST[2], KEY)).test_mode
    assert not read_string(write_telethon_string(2, PRODUCTION[2], KEY)).test_mode


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", SessionTrouble.NOT_A_SESSION),
        ("hello", SessionTrouble.NOT_A_SESSION),
        ("ключ" * 90, SessionTrouble.NOT_A_SESSION),
        ("A" * 4000, SessionTrouble.NOT_A_SESSION),
        (PYROGRAM_362[:-3], SessionTrouble.DAMAGED),
        (samples.telethon_string()[:-9], SessionTrouble.DAMAGED),
        (packed(">BI?256sQ?", 9, 1, False, KEY, 1, False), SessionTrouble.DC_UNKNOWN),
        (packed(">BI?256sQ?", 4, 1, True, KEY, 1, False), SessionTrouble.DC_UNKNOWN),
        (packed(">BI?256sQ?", 2, 1, False, bytes(256), 1, False), SessionTrouble.NO_KEY),
        (packed(">BI?256sQ?", 2, 1, False, KEY, 2**60, False), SessionTrouble.DAMAGED),
        (packed(">BI?256sQ?", 2, 2**31, False, KEY, 1, False), SessionTrouble.DAMAGED),
        (packed(">BIB256sQB", 2, 1, 7, KEY, 1, 0), SessionTrouble.DAMAGED),
        (write_telethon_string(2, (HOST, PORT), bytes(256)), SessionTrouble.NO_KEY),
    ],
)
def test_strings_that_are_refused(text: str, why: SessionTrouble) -> None:
    """With the reason that an admin can act on."""
    with pytest.raises(SessionUnreadable) as refused:
        read_string(text)
    assert refused.value.why is why
    assert text[:20] not in str(refused.value) or not text


def test_nothing_secret_is_printed() -> None:
    """Neither the key nor its string shows in what a found session prints as."""
    assert repr(found(SessionFormat.TELETHON_FILE)) == "FoundSession(format=TELETHON_FILE, dc_id=4)"


def test_telegrams_networks() -> None:
    """Every address in the tables lies in them, and a stranger's does not."""
    assert all(is_telegrams(address) for table in (PRODUCTION, TEST) for address in table.values())
    assert is_telegrams((HOST6, 443))
    for host in ("127.0.0.1", "10.0.0.1", "8.8.8.8", "::1", "::ffff:149.154.167.51"):
        assert not is_telegrams((host, 443))


# -- files


@pytest.mark.parametrize("name", OLD_FILES)
def test_files_of_every_schema(name: str, tmp_path: Path) -> None:
    """What older versions and the forks left behind."""
    read = read_tables(session_file_reader.extract(OLD_FILES[name](tmp_path)))
    version = int(name.rpartition("v")[2])
    if name.startswith("telethon"):
        assert read == found(SessionFormat.TELETHON_FILE, address=(HOST, PORT), version=version)
    else:
        api_id = API_ID if version >= 3 else None
        assert read == found(SessionFormat.PYROGRAM_FILE, api_id=api_id, user_id=USER, version=version)


async def test_files_of_today(tmp_path: Path) -> None:
    """Written by the libraries themselves."""
    telethon = read_tables(session_file_reader.extract(samples.telethon_file(tmp_path)))
    assert telethon == found(SessionFormat.TELETHON_FILE, address=(HOST, PORT), version=8)
    for use_wal in (False, True):
        directory = tmp_path / f"wal{use_wal}"
        directory.mkdir()
        kurigram = read_tables(session_file_reader.extract(await samples.kurigram_file(directory, use_wal=use_wal)))
        assert kurigram == found(
            SessionFormat.PYROGRAM_FILE, address=(HOST, PORT), api_id=API_ID, user_id=USER, version=7
        )


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("dc_id", "four", SessionTrouble.DAMAGED),
        ("dc_id", 77, SessionTrouble.DC_UNKNOWN),
        ("auth_key", None, SessionTrouble.NO_KEY),
        ("auth_key", {"base64": ""}, SessionTrouble.NO_KEY),
        ("auth_key", {"base64": "AAAA"}, SessionTrouble.DAMAGED),
        ("auth_key", {"base64": "é"}, SessionTrouble.DAMAGED),
        ("auth_key", "text", SessionTrouble.DAMAGED),
        ("server_address", "evil.example", SessionTrouble.DAMAGED),
        ("server_address", 5, SessionTrouble.DAMAGED),
        ("port", 70_000, SessionTrouble.DAMAGED),
        ("port", "443", SessionTrouble.DAMAGED),
        ("user_id", -1, SessionTrouble.DAMAGED),
        ("user_id", True, SessionTrouble.DAMAGED),
        ("is_bot", 2, SessionTrouble.DAMAGED),
        ("test_mode", [], None),
    ],
)
def test_rows_that_no_session_has(column: str, value: object, why: SessionTrouble | None) -> None:
    """SQLite takes any value in any column; what the reader tells is not believed."""
    row = {
        "dc_id": DC,
        "server_address": HOST,
        "port": PORT,
        "auth_key": {"base64": base64.b64encode(KEY).decode()},
        "api_id": API_ID,
        "user_id": USER,
        "is_bot": 0,
        "test_mode": 0,
    }
    tables = {"version": {"number": 7}, "session": {**row, column: value}}
    if why is None:
        assert read_tables(tables).auth_key == KEY
        return
    with pytest.raises(SessionUnreadable) as refused:
        read_tables(tables)
    assert refused.value.why is why


@pytest.mark.parametrize("tables", [{}, {"version": 3}, {"version": {}, "session": {}}, {"version": {"number": 1}}])
def test_answers_that_are_none(tables: dict[str, Any]) -> None:
    """Whatever a broken reader says: a refusal."""
    with pytest.raises(SessionUnreadable):
        read_tables(tables)


# -- mutations


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Bits flipped, bytes overwritten, a piece cut out, the end cut off, or a piece said twice."""
    at = chance.randrange(len(content))
    match chance.randrange(5):
        case 0:
            flipped = bytearray(content)
            for _ in range(chance.randint(1, 8)):
                flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            return bytes(flipped)
        case 1:
            piece = chance.randbytes(chance.randint(1, 64))
            return content[:at] + piece + content[at + len(piece) :]
        case 2:
            return content[:at] + content[at + chance.randint(1, 64) :]
        case 3:
            return content[:at]
        case _:
            return content[:at] + content[max(0, at - chance.randint(1, 64)) :]


def _folder(directory: Path) -> Path:
    """Both libraries would call their file the same."""
    folder = directory / "kurigram"
    folder.mkdir()
    return folder


def test_mutated_strings() -> None:
    """A thousand damaged strings: read as a session of full length, or refused; never anything else."""
    chance = random.Random(SEED)
    refused = 0
    for number in range(STRING_MUTATIONS):
        text = mutated(STRINGS[number % len(STRINGS)][0].encode(), chance).decode("latin-1")
        try:
            assert len(read_string(text).auth_key) == 256
        except SessionUnreadable:
            refused += 1
    assert refused > STRING_MUTATIONS // 3


async def test_mutated_files(tmp_path: Path) -> None:
    """Fifteen hundred damaged files, in the header's and schema's page above all: the same promise."""
    chance = random.Random(SEED)
    files = [samples.telethon_file(tmp_path), await samples.kurigram_file(_folder(tmp_path))]
    files += [OLD_FILES["pyrogram v2"](tmp_path), OLD_FILES["telethon v3"](tmp_path)]
    refused = 0
    for number in range(FILE_MUTATIONS):
        content = files[number % len(files)]
        damaged = mutated(content[:4096], chance) + content[4096:] if number % 2 else mutated(content, chance)
        try:
            assert len(read_tables(session_file_reader.extract(damaged)).auth_key) == 256
        except (session_file_reader.Refused, SessionUnreadable):
            refused += 1
    print(f"refused {refused} of {FILE_MUTATIONS}")
    assert 0 < refused < FILE_MUTATIONS


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
@settings(max_examples=300, deadline=None)
@example("1" + "=" * 352)
@example("=" * 362)
def test_any_text_at_all(text: str) -> None:
    """No text makes it raise anything but a refusal."""
    try:
        read_string(text)
    except SessionUnreadable:
        return


@given(st.binary(max_size=600).map(lambda tail: session_file_reader.HEADER + tail))
@settings(max_examples=300, deadline=None)
def test_any_bytes_behind_the_header(content: bytes) -> None:
    """No file made of noise is read as a session."""
    with pytest.raises(session_file_reader.Refused):
        session_file_reader.extract(content)
