"""channels.*: what a channel is, who let whom in, coming and going. Who is in it: participants.py."""

from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import invites, join_requests, participants, peers, render
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import AdminEvent, Channel, Membership

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
    is_admin = any(member.user == viewer.id for member in admins)
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
        can_view_participants=is_admin or (channel.megagroup and not channel.members_hidden),
        participants_hidden=channel.members_hidden,
        participants_count=channel.member_count,
        admins_count=len(admins) if is_admin else None,
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


@method(functions.channels.ExportMessageLinkRequest)
async def export_message_link(call: Call, request: Any) -> Any:
    """By the channel's name, else by its number, which only members can open."""
    channel = peers.readable_channel(call, request.channel)
    message = channel.messages.get(request.id)
    if message is None or message.deleted:
        raise fail("MESSAGE_ID_INVALID")
    link = f"https://t.me/{channel.username or f'c/{channel.id}'}/{message.id}"
    return types.ExportedMessageLink(link, html=f'<a href="{link}">{link}</a>')


# The admin log ----------------------------------------------------------------------------------------------------


@method(functions.channels.GetAdminLogRequest)
async def get_admin_log(call: Call, request: Any) -> Any:
    """Newest first: who came, by whose approval, who left, and who was banned by whom."""
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
                ("ban", (request.events_filter.ban, request.events_filter.kick)),
                ("unban", (request.events_filter.unban, request.events_filter.unkick)),
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
        [_event(channel, event) for event in page],
        [render.channel(channel, viewer.id)],
        render.users(world, people, viewer.id),
    )


def _event(channel: Channel, event: AdminEvent) -> Any:
    """What an admin did to somebody stands under the admin's name; coming and going under one's own."""
    by = event.actor if event.action in ("ban", "unban") else event.user
    return types.ChannelAdminLogEvent(event.id, event.date, by, _action(channel, event))


def _action(channel: Channel, event: AdminEvent) -> Any:
    match event.action:
        case "join_by_request":
            link = render.invite(channel, event.link, counted=False)
            return types.ChannelAdminLogEventActionParticipantJoinByRequest(link, event.actor)
        case "leave":
            return types.ChannelAdminLogEventActionParticipantLeave()
        case "ban":
            was = types.ChannelParticipantLeft(render.peer(event.user))
            if event.since is not None:
                was = participants.shown(channel, Membership(event.user, event.since))
            return types.ChannelAdminLogEventActionParticipantToggleBan(was, participants.banned(event))
        case "unban":
            left = types.ChannelParticipantLeft(render.peer(event.user))
            return types.ChannelAdminLogEventActionParticipantToggleBan(participants.banned(event), left)
        case "join":
            return types.ChannelAdminLogEventActionParticipantJoin()


# Coming and going -------------------------------------------------------------------------------------------------


@method(functions.channels.JoinChannelRequest)
async def join_channel(call: Call, request: Any) -> Any:
    channel = peers.known_channel(call, request.channel)
    if channel.username is None and call.user.id not in channel.members:
        raise fail("CHANNEL_PRIVATE")
    return invites.enter(call, channel, None)


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
