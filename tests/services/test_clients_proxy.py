"""Proxies: what may be typed, and that both libraries take this way and no other. Real proxies, real clients."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.mtproto import server as mtproto_server
from services.clients.proxy import Proxy, ProxyKind, dial, parse, unpack
from services.errors import ProxyFailed, ProxyInvalid, ProxyTrouble
from tests.proxies import OUTSIDE, TestProxy, open_proxy
from tests.services.conftest import Jetty, Pooled
from tests.services.test_clients_reading import peer_of

SECRET = "pa:ss@w0rd%"
SECRET_TYPED = "pa%3Ass%40w0rd%25"
WAYS = [("socks5", None), ("socks5", "porter"), ("http", None), ("http", "porter")]


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]}-{'login' if way[1] else 'open'}")
async def proxy(request: pytest.FixtureRequest) -> AsyncIterator[TestProxy]:
    kind, user = request.param
    async with open_proxy(kind, user, SECRET if user else None) as opened:
        yield opened


def given(proxy: TestProxy, password: str | None = None) -> Proxy:
    return Proxy(ProxyKind(proxy.kind), "127.0.0.1", proxy.port, proxy.user, password or proxy.password)


@pytest.fixture
def visitors(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses from which the sandbox's DCs see connections come, in order."""
    seen: list[str] = []

    class Watched(mtproto_server.Connection):
        def __init__(self, dc: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            super().__init__(dc, reader, writer)
            seen.append(self.address)

    monkeypatch.setattr(mtproto_server, "Connection", Watched)
    return seen


@pytest.mark.parametrize(
    ("typed", "proxy"),
    [
        ("socks5://10.0.0.1:1080", Proxy(ProxyKind.SOCKS5, "10.0.0.1", 1080)),
        (" SOCKS5://Proxy.Example.org:1080/ ", Proxy(ProxyKind.SOCKS5, "proxy.example.org", 1080)),
        (
            f"socks5://me:{SECRET_TYPED}@[2001:DB8::1]:65535",
            Proxy(ProxyKind.SOCKS5, "2001:db8::1", 65535, "me", SECRET),
        ),
        ("http://a:b@10.0.0.1:1", Proxy(ProxyKind.HTTP, "10.0.0.1", 1, "a", "b")),
    ],
)
def test_what_may_be_typed(typed: str, proxy: Proxy) -> None:
    """Kind, login, host and port; and it comes out of the vault as it went in."""
    assert parse(typed) == proxy
    assert unpack(proxy.pack()) == proxy


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "10.0.0.1:1080",
        "socks4://10.0.0.1:1080",
        "https://10.0.0.1:1080",
        "socks5://10.0.0.1",
        "socks5://10.0.0.1:0",
        "socks5://10.0.0.1:65536",
        "socks5://10.0.0.256:1080",
        "socks5://me@10.0.0.1:1080",
        "socks5://me:@10.0.0.1:1080",
        "socks5://me:secret:more@10.0.0.1:1080",
        "socks5://me:%zz@10.0.0.1:1080",
        "socks5://me:%00@10.0.0.1:1080",
        "socks5://me:ключ@10.0.0.1:1080",
        f"socks5://me:{'x' * 256}@10.0.0.1:1080",
        "socks5://m%3Ae:secret@10.0.0.1:1080",
        "socks5://[10:1080",
        "socks5://[host]:1080",
        "socks5://-host:1080",
        "socks5://host..org:1080",
        "http://10.0.0.1:1080/path",
        "http://10.0.0.1:1080?x=1",
        "socks5://10.0.0.1:1080 socks5://10.0.0.2:1080",
        "tg://proxy?server=1.2.3.4&port=443&secret=00",
        "socks5://" + "a" * 5000,
    ],
)
def test_what_is_no_proxy(typed: str) -> None:
    """Refused, and nothing of what was typed is in the refusal."""
    with pytest.raises(ProxyInvalid) as caught:
        parse(typed)
    assert str(caught.value) == ""
    assert caught.value.__cause__ is None


