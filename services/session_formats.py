"""Every known session format <-> what it says. Pure: no file, no network, no library.

Strings are base64url of one packed struct, files are SQLite with the tables `version` and `sessions`:

    Telethon string        "1" + >B4sH256s or >B16sH256s    dc, ip, port, key
    Pyrogram string 351    >B?256sI?                        dc, test, key, user (32 bits), bot
    Pyrogram string 356    >B?256sQ?                        dc, test, key, user, bot
    Pyrogram string 362    >BI?256sQ?                       dc, api id, test, key, user, bot
    Telethon file          version(version)                 dc_id, server_address, port, auth_key
    Pyrogram file          version(number)                  dc_id, test_mode, auth_key, user_id, is_bot; from
                                                            version 3 on api_id, from 7 on server_address, port

The forks of Pyrogram (pyrofork, hydrogram, kurigram) write Pyrogram's formats; what a file has is read off its columns,
because the forks number their versions differently. Sources: telethon/sessions/string.py and sqlite.py,
pyrogram/storage/storage.py and sqlite_storage.py. A raw Telethon body has as many bytes as a Pyrogram 351 one: the
leading "1" and the length decide first.
"""

import base64
import binascii
import ipaddress
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.errors import SessionTrouble, SessionUnreadable

KEY_BYTES = 256
MAX_ID = 2**52
"""Telegram's user ids have at most 52 bits (https://core.telegram.org/api/bots/ids)."""
BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")
PASTED_AROUND = "\"'`“”‘’<>"
"""What people copy along with a string."""

Address = tuple[str, int]

# The DCs where an account can live, with the addresses that both libraries carry.
PRODUCTION: Mapping[int, Address] = {
    1: ("149.154.175.53", 443),
    2: ("149.154.167.51", 443),
    3: ("149.154.175.100", 443),
    4: ("149.154.167.91", 443),
    5: ("91.108.56.130", 443),
}
TEST: Mapping[int, Address] = {
    1: ("149.154.175.10", 80),
    2: ("149.154.167.40", 80),
    3: ("149.154.175.117", 80),
}

TEST_HOSTS = frozenset(host for host, _ in TEST.values())

# https://core.telegram.org/resources/cidr.txt
NETWORKS = tuple(
    map(
        ipaddress.ip_network,
        (
            "91.105.192.0/23",
            "91.108.4.0/22",
            "91.108.8.0/22",
            "91.108.12.0/22",
            "91.108.16.0/22",
            "91.108.20.0/22",
            "91.108.56.0/22",
            "149.154.160.0/20",
            "185.76.151.0/24",
            "2001:67c:4e8::/48",
            "2001:b28:f23c::/48",
            "2001:b28:f23d::/48",
            "2001:b28:f23f::/48",
            "2a0a:f280::/32",
        ),
    )
)


def is_telegrams(address: Address) -> bool:
    """Whether it lies in Telegram's own networks."""
    ip = ipaddress.ip_address(address[0])
    return any(ip in network for network in NETWORKS)


class SessionFormat(StrEnum):
    TELETHON_STRING = "TELETHON_STRING"
    PYROGRAM_STRING_351 = "PYROGRAM_STRING_351"
    PYROGRAM_STRING_356 = "PYROGRAM_STRING_356"
    PYROGRAM_STRING_362 = "PYROGRAM_STRING_362"
    TELETHON_FILE = "TELETHON_FILE"
    PYROGRAM_FILE = "PYROGRAM_FILE"


TELETHON_LAYOUTS = {4: ">B4sH256s", 16: ">B16sH256s"}
PYROGRAM_LAYOUTS = {
    SessionFormat.PYROGRAM_STRING_351: ">BB256sIB",
    SessionFormat.PYROGRAM_STRING_356: ">BB256sQB",
    SessionFormat.PYROGRAM_STRING_362: ">BIB256sQB",
}
"""The flags as bytes: as `?` every other byte would read as True, and damage would go unseen."""


