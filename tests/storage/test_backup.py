"""Backups: sealed as a whole, consistent, and restored all or not at all."""

# ruff: noqa: ASYNC240 - a test may look at its own small disk

import io
import os
import shutil
import stat
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from storage.backup import back_up
from storage.database import Database
from storage.errors import (
    BackupDamaged,
    KeyMissing,
    KeyWrong,
    NotABackup,
    NothingToBackUp,
    PassphraseWrong,
    PlaceTaken,
)
from storage.keys import KeyConfig, parse_keys
from storage.restore import finish, restore
from storage.restored import RestoredRepository
from storage.sealed_file import CHUNK_BYTES, MAGIC, OpeningReader, SealingWriter
from storage.sessions import SessionRepository
from storage.vault import Vault, open_vault
from tests.storage.conftest import Clock
from tests.storage.make import Maker
from tests.storage.test_vault import given, new_key

WORDS = "correct horse battery staple"


def sealed(data: bytes) -> bytes:
    file = io.BytesIO()
    writer = SealingWriter(file, WORDS, {"made_at_ms": 1})
    for start in range(0, len(data), 300_001):
        writer.write(data[start : start + 300_001])
    writer.finish()
    return file.getvalue()


def opened(content: bytes, passphrase: str = WORDS) -> bytes:
    reader = OpeningReader(io.BytesIO(content), passphrase)
    data = b""
    while piece := reader.read(100_000):
        data += piece
    return data


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "porter.backup"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    return folder


def keys_in(folder: Path) -> KeyConfig:
    return KeyConfig(None, None, None, default_key_file=folder / "porter.key")


def snapshot(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# -- the sealed file


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES])
def test_what_is_sealed_opens(size: int) -> None:
    """Around the edges of chunks too."""
    data = os.urandom(size)
    assert opened(sealed(data)) == data


def test_a_sealed_file_hides_its_content_and_gives_no_two_alike() -> None:
    """Nothing of the content stands in the file, and the same content is another file each time."""
    data = b"auth key " * 100
    first, second = sealed(data), sealed(data)
    assert b"auth key" not in first
    assert first[-len(data) :] != second[-len(data) :]


def test_a_lost_end_is_found_out() -> None:
    """Cut anywhere - in a chunk, or just between two - it does not pass for a whole file."""
    content = sealed(os.urandom(2 * CHUNK_BYTES + 10))
    chunks = len(content) - (2 * CHUNK_BYTES + 10 + 3 * 16)
    for length in (len(content) - 1, len(content) - 26, chunks + CHUNK_BYTES + 16, chunks, chunks + 5):
        with pytest.raises(BackupDamaged):
            opened(content[:length])


def test_a_flipped_byte_is_found_out() -> None:
    """In the header, the check, a chunk or a tag."""
    content = sealed(b"x" * 100)
    header = len(MAGIC) + 4 + int.from_bytes(content[len(MAGIC) : len(MAGIC) + 4], "big")
    for position in (0, 9, header - 3, header, header + 15, header + 16, len(content) - 1):
        damaged = bytearray(content)
        damaged[position] ^= 1
        with pytest.raises((NotABackup, PassphraseWrong, BackupDamaged)):
            opened(bytes(damaged))


def test_chunks_cannot_change_places() -> None:
    content = sealed(os.urandom(3 * CHUNK_BYTES))
    size = CHUNK_BYTES + 16
    start = len(content) - 3 * size
    first, second, third = (content[start + n * size : start + (n + 1) * size] for n in range(3))
    with pytest.raises(BackupDamaged):
        opened(content[:start] + second + first + third)
    with pytest.raises(BackupDamaged):
        opened(content[:start] + first + third)


def test_a_wrong_passphrase_is_told_from_damage() -> None:
    with pytest.raises(PassphraseWrong):
        opened(sealed(b"x"), "correct horse battery stable")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"SQLite format 3\x00" * 10,
        MAGIC[:-1] + b"\x02" + b"\x00" * 40,
        MAGIC + b"\xff\xff\xff\xff",
        MAGIC + b"\x00\x00\x00\x02{}" + b"\x00" * 40,
        MAGIC + b"\x00\x00\x00\x02[]" + b"\x00" * 40,
        MAGIC
        + (len(x := b'{"derivation":"{\\"m\\":999999999,\\"p\\":4,\\"salt\\":\\"00\\",\\"t\\":3}"}')).to_bytes(4, "big")
        + x,
    ],
)
def test_what_is_no_backup_is_refused(content: bytes) -> None:
    """Other files, later formats, and headers that would ask for a terabyte of memory."""
    with pytest.raises(NotABackup):
        opened(content)


# -- backup and restore