def test_a_password_is_shown_nowhere() -> None:
    """Neither as text nor in what a traceback or a log would print."""
    proxy = Proxy(ProxyKind.SOCKS5, "10.0.0.1", 1080, "me", SECRET)
    assert SECRET not in f"{proxy} {proxy!r} {proxy.place}"
    assert proxy.place == "socks5://10.0.0.1:1080"


async def test_telethon_takes_no_other_way(jetty: Jetty, proxy: TestProxy, visitors: list[str]) -> None:
    """Logging in, reading, and files from another DC: every connection comes from the proxy, with the right login."""
    through = given(proxy)
    login = await jetty.clients.login(jetty.api(jetty.second), proxy=through)
    assert jetty.second.phone is not None
    sent = await login.send_code(jetty.second.phone)
    await login.sign_in(jetty.second.phone, jetty.code(sent), sent.code_hash)
    credential = login.credential(jetty.second.id)
    await login.close()
    client = await jetty.clients.reading(credential, through)
    page = await client.history(peer_of(jetty.private), 0)
    location = next(post.location for post in page.posts if post.location is not None)
    assert location.dc_id != credential.dc_id
    part = await client.read_part(location, 0)
    await client.close()
    assert set(visitors) == {OUTSIDE}
    assert len(visitors) == len(proxy.targets) == 3
    assert proxy.carried > len(part) > 0
    assert set(proxy.logins) == ({f"porter:{SECRET}"} if proxy.user else set())


async def test_kurigram_takes_no_other_way(jetty: Jetty, proxy: TestProxy, visitors: list[str]) -> None:
    """Waiting people are read through the proxy, and only through it."""
    credential = jetty.sign_in(jetty.admin)
    visitors.clear()
    gate = await jetty.clients.gate(credential, given(proxy))
    page = await gate.join_requests(peer_of(jetty.gate), None)
    await gate.close()
    assert len(page.requests) == len(jetty.gate.requests)
    assert visitors == [OUTSIDE]
    assert proxy.targets == [(credential.host, credential.port)]
    assert set(proxy.logins) == ({f"porter:{SECRET}"} if proxy.user else set())


async def trouble_of(jetty: Jetty, proxy: Proxy) -> list[ProxyFailed]:
    """What each library says of it. Nobody arrives at Telegram."""
    credential = jetty.sign_in(jetty.second)
    failed = []
    for opening in (jetty.clients.reading, jetty.clients.gate):
        with pytest.raises(ProxyFailed) as caught:
            await opening(credential, proxy)
        failed.append(caught.value)
        assert caught.value.place == proxy.place
        assert SECRET not in f"{caught.value!r} {caught.value.__cause__!r}"
    return failed


@pytest.mark.parametrize("kind", ProxyKind)
async def test_a_wrong_password(jetty: Jetty, visitors: list[str], kind: ProxyKind) -> None:
    """Both libraries say so at once, and neither connects directly instead."""
    async with open_proxy(kind, "porter", "another") as proxy:
        failed = await trouble_of(jetty, given(proxy, SECRET))
    assert [each.why for each in failed] == [ProxyTrouble.WRONG_PASSWORD] * 2
    assert not visitors, "nobody came directly"


@pytest.mark.parametrize("kind", ProxyKind)
async def test_a_proxy_that_leads_nowhere(jetty: Jetty, visitors: list[str], kind: ProxyKind) -> None:
    """It answers, and refuses Telegram's address."""
    async with open_proxy(kind) as proxy:
        proxy.refuses = True
        failed = await trouble_of(jetty, given(proxy))
    assert [each.why for each in failed] == [ProxyTrouble.TARGET_REFUSED] * 2
    assert not visitors


