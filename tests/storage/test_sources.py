from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Table, func, select
from sqlalchemy.exc import IntegrityError

from storage.admins import AdminRepository
from storage.database import Database
from storage.errors import AlreadyActive, NameTaken
from storage.files import FileRepository
from storage.models import (
    Duplicates,
    FileKind,
    Filters,
    PageStored,
    Profile,
    Role,
    RunKind,
    Scope,
    SessionState,
    Start,
    StartKind,
    TargetKind,
)
from storage.profiles import ProfileRepository
from storage.runs import RunRepository
from storage.schema import file_parts, files, messages, source_messages
from tests.storage.conftest import Clock
from tests.storage.make import CHANNEL_ID, Maker, file, message


async def count(database: Database, table: Table) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def test_a_source_comes_back_as_it_was_added(make: Maker, clock: Clock) -> None:
    """Filters included; it begins enabled, empty, and before the first message."""
    filters = Filters(kinds=(FileKind.VIDEO, FileKind.PHOTO), extensions=("pdf", "zip"))
    source = await make.source(name="Harbour papers", filters=filters)
    assert source.filters == filters
    assert (source.channel_title, source.cursor, source.enabled) == ("Harbour", 0, True)
    assert (source.created_at, source.last_scraped_at, source.total_messages) == (clock.now, None, 0)
    assert await make.sources.get(source.id) == source


async def test_every_condition_and_start_comes_back(make: Maker, clock: Clock) -> None:
    """Whatever a source is told, to the millisecond."""
    filters = Filters(
        kinds=(FileKind.AUDIO,),
        extensions=("pdf",),
        mimes=("image/", "text/plain"),
        min_bytes=0,
        max_bytes=2**40,
        words=("Ledger", "hárbour"),
        pattern=r"inv\d+",
        since=clock.now,
        until=clock.now + timedelta(milliseconds=1),
    )
    for start in (None, Start(), Start(StartKind.LAST, count=20), Start(StartKind.SINCE, at=clock.now)):
        source = await make.source(filters=filters, start=start, scope=Scope.POSTS, only_matching=True, live=True)
        assert (source.filters, source.start) == (filters, start)
        assert (source.scope, source.only_matching, source.live) == (Scope.POSTS, True, True)


async def test_a_profile_is_porters_own_until_it_is_set(make: Maker, database: Database) -> None:
    """And then the admin's, whole; it goes with the admin."""
    profiles = ProfileRepository(database)
    await AdminRepository(database).put(7, Role.VIEWER, "Ann")
    assert await profiles.get(7) == Profile()
    mine = Profile(Filters(extensions=("pdf",)), "nas", "papers", None, "{id}", Duplicates.LINK, True, False)
    await profiles.put(7, Profile())
    await profiles.put(7, mine)
    assert await profiles.get(7) == mine
    await AdminRepository(database).remove(7)
    assert await profiles.get(7) == Profile()


async def test_source_names_are_unique(make: Maker) -> None:
    """A second source of the same name is refused."""
    await make.source(name="Papers")
    with pytest.raises(NameTaken) as caught:
        await make.source(name="Papers")
    assert (caught.value.table, caught.value.name) == ("sources", "Papers")


async def test_a_source_needs_its_session(make: Maker) -> None:
    """The database itself refuses a source of a session that is not there."""
    with pytest.raises(IntegrityError):
        await make.source(session_id=77)


async def test_sources_are_listed_by_name(make: Maker) -> None:
    """Whatever the case of their letters."""
    for name in ("beta", "Alpha", "Gamma"):
        await make.source(name=name)
    assert [source.name for source in await make.sources.all()] == ["Alpha", "beta", "Gamma"]


async def test_a_page_is_stored_once(make: Maker, database: Database) -> None:
    """A page stored again, after a kill before its answer, counts nothing twice and doubles no row."""
    source = await make.source()
    page = [message(1), message(2), message(3)]
    wanted = [file(2, 20), file(3, 30)]
    assert await make.sources.store_page(source.id, page, wanted, cursor=3) == PageStored(3, 2)
    assert await make.sources.store_page(source.id, page, wanted, cursor=3) == PageStored(0, 0)
    stored = await make.sources.get(source.id)
    assert stored is not None
    assert (stored.cursor, stored.total_messages, stored.total_files) == (3, 3, 0)
    assert [await count(database, table) for table in (messages, source_messages, files)] == [3, 3, 2]


