"""Lists that move while they are read: nobody is missed, nobody is met twice, and who is gone is told apart."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from services.clients.base import Peer, RequestsOffset, RequestsPage
from services.clients.pyrogram_client import PyrogramGate
from services.requests.walks import Part
from storage.admins import AdminRepository
from storage.models import RequestStatus, Role, Run, RunStatus
from storage.runs import RunRepository
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import Desk
from tests.services.test_join_requests import ADMIN_ID, Door, WorldGate

Between = list[Callable[[int, RequestsPage], None]]
IMPORTERS = "messages.getChatInviteImporters"


@pytest.fixture
async def door(jetty: Jetty, store: Store, pooled: Pooled) -> Door:
    await AdminRepository(store.database).put(ADMIN_ID, Role.OWNER, "Ann")
    door = Door(jetty, store, pooled, jetty.gate, WorldGate(jetty), Desk(RunRepository(store.database)))
    await door.channels.of_session(pooled.session.id)
    return door


@pytest.fixture
async def crowd(door: Door) -> Door:
    """130 people, in pages of 20."""
    door.ask(100)
    door.jetty.sandbox.world.requests_page_cap = 20
    return door


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Between:
    """What is put in here is called with each page, numbered from 1 on, before anybody asks for the next."""
    ask = PyrogramGate.join_requests
    calls: Between = []
    numbers: Iterator[int] = count(1)

    async def counted(gate: PyrogramGate, *asked: Any) -> RequestsPage:
        page = await ask(gate, *asked)
        number = next(numbers)
        for call in calls:
            call(number, page)
        return page

    monkeypatch.setattr(PyrogramGate, "join_requests", counted)
    return calls


async def load(door: Door, part: Part | None = None) -> Run:
    async with door.open() as service:
        run = await service.loads.load(door.peer, ADMIN_ID, part=part or Part())
        run = await door.end(run)
    assert run.status is RunStatus.DONE
    return run


async def pending(door: Door) -> set[int]:
    statuses = await door.statuses()
    return {user_id for user_id, status in statuses.items() if status is RequestStatus.PENDING}


@pytest.mark.parametrize("cap", [1, 7, 13, 20])
async def test_one_second_over_many_borders(door: Door, cap: int) -> None:
    """All asked in the same second, whatever the size of a page is."""
    door.jetty.sandbox.world.requests_page_cap = cap
    for request in door.channel.requests.values():
        request.date = 1_700_000_000
    run = await load(door)
    assert run.progress.counters["new"] == 30
    assert await pending(door) == set(door.channel.requests)


async def test_pages_shorter_than_asked_for(crowd: Door, between: Between) -> None:
    """A short page in the middle is not the end; the calls are the pages, the empty one and one look at the top."""
    caps = iter([20, 3, 1, 50, 2, 50, 50, 50, 50])

    def shorter(_number: int, _page: RequestsPage) -> None:
        crowd.jetty.sandbox.world.requests_page_cap = next(caps, 50)

    between.append(shorter)
    run = await load(crowd)
    assert run.progress.counters["new"] == 130
    assert await pending(crowd) == set(crowd.channel.requests)


async def test_the_number_of_calls(crowd: Door) -> None:
    """7 pages, the empty one, and one look at who came meanwhile; one page alone needs no such look."""
    await load(crowd)
    assert crowd.jetty.calls(IMPORTERS) == 7 + 1 + 1
    crowd.jetty.sandbox.world.requests_page_cap = 200
    crowd.jetty.sandbox.faults.reset()
    await load(crowd)
    assert crowd.jetty.calls(IMPORTERS) == 1 + 1


async def test_who_asks_during_the_walk(crowd: Door, between: Between) -> None:
    """They stand above where it began, and are met at its end, though they do not fit on one page."""

    def come(number: int, _page: RequestsPage) -> None:
        if number <= 6:
            crowd.ask(5)

    between.append(come)
    run = await load(crowd)
    assert len(crowd.channel.requests) == 160
    assert await pending(crowd) == set(crowd.channel.requests)
    assert run.progress.counters == {"new": 160, "known": 0, "withdrawn": 0, "elsewhere": 0}


async def test_who_vanishes_during_the_walk(crowd: Door, between: Between) -> None:
    """Those met and those not met yet, and the very one at which the next page begins: nobody else is missed. Who was
    met and is gone by the end is found out by the next load."""
    world, channel = crowd.jetty.sandbox.world, crowd.channel
    everybody = set(channel.requests)

    def vanish(number: int, page: RequestsPage) -> None:
        oldest = min(channel.requests.values(), key=lambda row: (row.date, row.user)).user
        if number <= 5:
            for user_id in (page.requests[0].user_id, page.requests[-1].user_id, oldest):
                world.withdraw(channel, user_id)

    between.append(vanish)
    await load(crowd)
    left = set(channel.requests)
    assert len(left) == 115
    assert await pending(crowd) >= left
    assert await pending(crowd) <= everybody
    again = await load(crowd)
    assert await pending(crowd) == left
    assert (again.progress.counters["new"], again.progress.counters["known"]) == (0, 115)


async def test_as_many_come_as_go(crowd: Door, between: Between) -> None:
    """The number stays as it was, and says nothing."""
    world, channel = crowd.jetty.sandbox.world, crowd.channel

    def exchange(number: int, _page: RequestsPage) -> None:
        if number <= 6:
            world.withdraw(channel, min(channel.requests.values(), key=lambda row: row.date).user)
            crowd.ask(1)

    between.append(exchange)
    await load(crowd)
    assert set(channel.requests) <= await pending(crowd)
    await load(crowd)
    assert await pending(crowd) == set(channel.requests)


async def test_who_asks_anew_during_the_walk(crowd: Door, between: Between) -> None:
    """Withdrawn below and asked again above, before the walk has come to them: one row, which waits."""
    world, channel = crowd.jetty.sandbox.world, crowd.channel
    oldest = min(channel.requests.values(), key=lambda row: row.date).user

    def anew(number: int, _page: RequestsPage) -> None:
        if number == 2:
            world.withdraw(channel, oldest)
            world.ask_to_join(channel, [oldest])

    between.append(anew)
    await load(crowd)
    assert await pending(crowd) == set(channel.requests)
    assert len(await crowd.statuses()) == 130


async def test_pages_that_repeat_a_row(crowd: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server whose pages begin with the last row of the page before: it is counted once, and the walk ends."""
    ask = PyrogramGate.join_requests
    last: list[Any] = []

    async def repeating(gate: PyrogramGate, peer: Peer, offset: RequestsOffset | None, *more: Any) -> RequestsPage:
        page = await ask(gate, peer, offset, *more)
        rows = (*(last if offset is not None else ()), *page.requests)
        last[:] = rows[-1:]
        behind = page.next or offset
        user_ids = tuple(row.user_id for row in rows)
        return RequestsPage(page.total, user_ids, rows, page.access_hashes, behind)

    monkeypatch.setattr(PyrogramGate, "join_requests", repeating)
    run = await load(crowd)
    assert (run.progress.done, run.progress.counters["new"]) == (130, 130)


