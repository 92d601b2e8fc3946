"""A bot reads, with real Telethon on a real socket: windows of ids up to the newest one, and no call too many."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.scenarios import add_bot
from sandbox.world import Account as WorldAccount
from sandbox.world import Channel
from services.clients.base import Credential, Peer
from services.clients.telethon_bot import TelethonBotReading
from services.errors import AccountRequired, ApiCredentialsInvalid, ChannelUnavailable, TokenInvalid
from services.history import walk
from storage.models import Start, StartKind
from tests.services.conftest import Jetty

NEWS = ("messages.getHistory", "updates.getChannelDifference", "channels.getFullChannel", "channels.getMessages")


@pytest.fixture
def bot(jetty: Jetty) -> WorldAccount:
    return add_bot(jetty.sandbox.world, "Harvester", jetty.private)


async def sign_in(jetty: Jetty, bot: WorldAccount) -> Credential:
    client = await jetty.clients.login(jetty.api(jetty.admin))
    try:
        account = await client.sign_in_bot(bot.token or "")
        assert (account.user_id, account.is_bot, account.phone) == (bot.id, True, None)
        stored = client.credential(account.user_id)
    finally:
        await client.close()
    return Credential(stored.dc_id, stored.host, stored.port, stored.auth_key, stored.api, bot.id, is_bot=True)


@pytest.fixture
async def client(jetty: Jetty, bot: WorldAccount) -> AsyncIterator[TelethonBotReading]:
    opened = await jetty.clients.reading(await sign_in(jetty, bot))
    assert isinstance(opened, TelethonBotReading)
    yield opened
    await opened.close()


def peer_of(channel: Channel) -> Peer:
    return Peer(channel.peer, channel.access_hash)


def fill(jetty: Jetty, count: int) -> None:
    """Posts more, every seventh deleted, and a hole of 250 ids behind them before the last."""
    world, channel = jetty.sandbox.world, jetty.private
    for number in range(count):
        message = world.post(channel, channel.peer, text=f"post {number}")
        if number % 7 == 0:
            world.delete(message)
    channel.next_message_id += 250
    world.post(channel, channel.peer, text="behind the hole")


def there(channel: Channel) -> list[int]:
    return [m.id for m in channel.messages.values() if not m.deleted and m.action is None]


async def walked(client: TelethonBotReading, peer: Peer, after_id: int = 0) -> list[int]:
    found: list[int] = []
    async with aclosing(walk(lambda after: client.history(peer, after), after_id)) as pages:
        async for page in pages:
            found += [post.message.id for post in page.posts]
    return found


def calls(jetty: Jetty) -> list[int]:
    return [jetty.calls(method) for method in NEWS]


async def test_a_walk_is_complete_and_bounded(jetty: Jetty, client: TelethonBotReading) -> None:
    """Every message once, holes passed, in ceil(top / 100) calls and two to find the top; nothing above it is asked."""
    fill(jetty, 900)
    peer, top = peer_of(jetty.private), max(there(jetty.private))
    jetty.sandbox.faults.reset()
    assert await walked(client, peer) == there(jetty.private)
    assert calls(jetty) == [0, 1, 1, -(-top // 100)]


async def test_nothing_new(jetty: Jetty, client: TelethonBotReading) -> None:
    """A rescan costs two calls, by a client that has walked before one; what comes then is found at once."""
    peer, top = peer_of(jetty.private), max(there(jetty.private))
    jetty.sandbox.faults.reset()
    page = await client.history(peer, top)
    assert (page.posts, page.last_id, page.is_last) == ((), None, True)
    assert calls(jetty) == [0, 1, 1, 0]
    assert await walked(client, peer, top) == []
    assert calls(jetty) == [0, 2, 1, 0]
    fresh = jetty.sandbox.world.post(jetty.private, jetty.private.peer, text="fresh")
    assert await walked(client, peer, top) == [fresh.id]
    assert calls(jetty) == [0, 3, 1, 1]


async def test_progress_is_told(jetty: Jetty, client: TelethonBotReading) -> None:
    """How many ids are left; the last page says that it is the last."""
    fill(jetty, 250)
    peer, top = peer_of(jetty.private), max(there(jetty.private))
    first = await client.history(peer, 0)
    assert (first.last_id, first.newer, first.is_last) == (100, top - 100, False)
    last = await client.history(peer, top - 30)
    assert (last.last_id, last.newer, last.is_last) == (top, 0, True)


async def test_the_newest_post_behind_many_edits(jetty: Jetty, client: TelethonBotReading) -> None:
    """Edits are updates too: further back is looked, in larger pages."""
    world, channel = jetty.sandbox.world, jetty.private
    newest = world.post(channel, channel.peer, text="the newest")
    for _ in range(300):
        world.edit(channel.messages[2], text="again")
    jetty.sandbox.faults.reset()
    assert (await client.history(peer_of(channel), newest.id - 1)).last_id == newest.id
    assert calls(jetty) == [0, 2, 1, 1]


async def test_far_behind(jetty: Jetty, client: TelethonBotReading) -> None:
    """A client that knows an old state and has missed a thousand updates begins anew, and misses nothing."""
    peer = peer_of(jetty.private)
    await client.history(peer, max(there(jetty.private)))
    fill(jetty, 900)
    jetty.sandbox.faults.reset()
    assert await client._top(peer) == max(there(jetty.private))
    assert jetty.calls("updates.getChannelDifference") <= 4


async def test_an_empty_channel(jetty: Jetty, client: TelethonBotReading) -> None:
    jetty.private.messages.clear()
    jetty.private.changes.clear()
    jetty.private.pts = 1
    page = await client.history(peer_of(jetty.private), 0)
    assert (page.posts, page.last_id, page.is_last) == ((), None, True)


async def test_files_come(jetty: Jetty, client: TelethonBotReading) -> None:
    """Both DCs: parts are as good as those that a person's account gets."""
    posts = await client.posts(peer_of(jetty.private), there(jetty.private))
    world = jetty.sandbox.world
    documents = {document.id: document for _, _, document in world.documents()}
    locations = [post.location for post in posts if post.location]
    assert {location.dc_id for location in locations} == {2, 4}
    for location in locations:
        part = await client.read_part(location, 0)
        assert part == world.document_bytes(documents[location.document_id], 0, 1024 * 1024)


