"""Deciding many, on the sandbox: exactly those who were meant, once each, with an outcome for every one of them."""

import asyncio
import random
from dataclasses import replace

import pytest

from sandbox.scenarios import ADMIN
from services.errors import NotAllowed, SetGrown
from services.requests import RequestServices
from services.requests.bulk import Many
from services.requests.bulk_csv import harmless
from services.requests.endings import Endings
from storage.admins import AdminRepository
from storage.errors import AlreadyActive
from storage.models import NEW_SINCE_PREVIEW, Admin, RequestStatus, Role, Run, RunStatus, Way
from storage.request_models import ItemOutcome, RequestFilters
from storage.request_pages import RequestPages
from storage.request_views import RequestTicks, RequestViewRepository
from storage.runs import RunRepository
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import Desk
from tests.services.test_join_requests import ADMIN_ID, Door, WorldGate, everybody

HIDE_ALL, HIDE = "messages.hideAllChatJoinRequests", "messages.hideChatJoinRequest"


@pytest.fixture
async def door(jetty: Jetty, store: Store, pooled: Pooled) -> Door:
    for admin_id in (1, 2, 3, ADMIN_ID):
        await AdminRepository(store.database).put(admin_id, Role.OWNER, "Ann")
    door = Door(jetty, store, pooled, jetty.gate, WorldGate(jetty), Desk(RunRepository(store.database)))
    await door.channels.of_session(pooled.session.id)
    return door


async def outcomes(door: Door, run: Run) -> dict[int, ItemOutcome | None]:
    """By user id."""
    return {item.request.user_id: item.outcome for item in await door.bulk.page(run.id)}


async def answered(service: RequestServices, run: Run, *, include: bool) -> Run:
    return await service.bulk.answer(run, ADMIN_ID, include=include)


# -- everybody, by one call


@pytest.mark.parametrize("approve", [True, False])
async def test_everybody_by_an_account(door: Door, approve: bool) -> None:
    """One call decides all; each row says so, whose decision it was, and the run has an outcome for each."""
    people = set(door.channel.requests)
    async with door.open() as service:
        await door.load(service)
        run = await door.decide_all(service, approve)
        rows = [await service.lists.get(number + 1) for number in range(len(people))]
    name = "approved" if approve else "denied"
    assert (run.status, run.progress.counters) == (RunStatus.DONE, {name: 30})
    assert (run.progress.done, run.progress.total) == (30, 30)
    assert set(door.channel.approved if approve else door.channel.denied) == people
    assert {(row.status.lower(), row.way, row.decided_by) for row in rows} == {(name, Way.BULK, ADMIN_ID)}
    assert await outcomes(door, run) == dict.fromkeys(people, ItemOutcome[name.upper()])
    assert (door.jetty.calls(HIDE_ALL), door.jetty.calls(HIDE), door.gate.calls) == (1, 0, 0)


@pytest.mark.parametrize("include", [True, False])
async def test_newcomers_are_asked_about(door: Door, include: bool) -> None:
    """Who came after the preview is on the list before the call: nobody is let in before an admin has answered."""
    door.without_bot()
    async with door.open() as service:
        await door.load(service)
        shown = set(door.channel.requests)
        preview = await service.bulk.preview(ADMIN_ID, door.peer, True)
        late = set(door.ask(14))
        run = await door.end(await service.bulk.decide(ADMIN_ID, preview.many))
        assert (run.status, run.reason) == (RunStatus.PAUSED, NEW_SINCE_PREVIEW)
        assert (run.checkpoint["new"], run.checkpoint["seen"]) == (14, 30)
        assert not door.channel.approved
        run = await door.end(await answered(service, run, include=include))
        assert await answered(service, run, include=not include) == run  # a second tap changes nothing
    meant = shown | late if include else shown
    assert set(door.channel.approved) == meant
    assert set(door.channel.requests) == (shown | late) - meant
    assert run.progress.counters == {"approved": len(meant)}
    assert await outcomes(door, run) == dict.fromkeys(meant, ItemOutcome.APPROVED)
    assert door.jetty.calls(HIDE_ALL) == include


