"""Forgetting people: by age, one at once, and down to the bytes."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from storage.conversations import ConversationRepository
from storage.database import Database
from storage.join_requests import JoinRequestRepository
from storage.models import NewMessage, RequestStatus, RunKind, RunStatus, Traces, Way
from storage.people import PeopleRepository
from storage.runs import RunRepository
from storage.schema import audit
from storage.vault import Vault
from tests.storage.conftest import Clock
from tests.storage.make import CHANNEL_ID, Maker, request

NAME, BIO = "Zebulon Quarrington-Pike", "keeper of the seventh lantern"


def traces_of(folder: Path, *needles: str) -> list[str]:
    found = []
    for file in folder.iterdir():
        content = file.read_bytes()
        found += [f"{needle} in {file.name}" for needle in needles if needle.encode() in content]
    return found


async def test_one_person_goes_to_the_last_byte(make: Maker, database: Database, clock: Clock) -> None:
    """Rows of one person among a thousand; what is told before is what is gone; others and decisions stay."""
    await make.channel()
    session = await make.session()
    rows, people = JoinRequestRepository(database, clock=clock), PeopleRepository(database)
    crowd = [request(user_id, bio=f"bio {user_id}" * 5) for user_id in range(1000, 2000)]
    await rows.store(crowd[:500])
    await rows.store([request(7, name=NAME, bio=BIO)])
    await rows.store(crowd[500:])
    (first,) = await rows.page(CHANNEL_ID, after_id=500, limit=1)
    assert first.user_id == 7
    await rows.settle(first.id, RequestStatus.DENIED, Way.BOT, 1)
    await rows.store([request(7, name=NAME, bio=BIO, asked_at=clock.now + timedelta(days=1))])
    await make.sessions.put_peers(session.id, {7: 70, 1000: 71})
    source = await make.source(session)
    posts = [NewMessage(number, clock.now, 7 if number == 2 else 8, "words") for number in (1, 2)]
    await make.sources.store_page(source.id, posts, [], 2)
    line = {"at": clock.now, "admin_id": 1, "admin_name": "Anna", "verb": "DENY", "outcome": "DONE"}
    async with database.write() as connection:
        await connection.execute(insert(audit).values(**line, subject=NAME, detail={"channel": "Harbour"}))
        await connection.execute(insert(audit).values(**line, subject="Person 1000", detail={"channel": "Harbour"}))
    folder = database.path.parent
    assert traces_of(folder, NAME)

    known = await people.traces(7)
    assert known == Traces(7, NAME, requests=2, waiting=1, peers=1, messages=1, audit=1)
    assert await people.forget(7) == known
    assert traces_of(folder, NAME, BIO) == [], "while Porter runs"
    assert (await people.traces(7)).is_empty
    assert await rows.count(CHANNEL_ID) == 1000
    assert await make.sessions.access_hashes(session.id, [7, 1000]) == {1000: 71}
    assert (await people.traces(1000)).audit == 1
    assert (await people.traces(8)).messages == 1


async def test_the_refused_go_when_they_are_old(make: Maker, database: Database, clock: Clock) -> None:
    """Denied, withdrawn, elsewhere: gone after that day, in batches. Let in, waiting, or refused later: they stay."""
    await make.channel()
    session = await make.session()
    rows, people = JoinRequestRepository(database, clock=clock), PeopleRepository(database)
    await rows.store([request(user_id) for user_id in range(1, 1301)])
    await make.sessions.put_peers(session.id, {user_id: user_id for user_id in (1, 2, 1299, 1300)})
    await rows.settle_all(CHANNEL_ID, RequestStatus.DENIED, Way.BULK, 1)
    await rows.store([request(1, asked_at=clock.now + timedelta(days=1))])
    await rows.settle_all(CHANNEL_ID, RequestStatus.APPROVED, Way.BULK, 1)
    await rows.store([request(2, asked_at=clock.now + timedelta(days=1))])
    old = clock.now + timedelta(days=1)
    clock.now += timedelta(days=2)
    await rows.store([request(5000)])
    await rows.settle_missing(CHANNEL_ID, clock.now, RequestStatus.WITHDRAWN, Way.ELSEWHERE)
    assert await people.sweep(old) == 1300
    assert await people.sweep(old) == 0
    assert await rows.tally(CHANNEL_ID) == {
        RequestStatus.APPROVED: 1,
        RequestStatus.WITHDRAWN: 1,
        RequestStatus.PENDING: 1,
    }
    assert await make.sessions.access_hashes(session.id, [1, 2, 1299, 1300]) == {1: 1, 2: 2}


async def test_runs_and_conversations_go_when_they_are_old(database: Database, vault: Vault, clock: Clock) -> None:
    """Runs that ended, conversations that nobody went on with; what is active or new stays."""
    runs, talks = RunRepository(database, clock=clock), ConversationRepository(database, vault, clock=clock)
    ended = await runs.add(RunKind.SCRAPE, 1, "x", 0, None, {})
    await runs.set_status(ended.id, RunStatus.DONE)
    active = await runs.add(RunKind.SCRAPE, 1, "x", 0, None, {})
    await talks.set_state("old", "LoginForm:code")
    await talks.set_data("old", {"a": 1})
    clock.now += timedelta(days=2)
    await talks.set_data("new", {"b": 2})
    before = clock.now - timedelta(days=1)
    assert (await runs.sweep(before), await talks.sweep(before)) == (1, 1)
    assert [run.id for run in await runs.recent()] == [active.id]
    assert (await talks.get_state("old"), await talks.get_data("old")) == (None, {})
    assert await talks.get_data("new") == {"b": 2}
