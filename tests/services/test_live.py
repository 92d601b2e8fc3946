"""Live mode with real Telethon on the sandbox: a post comes home at once, whatever happens to the connection."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from telethon.tl import types

from sandbox import groups
from sandbox.scenarios import ADMIN
from sandbox.world import Channel as WorldChannel
from sandbox.world import Document, Message, World
from services.errors import AlreadyActive
from services.live import Live
from services.runs import Runner
from services.sources import SourceService
from storage.live import LiveRepository
from storage.models import FileKind, Filters, RunKind, RunStatus, Source
from storage.schema import messages, runs
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import until
from tests.services.voyage import Voyage


@pytest.fixture
def voyage(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Voyage:
    return Voyage(jetty, store, pooled, tmp_path / "downloads")


@dataclass
class Alive:
    """A Porter whose live mode is on."""

    voyage: Voyage
    live: Live
    runner: Runner
    service: SourceService

    @property
    def world(self) -> World:
        return self.voyage.jetty.sandbox.world

    def post(self, content: bytes, channel: WorldChannel | None = None) -> str:
        """A new file in the channel; its SHA-256."""
        document = self.world.new_document("fresh.bin", "application/octet-stream", content)
        self.world.post(channel or self.voyage.jetty.private, ADMIN, text="new", document=document)
        return hashlib.sha256(content).hexdigest()

    async def home(self, sha256: str, seconds: float = 5.0) -> None:
        await until(lambda: sha256 in self.voyage.disk().values(), seconds)

    async def listening(self, seconds: float = 5.0) -> None:
        """The account's connection is told updates, and what was missed has been looked at."""
        await until(lambda: self.voyage.jetty.calls("messages.getPeerDialogs") > 0, seconds)
        await asyncio.sleep(0.05)


async def kept(voyage: Voyage, name: str = "Archive", filters: Filters | None = None) -> Source:
    """A source that is at the end of its channel, and live."""
    source = await voyage.add(name, filters, folder=name.lower())
    run = await voyage.scrape(source)
    assert run.status is RunStatus.DONE
    await voyage.source_rows.set_live(source.id, True)
    return source


async def comes_true(condition: Callable[[], Awaitable[bool]], seconds: float = 8.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.02)


@asynccontextmanager
async def alive(voyage: Voyage) -> AsyncIterator[Alive]:
    voyage.jetty.sandbox.faults.reset()
    async with voyage.sail() as (runner, service):
        rows = LiveRepository(voyage.store.database)
        live = Live(rows, voyage.source_rows, voyage.pooled.pool, runner, sleep=quick)
        runner.on_settled(live.settled)
        service.on_live(live.look)
        voyage.following.on_followed(live.look)
        await live.start()
        try:
            yield Alive(voyage, live, runner, service)
        finally:
            await live.stop()


async def quick(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.05))


async def test_a_post_is_on_disk_within_two_seconds(voyage: Voyage) -> None:
    """Byte-equal, by one page of history; of the run that brought it nothing stays behind."""
    await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        voyage.jetty.sandbox.faults.reset()
        began = time.monotonic()
        await porter.home(porter.post(b"live" * 400_000))
        assert time.monotonic() - began < 2
        await until(lambda: [run.is_live for run in voyage.desk.ear.settled] == [False, True])
        calls = {method: voyage.jetty.calls(method) for method in ("messages.getHistory", "channels.getMessages")}
        assert calls == {"messages.getHistory": 1, "channels.getMessages": 1}
        assert voyage.jetty.calls("updates.getChannelDifference") == 0
        async with voyage.store.database.read() as connection:
            left = (await connection.execute(runs.select())).all()
        assert [run.params.get("live") for run in left] == [None]


async def test_listening_costs_two_calls(voyage: Voyage) -> None:
    """Ten live sources on one account: one connection, one updates.getState, one list of newest messages, no run."""
    for number in range(10):
        await kept(voyage, f"Archive {number}")
    async with alive(voyage) as porter:
        await porter.listening()
        await asyncio.sleep(0.6)
        counts = voyage.jetty.sandbox.faults.counts[ADMIN]
        assert counts["messages.getPeerDialogs"] == 1
        assert counts["updates.getState"] == 1
        assert counts["messages.getHistory"] == 0
        assert counts["updates.getDifference"] == counts["updates.getChannelDifference"] == 0
        voyage.jetty.sandbox.faults.reset()
        await voyage.pooled.pool.drop(voyage.pooled.session.id)
        await porter.listening()
        anew = {method: count for method, count in voyage.jetty.sandbox.faults.counts[ADMIN].items() if count}
        connecting = {"help.getConfig": 1, "users.getUsers": 1}
        assert anew == connecting | {"updates.getState": 1, "messages.getPeerDialogs": 1}