async def test_a_backup_comes_back(
    database: Database, keys: KeyConfig, vault: Vault, make: Maker, target: Path, elsewhere: Path, clock: Clock
) -> None:
    """Made beside an open Porter; restored it has the rows, the keys, the modes, and the mark of a restored one."""
    session = await make.session()
    made_at = clock.now
    size = await back_up(database.path, keys, target, WORDS, clock=clock)
    assert target.stat().st_size == size
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert not (database.path.parent / "backup.part").exists()
    assert b"+99966123442" not in target.read_bytes()
    await make.session()  # after the copy

    clock.advance(hours=3)
    restored = await restore(target, elsewhere, keys_in(elsewhere), WORDS, clock=clock)
    assert sorted(p.name for p in elsewhere.iterdir()) == ["porter.db", "porter.key"]
    assert {stat.S_IMODE(p.stat().st_mode) for p in elsewhere.iterdir()} == {0o600}
    async with Database.open(elsewhere / "porter.db") as copy:
        rows = SessionRepository(copy, await open_vault(copy, keys_in(elsewhere)))
        assert [row.id for row in await rows.all()] == [session.id]
        assert await rows.credential(session.id) == b"credential 1"
        mark = await RestoredRepository(copy).get()
        assert mark == restored
        assert (mark.made_at, mark.restored_at, mark.told) == (made_at, clock.now, False)


async def test_ids_are_not_given_again(
    database: Database, keys: KeyConfig, vault: Vault, make: Maker, target: Path, elsewhere: Path
) -> None:
    """What was made after the copy has ids that buttons in chats still carry: the restored database skips them."""
    await make.session()
    await back_up(database.path, keys, target, WORDS)
    lost = await make.session()
    await restore(target, elsewhere, keys_in(elsewhere), WORDS)
    async with Database.open(elsewhere / "porter.db") as copy:
        other = Maker(copy, await open_vault(copy, keys_in(elsewhere)), lambda: lost.created_at)
        new = await other.session(user_id=9, fingerprint=b"another", name="Another")
        source = await other.source(session=new)
    assert new.id > lost.id + 1000
    assert source.id > 1000


async def test_a_mark_is_cleared_once_and_by_its_own_id(database: Database, clock: Clock) -> None:
    """A button of an earlier restore says nothing about this one."""
    marks = RestoredRepository(database)
    first = await marks.mark(clock.now, clock.now)
    second = await marks.mark(clock.now, clock.now)
    await marks.set_told(second)
    assert (await marks.get()) == replace(second, told=True)
    assert not await marks.clear(first.id)
    assert await marks.clear(second.id)
    assert not await marks.clear(second.id)
    await marks.set_told(second)
    assert await marks.get() is None


async def test_the_whole_ring_travels(database: Database, keys: KeyConfig, target: Path, elsewhere: Path) -> None:
    """In the middle of a change of keys, both are in the backup, newest first."""
    old, new = new_key(), new_key()
    make = Maker(database, await open_vault(database, given(keys, old)), lambda: Clock().now)
    session = await make.session()
    ring = given(keys, new, old)
    await open_vault(database, ring)
    await back_up(database.path, ring, target, WORDS)
    await restore(target, elsewhere, keys_in(elsewhere), WORDS)
    assert parse_keys((elsewhere / "porter.key").read_text()) == parse_keys(f"{new},{old}")
    async with Database.open(elsewhere / "porter.db") as copy:
        rows = SessionRepository(copy, await open_vault(copy, keys_in(elsewhere)))
        assert await rows.credential(session.id) == b"credential 1"


async def test_a_database_of_a_passphrase_comes_back_without_it(
    database: Database, keys: KeyConfig, target: Path, elsewhere: Path
) -> None:
    """The derived key is in the backup; the passphrase opens the restored database as well."""
    secret = replace(keys, master_passphrase="words of mine")
    await open_vault(database, secret)
    await back_up(database.path, secret, target, WORDS)
    await restore(target, elsewhere, keys_in(elsewhere), WORDS)
    async with Database.open(elsewhere / "porter.db") as copy:
        await open_vault(copy, keys_in(elsewhere))
        await open_vault(copy, replace(keys_in(elsewhere), master_passphrase="words of mine"))


async def test_a_key_in_the_settings_must_be_the_backups(
    database: Database, keys: KeyConfig, target: Path, elsewhere: Path
) -> None:
    """The right one: no key file is written beside the database. Another one: refused, nothing is there."""
    key = given(keys, new_key())
    await open_vault(database, key)
    await back_up(database.path, key, target, WORDS)
    with pytest.raises(KeyWrong, match="another key than the backup's"):
        await restore(target, elsewhere, given(keys_in(elsewhere), new_key()), WORDS)
    assert not list(elsewhere.iterdir())
    await restore(target, elsewhere, replace(key, default_key_file=elsewhere / "porter.key"), WORDS)
    assert [p.name for p in elsewhere.iterdir()] == ["porter.db"]


async def test_a_backup_without_its_key_is_refused(
    database: Database, keys: KeyConfig, vault: Vault, target: Path
) -> None:
    """It would be found out when it is needed. Nothing is written and no key is made."""
    keys.default_key_file.unlink()
    with pytest.raises(KeyMissing):
        await back_up(database.path, keys, target, WORDS)
    with pytest.raises(KeyWrong):
        await back_up(database.path, given(keys, new_key()), target, WORDS)
    assert not target.exists()
    assert not keys.default_key_file.exists()


