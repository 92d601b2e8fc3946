"""Leases over a real database and real clients: one process a session, found out and let go in time."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from services.clients.base import Peer
from services.clients.pool import ClientPool
from services.errors import AnotherPorter, SessionElsewhere
from services.leases import BEAT_SECONDS, STALE, Leases, take_over, this_host
from storage.leases import LeaseRepository
from tests.services.conftest import FakeTime, Jetty, Store, open_pool


@dataclass
class Holder:
    """One Porter's leases. `lost`: what it heard of as taken by another."""

    leases: Leases
    lost: list[int] = field(default_factory=list)


def holder(store: Store, time: FakeTime, host: str = "here") -> Holder:
    lost: list[int] = []

    async def on_lost(session_id: int) -> None:
        lost.append(session_id)

    rows = LeaseRepository(store.database, f"Porter on {host}", host, clock=time)
    return Holder(Leases(rows, on_lost, clock=time, sleep=time.sleep), lost)


async def test_a_lease_lasts_from_the_first_client_to_the_last(jetty: Jetty, store: Store) -> None:
    """Reader and decider share one; it is given back when both are closed."""
    async with open_pool(jetty, store, reading_idle_seconds=0.0, gate_idle_seconds=0.0) as pooled:
        session_id = pooled.session.id
        assert await store.leases.get(session_id) is None
        async with pooled.pool.reading(session_id) as reader:
            await reader.me()
            lease = await store.leases.get(session_id)
            assert lease is not None
            assert lease.host == this_host()
            async with pooled.pool.gate(session_id) as decider:
                await decider.join_requests(peer_of(jetty), None)
            await until_closed(pooled.pool, session_id, gate=True)
            assert await store.leases.get(session_id) is not None
        async with asyncio.timeout(5):
            while await store.leases.get(session_id) is not None:  # noqa: ASYNC110 - closing sets no event
                await asyncio.sleep(0.02)


async def until_closed(pool: ClientPool, session_id: int, *, gate: bool) -> None:
    slots = pool._gates if gate else pool._reading
    async with asyncio.timeout(5):
        while slots[session_id].is_connected:  # noqa: ASYNC110 - closing sets no event
            await asyncio.sleep(0.02)


def peer_of(jetty: Jetty) -> Peer:
    return Peer(jetty.gate.peer, jetty.gate.access_hash)


async def test_no_client_opens_what_another_host_uses(jetty: Jetty, store: Store) -> None:
    """The other one's fresh beat keeps the key closed here, before anything connects."""
    time = FakeTime()
    async with open_pool(jetty, store) as pooled:
        theirs = LeaseRepository(store.database, "far away", "another host")
        assert await theirs.take(pooled.session.id, time.now) is None
        before = len(jetty.sandbox.servers._connections)
        async with pooled.pool.gate(pooled.session.id) as client:
            with pytest.raises(SessionElsewhere, match="far away"):
                await client.join_requests(peer_of(jetty), None)
        assert len(jetty.sandbox.servers._connections) == before


async def test_the_start_is_refused_while_another_host_lives(jetty: Jetty, store: Store) -> None:
    """Which one, when it was seen, what to do; a lease of our own host, or an old one, is no hindrance."""
    session = await store.add_session(jetty.sign_in(jetty.admin))
    time = FakeTime()
    there, here = holder(store, time, "there"), holder(store, time)
    await there.leases.take(session.id)
    with pytest.raises(AnotherPorter, match=r"Porter on there, last seen at .* Stop it there"):
        await take_over(here.leases._rows, clock=time)
    await take_over(there.leases._rows, clock=time)
    await there.leases.take(session.id)
    time.pass_seconds(STALE.total_seconds())
    await take_over(here.leases._rows, clock=time)
    assert await store.leases.get(session.id) is None


async def test_a_beat_finds_out_who_has_taken_over(jetty: Jetty, store: Store) -> None:
    """Asleep for minutes, a Porter whose session went over to another host hears of it at its next beat."""
    session = await store.add_session(jetty.sign_in(jetty.admin))
    time = FakeTime()
    here, there = holder(store, time), holder(store, time, "there")
    await here.leases.take(session.id)
    for _ in range(10):
        time.pass_seconds(BEAT_SECONDS)
        await here.leases.beat()
    with pytest.raises(SessionElsewhere):
        await there.leases.take(session.id)
    assert not here.lost
    time.now += timedelta(minutes=10)
    await there.leases.take(session.id)
    await here.leases.beat()
    assert here.lost == [session.id]
    await here.leases.give_back(session.id)
    await there.leases.beat()
    assert not there.lost
