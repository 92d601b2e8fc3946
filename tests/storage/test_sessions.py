"""Sessions, unfinished logins and flood waits."""

import pytest
from sqlalchemy import func, select

from storage.database import Database
from storage.errors import AccountTaken, NameTaken, RowInUse, RowMissing
from storage.flood_waits import FloodWaitRepository
from storage.logins import LoginRepository
from storage.models import LoginStep, SessionKind, SessionState
from storage.schema import flood_waits, peers, session_channels
from storage.vault import Vault
from tests.storage.conftest import Clock
from tests.storage.make import Maker, channel


@pytest.fixture
def logins(database: Database, vault: Vault, clock: Clock) -> LoginRepository:
    return LoginRepository(database, vault, clock=clock)


async def test_a_session_keeps_its_secrets_beside_it(make: Maker) -> None:
    """The row tells nothing secret; each secret is asked for by name and comes back as it was."""
    session = await make.session(name="Ann", credential=b"\x00key\xff", phone="+99966123442", api_hash="abcdef")
    assert session.state is SessionState.ACTIVE
    assert await make.sessions.get(session.id) == session
    assert await make.sessions.by_user(session.user_id) == session
    assert await make.sessions.all() == [session]
    assert await make.sessions.credential(session.id) == b"\x00key\xff"
    assert await make.sessions.api_hash(session.id) == "abcdef"
    assert await make.sessions.phone(session.id) == "+99966123442"
    assert "abcdef" not in repr(session)


async def test_a_bots_token(make: Maker) -> None:
    """Kept where there is one; signing in without one, as an import does, leaves the one that was."""
    person, bot = await make.session(), await make.session(kind=SessionKind.BOT, token="made-up")
    assert (person.kind, bot.kind) == (SessionKind.USER, SessionKind.BOT)
    assert (await make.sessions.token(person.id), await make.sessions.token(bot.id)) == (None, "made-up")
    renewal = {"api_id": 1, "api_hash": "b", "phone": None, "masked_phone": "", "credential": b"new"}
    for token, stored in ((None, "made-up"), ("another", "another")):
        again = await make.sessions.renew(bot.id, **renewal, fingerprint=stored.encode(), token=token)  # type: ignore[arg-type]
        assert again is not None
        assert (again.kind, await make.sessions.token(bot.id)) == (SessionKind.BOT, stored)
    assert await make.sessions.token(999) is None


async def test_a_session_without_a_phone(make: Maker) -> None:
    """An imported session may not know its number."""
    session = await make.session(phone=None)
    assert await make.sessions.phone(session.id) is None


async def test_names_are_unique(make: Maker) -> None:
    """Neither a new session nor a renamed one takes a name in use; its own name it may keep."""
    first, second = await make.session(name="Ann"), await make.session(name="Bob")
    with pytest.raises(NameTaken) as caught:
        await make.session(name="Ann")
    assert (caught.value.table, caught.value.name) == ("sessions", "Ann")
    with pytest.raises(NameTaken):
        await make.sessions.rename(second.id, "Ann")
    await make.sessions.rename(first.id, "Ann")
    await make.sessions.rename(second.id, "Carl")
    assert [session.name for session in await make.sessions.all()] == ["Ann", "Carl"]


@pytest.mark.parametrize("same", ["user_id", "fingerprint"])
async def test_an_account_is_stored_once(make: Maker, same: str) -> None:
    """The same account or the same auth key is refused, and who holds it is told."""
    values = {"user_id": 42, "fingerprint": b"same"}
    await make.session(name="Ann", **values)
    with pytest.raises(AccountTaken) as caught:
        await make.session(name="Ann", **{same: values[same]})
    assert caught.value.name == "Ann"


async def test_what_is_learnt_of_a_session(make: Maker, clock: Clock) -> None:
    """State, reason, account and the times of both are kept; an unknown time of checking leaves the old one."""
    session = await make.session()
    checked_at = clock.advance(hours=1)
    await make.sessions.set_state(session.id, SessionState.SIGNED_OUT, "AUTH_KEY_UNREGISTERED", checked_at)
    clock.advance(hours=1)
    await make.sessions.set_state(session.id, SessionState.BANNED, "USER_DEACTIVATED_BAN", None)
    await make.sessions.update_account(session.id, "Ann B.", "annb")
    now = await make.sessions.get(session.id)
    assert now is not None
    assert (now.state, now.state_reason) == (SessionState.BANNED, "USER_DEACTIVATED_BAN")
    assert (now.checked_at, now.updated_at) == (checked_at, clock.now)
    assert (now.account_name, now.username) == ("Ann B.", "annb")


