"""messages.*: what a small group is."""

from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods import peers, render
from sandbox.mtproto.methods.join_requests import pending_update
from sandbox.mtproto.rpc import Call, method
from sandbox.world import Membership


@method(functions.messages.GetChatsRequest)
async def get_chats(call: Call, request: Any) -> Any:
    groups = [peers.known_group(call, chat_id) for chat_id in request.id]
    return types.messages.Chats([render.channel(group, call.user.id) for group in groups])


@method(functions.messages.GetFullChatRequest)
async def get_full_chat(call: Call, request: Any) -> Any:
    group = peers.known_group(call, request.chat_id)
    creator = next(member.user for member in group.members.values() if member.role == "creator")
    members = [_participant(member, creator) for member in group.members.values()]
    full = types.ChatFull(
        id=group.id,
        about=group.about,
        participants=types.ChatParticipants(group.id, members, version=1),
        notify_settings=types.PeerNotifySettings(),
    )
    people = set(group.members)
    if group.may_invite(call.user.id) and group.requests:
        update = pending_update(group)
        full.requests_pending, full.recent_requesters = update.requests_pending, update.recent_requesters
        people |= set(update.recent_requesters)
    chats = [render.channel(group, call.user.id)]
    if group.migrated_to is not None:
        chats.append(render.channel(call.world.channels[group.migrated_to], call.user.id))
    return types.messages.ChatFull(full, chats, render.users(call.world, people, call.user.id))


def _participant(member: Membership, creator: int) -> Any:
    if member.role == "creator":
        return types.ChatParticipantCreator(member.user)
    return types.ChatParticipant(member.user, creator, member.date)
