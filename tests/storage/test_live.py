"""What live mode and the home screen read: who listens, what an edit changes, who is silent."""

import time
from dataclasses import replace
from datetime import timedelta

from storage.database import Database
from storage.live import LiveRepository
from storage.models import Scope, SessionState
from storage.summary import SILENT_SHOWN, SummaryRepository
from tests.storage.conftest import Clock
from tests.storage.make import CHANNEL_ID, NOON, Maker, file, message


async def test_who_listens(make: Maker, database: Database, clock: Clock) -> None:
    """Live, not paused, a whole channel, at its end once, and its account works."""
    session, dead = await make.session(), await make.session()
    wanted = await make.source(session, live=True)
    others = [await make.source(session, live=True) for _ in range(2)]
    others += [await make.source(session), await make.source(session, live=True, scope=Scope.POSTS)]
    others.append(await make.source(dead, live=True))
    for source in (wanted, *others[1:]):
        await make.sources.finished(source.id, clock.now)
    await make.sources.set_enabled(others[1].id, False)
    await make.sessions.died(dead.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", clock.now)
    assert [source.id for source in await LiveRepository(database).all()] == [wanted.id]
    await make.sources.finished(others[0].id, clock.now)
    assert [source.id for source in await LiveRepository(database).all()] == [wanted.id, others[0].id]


async def text_of(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.exec_driver_sql("SELECT text FROM messages ORDER BY id")).scalars())


async def test_an_edit(make: Maker, database: Database, clock: Clock) -> None:
    """Only of what the source has, only forwards in time, and a file once."""
    source = await make.source()
    await make.sources.store_page(source.id, [message(1, "old")], [], cursor=1)
    live = LiveRepository(database, clock=clock)
    edited = replace(message(1, "new"), edited_at=NOON + timedelta(hours=2))
    assert await live.edit(source.id, CHANNEL_ID, edited, file(1, 77))
    assert await text_of(database) == ["new"]
    assert not await live.edit(source.id, CHANNEL_ID, edited, file(1, 77)), "it is wanted already"
    late = replace(message(1, "older edit"), edited_at=NOON + timedelta(hours=1))
    await live.edit(source.id, CHANNEL_ID, late, None)
    assert await text_of(database) == ["new"]
    assert not await live.edit(source.id, CHANNEL_ID, replace(edited, id=2), file(2, 78))
    assert await text_of(database) == ["new"]


async def test_a_page_from_before_an_edit_does_not_undo_it(make: Maker, database: Database) -> None:
    """Asked for first, stored later: the edit stands; a page from afterwards counts."""
    source = await make.source()
    await make.sources.store_page(source.id, [message(1, "old")], [], cursor=1)
    edited = replace(message(1, "new"), edited_at=NOON + timedelta(hours=2))
    await LiveRepository(database).edit(source.id, CHANNEL_ID, edited, None)
    await make.sources.store_page(source.id, [message(1, "old")], [], cursor=1)
    assert await text_of(database) == ["new"]
    newer = replace(message(1, "newest"), edited_at=NOON + timedelta(hours=3))
    await make.sources.store_page(source.id, [newer], [], cursor=1)
    assert await text_of(database) == ["newest"]


async def test_who_is_silent(make: Maker, database: Database, clock: Clock) -> None:
    """Past its habit, looked at since, not paused, and not silent already when it was saved; the worst first."""
    summary, session = SummaryRepository(database, clock=clock), await make.session()
    names = {}
    for name in ("worst", "bad", "paused", "not looked at", "fine", "silent before", "live"):
        source = await make.source(session, name=name, live=name == "live")
        names[name] = source.id
        await make.sources.store_page(source.id, [message(1), message(2)], [], cursor=2)
    begun = clock.now
    looked = clock.advance(days=30)
    for name, days in (("worst", 3), ("bad", 5), ("paused", 4), ("fine", 40), ("silent before", -1)):
        await make.sources.finished(names[name], looked, begun + timedelta(days=days))
    await make.sources.finished(names["not looked at"], begun, begun + timedelta(days=4))
    await make.sources.finished(names["live"], begun, begun + timedelta(days=6))
    await make.sources.set_enabled(names["paused"], False)
    silent = (await summary.home(None)).silent
    assert [each.name for each in silent] == ["worst", "bad", "live"]
    assert silent[0].since == NOON
    assert [(each.id) for each in silent] == [names["worst"], names["bad"], names["live"]]
    await make.sessions.died(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", clock.now)
    assert (await summary.home(None)).silent == ()


async def test_a_thousand_sources_cost_little(make: Maker, database: Database, clock: Clock) -> None:
    """Home stays one look, and so does the question who listens."""
    session = await make.session()
    source = await make.source(session, live=True)
    await make.sources.store_page(source.id, [message(1)], [], cursor=1)
    begun, looked = clock.now, clock.advance(days=30)
    await make.sources.finished(source.id, looked, begun + timedelta(days=3))
    columns = "session_id, channel_id, filters, target, folder, enabled, created_at, updated_at, last_scraped_at, "
    columns += "total_messages, total_files, total_bytes, duplicates, scope, only_matching, live, quiet_after"
    copy = f"INSERT INTO sources (name, {columns}) SELECT name || '/' || value, {columns} "
    async with database.write() as connection:
        await connection.exec_driver_sql(
            copy + "FROM sources, (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n "
            "WHERE value < 1000) SELECT value FROM n) WHERE id = 1"
        )
        await connection.exec_driver_sql(
            "INSERT INTO source_messages SELECT id, channel_id, 1 FROM sources WHERE id > 1"
        )
    began = time.perf_counter()
    silent = (await SummaryRepository(database, clock=clock).home(None)).silent
    assert len(silent) == SILENT_SHOWN
    assert len(await LiveRepository(database).all()) == 1001
    assert time.perf_counter() - began < 1