async def test_the_cursor_never_goes_back(make: Maker) -> None:
    """An older page, or one of service messages alone, moves the cursor forward or not at all."""
    source = await make.source()
    await make.sources.store_page(source.id, [], [], cursor=100)
    await make.sources.store_page(source.id, [message(5)], [], cursor=5)
    stored = await make.sources.get(source.id)
    assert stored is not None
    assert (stored.cursor, stored.total_messages) == (100, 1)


async def test_a_document_is_wanted_once(make: Maker) -> None:
    """Two messages with the same document, in one page or in two, make one file, named by the first."""
    source = await make.source()
    page = [message(1), message(2)]
    assert await make.sources.store_page(source.id, page, [file(1, 10), file(2, 10)], cursor=2) == PageStored(2, 1)
    assert await make.sources.store_page(source.id, [message(3)], [file(3, 10)], cursor=3) == PageStored(1, 0)


async def test_a_page_that_fails_leaves_nothing(make: Maker, database: Database) -> None:
    """Messages, links, files, cursor and totals are one transaction."""
    source = await make.source()
    broken = replace(file(2, 20), size_bytes=2**63)
    with pytest.raises(Exception, match="64 bits"):
        await make.sources.store_page(source.id, [message(1), message(2)], [file(1, 10), broken], cursor=2)
    assert [await count(database, table) for table in (messages, source_messages, files)] == [0, 0, 0]
    assert await make.sources.get(source.id) == source


async def test_an_edited_message_is_refreshed(make: Maker, database: Database, clock: Clock) -> None:
    """The newest text counts; the message stays one message."""
    source = await make.source()
    await make.sources.store_page(source.id, [message(1, "first")], [], cursor=1)
    await make.sources.store_page(source.id, [replace(message(1, "second"), edited_at=clock.now)], [], cursor=1)
    async with database.read() as connection:
        [row] = (await connection.execute(select(messages))).all()
    assert (row.text, row.edited_at) == ("second", clock.now)


async def test_large_pages_are_no_matter(make: Maker) -> None:
    """More rows than one statement takes."""
    source = await make.source()
    ids = range(1, 1301)
    page, wanted = [message(number) for number in ids], [file(number, number) for number in ids]
    assert await make.sources.store_page(source.id, page, wanted, cursor=1300) == PageStored(1300, 1300)
    assert await make.sources.store_page(source.id, page, wanted, cursor=1300) == PageStored(0, 0)


async def test_deleting_a_source_keeps_shared_messages(make: Maker, database: Database) -> None:
    """What another source of the channel has stays; what only this one had goes, files and parts too."""
    session = await make.session()
    first, second = await make.source(session), await make.source(session)
    await make.sources.store_page(first.id, [message(1), message(2)], [file(1, 10)], cursor=2)
    await make.sources.store_page(second.id, [message(2), message(3)], [], cursor=3)
    files_of = FileRepository(database)
    [wanted] = await files_of.pending(first.id)
    await files_of.add_part(wanted.id, 0, b"hash")
    await make.sources.delete(first.id)
    async with database.read() as connection:
        assert list(await connection.scalars(select(messages.c.id).order_by(messages.c.id))) == [2, 3]
    assert [await count(database, table) for table in (files, file_parts)] == [0, 0]
    assert [source.id for source in await make.sources.all()] == [second.id]


async def test_what_is_said_of_a_source(make: Maker, clock: Clock) -> None:
    """It can be paused, and notes when a scrape came to the end."""
    source = await make.source()
    clock.advance(hours=1)
    await make.sources.set_enabled(source.id, False)
    await make.sources.finished(source.id, clock.now)
    stored = await make.sources.get(source.id)
    assert stored is not None
    assert (stored.enabled, stored.last_scraped_at, stored.updated_at) == (False, clock.now, clock.now)


async def test_a_source_that_is_gone(make: Maker, clock: Clock) -> None:
    """A page of it is dropped and changes are no-ops."""
    assert await make.sources.store_page(77, [message(1)], [file(1, 1)], cursor=1) == PageStored(0, 0)
    await make.sources.set_enabled(77, True)
    await make.sources.finished(77, clock.now)
    await make.sources.delete(77)
    await make.sources.move([77], 1)
    assert await make.sources.get(77) is None


async def test_a_source_is_held_while_its_session_is_dead(make: Maker, clock: Clock) -> None:
    """Nothing is written to the source, and what an admin paused stays apart."""
    session = await make.session()
    source, paused = await make.source(session), await make.source(session)
    await make.sources.set_enabled(paused.id, False)
    await make.sessions.died(session.id, SessionState.BANNED, "USER_DEACTIVATED_BAN", clock.now)
    assert [(each.is_held, each.enabled) for each in await make.sources.of_session(session.id)] == [
        (True, True),
        (True, False),
    ]
    await make.sessions.set_state(session.id, SessionState.ACTIVE, None, clock.now)
    assert await make.sources.get(source.id) == source


