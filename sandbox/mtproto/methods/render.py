"""The world's plain data as TL objects, as one account sees them.

Messages are rendered once a version: their bytes are kept in `World.memory`, so that a page of history costs little
more than a copy.
"""

from typing import Any

from telethon.tl import types

from sandbox.world import (
    CHANNEL_BASE,
    SERVICE_ID,
    Account,
    Channel,
    Document,
    Link,
    Membership,
    Message,
    World,
    channel_of_peer,
    stable_int,
)

SERVICE_ACCOUNT = Account(SERVICE_ID, "Telegram", phone="+42777")
SMALL_PHOTO_BYTES = 4096
"""Size "m" of a photo: these first bytes of it. Size "y" is all of it."""
TOPIC_COLOR = 0x6FB9F0
"""Of every topic's icon: what a bot asked for is not kept."""


class Raw:
    """TL bytes that were made before, in the place of a TL object."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def _bytes(self) -> bytes:
        return self.data

    def __bytes__(self) -> bytes:
        return self.data


# People -----------------------------------------------------------------------------------------------------------


def account_of(world: World, user_id: int) -> Account:
    return SERVICE_ACCOUNT if user_id == SERVICE_ID else world.account(user_id)


def user(account: Account, viewer_id: int) -> Any:
    if account.deactivated:
        return types.User(account.id, deleted=True, access_hash=account.access_hash)
    photo = types.UserProfilePhoto(stable_int("photo", account.id), dc_id=2) if account.has_photo else None
    is_self = account.id == viewer_id
    is_service = account.id == SERVICE_ID
    return types.User(
        account.id,
        is_self=is_self,
        bot=account.is_bot,
        bot_info_version=1 if account.is_bot else None,
        verified=is_service,
        support=is_service,
        scam=account.scam,
        fake=account.fake,
        premium=account.premium,
        access_hash=account.access_hash,
        first_name=account.first_name,
        last_name=account.last_name or None,
        username=account.username,
        phone=account.phone.lstrip("+") if account.phone and (is_self or is_service) else None,
        photo=photo,
        status=None if account.is_bot else types.UserStatusRecently(),
    )


def users(world: World, user_ids: set[int], viewer_id: int) -> list[Any]:
    return [user(account_of(world, user_id), viewer_id) for user_id in sorted(user_ids)]


# Channels ---------------------------------------------------------------------------------------------------------


def channel(it: Channel, viewer_id: int) -> Any:
    member = it.members.get(viewer_id)
    if it.basic:
        return _group(it, member)
    return types.Channel(
        it.id,
        it.title,
        types.ChatPhotoEmpty(),
        member.date if member else it.created,
        creator=member is not None and member.role == "creator",
        left=member is None,
        broadcast=not it.megagroup,
        megagroup=it.megagroup,
        join_request=it.approval,
        noforwards=it.noforwards,
        forum=it.forum,
        access_hash=it.access_hash,
        username=it.username,
        admin_rights=admin_rights(member) if member and member.role != "member" else None,
        default_banned_rights=types.ChatBannedRights(0) if it.megagroup else None,
        participants_count=it.member_count,
    )


def _group(it: Channel, member: Membership | None) -> Any:
    """A small group; of one that became a supergroup a shell is left, which says where it went."""
    moved = it.migrated_to
    return types.Chat(
        it.id,
        it.title,
        types.ChatPhotoEmpty(),
        it.member_count,
        it.created,
        version=1,
        creator=member is not None and member.role == "creator",
        left=member is None,
        deactivated=moved is not None,
        migrated_to=types.InputChannel(moved, stable_int("channel", moved)) if moved is not None else None,
        admin_rights=admin_rights(member) if member and member.role != "member" else None,
    )


def admin_rights(member: Membership) -> Any:
    if member.role == "creator":
        return types.ChatAdminRights(
            change_info=True,
            post_messages=True,
            edit_messages=True,
            delete_messages=True,
            ban_users=True,
            invite_users=True,
            pin_messages=True,
            add_admins=True,
            manage_call=True,
            manage_topics=True,
            other=True,
        )
    return types.ChatAdminRights(
        delete_messages=True,
        invite_users=member.may_invite,
        ban_users=member.may_ban,
        manage_topics=member.may_topics,
        other=True,
    )


def invite(it: Channel, url: str | None = None, *, counted: bool = True) -> Any:
    """An invite link; the channel's own one if `url` is none of its links. `counted`: how many wait who came by it."""
    extra = next((link for link in it.links if link.url == url), None)
    creator = next((member.user for member in it.members.values() if member.role == "creator"), 0)
    known = extra or Link(it.invite_link, creator, it.created)
    requested = sum(row.link == known.url for row in it.requests.values()) if counted else 0
    return types.ChatInviteExported(
        known.url,
        known.creator,
        known.date,
        permanent=extra is None,
        revoked=known.revoked,
        request_needed=it.approval,
        requested=requested or None,
        title=known.title or None,
    )


