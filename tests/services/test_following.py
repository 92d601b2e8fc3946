"""A small group becomes a supergroup, and the source goes with it; real Telethon on the sandbox."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from telethon.tl import types

from sandbox import groups
from sandbox.scenarios import ADMIN, SECOND
from sandbox.world import Channel, World
from services.channels import ChannelService
from services.clients.telethon_convert import successors
from services.following import Following
from storage.models import ChannelKind, Filters, NewSource, RunStatus, Source, TargetKind
from storage.types import utc_now
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.voyage import Voyage


@dataclass
class Club:
    """A small group in which the admin's account speaks, and the source that carries it."""

    voyage: Voyage
    group: Channel

    @property
    def world(self) -> World:
        return self.voyage.jetty.sandbox.world

    def say(self, channel: Channel, content: bytes) -> str:
        document = self.world.new_document("note.bin", "application/octet-stream", content)
        self.world.post(channel, SECOND, text=content.decode(), document=document)
        return hashlib.sha256(content).hexdigest()

    def grow(self) -> Channel:
        return groups.migrate(self.world, self.group)

    async def save(self) -> Source:
        """As an admin adds it from the account's list."""
        await self.list_channels()
        name, session_id, folder = "Club", self.voyage.pooled.session.id, "club"
        new = NewSource(name, session_id, self.group.peer, Filters(), TargetKind.LOCAL, folder)
        return await self.voyage.source_rows.add(new)

    async def list_channels(self) -> None:
        voyage = self.voyage
        service = ChannelService(
            voyage.store.channels, voyage.store.sessions, voyage.pooled.pool, NoGate(), patience_seconds=10
        )
        service.on_grown(self.following().note)
        await service.listing(voyage.pooled.session.id, refresh=True)
        await service.close()

    def following(self) -> Following:
        store, voyage = self.voyage.store, self.voyage
        return Following(store.channels, store.sessions, voyage.source_rows, voyage.pooled.pool, voyage.desk.ear)

    async def source(self, source: Source) -> Source:
        stored = await self.voyage.source_rows.get(source.id)
        assert stored is not None
        return stored

    def home(self) -> list[str]:
        """SHA-256 of each file that is whole."""
        return sorted(sha256 for path, sha256 in self.voyage.disk().items() if not Path(path).name.startswith("."))


class NoGate:
    """The bot has no part in this. Implements services.gate.BotGate where it is asked."""

    def __getattr__(self, name: str) -> None:
        raise AssertionError(f"the bot was asked: {name}")


