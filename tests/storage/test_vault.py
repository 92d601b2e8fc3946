import base64
import secrets
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from storage.conversations import ConversationRepository
from storage.database import Database
from storage.errors import CiphertextInvalid, KeyInvalid, KeyMissing, KeyWrong
from storage.keys import KeyConfig, KeyDerivation
from storage.models import SessionKind
from storage.rekey import RekeyProgress, rekey
from storage.schema import meta, sessions
from storage.sessions import SessionRepository
from storage.source_applications import SourceApplicationRepository
from storage.types import utc_now
from storage.vault import Vault, open_vault
from tests.storage.make import Maker


def new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def given(keys: KeyConfig, *ring: str) -> KeyConfig:
    return replace(keys, master_key=",".join(ring))


async def state(database: Database) -> list[tuple[str, bytes]]:
    async with database.read() as connection:
        return [(row.key, row.value) for row in await connection.execute(select(meta).order_by(meta.c.key))]


async def test_sealed_values_open_in_their_place(vault: Vault) -> None:
    """What was sealed for a row opens there, and sealing twice gives two ciphertexts."""
    first, second = (vault.seal("sessions", "phone_sealed", 1, b"+1555") for _ in range(2))
    assert first != second
    assert vault.open("sessions", "phone_sealed", 1, first) == b"+1555"
    assert len(first) == len(b"+1555") + 32


@pytest.mark.parametrize(
    ("table", "column", "row_id"),
    [("sessions", "phone_sealed", 2), ("sessions", "api_hash_sealed", 1), ("peers", "phone_sealed", 1)],
)
async def test_moved_ciphertext_does_not_open(vault: Vault, table: str, column: str, row_id: int) -> None:
    """Another row, column or table is another place: copying one's ciphertext there is found out."""
    sealed = vault.seal("sessions", "phone_sealed", 1, b"+1555")
    with pytest.raises(CiphertextInvalid) as caught:
        vault.open(table, column, row_id, sealed)
    assert (caught.value.table, caught.value.column, caught.value.row_id) == (table, column, row_id)


async def test_any_flipped_byte_is_found_out(vault: Vault) -> None:
    """Key id, nonce, ciphertext and tag: none can be changed."""
    sealed = vault.seal("sessions", "phone_sealed", 1, b"+1555")
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(CiphertextInvalid):
            vault.open("sessions", "phone_sealed", 1, bytes(damaged))


@pytest.mark.parametrize("length", [0, 3, 4, 15, 16, 20, 31])
async def test_cut_ciphertext_is_found_out(vault: Vault, length: int) -> None:
    """A value that lost its end is CiphertextInvalid, not a defect."""
    sealed = vault.seal("sessions", "phone_sealed", 1, b"")
    with pytest.raises(CiphertextInvalid):
        vault.open("sessions", "phone_sealed", 1, sealed[:length])


async def test_the_first_start_makes_a_key_file(database: Database, keys: KeyConfig) -> None:
    """Without a key an empty database gets one, 0600, and the next start finds it."""
    vault = await open_vault(database, keys)
    assert stat.S_IMODE(keys.default_key_file.stat().st_mode) == 0o600
    sealed = vault.seal("sessions", "phone_sealed", 1, b"+1555")
    again = await open_vault(database, keys)
    assert again.open("sessions", "phone_sealed", 1, sealed) == b"+1555"
    assert again.fingerprint(b"key") == vault.fingerprint(b"key") != vault.fingerprint(b"other")


async def test_a_lost_key_file_is_not_replaced(database: Database, keys: KeyConfig, vault: Vault) -> None:
    """A sealed database without its key is refused: no new key, no changed row."""
    before = await state(database)
    keys.default_key_file.unlink()
    with pytest.raises(KeyMissing):
        await open_vault(database, keys)
    assert not keys.default_key_file.exists()
    assert await state(database) == before


async def test_ciphertext_without_a_vault_is_refused(
    database: Database, keys: KeyConfig, vault: Vault, make: Maker
) -> None:
    """Any sealed column counts as ciphertext, also when what meta says of the key is gone."""
    await make.session()
    async with database.write() as connection:
        await connection.execute(meta.delete())
    keys.default_key_file.unlink()
    with pytest.raises(KeyMissing):
        await open_vault(database, keys)
    with pytest.raises(KeyWrong):
        await open_vault(database, given(keys, new_key()))


async def test_a_wrong_key_touches_nothing(database: Database, keys: KeyConfig) -> None:
    """Another key is found out by the check value, before anything is sealed with it."""
    await open_vault(database, given(keys, new_key()))
    before = await state(database)
    with pytest.raises(KeyWrong):
        await open_vault(database, given(keys, new_key()))
    with pytest.raises(KeyWrong):
        await open_vault(database, replace(keys, master_passphrase="a passphrase instead"))
    assert await state(database) == before
    assert not keys.default_key_file.exists()