@pytest.mark.parametrize(("newest", "calls"), [(5, 1), (20, 1), (50, 3), (1000, 8)])
async def test_the_newest(crowd: Door, newest: int, calls: int) -> None:
    """So many and no more, by no call more than they take; nobody is taken for gone because of it."""
    await load(crowd)
    for user_id in sorted(crowd.channel.requests)[:3]:
        crowd.jetty.sandbox.world.withdraw(crowd.channel, user_id)
    crowd.jetty.sandbox.faults.reset()
    run = await load(crowd, part=Part(newest=newest))
    assert crowd.jetty.calls(IMPORTERS) == calls
    assert run.progress.counters == {"new": 0, "known": min(newest, 127)}
    assert len(await pending(crowd)) == 130


async def test_by_one_link(crowd: Door) -> None:
    """Only who came by it, who say so from then on; nobody else is taken for gone."""
    async with crowd.open() as service:
        links = await service.loads.links(crowd.peer)
    assert len(links) == 2
    meant = {row.user for row in crowd.channel.requests.values() if row.link == links[0].link}
    run = await load(crowd, part=Part(link=links[0].link))
    assert run.progress.counters == {"new": len(meant), "known": 0}
    assert links[0].waiting == len(meant)
    assert await pending(crowd) == meant
    async with crowd.store.database.read() as connection:
        told = await connection.exec_driver_sql("SELECT DISTINCT link FROM join_requests")
        assert told.scalars().all() == [links[0].link]