async def test_nothing_listens_there(jetty: Jetty, visitors: list[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        failed = await trouble_of(jetty, Proxy(ProxyKind.SOCKS5, "127.0.0.1", taken.getsockname()[1]))
    assert [each.why for each in failed] == [ProxyTrouble.REFUSED] * 2
    assert not visitors


@pytest.mark.parametrize(("ours", "theirs"), [("socks5", "http"), ("http", "socks5")])
async def test_something_else_listens_there(ours: str, theirs: str) -> None:
    """A proxy of the other kind answers what is none of ours, or hangs up."""
    async with open_proxy(theirs) as proxy:
        with pytest.raises(ProxyFailed) as caught:
            await dial(Proxy(ProxyKind(ours), "127.0.0.1", proxy.port), "127.0.0.1", 1, 0.5)
    assert caught.value.why in {ProxyTrouble.NOT_A_PROXY, ProxyTrouble.TIMED_OUT}


@pytest.mark.parametrize("kind", ProxyKind)
async def test_a_proxy_that_is_silent(kind: ProxyKind) -> None:
    async with open_proxy(kind) as proxy:
        proxy.hangs = True
        with pytest.raises(ProxyFailed) as caught:
            await dial(given(proxy), "127.0.0.1", 1, 0.1)
    assert caught.value.why is ProxyTrouble.TIMED_OUT


async def test_a_host_that_nobody_knows() -> None:
    with pytest.raises(ProxyFailed) as caught:
        await dial(Proxy(ProxyKind.SOCKS5, "proxy.invalid", 1), "127.0.0.1", 1)
    assert caught.value.why is ProxyTrouble.HOST_UNKNOWN


async def test_the_pool_takes_the_stored_way(jetty: Jetty, pooled: Pooled, visitors: list[str]) -> None:
    """Stored, both kinds of client of the session go through it; gone, they fail and name it, and nothing goes past."""
    sessions = pooled.pool._sessions
    session_id = pooled.session.id
    visitors.clear()
    async with open_proxy("socks5", "porter", SECRET) as proxy:
        await sessions.set_proxy(session_id, given(proxy).pack())
        async with pooled.pool.reading(session_id) as client, pooled.pool.gate(session_id) as gate:
            await client.me()
            await gate.join_requests(peer_of(jetty.gate), None)
        assert visitors == [OUTSIDE, OUTSIDE]
        await pooled.pool.drop(session_id)
    async with pooled.pool.reading(session_id) as client:
        with pytest.raises(ProxyFailed) as caught:
            await client.me()
    assert (caught.value.place, caught.value.why) == (proxy.place, ProxyTrouble.REFUSED)
    assert visitors == [OUTSIDE, OUTSIDE]
    await sessions.set_proxy(session_id, None)
    async with pooled.pool.reading(session_id) as client:
        await client.me()
    assert visitors[2:] == ["127.0.0.1"]


async def test_a_proxy_that_goes_away_in_the_middle(jetty: Jetty, pooled: Pooled, visitors: list[str]) -> None:
    """Connections that were open end; what is asked next comes through the proxy again, never past it."""
    sessions = pooled.pool._sessions
    visitors.clear()
    async with open_proxy("http") as proxy:
        await sessions.set_proxy(pooled.session.id, given(proxy).pack())
        async with pooled.pool.reading(pooled.session.id) as client:
            await client.look(peer_of(jetty.private))
            proxy.cut()
            await client.look(peer_of(jetty.private))
        assert set(visitors) == {OUTSIDE}
        assert len(visitors) >= 2
        await pooled.pool.drop(pooled.session.id)


async def test_kept_closed(pooled: Pooled, visitors: list[str]) -> None:
    """While a session is handed over its clients are closed and nobody opens another."""
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()
        async with pooled.pool.kept_closed(pooled.session.id):
            assert not client.is_connected
            before = len(visitors)
            with pytest.raises(Exception, match="handed over"):
                await client.me()
            assert len(visitors) == before
        assert await client.me()
