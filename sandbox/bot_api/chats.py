"""Which chat a call means, and whether the bot may see it or write there."""

from sandbox.bot_api.call import Call
from sandbox.bot_api.errors import BotApiError, bad_request, forbidden, upgraded
from sandbox.world import Channel, Message, World, channel_of_peer, peer_of_channel

REQUESTER_WINDOW_S = 300
"""A bot may write to somebody who asks to join for five minutes, or until the request is processed (TELEGRAM.md)."""


def peer_of(call: Call, name: str = "chat_id") -> int:
    """The chat that the call names, by id or @username. Raises BotApiError 400 "chat not found"."""
    text = call.params.text(name)
    if not text:
        raise bad_request(f"{name} is empty")
    if text.startswith("@"):
        channel = call.world.channel_by_username(text[1:])
        if channel is None:
            raise bad_request("chat not found")
        return channel.peer
    peer = call.params.integer(name)
    known = peer in call.world.accounts if peer > 0 else channel_of_peer(peer) in call.world.channels
    if not known:
        raise bad_request("chat not found")
    return peer


def check_readable(call: Call, peer: int) -> None:
    """Raises BotApiError for a chat that the bot cannot see."""
    if peer > 0:
        if not _may_write_to(call.world, call.bot.id, peer):
            raise bad_request("chat not found")
    elif (channel := call.world.channel_by_peer(peer)).username is None:
        check_member(call, channel)


def check_writable(call: Call, peer: int) -> None:
    """Raises BotApiError when the bot may not send into the chat."""
    if peer < 0:
        channel = call.world.channel_by_peer(peer)
        check_member(call, channel)
        _check_stayed(channel)
        if not channel.megagroup and channel.members[call.bot.id].role == "member":
            raise bad_request("need administrator rights in the channel chat")
        return
    account = call.world.account(peer)
    if account.is_bot:
        raise forbidden("bots can't send messages to bots")
    if account.deactivated:
        raise forbidden("user is deactivated")
    if peer in call.world.blocked_bots.get(call.bot.id, ()):
        raise forbidden("bot was blocked by the user")
    if not _may_write_to(call.world, call.bot.id, peer):
        raise forbidden("bot can't initiate conversation with a user")


def check_member(call: Call, channel: Channel) -> None:
    """Raises BotApiError 403 when the bot is not in the channel."""
    kind = "group" if channel.basic else "supergroup" if channel.megagroup else "channel"
    if call.bot.id in channel.banned:
        raise forbidden(f"bot was kicked from the {kind} chat")
    if call.bot.id not in channel.members:
        raise forbidden(f"bot is not a member of the {kind} chat")


def channel_of(call: Call, complaint: str) -> Channel:
    """The channel or group that chat_id names; `complaint` for a private chat."""
    peer = peer_of(call)
    if peer > 0:
        raise bad_request(complaint)
    channel = call.world.channel_by_peer(peer)
    _check_stayed(channel)
    return channel


def _check_stayed(channel: Channel) -> None:
    """Nothing is done in a group that became a supergroup: the refusal says where it went."""
    if channel.migrated_to is not None:
        raise upgraded(peer_of_channel(channel.migrated_to))


def message_of(call: Call, peer: int, message_id: int, what: str) -> Message:
    """A message that is still there. Raises BotApiError 400 "`what` not found"."""
    if peer > 0:
        message = call.world.private_chat(call.bot.id, peer).get(message_id)
    else:
        message = call.world.channel_by_peer(peer).messages.get(message_id)
    if message is None or message.deleted:
        raise not_found(what)
    return message


def not_found(what: str) -> BotApiError:
    return bad_request(f"{what} not found")


def _may_write_to(world: World, bot_id: int, user_id: int) -> bool:
    if user_id in world.started_bots.get(bot_id, ()):
        return True
    since = world.now() - REQUESTER_WINDOW_S
    return any(
        user_id in channel.requests and channel.requests[user_id].date >= since
        for channel in world.channels.values()
        if channel.may_invite(bot_id)
    )
