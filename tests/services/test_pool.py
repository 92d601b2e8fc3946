"""The pool over real clients: shared, closed when idle, mended when lost, buried once."""

import asyncio
import gc
import os
import threading
from pathlib import Path

import pytest

from services.clients.base import Peer
from services.errors import ChannelUnavailable, FloodWait, NotFound, RequestGone, SessionDead, Unreachable
from tests.services.conftest import Jetty, Pooled, Store, open_pool


def peer_of(jetty: Jetty) -> Peer:
    return Peer(jetty.private.peer, jetty.private.access_hash)


def connections(jetty: Jetty) -> int:
    return len(jetty.sandbox.servers._connections)


async def test_one_client_for_all(jetty: Jetty, pooled: Pooled) -> None:
    """Ten users at once share one connection, opened at the first call."""
    before = connections(jetty)

    async def look() -> None:
        async with pooled.pool.reading(pooled.session.id) as client:
            await client.history(peer_of(jetty), 0)

    await asyncio.gather(*(look() for _ in range(10)))
    assert connections(jetty) == before + 1
    assert jetty.calls("messages.getHistory") == 10


async def test_nothing_is_opened_before_a_call(jetty: Jetty, pooled: Pooled) -> None:
    """Holding a client costs nothing until it is asked something."""
    before = connections(jetty)
    async with pooled.pool.reading(pooled.session.id), pooled.pool.gate(pooled.session.id):
        await asyncio.sleep(0.05)
    assert connections(jetty) == before


async def test_both_libraries_beside_each_other(jetty: Jetty, pooled: Pooled) -> None:
    """Reading and deciding go on at the same time with one auth key."""
    gate = Peer(jetty.gate.peer, jetty.gate.access_hash)
    async with pooled.pool.reading(pooled.session.id) as reader, pooled.pool.gate(pooled.session.id) as decider:
        me, page = await asyncio.gather(reader.me(), decider.join_requests(gate, None))
    assert me.user_id == jetty.admin.id
    assert page.total == 30


async def test_idle_clients_close(jetty: Jetty, store: Store) -> None:
    """A client that nobody uses is closed after a while, not before, and opens again when it is needed."""
    async with open_pool(jetty, store, reading_idle_seconds=0.2) as pooled:
        before = connections(jetty)
        async with pooled.pool.reading(pooled.session.id) as client:
            await client.me()
            await asyncio.sleep(0.4)
            assert connections(jetty) == before + 1
        await until_connections(jetty, before)
        async with pooled.pool.reading(pooled.session.id) as client:
            await client.me()
        assert connections(jetty) == before + 1


async def until_connections(jetty: Jetty, count: int) -> None:
    async with asyncio.timeout(5):
        while connections(jetty) != count:  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.02)


async def test_a_read_survives_a_lost_connection(jetty: Jetty, pooled: Pooled) -> None:
    """A connection that ends in the middle of a read costs time and nothing else."""
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()
        jetty.sandbox.faults.add("messages.getHistory", drop=True)
        page = await client.history(peer_of(jetty), 0)
    assert page.posts


async def test_a_page_of_requests_survives_a_lost_connection(jetty: Jetty, pooled: Pooled) -> None:
    """The same for join requests: the pool opens another connection."""
    gate = Peer(jetty.gate.peer, jetty.gate.access_hash)
    jetty.sandbox.faults.add("messages.getChatInviteImporters", drop=True)
    async with pooled.pool.gate(pooled.session.id) as client:
        page = await client.join_requests(gate, None)
    assert len(page.requests) == 30
    assert pooled.time.slept == [1.0]


async def test_a_decision_is_sent_once(jetty: Jetty, pooled: Pooled) -> None:
    """A decision without an answer is unreachable and not repeated; the next one goes over a new connection."""
    gate = Peer(jetty.gate.peer, jetty.gate.access_hash)
    async with pooled.pool.gate(pooled.session.id) as client:
        page = await client.join_requests(gate, None)
        user_id = page.requests[0].user_id
        jetty.sandbox.faults.add("messages.hideChatJoinRequest", drop=True)
        with pytest.raises(Unreachable):
            await client.decide(gate, user_id, page.access_hashes[user_id], approve=False)
        assert jetty.calls("messages.hideChatJoinRequest") == 1
        await client.decide(gate, user_id, page.access_hashes[user_id], approve=False)
        with pytest.raises(RequestGone):
            await client.decide(gate, user_id, page.access_hashes[user_id], approve=False)


