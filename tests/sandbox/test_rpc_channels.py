"""Channels and their people by unmodified clients, and the small methods that clients call by the way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from telethon import errors
from telethon.tl import functions, types

from sandbox.mtproto.rpc import REGISTRY
from sandbox.scenarios import ADMIN, BOT, SECOND, SECOND_LINK, THIRD
from sandbox.world import SERVICE_ID, Link, Membership
from tests.sandbox.rpc_kit import Telegram, open_telegram


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    async with open_telegram(tmp_path) as opened:
        yield opened


def group_of(telegram: Telegram) -> types.InputPeerChannel:
    return types.InputPeerChannel(telegram.group.id, telegram.group.access_hash)


async def test_participants(telegram: Telegram) -> None:
    """Telethon lists members, admins with their rights, bots, and finds people by name."""
    client, group = await telegram.telethon(), group_of(telegram)
    members = await client.get_participants(group)
    assert {member.id for member in members} == set(telegram.group.members)
    assert members.total == telegram.group.member_count
    admins = await client.get_participants(group, filter=types.ChannelParticipantsAdmins())
    rights = {admin.id: admin.participant for admin in admins}
    assert isinstance(rights[ADMIN], types.ChannelParticipantCreator)
    assert rights[SECOND].admin_rights.invite_users
    assert rights.keys() == {ADMIN, SECOND, BOT}
    bots = await client.get_participants(group, filter=types.ChannelParticipantsBots())
    assert [bot.id for bot in bots] == [BOT]
    assert [found.id for found in await client.get_participants(group, search="bOrIs")] == [SECOND]
    assert not await client.get_participants(group, filter=types.ChannelParticipantsKicked(""))
    permissions = await client.get_permissions(group, "me")
    assert permissions.is_creator
    assert permissions.invite_users


async def test_participants_are_not_for_everybody(telegram: Telegram) -> None:
    """Readers of a channel see themselves and nobody else; who is outside sees nobody."""
    reader = await telegram.telethon(THIRD)
    news = await reader.get_input_entity("harbour_news")
    with pytest.raises(errors.ChatAdminRequiredError):
        await reader(functions.channels.GetParticipantsRequest(news, types.ChannelParticipantsRecent(), 0, 10, 0))
    own = await reader(functions.channels.GetParticipantRequest(news, types.InputPeerSelf()))
    assert isinstance(own.participant, types.ChannelParticipantSelf)
    with pytest.raises(errors.ChatAdminRequiredError):
        await reader(functions.channels.GetAdminLogRequest(news, "", 0, 0, 10))


async def test_a_group_may_hide_its_members(telegram: Telegram) -> None:
    """Then its administrators alone see them, and the group says so."""
    telegram.group.members[THIRD] = Membership(THIRD, telegram.world.now())
    telegram.group.members_hidden = True
    admin, group = await telegram.telethon(), group_of(telegram)
    full = (await admin(functions.channels.GetFullChannelRequest(group))).full_chat
    assert full.participants_hidden
    assert full.can_view_participants
    assert len(await admin.get_participants(group)) == len(telegram.group.members)
    member = await telegram.telethon(THIRD)
    assert not (await member(functions.channels.GetFullChannelRequest(group))).full_chat.can_view_participants
    with pytest.raises(errors.ChatAdminRequiredError):
        await member.get_participants(group)


async def test_links_to_posts(telegram: Telegram) -> None:
    """By name where a channel has one, else by number."""
    client = await telegram.telethon()
    news = await client.get_input_entity("harbour_news")
    post = (await client.get_messages(news, limit=1))[0].id
    assert (
        await client(functions.channels.ExportMessageLinkRequest(news, post))
    ).link == f"https://t.me/harbour_news/{post}"
    group = group_of(telegram)
    last = (await client.get_messages(group, limit=1))[0].id
    told = await client(functions.channels.ExportMessageLinkRequest(group, last))
    assert told.link == f"https://t.me/c/{telegram.group.id}/{last}"
    with pytest.raises(errors.MessageIdInvalidError):
        await client(functions.channels.ExportMessageLinkRequest(group, 2**30))


async def test_admin_log(telegram: Telegram) -> None:
    """Who came, by whom, and who left: newest first, in pages, narrowed by kind and by admin."""
    client, group = await telegram.telethon(), group_of(telegram)
    first, second, third = list(telegram.group.requests)[:3]
    telegram.world.decide(telegram.group, first, ADMIN, approve=True)
    telegram.world.decide(telegram.group, second, SECOND, approve=True)
    telegram.world.decide(telegram.group, third, BOT, approve=True)
    leaver = await telegram.telethon(first)
    await leaver(functions.channels.LeaveChannelRequest(group))

    async def log(**narrow: object) -> list[tuple[int, str]]:
        asked = {"q": "", "max_id": 0, "min_id": 0, "limit": 100, **narrow}
        found = await client(functions.channels.GetAdminLogRequest(group, **asked))
        return [
            (event.user_id, type(event.action).__name__.removeprefix("ChannelAdminLogEventAction"))
            for event in found.events
        ]

    by_request = "ParticipantJoinByRequest"
    whole = [(first, "ParticipantLeave"), (third, by_request), (second, by_request), (first, by_request)]
    assert await log() == whole
    assert await log(limit=2) == whole[:2]
    assert await log(max_id=3) == whole[2:]
    assert await log(min_id=3) == whole[:1]
    assert await log(events_filter=types.ChannelAdminLogEventsFilter(leave=True)) == whole[:1]
    assert await log(events_filter=types.ChannelAdminLogEventsFilter(invites=True)) == whole[1:]
    boris = types.InputUser(SECOND, telegram.world.accounts[SECOND].access_hash)
    assert await log(admins=[boris]) == [whole[2]]


async def test_writing(telegram: Telegram) -> None:
    """Members write in a group, admins in a channel, people to bots; nothing empty, nothing endless."""
    client, second = await telegram.telethon(), await telegram.telethon(SECOND)
    sent = await client.send_message(group_of(telegram), "ahoy")
    assert telegram.group.messages[sent.id].text == "ahoy"
    archive = types.InputPeerChannel(telegram.archive.id, telegram.archive.access_hash)
    posted = await client.send_message(archive, "notice")
    assert telegram.archive.messages[posted.id].sender == telegram.archive.peer
    with pytest.raises(errors.ChatWriteForbiddenError):
        await second.send_message(archive, "may I?")
    bot = await client.get_entity(telegram.bot.username)
    said = await client.send_message(bot, "/start")
    assert telegram.world.private_chat(BOT, ADMIN)[said.id].text == "/start"
    assert ADMIN in telegram.world.started_bots[BOT]
    with pytest.raises(errors.PeerIdInvalidError):
        await client.send_message(await client.get_entity("clara_o"), "hello")
    with pytest.raises(errors.MessageEmptyError):
        await client(functions.messages.SendMessageRequest(bot, ""))
    with pytest.raises(errors.MessageTooLongError):
        await client(functions.messages.SendMessageRequest(bot, "x" * 4097))


async def test_single_dialogs_and_messages(telegram: Telegram) -> None:
    """One chat's entry in the list, and private messages by their ids."""
    client, world = await telegram.telethon(), telegram.world
    world.send_code(str(telegram.admin.phone), 1)
    said = world.send_private(BOT, ADMIN, BOT, text="hello")
    archive = types.InputPeerChannel(telegram.archive.id, telegram.archive.access_hash)
    service = types.InputPeerUser(SERVICE_ID, 0)
    found = await client(
        functions.messages.GetPeerDialogsRequest([types.InputDialogPeer(archive), types.InputDialogPeer(service)])
    )
    assert [dialog.top_message for dialog in found.dialogs] == [
        telegram.archive.next_message_id - 1,
        next(iter(world.service[ADMIN])),
    ]
    assert (await client(functions.messages.GetPinnedDialogsRequest(0))).dialogs == []
    ids = [types.InputMessageID(number) for number in (said.id, 999)]
    messages = (await client(functions.messages.GetMessagesRequest(ids))).messages
    assert [getattr(message, "message", None) for message in messages] == ["hello", None]
    with pytest.raises(errors.MessageIdsEmptyError):
        await client(functions.messages.GetMessagesRequest([]))


