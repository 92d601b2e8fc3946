"""What happens in the world becomes updates for the accounts that listen."""

from telethon.tl import types

from sandbox.mtproto.methods import render
from sandbox.mtproto.methods.join_requests import pending_update
from sandbox.mtproto.rpc import Services
from sandbox.world import (
    Channel,
    Event,
    LoginAccepted,
    MembershipChanged,
    Message,
    MessageDeleted,
    MessageEdited,
    MessageSent,
    RequestsChanged,
    ServiceMessageSent,
    World,
)


def attach(services: Services) -> None:
    """Send updates for every event of the world from now on."""
    services.world.listen(Pushes(services).on_event)


class Pushes:
    """Turns one event into one update for each account that is concerned and signed in somewhere."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @property
    def _world(self) -> World:
        return self._services.world

    def on_event(self, event: Event) -> None:
        if isinstance(event, LoginAccepted):
            self._services.push_to_key(event.key_id, types.UpdateShort(types.UpdateLoginToken(), self._world.now()))
            return
        listening = {key.user for key in self._world.auth_keys.values() if key.user is not None and not key.revoked}
        if not listening:
            return
        match event:
            case MessageSent(message) | MessageEdited(message):
                self._message(message, listening, is_new=isinstance(event, MessageSent))
            case ServiceMessageSent(user_id, message) if user_id in listening:
                self._private(user_id, message, is_new=True)
            case MessageDeleted(chat, message_id, bot_id):
                self._deleted(chat, message_id, bot_id, listening)
            case RequestsChanged(channel):
                for user_id in self._members(channel, listening):
                    if channel.may_invite(user_id):
                        self._pending(channel, user_id)
            case MembershipChanged(channel, user_id) if user_id in listening:
                chats = [render.channel(channel, user_id)]
                self._push(user_id, types.UpdateChannel(channel.id), chats=chats)
            case _:
                pass

    def _members(self, channel: Channel, listening: set[int]) -> list[int]:
        return [user_id for user_id in listening if user_id in channel.members]

    def _message(self, message: Message, listening: set[int], *, is_new: bool) -> None:
        if message.chat > 0:
            if message.chat in listening:
                self._private(message.chat, message, is_new=is_new)
            return
        channel = self._world.channel_by_peer(message.chat)
        if channel.basic:
            for user_id in self._members(channel, listening):
                self._private(user_id, message, is_new=is_new)
            return
        kind = types.UpdateNewChannelMessage if is_new else types.UpdateEditChannelMessage
        for user_id in self._members(channel, listening):
            self._push(
                user_id,
                kind(render.message(self._world, message, user_id), channel.pts, 1),
                message,
            )

    def _private(self, user_id: int, message: Message, *, is_new: bool) -> None:
        kind = types.UpdateNewMessage if is_new else types.UpdateEditMessage
        rendered = render.message(self._world, message, user_id)
        self._push(user_id, kind(rendered, self._world.private_pts.get(user_id, 1), 1), message)

    def _deleted(self, chat: int, message_id: int, bot_id: int | None, listening: set[int]) -> None:
        if chat > 0:
            if chat in listening and bot_id is not None:
                pts = self._world.private_pts.get(chat, 1)
                self._push(chat, types.UpdateDeleteMessages([message_id], pts, 1))
            return
        channel = self._world.channel_by_peer(chat)
        if channel.basic:
            for user_id in self._members(channel, listening):
                pts = self._world.private_pts.get(user_id, 1)
                self._push(user_id, types.UpdateDeleteMessages([message_id], pts, 1))
            return
        update = types.UpdateDeleteChannelMessages(channel.id, [message_id], channel.pts, 1)
        for user_id in self._members(channel, listening):
            self._push(user_id, update, chats=[render.channel(channel, user_id)])

    def _pending(self, channel: Channel, user_id: int) -> None:
        update = pending_update(channel)
        users = render.users(self._world, set(update.recent_requesters), user_id)
        self._push(user_id, update, users=users, chats=[render.channel(channel, user_id)])

    def _push(
        self,
        user_id: int,
        update: object,
        message: Message | None = None,
        *,
        users: list[object] | None = None,
        chats: list[object] | None = None,
    ) -> None:
        """Send one update, with the users and chats that it names."""
        users, chats = users or [], chats or []
        if message is not None:
            people, channel_ids = render.mentioned([message])
            users = render.users(self._world, people, user_id)
            chats = [render.channel(self._world.channels[it], user_id) for it in sorted(channel_ids)]
        self._services.push(user_id, types.Updates([update], users, chats, self._world.now(), seq=0))
