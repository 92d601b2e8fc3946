"""The gate by unmodified clients: who waits, in pages of every size, and what becomes of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pyrogram.errors
import pytest
from telethon import TelegramClient, errors
from telethon.tl import functions, types

from sandbox.scenarios import ADMIN, SECOND, SECOND_LINK, THIRD
from sandbox.world import Account
from tests.sandbox.rpc_kit import Telegram, open_telegram


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    async with open_telegram(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
async def harbour(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Telegram]:
    """2,500 waiting people, read by all tests of this file and changed by none."""
    async with open_telegram(tmp_path_factory.mktemp("harbour"), "harbour") as opened:
        yield opened


def in_order(telegram: Telegram) -> list[int]:
    """The waiting people, newest first."""
    rows = sorted(telegram.group.requests.values(), key=lambda row: (row.date, row.user), reverse=True)
    return [row.user for row in rows]


def group_of(telegram: Telegram) -> types.InputPeerChannel:
    return types.InputPeerChannel(telegram.group.id, telegram.group.access_hash)


async def pages(client: TelegramClient, telegram: Telegram, limit: int) -> list[list[int]]:
    """Every page until the empty one, each behind the last row of the one before."""
    found: list[list[int]] = []
    date, user = None, types.InputUserEmpty()
    while True:
        page = await client(
            functions.messages.GetChatInviteImportersRequest(group_of(telegram), date, user, limit, requested=True)
        )
        if not page.importers:
            return found
        assert page.count == len(telegram.group.requests)
        found.append([row.user_id for row in page.importers])
        hashes = {user.id: user.access_hash for user in page.users}
        date, user = page.importers[-1].date, types.InputUser(found[-1][-1], hashes[found[-1][-1]])


# Listing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [100, 200, 1000])
async def test_all_2500_in_pages(harbour: Telegram, limit: int) -> None:
    """Nobody is missed or told twice where rows of one second lie across a border; a page has 200 rows at most."""
    client = await harbour.telethon()
    found = await pages(client, harbour, limit)
    assert [len(page) for page in found[:-1]] == [min(limit, 200)] * (len(found) - 1)
    assert [user_id for page in found for user_id in page] == in_order(harbour)


@pytest.mark.parametrize("limit", [1, 7, 30])
async def test_small_pages(telegram: Telegram, limit: int) -> None:
    """The same for pages of any size, and for a smaller cap."""
    telegram.world.requests_page_cap = 10
    found = await pages(await telegram.telethon(), telegram, limit)
    assert max(map(len, found)) == min(limit, 10)
    assert [user_id for page in found for user_id in page] == in_order(telegram)


async def test_kurigram_lists_all(harbour: Telegram) -> None:
    """kurigram's own walk brings all 2,500, with what each row says."""
    client = await harbour.kurigram()
    [_ async for _ in client.get_dialogs()]
    rows = [row async for row in client.get_chat_join_requests(harbour.group.peer)]
    assert [row.user.id for row in rows] == in_order(harbour)
    for row in rows[:300]:
        account: Account = harbour.world.accounts[row.user.id]
        assert row.pending
        assert (row.user.first_name, row.user.last_name) == (account.first_name, account.last_name or None)
        assert (row.user.username, bool(row.user.photo)) == (account.username, account.has_photo)
        assert (row.user.is_premium, row.user.is_scam, row.user.is_fake) == (
            account.premium, account.scam, account.fake,
        )  # fmt: skip
        assert (row.bio or "") == account.bio
        assert int(row.date.timestamp()) == harbour.group.requests[row.user.id].date


