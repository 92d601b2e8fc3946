"""Views keep their meaning, ticks count those who wait."""

import pytest

from storage.admins import AdminRepository
from storage.database import Database
from storage.join_requests import JoinRequestRepository
from storage.models import RequestStatus, Role, Way
from storage.people import PeopleRepository
from storage.request_models import RequestFilters, RequestGroup
from storage.request_views import KEPT, RequestTicks, RequestViewRepository
from tests.storage.gate import waiting
from tests.storage.make import CHANNEL_ID, Maker, request

ANN, BOB = 5, 6
THERE = CHANNEL_ID - 1
EVERYBODY, BARE = RequestFilters(), RequestFilters(group=RequestGroup.BARE, words="anna")


@pytest.fixture
async def requests(database: Database, make: Maker) -> JoinRequestRepository:
    for admin_id in (ANN, BOB):
        await AdminRepository(database).put(admin_id, Role.OWNER, "Ann")
    for channel_id in (CHANNEL_ID, THERE):
        await make.channel(channel_id)
    requests = JoinRequestRepository(database)
    await requests.store(
        [request(user_id, channel_id) for user_id in range(1, 6) for channel_id in (CHANNEL_ID, THERE)]
    )
    return requests


async def test_the_same_is_the_same_view(database: Database, requests: JoinRequestRepository) -> None:
    """Opened again, one view; another order, channel, admin or filter: another one, and nobody else's."""
    views = RequestViewRepository(database)
    everybody, bare = await views.open(ANN, CHANNEL_ID, [EVERYBODY, BARE])
    again = await views.open(ANN, CHANNEL_ID, [BARE, RequestFilters(has_bio=True), EVERYBODY])
    assert (again[0], again[2]) == (bare, everybody)
    others = [
        *await views.open(ANN, CHANNEL_ID, [BARE], newest_first=True),
        *await views.open(ANN, THERE, [BARE]),
        *await views.open(BOB, CHANNEL_ID, [BARE]),
    ]
    assert len({view.id for view in (everybody, *again, *others)}) == 6
    assert await views.get(bare.id, ANN) == bare
    assert await views.get(bare.id, BOB) is None


async def test_old_views_go(database: Database, requests: JoinRequestRepository) -> None:
    """What one admin looked at long ago is not kept for ever; the others keep theirs."""
    views = RequestViewRepository(database)
    (theirs,) = await views.open(BOB, CHANNEL_ID, [EVERYBODY])
    opened = await views.open(ANN, CHANNEL_ID, [RequestFilters(words=f"word {n}") for n in range(KEPT + 3)])
    assert await views.sweep() == 3
    assert [await views.get(view.id, ANN) for view in opened[:4]] == [None, None, None, opened[3]]
    assert await views.get(theirs.id, BOB) == theirs


async def test_ticks(database: Database, requests: JoinRequestRepository) -> None:
    """By admin and channel; decided people are not counted; the rest stays when one channel is cleared."""
    ticks = RequestTicks(database)
    here = [row.id for row in await waiting(database, CHANNEL_ID)]
    there = [row.id for row in await waiting(database, THERE)]
    assert [await ticks.toggle(ANN, here[0]) for _ in range(3)] == [True, False, True]
    await ticks.add(ANN, [*here[:3], there[0]])
    await ticks.add(BOB, here[:1])
    await requests.settle(here[1], RequestStatus.DENIED, Way.BOT, BOB)
    assert await ticks.ids(ANN, CHANNEL_ID) == [here[0], here[2]]
    assert await ticks.clear(ANN, CHANNEL_ID) == 3
    assert [await ticks.ids(ANN, CHANNEL_ID), await ticks.ids(ANN, THERE), await ticks.ids(BOB, CHANNEL_ID)] == [
        [],
        there[:1],
        here[:1],
    ]


async def test_searched_lists_go_with_a_person(database: Database, requests: JoinRequestRepository) -> None:
    """Whoever searched for whatever words: they may be the name of who is forgotten. Other lists stay."""
    views = RequestViewRepository(database)
    bare, bio, everybody = await views.open(ANN, CHANNEL_ID, [BARE, RequestFilters(bio="lantern"), EVERYBODY])
    await PeopleRepository(database).forget(1)
    assert [await views.get(view.id, ANN) for view in (bare, bio, everybody)] == [None, None, everybody]
