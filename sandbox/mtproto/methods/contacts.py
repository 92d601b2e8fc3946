"""contacts.*: names become peers."""

import re
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import render
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import Call, method

USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")


@method(functions.contacts.ResolveUsernameRequest)
async def resolve_username(call: Call, request: Any) -> Any:
    viewer, world = call.user, call.world
    if not USERNAME.fullmatch(request.username):
        raise fail("USERNAME_INVALID")
    if (channel := world.channel_by_username(request.username)) is not None:
        return types.contacts.ResolvedPeer(
            types.PeerChannel(channel.id), chats=[render.channel(channel, viewer.id)], users=[]
        )
    if (account := world.account_by_username(request.username)) is not None:
        return types.contacts.ResolvedPeer(
            types.PeerUser(account.id), chats=[], users=[render.user(account, viewer.id)]
        )
    raise fail("USERNAME_NOT_OCCUPIED")


@method(functions.contacts.GetContactsRequest)
async def get_contacts(call: Call, _request: Any) -> Any:
    """Nobody's address book has an entry here."""
    assert call.user
    return types.contacts.Contacts([], 0, [])