def peer(peer_id: int) -> Any:
    if peer_id > 0:
        return types.PeerUser(peer_id)
    bare_id = channel_of_peer(peer_id)
    return types.PeerChannel(bare_id) if peer_id < -CHANNEL_BASE else types.PeerChat(bare_id)


# Messages ---------------------------------------------------------------------------------------------------------


def message(world: World, it: Message, viewer_id: int) -> Raw:
    """The message's bytes. It looks different only to whoever sent it."""
    is_out = it.sender == viewer_id
    key = (viewer_id if is_out else 0, it.chat, it.id)
    references = it.document.reference_version if it.document else 0
    known = world.memory.rendered.get(key)
    if known is not None and known[:2] == (it.version, references):
        return Raw(known[2])
    data = bytes(_message(it, is_out))
    world.memory.rendered[key] = (it.version, references, data)
    return Raw(data)


def _message(it: Message, is_out: bool) -> Any:
    in_channel = it.chat < 0
    is_post = it.sender < 0
    # In a private chat the peer is the other side, and an incoming message does not repeat who sent it.
    where = peer(it.chat) if in_channel else types.PeerUser(it.bot_id if it.bot_id is not None else SERVICE_ID)
    by = types.PeerUser(it.sender) if not is_post and (in_channel or is_out) else None
    if it.deleted:
        return types.MessageEmpty(it.id, where)
    if it.action is not None:
        return types.MessageService(
            it.id, where, it.date, out=is_out, post=is_post, from_id=by, action=_action(it), legacy=False
        )
    return types.Message(
        it.id,
        where,
        it.date,
        it.text,
        out=is_out,
        post=is_post,
        from_id=by,
        fwd_from=_forward(it),
        reply_to=types.MessageReplyHeader(reply_to_msg_id=it.thread, forum_topic=True)
        if it.thread is not None
        else None,
        media=_media(it),
        entities=[_entity(entity) for entity in it.entities] or None,
        reply_markup=_markup(it),
        views=100 + it.id if is_post else None,
        forwards=0 if is_post else None,
        edit_date=it.edited,
        grouped_id=it.grouped_id,
    )


def _topic(it: Message) -> Any:
    return None if it.thread is None else types.MessageReplyHeader(reply_to_msg_id=it.thread, forum_topic=True)


def _action(it: Message) -> Any:
    match it.action:
        case "channel_create":
            return types.MessageActionChannelCreate(it.text)
        case "title":
            return types.MessageActionChatEditTitle(it.text)
        case "chat_create":
            return types.MessageActionChatCreate(it.text, [])
        case "migrate_to":
            assert it.moved is not None
            return types.MessageActionChatMigrateTo(it.moved)
        case "migrate_from":
            assert it.moved is not None
            return types.MessageActionChannelMigrateFrom(it.text, it.moved)
        case "topic_create":
            return types.MessageActionTopicCreate(it.text, TOPIC_COLOR)
        case "joined_by_request":
            return types.MessageActionChatJoinedByRequest()
        case _:
            return types.MessageActionPinMessage()


def _forward(it: Message) -> Any:
    if it.forward is None:
        return None
    came_from = it.forward["peer"]
    return types.MessageFwdHeader(
        it.forward["date"], from_id=peer(came_from), channel_post=it.forward["id"] if came_from < 0 else None
    )


