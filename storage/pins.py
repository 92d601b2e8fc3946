"""PINs of owners: an Argon2id hash, sealed, and the count of tries.

A PIN has few digits, so what protects it is the count: a try is written down before it is looked at, and a kill in
between wins nothing. The seal keeps whoever has the database alone from trying all of them at home.
"""

import asyncio
import hmac
import json
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from storage.database import Database
from storage.keys import KeyDerivation
from storage.models import PinState
from storage.schema import pins
from storage.types import Clock, to_json, utc_now
from storage.vault import Vault

MOST_TRIES = 5
LOCKED_FOR = timedelta(minutes=15)
# OWASP's second choice for passwords: some 30 ms. More would not help against so few digits.
ITERATIONS, LANES, MEMORY_KIB = 2, 1, 19 * 1024


class PinRepository:
    def __init__(self, database: Database, vault: Vault, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def get(self, admin_id: int) -> PinState | None:
        """None: this admin has no PIN. A lock that is over is not told."""
        statement = select(pins.c.tries, pins.c.locked_until).where(pins.c.admin_id == admin_id)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        is_over = row.locked_until is not None and row.locked_until <= self._clock()
        return PinState(0, None) if is_over else PinState(row.tries, row.locked_until)

    async def all(self) -> set[int]:
        """The admins who have one."""
        async with self._database.read() as connection:
            return set(await connection.scalars(select(pins.c.admin_id)))

    async def put(self, admin_id: int, pin: str) -> None:
        """A new PIN in the place of an older one; no tries, no lock."""
        packed = await asyncio.to_thread(_pack, pin)
        async with self._database.write() as connection:
            await connection.execute(delete(pins).where(pins.c.admin_id == admin_id))
            statement = insert(pins).values(admin_id=admin_id, tries=0).returning(pins.c.id)
            row_id = int((await connection.execute(statement)).scalar_one())
            sealed = self._vault.seal("pins", "hash_sealed", row_id, packed)
            await connection.execute(update(pins).where(pins.c.id == row_id).values(hash_sealed=sealed))

    async def matches(self, admin_id: int, pin: str) -> bool | None:
        """None: it is locked, or there is none. The last try locks before it is looked at; the right one unlocks.

        Raises CiphertextInvalid.
        """
        counted = await self._count_try(admin_id)
        if counted is None:
            return None
        row_id, sealed = counted
        packed = self._vault.open("pins", "hash_sealed", row_id, sealed)
        if not await asyncio.to_thread(_fits, packed, pin):
            return False
        async with self._database.write() as connection:
            await connection.execute(update(pins).where(pins.c.id == row_id).values(tries=0, locked_until=None))
        return True

    async def remove(self, admin_id: int) -> bool:
        return await remove_pin(self._database, admin_id)

    async def _count_try(self, admin_id: int) -> tuple[int, bytes] | None:
        now = self._clock()
        async with self._database.write() as connection:
            row = (await connection.execute(select(pins).where(pins.c.admin_id == admin_id))).one_or_none()
            if row is None or (row.locked_until is not None and row.locked_until > now):
                return None
            tries = 1 if row.locked_until is not None else row.tries + 1
            locked: datetime | None = now + LOCKED_FOR if tries >= MOST_TRIES else None
            await connection.execute(update(pins).where(pins.c.id == row.id).values(tries=tries, locked_until=locked))
        return row.id, row.hash_sealed


async def remove_pin(database: Database, admin_id: int) -> bool:
    """Needs no vault: the operator may do it. False: there was none."""
    async with database.write() as connection:
        return (await connection.execute(delete(pins).where(pins.c.admin_id == admin_id))).rowcount > 0


def _pack(pin: str) -> bytes:
    """Blocking."""
    derivation = KeyDerivation(iterations=ITERATIONS, lanes=LANES, memory_kib=MEMORY_KIB)
    values = {"derivation": derivation.pack().decode(), "hash": derivation.derive(pin).hex()}
    return to_json(values).encode()


def _fits(packed: bytes, pin: str) -> bool:
    """Blocking."""
    values = json.loads(packed)
    derived = KeyDerivation.unpack(values["derivation"].encode()).derive(pin)
    return hmac.compare_digest(derived, bytes.fromhex(values["hash"]))
