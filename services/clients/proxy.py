"""An account's proxy: typed by an admin, kept sealed, and the one way by which both libraries get a socket through it.

Telethon and kurigram each dial proxies by themselves, with errors of their own (Telethon even rewrites those of
python-socks while it runs). Here both get the same socket and the same words, and neither has a way around it: who is
given a proxy dials it or fails.
"""

import errno
import ipaddress
import json
import re
import socket
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote_to_bytes

from python_socks import ProxyConnectionError, ProxyError, ProxyTimeoutError, ProxyType
from python_socks.async_.asyncio import Proxy as Dialer

from services.errors import ProxyFailed, ProxyInvalid, ProxyTrouble

DIAL_SECONDS = 8.0
"""Below the time that a library waits for a connection: so it is we who say that the proxy was too slow."""
LONGEST_SECRET_BYTES = 255
"""Of a user name or a password in SOCKS5 (RFC 1929)."""
LONGEST_TYPED = 1200

_TYPED = re.compile(
    r"(?P<kind>socks5|http)://(?:(?P<user>[^\s:@/?#]+):(?P<password>[^\s:@/?#]+)@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})/?",
    re.ASCII | re.IGNORECASE,
)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)", re.ASCII)


class ProxyKind(StrEnum):
    SOCKS5 = "socks5"
    HTTP = "http"
    """By CONNECT."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """`user` and `password`: both or none. The password is secret."""

    kind: ProxyKind
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def place(self) -> str:
        """How it may be shown: "socks5://10.0.0.1:1080", never with user or password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{host}:{self.port}"

    def __repr__(self) -> str:
        return f"Proxy({self.place})"

    def pack(self) -> bytes:
        """JSON with its version. Secret: it goes into the vault and nowhere else."""
        fields = {
            "version": 1,
            "kind": self.kind,
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
        }
        return json.dumps(fields).encode()


def unpack(packed: bytes) -> Proxy:
    """Raises ValueError for a version that this Porter does not know."""
    fields = json.loads(packed)
    if fields.pop("version") != 1:
        raise ValueError("a proxy of a version that is not known")
    return Proxy(ProxyKind(fields.pop("kind")), **fields)


def parse(text: str) -> Proxy:
    """socks5://user:password@host:port or http://host:port; %40 and the like stand for characters that mean something
    in an address. Raises ProxyInvalid: what was typed may hold a password, so nothing of it is carried along.
    """
    found = _TYPED.fullmatch(text.strip()) if len(text) <= LONGEST_TYPED else None
    if found is None:
        raise ProxyInvalid
    port = int(found["port"])
    if not 0 < port < 2**16:
        raise ProxyInvalid
    user, password = (None if part is None else _plain(part) for part in (found["user"], found["password"]))
    if user is not None and ":" in user:  # HTTP has no way to say it
        raise ProxyInvalid
    return Proxy(ProxyKind(found["kind"].lower()), _host(found["host"]), port, user, password)


def _plain(part: str) -> str:
    """Neither side of a proxy agrees on more than printable ASCII."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", part):
        raise ProxyInvalid
    plain = unquote_to_bytes(part)
    if not 0 < len(plain) <= LONGEST_SECRET_BYTES or not all(0x20 <= byte < 0x7F for byte in plain):
        raise ProxyInvalid
    return plain.decode("ascii")


def _host(typed: str) -> str:
    bare = typed.strip("[]")
    try:
        return ipaddress.ip_address(bare).compressed
    except ValueError:
        labels = bare.removesuffix(".").split(".")
        # Digits and dots alone are an address that is none, such as 10.0.0.256.
        is_name = len(bare) <= 253 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
        if typed.startswith("[") or not is_name:
            raise ProxyInvalid from None
        return bare.lower()


_TYPES = {ProxyKind.SOCKS5: ProxyType.SOCKS5, ProxyKind.HTTP: ProxyType.HTTP}
_PROXY_AUTHENTICATION_REQUIRED = 407


async def dial(proxy: Proxy, host: str, port: int, timeout_seconds: float = DIAL_SECONDS) -> socket.socket:
    """A connection to that address through the proxy. Raises ProxyFailed, which knows nothing of user and password."""
    dialer = Dialer(_TYPES[proxy.kind], proxy.host, proxy.port, proxy.user, proxy.password)
    try:
        return await dialer.connect(host, port, timeout=timeout_seconds)
    except ProxyTimeoutError:
        why = ProxyTrouble.TIMED_OUT
    except ProxyConnectionError as error:
        why = _unconnected(error)
    except ProxyError as error:
        why = _refused(error)
    except OSError:
        why = ProxyTrouble.NOT_A_PROXY  # it hung up in the middle
    raise ProxyFailed(proxy.place, why)


def _unconnected(error: ProxyConnectionError) -> ProxyTrouble:
    if isinstance(error.__cause__, socket.gaierror):
        return ProxyTrouble.HOST_UNKNOWN
    if error.errno == errno.ECONNREFUSED:
        return ProxyTrouble.REFUSED
    return ProxyTrouble.TIMED_OUT if error.errno == errno.ETIMEDOUT else ProxyTrouble.NO_ROUTE


def _refused(error: ProxyError) -> ProxyTrouble:
    """python-socks has a code for what a proxy answers to CONNECT, and only a sentence for what comes before."""
    if error.error_code == _PROXY_AUTHENTICATION_REQUIRED or "uthentication" in str(error):
        return ProxyTrouble.WRONG_PASSWORD
    return ProxyTrouble.NOT_A_PROXY if error.error_code is None else ProxyTrouble.TARGET_REFUSED
