"""Saving with nothing asked: who can read a channel, what the defaults make of it, what a link leads to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.scenarios import ADMIN, LINK_HASHES, SECOND
from sandbox.world import Channel as WorldChannel
from services.channels import ChannelService
from services.errors import (
    AlreadySaved,
    ChannelNotFound,
    ChannelsTooMany,
    ChannelUnavailable,
    InviteInvalid,
    NameTaken,
    ReaderMissing,
    TemplateInvalid,
)
from services.estimates import Estimator
from services.first_looks import FirstLooks
from services.gate import BotGate
from services.invites import InviteService
from services.links import ChannelLink
from services.profiles import ProfileService
from services.readers import Readers
from services.saving import SavingService
from services.sources import SourceService
from storage.models import Channel, Duplicates, Profile, Scope, Session, Start, StartKind
from storage.profiles import ProfileRepository
from storage.runs import RunRepository
from storage.schema import admins
from storage.types import utc_now
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.voyage import Voyage


class NoGate:
    """The bot is in no channel."""

    async def look(self, channel_id: int) -> Channel:
        raise ChannelUnavailable


@dataclass
class Desk:
    """What saving stands on."""

    voyage: Voyage
    channels: ChannelService
    readers: Readers
    saving: SavingService
    profiles: ProfileService
    invites: InviteService
    sources: SourceService
    looks: FirstLooks

    @property
    def session(self) -> Session:
        return self.voyage.pooled.session

    @property
    def jetty(self) -> Jetty:
        return self.voyage.jetty

    async def known(self, channel: WorldChannel) -> int:
        """Its id, once the account has it in its list."""
        return (await self.saving.find(ChannelLink(channel.peer))).id


@asynccontextmanager
async def open_desk(jetty: Jetty, store: Store, pooled: Pooled, home: Path) -> AsyncIterator[Desk]:
    voyage = Voyage(jetty, store, pooled, home)
    async with store.database.write() as connection:
        values = {"role": "OWNER", "name": "Anna", "created_at": utc_now()}
        await connection.execute(admins.insert().values(user_id=ADMIN, **values))
    gate: BotGate = NoGate()  # type: ignore[assignment]
    channels = ChannelService(store.channels, store.sessions, pooled.pool, gate)
    async with voyage.sail() as (_, sources):
        readers = Readers(store.channels, store.sessions, voyage.source_rows, channels, pooled.pool)
        profiles = ProfileService(ProfileRepository(store.database))
        saving = SavingService(store.channels, readers, sources, profiles)
        invites = InviteService(store.sessions, voyage.source_rows, channels, pooled.pool)
        estimator = Estimator(store.sessions, RunRepository(store.database), pooled.pool, await voyage.targets())
        looks = FirstLooks(readers, estimator, channels, pooled.pool)
        yield Desk(voyage, channels, readers, saving, profiles, invites, sources, looks)
        await channels.close()


@pytest.fixture
async def desk(jetty: Jetty, store: Store, pooled: Pooled, tmp_path: Path) -> AsyncIterator[Desk]:
    home = tmp_path / "downloads"
    home.mkdir()
    async with open_desk(jetty, store, pooled, home) as opened:
        yield opened


async def test_defaults_make_the_source(desk: Desk) -> None:
    """Everything that the profile says is in it; names and folders that others have are passed by."""
    await desk.profiles.set_place(ADMIN, None, "tg")
    await desk.profiles.change(ADMIN, cron="5 7 * * *", duplicates=Duplicates.LINK, live=False, only_matching=True)
    await desk.profiles.set_names(ADMIN, "{date:%Y}/{id} {name}")
    other = desk.jetty.public
    other.title = "Harbour ARCHIVE"
    channel_id, other_id = await desk.known(desk.jetty.private), await desk.known(other)
    first = (await desk.saving.save(ADMIN, other_id, desk.session.id, "UTC")).source
    card = await desk.saving.save(ADMIN, channel_id, desk.session.id, "Europe/Berlin")
    assert (first.name, first.folder) == ("Harbour ARCHIVE", "tg/harbour-archive")
    assert (card.source.name, card.source.folder) == ("Harbour Archive 2", "tg/harbour-archive-2")
    assert card.source.duplicates is Duplicates.LINK
    assert card.source.name_template == "{date:%Y}/{id} {name}"
    assert (card.source.live, card.source.only_matching, card.source.scope) == (False, True, Scope.CHANNEL)
    assert card.schedule is not None
    assert (card.schedule.cron, card.schedule.timezone) == ("5 7 * * *", "Europe/Berlin")
    with pytest.raises(AlreadySaved):
        await desk.saving.save(ADMIN, channel_id, desk.session.id, "UTC")


async def test_of_two_taps_at_once_one_makes_it(desk: Desk) -> None:
    """The second finds what the first has made, whoever tapped."""
    channel_id = await desk.known(desk.jetty.private)
    taps = [desk.saving.save(ADMIN, channel_id, desk.session.id, "UTC") for _ in range(3)]
    outcomes = await asyncio.gather(*taps, return_exceptions=True)
    assert sum(isinstance(outcome, AlreadySaved) for outcome in outcomes) == 2
    assert len(await desk.sources.all()) == 1


async def test_single_posts_become_the_whole(desk: Desk) -> None:
    """The same row: its folder stays, its name, start and schedule are new."""
    channel_id = await desk.known(desk.jetty.private)
    await desk.saving.save_posts(ADMIN, channel_id, desk.session.id, [3])
    (single,) = await desk.sources.of_channel(channel_id)
    assert (single.scope, single.folder, single.live) == (Scope.POSTS, "harbour-archive", False)
    start = Start(StartKind.NEW, message_id=9)
    whole = await desk.saving.save(ADMIN, channel_id, desk.session.id, "UTC", start)
    assert whole.source.id == single.id
    assert (whole.source.scope, whole.source.name, whole.source.start) == (Scope.CHANNEL, "Harbour Archive", start)
    assert whole.schedule is not None
    other = await desk.voyage.source_rows.add(desk.voyage.new("Other"))
    with pytest.raises(NameTaken):
        await desk.voyage.source_rows.widen(other.id, desk.voyage.new("Harbour Archive"))


async def test_who_can_read_it(desk: Desk) -> None:
    """A private channel: whoever has it in the list; it is listed anew when nobody has. A public one: every person."""
    world, private = desk.jetty.sandbox.world, desk.jetty.private
    public = await desk.saving.find(ChannelLink(desk.jetty.public.username or ""))
    assert len(await desk.channels.of_session(desk.session.id)) == 3  # one name is not the whole list
    boris = await desk.voyage.store.add_session(desk.jetty.sign_in(desk.jetty.second), "Boris")
    assert [each.name for each in await desk.readers.of(public)] == ["Anna", "Boris"]
    calls = desk.jetty.calls("contacts.resolveUsername")
    assert (await desk.readers.peer(boris.id, public)).id == public.id
    await desk.readers.peer(boris.id, public)
    assert desk.jetty.calls("contacts.resolveUsername") == calls + 1  # once an account

    world.set_member(private, ADMIN, None, ADMIN)
    await desk.channels.listing(desk.session.id, refresh=True)
    channel = await desk.saving.find(ChannelLink(private.peer))
    assert [each.name for each in await desk.readers.of(channel)] == ["Boris"]
    world.set_member(private, SECOND, None, SECOND)
    await desk.channels.listing(boris.id, refresh=True)
    with pytest.raises(ReaderMissing):
        await desk.saving.find(ChannelLink(private.peer))
    with pytest.raises(ReaderMissing):
        await desk.saving.save(ADMIN, channel.id, boris.id, "UTC")
    with pytest.raises(ChannelNotFound):
        await desk.saving.find(ChannelLink("nobody_has_this_name"))


async def test_who_saves_where_nobody_is_chosen(desk: Desk) -> None:
    """The account that a channel was saved with last; the one that was asked for; what is saved keeps its own."""
    boris = await desk.voyage.store.add_session(desk.jetty.sign_in(desk.jetty.second), "Boris")
    for session_id in (desk.session.id, boris.id):
        await desk.channels.listing(session_id, refresh=True)
    private, public = await desk.known(desk.jetty.private), await desk.known(desk.jetty.public)
    offer = await desk.saving.offer(ADMIN, private)
    assert (offer.session_id, offer.has_choice) == (desk.session.id, True)  # nothing was saved: the first one
    assert (await desk.saving.offer(ADMIN, private, boris.id)).session_id == boris.id
    assert (await desk.saving.offer(ADMIN, private, 0)).session_id == desk.session.id
    await desk.saving.save(ADMIN, public, boris.id, "UTC")
    assert (await desk.saving.offer(ADMIN, private)).session_id == boris.id
    offer = await desk.saving.offer(ADMIN, public, desk.session.id)
    assert (offer.session_id, offer.has_choice) == (boris.id, False)


async def test_a_first_look_says_what_is_wrong(desk: Desk) -> None:
    """Banned between the list and the look: told, not raised, and not taken for little. A second look asks again."""
    private = desk.jetty.private
    channel_id = await desk.known(private)
    offer = await desk.saving.offer(ADMIN, channel_id)
    private.banned.add(ADMIN)
    member = private.members.pop(ADMIN)
    look = await desk.looks.look(offer)
    assert not look.is_readable
    assert isinstance(look.trouble, ChannelUnavailable)
    assert desk.looks.is_large(look)
    private.banned.clear()
    private.members[ADMIN] = member
    look = await desk.looks.look(offer)
    assert look.is_readable
    assert look.newest == max(private.messages)
    assert look.estimate is not None
    assert look.estimate.files == 8
    calls = desk.jetty.calls("messages.getSearchCounters")
    assert desk.looks.known(offer) == await desk.looks.look(offer)
    assert desk.jetty.calls("messages.getSearchCounters") == calls


async def test_invitations(desk: Desk) -> None:
    """Looked at without joining; a member is told from a stranger; joining makes the channel readable at once."""
    world, private = desk.jetty.sandbox.world, desk.jetty.private
    link = LINK_HASHES[private.id]
    assert (await desk.invites.look(link)).member is not None
    world.set_member(private, ADMIN, None, ADMIN)
    invited = await desk.invites.look(link)
    assert invited.member is None
    assert (invited.invitation.title, invited.invitation.members) == ("Harbour Archive", 1)
    assert ADMIN not in private.members
    world.accounts[ADMIN].too_many_channels = True
    with pytest.raises(ChannelsTooMany):
        await desk.invites.join(link, desk.session.id, private.title)
    world.accounts[ADMIN].too_many_channels = False
    joined = await desk.invites.join(link, desk.session.id, private.title)
    assert joined is not None
    assert ADMIN in private.members
    assert (await desk.saving.offer(ADMIN, joined.channel.id)).session_id == desk.session.id
    again = await desk.invites.join(link, desk.session.id, private.title)  # a second tap: a member already
    assert again is not None
    with pytest.raises(InviteInvalid):
        await desk.invites.look("AbCdEf0123456789")
    private.members.pop(ADMIN)
    private.banned.add(ADMIN)
    with pytest.raises(ChannelUnavailable):
        await desk.invites.join(link, desk.session.id, private.title)


async def test_defaults_that_cannot_be(desk: Desk) -> None:
    """Folders and names together may not go deeper than a target allows; copying takes what lies above the folder."""
    await desk.profiles.set_place(ADMIN, None, "a/b/c")
    with pytest.raises(TemplateInvalid):
        await desk.profiles.set_names(ADMIN, "1/2/3/4/5/{id}")
    await desk.profiles.set_names(ADMIN, "1/2/3/4/{id}")
    with pytest.raises(TemplateInvalid):
        await desk.profiles.set_place(ADMIN, None, "a/b/c/d")
    assert await desk.profiles.reset(ADMIN) == await desk.profiles.get(ADMIN) == Profile()
    source = await desk.voyage.add("Archive", folder="deep/er/archive")
    profile = await desk.profiles.copy(ADMIN, await desk.sources.get(source.id))
    assert (profile.folder, profile.cron) == ("deep/er", None)
    flat = await desk.voyage.source_rows.add(desk.voyage.new("Flat", folder="flat"))
    assert (await desk.profiles.copy(ADMIN, await desk.sources.get(flat.id))).folder == ""


async def test_several_are_made_one_by_one(desk: Desk) -> None:
    """Each with its run; what is saved already is told, and keeps none of the others from being made."""
    ids = [await desk.known(desk.jetty.private), await desk.known(desk.jetty.gate)]
    made = await desk.saving.save_several(ADMIN, desk.session.id, [ids[0], ids[0], ids[1], -100999], "UTC")
    assert [type(each.error).__name__ for each in made] == ["NoneType", "AlreadySaved", "NoneType", "NotFound"]
    saved = {each.source.id for each in made if each.source is not None}
    assert {run.subject_id for run in await desk.voyage.desk.rows.recent(10)} == saved
