"""Input peers -> what they stand for. Access hashes are checked, as Telegram does: an id alone opens nothing."""

from typing import Any

from telethon.tl import types

from sandbox.mtproto.methods import render
from sandbox.mtproto.rpc import Call, RpcError, error_code
from sandbox.world import SERVICE_ID, Account, Channel, WorldError

_SELF = (types.InputPeerSelf, types.InputUserSelf)


def fail(name: str) -> RpcError:
    """The error with the code that Telegram sends with it."""
    return RpcError(error_code(name), name)


def known_channel(call: Call, peer: Any) -> Channel:
    """The channel that an InputChannel or InputPeerChannel names (clients send either), readable or not."""
    channel_id = getattr(peer, "channel_id", None)
    if channel_id is None:
        raise fail("CHANNEL_INVALID")
    channel = call.world.channel(channel_id)
    if peer.access_hash != channel.access_hash and not (peer.access_hash == 0 and _met_by_bot(call, channel)):
        raise fail("CHANNEL_INVALID")
    return channel


def _met_by_bot(call: Call, channel: Channel) -> bool:
    """Bots need no access hash for the channels that they are in (https://core.telegram.org/api/peers)."""
    return call.user.is_bot and call.user.id in channel.members


def readable_channel(call: Call, peer: Any) -> Channel:
    """The same, if the account may read it: else CHANNEL_PRIVATE."""
    return call.world.readable_channel(known_channel(call, peer).id, call.user.id)


def known_group(call: Call, chat_id: int) -> Channel:
    """A small group of which the account is a member; what is left of one that became a supergroup can be read on."""
    group = call.world.channels.get(chat_id)
    if group is None or not group.basic:
        raise fail("CHAT_ID_INVALID")
    if call.user.id not in group.members:
        raise fail("PEER_ID_INVALID")
    return group


def managed_channel(call: Call, peer: Any) -> Channel:
    """A channel or group whose invitations the account looks after: else CHAT_ADMIN_REQUIRED."""
    if isinstance(peer, types.InputPeerUser | types.InputPeerSelf | types.InputPeerEmpty):
        raise fail("PEER_ID_INVALID")
    if isinstance(peer, types.InputPeerChat):
        channel = known_group(call, peer.chat_id)
        if channel.migrated_to is not None:
            raise fail("PEER_ID_INVALID")
    else:
        channel = readable_channel(call, peer)
    if not channel.may_invite(call.user.id):
        raise fail("CHAT_ADMIN_REQUIRED")
    return channel


def known_user(call: Call, peer: Any, error: str = "USER_ID_INVALID") -> Account:
    """The account that an InputUser or InputPeerUser names."""
    if isinstance(peer, _SELF):
        return call.user
    user_id = getattr(peer, "user_id", None)
    if user_id is None:
        raise fail(error)
    try:
        account = render.account_of(call.world, user_id)
    except WorldError:
        raise fail(error) from None
    if peer.access_hash != account.access_hash and user_id not in (call.user.id, SERVICE_ID):
        raise fail(error)
    return account