async def test_a_schedule_without_an_account_fails_aloud(door: Door) -> None:
    """It becomes a run that fails, so that the owners hear of it; with an account it says nothing."""
    async with door.open() as service:
        await door.load(service)
        plans = service.load_schedules
        await plans.set(door.peer, ADMIN_ID, "0 * * * *", "UTC")
        plan = await plans.set_newest(door.peer, ADMIN_ID, 10)
        assert plan.schedule is not None
        await plans.fire(plan.schedule)
        run = await door.end((await door.desk.rows.recent(1))[0])
        assert (run.status, run.requested_by, run.progress.done) == (RunStatus.DONE, None, 10)
        await door.without_account()
        await plans.fire(plan.schedule)
        run = await door.end((await door.desk.rows.recent(1))[0])
        assert (run.status, run.reason) == (RunStatus.FAILED, "SessionRequired")


# -- who is gone


@pytest.mark.parametrize("is_logged", [True, False])
@pytest.mark.parametrize("many", [4, 40])
async def test_let_in_elsewhere_is_not_withdrawn(crowd: Door, is_logged: bool, many: int) -> None:
    """The channel's log tells, while it goes back so far; else each is asked about, and of many the list of members."""
    world, channel = crowd.jetty.sandbox.world, crowd.channel
    await load(crowd)
    alive = [user_id for user_id in channel.requests if not world.accounts[user_id].deactivated]
    let_in, denied, withdrawn = alive[:many], alive[many : many + 3], alive[many + 3 : many + 5]
    for user_id in let_in:
        world.accounts[user_id].too_many_channels = False
        world.decide(channel, user_id, crowd.jetty.admin.id, approve=True)
    for user_id in denied:
        world.decide(channel, user_id, crowd.jetty.admin.id, approve=False)
    for user_id in withdrawn:
        world.withdraw(channel, user_id)
    if not is_logged:
        channel.admin_log.clear()
    crowd.jetty.sandbox.faults.reset()
    run = await load(crowd)
    assert (run.progress.counters["withdrawn"], run.progress.counters["elsewhere"]) == (5, many)
    statuses = await crowd.statuses()
    assert {statuses[user_id] for user_id in let_in} == {RequestStatus.HANDLED_ELSEWHERE}
    assert {statuses[user_id] for user_id in denied + withdrawn} == {RequestStatus.WITHDRAWN}
    one_by_one = crowd.jetty.calls("channels.getParticipant")
    assert one_by_one == (5 if is_logged else 9 if many == 4 else 0)


async def test_who_came_in_long_ago_and_asks_no_more(crowd: Door) -> None:
    """Let in, gone again, asked again, withdrawn: the log names them, but before they asked."""
    world, channel = crowd.jetty.sandbox.world, crowd.channel
    user_id = next(user for user in channel.requests if not world.accounts[user].deactivated)
    world.decide(channel, user_id, crowd.jetty.admin.id, approve=True)
    world.set_member(channel, user_id, None, user_id)
    world.clock_offset_s += 3600
    world.ask_to_join(channel, [user_id])
    await load(crowd)
    world.withdraw(channel, user_id)
    await load(crowd)
    assert (await crowd.statuses())[user_id] is RequestStatus.WITHDRAWN
