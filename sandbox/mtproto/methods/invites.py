"""messages.*: invite links."""

from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import peers, render
from sandbox.mtproto.methods.join_requests import invite_hash
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method
from sandbox.world import AdminEvent, Channel, Link, Membership


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
    channel = _invited(call, request.hash)
    return enter(call, channel, channel.link_of(invite_hash(request.hash)))


@method(functions.messages.GetExportedChatInvitesRequest)
async def get_exported_chat_invites(call: Call, request: Any) -> Any:
    """The links that one admin has made, the newest first, with how many wait who came by each.

    The channel's own link is its creator's, and stands before the others. Other admins' links are for the creator.
    """
    channel = peers.managed_channel(call, request.peer)
    admin = peers.known_user(call, request.admin_id)
    if admin.id != call.user.id:
        _must_be_creator(call, channel)
    links = _links_of(channel, admin.id, revoked=bool(request.revoked))
    after = next((place for place, link in enumerate(links, 1) if link.url == request.offset_link), 0)
    page = links[after:][: request.limit if request.limit > 0 else None]
    invites = [render.invite(channel, link.url) for link in page]
    return types.messages.ExportedChatInvites(len(links), invites, [render.user(admin, call.user.id)])


@method(functions.messages.GetAdminsWithInvitesRequest)
async def get_admins_with_invites(call: Call, request: Any) -> Any:
    channel = peers.managed_channel(call, request.peer)
    _must_be_creator(call, channel)
    admins = []
    for member in channel.members.values():
        counts = [len(_links_of(channel, member.user, revoked=revoked)) for revoked in (False, True)]
        if any(counts):
            admins.append(types.ChatAdminWithInvites(member.user, *counts))
    people = render.users(call.world, {admin.admin_id for admin in admins}, call.user.id)
    return types.messages.ChatAdminsWithInvites(admins, people)


def _must_be_creator(call: Call, channel: Channel) -> None:
    if channel.members[call.user.id].role != "creator":
        raise fail("CHAT_ADMIN_REQUIRED")


def _links_of(channel: Channel, admin_id: int, *, revoked: bool) -> list[Link]:
    made = [link for link in channel.links if link.creator == admin_id and link.revoked == revoked]
    made.sort(key=lambda link: link.date, reverse=True)
    is_creator = admin_id in channel.members and channel.members[admin_id].role == "creator"
    if is_creator and channel.invite_hash and not revoked:
        made.insert(0, Link(channel.invite_link, admin_id, channel.created))
    return made


def enter(call: Call, channel: Channel, link: str | None) -> Any:
    """Become a member; or ask to, where that needs approval: the answer is then the error INVITE_REQUEST_SENT.

    `link`: None for who comes by the channel's public name.
    """
    world, person = call.world, call.user
    if person.id in channel.members:
        raise fail("USER_ALREADY_PARTICIPANT")
    if person.id in channel.banned:
        raise fail("CHANNEL_PRIVATE")
    if person.too_many_channels:
        raise fail("CHANNELS_TOO_MUCH")
    if channel.approval:
        world.ask_to_join(channel, [person.id], link)
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