async def test_sources_move_to_a_session_that_has_met_their_channel(make: Maker, database: Database) -> None:
    """Only ACTIVE sessions count; an unfinished scrape goes along, an ended one stays in the books as it was."""
    old, new, dead, stranger = [await make.session() for _ in range(4)]
    source = await make.source(old)
    for session in (old, new, dead):
        await make.sessions.put_peers(session.id, {CHANNEL_ID: 1})
    await make.sessions.put_peers(stranger.id, {77: 1})
    await make.sessions.set_state(dead.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    assert await make.sources.movable(old.id) == {new.id: [source.id]}
    runs = RunRepository(database)
    run = await runs.add(RunKind.SCRAPE, source.id, "Papers", 0, 7, {"session_id": old.id})
    gate = await runs.add(RunKind.LOAD_REQUESTS, source.id, "Gate", 0, 7, {"session_id": old.id})
    await make.sources.move([source.id], new.id)
    assert [each.id for each in await make.sources.of_session(new.id)] == [source.id]
    assert await make.sources.of_session(old.id) == []
    assert {each.id: each.params["session_id"] for each in await runs.active()} == {run.id: new.id, gate.id: old.id}


async def test_files_stay_where_they_are_when_a_source_moves(make: Maker, database: Database) -> None:
    """Their rows say in which root, through any number of moves; within a root nothing changes. A path that a strange
    root's name would imitate cannot be one of ours."""
    rows = FileRepository(database)
    source = await make.source()
    await make.sources.store_page(source.id, [message(1), message(2)], [file(1, 11), file(2, 12)], 2)
    one, two = await rows.pending(source.id)
    await rows.done(one.id, "harbour/1.pdf", b"1" * 32)
    await make.sources.set_target(source.id, None, "other")
    assert await path_of(rows, one.id) == (None, "harbour/1.pdf")
    await make.sources.set_target(source.id, "nas", "other")
    await rows.done(two.id, "other/2.pdf", b"2" * 32)
    assert await path_of(rows, one.id) == (None, "harbour/1.pdf")
    assert await path_of(rows, two.id) == ("nas", "other/2.pdf")
    await make.sources.set_target(source.id, None, "other")
    assert await path_of(rows, one.id) == (None, "harbour/1.pdf")
    assert await path_of(rows, two.id) == ("nas", "other/2.pdf")
    moved = await make.sources.get(source.id)
    assert moved is not None
    assert (moved.root, moved.target, moved.folder) == (None, TargetKind.LOCAL, "other")


async def path_of(rows: FileRepository, file_id: int) -> tuple[str | None, str]:
    twin = await rows.twin(file_id)
    assert twin is not None
    return twin.root, twin.path


async def test_the_folder_of_a_run_is_not_changed(make: Maker, database: Database) -> None:
    """AlreadyActive, and nothing has changed."""
    source = await make.source()
    run = await RunRepository(database).add(RunKind.SCRAPE, source.id, "x", 1, None, {})
    with pytest.raises(AlreadyActive) as refused:
        await make.sources.set_target(source.id, "nas", "other")
    assert refused.value.run_id == run.id
    assert await make.sources.get(source.id) == source


async def test_lost_files_are_wanted_again(make: Maker, database: Database) -> None:
    """Not counted until they are back, counted once then; what was skipped was never counted."""
    rows = FileRepository(database)
    source = await make.source()
    await make.sources.store_page(source.id, [message(1), message(2)], [file(1, 11), file(2, 12)], 2)
    one, two = await rows.pending(source.id)
    await rows.done(one.id, "harbour/1.pdf", b"1" * 32)
    await rows.skipped(two.id, one.id)
    assert [row.id for row in await rows.settled(source.id)] == [one.id, two.id]
    for lost, cause in ((one, "DAMAGED"), (one, "DAMAGED"), (two, "MISSING")):
        await rows.lost(lost.id, cause)
    tally = await rows.tally(source.id)
    assert (tally.done, tally.skipped, tally.waiting, tally.damaged, tally.missing) == (0, 0, 2, 1, 1)
    again = await make.sources.get(source.id)
    assert again is not None
    assert (again.total_files, again.total_bytes) == (0, 0)
    await rows.done(one.id, "harbour/1.pdf", b"1" * 32)
    assert (await rows.tally(source.id)).damaged == 0
    again = await make.sources.get(source.id)
    assert again is not None
    assert (again.total_files, again.total_bytes) == (1, 1000)
