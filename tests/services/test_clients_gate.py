"""Real kurigram on a real socket, through our adapter."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.world import Membership
from services.clients.base import Credential, GateClient, Peer, RequestsOffset, RequestsPage
from services.errors import (
    AlreadyMember,
    ChannelUnavailable,
    FloodWait,
    RequestGone,
    RightMissing,
    SessionDead,
    StaysPending,
    TelegramRefused,
    Unreachable,
)
from tests.services.conftest import Jetty


@pytest.fixture
async def credential(jetty: Jetty) -> Credential:
    return jetty.sign_in(jetty.admin)


@pytest.fixture
async def client(jetty: Jetty, credential: Credential) -> AsyncIterator[GateClient]:
    opened = await jetty.clients.gate(credential)
    yield opened
    await opened.close()


@pytest.fixture
def gate(jetty: Jetty) -> Peer:
    return Peer(jetty.gate.peer, jetty.gate.access_hash)


async def all_pages(client: GateClient, gate: Peer) -> list[RequestsPage]:
    pages: list[RequestsPage] = []
    offset: RequestsOffset | None = None
    while True:
        page = await client.join_requests(gate, offset)
        if page.next is None:
            return pages
        pages.append(page)
        offset = page.next


async def test_all_who_wait(jetty: Jetty, client: GateClient, gate: Peer) -> None:
    """All 30 come, none twice, with the access hashes that deciding needs."""
    waiting = set(jetty.gate.requests)
    pages = await all_pages(client, gate)
    seen = [request.user_id for page in pages for request in page.requests]
    assert len(seen) == len(set(seen)) == 30
    assert set(seen) == waiting
    assert pages[0].total == 30
    assert pages[0].access_hashes.keys() >= waiting


async def test_pages_of_any_size(jetty: Jetty, client: GateClient, gate: Peer) -> None:
    """Where pages are shorter than asked for, equal dates at their edges lose nobody and bring nobody twice."""
    jetty.sandbox.world.requests_page_cap = 7
    pages = await all_pages(client, gate)
    seen = [request.user_id for page in pages for request in page.requests]
    assert len(pages) == 5
    assert sorted(seen) == sorted(jetty.gate.requests)


async def test_what_is_told_of_a_person(jetty: Jetty, client: GateClient, gate: Peer) -> None:
    """Name, username, bio, photo, premium and warnings, as the person has them."""
    world = jetty.sandbox.world
    for page in await all_pages(client, gate):
        for request in page.requests:
            person = world.accounts[request.user_id]
            assert request.channel_id == gate.id
            assert request.asked_at.timestamp() == jetty.gate.requests[person.id].date
            if person.deactivated:
                continue
            assert (request.name, request.username) == (person.name, person.username)
            assert (request.bio or "") == person.bio
            assert (request.has_photo, request.is_premium) == (person.has_photo, person.premium)
            assert (request.is_scam, request.is_fake) == (person.scam, person.fake)


async def test_approving_and_denying(jetty: Jetty, client: GateClient, gate: Peer) -> None:
    """One is let in, one is turned away, the others go on waiting."""
    page = await client.join_requests(gate, None)
    world = jetty.sandbox.world
    first, second = [each.user_id for each in page.requests if not world.accounts[each.user_id].deactivated][:2]
    await client.decide(gate, first, page.access_hashes[first], approve=True)
    await client.decide(gate, second, page.access_hashes[second], approve=False)
    assert first in jetty.gate.members
    assert second in jetty.gate.denied
    assert len(jetty.gate.requests) == 28


async def test_who_is_no_longer_there(jetty: Jetty, client: GateClient, gate: Peer) -> None:
    """Withdrawn, let in by somebody else, and in too many channels: three different answers."""
    page = await client.join_requests(gate, None)
    world = jetty.sandbox.world
    alive = [each.user_id for each in page.requests if not world.accounts[each.user_id].deactivated]
    withdrawn, member, busy = alive[:3]
    world.withdraw(jetty.gate, withdrawn)
    world.decide(jetty.gate, member, jetty.admin.id, approve=True)
    world.accounts[busy].too_many_channels = True
    for user_id, error in ((withdrawn, RequestGone), (member, AlreadyMember), (busy, StaysPending)):
        with pytest.raises(error):
            await client.decide(gate, user_id, page.access_hashes[user_id], approve=True)
    assert busy in jetty.gate.requests


async def test_everybody_at_once(jetty: Jetty, client: GateClient, gate: Peer) -> None:
    """One call settles all who wait."""
    await client.decide_all(gate, approve=False)
    assert not jetty.gate.requests
    assert (await client.join_requests(gate, None)).user_ids == ()


async def test_without_the_right(jetty: Jetty, gate: Peer) -> None:
    """An account that may not invite neither sees nor decides."""
    jetty.gate.members[jetty.second.id] = Membership(jetty.second.id, 0)
    client = await jetty.clients.gate(jetty.sign_in(jetty.second))
    try:
        with pytest.raises(RightMissing):
            await client.join_requests(gate, None)
        with pytest.raises(RightMissing):
            await client.decide_all(gate, approve=True)
    finally:
        await client.close()


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("HIDE_REQUESTER_MISSING", RequestGone),
        ("INPUT_USER_DEACTIVATED", RequestGone),
        ("USER_ID_INVALID", RequestGone),
        ("USER_ALREADY_PARTICIPANT", AlreadyMember),
        ("USER_CHANNELS_TOO_MUCH", StaysPending),
        ("CHAT_ADMIN_REQUIRED", RightMissing),
        ("CHANNEL_PRIVATE", ChannelUnavailable),
        ("FLOOD_WAIT_40", FloodWait),
        ("AUTH_KEY_UNREGISTERED", SessionDead),
        ("AUTH_KEY_DUPLICATED", SessionDead),
        ("USER_DEACTIVATED_BAN", SessionDead),
        ("TIMEOUT", Unreachable),
        ("A_WORD_OF_TOMORROW", TelegramRefused),
    ],
)
async def test_telegrams_words(
    jetty: Jetty, client: GateClient, gate: Peer, word: str, error: type[Exception], tmp_path: Path
) -> None:
    """Each answer that is an error becomes ours, and none is written into the working directory."""
    here = tmp_path / "here"
    here.mkdir()
    jetty.sandbox.faults.add("messages.hideChatJoinRequest", error=word)
    with contextlib.chdir(here), pytest.raises(error) as caught:
        await client.decide(gate, 1, 1, approve=True)
    if isinstance(caught.value, TelegramRefused | SessionDead | StaysPending):
        assert word in str(caught.value)
    assert not list(here.iterdir())


async def test_a_lost_connection_is_noticed(jetty: Jetty, client: GateClient, gate: Peer) -> None:
    """A connection that ends without an answer is unreachable at once, and stays so: the pool opens a new one."""
    jetty.sandbox.faults.add("messages.getChatInviteImporters", drop=True)
    async with asyncio.timeout(2):
        with pytest.raises(Unreachable):
            await client.join_requests(gate, None)
        with pytest.raises(Unreachable):
            await client.join_requests(gate, None)


async def test_an_unknown_key(jetty: Jetty, credential: Credential) -> None:
    """A key that Telegram has never seen belongs to a dead session."""
    with pytest.raises(SessionDead) as caught:
        await jetty.clients.gate(replace(credential, auth_key=bytes(range(256))))
    assert caught.value.reason == "AUTH_KEY_NOT_FOUND"


async def test_nobody_listens(jetty: Jetty, credential: Credential) -> None:
    """A server that is not there is unreachable."""
    with pytest.raises(Unreachable):
        await jetty.clients.gate(replace(credential, port=1))


async def test_no_thread_is_left(jetty: Jetty, credential: Credential, gate: Peer) -> None:
    """kurigram starts a thread for each connection; closing ends it."""
    before = set(threading.enumerate())
    client = await jetty.clients.gate(credential)
    await client.join_requests(gate, None)
    workers = [each for each in set(threading.enumerate()) - before if each.name.startswith("CryptoWorker")]
    assert workers
    await client.close()
    for thread in workers:
        await asyncio.to_thread(thread.join, 5)
        assert not thread.is_alive()
    left = set(threading.enumerate()) - before
    assert not any(each.name.startswith(("CryptoWorker", "Handler")) for each in left)


async def test_ban_and_unban(client: GateClient, gate: Peer, jetty: Jetty) -> None:
    """Members and others alike, for good until it is lifted; only where the account may."""
    channel, world = jetty.gate, jetty.sandbox.world
    hashes = (await client.join_requests(gate, None)).access_hashes
    waits, comes = list(hashes)[:2]
    for user_id, approve in ((waits, False), (comes, True)):
        await client.decide(gate, user_id, hashes[user_id], approve=approve)
        await client.ban(gate, user_id, hashes[user_id])
    assert channel.banned == {waits, comes}
    assert comes not in channel.members
    await client.unban(gate, comes, hashes[comes])
    world.ask_to_join(channel, [comes])
    channel.members[jetty.admin.id] = Membership(jetty.admin.id, world.now(), "admin", may_invite=True)
    with pytest.raises(RightMissing):
        await client.ban(gate, comes, hashes[comes])


async def test_who_came_in(jetty: Jetty, client: GateClient, gate: Peer) -> None:
    """The channel's log names who was let in and by whom, newest first, in pages; members are told one by one."""
    page = await client.join_requests(gate, None)
    world = jetty.sandbox.world
    alive = [each.user_id for each in page.requests if not world.accounts[each.user_id].deactivated]
    inside, outside = alive[:5], alive[5]
    for user_id in inside:
        world.decide(jetty.gate, user_id, jetty.admin.id, approve=True)
    joins = (await client.admin_log_joins(gate)).joins
    assert [joined.user_id for joined in joins[:5]] == inside[::-1]
    assert {joined.by for joined in joins[:5]} == {jetty.admin.id}
    below = next(event.id for event in jetty.gate.admin_log if event.user == inside[2])
    assert (await client.admin_log_joins(gate, below)).joins == joins[3:]
    assert await client.is_member(gate, inside[0], page.access_hashes[inside[0]])
    assert not await client.is_member(gate, outside, page.access_hashes[outside])
    members = await client.recent_members(gate)
    assert set(inside) <= set(members.user_ids)
    assert members.total == jetty.gate.member_count
    assert (await client.recent_members(gate, len(jetty.gate.members))).user_ids == ()


async def test_by_one_link(jetty: Jetty, client: GateClient, gate: Peer) -> None:
    """The links by which people came are listed with how many wait, and one of them can be asked for alone."""
    links = await client.invite_links(gate)
    assert await client.link_makers(gate) == []  # the creator asks, and nobody else has made one
    for link in links:
        page = await client.join_requests(gate, None, link.link)
        assert page.total == len(page.requests) == link.waiting
        assert {request.link for request in page.requests} == {link.link}
    assert len(links) == 2
