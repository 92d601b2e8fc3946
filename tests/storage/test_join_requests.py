import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from storage.database import Database
from storage.join_requests import JoinRequestRepository
from storage.models import JoinRequest, RequestStatus, Way
from storage.schema import join_requests
from tests.storage.conftest import Clock
from tests.storage.gate import settle_all, tally, waiting
from tests.storage.make import CHANNEL_ID, NOON, Maker, request

OTHER_ID = -1001000000002


@pytest.fixture
async def requests(database: Database, clock: Clock, make: Maker) -> JoinRequestRepository:
    await make.channel(CHANNEL_ID, title="Harbour")
    await make.channel(OTHER_ID, title="Pier")
    return JoinRequestRepository(database, clock=clock)


async def fill(
    requests: JoinRequestRepository, database: Database, count: int, channel_id: int = CHANNEL_ID
) -> list[JoinRequest]:
    await requests.store([request(user_id, channel_id) for user_id in range(1, count + 1)])
    return await waiting(database, channel_id)


async def test_storing_twice_is_storing_once(requests: JoinRequestRepository, database: Database, clock: Clock) -> None:
    """A person who waits already is seen again, not added again."""
    first_seen = clock.now
    assert await requests.store([request(1), request(2)]) == 2
    clock.advance(minutes=1)
    assert await requests.store([request(2), request(3), request(3)]) == 1
    page = await waiting(database, CHANNEL_ID)
    assert [one.user_id for one in page] == [1, 2, 3]
    assert (page[1].first_seen_at, page[1].last_seen_at) == (first_seen, clock.now)
    assert page[0].last_seen_at == first_seen


async def test_each_side_adds_what_it_knows(requests: JoinRequestRepository, database: Database) -> None:
    """The bot's update and the session's page complete each other; what one does not tell does not wipe the other."""
    await requests.store([request(1, link="t.me/+x", bio="sailor", is_premium=False, language="no", is_scam=True)])
    later = NOON + timedelta(minutes=1)
    await requests.store([request(1, name="Ann B.", username="annb", has_photo=True, is_fake=True, asked_at=later)])
    [one] = await waiting(database, CHANNEL_ID)
    assert (one.name, one.username, one.asked_at) == ("Ann B.", "annb", later)
    assert (one.link, one.bio, one.is_premium, one.language) == ("t.me/+x", "sailor", False, "no")
    assert (one.has_photo, one.is_scam, one.is_fake) == (True, True, True)


async def test_one_pending_row_a_person_and_channel(requests: JoinRequestRepository) -> None:
    """However many tell of them at once; in another channel it is another asking."""
    batches = [[request(user_id) for user_id in range(1, 21)] for _ in range(8)]
    new = await asyncio.gather(*(requests.store(batch) for batch in batches))
    assert sum(new) == 20
    assert await requests.store([request(1, OTHER_ID)]) == 1
    assert await requests.count(CHANNEL_ID) == 20


async def test_asking_anew_is_a_new_row(requests: JoinRequestRepository, database: Database) -> None:
    """A denied person who asks again later waits again; the older row tells what was decided."""
    [first] = await fill(requests, database, 1)
    await requests.settle(first.id, RequestStatus.DENIED, Way.BOT, 7)
    assert await requests.store([request(1, asked_at=NOON + timedelta(hours=1))]) == 1
    [second] = await waiting(database, CHANNEL_ID)
    assert second.id > first.id
    older = await requests.get(first.id)
    assert older is not None
    assert older.status is RequestStatus.DENIED


@pytest.mark.parametrize("way", [Way.BOT, Way.SESSION, Way.BULK])
async def test_a_stale_page_does_not_reopen_a_decision(
    requests: JoinRequestRepository, database: Database, way: Way
) -> None:
    """A page read before the decision and stored after it brings the same asking: it stays decided."""
    [one] = await fill(requests, database, 1)
    await requests.settle(one.id, RequestStatus.APPROVED, way, 7)
    assert await requests.store([request(1), request(2)]) == 1
    assert [each.user_id for each in await waiting(database, CHANNEL_ID)] == [2]


async def test_what_only_seemed_gone_comes_back(requests: JoinRequestRepository, database: Database) -> None:
    """A request that we merely missed is open again when Telegram shows the same asking."""
    [one] = await fill(requests, database, 1)
    await requests.settle(one.id, RequestStatus.WITHDRAWN, Way.ELSEWHERE, None)
    assert await requests.store([request(1)]) == 1
    assert await requests.count(CHANNEL_ID) == 1


