"""Sessions on real storage and real clients."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.errors import NameTaken, NotFound, SessionDead, SessionInUse, Unreachable
from services.repairs import SessionRepairs
from services.runs import Runner
from services.sessions import SessionService
from storage.models import Channel, ChannelKind, Filters, NewSource, SessionState, TargetKind
from storage.runs import RunRepository
from storage.sources import SourceRepository
from storage.types import utc_now
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import Ear


@pytest.fixture
def repairs(store: Store, pooled: Pooled) -> SessionRepairs:
    runner = Runner(RunRepository(store.database), Ear())
    return SessionRepairs(store.sessions, SourceRepository(store.database), pooled.pool, runner, Ear())


@pytest.fixture
def sessions(store: Store, pooled: Pooled, repairs: SessionRepairs) -> SessionService:
    return SessionService(
        store.sessions,
        SourceRepository(store.database),
        RunRepository(store.database),
        store.flood_waits,
        pooled.pool,
        repairs,
    )


async def add_source(store: Store, session_id: int) -> None:
    await store.channels.put(Channel(-1001, "News", None, ChannelKind.CHANNEL, 1, None, utc_now()))
    new = NewSource("Evening news", session_id, -1001, Filters(), TargetKind.LOCAL, "news")
    await SourceRepository(store.database).add(new)


async def test_a_check_of_a_session_that_works(sessions: SessionService, pooled: Pooled) -> None:
    """A check asks Telegram, takes over the account's name of today and notes the time."""
    checked = await sessions.check(pooled.session.id)
    assert checked.state is SessionState.ACTIVE
    assert (checked.account_name, checked.username) == ("Anna Berg", "anna_berg")
    assert checked.checked_at is not None
    assert pooled.session.checked_at is not None
    assert checked.checked_at >= pooled.session.checked_at


async def test_a_check_of_a_dead_session(jetty: Jetty, sessions: SessionService, pooled: Pooled) -> None:
    """A dead session is no error of the check: it is what the check found out."""
    jetty.sandbox.world.revoke(jetty.admin.id)
    checked = await sessions.check(pooled.session.id)
    assert (checked.state, checked.state_reason) == (SessionState.SIGNED_OUT, "SESSION_REVOKED")


async def test_a_check_of_a_banned_account(jetty: Jetty, sessions: SessionService, pooled: Pooled) -> None:
    """An account that Telegram has banned is shown as that."""
    jetty.sandbox.faults.add("users.getUsers", error="USER_DEACTIVATED_BAN", times=5)
    assert (await sessions.check(pooled.session.id)).state is SessionState.BANNED


async def test_a_check_without_an_answer(jetty: Jetty, sessions: SessionService, pooled: Pooled) -> None:
    """Where nobody answers, nothing is known, and the state stays."""
    jetty.sandbox.faults.add("users.getUsers", error="RPC_CALL_FAIL", times=50)
    with pytest.raises(Unreachable):
        await sessions.check(pooled.session.id)
    assert (await sessions.get(pooled.session.id)).state is SessionState.ACTIVE


async def test_a_session_can_come_back(sessions: SessionService, repairs: SessionRepairs, pooled: Pooled) -> None:
    """A check that succeeds makes a session that was thought dead ACTIVE again."""
    await repairs.died(pooled.session.id, SessionDead("AUTH_KEY_NOT_FOUND"))
    assert (await sessions.get(pooled.session.id)).state is SessionState.SIGNED_OUT
    assert (await sessions.check(pooled.session.id)).state is SessionState.ACTIVE


async def test_cards_name_the_sources(store: Store, sessions: SessionService, pooled: Pooled) -> None:
    """A card says what reads through the session."""
    assert (await sessions.card(pooled.session.id)).sources == ()
    await add_source(store, pooled.session.id)
    assert [source.name for source in (await sessions.card(pooled.session.id)).sources] == ["Evening news"]


async def test_renaming(store: Store, sessions: SessionService, pooled: Pooled) -> None:
    """A name can be changed to any that is free."""
    await sessions.rename(pooled.session.id, "Harbour office")
    assert (await sessions.get(pooled.session.id)).name == "Harbour office"
    other = await store.add_session(
        type(pooled.credential)(2, "127.0.0.1", 1, bytes(256), pooled.credential.api, 7), "Other"
    )
    with pytest.raises(NameTaken):
        await sessions.rename(other.id, "Harbour office")


