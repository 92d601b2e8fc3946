"""Several saved channels at once: what happens to each, what is told, how long a thousand take."""

import time
from collections.abc import Awaitable
from pathlib import Path

import pytest
from sqlalchemy import insert

from sandbox.scenarios import SECOND
from services.audit import AuditService
from services.errors import (
    AlreadyActive,
    ChannelUnavailable,
    CronInvalid,
    FolderInvalid,
    NotFound,
    RootUnused,
    SessionDead,
    SinglePosts,
)
from services.many_sources import ManySources, Outcome
from services.runs import Runner
from services.sources import SourceService
from storage.admins import AdminRepository
from storage.audit import AuditRepository
from storage.models import Filters, NewSource, Role, RunKind, RunStatus, Scope, SessionState, TargetKind
from storage.packing import pack_filters
from storage.schema import files, sources
from storage.source_sets import SourceSets
from storage.types import utc_now
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import until
from tests.services.voyage import Voyage

A_THOUSAND = 1000


@pytest.fixture
async def voyage(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Voyage:
    voyage = Voyage(jetty, store, pooled, tmp_path / "downloads")
    await voyage.know(jetty.private)
    return voyage


def many_of(voyage: Voyage, runner: Runner, service: SourceService) -> ManySources:
    return ManySources(
        SourceSets(voyage.store.database),
        voyage.source_rows,
        voyage.file_rows,
        voyage.store.sessions,
        service,
        runner,
        voyage.schedule,
    )


def reasons(outcome: Outcome) -> dict[str, type[Exception]]:
    return {name: type(error) for name, error in outcome.failed}


async def test_each_is_told_by_name(voyage: Voyage) -> None:
    """A dead account and a run under way fail by name and stop no other; ids that are gone are passed over."""
    dead = await voyage.store.sessions.add(
        name="Dead",
        user_id=77,
        account_name="Dead",
        username=None,
        masked_phone="+1",
        api_id=1,
        api_hash="0" * 32,
        phone="+1",
        credential=b"x",
        fingerprint=b"x",
    )
    one, two = await voyage.add("One", folder="one"), await voyage.add("Two", folder="two")
    held = await voyage.source_rows.add(
        NewSource("Held", dead.id, voyage.jetty.private.peer, Filters(), TargetKind.LOCAL, "held")
    )
    await voyage.store.sessions.set_state(dead.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    async with voyage.sail() as (runner, service):
        many = many_of(voyage, runner, service)
        voyage.jetty.sandbox.faults.add("messages.getHistory", delay_ms=300)
        busy = await service.scrape(two.id, 5)
        outcome = await many.run([one.id, two.id, held.id, 999], 5)
        assert outcome.done == ["One"]
        assert reasons(outcome) == {"Two": AlreadyActive, "Held": SessionDead}
        with pytest.raises(AlreadyActive) as refused:
            await many.run([two.id], 5)
        assert refused.value.run_id == busy.id, "a single one fails as it does by itself"
        with pytest.raises(NotFound):
            await many.run([999], 5)
        run = await voyage.desk.rows.active_of(RunKind.SCRAPE, one.id)
        assert run is not None
        assert (run.requested_by, run.params) == (5, {"session_id": one.session_id, "root": None})
        for each in (run, busy):
            await voyage.desk.reached(each.id, RunStatus.DONE)
    assert sorted({path.split("/")[0] for path in voyage.disk()}) == ["one", "two"]


async def test_schedules_of_many(voyage: Voyage) -> None:
    """What an admin paused stays paused; single posts have no schedule; a bad line changes nothing."""
    one, two = await voyage.add("One", folder="one"), await voyage.add("Two", folder="two")
    new = voyage.new("Posts", folder="posts")
    posts = await voyage.source_rows.add(
        NewSource(new.name, new.session_id, new.channel_id, new.filters, new.target, new.folder, scope=Scope.POSTS)
    )
    ids = [one.id, two.id, posts.id]
    async with voyage.sail() as (runner, service):
        many = many_of(voyage, runner, service)
        await many.set_enabled([two.id], False)
        with pytest.raises(CronInvalid):
            await many.set_schedule(ids, "0 0 31 2 *", "UTC")
        with pytest.raises(CronInvalid):
            await many.set_schedule(ids, "0 0 * * *", "Mars/Olympus")
        assert await voyage.schedule_rows.all() == []
        outcome = await many.set_schedule(ids, "0 7 * * *", "Europe/Berlin")
        assert (outcome.done, reasons(outcome)) == (["One", "Two"], {"Posts": SinglePosts})
        cards = {card.source.name: card for card in await service.all()}
        schedules = [cards[name].schedule for name in ("One", "Two", "Posts")]
        assert [each.enabled if each else None for each in schedules] == [True, False, None]
        await many.set_enabled(ids, True)
        assert all(card.schedule is None or card.schedule.enabled for card in await service.all())
        assert (await many.set_schedule(ids[:2], None, "UTC")).done == ["One", "Two"]
    assert await voyage.schedule_rows.all() == []


async def test_work_goes_on_through_the_other_account(voyage: Voyage) -> None:
    """Moved in the middle of a file: the run goes on where it stood, by the new account, and every file is whole.

    A channel that the account has not met stays, and is named.
    """
    second = await voyage.store.add_session(voyage.jetty.sign_in(voyage.jetty.second), "Boris")
    source, stays = await voyage.add(), None
    await voyage.know(voyage.jetty.public)
    stays = await voyage.source_rows.add(
        NewSource("Square", source.session_id, voyage.jetty.public.peer, Filters(), TargetKind.LOCAL, "square")
    )
    peer = voyage.jetty.private.peer
    async with voyage.sail() as (runner, service):
        many = many_of(voyage, runner, service)
        assert await many.readers([source.id, stays.id]) == []
        await voyage.store.sessions.put_peers(second.id, {peer: voyage.jetty.private.access_hash})
        [reader] = await many.readers([source.id, stays.id])
        assert (reader.session.id, reader.count) == (second.id, 1)
        voyage.jetty.sandbox.faults.add("upload.getFile", delay_ms=300, times=3)
        run = await service.scrape(source.id, 5)
        await until(lambda: voyage.jetty.calls("upload.getFile") > 0)
        outcome = await many.move([source.id, stays.id], second.id)
        assert (outcome.done, reasons(outcome)) == (["Archive"], {"Square": ChannelUnavailable})
        ended = await voyage.desk.reached(run.id, RunStatus.DONE)
        assert ended.params["session_id"] == second.id
        again = await many.move([source.id], second.id)
        assert again.done == ["Archive"], "it reads there already"
        with pytest.raises(NotFound):
            await many.move([source.id], 999)
    assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())
    assert voyage.jetty.sandbox.faults.counts[SECOND]["upload.getFile"] > 0


async def test_a_flood_wait_is_not_taken_along(voyage: Voyage) -> None:
    """Telegram pauses the old account; moved to another one, the run goes on at once."""
    second = await voyage.store.add_session(voyage.jetty.sign_in(voyage.jetty.second), "Boris")
    await voyage.store.sessions.put_peers(second.id, {voyage.jetty.private.peer: voyage.jetty.private.access_hash})
    source = await voyage.add()
    async with voyage.sail() as (runner, service):
        voyage.jetty.sandbox.faults.add("messages.getHistory", error="FLOOD_WAIT_7200")
        run = await service.scrape(source.id, 5)
        await voyage.desk.reached(run.id, RunStatus.WAITING)
        await many_of(voyage, runner, service).move([source.id], second.id)
        await voyage.desk.reached(run.id, RunStatus.DONE)
    assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())