async def test_keys_from_a_file(database: Database, keys: KeyConfig, tmp_path: Path) -> None:
    """MASTER_KEY_FILE holds what MASTER_KEY would, one a line or with commas."""
    old, new = new_key(), new_key()
    await open_vault(database, given(keys, old))
    file = tmp_path / "keys"
    file.write_text(f"{new}\n{old}\n")
    await open_vault(database, replace(keys, master_key_file=file))


async def test_a_passphrase_is_enough(database: Database, keys: KeyConfig) -> None:
    """The salt lies in the database, so that the same words give the same key; others do not."""
    secret = replace(keys, master_passphrase="correct horse battery staple")
    vault = await open_vault(database, secret)
    sealed = vault.seal("sessions", "phone_sealed", 1, b"+1555")
    again = await open_vault(database, secret)
    assert again.open("sessions", "phone_sealed", 1, sealed) == b"+1555"
    with pytest.raises(KeyWrong):
        await open_vault(database, replace(keys, master_passphrase="correct horse battery stable"))
    with pytest.raises(KeyMissing):
        await open_vault(database, keys)


def test_the_derivation_is_kept_as_it_was() -> None:
    """Cost and salt come from the database, so that a later default does not lock anybody out."""
    cheap = KeyDerivation(salt=b"0123456789abcdef", iterations=1, lanes=1, memory_kib=64)
    assert KeyDerivation.unpack(cheap.pack()) == cheap
    assert cheap.derive("words") != KeyDerivation(iterations=1, lanes=1, memory_kib=64).derive("words")


@pytest.mark.parametrize(
    "text",
    ["", ",", "not base64!", base64.b64encode(b"short").decode(), base64.b64encode(b"x" * 33).decode(), "schlüssel"],
)
async def test_a_key_that_can_be_none_is_refused(database: Database, keys: KeyConfig, text: str) -> None:
    """Wrong length or alphabet: refused before anything is touched, and never quoted."""
    with pytest.raises(KeyInvalid) as caught:
        await open_vault(database, replace(keys, master_key=text))
    assert len(text) < 2 or text not in str(caught.value)
    assert await state(database) == []


async def test_an_unreadable_key_file_is_refused(database: Database, keys: KeyConfig, tmp_path: Path) -> None:
    """A missing file or one of raw bytes is KeyInvalid; the bytes are not shown."""
    with pytest.raises(KeyInvalid):
        await open_vault(database, replace(keys, master_key_file=tmp_path / "nowhere"))
    raw = tmp_path / "raw"
    raw.write_bytes(b"\xff\xfe secret")
    with pytest.raises(KeyInvalid) as caught:
        await open_vault(database, replace(keys, master_key_file=raw))
    assert caught.value.__suppress_context__
    assert "secret" not in str(caught.value)


async def test_one_way_to_the_key(database: Database, keys: KeyConfig) -> None:
    """A key and a passphrase at once is a mistake to be told; so is an empty passphrase."""
    with pytest.raises(KeyInvalid):
        await open_vault(database, replace(keys, master_key=new_key(), master_passphrase="words"))
    with pytest.raises(KeyInvalid):
        await open_vault(database, replace(keys, master_passphrase=" "))


def test_keys_are_not_printed(keys: KeyConfig) -> None:
    """Neither configuration nor vault shows a key when it is printed."""
    key = new_key()
    config = replace(keys, master_key=key, master_passphrase="words of mine")
    vault = Vault([base64.b64decode(key)], b"fingerprint secret")
    assert key not in repr(config)
    assert "words" not in repr(config)
    assert repr(vault) == object.__repr__(vault)


async def test_the_ring_opens_old_and_seals_new(database: Database, keys: KeyConfig) -> None:
    """After a rotation old values open, new ones carry the new key, fingerprints stay the same."""
    old, new = new_key(), new_key()
    before = await open_vault(database, given(keys, old))
    sealed = before.seal("sessions", "phone_sealed", 1, b"+1555")
    after = await open_vault(database, given(keys, new, old))
    assert after.open("sessions", "phone_sealed", 1, sealed) == b"+1555"
    assert after.is_current(after.seal("sessions", "phone_sealed", 1, b"+1555"))
    assert not after.is_current(sealed)
    assert after.fingerprint(b"key") == before.fingerprint(b"key")
    with pytest.raises(KeyWrong):
        await open_vault(database, given(keys, new))


