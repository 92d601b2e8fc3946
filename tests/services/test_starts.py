"""Where a scrape begins, starting over, only matching messages, single posts; on the sandbox by real Telethon."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.scenarios import ADMIN
from sandbox.world import Message
from services.errors import AlreadyActive, PatternInvalid
from storage.files import FileRepository
from storage.models import (
    Filters,
    NewSource,
    Run,
    RunStatus,
    Scope,
    Source,
    Start,
    StartKind,
)
from storage.schema import source_messages
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.voyage import Voyage

PDF = Filters(extensions=("pdf",))


@pytest.fixture
async def voyage(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Voyage:
    voyage = Voyage(jetty, store, pooled, tmp_path / "downloads")
    await voyage.know(jetty.private)
    return voyage


async def add(voyage: Voyage, filters: Filters | None = None, **what: Any) -> Source:
    return await voyage.source_rows.add(replace(voyage.new(filters=filters), **what))


async def again(voyage: Voyage, source: Source) -> Source:
    stored = await voyage.source_rows.get(source.id)
    assert stored is not None
    return stored


async def stored_ids(voyage: Voyage, source: Source) -> list[int]:
    """Ids of the messages that the source has."""
    async with voyage.store.database.read() as connection:
        links = source_messages.select().where(source_messages.c.source_id == source.id)
        return sorted(row.message_id for row in await connection.execute(links))


def posts(voyage: Voyage) -> list[Message]:
    return [m for m in voyage.jetty.private.messages.values() if not m.deleted and m.action is None]


async def start_over(voyage: Voyage, source: Source, start: Start) -> None:
    async with voyage.sail() as (_, service):
        await service.start_over(source.id, start)


async def pick(voyage: Voyage, source: Source, *ids: int) -> Run:
    async with voyage.sail() as (_, service):
        run = await service.scrape(source.id, 5, ids)
        return await voyage.desk.reached(run.id, RunStatus.DONE, RunStatus.FAILED)


# -- where it begins


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (None, slice(None)),
        (Start(), slice(None)),
        (Start(StartKind.LAST, count=4), slice(-4, None)),
        (Start(StartKind.LAST, count=5000), slice(None)),
        (Start(StartKind.NEW), slice(0, 0)),
    ],
)
async def test_where_it_begins(voyage: Voyage, start: Start | None, expected: slice) -> None:
    """Older messages are not stored, nor their files wanted; a later run brings what is new, from the same walk on."""
    source = await add(voyage, start=start)
    there = [message.id for message in posts(voyage)]
    await voyage.scrape(source)
    assert await stored_ids(voyage, source) == there[expected]
    assert (await again(voyage, source)).start is None
    voyage.post(b"fresh")
    voyage.jetty.sandbox.faults.reset()
    await voyage.scrape(source)
    assert await stored_ids(voyage, source) == [*there[expected], posts(voyage)[-1].id]
    assert voyage.jetty.calls("messages.getHistory") == 1
    stored = await stored_ids(voyage, source)
    assert {row[1] for row in (await voyage.rows())["files"]} == {m.id for m in posts(voyage) if m.document} & set(
        stored
    )


async def test_since_a_date(voyage: Voyage) -> None:
    """From the first message of that moment on."""
    first = posts(voyage)[12]
    source = await add(voyage, start=Start(StartKind.SINCE, at=datetime.fromtimestamp(first.date, UTC)))
    await voyage.scrape(source)
    assert await stored_ids(voyage, source) == [m.id for m in posts(voyage) if m.date >= first.date]


async def test_only_new_from_a_post_on(voyage: Voyage) -> None:
    """Where the start names the newest post that is not wanted, nothing is asked of Telegram to find it."""
    source = await add(voyage, start=Start(StartKind.NEW, message_id=posts(voyage)[15].id))
    voyage.jetty.sandbox.faults.reset()
    await voyage.scrape(source)
    assert await stored_ids(voyage, source) == [m.id for m in posts(voyage)[16:]]
    assert voyage.jetty.calls("messages.getHistory") == 1


async def test_a_start_is_resolved_once(voyage: Voyage) -> None:
    """Stopped at random moments while posts go on coming: the last four are those of the first look."""
    source = await add(voyage, start=Start(StartKind.LAST, count=4))
    there = [message.id for message in posts(voyage)]
    dice = random.Random(4)
    run = None
    for _ in range(8):
        async with voyage.sail() as (_, service):
            run = run or await service.scrape(source.id, 5)
            await asyncio.sleep(dice.uniform(0, 0.03))
        if (await again(voyage, source)).start is None:
            voyage.jetty.sandbox.world.post(voyage.jetty.private, ADMIN, text="meanwhile")
        if await voyage.active(source) is None:
            break
    async with voyage.sail():
        assert run is not None
        await voyage.desk.reached(run.id, RunStatus.DONE)
    await voyage.scrape(source)
    new = [m.id for m in posts(voyage) if m.id > there[-1]]
    assert await stored_ids(voyage, source) == [*there[-4:], *new]


# -- starting over


async def test_start_over_fetches_nothing_twice(voyage: Voyage) -> None:
    """Everything is read again, edits with it; files that are there stay as they are, rows, names and bytes."""
    source = await add(voyage)
    await voyage.scrape(source)
    before, disk = await voyage.rows(), voyage.disk()
    voyage.jetty.sandbox.world.edit(posts(voyage)[3], text="corrected")
    await start_over(voyage, source, Start())
    voyage.jetty.sandbox.faults.reset()
    run = await voyage.scrape(source)
    after = await voyage.rows()
    assert (run.progress.counters["messages"], run.progress.counters["files"]) == (0, 0)
    assert voyage.jetty.calls("upload.getFile") == 0
    assert voyage.disk() == disk
    assert {**after, "messages": 0} == {**before, "messages": 0}
    assert "corrected" in [row[2] for row in after["messages"]]


async def test_start_over_with_wider_filters(voyage: Voyage) -> None:
    """Changed filters hold for what is read from then on; starting over brings what they want of the rest."""
    source = await add(voyage, PDF)
    await voyage.scrape(source)
    fetched = voyage.disk()
    async with voyage.sail() as (_, service):
        await service.set_filters(source.id, Filters(), only_matching=False)
    await voyage.scrape(source)
    assert voyage.disk() == fetched
    await start_over(voyage, source, Start(StartKind.LAST, count=10**6))
    run = await voyage.scrape(source)
    assert run.progress.counters["files"] == len(voyage.documents()) - len(fetched)
    assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())
    assert fetched.items() <= voyage.disk().items()


async def test_start_over_wants_failed_files_again(voyage: Voyage) -> None:
    """What was given up is tried once more, also below the new start."""
    source = await add(voyage)
    voyage.jetty.sandbox.faults.add("upload.getFile", error="CDN_METHOD_INVALID")
    run = await voyage.scrape(source)
    assert run.progress.counters["failed"] == 1
    await start_over(voyage, source, Start(StartKind.NEW))
    run = await voyage.scrape(source)
    assert (run.progress.counters["files"], (await FileRepository(voyage.store.database).tally(source.id)).failed) == (
        1,
        0,
    )
    assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())


async def test_start_over_not_under_a_run(voyage: Voyage) -> None:
    """A scrape that is under way, or waits, walks from its own cursor: nothing is changed under it."""
    source = await add(voyage)
    voyage.jetty.sandbox.faults.add("messages.getHistory", error="FLOOD_WAIT_3600")
    await voyage.scrape(source)
    async with voyage.sail() as (_, service):
        with pytest.raises(AlreadyActive):
            await service.start_over(source.id, Start())
    assert (await again(voyage, source)).start is None


# -- what is kept


async def test_only_matching_messages(voyage: Voyage) -> None:
    """Others are read past; the walk comes to the end all the same and does not read them twice."""
    source = await add(voyage, PDF, only_matching=True)
    run = await voyage.scrape(source)
    matching = [m.id for m in posts(voyage) if m.document and m.document.name.lower().endswith(".pdf")]
    assert await stored_ids(voyage, source) == matching
    assert (await again(voyage, source)).total_messages == run.progress.counters["messages"] == len(matching)
    assert (await again(voyage, source)).cursor == max(voyage.jetty.private.messages)
    voyage.jetty.sandbox.faults.reset()
    await voyage.scrape(source)
    assert voyage.jetty.calls("messages.getHistory") == 1


async def test_a_pattern_that_cannot_be_read_changes_nothing(voyage: Voyage) -> None:
    """Neither the filters of a source nor a new one."""
    source = await add(voyage, PDF)
    async with voyage.sail() as (_, service):
        with pytest.raises(PatternInvalid):
            await service.set_filters(source.id, Filters(pattern="("), only_matching=True)
        with pytest.raises(PatternInvalid):
            await service.create(voyage.new("Other", Filters(pattern="(")), None, "UTC")
    assert (await again(voyage, source)).filters == PDF
    assert len(await voyage.source_rows.all()) == 1


# -- single posts


def single(voyage: Voyage) -> NewSource:
    return replace(voyage.new(filters=Filters(extensions=("never",))), scope=Scope.POSTS)


async def test_single_posts_and_nothing_else(voyage: Voyage) -> None:
    """Just the posts that were picked, their files whatever the filters say; no walk, no cursor, no schedule."""
    async with voyage.sail() as (_, service):
        card = await service.create(single(voyage), "0 * * * *", "UTC")
    assert card.schedule is None
    with_file, without = (sorted(m.id for m in posts(voyage) if bool(m.document) is has) for has in (True, False))
    chosen = [*with_file[:2], without[0]]
    voyage.jetty.sandbox.faults.reset()
    run = await pick(voyage, card.source, *chosen, *chosen)
    assert (run.status, run.progress.counters["messages"], run.progress.counters["files"]) == (RunStatus.DONE, 3, 2)
    assert await stored_ids(voyage, card.source) == sorted(chosen)
    assert sorted(voyage.disk().values()) == sorted(voyage.documents()[message_id] for message_id in chosen[:2])
    run = await voyage.scrape(card.source)
    assert (run.status, run.progress.counters.get("messages", 0)) == (RunStatus.DONE, 0)
    assert voyage.jetty.calls("messages.getHistory") == 0
    source = await again(voyage, card.source)
    assert source.cursor == 0
    assert source.last_scraped_at is not None


async def test_an_album_comes_whole(voyage: Voyage) -> None:
    """One post of it was picked; the others come along, and neighbours of another album do not."""
    world, channel = voyage.jetty.sandbox.world, voyage.jetty.private
    ids = []
    for n, album in enumerate([7, 7, 8, 8, 8, 8, None, 9]):
        document = world.new_document(f"{n}.jpg", "image/jpeg", bytes([n]) * 100, "photo")
        ids.append(world.post(channel, ADMIN, document=document, grouped_id=album).id)
    source = await add(voyage, PDF)
    run = await pick(voyage, source, ids[4])
    assert run.progress.counters["files"] == 4
    assert await stored_ids(voyage, source) == ids[2:6]
    untouched = await again(voyage, source)
    assert (untouched.cursor, untouched.last_scraped_at) == (0, None)
    await voyage.scrape(source)
    assert await stored_ids(voyage, source) == [m.id for m in posts(voyage)]


async def test_posts_that_are_gone(voyage: Voyage) -> None:
    """Some: the others come. All: the run says so."""
    message = next(m for m in posts(voyage) if m.document)
    voyage.jetty.sandbox.world.delete(posts(voyage)[0])
    source = await add(voyage)
    run = await pick(voyage, source, message.id, 99_999)
    assert (run.status, run.progress.counters["files"]) == (RunStatus.DONE, 1)
    run = await pick(voyage, source, 99_999)
    assert (run.status, run.reason) == (RunStatus.FAILED, "FileGone")


async def test_picking_while_it_scrapes(voyage: Voyage) -> None:
    """One run a source: the one under way is named."""
    source = await add(voyage)
    voyage.jetty.sandbox.faults.add("messages.getHistory", delay_ms=300)
    async with voyage.sail() as (_, service):
        run = await service.scrape(source.id, 5)
        with pytest.raises(AlreadyActive) as active:
            await service.scrape(source.id, 5, [3])
        assert active.value.run_id == run.id
        await voyage.desk.reached(run.id, RunStatus.DONE)