async def test_newcomers_are_denied_with_the_others(door: Door) -> None:
    """That harms nobody: they may ask again."""
    async with door.open() as service:
        await door.load(service)
        preview = await service.bulk.preview(ADMIN_ID, door.peer, False)
        door.ask(3)
        run = await door.end(await service.bulk.decide(ADMIN_ID, preview.many))
    assert run.progress.counters == {"denied": 33}
    assert not door.channel.requests


async def test_who_was_let_in_unseen_is_named(door: Door) -> None:
    """Asked between the list and the call: the log names them, those of whom the bot has told and those of whom not."""
    late: list[int] = []
    door.jetty.sandbox.faults.add(HIDE_ALL, delay_ms=300)
    async with door.open() as service:
        await door.load(service)
        run = await door.ask_many(service)
        await door.jetty.until_called(HIDE_ALL)
        late += door.ask(3)
        await service.arrivals.take([door.update(late[0])])
        run = await door.end(run)
    assert set(door.channel.approved) >= set(late)
    assert run.progress.counters == {"approved": 33, "unseen": 3}
    unseen = await door.bulk.unseen(run.id, 10)
    assert {request.user_id for request in unseen} == set(late)
    assert {request.name for request in unseen} == {"New Face"}
    ending = await Endings(door.bulk, RequestPages(door.store.database)).of(run)
    assert ending is not None
    assert len(ending.unseen) == 3
    assert {(row.status, row.way) for row in unseen} == {(RequestStatus.APPROVED, Way.BULK)}


async def test_who_asks_meanwhile_stays(door: Door) -> None:
    """Asked after the call went out: PENDING here and at Telegram, and no second call sweeps them in."""
    late: list[int] = []

    def ask_once() -> None:
        if door.channel.approved and not late:
            late.extend(door.ask(2))

    door.on_sleep = ask_once
    async with door.open() as service:
        await door.load(service)
        run = await door.decide_all(service)
    assert run.progress.counters == {"approved": 30}
    assert set(door.channel.requests) == set(late)
    statuses = await door.statuses()
    assert {user_id for user_id, status in statuses.items() if status is RequestStatus.PENDING} == set(late)
    assert door.jetty.calls(HIDE_ALL) == 1


async def test_each_way_out_has_its_outcome(door: Door) -> None:
    """Withdrawn before, let in by somebody else before and between list and call, and in too many channels."""
    world, people = door.jetty.sandbox.world, list(door.channel.requests)
    gone, elsewhere, meanwhile, busy = people[:4]
    world.accounts[busy].too_many_channels = True
    door.without_bot()
    async with door.open() as service:
        await door.load(service)
        world.withdraw(door.channel, gone)
        world.decide(door.channel, elsewhere, ADMIN, approve=True)
        door.jetty.sandbox.faults.add(HIDE_ALL, delay_ms=200)
        run = await door.ask_many(service)
        await door.jetty.until_called(HIDE_ALL)
        world.withdraw(door.channel, meanwhile)
        run = await door.end(run)
        reasons = await door.bulk.reasons(run.id)
        stays = await service.lists.following(everybody(door.peer))
    assert run.progress.counters == {"approved": 26, "withdrawn": 2, "elsewhere": 1, "stay": 1}
    told = await outcomes(door, run)
    assert [told[user_id] for user_id in (gone, elsewhere, meanwhile, busy)] == [
        ItemOutcome.WITHDRAWN, ItemOutcome.ELSEWHERE, ItemOutcome.WITHDRAWN, ItemOutcome.STAYS
    ]  # fmt: skip
    assert reasons == {"USER_CHANNELS_TOO_MUCH": 1}
    assert stays is not None
    assert (stays.user_id, stays.refusal) == (busy, "USER_CHANNELS_TOO_MUCH")
    assert (await door.statuses())[gone] is RequestStatus.WITHDRAWN


