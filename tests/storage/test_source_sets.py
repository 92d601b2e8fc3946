"""Many sources at once, deleting with and without messages, and what lists of them are told of their files."""

from sqlalchemy import select

from storage.database import Database
from storage.files import DAMAGED, MISSING, FileRepository
from storage.models import FileTally, NewPlace, RunKind, SessionState
from storage.people import PeopleRepository
from storage.runs import RunRepository
from storage.schema import messages
from storage.source_sets import DELETED_AT_ONCE, SourceSets
from tests.storage.conftest import Clock
from tests.storage.make import CHANNEL_ID, Maker, file, message


async def message_ids(database: Database) -> list[int]:
    async with database.read() as connection:
        return list(await connection.scalars(select(messages.c.id).order_by(messages.c.id)))


async def test_kept_messages_are_taken_up_again(make: Maker, database: Database) -> None:
    """They outlive their source, /forget reaches them still, and the channel saved anew counts them as its own."""
    source = await make.source(name="Papers")
    page = [message(1, "first"), message(2)]
    await make.sources.store_page(source.id, page, [file(1, 10)], cursor=2)
    await make.sources.delete(source.id, keep_messages=True)
    assert await make.sources.get(source.id) is None
    assert await message_ids(database) == [1, 2]
    people = PeopleRepository(database)
    assert (await people.forget(7)).messages == 2
    assert (await people.traces(7)).messages == 0
    again = await make.source(name="Papers")
    stored = await make.sources.store_page(again.id, [message(1, "edited"), message(3)], [file(1, 10)], cursor=3)
    assert (stored.new_messages, stored.new_files) == (2, 1)
    async with database.read() as connection:
        text, sender = (
            await connection.execute(select(messages.c.text, messages.c.sender_id).where(messages.c.id == 1))
        ).one()
    assert (text, sender) == ("edited", None), "who was forgotten stays forgotten"


async def test_what_another_source_kept_stays(make: Maker, database: Database) -> None:
    """Deleted with its messages: its own alone, not those that it shares and not those that an earlier one left."""
    session = await make.session()
    earlier, shared, gone = [await make.source(session) for _ in range(3)]
    await make.sources.store_page(earlier.id, [message(1), message(2)], [], cursor=2)
    await make.sources.store_page(shared.id, [message(3)], [], cursor=3)
    await make.sources.store_page(gone.id, [message(2), message(3), message(4)], [], cursor=4)
    await make.sources.delete(earlier.id, keep_messages=True)
    await make.sources.delete(gone.id)
    assert await message_ids(database) == [1, 3]


async def test_more_than_one_transaction_deletes_all(make: Maker, database: Database) -> None:
    """With and without their messages; ids that are gone change nothing."""
    session = await make.session()
    ids = [(await make.source(session)).id for _ in range(DELETED_AT_ONCE + 3)]
    for number, source_id in enumerate(ids, start=1):
        await make.sources.store_page(source_id, [message(number)], [], cursor=number)
    sets = SourceSets(database)
    await sets.delete([*ids[:-1], 777], keep_messages=False)
    assert [source.id for source in await make.sources.all()] == ids[-1:]
    assert await message_ids(database) == [len(ids)]
    await sets.delete(ids[-1:], keep_messages=True)
    assert await message_ids(database) == [len(ids)]


async def test_who_else_could_read(make: Maker, database: Database) -> None:
    """ACTIVE sessions that have met the channel and do not read it yet; the most useful one first."""
    first, second, dead, stranger = [await make.session() for _ in range(4)]
    one, two = await make.source(first), await make.source(second)
    for session in (first, second, dead):
        await make.sessions.put_peers(session.id, {CHANNEL_ID: 1})
    await make.sessions.put_peers(stranger.id, {77: 1})
    await make.sessions.set_state(dead.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    three = await make.source(first)
    found = await SourceSets(database).readers([one.id, two.id, three.id])
    assert found == {second.id: [one.id, three.id], first.id: [two.id]}
    assert list(found) == [second.id, first.id]


async def test_many_places_but_for_the_busy(make: Maker, database: Database, clock: Clock) -> None:
    """All change in one go; the folder of a run stays, and the run is named."""
    session = await make.session()
    one, busy = await make.source(session), await make.source(session)
    run = await RunRepository(database).add(RunKind.SCRAPE, busy.id, "x", 1, None, {})
    clock.advance(hours=1)
    sets = SourceSets(database, clock=clock)
    told = await sets.place([NewPlace(one.id, "nas", "new"), NewPlace(busy.id, "nas", "new"), NewPlace(77, None, "x")])
    assert told == {busy.id: run.id}
    await sets.set_enabled([one.id, 77], False)
    moved, stayed = await make.sources.get(one.id), await make.sources.get(busy.id)
    assert moved is not None
    assert (moved.root, moved.folder, moved.enabled, moved.updated_at) == ("nas", "new", False, clock.now)
    assert stayed == busy


async def test_tallies_are_those_of_each(make: Maker, database: Database) -> None:
    """One look at all sources says what a look at each does, but for the bytes, which stand in the source."""
    rows = FileRepository(database)
    session = await make.session()
    full, empty = await make.source(session), await make.source(session)
    wanted = [file(number, number) for number in range(1, 8)]
    await make.sources.store_page(full.id, [message(number) for number in range(1, 8)], wanted, cursor=7)
    one, two, three, four, five, six, seven = await rows.pending(full.id)
    for done in (one, two, three):
        await rows.done(done.id, f"harbour/{done.id}", b"1" * 32)
    await rows.lost(two.id, DAMAGED)
    await rows.lost(three.id, MISSING)
    await rows.failed(four.id, "FileGone")
    await rows.failed(five.id, "FLOOD")
    await rows.skipped(six.id, one.id)
    tallies = await rows.tallies()
    assert set(tallies) == {full.id}
    expected = await rows.tally(full.id)
    assert tallies[full.id] == FileTally(1, 0, 3, 3000, 2, 1, 1, 1)
    assert (expected.waiting, expected.failed, expected.damaged) == (3, 2, 1)
    assert await rows.tally(empty.id) == FileTally(0, 0, 0, 0, 0)
    assert await rows.causes(full.id) == {"FLOOD": 1, "FileGone": 1}
    assert [each.id for each in await rows.given_up(full.id, 1, 1)] == [five.id]
    assert await rows.reset_failed(full.id, seven.id) == 0, "it has not failed"
    assert await rows.reset_failed(full.id, five.id) == 1
    assert await rows.causes(full.id) == {"FileGone": 1}
    assert await rows.reset_failed(full.id) == 1
