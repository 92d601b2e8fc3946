"""Encryption at rest: AES-256-GCM, bound to the place where the ciphertext lies.

    sealed value = key id (4 bytes) | nonce (12) | ciphertext and tag (16 longer than the plaintext)

The associated data names table, column and row id, so that a ciphertext moved to another row does not open. The key
id names a key of the ring: the first key seals, all of them open, and `rekey` (storage/rekey.py) moves rows over.
"""

import asyncio
import hashlib
import hmac
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Column, Table, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import keys, meta
from storage.database import Database
from storage.errors import CiphertextInvalid, KeyMissing, KeyWrong
from storage.keys import KEY_ID_BYTES, KeyConfig, KeyDerivation
from storage.schema import metadata

__all__ = ["KeyConfig", "Vault", "open_vault"]

NONCE_BYTES = 12

# Rows of `meta`. The last two are sealed.
DERIVATION = "vault.derivation"
CHECK = "vault.check"
FINGERPRINT = "vault.fingerprint"
SEALED_META = (CHECK, FINGERPRINT)

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
    async with database.read() as connection:
        derivation = await meta.get(connection, DERIVATION)
        check = await meta.get(connection, CHECK)
        fingerprint_secret = await meta.get(connection, FINGERPRINT)
        has_ciphertext = check is not None or await _any_ciphertext(connection)

    if config.master_passphrase is not None:
        if derivation is None and has_ciphertext:
            raise KeyWrong("this database was sealed with a key, not with a passphrase")
        derivation = derivation or KeyDerivation().pack()
        unpacked = KeyDerivation.unpack(derivation)
        ring = [await asyncio.to_thread(unpacked.derive, config.master_passphrase)]
    else:
        given = await asyncio.to_thread(keys.given_keys, config)
        if given is None and has_ciphertext:
            raise KeyMissing("the database is sealed and no key is given")
        ring = given or [await asyncio.to_thread(keys.make_key_file, config.default_key_file)]
        derivation = None

    if not has_ciphertext:
        return await _found(database, ring, derivation)
    if check is None or fingerprint_secret is None:
        raise KeyWrong("the database is sealed, but does not say with which key")
    ringed = Vault(ring)
    try:
        ringed.open("meta", CHECK, META_ROW, check)
        return Vault(ring, ringed.open("meta", FINGERPRINT, META_ROW, fingerprint_secret))
    except CiphertextInvalid:
        raise KeyWrong("this key did not seal the database") from None


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