async def test_nobody_waits(door: Door) -> None:
    """Nothing is called and nothing counted."""
    door.jetty.sandbox.world.decide_all(door.channel, ADMIN, approve=False)
    async with door.open() as service:
        run = await door.decide_all(service)
    assert (run.status, run.progress.counters, run.progress.done) == (RunStatus.DONE, {}, 0)
    assert door.jetty.calls(HIDE_ALL) == 0


@pytest.mark.parametrize("approve", [True, False])
async def test_a_log_that_may_not_be_read(door: Door, approve: bool) -> None:
    """Then the list alone tells, and the outcome says that."""
    door.jetty.sandbox.faults.add("channels.getAdminLog", error="CHAT_ADMIN_REQUIRED", times=50)
    async with door.open() as service:
        await door.load(service)
        run = await door.decide_all(service, approve)
        reasons = {item.reason for item in await door.bulk.page(run.id)}
    assert run.progress.counters == {"approved" if approve else "denied": 30}
    assert reasons == ({"BY_LIST"} if approve else {None})


@pytest.mark.parametrize("seed", range(2))
async def test_everybody_interrupted_anywhere(door: Door, seed: int) -> None:
    """Stopped at random moments, around the call too: rows and Telegram agree in the end, nobody is decided twice."""
    dice = random.Random(seed)
    people = set(door.channel.requests)
    async with door.open() as service:
        await door.load(service)
        run = await door.ask_many(service)
    for _ in range(8):
        async with door.open():
            await asyncio.sleep(dice.uniform(0, 0.08))
    async with door.open():
        run = await door.end(run)
    assert run.status is RunStatus.DONE
    assert set(door.channel.approved) == people
    assert await outcomes(door, run) == dict.fromkeys(people, ItemOutcome.APPROVED)
    assert set((await door.statuses()).values()) == {RequestStatus.APPROVED}


# -- some, one by one


@pytest.mark.parametrize("by_bot", [True, False])
async def test_a_filtered_set(door: Door, by_bot: bool) -> None:
    """Those of a view and nobody else, by single calls, by the bot where it may."""
    if not by_bot:
        door.without_bot()
    async with door.open() as service:
        await door.load(service)
        wanted = RequestFilters(has_username=True)
        view = await RequestViewRepository(door.store.database).open(ADMIN_ID, door.peer, [wanted])
        people = door.jetty.sandbox.world.accounts
        meant = {user_id for user_id in door.channel.requests if people[user_id].username}
        run = await door.end(await door.ask_many(service, view_id=view[0].id))
    assert 0 < len(meant) < 30
    assert set(door.channel.approved) == meant
    assert await outcomes(door, run) == dict.fromkeys(meant, ItemOutcome.APPROVED)
    assert (door.jetty.calls(HIDE_ALL), bool(door.gate.calls)) == (0, by_bot)
    statuses = await door.statuses()
    assert {user_id for user_id, status in statuses.items() if status is RequestStatus.APPROVED} == meant


async def test_those_who_are_ticked(door: Door) -> None:
    """Across pages, without those who wait no more; the ticks are gone afterwards."""
    ticks = RequestTicks(door.store.database)
    async with door.open() as service:
        await door.load(service)
        ids = [request.id for request in (await service.lists.page(everybody(door.peer), limit=12)).rows]
        await ticks.add(ADMIN_ID, ids)
        shown = await service.bulk.preview(ADMIN_ID, door.peer, False, ticked=True)
        assert (shown.many.count, len(shown.sample)) == (12, 10)
        taken = await service.lists.get(ids[0])
        await service.decider.decide(taken.id, 2, approve=True)
        run = await door.end(await service.bulk.decide(ADMIN_ID, shown.many))
        assert await ticks.ids(ADMIN_ID, door.peer) == []
    assert run.progress.counters == {"denied": 11}
    assert (len(door.channel.denied), list(door.channel.approved)) == (11, [taken.user_id])


