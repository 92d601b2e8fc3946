"""channels.*: who is in a channel, as what, and what its admins do to them."""

from typing import Any

from telethon.tl import functions, types

from sandbox import members as people_of
from sandbox.mtproto.methods import invites, peers, render
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import AdminEvent, Channel, Membership

PARTICIPANTS_PAGE = 200


@method(functions.channels.GetParticipantRequest)
async def get_participant(call: Call, request: Any) -> Any:
    viewer = call.user
    channel = peers.readable_channel(call, request.channel)
    person = peers.known_user(call, request.participant, "PARTICIPANT_ID_INVALID")
    if person.id != viewer.id:
        _must_see_members(channel, viewer.id)
    member = channel.members.get(person.id)
    if member is None and (person.id not in channel.banned or not _administers(channel, viewer.id)):
        raise fail("USER_NOT_PARTICIPANT")
    found = shown(channel, member, viewer.id) if member else _banned(channel, person.id)
    people = {person.id, found.kicked_by} if member is None else {person.id}
    return types.channels.ChannelParticipant(found, [], render.users(call.world, people, viewer.id))


@method(functions.channels.GetParticipantsRequest)
async def get_participants(call: Call, request: Any) -> Any:
    viewer, world = call.user, call.world
    channel = peers.readable_channel(call, request.channel)
    _must_see_members(channel, viewer.id)
    members = sorted(channel.members.values(), key=lambda member: (-member.date, member.user))
    count = channel.member_count
    match request.filter:
        case types.ChannelParticipantsRecent():
            pass
        case types.ChannelParticipantsAdmins():
            members = [member for member in members if member.role != "member"]
            count = len(members)
        case types.ChannelParticipantsBots():
            members = [member for member in members if world.account(member.user).is_bot]
            count = len(members)
        case types.ChannelParticipantsSearch(q=q):
            wanted = q.casefold()
            members = [member for member in members if wanted in world.account(member.user).name.casefold()]
            count = len(members) if q else count
        case types.ChannelParticipantsKicked(q=q):
            return _kicked(call, channel, q, request.offset, request.limit)
        case types.ChannelParticipantsBanned():
            members, count = [], 0  # those who may do less than others: nobody here
        case _:
            raise fail("FILTER_INVALID")
    limit = min(max(request.limit, 0), PARTICIPANTS_PAGE)
    page = members[request.offset : request.offset + limit]
    return types.channels.ChannelParticipants(
        count,
        [shown(channel, member, viewer.id) for member in page],
        [],
        render.users(world, {member.user for member in page}, viewer.id),
    )


def _must_see_members(channel: Channel, viewer_id: int) -> None:
    """Members of a group see each other, if it does not hide them; those of a channel are seen by its admins only."""
    member = channel.members.get(viewer_id)
    is_open = channel.megagroup and not channel.members_hidden
    if member is None or (not is_open and member.role == "member"):
        raise fail("CHAT_ADMIN_REQUIRED")


def _administers(channel: Channel, viewer_id: int) -> bool:
    member = channel.members.get(viewer_id)
    return member is not None and member.role != "member"


def _kicked(call: Call, channel: Channel, q: str, offset: int, limit: int) -> Any:
    """Those who are banned, for administrators, in the order of their ids."""
    if not _administers(channel, call.user.id):
        raise fail("CHAT_ADMIN_REQUIRED")
    wanted = q.casefold()
    found = [it for it in sorted(channel.banned) if wanted in call.world.account(it).name.casefold()]
    page = [_banned(channel, it) for it in found[offset : offset + min(max(limit, 0), PARTICIPANTS_PAGE)]]
    people = {it.peer.user_id for it in page} | {it.kicked_by for it in page}
    return types.channels.ChannelParticipants(len(found), page, [], render.users(call.world, people, call.user.id))


def _banned(channel: Channel, user_id: int) -> Any:
    """By whom and when, the admin log says."""
    for event in reversed(channel.admin_log):
        if (event.action, event.user) == ("ban", user_id):
            return banned(event)
    return banned(AdminEvent(0, channel.created, _creator(channel), user_id, "ban"))


def _creator(channel: Channel) -> int:
    return next(member.user for member in channel.members.values() if member.role == "creator")


def banned(event: AdminEvent) -> Any:
    """Somebody who is out for good."""
    rights = types.ChatBannedRights(None, view_messages=True, send_messages=True)
    return types.ChannelParticipantBanned(types.PeerUser(event.user), event.actor, event.date, rights, left=True)


def shown(channel: Channel, member: Membership, viewer_id: int = 0) -> Any:
    rights = render.admin_rights(member)
    match member.role:
        case "creator":
            return types.ChannelParticipantCreator(member.user, rights)
        case "admin":
            return types.ChannelParticipantAdmin(member.user, _creator(channel), member.date, rights)
        case _ if member.user == viewer_id:
            via_request = member.user in channel.approved
            inviter = channel.approved.get(member.user, member.user)
            return types.ChannelParticipantSelf(member.user, inviter, member.date, via_request=via_request)
        case _:
            return types.ChannelParticipant(member.user, member.date)


# What admins do ---------------------------------------------------------------------------------------------------


@method(functions.channels.EditBannedRequest)
async def edit_banned(call: Call, request: Any) -> Any:
    """Bans for good and lifts them. Taking only some rights from a member is not modelled: BANNED_RIGHTS_INVALID."""
    channel = peers.readable_channel(call, request.channel)
    person = peers.known_user(call, request.participant, "PARTICIPANT_ID_INVALID")
    if request.banned_rights.view_messages:
        people_of.ban(call.world, channel, person.id, call.user.id)
    elif not _given(request.banned_rights):
        people_of.unban(call.world, channel, person.id, call.user.id)
    else:
        raise fail("BANNED_RIGHTS_INVALID")
    return invites.moved(call, channel)


@method(functions.channels.EditAdminRequest)
async def edit_admin(call: Call, request: Any) -> Any:
    """Rights that the sandbox does not model make an administrator all the same; none at all a member."""
    channel = peers.readable_channel(call, request.channel)
    person = peers.known_user(call, request.user_id)
    given = _given(request.admin_rights)
    if given:
        flags = {"invite_users": "invite", "ban_users": "ban", "manage_topics": "topics"}
        rights = [right for flag, right in flags.items() if flag in given]
        people_of.appoint(call.world, channel, person.id, call.user.id, rights)
    else:
        people_of.dismiss(call.world, channel, person.id, call.user.id)
    return invites.moved(call, channel)


def _given(rights: Any) -> set[str]:
    """The flags that are set."""
    return {name for name, value in rights.to_dict().items() if value is True}