@pytest.fixture
def club(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> Club:
    group = groups.found(jetty.sandbox.world, "Club", ADMIN, [SECOND])
    return Club(Voyage(jetty, store, pooled, tmp_path / "downloads"), group)


async def test_a_small_group_is_carried(club: Club) -> None:
    """As any channel: its messages and files come home, and again costs one call."""
    known = [club.say(club.group, b"note %d" % number) for number in range(5)]
    source = await club.save()
    run = await club.voyage.scrape(source)
    assert (run.status, run.progress.counters["messages"]) == (RunStatus.DONE, 5)
    assert club.home() == sorted(known)
    club.voyage.jetty.sandbox.faults.reset()
    await club.voyage.scrape(source)
    assert club.voyage.jetty.calls("messages.getHistory") == 1


async def test_it_is_followed_in_the_middle(club: Club) -> None:
    """Old and new history come home, each message and file once; the owners are told once; ids never clash."""
    known = [club.say(club.group, b"old %d" % number) for number in range(3)]
    source = await club.save()
    await club.voyage.scrape(source)
    known += [club.say(club.group, b"the last words")]
    grown = club.grow()
    known += [club.say(grown, b"new %d" % number) for number in range(3)]
    club.voyage.jetty.sandbox.faults.reset()
    run = await club.voyage.scrape(source)
    assert (run.status, run.reason) == (RunStatus.DONE, None)
    assert (run.progress.counters["messages"], run.progress.counters["files"]) == (4, 4)
    assert club.home() == sorted(known)
    assert club.voyage.jetty.calls("upload.getFile") == 4
    assert club.voyage.jetty.calls("messages.getHistory") <= 3
    stored = await club.source(source)
    assert (stored.channel_id, stored.cursor) == (grown.peer, grown.next_message_id - 1)
    assert club.voyage.desk.ear.grew == ["Club"]
    rows = await club.voyage.rows()
    assert len(rows["links"]) == len(rows["messages"]) == 7
    assert {row[0] for row in rows["messages"]} == {club.group.peer, grown.peer}

    known += [club.say(grown, b"later")]
    run = await club.voyage.scrape(source)
    assert run.progress.counters["messages"] == 1
    assert club.home() == sorted(known)
    assert club.voyage.desk.ear.grew == ["Club"]


async def test_a_list_of_channels_tells_it(club: Club) -> None:
    """Noticed before any run: told once, and the next run goes over though the old group has nothing new."""
    club.say(club.group, b"old")
    source = await club.save()
    await club.voyage.scrape(source)
    grown = club.grow()
    await club.list_channels()
    await club.list_channels()
    assert club.voyage.desk.ear.grew == ["Club"]
    said = club.say(grown, b"new")
    await club.voyage.scrape(source)
    assert said in club.home()
    assert (await club.source(source)).channel_id == grown.peer
    listed = [row.channel.id for row in await club.voyage.store.channels.of_session(club.voyage.pooled.session.id)]
    assert grown.peer in listed
    assert club.group.peer not in listed


async def test_a_kill_in_between_is_safe(club: Club) -> None:
    """After the old history was stored and before the source went over: the next run goes on there."""
    known = [club.say(club.group, b"old %d" % number) for number in range(3)]
    source = await club.save()
    grown = club.grow()
    known += [club.say(grown, b"new")]

    class Killed(Exception):
        pass

    original = club.voyage.source_rows

    class Killing(type(original)):  # type: ignore[misc]
        async def follow(self, source_id: int, from_id: int, to_id: int) -> None:
            raise Killed

    club.voyage.source_rows = Killing(club.voyage.store.database)
    run = await club.voyage.scrape(source)
    assert (run.status, run.reason) == (RunStatus.FAILED, "Defect")
    assert (await club.source(source)).channel_id == club.group.peer

    club.voyage.source_rows = original
    run = await club.voyage.scrape(source)
    assert run.status is RunStatus.DONE
    assert club.home() == sorted(known)
    assert club.voyage.desk.ear.grew == ["Club"]
    assert (await club.source(source)).total_messages == 4


async def test_files_of_the_old_group_are_fetched_afterwards(club: Club) -> None:
    """What failed before the group moved is fetched from the old group when it is wanted again."""
    missing = club.say(club.group, b"refused at first")
    source = await club.save()
    club.voyage.jetty.sandbox.faults.add("upload.getFile", error="CDN_METHOD_INVALID")
    await club.voyage.scrape(source)
    assert club.home() == []
    grown = club.grow()
    new = club.say(grown, b"new")
    await club.voyage.scrape(source)
    assert club.home() == [new]
    async with club.voyage.sail() as (_, service):
        run = await service.retry_failed(source.id, 5)
        run = await club.voyage.desk.reached(run.id, RunStatus.DONE)
    assert (run.progress.counters["files"], run.progress.counters["failed"]) == (1, 0)
    assert club.home() == sorted([missing, new])


async def test_another_account_that_never_met_the_supergroup(club: Club, jetty: Jetty) -> None:
    """The move was seen by one account, the source reads through another: that one learns the address by itself."""
    club.say(club.group, b"old")
    source = await club.save()
    await club.voyage.scrape(source)
    store, voyage = club.voyage.store, club.voyage
    other = await store.add_session(jetty.sign_in(jetty.second), "Second")
    await store.sessions.put_peers(other.id, {club.group.peer: 0})
    grown = club.grow()
    said = club.say(grown, b"new")
    await club.list_channels()
    await voyage.source_rows.move([source.id], other.id)
    run = await voyage.scrape(await club.source(source))
    assert run.status is RunStatus.DONE
    assert said in club.home()


async def test_a_post_between_the_last_page_and_the_move_is_not_lost(club: Club) -> None:
    """The walk has reached the end; then the group speaks, moves, and the move is noted: the rest is read first."""
    club.say(club.group, b"old")
    source = await club.save()
    club.voyage.jetty.sandbox.faults.reset()
    late: list[str] = []
    original = club.voyage.source_rows
    listing = club.list_channels

    class Speaking(type(original)):  # type: ignore[misc]
        async def store_page(self, *page: object) -> object:
            stored = await super().store_page(*page)
            if not late:
                late.append(club.say(club.group, b"late"))
                club.grow()
                await listing()
            return stored

    club.voyage.source_rows = Speaking(club.voyage.store.database)
    run = await club.voyage.scrape(source)
    assert run.status is RunStatus.DONE
    assert late[0] in club.home()


async def test_a_group_that_nobody_carries_is_no_news(club: Club) -> None:
    """It is noted, without a word."""
    await club.list_channels()
    grown = club.grow()
    await club.list_channels()
    stored = await club.voyage.store.channels.get(club.group.peer)
    assert stored is not None
    assert stored.migrated_to == grown.peer
    assert club.voyage.desk.ear.grew == []


def test_the_shell_knows_enough() -> None:
    """Where an answer has the old group alone, the supergroup's address is taken from it."""
    shell = types.Chat(
        7, "Club", types.ChatPhotoEmpty(), 3, utc_now(), 1, deactivated=True, migrated_to=types.InputChannel(9, 42)
    )
    [(group_id, grown)] = successors([shell]).items()
    assert (group_id, grown.was, grown.peer.access_hash, grown.is_member) == (-7, -7, 42, False)
    assert grown.channel.kind is ChannelKind.SUPERGROUP