async def test_page_goes_on_when_its_last_row_has_gone(telegram: Telegram) -> None:
    """Somebody who withdrew between two pages still marks the place."""
    client, expected = await telegram.telethon(), in_order(telegram)
    first = await client(
        functions.messages.GetChatInviteImportersRequest(
            group_of(telegram), None, types.InputUserEmpty(), 10, requested=True
        )
    )
    last = first.importers[-1]
    telegram.world.withdraw(telegram.group, last.user_id)
    user = types.InputUser(last.user_id, telegram.world.accounts[last.user_id].access_hash)
    second = await client(
        functions.messages.GetChatInviteImportersRequest(group_of(telegram), last.date, user, 10, requested=True)
    )
    assert [row.user_id for row in second.importers] == expected[10:20]


async def test_narrowed_lists(harbour: Telegram) -> None:
    """By invite link, and by name; not by both."""
    client, group = await harbour.telethon(), group_of(harbour)

    async def listed(**narrow: str) -> types.messages.ChatInviteImporters:
        return await client(
            functions.messages.GetChatInviteImportersRequest(
                group, None, types.InputUserEmpty(), 200, requested=True, **narrow
            )
        )

    by_link = await listed(link=SECOND_LINK.replace("+", "joinchat/"))
    assert by_link.count == sum(row.link == SECOND_LINK for row in harbour.group.requests.values()) > 0
    assert {harbour.group.requests[row.user_id].link for row in by_link.importers} == {SECOND_LINK}
    named = await listed(q="иВАн")
    assert {user.first_name for user in named.users} == {"Иван"}
    with pytest.raises(errors.SearchWithLinkNotSupportedError):
        await listed(q="x", link=SECOND_LINK)


async def test_only_for_admins(telegram: Telegram) -> None:
    """Nobody else may look at the gate, or decide."""
    for user_id in (THIRD, next(iter(telegram.group.members.keys() - {ADMIN, SECOND, telegram.bot.id}))):
        client = await telegram.telethon(user_id)
        expected = errors.ChannelPrivateError if user_id == THIRD else errors.ChatAdminRequiredError
        with pytest.raises(expected):
            await pages(client, telegram, 10)
        with pytest.raises(expected):
            await client(functions.messages.HideAllChatJoinRequestsRequest(group_of(telegram), approved=True))


# Deciding ---------------------------------------------------------------------------------------------------------


async def test_approve_and_decline(telegram: Telegram) -> None:
    """kurigram lets one in and turns one away; the admin log and the count say so."""
    client, group = await telegram.kurigram(), telegram.group
    [_ async for _ in client.get_dialogs()]
    first, second, *_ = [row.user.id async for row in client.get_chat_join_requests(group.peer)]
    assert await client.approve_chat_join_request(group.peer, first)
    assert await client.decline_chat_join_request(group.peer, second)
    assert (list(group.approved), list(group.denied)) == ([first], [second])
    assert first in group.members
    assert second not in group.members
    assert (await client.get_chat(group.peer)).join_requests_count == 28

    other = await telegram.telethon()
    log = await other(functions.channels.GetAdminLogRequest(group_of(telegram), "", 0, 0, 100))
    assert [(event.user_id, event.action.approved_by) for event in log.events] == [(first, ADMIN)]
    person = types.InputPeerUser(first, telegram.world.accounts[first].access_hash)
    assert (await other(functions.channels.GetParticipantRequest(group_of(telegram), person))).participant
    stranger = types.InputPeerUser(second, telegram.world.accounts[second].access_hash)
    with pytest.raises(errors.UserNotParticipantError):
        await other(functions.channels.GetParticipantRequest(group_of(telegram), stranger))