async def test_only_who_was_shown(door: Door) -> None:
    """Who fits the filter and came after the preview is not meant; a set that grew otherwise is refused."""
    async with door.open() as service:
        await door.load(service)
        views = RequestViewRepository(door.store.database)
        view = (await views.open(ADMIN_ID, door.peer, [RequestFilters(has_username=False)]))[0]
        shown = await service.bulk.preview(ADMIN_ID, door.peer, True, view_id=view.id)
        late = door.ask(4)
        await service.arrivals.take([door.update(user_id) for user_id in late])
        with pytest.raises(SetGrown):
            await service.bulk.decide(ADMIN_ID, replace(shown.many, count=shown.many.count - 1))
        stored = Many.from_json(shown.many.to_json())
        run = await door.end(await service.bulk.decide(ADMIN_ID, stored))
        elsewhere = await service.bulk.preview(2, door.peer, True)
    assert stored == shown.many
    assert run.progress.counters["approved"] <= shown.many.count
    assert not set(late) & set(door.channel.approved)
    assert elsewhere.many.is_everybody


async def test_everybody_by_the_bot_alone(door: Door) -> None:
    """Without any account: one by one, at a pace; who stays is named, who arrived later is left alone."""
    asked = door.ask(5)
    await door.without_account()
    async with door.open() as service:
        await service.arrivals.take([door.update(user_id) for user_id in asked])
        door.gate.stays.add(asked[2])
        shown = await service.bulk.preview(ADMIN_ID, door.peer, True)
        await service.arrivals.take([door.update(user_id) for user_id in door.ask(2)])
        run = await door.end(await service.bulk.decide(ADMIN_ID, shown.many))
    assert run.progress.counters == {"approved": 4, "stay": 1}
    assert set(door.channel.approved) == set(asked) - {asked[2]}
    assert sum(door.slept) == pytest.approx(0.05 * 4)


async def test_the_bot_goes_on_where_it_was(door: Door) -> None:
    """A flood wait and restarts in the middle: everybody is decided once."""
    asked = door.ask(12)
    await door.without_account()
    door.gate.floods, door.gate.slow_seconds = 1, 0.005
    async with door.open() as service:
        await service.arrivals.take([door.update(user_id) for user_id in asked])
        run = await door.ask_many(service, approve=False)
        run = await door.desk.reached(run.id, RunStatus.WAITING)
        door.desk.time.pass_seconds(60)
    dice = random.Random(3)
    for _ in range(6):
        async with door.open():
            await asyncio.sleep(dice.uniform(0, 0.03))
    async with door.open():
        run = await door.end(run)
    assert run.status is RunStatus.DONE
    assert set(door.channel.denied) == set(asked)
    assert await outcomes(door, run) == dict.fromkeys(asked, ItemOutcome.DENIED)
    assert set((await door.statuses()).values()) == {RequestStatus.DENIED}


# -- taking back, pausing, rights


async def test_it_can_be_taken_back(door: Door) -> None:
    """For ten seconds nothing happens, whatever restarts meanwhile; taken back, nobody was decided."""
    door.undo_seconds = 10
    async with door.open() as service:
        await door.load(service)
        run = await door.ask_many(service)
        assert run.wait_until is not None
    async with door.open() as service:
        door.desk.time.pass_seconds(9)
        await asyncio.sleep(0.1)
        assert (await door.desk.reached(run.id, RunStatus.QUEUED)).started_at is None
        with pytest.raises(AlreadyActive):  # neither may a set of them be decided meanwhile
            await service.bulk.decide(ADMIN_ID, await some(door, service))
        await door.runner.cancel(run.id)
        assert not door.channel.approved
        run = await door.ask_many(service, approve=False)
        door.desk.time.pass_seconds(10)
        run = await door.end(run)
    assert run.status is RunStatus.DONE
    assert (len(door.channel.denied), len(door.channel.approved)) == (30, 0)


async def some(door: Door, service: RequestServices) -> Many:
    view = await RequestViewRepository(door.store.database).open(
        ADMIN_ID, door.peer, [RequestFilters(has_username=True)]
    )
    return (await service.bulk.preview(ADMIN_ID, door.peer, True, view_id=view[0].id)).many