async def test_invite_links(telegram: Telegram) -> None:
    """An admin's links, each with how many wait who came by it; a member's check of a link shows the chat."""
    client, group = await telegram.telethon(), group_of(telegram)
    waiting = [row.link for row in telegram.group.requests.values()]
    made = [telegram.group.invite_link, SECOND_LINK]
    links = await client(functions.messages.GetExportedChatInvitesRequest(group, types.InputUserSelf(), 10))
    assert [(link.link, link.requested) for link in links.invites] == [(link, waiting.count(link)) for link in made]
    assert [(link.permanent, link.title) for link in links.invites] == [(True, None), (False, "Flyer")]
    first = await client(functions.messages.GetExportedChatInvitesRequest(group, types.InputUserSelf(), 1))
    rest = await client(
        functions.messages.GetExportedChatInvitesRequest(
            group, types.InputUserSelf(), 1, offset_date=first.invites[0].date, offset_link=first.invites[0].link
        )
    )
    assert [page.invites[0].link for page in (first, rest)] == made
    assert [page.count for page in (first, rest)] == [2, 2]
    known = await client(functions.messages.CheckChatInviteRequest(telegram.group.invite_hash))
    assert isinstance(known, types.ChatInviteAlready)
    assert known.chat.id == telegram.group.id


