"""Chats, their members, and the people who wait at their door."""

from typing import Any

from sandbox.bot_api import render
from sandbox.bot_api.call import Call, method
from sandbox.bot_api.chats import channel_of, check_member, check_readable, peer_of
from sandbox.bot_api.errors import bad_request
from sandbox.world import Channel

NO_RIGHT = "not enough rights to manage chat join requests"


@method("getChat")
def get_chat(call: Call) -> dict[str, Any]:
    peer = peer_of(call)
    check_readable(call, peer)
    return render.full_chat(call.world, peer)


@method("getChatMember")
def get_chat_member(call: Call) -> dict[str, Any]:
    peer = peer_of(call)
    user_id = call.params.integer("user_id")
    if user_id not in call.world.accounts:
        raise bad_request("invalid user_id specified" if user_id <= 0 else "PARTICIPANT_ID_INVALID")
    if peer > 0:
        check_readable(call, peer)
        return {"user": render.user(call.world.account(user_id)), "status": "member"}
    channel = _listed(call, call.world.channel_by_peer(peer), user_id)
    return render.chat_member(call.world, channel, user_id, channel.members.get(user_id))


@method("getChatMemberCount")
def get_chat_member_count(call: Call) -> int:
    peer = peer_of(call)
    check_readable(call, peer)
    return 2 if peer > 0 else call.world.channel_by_peer(peer).member_count


@method("getChatAdministrators")
def get_chat_administrators(call: Call) -> list[dict[str, Any]]:
    """Administrators that are no bots, as the Bot API documents it."""
    channel = channel_of(call, "there are no administrators in the private chat")
    _listed(call, channel, call.bot.id)
    world = call.world
    return [
        render.chat_member(world, channel, member.user, member)
        for member in channel.members.values()
        if member.role != "member" and not world.account(member.user).is_bot
    ]


@method("leaveChat")
def leave_chat(call: Call) -> bool:
    channel = channel_of(call, "chat can't be left")
    check_member(call, channel)
    call.world.set_member(channel, call.bot.id, None, call.bot.id)
    return True


@method("approveChatJoinRequest")
def approve_chat_join_request(call: Call) -> bool:
    return _decide(call, approve=True)


@method("declineChatJoinRequest")
def decline_chat_join_request(call: Call) -> bool:
    return _decide(call, approve=False)


def _decide(call: Call, *, approve: bool) -> bool:
    channel = channel_of(call, "the chat can't have join requests")
    check_member(call, channel)
    if not channel.may_invite(call.bot.id):
        raise bad_request(NO_RIGHT)
    user_id = call.params.integer("user_id")
    if user_id <= 0:
        raise bad_request("invalid user_id specified")
    call.world.decide(channel, user_id, call.bot.id, approve=approve)
    return True


def _listed(call: Call, channel: Channel, user_id: int) -> Channel:
    """The channel, if the bot may see who is in it: a channel shows its members to its administrators only."""
    check_member(call, channel)
    if not channel.megagroup and channel.members[call.bot.id].role == "member" and user_id != call.bot.id:
        raise bad_request("member list is inaccessible")
    return channel
