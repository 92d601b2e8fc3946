"""Real Telethon on a real socket, through our adapter."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.world import Channel, Document
from services.clients.base import PART_BYTES, Account, Credential, Peer, Post, ReadingClient
from services.clients.peers import id_of_channel
from services.clients.telethon_history import LatePosts
from services.errors import (
    ChannelNotFound,
    ChannelUnavailable,
    FileReferenceExpired,
    FloodWait,
    SessionDead,
    TelegramRefused,
    Unreachable,
)
from storage.models import ChannelKind, FileKind
from storage.types import utc_now
from tests.services.conftest import Jetty


@pytest.fixture
async def credential(jetty: Jetty) -> Credential:
    return jetty.sign_in(jetty.admin)


@pytest.fixture
async def client(jetty: Jetty, credential: Credential) -> AsyncIterator[ReadingClient]:
    opened = await jetty.clients.reading(credential)
    yield opened
    await opened.close()


def peer_of(channel: Channel) -> Peer:
    return Peer(id_of_channel(channel.id), channel.access_hash)


async def whole_history(client: ReadingClient, peer: Peer) -> list[Post]:
    posts: list[Post] = []
    after: int | None = 0
    while after is not None:
        page = await client.history(peer, after)
        posts += page.posts
        after = page.last_id
    return posts


async def test_me(jetty: Jetty, client: ReadingClient) -> None:
    """The account as it names itself."""
    assert await client.me() == Account(jetty.admin.id, "Anna Berg", "anna_berg", "+15550100101")


async def test_every_channel_is_listed(jetty: Jetty, client: ReadingClient) -> None:
    """Channels and groups of the account, with kind, name and right, and nobody's private chat."""
    seen = {each.channel.id: each for each in await client.channels()}
    assert set(seen) == {channel.peer for channel in jetty.sandbox.world.channels.values()}
    private, public, gate = (seen[channel.peer] for channel in (jetty.private, jetty.public, jetty.gate))
    assert (private.channel.kind, private.channel.is_private) == (ChannelKind.CHANNEL, True)
    assert public.channel.username == jetty.public.username
    assert gate.channel.kind is ChannelKind.SUPERGROUP
    assert gate.may_invite
    assert gate.peer == peer_of(jetty.gate)


async def test_a_name_is_resolved(jetty: Jetty, client: ReadingClient) -> None:
    """@name becomes a channel that can be read."""
    seen = await client.resolve(jetty.public.username or "")
    assert seen.peer == peer_of(jetty.public)


@pytest.mark.parametrize("name", ["nobody_has_this", "anna_berg", "x"])
async def test_a_name_without_a_channel(client: ReadingClient, name: str) -> None:
    """Nobody's name, a person's and an impossible one are no channels."""
    with pytest.raises(ChannelNotFound):
        await client.resolve(name)


async def test_a_look_counts_members(jetty: Jetty, client: ReadingClient) -> None:
    """A look brings the number of members."""
    seen = await client.look(peer_of(jetty.gate))
    assert seen.channel.members == jetty.gate.member_count


async def test_history_is_complete_and_ascends(jetty: Jetty, client: ReadingClient) -> None:
    """Every message that is there, once, oldest first, whatever page it is asked in."""
    for channel in (jetty.private, jetty.public, jetty.gate):
        there = [m for m in channel.messages.values() if not m.deleted and m.action is None]
        posts = await whole_history(client, peer_of(channel))
        assert [post.message.id for post in posts] == [message.id for message in there]
        assert [post.message.text for post in posts] == [message.text for message in there]


async def test_history_in_many_pages(jetty: Jetty, client: ReadingClient) -> None:
    """450 posts more, some deleted, come in pages of 100 without a gap or a repeat."""
    world, channel = jetty.sandbox.world, jetty.private
    for number in range(450):
        message = world.post(channel, channel.peer, text=f"post {number}")
        if number % 7 == 0:
            world.delete(message)
    there = [m.id for m in channel.messages.values() if not m.deleted and m.action is None]
    assert [post.message.id for post in await whole_history(client, peer_of(channel))] == there


async def test_history_ends(jetty: Jetty, client: ReadingClient) -> None:
    """Behind the newest message there is nothing, and the page says so."""
    newest = max(jetty.private.messages)
    page = await client.history(peer_of(jetty.private), newest)
    assert (page.posts, page.last_id) == ((), None)


async def test_history_says_what_is_left(jetty: Jetty, client: ReadingClient) -> None:
    """Each page tells how many messages lie above it; the last one says that it is the last."""
    world, channel = jetty.sandbox.world, jetty.private
    for number in range(250):
        world.post(channel, channel.peer, text=f"post {number}")
    there = [m.id for m in channel.messages.values() if not m.deleted]
    first = await client.history(peer_of(channel), 0)
    assert (first.newer, first.is_last) == (len(there) - 100, False)
    last = await client.history(peer_of(channel), there[-101])
    assert (last.last_id, last.newer, last.is_last) == (there[-1], 0, True)


