"""The World through one account's eyes: which chats there are, what stands in them, where it may write."""

from typing import Any

from aiohttp import web

from sandbox.control import view
from sandbox.control.body import bad, missing, query_integer
from sandbox.world import SERVICE_ID, Account, Channel, Message, World, WorldError, channel_of_peer

Messages = dict[int, Message]
MAX_ID = 2**63


def account_of(world: World, request: web.Request) -> Account:
    """?as=ACCOUNT. Raises ControlError 400 without it, 404 for nobody."""
    if "as" not in request.query:
        raise bad("say who it is: ?as=ACCOUNT")
    account = world.accounts.get(query_integer(request, "as"))
    if account is None or account.is_bot:
        raise missing("there is no such account")
    return account


def bot(world: World, peer: int) -> Account:
    found = world.accounts.get(peer)
    if found is None or not found.is_bot:
        raise missing(f"nobody can write to {peer} here: bots and channels only")
    return found


def messages(world: World, account: Account, peer: int) -> Messages:
    """By id, ascending, deleted ones included. Raises ControlError 404 for a chat that it does not see."""
    if peer == SERVICE_ID:
        return world.service.get(account.id, {})
    if peer < 0:
        try:
            return world.readable_channel(channel_of_peer(peer), account.id).messages
        except WorldError as error:
            raise missing(f"account {account.id} sees no chat {peer}: {error.name}") from None
    return world.chats.get(bot(world, peer).id, {}).get(account.id, {})


def message(world: World, account: Account, peer: int, message_id: int) -> Message:
    found = messages(world, account, peer).get(message_id)
    if found is None or found.deleted:
        raise missing(f"chat {peer} has no message {message_id}")
    return found


def sees(channel: Channel, account: Account) -> bool:
    """Public ones too: they can be found."""
    return account.id not in channel.banned and (channel.username is not None or account.id in channel.members)


def may_post(channel: Channel, account: Account) -> bool:
    member = channel.members.get(account.id)
    return member is not None and channel.migrated_to is None and (channel.megagroup or member.role != "member")


def between(messages: Messages, after: int = 0, before: int = MAX_ID, limit: int = MAX_ID) -> list[Message]:
    """Behind `after` and before `before`, ascending: the newest `limit` that are still there, and the deleted ones
    between them."""
    found: list[Message] = []
    for message in reversed(messages.values()):
        if message.id >= before:
            continue
        limit -= not message.deleted
        if message.id <= after or limit < 0:
            break
        found.append(message)
    return found[::-1]


def chats(world: World, account: Account) -> list[dict[str, Any]]:
    """All that the account sees, the newest first."""
    found = [_chat(world, account, SERVICE_ID, "service", "Telegram", None)]
    found += [_chat(world, account, each.id, "bot", each.name, each.username) for each in _bots(world)]
    for channel in world.channels.values():
        if sees(channel, account):
            kind = "group" if channel.megagroup else "channel"
            found.append(_chat(world, account, channel.peer, kind, channel.title, channel.username))
    found.sort(key=lambda chat: chat["last"]["date"] if chat["last"] else 0, reverse=True)
    return found


def _bots(world: World) -> list[Account]:
    return [account for account in world.accounts.values() if account.is_bot and not account.deactivated]


def _chat(world: World, account: Account, peer: int, kind: str, title: str, username: str | None) -> dict[str, Any]:
    role = None
    may_write = kind == "bot"
    if peer < 0:
        channel = world.channel_by_peer(peer)
        member = channel.members.get(account.id)
        role, may_write = member.role if member else None, may_post(channel, account)
    last = between(messages(world, account, peer), limit=1)
    shown = next((message for message in reversed(last) if not message.deleted), None)
    return {
        "peer": peer,
        "kind": kind,
        "title": title,
        "username": username,
        "may_write": may_write,
        "role": role,
        "last": {"id": shown.id, "text": view.gist(shown), "date": shown.date} if shown else None,
    }
