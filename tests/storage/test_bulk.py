"""Who is meant by a decision on many, and what became of them: written with the run, and with the requests."""

import pytest

from storage.bulk import ASKED, BulkRepository, Settled
from storage.database import Database
from storage.errors import AlreadyActive, SetGrown
from storage.join_requests import JoinRequestRepository
from storage.models import RequestStatus, Run, RunKind, RunStatus, Way
from storage.request_models import ItemOutcome, RequestFilters, RequestView
from storage.request_pages import RequestPages
from storage.runs import RunRepository
from tests.storage.conftest import Clock
from tests.storage.gate import tally, waiting
from tests.storage.make import CHANNEL_ID, Maker, request
from tests.storage.test_at_rest import plans_of

EVERYBODY = RequestView(0, 1, CHANNEL_ID, RequestFilters())


class Gate:
    """Ten people wait at a channel; the others came after the preview."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.requests = JoinRequestRepository(database, clock=clock)
        self.bulk = BulkRepository(database, clock=clock)
        self.runs = RunRepository(database, clock=clock)
        self.pages = RequestPages(database, clock=clock)

    async def ask(self, *user_ids: int) -> None:
        await self.requests.store([request(user_id) for user_id in user_ids])

    async def run(self, newest: int, at_most: int = 10, kind: RunKind = RunKind.DECIDE_ALL) -> Run:
        matching = self.pages.matching(EVERYBODY)
        also = self.bulk.all_of(kind, CHANNEL_ID, matching, newest, at_most)
        return await self.runs.add(kind, CHANNEL_ID, "Harbour", 0, 1, {}, also=also)


@pytest.fixture
async def gate(database: Database, clock: Clock, make: Maker) -> Gate:
    await make.channel()
    gate = Gate(database, clock)
    await gate.ask(*range(1, 11))
    return gate


async def test_who_came_later_is_not_meant(gate: Gate) -> None:
    """The set is as it was shown, or there is no run at all; one at a time, of whichever kind."""
    newest = await gate.bulk.newest()
    await gate.ask(11, 12)
    with pytest.raises(SetGrown):
        await gate.run(newest, at_most=9)
    assert await gate.runs.active() == []
    run = await gate.run(newest)
    assert [item.request.user_id for item in await gate.bulk.page(run.id)] == list(range(1, 11))
    with pytest.raises(AlreadyActive):
        await gate.run(newest, kind=RunKind.DECIDE_SOME)
    count, last = await gate.bulk.newcomers(run.id, CHANNEL_ID)
    assert count == 2
    await gate.ask(13)
    await gate.bulk.include(run.id, CHANNEL_ID, last)
    assert (await gate.bulk.tally(run.id)).undecided == 12
    assert (await gate.bulk.newcomers(run.id, CHANNEL_ID))[0] == 1


async def test_those_who_are_named(gate: Gate) -> None:
    """Who waits no more, or waits elsewhere, is left out."""
    people = await waiting(gate.database, CHANNEL_ID)
    await gate.requests.settle(people[0].id, RequestStatus.DENIED, Way.BOT, 7)
    also = gate.bulk.these(RunKind.DECIDE_SOME, CHANNEL_ID, [people[0].id, people[3].id, 999])
    run = await gate.runs.add(RunKind.DECIDE_SOME, CHANNEL_ID, "Harbour", 0, 1, {}, also=also)
    assert [item.request.id for item in await gate.bulk.page(run.id)] == [people[3].id]


async def test_outcomes_and_requests_agree(gate: Gate, clock: Clock) -> None:
    """Each way out; a decision of ours that came before stays, what only a list had concluded does not."""
    run = await gate.run(await gate.bulk.newest())
    people = await waiting(gate.database, CHANNEL_ID)
    await gate.requests.settle(people[0].id, RequestStatus.DENIED, Way.BOT, 7)
    await gate.requests.settle(people[1].id, RequestStatus.HANDLED_ELSEWHERE, Way.ELSEWHERE, None)
    await gate.bulk.ask(run.id, [people[2].id, people[3].id])
    assert {item.reason for item in await gate.bulk.undecided(run.id, people[1].id, 2)} == {ASKED}
    outcomes = [ItemOutcome.APPROVED] * 3 + [ItemOutcome.DENIED, ItemOutcome.WITHDRAWN, ItemOutcome.ELSEWHERE]
    settled = [Settled(one.id, outcome) for one, outcome in zip(people, outcomes, strict=False)]
    settled.append(Settled(people[6].id, ItemOutcome.STAYS, "USER_CHANNELS_TOO_MUCH"))
    await gate.bulk.settle(run.id, settled, 5)
    await gate.bulk.settle(run.id, [Settled(people[2].id, ItemOutcome.WITHDRAWN)], 5)  # has its outcome
    rows = [await gate.requests.get(one.id) for one in people[:7]]
    assert [(row.status, row.way, row.decided_by) for row in rows if row is not None] == [
        (RequestStatus.DENIED, Way.BOT, 7),
        (RequestStatus.APPROVED, Way.BULK, 5),
        (RequestStatus.APPROVED, Way.BULK, 5),
        (RequestStatus.DENIED, Way.BULK, 5),
        (RequestStatus.WITHDRAWN, Way.ELSEWHERE, None),
        (RequestStatus.HANDLED_ELSEWHERE, Way.ELSEWHERE, None),
        (RequestStatus.PENDING, None, None),
    ]
    assert rows[6] is not None
    assert rows[6].refusal == "USER_CHANNELS_TOO_MUCH"
    told = await gate.bulk.tally(run.id)
    assert (told.outcomes[ItemOutcome.APPROVED], told.undecided) == (3, 3)
    assert await gate.bulk.reasons(run.id) == {"USER_CHANNELS_TOO_MUCH": 1}
    assert (await tally(gate.database, CHANNEL_ID))[RequestStatus.PENDING] == 4


async def test_who_was_decided_unseen(gate: Gate, clock: Clock) -> None:
    """Neither meant nor decided by us one by one since then."""
    run = await gate.run(await gate.bulk.newest())
    began = clock.advance(minutes=1)
    await gate.ask(20, 21)
    one = (await waiting(gate.database, CHANNEL_ID))[-1]
    await gate.requests.settle(one.id, RequestStatus.APPROVED, Way.SESSION, 7)
    assert await gate.bulk.strangers(run.id, CHANNEL_ID, [1, 20, 21, 22], began) == [20, 22]
    await gate.bulk.include_unseen(run.id, CHANNEL_ID, [20, 22])
    assert [person.user_id for person in await gate.bulk.unseen(run.id, 5)] == [20]


async def test_parts_are_found_by_their_index(gate: Gate) -> None:
    """Of a hundred thousand people, a part of a run is one search, and newcomers are looked up one by one."""
    run = await gate.run(await gate.bulk.newest())
    plan = await plans_of(gate.database, lambda: gate.bulk.undecided(run.id, 3, 4))
    assert "bulk_items USING PRIMARY KEY (run_id=? AND request_id>?)" in plan
    assert "SCAN" not in plan
    plan = await plans_of(gate.database, lambda: gate.bulk.newcomers(run.id, CHANNEL_ID))
    assert "USING PRIMARY KEY (run_id=? AND request_id=?)" in plan
    assert "SCAN" not in plan


async def test_a_run_that_is_not_due_and_one_that_asks(gate: Gate, clock: Clock) -> None:
    """The moment is stored; an answer counts while the run is PAUSED, and once."""
    due = clock.now
    run = await gate.runs.add(RunKind.DECIDE_ALL, CHANNEL_ID, "Harbour", 0, 1, {}, due)
    assert (run.status, run.wait_until) == (RunStatus.QUEUED, due)
    assert await gate.runs.answer(run.id, {"only": True}) is None
    asking = await gate.runs.set_status(run.id, RunStatus.PAUSED, reason="WHY")
    assert asking is not None
    assert asking.is_asking
    answered = await gate.runs.answer(run.id, {"only": True})
    assert answered is not None
    assert (answered.status, answered.reason, answered.checkpoint) == (RunStatus.QUEUED, None, {"only": True})
    assert await gate.runs.answer(run.id, {"only": False}) is None
