"""The watch, on its own clock and real storage: spread out, patient, and never stuck on one session."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from services.clients.base import ApiCredentials, Credential
from services.errors import SessionDead, Unreachable
from services.repairs import SessionRepairs
from services.runs import Runner
from services.session_watch import INTERVAL, SessionWatch
from storage.models import SessionState
from storage.runs import RunRepository
from storage.sources import SourceRepository
from tests.services.conftest import FakeTime, Pooled, Store
from tests.services.desk import Ear

SESSIONS = 60


@dataclass
class Round:
    """A watch that has been left alone for a while. `seen`: who was looked at, and when."""

    store: Store
    repairs: SessionRepairs
    time: FakeTime
    silent: set[int] = field(default_factory=set)
    seen: list[tuple[int, datetime]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    ends_at: datetime | None = None

    async def look(self, session_id: int) -> None:
        self.seen.append((session_id, self.time.now))
        if session_id in self.silent:
            raise Unreachable("no answer")
        await self.store.sessions.set_state(session_id, SessionState.ACTIVE, None, self.time.now)

    async def sleep(self, seconds: float) -> None:
        if self.ends_at is not None and self.time.now >= self.ends_at:
            self.over.set()
            await asyncio.Event().wait()
        await self.time.sleep(seconds)

    def watch(self) -> SessionWatch:
        return SessionWatch(self.store.sessions, self.repairs, self.look, clock=self.time, sleep=self.sleep)

    async def run_for(self, span: timedelta) -> None:
        self.over.clear()
        self.ends_at = self.time.now + span
        watch = self.watch()
        await watch.start()
        async with asyncio.timeout(30):
            await self.over.wait()
        await watch.stop()


@pytest.fixture
async def watching(store: Store, pooled: Pooled) -> Round:
    """No session is stored but those that a test adds."""
    await store.sessions.delete(pooled.session.id)
    runner = Runner(RunRepository(store.database), Ear())
    repairs = SessionRepairs(store.sessions, SourceRepository(store.database), pooled.pool, runner, Ear())
    return Round(store, repairs, FakeTime())


async def add(store: Store, count: int) -> list[int]:
    api = ApiCredentials(1, "0" * 32)
    added = [
        await store.add_session(Credential(2, "127.0.0.1", 1, number.to_bytes(256, "big"), api, number), f"No {number}")
        for number in range(1, count + 1)
    ]
    return [session.id for session in added]


async def test_sixty_sessions_are_spread_over_the_hour(watching: Round) -> None:
    """All added at once, as after a long downtime: each is checked once an hour, never two within a minute."""
    ids = await add(watching.store, SESSIONS)
    watching.time.pass_seconds(2 * INTERVAL.total_seconds())
    await watching.run_for(INTERVAL)
    assert sorted(session_id for session_id, _ in watching.seen) == sorted(ids)
    moments = [moment for _, moment in watching.seen]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert min(gaps) >= timedelta(seconds=60)


async def test_a_fresh_session_has_its_turn_an_hour_later(watching: Round) -> None:
    """A restart in between does not begin a new sweep."""
    await add(watching.store, 1)
    await watching.run_for(INTERVAL - timedelta(minutes=5))
    assert watching.seen == []
    await watching.run_for(timedelta(minutes=10))
    assert len(watching.seen) == 1


async def test_a_session_that_does_not_answer_holds_up_no_other(watching: Round) -> None:
    """It is asked again in an hour, like everybody."""
    silent, well = await add(watching.store, 2)
    watching.silent = {silent}
    watching.time.pass_seconds(INTERVAL.total_seconds())
    await watching.run_for(timedelta(hours=2, minutes=10))
    assert [session_id for session_id, _ in watching.seen].count(silent) in (2, 3)
    assert [session_id for session_id, _ in watching.seen].count(well) in (2, 3)


async def test_a_dead_session_is_not_asked_again(watching: Round) -> None:
    """Its key never comes back: only a person can repair it."""
    (dead,) = await add(watching.store, 1)
    await watching.repairs.died(dead, SessionDead("AUTH_KEY_UNREGISTERED"))
    assert await watching.watch().check_next() is None
    watching.time.pass_seconds(INTERVAL.total_seconds())
    await watching.run_for(timedelta(hours=1))
    assert watching.seen == []
