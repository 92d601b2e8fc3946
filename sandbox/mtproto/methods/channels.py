"""channels.*: what a channel is, who is in it, who let them in, coming and going."""

from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import invites, join_requests, peers, render
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import AdminEvent, Channel, Membership

PARTICIPANTS_PAGE = 200
ADMIN_LOG_PAGE = 100


@method(functions.channels.GetChannelsRequest)
async def get_channels(call: Call, request: Any) -> Any:
    found = [peers.readable_channel(call, peer) for peer in request.id]
    return types.messages.Chats([render.channel(channel, call.user.id) for channel in found])


@method(functions.channels.GetFullChannelRequest)
async def get_full_channel(call: Call, request: Any) -> Any:
    """The counts of the gate, and the invite link, are for those who look after it."""
    viewer = call.user
    channel = peers.readable_channel(call, request.channel)
    last_id = channel.next_message_id - 1
    admins = [member for member in channel.members.values() if member.role != "member"]
    full = types.ChannelFull(
        id=channel.id,
        about=channel.about,
        read_inbox_max_id=last_id,
        read_outbox_max_id=last_id,
        unread_count=0,
        chat_photo=types.PhotoEmpty(0),
        notify_settings=types.PeerNotifySettings(),
        bot_info=[],
        pts=channel.pts,
        can_view_participants=channel.megagroup or any(member.user == viewer.id for member in admins),
        participants_count=channel.member_count,
        admins_count=len(admins) if any(member.user == viewer.id for member in admins) else None,
    )
    requesters: set[int] = set()
    if channel.may_invite(viewer.id):
        full.exported_invite = render.invite(channel) if channel.invite_hash else None
        if channel.requests:
            update = join_requests.pending_update(channel)
            full.requests_pending, full.recent_requesters = update.requests_pending, update.recent_requesters
            requesters = set(update.recent_requesters)
    chats = [render.channel(channel, viewer.id)]
    return types.messages.ChatFull(full, chats, render.users(call.world, requesters, viewer.id))


# Members ----------------------------------------------------------------------------------------------------------


@method(functions.channels.GetParticipantRequest)
async def get_participant(call: Call, request: Any) -> Any:
    viewer = call.user
    channel = peers.readable_channel(call, request.channel)
    person = peers.known_user(call, request.participant, "PARTICIPANT_ID_INVALID")
    if person.id != viewer.id:
        _must_see_members(channel, viewer.id)
    member = channel.members.get(person.id)
    if member is None:
        raise fail("USER_NOT_PARTICIPANT")
    return types.channels.ChannelParticipant(
        _participant(channel, member, viewer.id), [], [render.user(person, viewer.id)]
    )


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
        case types.ChannelParticipantsKicked() | types.ChannelParticipantsBanned():
            members, count = [], 0
        case _:
            raise fail("FILTER_INVALID")
    limit = min(max(request.limit, 0), PARTICIPANTS_PAGE)
    page = members[request.offset : request.offset + limit]
    return types.channels.ChannelParticipants(
        count,
        [_participant(channel, member, viewer.id) for member in page],
        [],
        render.users(world, {member.user for member in page}, viewer.id),
    )


def _must_see_members(channel: Channel, viewer_id: int) -> None:
    """Members of a group see each other; those of a channel are seen by its admins only."""
    member = channel.members.get(viewer_id)
    if member is None or (not channel.megagroup and member.role == "member"):
        raise fail("CHAT_ADMIN_REQUIRED")


def _participant(channel: Channel, member: Membership, viewer_id: int) -> Any:
    rights = render.admin_rights(member)
    match member.role:
        case "creator":
            return types.ChannelParticipantCreator(member.user, rights)
        case "admin":
            creator = next((m.user for m in channel.members.values() if m.role == "creator"), member.user)
            return types.ChannelParticipantAdmin(member.user, creator, member.date, rights)
        case _ if member.user == viewer_id:
            via_request = member.user in channel.approved
            inviter = channel.approved.get(member.user, member.user)
            return types.ChannelParticipantSelf(member.user, inviter, member.date, via_request=via_request)
        case _:
            return types.ChannelParticipant(member.user, member.date)


# The admin log ----------------------------------------------------------------------------------------------------


@method(functions.channels.GetAdminLogRequest)
async def get_admin_log(call: Call, request: Any) -> Any:
    """Newest first: who came, by whose approval, and who left."""
    viewer, world = call.user, call.world
    channel = peers.readable_channel(call, request.channel)
    member = channel.members.get(viewer.id)
    if member is None or member.role == "member":
        raise fail("CHAT_ADMIN_REQUIRED")
    events = list(reversed(channel.admin_log))
    if request.events_filter is not None:
        wanted = {
            action
            for action, flags in (
                ("join_by_request", (request.events_filter.join, request.events_filter.invites)),
                ("join", (request.events_filter.join,)),
                ("leave", (request.events_filter.leave,)),
            )
            if any(flags)
        }
        events = [event for event in events if event.action in wanted]
    if request.admins:
        admins = {peers.known_user(call, admin).id for admin in request.admins}
        events = [event for event in events if event.actor in admins]
    if request.max_id:
        events = [event for event in events if event.id < request.max_id]
    limit = min(request.limit if request.limit > 0 else ADMIN_LOG_PAGE, ADMIN_LOG_PAGE)
    page = [event for event in events if event.id > request.min_id][:limit]
    people = {person for event in page for person in (event.user, event.actor)}
    return types.channels.AdminLogResults(
        [types.ChannelAdminLogEvent(event.id, event.date, event.user, _action(channel, event)) for event in page],
        [render.channel(channel, viewer.id)],
        render.users(world, people, viewer.id),
    )


def _action(channel: Channel, event: AdminEvent) -> Any:
    match event.action:
        case "join_by_request":
            return types.ChannelAdminLogEventActionParticipantJoinByRequest(render.invite(channel), event.actor)
        case "leave":
            return types.ChannelAdminLogEventActionParticipantLeave()
        case _:
            return types.ChannelAdminLogEventActionParticipantJoin()


@method(functions.channels.EditBannedRequest)
async def edit_banned(call: Call, request: Any) -> Any:
    """Who may not see messages is banned; whoever has no restriction at all is free again, and no member by that."""
    channel = peers.readable_channel(call, request.channel)
    person = peers.known_user(call, request.participant, "PARTICIPANT_ID_INVALID")
    act = call.world.ban if request.banned_rights.view_messages else call.world.lift_ban
    act(channel, person.id, call.user.id)
    return invites.moved(call, channel)


# Coming and going -------------------------------------------------------------------------------------------------


@method(functions.channels.JoinChannelRequest)
async def join_channel(call: Call, request: Any) -> Any:
    channel = peers.known_channel(call, request.channel)
    if channel.username is None and call.user.id not in channel.members:
        raise fail("CHANNEL_PRIVATE")
    return invites.enter(call, channel)


@method(functions.channels.LeaveChannelRequest)
async def leave_channel(call: Call, request: Any) -> Any:
    world, person = call.world, call.user
    channel = peers.readable_channel(call, request.channel)
    member = channel.members.get(person.id)
    if member is None:
        raise fail("USER_NOT_PARTICIPANT")
    if member.role == "creator":
        raise fail("USER_CREATOR")
    channel.admin_log.append(AdminEvent(len(channel.admin_log) + 1, world.now(), person.id, person.id, "leave"))
    world.set_member(channel, person.id, None, person.id)
    return invites.moved(call, channel)