@pytest.mark.parametrize("holes", [False, True], ids=["dense", "holes"])
async def test_where_to_start(jetty: Jetty, client: TelethonBotReading, holes: bool) -> None:
    """Everything, the last n ids, only new, since a date: found by halves, in few calls."""
    world, channel, peer = jetty.sandbox.world, jetty.private, peer_of(jetty.private)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    for message in channel.messages.values():
        message.date, message.version = int(began.timestamp()) - 1, 2
    for day in range(1500):
        message = world.post(channel, channel.peer, text=f"day {day}")
        message.date, message.version = int((began + timedelta(days=day)).timestamp()), 1
        if holes and day % 400 < 250:
            world.delete(message)
    top, present = max(there(channel)), there(channel)
    assert await client.start_after(peer, Start()) == 0
    assert await client.start_after(peer, Start(StartKind.LAST, count=10)) == top - 10
    assert await client.start_after(peer, Start(StartKind.LAST, count=10_000)) == 0
    assert await client.start_after(peer, Start(StartKind.NEW, message_id=7)) == 7
    assert await client.start_after(peer, Start(StartKind.NEW)) == top
    for day in (0, 1, 399, 400, 777, 1499, 1600):
        since = began + timedelta(days=day)
        jetty.sandbox.faults.reset()
        after = await client.start_after(peer, Start(StartKind.SINCE, at=since))
        wanted = [each for each in present if channel.messages[each].date >= since.timestamp()]
        assert [each for each in present if each > after] == wanted
        assert jetty.calls("channels.getMessages") <= 12


async def test_a_hole_that_is_too_long_costs_no_message(jetty: Jetty, client: TelethonBotReading) -> None:
    """Where nothing can be told for thousands of ids, it begins earlier rather than too late."""
    world, channel, peer = jetty.sandbox.world, jetty.private, peer_of(jetty.private)
    channel.next_message_id = 20_000
    world.post(channel, channel.peer, text="now")
    jetty.sandbox.faults.reset()
    after = await client.start_after(peer, Start(StartKind.SINCE, at=datetime.now(UTC) - timedelta(hours=1)))
    assert after < 20_000
    assert jetty.calls("channels.getMessages") <= 60


async def test_what_bots_may_not_do(jetty: Jetty, client: TelethonBotReading, bot: WorldAccount) -> None:
    """Listing channels and the gate are refused here, before Telegram is asked; small groups as well."""
    before = dict(jetty.sandbox.faults.counts[bot.id])
    for refused in (client.channels(), client.dialogs(None), client.look(Peer(-4711, 0))):
        with pytest.raises(AccountRequired):
            await refused
    with pytest.raises(AccountRequired):
        await jetty.clients.gate(await sign_in(jetty, bot))
    assert dict(jetty.sandbox.faults.counts[bot.id]) == before


async def test_a_look_by_the_id_alone(jetty: Jetty, client: TelethonBotReading) -> None:
    """A bot needs no access hash where it is a member, and learns it; elsewhere the channel is unavailable."""
    seen = await client.look(Peer(jetty.private.peer, 0))
    assert (seen.peer, seen.channel.title) == (peer_of(jetty.private), jetty.private.title)
    for stranger in (Peer(jetty.gate.peer, 0), peer_of(jetty.gate)):
        with pytest.raises(ChannelUnavailable):
            await client.look(stranger)


async def test_tokens_and_applications_that_are_none(jetty: Jetty, bot: WorldAccount) -> None:
    """Each has its own error, which says nothing of the token."""
    old = bot.token or ""
    jetty.sandbox.world.revoke_token(bot.id)
    login = await jetty.clients.login(jetty.api(jetty.admin))
    for token in (old, "123456:nonsense"):
        with pytest.raises(TokenInvalid) as refused:
            await login.sign_in_bot(token)
        assert token not in repr(refused.value) + str(refused.value.__cause__)
    await login.close()
    jetty.admin.api_hash = "0" * 32
    other = await jetty.clients.login(jetty.api(jetty.second))
    jetty.second.api_hash = "0" * 32
    with pytest.raises(ApiCredentialsInvalid):
        await other.sign_in_bot(bot.token or "")
    await other.close()


async def test_one_top_for_all(jetty: Jetty, client: TelethonBotReading) -> None:
    """Windows that are asked for at once ask for the newest id once."""
    fill(jetty, 500)
    jetty.sandbox.faults.reset()
    await asyncio.gather(*(client.history(peer_of(jetty.private), after) for after in (0, 100, 200)))
    assert calls(jetty) == [0, 1, 1, 3]
