"""Where the bot may not let people in, an account hears that somebody asks: real Telethon on the sandbox."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from services.requests import RequestServices
from services.requests.pending_updates import PendingUpdates
from storage.admins import AdminRepository
from storage.models import Role
from storage.runs import RunRepository
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import Desk
from tests.services.test_join_requests import ADMIN_ID, Door, WorldGate

IMPORTERS = "messages.getChatInviteImporters"
GAP = 60.0


@pytest.fixture
async def door(jetty: Jetty, store: Store, pooled: Pooled) -> Door:
    await AdminRepository(store.database).put(ADMIN_ID, Role.OWNER, "Ann")
    door = Door(jetty, store, pooled, jetty.gate, WorldGate(jetty), Desk(RunRepository(store.database)))
    await door.channels.of_session(pooled.session.id)
    return door


class Gaps:
    """Sleeps: short ones are over at once, the gap between two looks when the test says so."""

    def __init__(self) -> None:
        self.asleep = asyncio.Event()
        self.wake = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        if seconds < GAP:
            await asyncio.sleep(0.1)
            return
        self.asleep.set()
        await self.wake.wait()
        self.wake.clear()


@asynccontextmanager
async def listening(door: Door, gaps: Gaps) -> AsyncIterator[RequestServices]:
    async with door.open() as service:
        await door.load(service)
        updates = PendingUpdates(
            door.store.channels,
            door.rows,
            door.store.sessions,
            door.pooled.pool,
            service.arrivals,
            service.loads,
            sleep=gaps.sleep,
            gap_seconds=GAP,
        )
        await updates.start()
        door.jetty.sandbox.faults.reset()
        try:
            yield service
        finally:
            await updates.stop()


async def known(door: Door, count: int) -> None:
    async with asyncio.timeout(10):
        while await door.rows.count(door.peer) != count:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_who_asks_is_heard_of(door: Door) -> None:
    """Many updates are one look, and no more than one before the gap is over; each person is stored and told once."""
    gaps = Gaps()
    async with listening(door, gaps):
        await door.jetty.until_called("updates.getState")
        for _ in range(5):
            door.ask(1)
        await known(door, 35)
        assert door.jetty.calls(IMPORTERS) == 1
        door.ask(40)
        await asyncio.wait_for(gaps.asleep.wait(), 10)
        assert (await door.rows.count(door.peer), door.jetty.calls(IMPORTERS)) == (35, 1)
        gaps.wake.set()
        await known(door, 75)
        assert door.jetty.calls(IMPORTERS) == 2
    assert set(await door.statuses()) == set(door.channel.requests)
    assert [count for _, count in door.desk.ear.arrived] == [5, 40]


async def test_a_crowd_is_a_run(door: Door) -> None:
    """What does not fit on a page is loaded as an admin would load it."""
    gaps = Gaps()
    async with listening(door, gaps):
        await door.jetty.until_called("updates.getState")
        door.ask(450)
        await known(door, 480)
        assert len(await door.desk.rows.recent(5)) == 2


async def test_decisions_elsewhere_cost_no_call(door: Door) -> None:
    """Fewer wait and nobody new asked: the next load tells what became of them."""
    gaps = Gaps()
    async with listening(door, gaps):
        await door.jetty.until_called("updates.getState")
        world = door.jetty.sandbox.world
        recent = sorted(door.channel.requests.values(), key=lambda row: (row.date, row.user))
        world.withdraw(door.channel, recent[0].user)
        door.ask(1)
        await known(door, 31)
        calls = door.jetty.calls(IMPORTERS)
        gaps.wake.set()
        world.withdraw(door.channel, recent[1].user)
        await asyncio.sleep(0.5)
        assert door.jetty.calls(IMPORTERS) == calls


async def test_nobody_listens_where_the_bot_may(door: Door) -> None:
    """It is told everything itself; and so where nobody has loaded before."""
    await door.store.channels.set_bot_may_invite(door.peer, True)
    async with door.open() as service:
        assert await door.store.channels.heard_by_accounts() == {}
        await door.load(service)
        assert await door.store.channels.heard_by_accounts() == {}
    await door.store.channels.set_bot_may_invite(door.peer, False)
    assert await door.store.channels.heard_by_accounts() == {door.peer: door.pooled.session.id}
    await door.without_account()
    assert await door.store.channels.heard_by_accounts() == {}