async def test_a_gap_during_downtime_is_filled(voyage: Voyage) -> None:
    """What was posted while nobody listened comes as soon as somebody does; without news nothing is asked."""
    source = await kept(voyage)
    missed = b"posted while Porter was off"
    voyage.post(missed)
    async with alive(voyage) as porter:
        await porter.home(hashlib.sha256(missed).hexdigest())
        stored = await voyage.source_rows.get(source.id)
        assert stored is not None
        assert stored.cursor == voyage.jetty.private.next_message_id - 1


async def test_a_lost_connection_is_listened_to_again(voyage: Voyage) -> None:
    """Dropped by the server: what is posted meanwhile and afterwards comes home, once each."""
    await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        await voyage.jetty.sandbox.servers.drop_connections()
        first = porter.post(b"while it was away")
        await porter.home(first, 10)
        await porter.home(porter.post(b"and after"), 10)
        assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())


async def test_telegram_gives_up_telling(voyage: Voyage) -> None:
    """updatesTooLong, again and again: looked at once for all of them, and what was not told comes home."""
    await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        world, servers = porter.world, voyage.jetty.sandbox.servers
        listeners, world._listeners = world._listeners, []
        sha256 = porter.post(b"told to nobody")
        world._listeners = listeners
        voyage.jetty.sandbox.faults.reset()
        for _ in range(30):
            servers.push(ADMIN, types.UpdatesTooLong())
        await porter.home(sha256)
        assert voyage.jetty.calls("updates.getState") <= 2
        assert voyage.jetty.calls("messages.getPeerDialogs") <= 2


async def test_a_client_that_is_closed_is_opened_again(voyage: Voyage) -> None:
    """By a repair, or a move to another proxy: whoever drops the account's clients need not know of live mode."""
    await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        await voyage.pooled.pool.drop(voyage.pooled.session.id)
        await porter.home(porter.post(b"after the drop"), 10)


async def test_posts_while_a_run_is_busy_are_not_forgotten(voyage: Voyage) -> None:
    """A run that has passed the end of the channel already, and still fetches: the next one follows it."""
    source = await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        voyage.jetty.sandbox.faults.add("upload.getFile", delay_ms=700, times=1)
        slow = porter.post(b"slow")
        await voyage.jetty.until_called("upload.getFile")
        assert await voyage.active(source) is not None
        quick_ones = [porter.post(b"quick %d" % number) for number in range(3)]
        for sha256 in (slow, *quick_ones):
            await porter.home(sha256)


async def test_many_posts_make_few_runs(voyage: Voyage) -> None:
    """An album of ten, and then one post after the other: runs keep a growing distance."""
    source = await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        album = [porter.post(b"album %d" % number) for number in range(10)]
        for sha256 in album:
            await porter.home(sha256)
        assert voyage.jetty.calls("messages.getHistory") == 1
        for number in range(20):
            porter.world.post(voyage.jetty.private, ADMIN, text=f"chatter {number}")
            await asyncio.sleep(0.05)

        async def is_at_the_end() -> bool:
            stored = await voyage.source_rows.get(source.id)
            return stored is not None and stored.cursor == voyage.jetty.private.next_message_id - 1

        await comes_true(is_at_the_end)
        assert voyage.jetty.calls("messages.getHistory") <= 4


def newest(voyage: Voyage) -> Message:
    return list(voyage.jetty.private.messages.values())[-1]


async def text_of(voyage: Voyage, message: Message) -> tuple[str, bool]:
    statement = messages.select().where(messages.c.channel_id == message.chat, messages.c.id == message.id)
    async with voyage.store.database.read() as connection:
        row = (await connection.execute(statement)).one()
    return row.text, row.edited_at is not None


async def test_an_edit_is_stored(voyage: Voyage) -> None:
    """Its text at once, without a call; a message that the source does not have is left alone."""
    await kept(voyage)
    message = next(each for each in voyage.jetty.private.messages.values() if not each.deleted and not each.action)
    async with alive(voyage) as porter:
        await porter.listening()
        voyage.jetty.sandbox.faults.reset()
        porter.world.edit(message, text="corrected")

        async def is_stored() -> bool:
            return await text_of(voyage, message) == ("corrected", True)

        await comes_true(is_stored, 3)
        assert voyage.jetty.calls("messages.getHistory") == 0


async def test_a_file_that_an_edit_brings_is_fetched(voyage: Voyage) -> None:
    """If the filters want it: another document in place of the old one, whose file stays."""
    await kept(voyage, filters=Filters(kinds=(FileKind.DOCUMENT,)))
    message = next(each for each in voyage.jetty.private.messages.values() if each.document and not each.deleted)
    before = set(voyage.disk().values())
    async with alive(voyage) as porter:
        await porter.listening()
        content = b"the second edition"
        document: Document = porter.world.new_document("second.bin", "application/octet-stream", content)
        porter.world.edit(message, document=document)
        await porter.home(hashlib.sha256(content).hexdigest())
        assert before <= set(voyage.disk().values())


