"""messages.*: invite links."""

from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import peers, render
from sandbox.mtproto.methods.join_requests import invite_hash
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import AdminEvent, Channel, Membership


@method(functions.messages.CheckChatInviteRequest)
async def check_chat_invite(call: Call, request: Any) -> Any:
    channel = _invited(call, request.hash)
    if call.user.id in channel.members:
        return types.ChatInviteAlready(render.channel(channel, call.user.id))
    return types.ChatInvite(
        title=channel.title,
        photo=types.PhotoEmpty(0),
        participants_count=channel.member_count,
        color=channel.id % 7,
        channel=True,
        broadcast=not channel.megagroup,
        megagroup=channel.megagroup,
        public=channel.username is not None,
        request_needed=channel.approval,
        about=channel.about or None,
    )


@method(functions.messages.ImportChatInviteRequest)
async def import_chat_invite(call: Call, request: Any) -> Any:
    return enter(call, _invited(call, request.hash))


@method(functions.messages.GetExportedChatInvitesRequest)
async def get_exported_chat_invites(call: Call, request: Any) -> Any:
    """Every link belongs to the channel's creator: its own one, and those by which people came who wait."""
    channel = peers.managed_channel(call, request.peer)
    admin = peers.known_user(call, request.admin_id)
    if admin.id != call.user.id and not _is_creator(channel, call.user.id):
        raise fail("CHAT_ADMIN_REQUIRED")
    own = [] if request.revoked or not _is_creator(channel, admin.id) else _links(channel)
    page = [render.invite(channel, link) for link in own[: request.limit]]
    return types.messages.ExportedChatInvites(len(own), page, [render.user(admin, call.user.id)])


@method(functions.messages.GetAdminsWithInvitesRequest)
async def get_admins_with_invites(call: Call, request: Any) -> Any:
    channel = peers.managed_channel(call, request.peer)
    if not _is_creator(channel, call.user.id):
        raise fail("CHAT_ADMIN_REQUIRED")
    admins = [types.ChatAdminWithInvites(call.user.id, len(_links(channel)), 0)]
    return types.messages.ChatAdminsWithInvites(admins, [render.user(call.user, call.user.id)])


def _is_creator(channel: Channel, user_id: int) -> bool:
    member = channel.members.get(user_id)
    return member is not None and member.role == "creator"


def _links(channel: Channel) -> list[str]:
    own = [channel.invite_link] if channel.invite_hash else []
    return own + sorted({row.link for row in channel.requests.values() if row.link} - set(own))


def enter(call: Call, channel: Channel) -> Any:
    """Become a member; or ask to, where that needs approval: the answer is then the error INVITE_REQUEST_SENT."""
    world, person = call.world, call.user
    if person.id in channel.members:
        raise fail("USER_ALREADY_PARTICIPANT")
    if person.id in channel.banned:
        raise fail("CHANNEL_PRIVATE")
    if person.too_many_channels:
        raise fail("CHANNELS_TOO_MUCH")
    if channel.approval:
        world.ask_to_join(channel, [person.id], channel.invite_link)
        raise fail("INVITE_REQUEST_SENT")
    event = AdminEvent(len(channel.admin_log) + 1, world.now(), person.id, person.id, "join")
    channel.admin_log.append(event)
    world.set_member(channel, person.id, Membership(person.id, world.now()), person.id)
    return types.messages.ChatInviteJoinResultOk(moved(call, channel))


def moved(call: Call, channel: Channel) -> Any:
    """The updates that tell of having come or gone."""
    chats = [render.channel(channel, call.user.id)]
    return types.Updates([types.UpdateChannel(channel.id)], [], chats, call.world.now(), seq=0)


def _invited(call: Call, link_hash: str) -> Channel:
    if not link_hash:
        raise fail("INVITE_HASH_EMPTY")
    channel = call.world.channel_by_invite(invite_hash(link_hash))
    if channel is None:
        raise fail("INVITE_HASH_EXPIRED")
    return channel
