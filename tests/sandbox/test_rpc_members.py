"""Bans and appointments by unmodified Telethon and kurigram, and what lists, log and listeners say of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pyrogram.errors
import pyrogram.types
import pytest
from telethon import errors
from telethon.tl import functions, types

from sandbox.scenarios import ADMIN, BOT, SECOND, SECOND_LINK, THIRD
from tests.sandbox.rpc_kit import Telegram, open_telegram


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    async with open_telegram(tmp_path) as opened:
        yield opened


def group_of(telegram: Telegram) -> types.InputPeerChannel:
    return types.InputPeerChannel(telegram.group.id, telegram.group.access_hash)


def person_of(telegram: Telegram, user_id: int) -> types.InputPeerUser:
    return types.InputPeerUser(user_id, telegram.world.accounts[user_id].access_hash)


async def test_telethon_bans(telegram: Telegram) -> None:
    """A waiting person and a member are banned, shown and found as such, logged, and let back."""
    client, group = await telegram.telethon(), group_of(telegram)
    waiting = next(iter(telegram.group.requests))
    member = next(m.user for m in telegram.group.members.values() if m.role == "member")
    people = [person_of(telegram, user_id) for user_id in (waiting, member)]
    for person in people:
        await client.edit_permissions(group, person, view_messages=False)
    assert telegram.group.banned == {waiting, member}
    assert member not in telegram.group.members
    assert waiting in telegram.group.requests
    found = await client(functions.channels.GetParticipantRequest(group, people[0]))
    assert isinstance(found.participant, types.ChannelParticipantBanned)
    assert (found.participant.kicked_by, found.participant.banned_rights.view_messages) == (ADMIN, True)
    kicked = await client.get_participants(group, filter=types.ChannelParticipantsKicked(""))
    assert {each.id for each in kicked} == {waiting, member}
    await client.edit_permissions(group, people[1])
    assert telegram.group.banned == {waiting}
    assert member not in telegram.group.members

    async def log(**flags: bool) -> list[tuple[int, type, type]]:
        chosen = types.ChannelAdminLogEventsFilter(**flags)
        found = await client(functions.channels.GetAdminLogRequest(group, "", 0, 0, 100, events_filter=chosen))
        assert {event.user_id for event in found.events} <= {ADMIN}
        return [
            (it.action.prev_participant.peer.user_id if hasattr(it.action.prev_participant, "peer") else member,
             type(it.action.prev_participant), type(it.action.new_participant))
            for it in found.events
        ]  # fmt: skip

    out, left, known = types.ChannelParticipantBanned, types.ChannelParticipantLeft, types.ChannelParticipant
    assert await log(ban=True) == [(member, known, out), (waiting, left, out)]
    assert await log(unban=True) == [(member, out, left)]


async def test_kurigram_bans(telegram: Telegram) -> None:
    """kurigram bans and lifts; the right is asked for; admins and the owner are out of reach."""
    client, group = await telegram.kurigram(SECOND), telegram.group
    [_ async for _ in client.get_dialogs()]
    waiting = await anext(row.user.id async for row in client.get_chat_join_requests(group.peer))
    with pytest.raises(pyrogram.errors.ChatAdminRequired):
        await client.ban_chat_member(group.peer, waiting)
    telegram.group.members[SECOND].may_ban = True
    await client.ban_chat_member(group.peer, waiting)
    assert waiting in group.banned
    assert (await client.get_chat_member(group.peer, waiting)).status is pyrogram.enums.ChatMemberStatus.BANNED
    await client.unban_chat_member(group.peer, waiting)
    assert waiting not in group.banned
    for out_of_reach in (ADMIN, BOT):
        person = telegram.world.accounts[out_of_reach]
        with pytest.raises(pyrogram.errors.UserAdminInvalid):
            await client.invoke(
                pyrogram.raw.functions.channels.EditBanned(
                    channel=await client.resolve_peer(group.peer),
                    participant=pyrogram.raw.types.InputPeerUser(user_id=person.id, access_hash=person.access_hash),
                    banned_rights=pyrogram.raw.types.ChatBannedRights(until_date=0, view_messages=True),
                )
            )


async def test_a_banned_person_is_kept_out(telegram: Telegram) -> None:
    """No link lets them ask; a member's rights cannot be narrowed here, and that is said."""
    client, group = await telegram.telethon(), group_of(telegram)
    await client.edit_permissions(group, person_of(telegram, THIRD), view_messages=False)
    third = await telegram.telethon(THIRD)
    with pytest.raises(errors.ChannelPrivateError):
        await third(functions.messages.ImportChatInviteRequest(telegram.group.invite_hash))
    with pytest.raises(errors.BannedRightsInvalidError):
        await client.edit_permissions(group, person_of(telegram, BOT), send_messages=False)


async def test_the_owner_appoints(telegram: Telegram) -> None:
    """Rights come and go by both clients; who is no owner appoints nobody."""
    client, group = await telegram.telethon(), group_of(telegram)
    bot = person_of(telegram, BOT)
    await client.edit_admin(group, bot, invite_users=False, ban_users=True, is_admin=False)
    assert (telegram.group.may_invite(BOT), telegram.group.may_ban(BOT)) == (False, True)
    await client.edit_admin(group, bot, is_admin=False)
    assert telegram.group.members[BOT].role == "member"
    other = await telegram.kurigram()
    [_ async for _ in other.get_dialogs()]
    privileges = pyrogram.types.ChatPrivileges(can_manage_chat=True, can_invite_users=True)
    await other.resolve_peer(telegram.bot.username)
    assert await other.promote_chat_member(telegram.group.peer, BOT, privileges)
    assert (telegram.group.may_invite(BOT), telegram.group.may_ban(BOT)) == (True, False)
    second = await telegram.telethon(SECOND)
    with pytest.raises(errors.RightForbiddenError):
        await second.edit_admin(group, bot, is_admin=False)


async def test_the_log_names_the_link(telegram: Telegram) -> None:
    """Who came by request is logged with the link that they came by."""
    client, group = await telegram.telethon(), group_of(telegram)
    by_flyer = next(row.user for row in telegram.group.requests.values() if row.link == SECOND_LINK)
    telegram.world.decide_all(telegram.group, BOT, approve=True)
    log = await client(functions.channels.GetAdminLogRequest(group, "", 0, 0, 100))
    links = {event.user_id: event.action.invite.link for event in log.events}
    assert links[by_flyer] == SECOND_LINK
    assert set(links.values()) == {SECOND_LINK, telegram.group.invite_link}
    assert {event.action.approved_by for event in log.events} == {BOT}