async def test_a_server_that_went_away_and_came_back(jetty: Jetty, pooled: Pooled) -> None:
    """All connections end at once, as when Telegram restarts: whoever reads goes on."""
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()
        await jetty.sandbox.servers.drop_connections()
        assert (await client.history(peer_of(jetty), 0)).posts


async def test_a_decision_over_a_connection_that_was_lost_before(jetty: Jetty, pooled: Pooled) -> None:
    """A connection that ended while nobody asked anything is replaced before the decision is sent."""
    gate = Peer(jetty.gate.peer, jetty.gate.access_hash)
    async with pooled.pool.gate(pooled.session.id) as client:
        page = await client.join_requests(gate, None)
        await jetty.sandbox.servers.drop_connections()
        async with asyncio.timeout(5):
            while client.is_connected:  # noqa: ASYNC110 - the client sets no event
                await asyncio.sleep(0.01)
        user_id = page.requests[0].user_id
        await client.decide(gate, user_id, page.access_hashes[user_id], approve=False)
    assert user_id in jetty.gate.denied


async def test_a_slow_answer(jetty: Jetty, pooled: Pooled) -> None:
    """A client that did not answer in time is closed; the next call opens a new one."""
    slot_calls = pooled.pool
    async with slot_calls.reading(pooled.session.id) as client:
        await client.me()
        jetty.sandbox.faults.add("messages.getHistory", delay_ms=3_600_000)
        slot = pooled.pool._reading[pooled.session.id]
        stuck = slot._client
        with pytest.raises(Unreachable):
            await slot.ask("messages.getHistory", lambda c: c.history(peer_of(jetty), 0), timeout_seconds=0.2)
        assert (await client.history(peer_of(jetty), 0)).posts
        assert slot._client is not stuck


async def test_waits_of_telegram(jetty: Jetty, pooled: Pooled) -> None:
    """A short flood wait is slept, a long one raised; nothing of that shows to who only asks again later."""
    async with pooled.pool.reading(pooled.session.id) as client:
        jetty.sandbox.faults.add("messages.getHistory", error="FLOOD_WAIT_3")
        assert (await client.history(peer_of(jetty), 0)).posts
        assert pooled.time.slept == [pytest.approx(3, abs=1)]
        jetty.sandbox.faults.add("messages.getHistory", error="FLOOD_WAIT_900")
        with pytest.raises(FloodWait):
            await client.history(peer_of(jetty), 0)
        assert (await client.me()).user_id == jetty.admin.id
        pooled.time.pass_seconds(901)
        assert (await client.history(peer_of(jetty), 0)).posts


async def test_the_pace_of_parts(jetty: Jetty, pooled: Pooled) -> None:
    """FLOOD_PREMIUM_WAIT in a download is waited for, and the same part is asked again."""
    async with pooled.pool.reading(pooled.session.id) as client:
        page = await client.history(peer_of(jetty), 0)
        location = next(post.location for post in page.posts if post.location)
        jetty.sandbox.faults.add("upload.getFile", error="FLOOD_PREMIUM_WAIT_5")
        assert await client.read_part(location, 0)
    assert pooled.time.slept == [5]


async def test_channels_are_walked_with_waits_between(jetty: Jetty, pooled: Pooled) -> None:
    """A flood wait in the middle of the list of channels repeats the page, not the walk."""
    jetty.sandbox.faults.add("messages.getDialogs", error="FLOOD_WAIT_2")
    async with pooled.pool.reading(pooled.session.id) as client:
        assert len(await client.channels()) == 3
    assert jetty.calls("messages.getDialogs") == 2


