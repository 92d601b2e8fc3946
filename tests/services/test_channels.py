"""Channels on real storage and real clients; the bot's side is a gate of our own."""

import logging
from dataclasses import dataclass, field, replace

import pytest

from sandbox.world import Membership
from services.channels import ChannelService, read_reference
from services.errors import (
    AlreadyMember,
    ChannelNotFound,
    ChannelUnavailable,
    FloodWait,
    NotFound,
    PorterError,
    RightMissing,
    SessionRequired,
)
from services.gate import BotRights
from storage.models import Channel, ChannelKind, SessionState
from storage.types import utc_now
from tests.services.conftest import FakeTime, Jetty, Pooled, Store


@dataclass
class Gate:
    """The bot as gate: knows `channels`, may invite in those, and fails with `trouble` if there is some."""

    channels: dict[int, Channel] = field(default_factory=dict)
    trouble: PorterError | None = None

    async def may_invite(self, channel_id: int) -> bool:
        return channel_id in self.channels

    async def rights(self, channel_id: int) -> BotRights:
        return BotRights(await self.may_invite(channel_id), may_ban=False)

    async def look(self, channel_id: int) -> Channel:
        if self.trouble is not None:
            raise self.trouble
        return self.channels[channel_id]

    async def approve(self, channel_id: int, user_id: int) -> None:
        raise AlreadyMember

    async def deny(self, channel_id: int, user_id: int) -> None:
        raise AlreadyMember


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def channels(store: Store, pooled: Pooled, gate: Gate) -> ChannelService:
    return ChannelService(store.channels, store.sessions, pooled.pool, gate)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("@harbour_news", "harbour_news"),
        (" @harbour_news\n", "harbour_news"),
        ("t.me/harbour_news", "harbour_news"),
        ("https://t.me/harbour_news/", "harbour_news"),
        ("https://t.me/harbour_news/15?single", "harbour_news"),
        ("http://telegram.me/s/harbour_news", "harbour_news"),
        ("tg://resolve?domain=harbour_news&post=3", "harbour_news"),
        ("-1002100000001", -1002100000001),
        ("-4567", -4567),
        ("https://t.me/c/2100000001/15", -1002100000001),
        ("t.me/c/2100000001", -1002100000001),
        ("harbour_news", None),
        ("harbour news", None),
        ("https://t.me/+hArB0urArch1ve", None),
        ("https://t.me/joinchat/AAAA", None),
        ("https://example.org/harbour_news", None),
        ("@x", None),
        ("2100000001", None),
        ("", None),
    ],
)
def test_references(text: str, reference: int | str | None) -> None:
    """Names, links and ids name a channel; words, invitations and other sites do not."""
    assert read_reference(text) == reference
    assert ChannelService.is_reference(text) is (reference is not None)


async def test_a_list_is_asked_once(jetty: Jetty, channels: ChannelService, pooled: Pooled) -> None:
    """The first look asks Telegram, later ones the database; refreshing asks again."""
    first = await channels.of_session(pooled.session.id)
    assert {row.channel.id for row in first} == {channel.peer for channel in jetty.sandbox.world.channels.values()}
    assert [row.channel.members for row in first] == sorted((row.channel.members for row in first), reverse=True)
    assert await channels.of_session(pooled.session.id) == first
    assert jetty.calls("messages.getDialogs") == 1
    jetty.private.title = "Harbour Archive II"
    again = await channels.of_session(pooled.session.id, refresh=True)
    assert "Harbour Archive II" in {row.channel.title for row in again}


async def test_listed_channels_can_be_read(
    jetty: Jetty, channels: ChannelService, pooled: Pooled, store: Store
) -> None:
    """What is listed has an address."""
    for row in await channels.of_session(pooled.session.id):
        peer = await pooled.pool.peer(pooled.session.id, row.channel.id)
        async with pooled.pool.reading(pooled.session.id) as client:
            await client.history(peer, 0)


