"""Another application or another way for a session: tried at Telegram first, stored then, used at once."""

import socket

import pytest

from services.clients.base import ApiCredentials
from services.clients.proxy import Proxy, ProxyKind
from services.credentials import unpack
from services.errors import ApiCredentialsInvalid, NotFound, ProxyFailed, Unreachable
from services.session_settings import SessionSettings
from storage.models import SessionState
from tests.proxies import open_proxy
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.test_clients_proxy import given
from tests.services.test_imports import at_sandbox, pyrogram
from tests.services.test_login import OPERATOR, Desk


@pytest.fixture
def settings(jetty: Jetty, store: Store, pooled: Pooled) -> SessionSettings:
    return SessionSettings(store.sessions, pooled.pool, jetty.clients)


async def test_another_application(jetty: Jetty, store: Store, pooled: Pooled, settings: SessionSettings) -> None:
    """Telegram knows the pair: it is stored everywhere, and the very next call names it; key and account stay."""
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()
        await settings.change_api(pooled.session.id, jetty.api(jetty.second))
        assert not client.is_connected, "the client that names the old one is closed"
        await client.me()
    stored = unpack(await store.sessions.credential(pooled.session.id))
    assert (stored.auth_key, stored.user_id) == (pooled.credential.auth_key, pooled.credential.user_id)
    assert stored.api == jetty.api(jetty.second)
    session = await store.sessions.get(pooled.session.id)
    assert session is not None
    assert session.api_id == jetty.second.api_id
    assert await store.sessions.api_hash(session.id) == jetty.second.api_hash
    key = next(key for key in jetty.sandbox.world.auth_keys.values() if key.user == jetty.admin.id)
    assert key.api_id == jetty.second.api_id
    assert not jetty.calls("auth.sendCode"), "nobody was sent a code for it"


@pytest.mark.parametrize("change", [{"api_id": 999}, {"api_hash": "0" * 32}])
async def test_a_refused_application(
    jetty: Jetty, store: Store, pooled: Pooled, settings: SessionSettings, change: dict[str, object]
) -> None:
    """Neither a wrong id nor a wrong hash is stored, and the old pair goes on."""
    api = jetty.api(jetty.second)
    wrong = ApiCredentials(**{"api_id": api.api_id, "api_hash": api.api_hash, **change})  # type: ignore[arg-type]
    with pytest.raises(ApiCredentialsInvalid):
        await settings.change_api(pooled.session.id, wrong)
    assert unpack(await store.sessions.credential(pooled.session.id)) == pooled.credential
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()


async def test_an_application_without_an_answer(
    jetty: Jetty, store: Store, pooled: Pooled, settings: SessionSettings
) -> None:
    """What Telegram could not look at is not stored."""
    jetty.sandbox.faults.add("auth.exportLoginToken", error="RPC_CALL_FAIL", times=50)
    with pytest.raises(Unreachable):
        await settings.change_api(pooled.session.id, jetty.api(jetty.second))
    assert unpack(await store.sessions.credential(pooled.session.id)) == pooled.credential


async def test_an_application_is_tried_through_the_proxy(
    jetty: Jetty, store: Store, pooled: Pooled, settings: SessionSettings
) -> None:
    async with open_proxy("http") as proxy:
        await store.sessions.set_proxy(pooled.session.id, given(proxy).pack())
        await settings.change_api(pooled.session.id, jetty.api(jetty.second))
        assert len(proxy.targets) == 1


async def test_a_proxy_that_works(store: Store, pooled: Pooled, settings: SessionSettings) -> None:
    """Clients that are open are dropped: the next call goes the new way. Taken away, it is gone from the row."""
    async with open_proxy("socks5", "me", "secret") as proxy, pooled.pool.reading(pooled.session.id) as client:
        await client.me()
        await settings.set_proxy(pooled.session.id, given(proxy))
        assert not client.is_connected
        tried = len(proxy.targets)
        await client.me()
        assert len(proxy.targets) == tried + 1
        await settings.remove_proxy(pooled.session.id)
        assert not client.is_connected
        await client.me()
        assert len(proxy.targets) == tried + 1
    assert await store.sessions.proxy(pooled.session.id) is None


async def test_a_proxy_that_does_not(store: Store, pooled: Pooled, settings: SessionSettings) -> None:
    """It is not stored, and the client that is open goes on undisturbed."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with pooled.pool.reading(pooled.session.id) as client:
            await client.me()
            proxy = Proxy(ProxyKind.SOCKS5, "127.0.0.1", taken.getsockname()[1])
            with pytest.raises(ProxyFailed):
                await settings.set_proxy(pooled.session.id, proxy)
            assert client.is_connected
    assert await store.sessions.proxy(pooled.session.id) is None


async def test_a_proxy_for_a_dead_session(
    jetty: Jetty, store: Store, pooled: Pooled, settings: SessionSettings
) -> None:
    """Signing in again may need the proxy first: trying it asks nothing of the account."""
    jetty.sandbox.world.revoke(jetty.admin.id)
    async with open_proxy("socks5") as proxy:
        await settings.set_proxy(pooled.session.id, given(proxy))
    assert await store.sessions.proxy(pooled.session.id) is not None
    assert pooled.deaths == []


async def test_what_is_gone(settings: SessionSettings) -> None:
    for call in (
        settings.change_api(999, ApiCredentials(1, "0" * 32)),
        settings.set_proxy(999, Proxy(ProxyKind.HTTP, "127.0.0.1", 1)),
        settings.remove_proxy(999),
    ):
        with pytest.raises(NotFound):
            await call


async def test_every_way_back_takes_the_proxy(jetty: Jetty, store: Store, pooled: Pooled) -> None:
    """An account that is here, signed out: its number typed anew, or a session of it imported, go its way from the
    first connection on."""
    new = jetty.sign_in(jetty.admin)
    await store.sessions.set_state(pooled.session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    desk = Desk(jetty, store)
    async with open_proxy("socks5") as proxy:
        await store.sessions.set_proxy(pooled.session.id, given(proxy).pack())
        await desk.begin(jetty.admin)
        assert len(proxy.targets) == 1
        await desk.logins.cancel(OPERATOR)
        service = at_sandbox(store, jetty)
        await service.confirm(await service.inspect(pyrogram(new)), jetty.api(jetty.admin))
        assert len(proxy.targets) == 2
        assert await store.sessions.proxy(pooled.session.id) is not None, "it outlives the renewal"
        await desk.logins.close()