async def test_a_batch_is_stored_whole_or_not(requests: JoinRequestRepository, database: Database) -> None:
    """One request of a channel that is not stored fails the batch, and nothing of it stays."""
    with pytest.raises(IntegrityError):
        await requests.store([request(1), request(2, -1009)])
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(join_requests)) == 0


async def test_large_batches_are_no_matter(requests: JoinRequestRepository) -> None:
    """More people than one statement takes, of two channels mixed."""
    batch = [request(user_id, channel_id) for user_id in range(1, 1201) for channel_id in (CHANNEL_ID, OTHER_ID)]
    assert await requests.store(batch) == 2400
    assert await requests.store(batch) == 0
    assert await requests.store([]) == 0
    assert await requests.count(OTHER_ID) == 1200


async def test_counting_stops_at_its_cap(requests: JoinRequestRepository, database: Database) -> None:
    """A number for a button need not be exact beyond it."""
    await fill(requests, database, 10)
    assert await requests.count(CHANNEL_ID) == 10
    assert await requests.count(CHANNEL_ID, cap=4) == 4
    assert await requests.count(OTHER_ID, cap=4) == 0


async def test_where_people_wait(requests: JoinRequestRepository, database: Database) -> None:
    """Channels with the most waiting first; one where nobody waits is left out."""
    await fill(requests, database, 2)
    await fill(requests, database, 3, OTHER_ID)
    assert [(one.channel.title, one.pending) for one in await requests.overview()] == [("Pier", 3), ("Harbour", 2)]
    await settle_all(database, OTHER_ID, RequestStatus.APPROVED, Way.BULK, NOON)
    assert [(one.channel.title, one.pending) for one in await requests.overview()] == [("Harbour", 2)]


async def test_one_decision_wins(requests: JoinRequestRepository, database: Database, clock: Clock) -> None:
    """Of many who decide at once, one does; the row says who, how and when."""
    [one] = await fill(requests, database, 1)
    clock.advance(minutes=1)
    outcomes = await asyncio.gather(
        *(
            requests.settle(one.id, status, Way.BOT, admin_id)
            for admin_id in range(10)
            for status in (RequestStatus.APPROVED, RequestStatus.DENIED)
        )
    )
    [winner] = [outcome for outcome in outcomes if outcome is not None]
    assert await requests.get(one.id) == winner
    assert (winner.way, winner.decided_at) == (Way.BOT, clock.now)
    assert await requests.settle(77, RequestStatus.DENIED, Way.BOT, 7) is None


async def test_who_was_not_seen_is_settled(requests: JoinRequestRepository, database: Database, clock: Clock) -> None:
    """After a whole walk those last seen before it are settled; whoever came or was seen meanwhile stays."""
    await fill(requests, database, 3)
    await fill(requests, database, 1, OTHER_ID)
    walk_began = clock.advance(minutes=1)
    await requests.store([request(2), request(4)])
    assert await requests.missing(CHANNEL_ID, walk_began) == dict.fromkeys((1, 3), NOON)
    assert await requests.settle_gone(CHANNEL_ID, walk_began, {3}) == (1, 1)
    assert await tally(database, CHANNEL_ID) == {
        RequestStatus.WITHDRAWN: 1, RequestStatus.HANDLED_ELSEWHERE: 1, RequestStatus.PENDING: 2
    }  # fmt: skip
    assert [each.user_id for each in await waiting(database, CHANNEL_ID)] == [2, 4]
    assert await requests.count(OTHER_ID) == 1


async def test_a_cut_link_is_the_whole_one(requests: JoinRequestRepository, database: Database) -> None:
    """Bots see the links of other admins cut. Told before or after the whole one, they are one link."""

    async def links() -> list[str | None]:
        return [each.link for each in await waiting(database, CHANNEL_ID)]

    await requests.store([request(1, link="t.me/+Spr…"), request(2, link="t.me/+Aut…"), request(3, link=None)])
    assert await links() == ["t.me/+Spr…", "t.me/+Aut…", None]
    await requests.store([request(4, link="t.me/+Spring_7")])
    assert await links() == ["t.me/+Spring_7", "t.me/+Aut…", None, "t.me/+Spring_7"]
    cut = ((5, "t.me/+Sprin…"), (1, "t.me/+Spr…"), (6, "t.me/+Spree…"))
    await requests.store([request(user_id, link=link) for user_id, link in cut])
    assert await links() == ["t.me/+Spring_7", "t.me/+Aut…", None, "t.me/+Spring_7", "t.me/+Spring_7", "t.me/+Spree…"]