async def test_a_name_is_resolved_once(jetty: Jetty, channels: ChannelService, pooled: Pooled) -> None:
    """A name is asked at Telegram the first time, and never again, in whatever form it comes."""
    name = jetty.public.username or ""
    for text in (f"@{name}", name.upper(), f"https://t.me/{name}/3", str(jetty.public.peer)):
        found = await channels.find(text)
        assert (found.channel.id, found.session_id) == (jetty.public.peer, pooled.session.id)
    assert jetty.calls("contacts.resolveUsername") == 1


async def test_a_public_channel_that_nobody_joined(jetty: Jetty, channels: ChannelService, pooled: Pooled) -> None:
    """It is found by name, can be read, and is still known after the list is made anew."""
    del jetty.public.members[jetty.admin.id]
    found = await channels.find(f"@{jetty.public.username}", pooled.session.id)
    assert not found.may_invite
    await channels.of_session(pooled.session.id, refresh=True)
    again = await channels.find(f"@{jetty.public.username}", pooled.session.id)
    assert again.channel.id == jetty.public.peer
    assert jetty.calls("contacts.resolveUsername") == 1
    async with pooled.pool.reading(pooled.session.id) as client:
        assert (await client.history(await pooled.pool.peer(pooled.session.id, again.channel.id), 0)).posts


async def test_a_private_channel_by_its_id(jetty: Jetty, channels: ChannelService) -> None:
    """An id or a link to a post finds a channel among the account's own, asking for the list if need be."""
    bare = jetty.private.id
    for text in (str(jetty.private.peer), f"https://t.me/c/{bare}/2"):
        assert (await channels.find(text)).channel.title == jetty.private.title
    assert jetty.calls("messages.getDialogs") == 1


@pytest.mark.parametrize("text", ["@nobody_has_this", "-1009999999999", "two words", "https://t.me/+abc", "@anna_berg"])
async def test_what_leads_nowhere(channels: ChannelService, text: str) -> None:
    """No such name, no such id, no reference at all, an invitation, a person."""
    with pytest.raises(ChannelNotFound):
        await channels.find(text)