async def test_files_are_described(jetty: Jetty, client: ReadingClient) -> None:
    """Each document with its kind, name, type and size; photos by their largest size."""
    posts = {post.message.id: post for post in await whole_history(client, peer_of(jetty.private))}
    kinds = {"document": FileKind.DOCUMENT, "photo": FileKind.PHOTO, "audio": FileKind.AUDIO}
    with_document = [m for m in jetty.private.messages.values() if m.document and not m.deleted]
    assert len(with_document) >= 6
    for message in with_document:
        file, document = posts[message.id].file, message.document
        assert file is not None
        assert document is not None
        assert (file.document_id, file.size_bytes, file.mime) == (document.id, document.size, document.mime)
        assert file.kind is kinds[document.kind]
        if file.kind is not FileKind.PHOTO:
            assert file.name == document.name


async def test_pages_that_are_parsed_late_are_whole(jetty: Jetty, client: ReadingClient) -> None:
    """A page with others above it says where it ends before it is parsed, and holds what the channel holds."""
    channel = jetty.public
    for number in range(250):
        jetty.sandbox.world.post(channel, channel.peer, text=f"post {number}")
    known = sorted(channel.messages)
    page = await client.history(peer_of(channel), 0)
    assert isinstance(page.posts, LatePosts)
    assert (page.last_id, page.newer, page.is_last) == (known[99], len(known) - 100, False)
    posts = [post.message for post in page.posts]
    assert {each.id: each.text for each in posts}.items() <= {
        each: channel.messages[each].text for each in known
    }.items()
    assert [each.id for each in posts] == sorted(each.id for each in posts)
    assert posts[-1].id == page.last_id


async def test_files_come_byte_by_byte(jetty: Jetty, client: ReadingClient) -> None:
    """Every file is put together from its parts, from both DCs, photos too; behind its end there is nothing."""
    dcs = set()
    for post in await whole_history(client, peer_of(jetty.private)):
        if post.location is None:
            continue
        dcs.add(post.location.dc_id)
        parts = -(-post.location.size_bytes // PART_BYTES)
        content = b"".join([await client.read_part(post.location, number) for number in range(parts)])
        document = document_of(jetty, post.location.document_id)
        assert content == jetty.sandbox.world.document_bytes(document, 0, document.size)
        assert await client.read_part(post.location, parts) == b""
    assert dcs == {2, 4}
    assert jetty.calls("auth.exportAuthorization") == 1


async def test_telegrams_hashes_of_a_file(jetty: Jetty, client: ReadingClient) -> None:
    """Of the block that was asked about: ranges, lengths and SHA-256 as the bytes have them, from the file's DC."""
    posts = await whole_history(client, peer_of(jetty.private))
    location = max((post.location for post in posts if post.location), key=lambda each: each.size_bytes)
    document = document_of(jetty, location.document_id)
    hashes = await client.range_hashes(location, PART_BYTES)
    assert [each.offset for each in hashes[:2]] == [PART_BYTES, PART_BYTES + 128 * 1024]
    for each in hashes:
        content = jetty.sandbox.world.document_bytes(document, each.offset, each.size_bytes)
        assert hashlib.sha256(content).digest() == each.sha256
    elsewhere = replace(location, dc_id=6 - location.dc_id)
    assert await client.range_hashes(elsewhere, PART_BYTES) == hashes


def document_of(jetty: Jetty, document_id: int) -> Document:
    return next(document for _, _, document in jetty.sandbox.world.documents() if document.id == document_id)


async def files_at(jetty: Jetty, client: ReadingClient, dc_id: int) -> list[Post]:
    posts = await whole_history(client, peer_of(jetty.private))
    return [post for post in posts if post.location is not None and post.location.dc_id == dc_id]


async def test_parts_at_once(jetty: Jetty, client: ReadingClient) -> None:
    """Several first parts from another DC at once share one connection and one exported login."""
    locations = [post.location for post in await files_at(jetty, client, 4)]
    parts = await asyncio.gather(*(client.read_part(location, 0) for location in locations if location))
    assert all(parts)
    assert jetty.calls("auth.exportAuthorization") == 1


async def test_a_file_that_moved(jetty: Jetty, client: ReadingClient) -> None:
    """Asked at the wrong DC, the part comes from the one that Telegram names."""
    post = (await files_at(jetty, client, 4))[0]
    assert post.location is not None
    assert await client.read_part(replace(post.location, dc_id=2), 0) == await client.read_part(post.location, 0)


async def test_a_stale_reference_is_fetched_anew(jetty: Jetty, client: ReadingClient) -> None:
    """An expired location has its own error; the message, fetched again, brings one that works."""
    post = (await files_at(jetty, client, 4))[0]
    assert post.location is not None
    document_of(jetty, post.location.document_id).reference_version += 1
    with pytest.raises(FileReferenceExpired):
        await client.read_part(post.location, 0)
    again = await client.posts(peer_of(jetty.private), [post.message.id])
    assert again[0].location is not None
    assert await client.read_part(again[0].location, 0)


async def test_deleted_messages_are_missing(jetty: Jetty, client: ReadingClient) -> None:
    """Of the messages asked for, those that are gone do not come."""
    there = [m for m in jetty.private.messages.values() if not m.deleted and m.action is None]
    jetty.sandbox.world.delete(there[3])
    posts = await client.posts(peer_of(jetty.private), [message.id for message in there[:5]])
    assert [post.message.id for post in posts] == [message.id for message in there[:5] if not message.deleted]


async def test_a_channel_that_is_closed_to_the_account(jetty: Jetty, client: ReadingClient) -> None:
    """A ban, and an access hash of another account's, make a channel unavailable."""
    jetty.private.banned.add(jetty.admin.id)
    with pytest.raises(ChannelUnavailable):
        await client.history(peer_of(jetty.private), 0)
    with pytest.raises(ChannelUnavailable):
        await client.look(replace(peer_of(jetty.public), access_hash=1))


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("CHANNEL_PRIVATE", ChannelUnavailable),
        ("AUTH_KEY_UNREGISTERED", SessionDead),
        ("SESSION_REVOKED", SessionDead),
        ("SESSION_EXPIRED", SessionDead),
        ("USER_DEACTIVATED_BAN", SessionDead),
        ("AUTH_KEY_DUPLICATED", SessionDead),
        ("RPC_CALL_FAIL", Unreachable),
        ("A_WORD_OF_TOMORROW", TelegramRefused),
    ],
)
async def test_telegrams_words(jetty: Jetty, client: ReadingClient, word: str, error: type[Exception]) -> None:
    """Each answer that is an error becomes ours, with Telegram's word and nothing of the request."""
    jetty.sandbox.faults.add("messages.getHistory", error=word)
    with pytest.raises(error) as caught:
        await client.history(peer_of(jetty.private), 0)
    if isinstance(caught.value, SessionDead):
        assert caught.value.reason == word
        assert caught.value.is_banned is (word == "USER_DEACTIVATED_BAN")
    if isinstance(caught.value, TelegramRefused):
        assert caught.value.word == word