async def test_an_empty_porter_has_nothing_to_back_up(
    database: Database, keys: KeyConfig, target: Path, tmp_path: Path
) -> None:
    with pytest.raises(NothingToBackUp):
        await back_up(database.path, keys, target, WORDS)
    with pytest.raises(NothingToBackUp):
        await back_up(tmp_path / "porter.db", keys, target, WORDS)
    assert not keys.default_key_file.exists()
    assert not target.exists()


async def test_a_backup_overwrites_only_by_force(
    database: Database, keys: KeyConfig, vault: Vault, target: Path
) -> None:
    target.write_text("something else")
    with pytest.raises(PlaceTaken):
        await back_up(database.path, keys, target, WORDS)
    assert target.read_text() == "something else"
    await back_up(database.path, keys, target, WORDS, force=True)
    assert target.read_bytes().startswith(MAGIC)


async def test_a_restore_overwrites_only_by_force(
    database: Database, keys: KeyConfig, vault: Vault, make: Maker, target: Path, elsewhere: Path
) -> None:
    """Without it nothing is touched; with it the old files are kept beside, the key with its database."""
    await make.session()
    await back_up(database.path, keys, target, WORDS)
    async with Database.open(elsewhere / "porter.db") as other:
        await open_vault(other, keys_in(elsewhere))
    before = snapshot(elsewhere)
    with pytest.raises(PlaceTaken):
        await restore(target, elsewhere, keys_in(elsewhere), WORDS)
    assert snapshot(elsewhere) == before

    await restore(target, elsewhere, keys_in(elsewhere), WORDS, force=True)
    (kept,) = elsewhere.glob("before-restore-*")
    assert snapshot(kept) == before
    assert (elsewhere / "porter.key").read_bytes() == keys.default_key_file.read_bytes()


@pytest.mark.parametrize("damage", ["passphrase", "cut", "flipped", "other"])
async def test_a_restore_that_fails_changes_nothing(
    database: Database, keys: KeyConfig, vault: Vault, target: Path, elsewhere: Path, damage: str
) -> None:
    """Even by force: what stood in DATA_DIR stands there, and nothing half lies about."""
    await back_up(database.path, keys, target, WORDS)
    content = target.read_bytes()
    if damage == "cut":
        target.write_bytes(content[:-100])
    elif damage == "flipped":
        target.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    elif damage == "other":
        file = io.BytesIO()
        writer = SealingWriter(file, WORDS, {"made_at_ms": 1})
        with tarfile.open(mode="w", fileobj=(plain := io.BytesIO())) as tar:
            tar.addfile(tarfile.TarInfo("../evil"), io.BytesIO())
        writer.write(plain.getvalue())
        writer.finish()
        target.write_bytes(file.getvalue())
    (elsewhere / "porter.db").write_bytes(b"what stood there")
    with pytest.raises((PassphraseWrong, BackupDamaged)):
        await restore(target, elsewhere, keys_in(elsewhere), "wrong" if damage == "passphrase" else WORDS, force=True)
    assert snapshot(elsewhere) == {"porter.db": b"what stood there"}


class PowerCut(BaseException):
    """Ends a restore just before a rename, as far as the code can tell."""


class Cutter:
    """An audit hook, which sees every rename of this process. It stays for good, so it is idle unless armed."""

    left: int | None = None

    def __call__(self, event: str, _arguments: object) -> None:
        if event == "os.rename" and self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise PowerCut


@pytest.fixture(scope="module")
def cutter() -> Cutter:
    hook = Cutter()
    sys.addaudithook(hook)
    return hook


async def test_a_restore_cut_at_any_rename_is_whole_or_not_begun(
    database: Database, keys: KeyConfig, vault: Vault, target: Path, elsewhere: Path, cutter: Cutter
) -> None:
    """The next start finds the old Porter or the restored one, never a mixture; what stood there is kept."""
    await back_up(database.path, keys, target, WORDS)
    async with Database.open(elsewhere / "porter.db") as other:
        await open_vault(other, keys_in(elsewhere))
    before = snapshot(elsewhere)
    outcomes: list[str] = []
    while not outcomes or outcomes[-1] != "uncut":
        folder = elsewhere.with_name(f"cut-{len(outcomes)}")
        shutil.copytree(elsewhere, folder)
        cutter.left = len(outcomes)
        try:
            await restore(target, folder, keys_in(folder), WORDS, force=True)
            outcomes.append("uncut")
        except PowerCut:
            outcomes.append("cut")
        finally:
            cutter.left = None
        finish(folder)
        if len(outcomes) == 1:
            assert snapshot(folder) == before
            continue
        (kept,) = folder.glob("before-restore-*")
        assert snapshot(kept) == before
        assert sorted(p.name for p in folder.iterdir()) == [kept.name, "porter.db", "porter.key"]
        async with Database.open(folder / "porter.db") as copy:
            await open_vault(copy, keys_in(folder))
            assert await RestoredRepository(copy).get() is not None
    assert len(outcomes) > 5
