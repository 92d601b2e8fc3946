"""The World as the Bot API shows it: plain JSON objects, which aiogram's own types must accept."""

from typing import Any

from sandbox.bot_api.files import file_id, unique_id
from sandbox.world import (
    CHANNEL_BASE,
    SERVICE_ID,
    Account,
    Channel,
    Document,
    Membership,
    MembershipChanged,
    Message,
    Request,
    World,
    peer_of_channel,
    stable_int,
)

Json = dict[str, Any]

_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)
_MEMBER_PERMISSIONS = ("can_send_messages", "can_send_documents", "can_send_photos", "can_invite_users")


def _some(**fields: Any) -> Json:
    """Only what is there: the Bot API leaves empty fields out."""
    return {name: value for name, value in fields.items() if value not in (None, "", False)}


def user(account: Account) -> Json:
    return {
        "id": account.id,
        "is_bot": account.is_bot,
        "first_name": account.first_name,
        **_some(last_name=account.last_name, username=account.username, is_premium=account.premium),
        **({} if account.is_bot else {"language_code": account.language}),
    }


def me(bot: Account) -> Json:
    return {
        **user(bot),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def service_user() -> Json:
    return {"id": SERVICE_ID, "is_bot": False, "first_name": "Telegram"}


def private_chat(account: Account) -> Json:
    return {
        "id": account.id,
        "type": "private",
        "first_name": account.first_name,
        **_some(last_name=account.last_name, username=account.username),
    }


def channel_chat(channel: Channel) -> Json:
    kind = "group" if channel.basic else "supergroup" if channel.megagroup else "channel"
    return {
        "id": channel.peer,
        "type": kind,
        "title": channel.title,
        **_some(username=channel.username, is_forum=channel.forum),
    }


def chat(world: World, peer: int) -> Json:
    """Raises WorldError for a peer that does not exist."""
    return private_chat(world.account(peer)) if peer > 0 else channel_chat(world.channel_by_peer(peer))


def full_chat(world: World, peer: int) -> Json:
    gifts = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")
    full = {
        **chat(world, peer),
        "accent_color_id": stable_int("accent", peer) % 7,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(gifts, False),
    }
    if peer > 0:
        return full | _some(bio=world.account(peer).bio)
    channel = world.channel_by_peer(peer)
    link = channel.invite_link if channel.invite_hash else None
    full |= _some(description=channel.about, invite_link=link)
    if channel.megagroup:
        full |= {"permissions": dict.fromkeys(_MEMBER_PERMISSIONS, True)} | _some(join_by_request=channel.approval)
    return full


def chat_member(
    world: World, channel: Channel, user_id: int, member: Membership | None, *, banned: bool | None = None
) -> Json:
    """`banned`: of somebody who is not in, if it is not as it is now."""
    shown: Json = {"user": user(world.account(user_id))}
    if member is None:
        out = user_id in channel.banned if banned is None else banned
        return {**shown, "status": "kicked", "until_date": 0} if out else {**shown, "status": "left"}
    if member.role == "creator":
        return {**shown, "status": "creator", "is_anonymous": False}
    if member.role == "member":
        return {**shown, "status": "member"}
    rights = dict.fromkeys(_RIGHTS, False) | {"can_manage_chat": True}
    rights |= {"can_invite_users": member.may_invite, "can_restrict_members": member.may_ban}
    if channel.megagroup:
        rights |= {"can_pin_messages": False, "can_manage_topics": member.may_topics}
    else:
        rights |= {"can_post_messages": True, "can_edit_messages": True}
    editable = {"can_be_edited": False, "is_anonymous": False}
    return {**shown, "status": "administrator", **editable, **rights}


def chat_member_updated(world: World, change: MembershipChanged) -> Json:
    channel, user_id = change.channel, change.user
    return {
        "chat": channel_chat(channel),
        "from": user(world.account(change.actor)),
        "date": world.now(),
        "old_chat_member": chat_member(world, channel, user_id, change.old, banned=change.was_banned),
        "new_chat_member": chat_member(world, channel, user_id, change.new),
        **_some(via_join_request=change.by_request),
    }


def bot_blocked(world: World, bot: Account, person: Account, *, blocked: bool) -> Json:
    """my_chat_member of a private chat: somebody stopped the bot, or started it again."""
    member: Json = {"user": user(bot), "status": "member"}
    gone: Json = {"user": user(bot), "status": "kicked", "until_date": 0}
    old, new = (member, gone) if blocked else (gone, member)
    return {
        "chat": private_chat(person),
        "from": user(person),
        "date": world.now(),
        "old_chat_member": old,
        "new_chat_member": new,
    }


def join_request(world: World, channel: Channel, request: Request) -> Json:
    """The link is another admin's, whom Telegram tells a bot by name, but cut: nobody can come in by what it sees."""
    person = world.account(request.user)
    shown = {
        "chat": channel_chat(channel),
        "from": user(person),
        "user_chat_id": person.id,
        "date": request.date,
        **_some(bio=person.bio),
    }
    if request.link:
        extra = next((link for link in channel.links if link.url == request.link), None)
        creator = next((m.user for m in channel.members.values() if m.role == "creator"), None)
        by = extra.creator if extra else creator
        if by is not None:
            shown["invite_link"] = {
                "invite_link": cut_link(request.link),
                "creator": user(world.account(by)),
                "creates_join_request": True,
                "is_primary": request.link == channel.invite_link,
                "is_revoked": extra is not None and extra.revoked,
                **_some(name=extra.title if extra else ""),
            }
    return shown


def cut_link(link: str) -> str:
    """An invite link as bots see those of other admins: "the second part is replaced" (Bot API, ChatInviteLink)."""
    start, plus, code = link.rpartition("+")
    return f"{start}{plus}{code[: len(code) // 2]}…"


def message(world: World, message: Message) -> Json:
    """A message in a private chat or a channel post. Deleted ones are not for the Bot API: the caller checks."""
    shown: Json = {"message_id": message.id, "date": message.date, "chat": chat(world, message.chat)}
    sender = world.accounts.get(message.sender)
    if sender is not None:
        shown["from"] = user(sender)
    elif message.sender <= -CHANNEL_BASE:
        shown["sender_chat"] = chat(world, message.sender)
    if message.thread is not None:
        shown |= {"message_thread_id": message.thread, "is_topic_message": True}
    if message.moved is not None and message.action == "migrate_to":
        shown["migrate_to_chat_id"] = peer_of_channel(message.moved)
    elif message.moved is not None:
        shown["migrate_from_chat_id"] = -message.moved
    if message.edited is not None:
        shown["edit_date"] = message.edited
    if message.forward is not None:
        shown["forward_origin"] = origin(world, message.forward)
    caption = "caption" if message.document is not None else "text"
    shown |= _some(**{caption: message.text if message.moved is None else ""})
    if message.text and message.entities:
        shown["caption_entities" if message.document is not None else "entities"] = message.entities
    if message.document is not None:
        shown |= media(message.document)
    shown |= _some(contact=message.contact, chat_shared=message.chat_shared, users_shared=message.users_shared)
    if message.reply_markup and "inline_keyboard" in message.reply_markup:
        shown["reply_markup"] = message.reply_markup
    return shown


def origin(world: World, forward: dict[str, int]) -> Json:
    peer = forward["peer"]
    if peer < 0:
        channel = world.channel_by_peer(peer)
        if channel.megagroup:
            return {"type": "chat", "date": forward["date"], "sender_chat": channel_chat(channel)}
        return {
            "type": "channel",
            "date": forward["date"],
            "chat": channel_chat(channel),
            "message_id": forward["id"],
        }
    sender = service_user() if peer == SERVICE_ID else user(world.account(peer))
    return {"type": "user", "date": forward["date"], "sender_user": sender}


def media(document: Document) -> Json:
    common: Json = {
        "file_id": file_id(document),
        "file_unique_id": unique_id(document),
        "file_size": document.size,
    }
    sized = {"width": document.width or 320, "height": document.height or 240}
    named = _some(file_name=document.name, mime_type=document.mime)
    match document.kind:
        case "photo":
            return {"photo": [common | sized]}
        case "video":
            return {"video": common | sized | named | {"duration": document.duration}}
        case "audio":
            return {"audio": common | named | {"duration": document.duration}}
        case "voice":
            return {"voice": common | _some(mime_type=document.mime) | {"duration": document.duration}}
        case _:
            return {"document": common | named}
