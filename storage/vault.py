"""Encryption at rest: AES-256-GCM, bound to the place where the ciphertext lies.

    sealed value = key id (4 bytes) | nonce (12) | ciphertext and tag (16 longer than the plaintext)

The associated data names table, column and row id, so that a ciphertext moved to another row does not open. The key
id names a key of the ring: the first key seals, all of them open, and `rekey` (storage/rekey.py) moves rows over.
"""

import asyncio
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Table, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import keys, meta
from storage.database import Database
from storage.errors import CiphertextInvalid, KeyMissing, KeyWrong
from storage.keys import KEY_ID_BYTES, KeyConfig, KeyDerivation
from storage.schema import metadata

__all__ = ["KeyConfig", "Vault", "key_ring", "open_vault"]

NONCE_BYTES = 12

# Rows of `meta`. All but the first are sealed.
DERIVATION = "vault.derivation"
CHECK = "vault.check"
FINGERPRINT = "vault.fingerprint"
NEWEST = "vault.newest"  # while a change of keys is not finished: the newest key that may have sealed something
SEALED_META = (CHECK, FINGERPRINT, NEWEST)

CHECK_VALUE = b"porter"
META_ROW = 0  # meta's rows have names instead of ids


class Vault:
    """Holds the key ring in memory. Nothing of it can be printed."""

    def __init__(self, ring: list[bytes], fingerprint_secret: bytes = b"") -> None:
        """`ring`: keys of 32 bytes, newest first. Callers use `open_vault`."""
        self._ciphers = {keys.key_id(key): AESGCM(key) for key in ring}
        self._newest = keys.key_id(ring[0])
        self._fingerprint_secret = fingerprint_secret

    def seal(self, table: str, column: str, row_id: int, plaintext: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        ciphertext = self._ciphers[self._newest].encrypt(nonce, plaintext, _place(table, column, row_id))
        return self._newest + nonce + ciphertext

    def open(self, table: str, column: str, row_id: int, ciphertext: bytes) -> bytes:
        """Raises CiphertextInvalid: damaged, moved from another row, or sealed with a key that left the ring."""
        cipher = self._ciphers.get(ciphertext[:KEY_ID_BYTES])
        nonce = ciphertext[KEY_ID_BYTES : KEY_ID_BYTES + NONCE_BYTES]
        if cipher is None or len(nonce) != NONCE_BYTES:
            raise CiphertextInvalid(table, column, row_id)
        try:
            return cipher.decrypt(nonce, ciphertext[KEY_ID_BYTES + NONCE_BYTES :], _place(table, column, row_id))
        except InvalidTag:
            raise CiphertextInvalid(table, column, row_id) from None

    def is_current(self, ciphertext: bytes) -> bool:
        """Whether the newest key sealed it."""
        return ciphertext[:KEY_ID_BYTES] == self._newest

    def fingerprint(self, data: bytes) -> bytes:
        """32 bytes that tell equal data apart from other data, and nothing else without the key.

        Its secret lies sealed in the database, so that fingerprints outlive a change of keys.
        """
        return hmac.digest(self._fingerprint_secret, data, hashlib.sha256)


async def open_vault(database: Database, config: KeyConfig) -> Vault:
    """The vault of this database. A database without one gets it, with a new key file when no key is given.

    Raises KeyMissing (ciphertext there, no key given), KeyInvalid, KeyWrong; nothing has been touched then.
    """
    keys.check_one_way(config)
    stored = await _look(database)
    if stored.has_ciphertext:
        vault = _proven(await _given_ring(config, stored), stored)
        await _note_newest(database, vault, stored)
        return vault
    if config.master_passphrase is not None:
        derivation = stored.derivation or KeyDerivation().pack()
        key = await asyncio.to_thread(KeyDerivation.unpack(derivation).derive, config.master_passphrase)
        return await _found(database, [key], derivation)
    given = await asyncio.to_thread(keys.given_keys, config)
    ring = given or [await asyncio.to_thread(keys.make_key_file, config.default_key_file)]
    return await _found(database, ring, None)


async def key_ring(database: Database, config: KeyConfig) -> list[bytes] | None:
    """The keys that open this database, newest first, proven on it: for a backup. None: it holds no vault yet.

    Raises KeyMissing, KeyInvalid, KeyWrong. Never makes a key.
    """
    keys.check_one_way(config)
    stored = await _look(database)
    if not stored.has_ciphertext:
        return None
    ring = await _given_ring(config, stored)
    _proven(ring, stored)
    return ring


@dataclass(frozen=True, slots=True)
class _Stored:
    """What the database says of its vault."""

    derivation: bytes | None
    check: bytes | None
    fingerprint_secret: bytes | None
    newest: bytes | None
    has_ciphertext: bool


async def _look(database: Database) -> _Stored:
    async with database.read() as connection:
        derivation = await meta.get(connection, DERIVATION)
        check = await meta.get(connection, CHECK)
        fingerprint_secret = await meta.get(connection, FINGERPRINT)
        newest = await meta.get(connection, NEWEST)
        has_ciphertext = check is not None or await _any_ciphertext(connection)
    return _Stored(derivation, check, fingerprint_secret, newest, has_ciphertext)


async def _given_ring(config: KeyConfig, stored: _Stored) -> list[bytes]:
    """The keys that the settings give for a database that is sealed. Raises KeyMissing, KeyInvalid, KeyWrong."""
    if config.master_passphrase is not None:
        if stored.derivation is None:
            raise KeyWrong("this database was sealed with a key, not with a passphrase")
        return [await asyncio.to_thread(KeyDerivation.unpack(stored.derivation).derive, config.master_passphrase)]
    ring = await asyncio.to_thread(keys.given_keys, config)
    if ring is None:
        raise KeyMissing("the database is sealed and no key is given: put the key file back, or set MASTER_KEY")
    return ring


def _proven(ring: list[bytes], stored: _Stored) -> Vault:
    """Raises KeyWrong."""
    if stored.check is None or stored.fingerprint_secret is None:
        raise KeyWrong("the database is sealed, but does not say with which key")
    ringed = Vault(ring)
    try:
        ringed.open("meta", CHECK, META_ROW, stored.check)
        vault = Vault(ring, ringed.open("meta", FINGERPRINT, META_ROW, stored.fingerprint_secret))
    except CiphertextInvalid:
        raise KeyWrong("this key did not seal the database") from None
    try:
        if stored.newest is not None:
            vault.open("meta", NEWEST, META_ROW, stored.newest)
    except CiphertextInvalid:
        raise KeyWrong("a change of keys has begun: give the new key and the old one, newest first") from None
    return vault


async def _note_newest(database: Database, vault: Vault, stored: _Stored) -> None:
    """From now on the new key seals rows, so the old one alone is not enough any more: starting with it would look
    well and fail at the first of those rows."""
    assert stored.check is not None
    if vault.is_current(stored.check) or (stored.newest is not None and vault.is_current(stored.newest)):
        return
    async with database.write() as connection:
        await meta.put(connection, NEWEST, vault.seal("meta", NEWEST, META_ROW, CHECK_VALUE))


async def _found(database: Database, ring: list[bytes], derivation: bytes | None) -> Vault:
    """The first vault of an empty database: what tells its key from others, and the fingerprint secret."""
    secret = secrets.token_bytes(32)
    vault = Vault(ring, secret)
    async with database.write() as connection:
        if derivation is not None:
            await meta.put(connection, DERIVATION, derivation)
        await meta.put(connection, CHECK, vault.seal("meta", CHECK, META_ROW, CHECK_VALUE))
        await meta.put(connection, FINGERPRINT, vault.seal("meta", FINGERPRINT, META_ROW, secret))
    return vault


def sealed_columns(table: Table) -> list[Column[bytes]]:
    return [column for column in table.columns if column.name.endswith("_sealed")]


async def _any_ciphertext(connection: AsyncConnection) -> bool:
    for table in metadata.sorted_tables:
        columns = sealed_columns(table)
        if columns and await connection.scalar(select(exists().where(or_(*(c.is_not(None) for c in columns))))):
            return True
    return False


def _place(table: str, column: str, row_id: int) -> bytes:
    return f"{table}/{column}/{row_id}".encode()