async def test_no_account(channels: ChannelService, store: Store, pooled: Pooled) -> None:
    """Without a session that works nothing is found, and the error says what is missing."""
    await store.sessions.set_state(pooled.session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    for call in (channels.find("@harbour_news"), channels.may_invite(), channels.session_for(-1001)):
        with pytest.raises(SessionRequired):
            await call


async def test_a_session_that_is_gone(channels: ChannelService) -> None:
    """A list of a session that is not there says so."""
    with pytest.raises(NotFound):
        await channels.of_session(999)


async def test_the_session_that_can_do_most(
    jetty: Jetty, channels: ChannelService, store: Store, pooled: Pooled
) -> None:
    """Of two sessions that see a channel, the one that may invite is found; where none may, it is said."""
    jetty.private.members[jetty.admin.id] = Membership(jetty.admin.id, 0)
    jetty.private.members[jetty.second.id] = Membership(jetty.second.id, 0, "creator", may_invite=True)
    second = await store.add_session(jetty.sign_in(jetty.second), "Boris")
    for session_id in (pooled.session.id, second.id):
        await channels.of_session(session_id)
    assert (await channels.find(str(jetty.private.peer))).session_id == second.id
    assert await channels.session_for(jetty.private.peer) == pooled.session.id
    assert await channels.session_for(jetty.private.peer, may_invite=True) == second.id
    listed = {row.channel.id: row.session_id for row in await channels.may_invite()}
    assert listed[jetty.private.peer] == second.id
    jetty.private.members[jetty.second.id] = Membership(jetty.second.id, 0)
    await channels.of_session(second.id, refresh=True)
    with pytest.raises(RightMissing):
        await channels.session_for(jetty.private.peer, may_invite=True)


async def test_a_right_that_is_new(jetty: Jetty, channels: ChannelService, pooled: Pooled) -> None:
    """A right that was granted after the list was made is noticed."""
    jetty.private.members[jetty.admin.id] = Membership(jetty.admin.id, 0)
    await channels.of_session(pooled.session.id)
    jetty.private.members[jetty.admin.id] = Membership(jetty.admin.id, 0, "admin", may_invite=True)
    assert await channels.session_for(jetty.private.peer, may_invite=True) == pooled.session.id


async def test_one_silent_session_does_not_hide_the_others(
    jetty: Jetty, channels: ChannelService, store: Store, pooled: Pooled
) -> None:
    """Where an account may invite is listed as far as accounts answer."""
    dead = replace(pooled.credential, user_id=7, auth_key=bytes(range(256)))
    await store.add_session(dead, "Dead")
    assert jetty.gate.peer in {row.channel.id for row in await channels.may_invite()}


async def test_the_bots_rights(channels: ChannelService, gate: Gate, store: Store) -> None:
    """What the bot sees is stored; when it is removed, the right goes and the channel stays."""
    channel = Channel(-1001, "News", "news", ChannelKind.CHANNEL, 12, True, utc_now())
    gate.channels[channel.id] = channel
    assert (await channels.refresh_bot_rights(channel.id)).bot_may_invite is True
    gate.trouble = ChannelUnavailable()
    after = await channels.refresh_bot_rights(channel.id)
    assert (after.bot_may_invite, after.title) == (False, "News")
    with pytest.raises(ChannelUnavailable):
        await channels.refresh_bot_rights(-1002)


async def test_a_listing_shows_what_is_stored_at_once(jetty: Jetty, store: Store, pooled: Pooled, gate: Gate) -> None:
    """Young: nobody is asked. Old: shown with its time, and asked in the background, once however many look."""
    time = FakeTime()
    channels = ChannelService(store.channels, store.sessions, pooled.pool, gate, clock=time)
    first = await channels.listing(pooled.session.id)
    assert (len(first.rows), first.is_refreshing) == (len(jetty.sandbox.world.channels), False)
    await channels.listing(pooled.session.id)
    assert jetty.calls("messages.getDialogs") == 1
    time.pass_seconds(3600)
    jetty.private.title = "Harbour Archive II"
    jetty.sandbox.faults.add("messages.getDialogs", delay_ms=200)
    for _ in range(2):
        old = await channels.listing(pooled.session.id)
        assert (old.rows, old.listed_at, old.is_refreshing) == (first.rows, first.listed_at, True)
    await channels._refreshing[pooled.session.id]
    assert "Harbour Archive II" in {row.channel.title for row in await channels.of_session(pooled.session.id)}
    assert jetty.calls("messages.getDialogs") == 2
    await channels.close()


async def test_a_listing_that_is_refused(
    jetty: Jetty, channels: ChannelService, pooled: Pooled, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks for it hears why; in the background it is a line in the log, and the old list stands."""
    caplog.set_level(logging.INFO)
    first = await channels.listing(pooled.session.id)
    jetty.sandbox.faults.add("messages.getDialogs", error="FLOOD_WAIT_5000")
    with pytest.raises(FloodWait):
        await channels.listing(pooled.session.id, refresh=True)
    again = await channels.listing(pooled.session.id)
    assert (again.rows, again.is_refreshing) == (first.rows, False)
    assert "channels are not listed: FloodWait" in caplog.text
    with pytest.raises(NotFound):
        await channels.listing(999)


async def test_the_right_to_load(jetty: Jetty, channels: ChannelService, pooled: Pooled) -> None:
    """What is stored counts; where it says no, Telegram is asked once more: a right may be young."""
    await channels.listing(pooled.session.id)
    await channels.check_right(pooled.session.id, jetty.gate.peer)
    member = jetty.gate.members[jetty.admin.id]
    member.role, member.may_invite = "member", False
    await channels.listing(pooled.session.id, refresh=True)
    with pytest.raises(RightMissing):
        await channels.check_right(pooled.session.id, jetty.gate.peer)
    member.role, member.may_invite = "admin", True
    await channels.check_right(pooled.session.id, jetty.gate.peer)