async def test_signing_in_anew_keeps_the_session(make: Maker, clock: Clock) -> None:
    """The same account's new auth key takes the old one's place: id, name and sources stay, and it is ACTIVE again."""
    session = await make.session(name="Ann", user_id=42)
    await make.source(session, name="Papers")
    await make.sessions.set_state(session.id, SessionState.SIGNED_OUT, "AUTH_KEY_UNREGISTERED", clock.now)
    clock.advance(hours=1)
    new = {"api_id": 9, "api_hash": "fresh", "masked_phone": "+9••••43", "credential": b"new key"}
    renewed = await make.sessions.renew(session.id, phone=None, fingerprint=b"new", **new)  # type: ignore[arg-type]
    assert renewed is not None
    assert (renewed.id, renewed.name, renewed.state, renewed.state_reason) == (
        session.id,
        "Ann",
        SessionState.ACTIVE,
        None,
    )
    assert (renewed.api_id, renewed.masked_phone, renewed.checked_at) == (9, "+9••••43", clock.now)
    assert await make.sessions.credential(session.id) == b"new key"
    assert await make.sessions.api_hash(session.id) == "fresh"
    assert await make.sessions.use() == {session.id: 1}

    other = await make.session(name="Bob")
    with pytest.raises(AccountTaken) as caught:
        await make.sessions.renew(other.id, phone=None, fingerprint=b"new", **new)  # type: ignore[arg-type]
    assert caught.value.name == "Ann"
    assert await make.sessions.renew(77, phone=None, fingerprint=b"third", **new) is None  # type: ignore[arg-type]


async def test_a_used_session_cannot_be_deleted(make: Maker) -> None:
    """Sources that read through it are named; without them it goes, and its id never comes back."""
    session = await make.session()
    for name in ("Zulu", "Alpha"):
        await make.source(session, name=name)
    assert await make.sessions.use() == {session.id: 2}
    with pytest.raises(RowInUse) as caught:
        await make.sessions.delete(session.id)
    assert (caught.value.row_id, caught.value.used_by) == (session.id, ["Alpha", "Zulu"])
    for source in await make.sources.all():
        await make.sources.delete(source.id)
    await make.sessions.delete(session.id)
    assert await make.sessions.get(session.id) is None
    assert (await make.session()).id > session.id


async def test_a_deleted_session_takes_what_is_its_own(make: Maker, database: Database, clock: Clock) -> None:
    """Access hashes, listings and flood waits of a deleted session go; the channels stay."""
    session = await make.session()
    await make.sessions.put_peers(session.id, {1: 1})
    await make.channels.put_listing(session.id, [(channel(), True)])
    await FloodWaitRepository(database).put(session.id, "messages.getHistory", clock.now)
    await make.sessions.delete(session.id)
    async with database.read() as connection:
        for table in (peers, session_channels, flood_waits):
            assert await connection.scalar(select(func.count()).select_from(table)) == 0
    assert await make.channels.get(channel().id) is not None


async def test_access_hashes_are_a_sessions_own(make: Maker) -> None:
    """Each session has its own hash of a peer, of either sign; the newest counts; more than a chunk is no matter."""
    ann, bob = await make.session(), await make.session()
    hashes = {user_id: (-1) ** user_id * (2**63 - user_id) for user_id in range(1, 1101)}
    await make.sessions.put_peers(ann.id, hashes)
    await make.sessions.put_peers(bob.id, {1: 11})
    await make.sessions.put_peers(ann.id, {2: 22, 5000: 55})
    assert await make.sessions.access_hashes(ann.id, [*hashes, 9999]) == {**hashes, 2: 22}
    assert await make.sessions.access_hash(ann.id, 5000) == 55
    assert await make.sessions.access_hash(bob.id, 1) == 11
    assert await make.sessions.access_hash(bob.id, 2) is None
    assert await make.sessions.access_hashes(bob.id, []) == {}


async def test_a_session_that_is_gone(make: Maker, clock: Clock) -> None:
    """Changes are no-ops, questions answer None, and a secret is a RowMissing."""
    await make.sessions.set_state(77, SessionState.ACTIVE, None, clock.now)
    await make.sessions.rename(77, "Nobody")
    await make.sessions.put_peers(77, {1: 1})
    await make.sessions.delete(77)
    assert await make.sessions.get(77) is None
    assert await make.sessions.proxy(77) is None
    assert not await make.sessions.set_api(77, 1, "hash", b"new", b"old")
    await make.sessions.set_proxy(77, b"proxy")
    assert await make.sessions.use() == {}
    with pytest.raises(RowMissing) as caught:
        await make.sessions.credential(77)
    assert (caught.value.table, caught.value.row_id) == ("sessions", 77)