async def test_what_is_not_live_stays_quiet(voyage: Voyage) -> None:
    """Not before its first save, not when it is off or paused; turned on, it comes at once."""
    source = await voyage.add()
    await voyage.source_rows.set_live(source.id, True)
    async with alive(voyage) as porter:
        await asyncio.sleep(0.5)
        assert not voyage.jetty.sandbox.faults.counts[ADMIN]
    await voyage.scrape(source)
    await voyage.source_rows.set_live(source.id, False)
    async with alive(voyage) as porter:
        sha256 = porter.post(b"not at once")
        await asyncio.sleep(0.8)
        assert sha256 not in voyage.disk().values()
        await porter.service.set_live(source.id, True)
        await porter.home(sha256)
        await porter.service.set_enabled(source.id, False)
        await asyncio.sleep(0.2)
        paused = porter.post(b"paused")
        await asyncio.sleep(0.8)
        assert paused not in voyage.disk().values()


async def test_a_tap_claims_the_run_of_a_post(voyage: Voyage) -> None:
    """Asked for while a post is on its way: the card that is shown stays one that can be looked at."""
    source = await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        voyage.jetty.sandbox.faults.add("messages.getHistory", delay_ms=300)
        sha256 = porter.post(b"on its way")
        await voyage.jetty.until_called("messages.getHistory")
        assert (await porter.service.get(source.id)).run is None, "cards keep quiet"
        with pytest.raises(AlreadyActive) as caught:
            await porter.service.scrape(source.id, 5)
        card = await porter.service.get(source.id)
        assert card.run is not None
        await porter.home(sha256)
        run = await voyage.desk.reached(caught.value.run_id, RunStatus.DONE)
        assert not run.is_live


async def test_a_failed_run_rests(voyage: Voyage) -> None:
    """The owners hear of it once, not with each post; a run that ends well ends the rest."""
    source = await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        voyage.jetty.sandbox.faults.add("messages.getHistory", error="CHANNEL_PRIVATE")
        first = porter.post(b"first")
        await until(lambda: any(run.status is RunStatus.FAILED for run in voyage.desk.ear.settled))
        second = porter.post(b"second")
        await asyncio.sleep(1)
        assert sum(run.status is RunStatus.FAILED for run in voyage.desk.ear.settled) == 1
        assert second not in voyage.disk().values()
        run = await porter.service.scrape(source.id, 5)
        await voyage.desk.reached(run.id, RunStatus.DONE)
        for sha256 in (first, second, porter.post(b"third")):
            await porter.home(sha256)


async def test_a_dead_session_ends_it(voyage: Voyage) -> None:
    """Signed out from afar: no more calls, no busy loop."""
    await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        porter.world.revoke(ADMIN)
        await voyage.jetty.sandbox.servers.drop_connections()
        await until(lambda: voyage.pooled.deaths != [], 10)
        voyage.jetty.sandbox.faults.reset()
        await asyncio.sleep(0.5)
        assert sum(voyage.jetty.sandbox.faults.counts[ADMIN].values()) == 0


async def test_a_stop_ends_everything(voyage: Voyage) -> None:
    """With a post just heard: no task stays, and the next start brings it."""
    await kept(voyage)
    async with alive(voyage) as porter:
        await porter.listening()
        sha256 = porter.post(b"heard at the last moment")
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("live-")]
    async with alive(voyage) as porter:
        await porter.home(sha256)


async def test_a_group_that_moves_stays_live(voyage: Voyage) -> None:
    """The move itself is heard; the next word in the supergroup comes home at once."""
    world = voyage.jetty.sandbox.world
    group = groups.found(world, "Club", ADMIN)
    await voyage.know(group)
    source = await voyage.source_rows.add(replace(voyage.new("Club"), channel_id=group.peer))
    await voyage.scrape(source)
    await voyage.source_rows.set_live(source.id, True)
    async with alive(voyage) as porter:
        await porter.listening()
        first = porter.post(b"in the small group", channel=group)
        await porter.home(first)
        grown = groups.migrate(world, group)
        moved = porter.post(b"in the supergroup", channel=grown)
        await porter.home(moved)
        await asyncio.sleep(0.2)
        await porter.home(porter.post(b"and again", channel=grown))
        assert voyage.desk.ear.grew == ["Club"]


async def test_a_long_scrape_of_the_account_keeps_no_post_waiting(voyage: Voyage) -> None:
    """Another source of the same account is being saved for the first time: live posts have a place of their own."""
    await kept(voyage)
    other = await voyage.add("Other", folder="other")
    async with alive(voyage) as porter:
        await porter.listening()
        voyage.jetty.sandbox.faults.add("upload.getFile", delay_ms=1500, times=4)
        run = await porter.service.scrape(other.id, 5)
        await voyage.jetty.until_called("upload.getFile")
        sha256 = porter.post(b"not behind the others")
        await until(lambda: (voyage.root / "archive").exists() and sha256 in voyage.disk().values(), 3)
        unfinished = await voyage.desk.rows.get(run.id)
        assert unfinished is not None
        assert unfinished.is_active
        assert await voyage.desk.rows.active_of(RunKind.SCRAPE, other.id) is not None
