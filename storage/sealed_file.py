"""A file under a passphrase, written and read as a stream: memory stays bounded, whatever its size.

    magic (8) | header length (4, big endian) | header (JSON) | check (16) | chunk | chunk | ... | last chunk
    chunk = ciphertext of CHUNK_BYTES (the last one: fewer, or none) | tag (16)

The key is Argon2id of the passphrase and a salt of this file alone. Chunks are AES-256-GCM in the STREAM construction
(Hoang, Reyhanitabar, Rogaway, Vizar 2015): the nonce counts the chunks and marks the last one, so that a chunk that is
moved, doubled or missing does not open, and neither does a file that lost its end. Magic and header are the associated
data of all. `check` seals nothing: it tells a wrong passphrase from a damaged file.
"""

import json
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.errors import BackupDamaged, NotABackup, PassphraseWrong
from storage.keys import KeyDerivation
from storage.types import to_json

MAGIC = b"PORTER\x00\x01"
"""The last byte is the version of the format."""
CHUNK_BYTES = 1024 * 1024
TAG_BYTES = 16
LENGTH_BYTES = 4
LONGEST_HEADER_BYTES = 4096
CHECK_NONCE = b"\xff" * 12

# A made-up file must not eat the machine before it is found out.
MOST_MEMORY_KIB = 1024 * 1024
MOST_ITERATIONS = 100
MOST_LANES = 64


class SealingWriter:
    """Call `finish` after the last write: a file without it lacks its last chunk and does not open.

    Deliberately no context manager and no IO class: an error half-way must never seal what is there as a whole.
    """

    def __init__(self, file: IO[bytes], passphrase: str, facts: dict[str, Any]) -> None:
        """`facts` stand in the header, unencrypted but sealed. Blocking: derives the key."""
        derivation = KeyDerivation()
        header = to_json({**facts, "derivation": derivation.pack().decode()}).encode()
        self._file = file
        self._bound = MAGIC + len(header).to_bytes(LENGTH_BYTES, "big") + header
        self._cipher = AESGCM(derivation.derive(passphrase))
        self._number = 0
        self._waiting = bytearray()
        file.write(self._bound + self._cipher.encrypt(CHECK_NONCE, b"", self._bound))

    def write(self, data: bytes) -> int:
        self._waiting += data
        while len(self._waiting) > CHUNK_BYTES:  # a full one waits: it may be the last
            self._seal(bytes(self._waiting[:CHUNK_BYTES]), is_last=False)
            del self._waiting[:CHUNK_BYTES]
        return len(data)

    def finish(self) -> None:
        self._seal(bytes(self._waiting), is_last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytes, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, is_last=is_last), chunk, self._bound))
        self._number += 1


class OpeningReader:
    """`facts`: what the header tells. What `read` answers is genuine, but only the end proves that nothing is missing:
    read until it answers nothing before you trust the whole."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        """Raises NotABackup, PassphraseWrong. Blocking: derives the key."""
        self._file = file
        self._bound, self.facts = _read_header(file)
        derivation = _derivation(self.facts)
        self._cipher = AESGCM(derivation.derive(passphrase))
        self._number = 0
        self._ready = bytearray()
        try:
            self._cipher.decrypt(CHECK_NONCE, file.read(TAG_BYTES), self._bound)
        except InvalidTag:
            raise PassphraseWrong("the passphrase is another one, or the beginning of the file is damaged") from None
        self._sealed = file.read(CHUNK_BYTES + TAG_BYTES)
        self._is_over = False

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, fewer only at the end. Raises BackupDamaged."""
        while len(self._ready) < size and not self._is_over:
            self._open_next()
        data = bytes(self._ready[:size])
        del self._ready[:size]
        return data

    def _open_next(self) -> None:
        following = self._file.read(CHUNK_BYTES + TAG_BYTES)
        nonce = _nonce(self._number, is_last=not following)
        try:
            self._ready += self._cipher.decrypt(nonce, self._sealed, self._bound)
        except InvalidTag:
            raise BackupDamaged("the backup is damaged, or its end is missing") from None
        self._number += 1
        self._sealed, self._is_over = following, not following


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([is_last])


def _read_header(file: IO[bytes]) -> tuple[bytes, dict[str, Any]]:
    """(everything up to the check, the facts)."""
    start = file.read(len(MAGIC) + LENGTH_BYTES)
    if not start.startswith(MAGIC[:-1]) or len(start) != len(MAGIC) + LENGTH_BYTES:
        raise NotABackup("the file is no backup of Porter")
    if not start.startswith(MAGIC):
        raise NotABackup("the backup is of a newer Porter")
    length = int.from_bytes(start[len(MAGIC) :], "big")
    header = file.read(length) if length <= LONGEST_HEADER_BYTES else b""
    try:
        facts = json.loads(header)
    except ValueError:
        raise NotABackup("the beginning of the backup is damaged") from None
    if not isinstance(facts, dict):
        raise NotABackup("the beginning of the backup is damaged")
    return start + header, facts


def _derivation(facts: dict[str, Any]) -> KeyDerivation:
    try:
        derivation = KeyDerivation.unpack(facts["derivation"].encode())
        if (
            len(derivation.salt) == KeyDerivation.SALT_BYTES
            and 1 <= derivation.iterations <= MOST_ITERATIONS
            and 1 <= derivation.lanes <= MOST_LANES
            and 8 * derivation.lanes <= derivation.memory_kib <= MOST_MEMORY_KIB
        ):
            return derivation
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    raise NotABackup("the beginning of the backup is damaged")
