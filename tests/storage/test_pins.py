"""PINs: a sealed hash, tries counted before they are looked at, a lock that ends."""

import asyncio

import pytest
from sqlalchemy import select, update

from storage.admins import AdminRepository
from storage.database import Database
from storage.errors import CiphertextInvalid
from storage.models import PinState, Role
from storage.pins import LOCKED_FOR, MOST_TRIES, PinRepository, remove_pin
from storage.schema import pins as table
from storage.vault import Vault
from tests.storage.conftest import Clock

RIGHT, WRONG = "48151623", "48151624"


@pytest.fixture
async def pins(database: Database, vault: Vault, clock: Clock) -> PinRepository:
    admins = AdminRepository(database, clock=clock)
    await admins.put(7, Role.OWNER, "Ann")
    await admins.put(8, Role.OWNER, "Bob")
    pins = PinRepository(database, vault, clock=clock)
    await pins.put(7, RIGHT)
    return pins


async def test_right_and_wrong(pins: PinRepository) -> None:
    """The right one counts no try; who has none matches nothing."""
    assert await pins.matches(7, WRONG) is False
    assert await pins.get(7) == PinState(1, None)
    assert await pins.matches(7, RIGHT) is True
    assert await pins.get(7) == PinState(0, None)
    assert await pins.get(8) is None
    assert await pins.matches(8, RIGHT) is None
    assert await pins.all() == {7}


async def test_the_fifth_locks_and_the_lock_ends(pins: PinRepository, clock: Clock) -> None:
    """While it is locked even the right one is not looked at; afterwards there are five tries again."""
    for _ in range(MOST_TRIES):
        assert await pins.matches(7, WRONG) is False
    assert await pins.matches(7, RIGHT) is None
    state = await pins.get(7)
    assert state == PinState(MOST_TRIES, clock.now + LOCKED_FOR)
    clock.advance(seconds=LOCKED_FOR.total_seconds())
    assert await pins.get(7) == PinState(0, None)
    for left in range(1, MOST_TRIES):
        assert await pins.matches(7, WRONG) is False
        assert await pins.get(7) == PinState(left, None)
    assert await pins.matches(7, RIGHT) is True


async def test_tries_at_once_are_all_counted(pins: PinRepository) -> None:
    """Twenty at the same moment: five are looked at."""
    answers = await asyncio.gather(*(pins.matches(7, WRONG) for _ in range(20)))
    assert answers.count(False) == MOST_TRIES
    assert answers.count(None) == 20 - MOST_TRIES


async def test_a_try_is_counted_before_it_is_looked_at(pins: PinRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while the hash is computed: the try is spent."""

    def die(packed: bytes, pin: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr("storage.pins._fits", die)
    with pytest.raises(BaseException):  # noqa: B017, PT011 - whatever the thread makes of it
        await pins.matches(7, RIGHT)
    assert await pins.get(7) == PinState(1, None)


async def test_what_lies_in_the_database(pins: PinRepository, database: Database) -> None:
    """Neither the digits nor a hash that could be tried at home; moved to another admin it does not open."""
    await pins.put(8, WRONG)
    async with database.read() as connection:
        rows = {row.admin_id: row.hash_sealed for row in await connection.execute(select(table))}
    assert all(RIGHT.encode() not in sealed and b"hash" not in sealed for sealed in rows.values())
    async with database.write() as connection:
        await connection.execute(update(table).where(table.c.admin_id == 8).values(hash_sealed=rows[7]))
    with pytest.raises(CiphertextInvalid):
        await pins.matches(8, RIGHT)


async def test_set_anew_and_removed(pins: PinRepository, database: Database) -> None:
    """A new PIN begins with no tries; removed ones are gone, and with them those of a removed admin."""
    await pins.matches(7, WRONG)
    await pins.put(7, WRONG)
    assert await pins.get(7) == PinState(0, None)
    assert await pins.matches(7, RIGHT) is False
    assert await remove_pin(database, 7)
    assert not await pins.remove(7)
    await pins.put(8, RIGHT)
    await AdminRepository(database).remove(8)
    assert await pins.all() == set()