async def test_a_dead_session_is_reported_once(jetty: Jetty, pooled: Pooled) -> None:
    """However many calls find it dead, in both libraries, the pool says so once, and its clients are closed."""
    gate = Peer(jetty.gate.peer, jetty.gate.access_hash)
    async with pooled.pool.reading(pooled.session.id) as reader, pooled.pool.gate(pooled.session.id) as decider:
        await reader.me()
        await decider.join_requests(gate, None)
        jetty.sandbox.world.revoke(jetty.admin.id)
        calls = [reader.me() for _ in range(5)] + [decider.join_requests(gate, None)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(outcome, SessionDead | Unreachable) for outcome in outcomes)
        with pytest.raises(SessionDead):
            await reader.me()
    assert pooled.deaths == [(pooled.session.id, "SESSION_REVOKED")]
    assert pooled.pool._reading[pooled.session.id]._client is None
    assert pooled.pool._gates[pooled.session.id]._client is None


async def test_a_cancelled_user_does_not_hurt_the_others(jetty: Jetty, pooled: Pooled) -> None:
    """A run that is cancelled in mid-call leaves the shared client to the others."""
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()
        kept = pooled.pool._reading[pooled.session.id]._client
        jetty.sandbox.faults.add("messages.getHistory", delay_ms=200, times=2)
        one = asyncio.create_task(client.history(peer_of(jetty), 0))
        other = asyncio.create_task(client.history(peer_of(jetty), 0))
        await jetty.until_called("messages.getHistory")
        one.cancel()
        assert (await other).posts
        assert pooled.pool._reading[pooled.session.id]._client is kept


async def test_peers(jetty: Jetty, pooled: Pooled, store: Store) -> None:
    """A channel that the session has met has an address; any other is unavailable."""
    await store.sessions.put_peers(pooled.session.id, {jetty.private.peer: jetty.private.access_hash})
    assert await pooled.pool.peer(pooled.session.id, jetty.private.peer) == peer_of(jetty)
    with pytest.raises(ChannelUnavailable):
        await pooled.pool.peer(pooled.session.id, jetty.public.peer)


async def test_no_such_session(pooled: Pooled) -> None:
    """A session that is gone cannot be used."""
    async with pooled.pool.reading(999) as client:
        with pytest.raises(NotFound):
            await client.me()


async def test_dropping_a_session(jetty: Jetty, pooled: Pooled) -> None:
    """Dropping closes the session's clients even while somebody holds them."""
    before = connections(jetty)
    async with pooled.pool.reading(pooled.session.id) as client:
        await client.me()
        await pooled.pool.drop(pooled.session.id)
        await until_connections(jetty, before)


async def test_everything_goes_back(jetty: Jetty, store: Store) -> None:
    """After closing, descriptors, threads and tasks are as many as before, downloads from another DC included."""
    async with open_pool(jetty, store) as pooled:
        await use_everything(jetty, pooled)  # what is made once stays
        await pooled.pool.drop(pooled.session.id)
        await until_connections(jetty, 0)
        before = await resources()
        for _ in range(3):
            await use_everything(jetty, pooled)
            await pooled.pool.drop(pooled.session.id)
        await until_connections(jetty, 0)
        assert await resources() == before


async def use_everything(jetty: Jetty, pooled: Pooled) -> None:
    async with pooled.pool.reading(pooled.session.id) as client, pooled.pool.gate(pooled.session.id) as gate:
        page = await client.history(peer_of(jetty), 0)
        for post in page.posts:
            if post.location:
                await client.read_part(post.location, 0)
        await gate.join_requests(Peer(jetty.gate.peer, jetty.gate.access_hash), None)


async def resources() -> tuple[int, list[str], int]:
    """Open descriptors, names of the clients' threads, tasks - once they have come to rest."""
    reading = await _reading()
    for _ in range(20):
        await asyncio.sleep(0.3)
        before, reading = reading, await _reading()
        if reading == before:
            break
    return reading


async def _reading() -> tuple[int, list[str], int]:
    gc.collect()
    threads = sorted(t.name for t in threading.enumerate() if t.name.startswith(("CryptoWorker", "Handler")))
    descriptors = await asyncio.to_thread(os.listdir, Path("/proc/self/fd"))
    return len(descriptors), threads, len(asyncio.all_tasks())
