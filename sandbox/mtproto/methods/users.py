"""users.*"""

from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import peers, render
from sandbox.mtproto.rpc import Call, RpcError, method


@method(functions.users.GetUsersRequest)
async def get_users(call: Call, request: Any) -> list[Any]:
    """Those that the caller may name; wrong access hashes answer nothing, as in life."""
    viewer = call.user
    found = []
    for peer in request.id:
        try:
            found.append(render.user(peers.known_user(call, peer), viewer.id))
        except RpcError:
            continue
    return found


@method(functions.users.GetFullUserRequest)
async def get_full_user(call: Call, request: Any) -> Any:
    account = peers.known_user(call, request.id)
    full = types.UserFull(
        account.id,
        settings=types.PeerSettings(),
        notify_settings=types.PeerNotifySettings(),
        common_chats_count=sum(
            account.id in channel.members and call.user.id in channel.members
            for channel in call.world.channels.values()
            if channel.megagroup
        ),
        about=account.bio or None,
        bot_info=types.BotInfo(user_id=account.id, description="") if account.is_bot else None,
    )
    return types.users.UserFull(full, [], [render.user(account, call.user.id)])