async def test_decisions_that_come_too_late(telegram: Telegram) -> None:
    """Each reason why a request cannot be decided has its error."""
    client, group, world = await telegram.kurigram(), telegram.group, telegram.world
    [_ async for _ in client.get_dialogs()]
    let_in, withdrawn, gone, full, *_ = [row.user.id async for row in client.get_chat_join_requests(group.peer)]
    await client.approve_chat_join_request(group.peer, let_in)
    with pytest.raises(pyrogram.errors.UserAlreadyParticipant):
        await client.approve_chat_join_request(group.peer, let_in)
    world.withdraw(group, withdrawn)
    with pytest.raises(pyrogram.errors.HideRequesterMissing):
        await client.decline_chat_join_request(group.peer, withdrawn)
    world.accounts[gone].deactivated = True
    with pytest.raises(pyrogram.errors.InputUserDeactivated):
        await client.approve_chat_join_request(group.peer, gone)
    world.accounts[full].too_many_channels = True
    with pytest.raises(pyrogram.errors.UserChannelsTooMuch):
        await client.approve_chat_join_request(group.peer, full)
    assert full in group.requests
    with pytest.raises(pyrogram.errors.UserIdInvalid):
        await client.invoke(
            pyrogram.raw.functions.messages.HideChatJoinRequest(
                peer=await client.resolve_peer(group.peer),
                user_id=pyrogram.raw.types.InputUser(user_id=full, access_hash=1),
            )
        )


async def test_approve_all_but_those_who_cannot(telegram: Telegram) -> None:
    """All at once: who is in too many channels stays, everybody else is in."""
    client, group = await telegram.kurigram(), telegram.group
    [_ async for _ in client.get_dialogs()]
    waiting = in_order(telegram)
    telegram.world.accounts[waiting[3]].too_many_channels = True
    assert await client.approve_all_chat_join_requests(group.peer)
    assert [row.user.id async for row in client.get_chat_join_requests(group.peer)] == [waiting[3]]
    assert group.members.keys() >= set(waiting) - {waiting[3]}


async def test_decline_all_of_one_link(telegram: Telegram) -> None:
    """A link narrows the decision to those who came by it, however it is written."""
    client, group = await telegram.kurigram(), telegram.group
    [_ async for _ in client.get_dialogs()]
    by_link = {row.user for row in group.requests.values() if row.link == group.invite_link}
    rest = group.requests.keys() - by_link
    assert by_link
    assert await client.decline_all_chat_join_requests(group.peer, group.invite_link)
    assert (set(group.denied), set(group.requests)) == (by_link, set(rest))


# Asking -----------------------------------------------------------------------------------------------------------


async def test_joining(telegram: Telegram) -> None:
    """A link that needs approval makes a request; one that does not, and a public channel, let in at once."""
    client, world = await telegram.telethon(THIRD), telegram.world
    invite = await client(functions.messages.CheckChatInviteRequest(telegram.group.invite_hash))
    assert (invite.title, invite.request_needed) == (telegram.group.title, True)
    with pytest.raises(errors.InviteRequestSentError):
        await client(functions.messages.ImportChatInviteRequest(telegram.group.invite_hash))
    assert THIRD in telegram.group.requests
    with pytest.raises(errors.InviteRequestSentError):
        await client(functions.messages.ImportChatInviteRequest(telegram.group.invite_hash))

    await client(functions.messages.ImportChatInviteRequest(telegram.archive.invite_hash))
    assert THIRD in telegram.archive.members
    with pytest.raises(errors.UserAlreadyParticipantError):
        await client(functions.messages.ImportChatInviteRequest(telegram.archive.invite_hash))
    with pytest.raises(errors.InviteHashExpiredError):
        await client(functions.messages.CheckChatInviteRequest("nothing"))

    news = await client.get_entity("harbour_news")
    await client(functions.channels.LeaveChannelRequest(news))
    assert THIRD not in telegram.news.members
    world.accounts[THIRD].too_many_channels = True
    with pytest.raises(errors.ChannelsTooMuchError):
        await client(functions.channels.JoinChannelRequest(news))
    world.accounts[THIRD].too_many_channels = False
    await client(functions.channels.JoinChannelRequest(news))
    assert THIRD in telegram.news.members
    creator = await telegram.telethon()
    with pytest.raises(errors.UserCreatorError):
        await creator(functions.channels.LeaveChannelRequest("harbour_news"))