async def test_folders_of_many(voyage: Voyage) -> None:
    """Each below the base under its channel's name, a second one with a number; a busy one stays; roots are asked."""
    one, two = await voyage.add("One", folder="one"), await voyage.add("Two", folder="two")
    async with voyage.sail() as (runner, service):
        many = many_of(voyage, runner, service)
        assert await many.places([one.id, two.id], None, "papers") == {
            "One": "papers/harbour-archive",
            "Two": "papers/harbour-archive-2",
        }
        with pytest.raises(FolderInvalid):
            await many.place([one.id, two.id], None, "../out")
        voyage.jetty.sandbox.faults.add("messages.getHistory", delay_ms=300)
        run = await service.scrape(two.id, 5)
        outcome = await many.place([one.id, two.id], None, "papers")
        assert (outcome.done, reasons(outcome)) == (["One"], {"Two": AlreadyActive})
        await voyage.desk.reached(run.id, RunStatus.DONE)
        assert [card.source.folder for card in await service.all()] == ["papers/harbour-archive", "two"]
        await service.set_names(two.id, "{date:%Y}/{date:%m}/{id} {name}")
        deep = await many.place([one.id, two.id], None, "a/b/c/d/e/f")
        assert (deep.done, list(reasons(deep))) == (["One"], ["Two"])


async def test_a_root_that_nobody_agreed_to(voyage: Voyage, tmp_path: Path) -> None:
    """Refused for all, before anything has changed."""
    (tmp_path / "nas").mkdir()
    voyage.nas_roots = {"nas": tmp_path / "nas"}
    source = await voyage.add()
    async with voyage.sail() as (runner, service):
        with pytest.raises(RootUnused):
            await many_of(voyage, runner, service).place([source.id], "nas", "papers")
        assert (await service.get(source.id)).source == source