def _media(it: Message) -> Any:
    if it.contact is not None:
        return types.MessageMediaContact(
            it.contact.get("phone_number", ""),
            it.contact.get("first_name", ""),
            it.contact.get("last_name", ""),
            "",
            it.contact.get("user_id", 0),
        )
    if it.document is None:
        return None
    if it.document.kind == "photo":
        return types.MessageMediaPhoto(photo=photo(it.document, it.date))
    return types.MessageMediaDocument(
        document=document(it.document, it.date),
        video=it.document.kind == "video",
        voice=it.document.kind == "voice",
    )


def photo(it: Document, date: int) -> Any:
    sizes = [
        types.PhotoSize("m", 320, 320 * it.height // (it.width or 1) or 180, min(SMALL_PHOTO_BYTES, it.size)),
        types.PhotoSize("y", it.width or 1280, it.height or 720, it.size),
    ]
    return types.Photo(it.id, it.access_hash, it.file_reference, date, sizes, it.dc_id)


def document(it: Document, date: int) -> Any:
    attributes: list[Any] = []
    if it.kind == "video":
        attributes.append(types.DocumentAttributeVideo(it.duration, it.width, it.height, supports_streaming=True))
    elif it.kind in ("audio", "voice"):
        title = it.name.rpartition(".")[0] or it.name
        attributes.append(types.DocumentAttributeAudio(it.duration, voice=it.kind == "voice", title=title))
    elif it.width:
        attributes.append(types.DocumentAttributeImageSize(it.width, it.height))
    if it.name:
        attributes.append(types.DocumentAttributeFilename(it.name))
    return types.Document(it.id, it.access_hash, it.file_reference, date, it.mime, it.size, it.dc_id, attributes)


_ENTITIES = {
    "bold": types.MessageEntityBold,
    "italic": types.MessageEntityItalic,
    "underline": types.MessageEntityUnderline,
    "strikethrough": types.MessageEntityStrike,
    "spoiler": types.MessageEntitySpoiler,
    "code": types.MessageEntityCode,
    "url": types.MessageEntityUrl,
    "email": types.MessageEntityEmail,
    "hashtag": types.MessageEntityHashtag,
    "cashtag": types.MessageEntityCashtag,
    "mention": types.MessageEntityMention,
    "bot_command": types.MessageEntityBotCommand,
    "phone_number": types.MessageEntityPhone,
}


def _entity(entity: dict[str, Any]) -> Any:
    """One entity as the Bot API writes it. Offsets and lengths count UTF-16 units in both."""
    offset, length = entity["offset"], entity["length"]
    match entity["type"]:
        case "pre":
            return types.MessageEntityPre(offset, length, entity.get("language", ""))
        case "text_link":
            return types.MessageEntityTextUrl(offset, length, entity["url"])
        case "text_mention":
            return types.MessageEntityMentionName(offset, length, entity["user"]["id"])
        case "blockquote" | "expandable_blockquote" as kind:
            return types.MessageEntityBlockquote(offset, length, collapsed=kind != "blockquote")
        case kind:
            return _ENTITIES.get(kind, types.MessageEntityUnknown)(offset, length)


def _markup(it: Message) -> Any:
    """The inline keyboard of a bot's message; reply keyboards are the bot's own business."""
    rows = (it.reply_markup or {}).get("inline_keyboard")
    if not rows:
        return None
    return types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([_button(button) for button in row]) for row in rows])


def _button(button: dict[str, Any]) -> Any:
    if "url" in button:
        kind = types.InlineButtonTypeUrl(button["url"])
    else:
        kind = types.InlineButtonTypeCallback(button.get("callback_data", "").encode())
    return types.KeyboardInlineButton(button["text"], kind)


def mentioned(messages: list[Message]) -> tuple[set[int], set[int]]:
    """The users and the channels (bare ids) that a client needs to know to show these messages."""
    people: set[int] = set()
    channels: set[int] = set()
    for it in messages:
        origin = it.forward["peer"] if it.forward else 0
        for peer_id in (it.sender, it.chat, it.bot_id or 0, origin):
            if peer_id < 0:
                channels.add(channel_of_peer(peer_id))
            elif peer_id:
                people.add(peer_id)
        if it.moved is not None:
            channels.add(it.moved)
    return people, channels
