from dataclasses import replace

from storage.database import Database
from storage.join_requests import JoinRequestRepository
from storage.models import ChannelKind, SessionChannel
from tests.storage.conftest import Clock
from tests.storage.make import CHANNEL_ID, Maker, channel, request


async def test_what_is_unknown_leaves_what_is_known(make: Maker) -> None:
    """A channel seen again is all new, but a missing count or right does not wipe the stored one."""
    await make.channel(members=10, bot_may_invite=True, username="harbour")
    await make.channel(members=None, bot_may_invite=None, username=None, title="Pier")
    assert await make.channels.get(CHANNEL_ID) == channel(members=10, bot_may_invite=True, username=None, title="Pier")


async def test_the_bots_right_is_learnt(make: Maker) -> None:
    """It can be given and taken away; an unknown channel stays unknown."""
    await make.channel()
    for may in (True, False):
        await make.channels.set_bot_may_invite(CHANNEL_ID, may)
        stored = await make.channels.get(CHANNEL_ID)
        assert stored is not None
        assert stored.bot_may_invite is may
    await make.channels.set_bot_may_invite(-1009, True)
    assert await make.channels.get(-1009) is None


async def test_a_listing_replaces_the_one_before(make: Maker) -> None:
    """What the account has left is no longer listed; the channel itself stays stored."""
    session = await make.session()
    quay, pier, buoy = channel(-1001), channel(-1002), channel(-1003)
    await make.channels.put_listing(session.id, [(quay, True), (pier, False)])
    await make.channels.put_listing(session.id, [(pier, True), (buoy, False)])
    listed = await make.channels.of_session(session.id)
    assert {(one.channel.id, one.may_invite) for one in listed} == {(-1002, True), (-1003, False)}
    assert await make.channels.get(-1001) == quay


async def test_the_largest_channels_come_first(make: Maker) -> None:
    """Ordered by members, unknown numbers last, then by title."""
    session = await make.session()
    listing = [
        (channel(-1001, title="None", members=None), False),
        (channel(-1002, title="B", members=5), False),
        (channel(-1003, title="A", members=5), False),
        (channel(-1004, title="Z", members=900), False),
    ]
    await make.channels.put_listing(session.id, listing)
    titles = [one.channel.title for one in await make.channels.of_session(session.id)]
    assert titles == ["Z", "A", "B", "None"]


async def test_where_people_may_ask(database: Database, make: Maker) -> None:
    """A public channel where the account may invite is open to all: it is left out unless somebody asked there. Those
    where people ask come first; what is given already stays in sight."""
    session = await make.session()
    listing = [
        (channel(-1001, title="Open", username="open"), True),
        (channel(-1002, title="Closed"), True),
        (channel(-1003, title="Square", username="square", kind=ChannelKind.SUPERGROUP), True),
        (channel(-1004, title="Foreign"), False),
        (channel(-1005, title="Zone", username="zone", bot_may_invite=True), False),
        (channel(-1006, title="Yard", username="yard"), True),
    ]
    await make.channels.put_listing(session.id, listing)
    await JoinRequestRepository(database).store([request(7, -1006)])
    assert [each.title for each in await make.channels.askable()] == ["Yard", "Zone", "Closed", "Square"]
    assert [each.title for each in await make.channels.askable([-1001])][2:] == ["Closed", "Open", "Square"]


async def test_one_more_is_seen(make: Maker) -> None:
    """A channel found by its name joins the listing, or changes its right there."""
    session = await make.session()
    await make.channels.add_seen(session.id, channel(), False)
    await make.channels.add_seen(session.id, channel(), True)
    assert await make.channels.of_session(session.id) == [SessionChannel(channel(), session.id, True)]


async def test_which_sessions_see_a_channel(make: Maker) -> None:
    """All of them, or those with or without the right to invite."""
    first, second = await make.session(), await make.session()
    await make.channels.add_seen(first.id, channel(), False)
    await make.channels.add_seen(second.id, channel(), True)
    assert await make.channels.sessions_of(CHANNEL_ID) == [first.id, second.id]
    assert await make.channels.sessions_of(CHANNEL_ID, may_invite=True) == [second.id]
    assert await make.channels.sessions_of(CHANNEL_ID, may_invite=False) == [first.id]
    assert await make.channels.sessions_of(-1009) == []


async def test_a_listing_of_a_deleted_session_is_dropped(make: Maker) -> None:
    """A session may go while its channels are listed at Telegram."""
    await make.channels.put_listing(77, [(channel(), True)])
    await make.channels.add_seen(77, channel(), True)
    assert await make.channels.of_session(77) == []


async def test_a_name_finds_who_had_it_last(make: Maker, clock: Clock) -> None:
    """In any case; a name that moved leads to the channel that was seen under it last."""
    await make.channel(-1001, username="Harbour", updated_at=clock.now)
    await make.channel(-1002, username="harbour", updated_at=clock.advance(days=1))
    found = await make.channels.by_username("HARBOUR")
    assert found is not None
    assert found.id == -1002
    await make.channels.put(replace(found, username=None))
    found = await make.channels.by_username("harbour")
    assert found is not None
    assert found.id == -1001
    assert await make.channels.by_username("nobody") is None
