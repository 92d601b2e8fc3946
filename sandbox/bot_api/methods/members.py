"""Banning people, and letting them come again."""

from sandbox import members
from sandbox.bot_api.call import Call, method
from sandbox.bot_api.chats import channel_of, check_member
from sandbox.bot_api.errors import bad_request
from sandbox.world import Channel

NO_RIGHT = "not enough rights to restrict/unrestrict chat member"


@method("banChatMember")
def ban_chat_member(call: Call) -> bool:
    """For good, whatever until_date says; whether what they wrote goes too is not modelled."""
    channel, user_id = _target(call)
    members.ban(call.world, channel, user_id, call.bot.id)
    return True


@method("unbanChatMember")
def unban_chat_member(call: Call) -> bool:
    """Without only_if_banned a member is removed as well, as the Bot API documents it."""
    channel, user_id = _target(call)
    change = members.unban if call.params.flag("only_if_banned") else members.remove
    change(call.world, channel, user_id, call.bot.id)
    return True


def _target(call: Call) -> tuple[Channel, int]:
    channel = channel_of(call, "method is available for supergroup and channel chats only")
    check_member(call, channel)
    user_id = call.params.integer("user_id")
    if user_id not in call.world.accounts:
        raise bad_request("invalid user_id specified" if user_id <= 0 else "PARTICIPANT_ID_INVALID")
    if user_id == call.bot.id:
        raise bad_request("can't restrict self")
    if not channel.may_ban(call.bot.id):
        raise bad_request(NO_RIGHT)
    if user_id in channel.members and channel.members[user_id].role == "creator":
        raise bad_request("can't remove chat owner")
    return channel, user_id
