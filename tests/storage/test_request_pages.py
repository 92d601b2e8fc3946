"""Lists of those who wait: what SQLite answers is what the filters say of each request in hand."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.channels import ChannelRepository
from storage.database import Database
from storage.join_requests import JoinRequestRepository
from storage.models import Channel, ChannelKind, IncomingRequest, JoinRequest, RequestStatus, Way
from storage.request_filters import ALIKE_FROM, facts_of, group_of, matches
from storage.request_models import RequestFilters, RequestGroup, RequestView
from storage.request_pages import RequestPages
from tests.storage.conftest import Clock
from tests.storage.gate import settle_all

NOW = Clock().now
HERE, THERE = -1001, -1002
LINKS = ("t.me/+one", "t.me/+two")
NAMES = ("Anna Bright", "МАРИЯ Ветер", 'Bob "the" Builder', "Zoë 100%_", "user 77")


@pytest.fixture
async def requests(database: Database, clock: Clock) -> JoinRequestRepository:
    channels = ChannelRepository(database)
    for channel_id in (HERE, THERE):
        await channels.put(Channel(channel_id, "Garden", None, ChannelKind.CHANNEL, None, True, NOW))
    return JoinRequestRepository(database, clock=clock)


@pytest.fixture
def pages(database: Database, clock: Clock) -> RequestPages:
    return RequestPages(database, clock=clock)


def person(user_id: int, dice: random.Random, channel_id: int = HERE) -> IncomingRequest:
    return IncomingRequest(
        channel_id=channel_id,
        user_id=user_id,
        name=dice.choice(NAMES),
        username=dice.choice((None, f"name_{user_id}", "Bright_one")),
        bio=dice.choice((None, "", "Gardens and birds", "Crypto signals daily")),
        # Few moments: pages end among people who asked at the same one.
        asked_at=NOW - timedelta(hours=dice.randrange(6)),
        has_photo=dice.choice((None, False, True)),
        is_premium=dice.choice((None, False, True)),
        is_scam=dice.random() < 0.1,
        is_fake=dice.random() < 0.1,
        link=dice.choice((None, *LINKS)),
    )


@pytest.fixture
async def crowd(database: Database, requests: JoinRequestRepository) -> list[JoinRequest]:
    """Four hundred people at one channel, some decided, some known from the other."""
    dice = random.Random(5)
    await requests.store([person(user_id, dice, THERE) for user_id in range(1, 40)])
    await settle_all(database, THERE, RequestStatus.DENIED, Way.BULK, NOW)
    await requests.store([person(user_id, dice) for user_id in range(1, 401)])
    everybody = [found for found in await everyone(requests) if found.channel_id == HERE]
    for request in dice.sample(everybody, 50):
        await requests.settle(request.id, RequestStatus.APPROVED, Way.BOT, None)
    return [request for request in await everyone(requests) if request.status is RequestStatus.PENDING]


async def everyone(requests: JoinRequestRepository) -> list[JoinRequest]:
    found = [await requests.get(request_id) for request_id in range(1, 440)]
    return [request for request in found if request is not None]


def some_filters(dice: random.Random) -> RequestFilters:
    flags = ("has_username", "has_photo", "has_bio", "is_premium", "is_marked", "is_alike", "is_known")
    chosen = RequestFilters(**{name: dice.choice((True, False)) for name in flags if dice.random() < 0.2})
    more = {
        "group": dice.choice(list(RequestGroup)),
        "waits_over": 3600 * dice.randrange(5),
        "waits_under": 3600 * dice.randrange(1, 7),
        "words": dice.choice(("bri", "ветер", '"the"', "100%_", "NAME_1", "nobody")),
        "bio": dice.choice(("BIRDS", "signals d")),
        "link": dice.choice(LINKS),
    }
    return replace(chosen, **{name: value for name, value in more.items() if dice.random() < 0.2})


async def walked(pages: RequestPages, view: RequestView, limit: int) -> list[JoinRequest]:
    """Page by page forward; each page leads back to the one before it."""
    found: list[JoinRequest] = []
    after_id = before = 0
    while True:
        page = await pages.page(view, after_id, limit)
        assert page.previous == (before if after_id else None)
        found += page.rows
        if not page.has_more:
            return found
        before, after_id = after_id, page.rows[-1].id


def ids(requests: Iterable[JoinRequest]) -> list[int]:
    return [request.id for request in requests]


@pytest.mark.parametrize("seed", range(16))
async def test_sqlite_and_the_filters_agree(pages: RequestPages, crowd: list[JoinRequest], seed: int) -> None:
    """Whatever is combined: the same people, each once, in the right order, counted right."""
    dice = random.Random(seed)
    filters = some_filters(dice)
    view = RequestView(0, 1, HERE, filters, newest_first=dice.random() < 0.5)
    meant = [request for request in crowd if matches(filters, request, NOW)]
    if filters.words is None and filters.bio is None:
        meant.sort(key=lambda request: (request.asked_at, request.id), reverse=view.newest_first)
    else:
        meant.sort(key=lambda request: request.id, reverse=view.newest_first)
    assert ids(await walked(pages, view, dice.choice((3, 8, 50)))) == ids(meant)
    assert await pages.total(view) == len(meant)
    capped = await pages.count(view, 10)
    assert (capped.at_least, capped.is_exact) == (min(10, len(meant)), len(meant) <= 10)
    assert set(ids(await pages.sample(view))) <= set(ids(meant))
    assert len(await pages.sample(view)) == min(10, len(meant))


async def test_groups_set_everybody_apart(pages: RequestPages, crowd: list[JoinRequest]) -> None:
    """Each is in one group; the groups' views together are the list."""
    groups = await pages.groups(HERE)
    for group, count in groups.items():
        view = RequestView(0, 1, HERE, RequestFilters(group=group))
        assert await pages.total(view) == count == sum(group_of(facts_of(each)) is group for each in crowd)
    assert sum(groups.values()) == len(crowd)


