"""A database knows where it lives: a copy is found out, everything else that happens to a file is not."""

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from storage.database import Database
from storage.home import settle
from storage.keys import KeyConfig
from storage.leases import LeaseRepository
from storage.models import RestReason
from storage.restored import RestoredRepository
from storage.snapshot import copy_database
from storage.vault import open_vault
from tests.storage.conftest import Clock
from tests.storage.make import Maker


async def is_new_here(path: Path, clock: Clock) -> bool:
    async with Database.open(path) as database:
        return await settle(database, clock=clock)


async def why(path: Path) -> RestReason | None:
    async with Database.open(path) as database:
        mark = await RestoredRepository(database).get()
    return mark.why if mark else None


@pytest.fixture
async def lived_in(tmp_path: Path, clock: Clock) -> Path:
    """A database that has been at home here, with a session and its lease."""
    path = tmp_path / "data" / "porter.db"
    async with Database.open(path) as database:
        vault = await open_vault(database, KeyConfig(None, None, None, path.with_name("porter.key")))
        session = await Maker(database, vault, clock).session()
        assert not await settle(database, clock=clock)
        leases = LeaseRepository(database, "the first", "a host", clock=clock)
        assert await leases.take(session.id, clock.now) is None
    return path


async def test_a_copy_is_found_out_once(lived_in: Path, tmp_path: Path, clock: Clock) -> None:
    """The copy is marked until somebody clears it; its leases were the other file's; the original notices nothing."""
    shutil.copytree(lived_in.parent, tmp_path / "copy")
    copy = tmp_path / "copy" / "porter.db"
    assert await is_new_here(copy, clock)
    assert not await is_new_here(copy, clock), "it lives there now"
    assert await why(copy) is RestReason.COPIED
    async with Database.open(copy) as database:
        assert await LeaseRepository(database, "x", "y", clock=clock).get(1) is None
        marks = RestoredRepository(database)
        mark = await marks.get()
        assert mark is not None
        assert await marks.clear(mark.id)
        vault = await open_vault(database, KeyConfig(None, None, None, copy.with_name("porter.key")))
        assert (await Maker(database, vault, clock).session(name="new", user_id=1, fingerprint=b"new")).id > 1_000_000
    assert not await is_new_here(lived_in, clock)
    assert await why(lived_in) is None
    assert not await is_new_here(copy, clock)
    assert await why(copy) is None


async def test_put_over_another_one_is_a_copy_too(lived_in: Path, tmp_path: Path, clock: Clock) -> None:
    """The file below keeps its inode, but what is in it now lived elsewhere."""
    other = tmp_path / "other" / "porter.db"
    assert not await is_new_here(other, clock)
    shutil.copyfile(lived_in, other)
    assert await is_new_here(other, clock)


async def test_what_happens_to_a_file_at_home_is_no_move(lived_in: Path, tmp_path: Path, clock: Clock) -> None:
    """A rename of the folder, VACUUM and a snapshot beside it leave it at home."""
    copy_database(lived_in, lived_in.with_name("porter.db.before-9999"))
    with closing(sqlite3.connect(lived_in)) as db:
        db.execute("VACUUM")
    lived_in.parent.rename(tmp_path / "renamed")
    assert not await is_new_here(tmp_path / "renamed" / "porter.db", clock)


async def test_a_restored_one_keeps_its_own_question(lived_in: Path, tmp_path: Path, clock: Clock) -> None:
    """It has moved as well, but the backup's mark says more; its ids were skipped already."""
    copy = tmp_path / "copy.db"
    copy_database(lived_in, copy)
    async with Database.open(copy) as database:
        mark = await RestoredRepository(database).mark(clock.now - timedelta(days=1), clock.now)
        assert await settle(database, clock=clock)
        assert await RestoredRepository(database).get() == mark
        assert mark.why is RestReason.BACKUP


async def test_leases_of_hosts_and_processes(lived_in: Path, clock: Clock) -> None:
    """Of our host: ours. Of another: theirs while it beats, ours afterwards; and what is taken is no longer renewed."""
    soon = timedelta(seconds=90)
    async with Database.open(lived_in) as database:
        first = LeaseRepository(database, "the first", "a host", clock=clock)
        neighbour = LeaseRepository(database, "its successor", "a host", clock=clock)
        far = LeaseRepository(database, "far away", "another host", clock=clock)
        held = await far.take(1, clock.now - soon)
        assert held is not None
        assert (held.process, held.beat_at) == ("the first", clock.now)
        assert await far.elsewhere(clock.now - soon) == held
        assert await neighbour.elsewhere(clock.now - soon) is None
        assert await neighbour.take(1, clock.now - soon) is None
        assert await first.beat([1]) == set()
        await first.give_back(1)
        assert await neighbour.beat([1]) == {1}
        clock.now += soon
        assert await far.elsewhere(clock.now - soon) is None
        assert await far.take(1, clock.now - soon) is None
        assert await neighbour.beat([1]) == set()
        await far.give_back(1)
        assert await far.get(1) is None