async def test_a_right_that_is_lost_in_the_middle(door: Door) -> None:
    """Nobody of ours may any more: the run pauses, whoever is not decided waits, and a tap goes on once it is back."""
    asked = door.ask(9)
    await door.without_account()
    async with door.open() as service:
        await service.arrivals.take([door.update(user_id) for user_id in asked])

        def lose() -> None:
            if len(door.slept) == 1:
                door.without_bot()

        door.on_sleep = lose
        run = await door.decide_all(service)
        assert (run.status, run.reason, run.is_asking) == (RunStatus.PAUSED, "SessionRequired", True)
        assert len(door.channel.approved) == 4
        door.gate.may, door.on_sleep = True, lambda: None
        await door.channels.refresh_bot_rights(door.peer)
        run = await door.end(await door.runner.resume(run.id))
    assert run.progress.counters == {"approved": 9}
    assert set(door.channel.approved) == set(asked)


@pytest.mark.parametrize("by_bot", [True, False])
async def test_stopped_in_the_middle(door: Door, by_bot: bool) -> None:
    """Pause and stop wait for the calls that are out: whoever Telegram has decided has an outcome, nobody else has."""
    if by_bot:
        await door.without_account()
        asked = door.ask(12)
        door.gate.slow_seconds = 0.05
    else:
        door.without_bot()
        door.jetty.sandbox.faults.add(HIDE, delay_ms=50, times=100)
        asked = list(door.channel.requests)
    async with door.open() as service:
        await service.arrivals.take([door.update(user_id) for user_id in asked]) if by_bot else await door.load(service)
        run = await service.bulk.decide(ADMIN_ID, await ticked(door, service, asked))
        async with asyncio.timeout(5):
            while len(door.channel.approved) < 2:  # noqa: ASYNC110 - the sandbox sets no event
                await asyncio.sleep(0.005)
        run = await door.runner.cancel(run.id)
        told = await outcomes(door, run)
        done = {user_id for user_id, outcome in told.items() if outcome is ItemOutcome.APPROVED}
        reasons = {item.reason for item in await door.bulk.page(run.id)}
    assert done == set(door.channel.approved)
    assert 0 < len(done) < len(asked)
    assert reasons == {None}
    assert run.progress.counters == {"approved": len(done)}


async def ticked(door: Door, service: RequestServices, user_ids: list[int]) -> Many:
    """As if all of them had been ticked: so that an account decides one by one too."""
    page = (await service.lists.page(everybody(door.peer), limit=100)).rows
    ids = tuple(request.id for request in page if request.user_id in user_ids)
    many = (await service.bulk.preview(ADMIN_ID, door.peer, True)).many
    return replace(many, request_ids=ids, count=len(ids))


async def test_whoever_asked_is_demoted_in_the_middle(door: Door) -> None:
    """The role is read again before each few: the run fails and says why, the others wait on."""
    asked = door.ask(9)
    await door.without_account()
    admins = AdminRepository(door.store.database)
    async with door.open() as service:
        await service.arrivals.take([door.update(user_id) for user_id in asked])
        await admins.assign(ADMIN_ID, Role.APPROVER, "Ann", [door.peer])
        demoted: list[asyncio.Task[Admin]] = []

        def demote() -> None:
            if len(door.slept) == 1:
                demoted.append(asyncio.create_task(admins.assign(ADMIN_ID, Role.VIEWER, "Ann", [])))

        door.on_sleep = demote
        run = await door.decide_all(service)
        assert (run.status, run.reason) == (RunStatus.FAILED, "NotAllowed")
        await demoted[0]
        assert 4 <= len(door.channel.approved) < 9
        with pytest.raises(NotAllowed):
            await door.ask_many(service)
        with pytest.raises(NotAllowed):
            await service.loads.load(door.peer, ADMIN_ID)


def test_no_cell_is_a_formula() -> None:
    """What a spreadsheet would calculate is text; anything else is as it was typed."""
    for risky in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1"):
        assert harmless(risky) == f"'{risky}"
    for plain in ("Ann", "a=b", "", "O'Brien", '"=1"'):
        assert harmless(plain) == plain