async def test_rekey_lets_the_old_key_go(database: Database, keys: KeyConfig) -> None:
    """Every sealed value moves to the new key, once; then the new key alone opens the database."""
    old, new = new_key(), new_key()
    first = await open_vault(database, given(keys, old))
    make = Maker(database, first, utc_now)
    session = await make.session()
    hashes = {user_id: -user_id for user_id in range(1, 1201)}
    await make.sessions.put_peers(session.id, hashes)
    await ConversationRepository(database, first).set_data("key", {"code": "12345"})
    bot = await make.session(kind=SessionKind.BOT, token="made-up")
    source = await make.source(bot)
    await SourceApplicationRepository(database, first).set(source.id, 4711, "a" * 32)

    ring = await open_vault(database, given(keys, new, old))
    assert await rekey(database, ring) == 3 + 4 + 1 + 1200 + 1 + 2  # sessions, source, peers, conversation, meta
    assert await rekey(database, ring) == 0

    alone = await open_vault(database, given(keys, new))
    assert await SessionRepository(database, alone).credential(session.id) == b"credential 1"
    assert await SessionRepository(database, alone).access_hashes(session.id, list(hashes)) == hashes
    assert await ConversationRepository(database, alone).get_data("key") == {"code": "12345"}
    assert await SessionRepository(database, alone).token(bot.id) == "made-up"
    assert await SourceApplicationRepository(database, alone).get(source.id) == (4711, "a" * 32)
    with pytest.raises(KeyWrong):
        await open_vault(database, given(keys, old))


async def test_rekey_can_be_cut_and_run_again(database: Database, keys: KeyConfig) -> None:
    """Ended after each of its transactions: both keys open everything, neither alone does, the next one ends it."""
    old, new = new_key(), new_key()
    make = Maker(database, await open_vault(database, given(keys, old)), utc_now)
    session = await make.session()
    hashes = {user_id: -user_id for user_id in range(1, 1201)}
    await make.sessions.put_peers(session.id, hashes)
    ring = await open_vault(database, given(keys, new, old))
    seen: list[RekeyProgress] = []

    class Cut(BaseException):
        pass

    def cut(progress: RekeyProgress) -> None:
        if progress.moved > (seen[-1].moved if seen else 0):
            seen.append(progress)
            raise Cut

    ended = False
    while not ended:
        try:
            await rekey(database, ring, cut)
            ended = True
        except Cut:
            with pytest.raises(KeyWrong):
                await open_vault(database, given(keys, new))
            with pytest.raises(KeyWrong, match="change of keys has begun"):
                await open_vault(database, given(keys, old))
            both = SessionRepository(database, await open_vault(database, given(keys, new, old)))
            assert await both.access_hashes(session.id, list(hashes)) == hashes
            assert await both.credential(session.id) == b"credential 1"
        seen[:] = []
    await open_vault(database, given(keys, new))
    with pytest.raises(KeyWrong):
        await open_vault(database, given(keys, old))


async def test_rekey_says_how_far_it_is(database: Database, keys: KeyConfig) -> None:
    """Every sealed value is counted before, and looked at once."""
    old, new = new_key(), new_key()
    make = Maker(database, await open_vault(database, given(keys, old)), utc_now)
    session = await make.session()
    await make.sessions.put_peers(session.id, {user_id: user_id for user_id in range(1, 701)})
    told: list[RekeyProgress] = []
    await rekey(database, await open_vault(database, given(keys, new, old)), told.append)
    assert told[0] == RekeyProgress(0, 703, 0)
    assert told[-1] == RekeyProgress(703, 703, 703)
    assert [step.looked for step in told] == sorted(step.looked for step in told)


async def test_a_key_file_gives_way_to_a_file_elsewhere(
    database: Database, keys: KeyConfig, vault: Vault, tmp_path: Path
) -> None:
    """From DATA_DIR's own key file to MASTER_KEY_FILE: a new key above the old one, rekey, then the new one alone."""
    secret = tmp_path / "secret"
    new = new_key()
    secret.write_text(f"{new}\n{keys.default_key_file.read_text()}")
    config = replace(keys, master_key_file=secret)
    await rekey(database, await open_vault(database, config))
    keys.default_key_file.unlink()
    secret.write_text(new)
    await open_vault(database, config)


async def test_rekey_stops_at_damage(database: Database, keys: KeyConfig) -> None:
    """A value that does not open is named, and the old key stays needed."""
    old, new = new_key(), new_key()
    make = Maker(database, await open_vault(database, given(keys, old)), utc_now)
    session = await make.session()
    async with database.write() as connection:
        await connection.execute(update(sessions).values(phone_sealed=b"damaged"))
    ring = await open_vault(database, given(keys, new, old))
    with pytest.raises(CiphertextInvalid) as caught:
        await rekey(database, ring)
    assert (caught.value.column, caught.value.row_id) == ("phone_sealed", session.id)
    with pytest.raises(KeyWrong):
        await open_vault(database, given(keys, new))
