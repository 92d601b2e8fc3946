"""Where the master keys come from: the environment, a file, a passphrase, or a key file that we make ourselves."""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from storage.errors import KeyInvalid
from storage.snapshot import sync_folder
from storage.types import to_json

KEY_BYTES = 32
KEY_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class KeyConfig:
    """What the settings say. At most one of the first three is given; none: `default_key_file`.

    `master_key`: base64 keys of 32 bytes, comma-separated, newest first; `master_key_file` holds the same (or one a
    line).
    """

    master_key: str | None = field(repr=False)
    master_key_file: Path | None
    master_passphrase: str | None = field(repr=False)
    default_key_file: Path


@dataclass(frozen=True, slots=True)
class KeyDerivation:
    """How a passphrase becomes a key: Argon2id (RFC 9106, second recommendation). Stored, so that it may change."""

    SALT_BYTES: ClassVar = 16

    salt: bytes = field(default_factory=lambda: secrets.token_bytes(KeyDerivation.SALT_BYTES))
    iterations: int = 3
    lanes: int = 4
    memory_kib: int = 64 * 1024

    def pack(self) -> bytes:
        values = {"salt": self.salt.hex(), "t": self.iterations, "p": self.lanes, "m": self.memory_kib}
        return to_json(values).encode()

    @classmethod
    def unpack(cls, stored: bytes) -> "KeyDerivation":
        values = json.loads(stored)
        return cls(bytes.fromhex(values["salt"]), values["t"], values["p"], values["m"])

    def derive(self, passphrase: str) -> bytes:
        """Blocking: a tenth of a second and 64 MiB."""
        argon2 = Argon2id(
            salt=self.salt,
            length=KEY_BYTES,
            iterations=self.iterations,
            lanes=self.lanes,
            memory_cost=self.memory_kib,
        )
        return argon2.derive(passphrase.encode())


def given_keys(config: KeyConfig) -> list[bytes] | None:
    """The keys of MASTER_KEY, its file or the default file, newest first. None: no key is given anywhere.

    Raises KeyInvalid. Blocking: reads a file. A passphrase is none of this function's business.
    """
    if config.master_key is not None:
        return parse_keys(config.master_key)
    if config.master_key_file is not None:
        return parse_keys(_read(config.master_key_file))
    if config.default_key_file.exists():
        return parse_keys(_read(config.default_key_file))
    return None


def check_one_way(config: KeyConfig) -> None:
    """Two ways to the key at once: which one holds would be a guess. Raises KeyInvalid."""
    ways = (config.master_key, config.master_key_file, config.master_passphrase)
    if sum(way is not None for way in ways) > 1:
        raise KeyInvalid("give one of MASTER_KEY, MASTER_KEY_FILE and MASTER_PASSPHRASE, not several")
    if config.master_passphrase is not None and not config.master_passphrase.strip():
        raise KeyInvalid("the passphrase is empty")


def parse_keys(text: str) -> list[bytes]:
    """Base64 keys, separated by commas or white space. Raises KeyInvalid, which never quotes them."""
    keys = []
    for number, word in enumerate(re.split(r"[,\s]+", text.strip(" \t\r\n,")), start=1):
        try:
            key = base64.b64decode(word, validate=True)
        except (binascii.Error, ValueError):
            raise KeyInvalid(f"key {number} is no base64") from None
        if len(key) != KEY_BYTES:
            raise KeyInvalid(f"key {number} has {len(key)} bytes, not {KEY_BYTES}")
        if key not in keys:
            keys.append(key)
    if len({key_id(key) for key in keys}) != len(keys):
        raise KeyInvalid("two keys share an id: make another new one")
    return keys


def make_key_file(path: Path) -> bytes:
    """A new random key, on disk before anything is sealed with it, readable by its owner alone. Blocking."""
    key = secrets.token_bytes(KEY_BYTES)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(write_keys([key]))
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return key


def write_keys(ring: list[bytes]) -> bytes:
    """The content of a key file, as `parse_keys` reads it: one key a line, newest first."""
    return b"".join(base64.b64encode(key) + b"\n" for key in ring)


def key_id(key: bytes) -> bytes:
    """Four bytes that name a key without telling anything of it."""
    return hmac.digest(key, b"porter key id", hashlib.sha256)[:KEY_ID_BYTES]


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError as error:
        raise KeyInvalid(f"the key file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:  # its text would quote the bytes
        raise KeyInvalid("the key file is no base64") from None
