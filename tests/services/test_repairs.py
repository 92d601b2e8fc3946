"""A dead session and its repair, on real storage and a real runner."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from services.clients.base import ApiCredentials, Credential
from services.errors import NotFound, SessionDead
from services.repairs import SessionRepairs
from services.runs import Priority, RunContext, Runner
from services.sessions import SessionService
from storage.models import (
    Channel,
    ChannelKind,
    Filters,
    NewSource,
    Progress,
    Run,
    RunKind,
    RunStatus,
    Session,
    SessionState,
    Source,
    TargetKind,
)
from storage.runs import RunRepository
from storage.sources import SourceRepository
from storage.types import utc_now
from tests.services.conftest import Pooled, Store
from tests.services.desk import Desk

REVOKED = SessionDead("SESSION_REVOKED")


@dataclass
class Yard:
    """Two sessions that work, and a runner whose works find out whether theirs does."""

    store: Store
    desk: Desk
    runner: Runner
    repairs: SessionRepairs
    pooled: Pooled
    second: Session

    @property
    def first(self) -> Session:
        return self.pooled.session

    @property
    def sources(self) -> SourceRepository:
        return SourceRepository(self.store.database)

    async def source(self, channel_id: int, *seen_by: Session) -> Source:
        """Of the first session; `seen_by`: who has met its channel."""
        await self.store.channels.put(Channel(channel_id, "News", None, ChannelKind.CHANNEL, 1, None, utc_now()))
        for session in seen_by:
            await self.store.sessions.put_peers(session.id, {channel_id: 1})
        name = f"News {-channel_id}"
        new = NewSource(name, self.first.id, channel_id, Filters(), TargetKind.LOCAL, "news")
        return await self.sources.add(new)

    async def held(self, kind: RunKind, subject_id: int) -> Run:
        """A run of the first session, which is dead, held."""
        params = {"session_id": self.first.id}
        run = await self.runner.submit(kind, subject_id, "News", priority=Priority.TAP, params=params)
        return await self.desk.reached(run.id, RunStatus.WAITING)


@pytest.fixture
async def yard(store: Store, pooled: Pooled) -> AsyncIterator[Yard]:
    async def work(context: RunContext) -> None:
        """As the services do it: where the session is not ACTIVE, `peer` says so."""
        context.progress(Progress(done=context.run.subject_id))
        await pooled.pool.peer(context.run.params["session_id"], -1)

    desk = Desk(RunRepository(store.database))
    api = ApiCredentials(1, "0" * 32)
    second = await store.add_session(Credential(2, "127.0.0.1", 1, bytes(256), api, 7), "Second")
    for session in (pooled.session, second):
        await store.sessions.put_peers(session.id, {-1: 1})
    async with desk.open(work) as runner:
        repairs = SessionRepairs(store.sessions, SourceRepository(store.database), pooled.pool, runner, desk.ear)
        yield Yard(store, desk, runner, repairs, pooled, second)


async def test_of_many_that_find_it_dead_one_tells(yard: Yard) -> None:
    """With what waits, and where most of it could go."""
    await yard.source(-1001, yard.second)
    paused = await yard.source(-1002, yard.second)
    await yard.source(-1003)
    await yard.sources.set_enabled(paused.id, False)
    await asyncio.gather(*(yard.repairs.died(yard.first.id, REVOKED) for _ in range(10)))
    [outage] = yard.desk.ear.died
    assert (outage.session.id, outage.session.state) == (yard.first.id, SessionState.SIGNED_OUT)
    assert (outage.sources, outage.waiting) == (3, 2)
    assert outage.refuge is not None
    assert (outage.refuge.session.id, len(outage.refuge.source_ids)) == (yard.second.id, 2)


async def test_it_is_told_again_when_it_dies_again(yard: Yard) -> None:
    """Once for each death, not once for ever."""
    for _ in range(2):
        await yard.repairs.died(yard.first.id, REVOKED)
        await yard.store.sessions.set_state(yard.first.id, SessionState.ACTIVE, None, utc_now())
        await yard.repairs.revived(yard.first.id)
    assert len(yard.desk.ear.died) == 2


async def test_a_repair_frees_what_was_held(yard: Yard) -> None:
    """Scrapes and loads go on; the answer names the scrape that had got furthest."""
    sources = [await yard.source(channel_id) for channel_id in (-1001, -1002)]
    await yard.repairs.died(yard.first.id, REVOKED)
    runs = [await yard.held(RunKind.SCRAPE, source.id) for source in sources]
    runs.append(await yard.held(RunKind.LOAD_REQUESTS, 5))
    await yard.store.sessions.set_state(yard.first.id, SessionState.ACTIVE, None, utc_now())
    going_on = await yard.repairs.revived(yard.first.id)
    assert going_on.sources == 2
    assert going_on.run is not None
    assert going_on.run.id == runs[1].id
    for run in runs:
        await yard.desk.reached(run.id, RunStatus.DONE)


async def test_a_kill_between_the_renewal_and_the_release(yard: Yard) -> None:
    """The watch finds what is held though its session works; what is held rightly stays."""
    await yard.repairs.died(yard.first.id, REVOKED)
    run = await yard.held(RunKind.LOAD_REQUESTS, 5)
    await yard.repairs.release_alive()
    assert (await yard.runner.get(run.id)).is_held
    await yard.store.sessions.set_state(yard.first.id, SessionState.ACTIVE, None, utc_now())
    await yard.repairs.release_alive()
    await yard.desk.reached(run.id, RunStatus.DONE)


async def test_sources_that_move_go_on(yard: Yard) -> None:
    """What the other session sees is read by it from now on, a held scrape included; the rest stays and is named."""
    moving, staying = await yard.source(-1001, yard.second), await yard.source(-1002)
    await yard.repairs.died(yard.first.id, REVOKED)
    runs = [await yard.held(RunKind.SCRAPE, source.id) for source in (moving, staying)]
    moved = await yard.repairs.move(yard.first.id, yard.second.id)
    assert (moved.to.id, moved.moved, moved.stay) == (yard.second.id, 1, (staying.name,))
    await yard.desk.reached(runs[0].id, RunStatus.DONE)
    assert (await yard.runner.get(runs[1].id)).is_held
    again = await yard.repairs.move(yard.first.id, yard.second.id)
    assert (again.moved, again.stay) == (0, (staying.name,))


async def test_no_refuge_in_a_session_that_is_dead_too(yard: Yard) -> None:
    """Moving from one dead session to another helps nobody."""
    await yard.source(-1001, yard.second)
    await yard.repairs.died(yard.second.id, REVOKED)
    await yard.repairs.died(yard.first.id, SessionDead("USER_DEACTIVATED_BAN", is_banned=True))
    outage = yard.desk.ear.died[-1]
    assert (outage.session.state, outage.refuge) == (SessionState.BANNED, None)
    assert (await yard.repairs.move(yard.first.id, yard.second.id)).moved == 0


async def test_what_was_held_for_a_deleted_session_ends(yard: Yard) -> None:
    """It would wait for ever otherwise."""
    await yard.repairs.died(yard.first.id, REVOKED)
    run = await yard.held(RunKind.LOAD_REQUESTS, 5)
    sessions = SessionService(
        yard.store.sessions,
        SourceRepository(yard.store.database),
        RunRepository(yard.store.database),
        yard.store.flood_waits,
        yard.pooled.pool,
        yard.repairs,
    )
    await sessions.delete(yard.first.id)
    run = await yard.desk.reached(run.id, RunStatus.FAILED)
    assert run.reason == "ChannelUnavailable"


async def test_what_is_gone(yard: Yard) -> None:
    """A session that is not there is neither repaired nor moved to."""
    for call in (
        yard.repairs.outage(999),
        yard.repairs.move(999, yard.first.id),
        yard.repairs.move(yard.first.id, 999),
    ):
        with pytest.raises(NotFound):
            await call