async def test_a_flood_wait_carries_its_end(jetty: Jetty, client: ReadingClient) -> None:
    """FLOOD_WAIT_7 is raised at once, with the moment when it is over."""
    jetty.sandbox.faults.add("messages.getHistory", error="FLOOD_WAIT_7")
    with pytest.raises(FloodWait) as caught:
        await client.history(peer_of(jetty.private), 0)
    assert timedelta(seconds=5) < caught.value.until - utc_now() <= timedelta(seconds=7)


async def test_a_revoked_session(jetty: Jetty, client: ReadingClient, credential: Credential) -> None:
    """Ended from another device, the session is dead, for an open client and for a new one."""
    jetty.sandbox.world.revoke(jetty.admin.id)
    with pytest.raises(SessionDead):
        await client.me()
    again = await jetty.clients.reading(credential)
    with pytest.raises(SessionDead):
        await again.me()
    await again.close()


async def test_an_unknown_key(jetty: Jetty, credential: Credential) -> None:
    """A key that Telegram has never seen belongs to a dead session."""
    with pytest.raises(SessionDead) as caught:
        await jetty.clients.reading(replace(credential, auth_key=bytes(range(256))))
    assert caught.value.reason == "AUTH_KEY_NOT_FOUND"


async def test_nobody_listens(jetty: Jetty, credential: Credential) -> None:
    """A server that is not there is unreachable, and nothing half-open stays."""
    with pytest.raises(Unreachable):
        await jetty.clients.reading(replace(credential, port=1))


async def test_closing_fails_those_who_wait(jetty: Jetty, client: ReadingClient) -> None:
    """A call under way when the client is closed is unreachable, not cancelled."""
    jetty.sandbox.faults.add("messages.getHistory", delay_ms=5000)
    waiting = asyncio.create_task(client.history(peer_of(jetty.private), 0))
    await jetty.until_called("messages.getHistory")
    await client.close()
    with pytest.raises(Unreachable):
        await waiting


async def test_signing_out(jetty: Jetty, credential: Credential) -> None:
    """After signing out the key is worth nothing."""
    client = await jetty.clients.reading(credential)
    await client.log_out()
    with pytest.raises(SessionDead):
        await client.me()
    await client.close()