async def test_next_person_of_a_view(
    pages: RequestPages, requests: JoinRequestRepository, crowd: list[JoinRequest]
) -> None:
    """Behind the last comes the first again; one that was decided meanwhile keeps its place; then nobody is left."""
    view = RequestView(0, 1, HERE, RequestFilters(is_premium=True, has_photo=True))
    order = await walked(pages, view, 8)
    await requests.settle(order[2].id, RequestStatus.DENIED, Way.BOT, None)
    following = [await pages.following(view, request.id) for request in order]
    assert ids(filter(None, following)) == ids([order[1], order[3], *order[3:], order[0]])
    for request in order:
        await requests.settle(request.id, RequestStatus.DENIED, Way.BOT, None)
    assert await pages.following(view, order[0].id) is None


async def test_many_of_one_make_are_alike(pages: RequestPages, requests: JoinRequestRepository) -> None:
    """The one who makes them many marks all, those from before too; another hour, another make and few do not."""
    at = NOW.replace(minute=5)

    def member(number: int, name: str, hours: int = 0) -> IncomingRequest:
        return IncomingRequest(HERE, number, name, None, None, at - timedelta(hours=hours))

    await requests.store([member(number, f"Promo {number}") for number in range(1, ALIKE_FROM)])
    await requests.store([member(number, "Anna Bright") for number in range(100, 100 + ALIKE_FROM - 1)])
    await requests.store([member(200, "Promo 200", hours=3)])
    assert RequestGroup.ALIKE not in await pages.groups(HERE)
    await requests.store([member(300, "PROMO 7")])
    alike = await walked(pages, RequestView(0, 1, HERE, RequestFilters(is_alike=True)), 8)
    assert {request.user_id for request in alike} == {*range(1, ALIKE_FROM), 300}


def test_filters_survive_their_text() -> None:
    """What is stored is read as it was; equal filters are equal text."""
    dice = random.Random(1)
    for _ in range(200):
        filters = some_filters(dice)
        assert RequestFilters.from_json(filters.to_json()) == filters
    assert RequestFilters(is_known=True, has_bio=False).to_json() == '{"has_bio":false,"is_known":true}'