async def test_a_login_goes_on_after_a_restart(
    logins: LoginRepository, database: Database, vault: Vault, clock: Clock
) -> None:
    """Step, deadline and the sealed payload come back, also to another repository on the same file."""
    attempt = await logins.put(7, LoginStep.CODE, b"phone, hash, key", clock.now)
    deadline = clock.advance(minutes=15)
    await logins.update(attempt.id, LoginStep.PASSWORD, b"key after migration", deadline)
    others = LoginRepository(database, vault)
    again = await others.of_admin(7)
    assert again is not None
    assert (again.id, again.step, again.deadline) == (attempt.id, LoginStep.PASSWORD, deadline)
    assert again.created_at == attempt.created_at
    assert await others.payload(attempt.id) == b"key after migration"


async def test_an_admin_has_one_login_attempt(logins: LoginRepository, clock: Clock) -> None:
    """A new attempt replaces the older one under a new id."""
    old = await logins.put(7, LoginStep.CODE, b"old", clock.now)
    new = await logins.put(7, LoginStep.CODE, b"new", clock.now)
    assert new.id > old.id
    assert await logins.get(old.id) is None
    assert await logins.of_admin(7) == new
    await logins.update(old.id, LoginStep.PASSWORD, b"late", clock.now)
    with pytest.raises(RowMissing):
        await logins.payload(old.id)
    assert await logins.payload(new.id) == b"new"


async def test_login_attempts_end(logins: LoginRepository, clock: Clock) -> None:
    """They are deleted on purpose, or swept at their deadline."""
    first = await logins.put(7, LoginStep.CODE, b"", clock.advance(minutes=1))
    late = await logins.put(8, LoginStep.CODE, b"", clock.advance(minutes=1))
    await logins.put(9, LoginStep.CODE, b"", clock.advance(minutes=1))
    await logins.delete(first.id)
    clock.now = late.deadline
    assert await logins.sweep() == 1
    assert await logins.get(first.id) is None
    assert await logins.of_admin(8) is None
    assert await logins.of_admin(9) is not None


async def test_flood_waits_outlive_us(make: Maker, database: Database, clock: Clock) -> None:
    """A wait belongs to a session and a method, only grows, and is swept when it is over."""
    waits = FloodWaitRepository(database, clock=clock)
    session = await make.session()
    short, long = clock.advance(seconds=10), clock.advance(seconds=10)
    await waits.put(session.id, "messages.getHistory", long)
    await waits.put(session.id, "messages.getHistory", short)
    await waits.put(session.id, "upload.getFile", short)
    await waits.put(77, "upload.getFile", short)
    assert await waits.get(session.id, "messages.getHistory") == long
    assert await waits.get(session.id, "users.getUsers") is None
    clock.now = short
    assert await waits.sweep() == 1
    assert await waits.get(session.id, "messages.getHistory") == long
    assert await waits.get(session.id, "upload.getFile") is None


async def test_of_many_that_find_it_dead_one_is_the_first(make: Maker, clock: Clock) -> None:
    """The others still note what they found."""
    session = await make.session()
    found = [
        await make.sessions.died(session.id, state, "REASON", clock.now)
        for state in (SessionState.SIGNED_OUT, SessionState.SIGNED_OUT, SessionState.BANNED)
    ]
    assert found == [True, False, False]
    stored = await make.sessions.get(session.id)
    assert stored is not None
    assert (stored.state, stored.state_reason, stored.checked_at) == (SessionState.BANNED, "REASON", clock.now)
    assert not await make.sessions.died(77, SessionState.BANNED, "REASON", clock.now)


async def test_a_proxy(make: Maker) -> None:
    """Given, taken away, given another; it stays through a renewal of the session."""
    session = await make.session()
    assert await make.sessions.proxy(session.id) is None
    for proxy in (b"one", None, b"two"):
        await make.sessions.set_proxy(session.id, proxy)
        assert await make.sessions.proxy(session.id) == proxy
    new = {"api_id": 9, "api_hash": "fresh", "masked_phone": "+9••••43", "credential": b"new key"}
    await make.sessions.renew(session.id, phone=None, fingerprint=b"new", **new)  # type: ignore[arg-type]
    assert await make.sessions.proxy(session.id) == b"two"


async def test_another_application(make: Maker) -> None:
    """Id, hash and credential change together, and only while the credential is the one that was looked at."""
    session = await make.session(credential=b"old")
    assert not await make.sessions.set_api(session.id, 9, "fresh", b"new", b"another")
    assert (await make.sessions.credential(session.id)) == b"old"
    assert await make.sessions.set_api(session.id, 9, "fresh", b"new", b"old")
    changed = await make.sessions.get(session.id)
    assert changed is not None
    assert (changed.api_id, await make.sessions.api_hash(session.id)) == (9, "fresh")
    assert await make.sessions.credential(session.id) == b"new"