@dataclass(frozen=True, slots=True)
class FoundSession:
    """What one format says; None where it is silent. `auth_key`: KEY_BYTES bytes, secret. `version`: of a file."""

    format: SessionFormat
    dc_id: int
    auth_key: bytes
    address: Address | None = None
    api_id: int | None = None
    user_id: int | None = None
    is_bot: bool = False
    test_mode: bool = False
    version: int | None = None

    def __repr__(self) -> str:
        return f"FoundSession(format={self.format}, dc_id={self.dc_id})"

    @property
    def home(self) -> Address:
        """Telegram's own address of its DC."""
        return (TEST if self.test_mode else PRODUCTION)[self.dc_id]


# -- strings


def read_string(text: str) -> FoundSession:
    """Raises SessionUnreadable: not a session at all, or a damaged one."""
    text = "".join(text.split()).strip(PASTED_AROUND)
    if not BASE64URL.fullmatch(text):
        raise SessionUnreadable(SessionTrouble.NOT_A_SESSION)
    bare = text.rstrip("=")
    if text.startswith("1"):
        for layout in TELETHON_LAYOUTS.values():
            if len(bare) == 1 + _characters(layout):
                return _telethon_string(_decoded(bare[1:]), layout)
    for format_, layout in PYROGRAM_LAYOUTS.items():
        if len(bare) == _characters(layout):
            return _pyrogram_string(_decoded(bare), format_, layout)
    longest = max(map(_characters, TELETHON_LAYOUTS.values()))
    is_nearly_one = longest // 2 < len(bare) < 2 * longest
    raise SessionUnreadable(SessionTrouble.DAMAGED if is_nearly_one else SessionTrouble.NOT_A_SESSION)


def _telethon_string(body: bytes, layout: str) -> FoundSession:
    dc_id, ip, port, key = struct.unpack(layout, body)
    host = ipaddress.ip_address(ip).compressed
    address = (host, port) if any(ip) and port else None
    return _checked(
        FoundSession(SessionFormat.TELETHON_STRING, dc_id, key, address, test_mode=_is_test_address(address))
    )


def _pyrogram_string(body: bytes, format_: SessionFormat, layout: str) -> FoundSession:
    fields = list(struct.unpack(layout, body))
    api_id = fields.pop(1) if format_ is SessionFormat.PYROGRAM_STRING_362 else None
    dc_id, test_mode, key, user_id, is_bot = fields
    return _checked(
        FoundSession(
            format_,
            dc_id,
            key,
            api_id=api_id or None,
            user_id=user_id,
            is_bot=_flag(is_bot),
            test_mode=_flag(test_mode),
        )
    )


def write_telethon_string(dc_id: int, address: Address, auth_key: bytes) -> str:
    """As StringSession.save(). The address may be IPv4 or IPv6."""
    ip = ipaddress.ip_address(address[0]).packed
    return "1" + base64.urlsafe_b64encode(
        struct.pack(TELETHON_LAYOUTS[len(ip)], dc_id, ip, address[1], auth_key)
    ).decode("ascii")


def write_pyrogram_string(found: FoundSession, format_: SessionFormat = SessionFormat.PYROGRAM_STRING_362) -> str:
    """As Storage.export_session_string(). Raises ValueError when what the format needs is not known."""
    needs_api = format_ is SessionFormat.PYROGRAM_STRING_362
    if found.user_id is None or (needs_api and found.api_id is None):
        raise ValueError(f"{format_} needs a user id, and an API id where it has one")
    api = [found.api_id] if needs_api else []
    body = struct.pack(
        PYROGRAM_LAYOUTS[format_], found.dc_id, *api, found.test_mode, found.auth_key, found.user_id, found.is_bot
    )
    return base64.urlsafe_b64encode(body).decode("ascii").rstrip("=")