async def test_deleting_many_ends_their_work(voyage: Voyage) -> None:
    """Their runs are stopped, schedules and partial files go, whole ones stay, messages as it was said."""
    one, two = await voyage.add("One", folder="one"), await voyage.add("Two", folder="two")
    async with voyage.sail() as (runner, service):
        many = many_of(voyage, runner, service)
        await many.set_schedule([one.id, two.id], "0 0 * * *", "UTC")
        voyage.jetty.sandbox.faults.add("upload.getFile", delay_ms=100, times=50)
        run = await service.scrape(one.id, 5)
        await until(lambda: any(voyage.root.rglob("*.part")))
        outcome = await many.delete([one.id, two.id], keep_messages=True)
        assert outcome.done == ["One", "Two"]
        assert (await runner.get(run.id)).status is RunStatus.CANCELLED
        assert await service.all() == []
    assert await voyage.schedule_rows.all() == []
    assert not list(voyage.root.rglob("*.part"))
    rows = await voyage.rows()
    assert (len(rows["messages"]), rows["files"], rows["links"]) == (voyage.post_count(), [], [])


async def test_one_act_is_one_line(voyage: Voyage) -> None:
    """With how many, whereto, and how many did not; the names that it begins with are its subject."""
    one, two = await voyage.add("One", folder="one"), await voyage.add("Two", folder="two")
    audits = AuditService(AuditRepository(voyage.store.database))
    owner = await AdminRepository(voyage.store.database).put(5, Role.OWNER, "Ann")
    async with voyage.sail() as (runner, service):
        many = many_of(voyage, runner, service)
        with audits.by(owner):
            await many.set_enabled([one.id, two.id], False)
            await many.move([one.id, two.id], one.session_id)
            await service.delete(one.id, keep_messages=True)
            await many.delete([two.id], keep_messages=False)
    lines = (await audits.page(0)).lines
    assert [(line.verb, line.subject, line.detail) for line in reversed(lines)] == [
        ("SOURCE_PAUSE", "One, Two", {"sources": 2}),
        ("SOURCE_EDIT", "One, Two", {"sources": 2, "to": "Anna"}),
        ("SOURCE_DELETE", "One", {"kept": 0}),
        ("SOURCE_DELETE", "Two", {}),
    ]


async def test_live_mode_hears_of_each_act(voyage: Voyage) -> None:
    """What rests, moves or goes is not listened to any more, at once."""
    source = await voyage.add()
    async with voyage.sail() as (runner, service):
        many, heard = many_of(voyage, runner, service), [0]

        def look() -> None:
            heard[0] += 1

        service.on_live(look)
        await many.set_enabled([source.id], False)
        await many.move([source.id], source.session_id)
        await many.delete([source.id], keep_messages=False)
    assert heard == [3]


async def a_thousand(voyage: Voyage) -> list[int]:
    """Sources with three files each, one of them failed."""
    new, now = voyage.new(), utc_now()
    made = [
        {
            "name": f"Source {number}",
            "session_id": new.session_id,
            "channel_id": new.channel_id,
            "filters": pack_filters(Filters()),
            "target": TargetKind.LOCAL,
            "folder": f"folder-{number}",
            "created_at": now,
            "updated_at": now,
        }
        for number in range(A_THOUSAND)
    ]
    async with voyage.store.database.write() as connection:
        await connection.execute(insert(sources), made)
    ids = [source.id for source in await voyage.source_rows.all()]
    rows = [
        {
            "source_id": source_id,
            "channel_id": new.channel_id,
            "message_id": number,
            "document_id": number,
            "kind": "DOCUMENT",
            "name": "a.pdf",
            "mime": "application/pdf",
            "size_bytes": 10,
            "date": now,
            "state": "FAILED" if number == 1 else "DONE",
            "updated_at": now,
        }
        for source_id in ids
        for number in (1, 2, 3)
    ]
    async with voyage.store.database.write() as connection:
        await connection.execute(insert(files), rows)
    return ids


async def test_a_thousand_at_once(voyage: Voyage) -> None:
    """The list and each act take seconds at the very most, since none waits for the disk a thousand times."""
    ids = await a_thousand(voyage)
    second = await voyage.store.add_session(voyage.jetty.sign_in(voyage.jetty.second), "Boris")
    await voyage.store.sessions.put_peers(second.id, {voyage.jetty.private.peer: 1})
    runner = Runner(voyage.desk.rows, voyage.desk.ear)  # not started: what is queued stays queued
    targets = await voyage.targets()
    service = SourceService(
        voyage.source_rows, voyage.file_rows, voyage.schedule_rows, runner, voyage.schedule, targets
    )
    many = many_of(voyage, runner, service)
    took: dict[str, float] = {}

    async def clocked(name: str, work: Awaitable[Outcome | object]) -> None:
        began = time.monotonic()
        result = await work
        took[name] = time.monotonic() - began
        assert not isinstance(result, Outcome) or (len(result.done), result.failed) == (A_THOUSAND, [])

    await clocked("schedule", many.set_schedule(ids, "0 7 * * *", "UTC"))
    await clocked("pause", many.set_enabled(ids, False))
    await clocked("move", many.move(ids, second.id))
    await clocked("place", many.place(ids, None, "base"))
    await clocked("run", many.run(ids, 5))
    await clocked("list", service.all())
    cards = await service.all()
    assert all(card.run and card.schedule and card.tally.failed == 1 for card in cards)
    print({name: round(seconds, 2) for name, seconds in took.items()})