async def test_deleting_signs_out(jetty: Jetty, sessions: SessionService, pooled: Pooled) -> None:
    """A deleted session is signed out at Telegram and gone here."""
    await sessions.delete(pooled.session.id)
    assert await sessions.all() == []
    assert not any(key.user == jetty.admin.id for key in jetty.sandbox.world.auth_keys.values())


async def test_deleting_a_session_in_use(jetty: Jetty, store: Store, sessions: SessionService, pooled: Pooled) -> None:
    """A session that sources read through stays, is named with them, and is not signed out."""
    await add_source(store, pooled.session.id)
    for call in (sessions.delete, sessions.forget, sessions.refuse_if_used):
        with pytest.raises(SessionInUse) as caught:
            await call(pooled.session.id)
        assert [name for _, name in caught.value.sources] == ["Evening news"]
    assert (await sessions.check(pooled.session.id)).state is SessionState.ACTIVE


@pytest.mark.parametrize("trouble", ["SESSION_REVOKED", "RPC_CALL_FAIL", "FLOOD_WAIT_500"])
async def test_deleting_what_cannot_sign_out(
    jetty: Jetty, sessions: SessionService, pooled: Pooled, trouble: str
) -> None:
    """Whether Telegram answers or not, the session is forgotten."""
    jetty.sandbox.faults.add("auth.logOut", error=trouble, times=50)
    await sessions.delete(pooled.session.id)
    assert await sessions.all() == []


async def test_what_is_gone(sessions: SessionService, tmp_path: Path) -> None:
    """Asking for a session that is not there says so."""
    for call in (
        sessions.get(999),
        sessions.card(999),
        sessions.check(999),
        sessions.rename(999, "name"),
        sessions.delete(999),
        sessions.refuse_if_used(999),
    ):
        with pytest.raises(NotFound):
            await call


async def test_deleting_here_only(jetty: Jetty, sessions: SessionService, pooled: Pooled) -> None:
    """Forgotten here, alive at Telegram, and the clients are closed."""
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()
        await sessions.forget(pooled.session.id)
        assert not client.is_connected
    assert await sessions.all() == []
    assert any(key.user == jetty.admin.id for key in jetty.sandbox.world.auth_keys.values())
    assert jetty.calls("auth.logOut") == 0


async def test_deletion_says_whether_telegram_heard_of_it(
    jetty: Jetty, sessions: SessionService, pooled: Pooled
) -> None:
    """Signed out for sure, or perhaps alive in the list of devices."""
    jetty.sandbox.faults.add("auth.logOut", error="FLOOD_WAIT_500")
    assert not await sessions.delete(pooled.session.id)


async def test_the_list_begins_with_what_needs_attention(
    store: Store, sessions: SessionService, repairs: SessionRepairs, pooled: Pooled
) -> None:
    """Banned, signed out, paused by Telegram, then the most used; a wait that is over is none."""
    await sessions.rename(pooled.session.id, "used")
    await add_source(store, pooled.session.id)
    ids = {}
    for number, name in enumerate(("zulu", "alpha", "paused", "rested", "out", "banned"), start=2):
        key = bytes([number]) * 256
        credential = type(pooled.credential)(2, "127.0.0.1", 1, key, pooled.credential.api, number)
        ids[name] = (await store.add_session(credential, name)).id
    now = utc_now()
    await store.flood_waits.put(ids["paused"], "messages.getHistory", now + timedelta(hours=1))
    await store.flood_waits.put(ids["paused"], "contacts.resolveUsername", now + timedelta(hours=3))
    await store.flood_waits.put(ids["rested"], "messages.getHistory", now - timedelta(seconds=1))
    await repairs.died(ids["out"], SessionDead("SESSION_REVOKED"))
    await repairs.died(ids["banned"], SessionDead("USER_DEACTIVATED_BAN", is_banned=True))
    rows = await sessions.listing()
    assert [row.session.name for row in rows] == ["banned", "out", "paused", "used", "alpha", "rested", "zulu"]
    assert [row.sources for row in rows] == [0, 0, 0, 1, 0, 0, 0]
    paused_until = rows[2].paused_until
    assert paused_until is not None
    assert abs(paused_until - now - timedelta(hours=3)) < timedelta(seconds=1)
    assert (await sessions.card(ids["paused"])).paused_until == paused_until