async def test_links_of_other_admins(telegram: Telegram) -> None:
    """The creator sees whose they are, and the revoked ones; another admin sees his own only."""
    client, second, group = await telegram.telethon(), await telegram.telethon(SECOND), group_of(telegram)
    telegram.group.links += [
        Link("https://t.me/+b0r1s", SECOND, 1, "Boris"),
        Link("https://t.me/+0ld", ADMIN, 1, revoked=True),
    ]
    admins = (await client(functions.messages.GetAdminsWithInvitesRequest(group))).admins
    counts = {admin.admin_id: (admin.invites_count, admin.revoked_invites_count) for admin in admins}
    assert counts == {ADMIN: (2, 1), SECOND: (1, 0)}
    exported = functions.messages.GetExportedChatInvitesRequest
    boris = types.InputUser(SECOND, telegram.world.accounts[SECOND].access_hash)
    assert [link.title for link in (await client(exported(group, boris, 10))).invites] == ["Boris"]
    assert [link.title for link in (await second(exported(group, types.InputUserSelf(), 10))).invites] == ["Boris"]
    anna = types.InputUser(ADMIN, telegram.admin.access_hash)
    for request in (exported(group, anna, 10), functions.messages.GetAdminsWithInvitesRequest(group)):
        with pytest.raises(errors.ChatAdminRequiredError):
            await second(request)
    revoked = await client(exported(group, types.InputUserSelf(), 10, revoked=True))
    assert [link.link for link in revoked.invites] == ["https://t.me/+0ld"]
    asker = await telegram.telethon(THIRD)
    with pytest.raises(errors.InviteHashExpiredError):
        await asker(functions.messages.ImportChatInviteRequest("0ld"))
    with pytest.raises(errors.InviteRequestSentError):
        await asker(functions.messages.ImportChatInviteRequest("b0r1s"))
    assert telegram.group.requests[THIRD].link == "https://t.me/+b0r1s"


async def test_what_clients_ask_at_start(telegram: Telegram) -> None:
    """Where the DCs are and what there is not; no login is needed for that."""
    client = await telegram.telethon(None)
    config = await client(functions.help.GetConfigRequest())
    assert {option.id: option.port for option in config.dc_options} == telegram.servers.ports
    assert (await client(functions.help.GetCdnConfigRequest())).public_keys == []
    assert isinstance((await client(functions.help.GetAppConfigRequest(0))).config, types.JsonObject)
    assert (await client(functions.help.GetTermsOfServiceUpdateRequest())).expires
    signed_in = await telegram.telethon()
    assert await signed_in(functions.account.UpdateStatusRequest(offline=False))
    assert (await signed_in(functions.contacts.GetContactsRequest(0))).users == []


async def test_unknown_methods(telegram: Telegram) -> None:
    """What the sandbox does not know, it says so."""
    assert functions.messages.GetAllStickersRequest not in REGISTRY
    client = await telegram.telethon()
    with pytest.raises(errors.MethodInvalidError):
        await client(functions.messages.GetAllStickersRequest(0))
