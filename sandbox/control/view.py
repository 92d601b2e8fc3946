"""The World as the control API shows it."""

from typing import Any

from sandbox import members
from sandbox.faults import Faults
from sandbox.world import SERVICE_ID, Account, Channel, Message, World, channel_of_peer, first_code, peer_of_channel

Json = dict[str, Any]

GIST_CHARACTERS = 120


def message(message: Message) -> Json:
    """A deleted message keeps its place and loses what it said. `version` grows with every edit."""
    gone = message.deleted
    document = message.document if not gone else None
    is_photo = document is not None and document.kind == "photo"
    return {
        "id": message.id,
        "from": message.sender,
        "text": None if gone else message.text,
        "entities": [] if gone else message.entities,
        "buttons": None if gone else _buttons(message),
        "reply_keyboard": None if gone else reply_keyboard(message),
        "document": (
            {"id": document.id, "name": document.name, "size": document.size} if document and not is_photo else None
        ),
        "photo": {"id": document.id} if document and is_photo else None,
        "contact": None if gone else message.contact,
        "chat_shared": None if gone else message.chat_shared,
        "users_shared": None if gone else message.users_shared,
        "forward": message.forward,
        "action": message.action,
        "thread": message.thread,
        "date": message.date,
        "edited": message.edited,
        "deleted": gone,
        "version": message.version,
    }


def gist(message: Message) -> str:
    """What a list of chats says of it."""
    if message.document is not None and not message.text:
        return "Photo" if message.document.kind == "photo" else message.document.name
    if message.contact is not None:
        return "Contact"
    return message.text[:GIST_CHARACTERS]


def name(world: World, peer: int) -> str | None:
    """None for what there is not."""
    if peer == SERVICE_ID:
        return "Telegram"
    if peer > 0:
        return world.accounts[peer].name if peer in world.accounts else None
    known = world.channels.get(channel_of_peer(peer))
    return known.title if known is not None else None


def _buttons(message: Message) -> list[list[Json]] | None:
    if not message.reply_markup or "inline_keyboard" not in message.reply_markup:
        return None
    return [
        [
            {
                "text": button["text"],
                "data": button.get("callback_data"),
                "url": button.get("url"),
                "style": button.get("style"),
            }
            for button in row
        ]
        for row in message.reply_markup["inline_keyboard"]
    ]


def reply_keyboard(message: Message) -> list[list[Json]] | None:
    """None: the message says nothing of the keyboard below the chat. Empty: it takes it away."""
    markup = message.reply_markup or {}
    if markup.get("remove_keyboard"):
        return []
    rows: list[list[Json]] | None = markup.get("keyboard")
    return rows


def channel(channel: Channel) -> Json:
    return {
        "id": channel.peer,
        "title": channel.title,
        "username": channel.username,
        "private": channel.username is None,
        "megagroup": channel.megagroup and not channel.basic,
        "group": channel.basic,
        "forum": channel.forum,
        "migrated_to": peer_of_channel(channel.migrated_to) if channel.migrated_to is not None else None,
        "messages": sum(not message.deleted for message in channel.messages.values()),
        "pending_requests": len(channel.requests),
        "members": channel.member_count,
    }


def member(channel: Channel, user_id: int) -> Json:
    """`rights`: of an administrator."""
    known = channel.members.get(user_id)
    if known is None:
        return {"account": user_id, "role": "banned" if user_id in channel.banned else "left", "rights": []}
    return {"account": user_id, "role": known.role, "rights": members.rights_of(known)}


def state(world: World) -> Json:
    """Accounts that can log in by phone; those who only ask to join are counted."""
    people = [account for account in world.accounts.values() if not account.is_bot]
    return {
        "accounts": [
            {"id": account.id, "name": account.name, "username": account.username, "phone": account.phone}
            for account in people
            if account.phone is not None
        ],
        "people": sum(account.phone is None for account in people),
        "bots": [
            {"id": account.id, "name": account.name, "username": account.username}
            for account in world.accounts.values()
            if account.is_bot
        ],
        "channels": [channel(each) for each in world.channels.values()],
        "admin_id": world.admin_id,
        "now": world.now(),
    }


def faults(faults: Faults) -> list[Json]:
    """Those that still wait, in the order in which each method meets them."""
    return [
        {"method": method, "error": fault.error, "drop": fault.drop, "delay_ms": fault.delay_ms, "times": times}
        for method, fault, times in faults.waiting()
    ]


def credentials(account: Account) -> Json:
    """What somebody must know to log in as that account. `code`: the first one; later ones stand in its chat only."""
    assert account.phone is not None
    return {
        "id": account.id,
        "name": account.name,
        "phone": account.phone,
        "code": first_code(account.phone),
        "password": account.password,
        "api_id": account.api_id,
        "api_hash": account.api_hash,
    }