def _characters(layout: str) -> int:
    """Of base64, without padding."""
    return -(-struct.calcsize(layout) * 4 // 3)


def _decoded(bare: str) -> bytes:
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise SessionUnreadable(SessionTrouble.DAMAGED) from error


# -- files


def read_tables(tables: Mapping[str, Any]) -> FoundSession:
    """What services/session_file_reader.py found. It comes from another process and a stranger's file: nothing in it
    is taken for granted. Raises SessionUnreadable.
    """
    version, row = tables.get("version"), tables.get("session")
    if not isinstance(version, dict):
        raise SessionUnreadable(SessionTrouble.NOT_A_SESSION)
    if not isinstance(row, dict):
        raise SessionUnreadable(SessionTrouble.NO_KEY)
    if "version" in version:
        format_, number = SessionFormat.TELETHON_FILE, version["version"]
    elif "number" in version:
        format_, number = SessionFormat.PYROGRAM_FILE, version["number"]
    else:
        raise SessionUnreadable(SessionTrouble.NOT_A_SESSION)
    address = _address(row.get("server_address"), row.get("port"))
    is_test = format_ is SessionFormat.TELETHON_FILE and _is_test_address(address)
    found = FoundSession(
        format_,
        _integer(row.get("dc_id")) or 0,
        _key(row.get("auth_key")),
        address=address,
        api_id=_integer(row.get("api_id")) or None,
        user_id=_integer(row.get("user_id")),
        is_bot=_flag(row.get("is_bot") or 0),
        test_mode=is_test or _flag(row.get("test_mode") or 0),
        version=_integer(number),
    )
    return _checked(found)


def _integer(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise SessionUnreadable(SessionTrouble.DAMAGED)


def _key(value: object) -> bytes:
    """The reader sends bytes as base64 under a name of their own."""
    if value is None:
        raise SessionUnreadable(SessionTrouble.NO_KEY)
    if not isinstance(value, dict) or not isinstance(value.get("base64"), str):
        raise SessionUnreadable(SessionTrouble.DAMAGED)
    try:
        key = base64.b64decode(value["base64"], validate=True)
    except ValueError as error:
        raise SessionUnreadable(SessionTrouble.DAMAGED) from error
    if not key:
        raise SessionUnreadable(SessionTrouble.NO_KEY)
    return key


def _address(host: object, port: object) -> Address | None:
    """None: there is none. Telethon and kurigram store IP addresses, never names."""
    if not host or not port:
        return None
    if not isinstance(host, str) or not isinstance(port, int) or not 0 < port < 2**16:
        raise SessionUnreadable(SessionTrouble.DAMAGED)
    try:
        return ipaddress.ip_address(host).compressed, port
    except ValueError as error:
        raise SessionUnreadable(SessionTrouble.DAMAGED) from error


# -- both


def _is_test_address(address: Address | None) -> bool:
    """Telethon's formats tell a test server by its address alone."""
    return address is not None and address[0] in TEST_HOSTS


def _flag(value: object) -> bool:
    if value not in (0, 1):
        raise SessionUnreadable(SessionTrouble.DAMAGED)
    return bool(value)


def _checked(found: FoundSession) -> FoundSession:
    """Raises SessionUnreadable for values that no real session has."""
    if len(found.auth_key) != KEY_BYTES:
        raise SessionUnreadable(SessionTrouble.DAMAGED)
    if not any(found.auth_key):
        raise SessionUnreadable(SessionTrouble.NO_KEY)
    if found.dc_id not in (TEST if found.test_mode else PRODUCTION):
        raise SessionUnreadable(SessionTrouble.DC_UNKNOWN)
    if found.user_id is not None and not 0 < found.user_id < MAX_ID:
        raise SessionUnreadable(SessionTrouble.DAMAGED)
    if found.api_id is not None and not 0 < found.api_id < 2**31:
        raise SessionUnreadable(SessionTrouble.DAMAGED)
    return found
