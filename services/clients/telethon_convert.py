"""TL objects of Telethon -> our dataclasses, and our peers back. Pure functions."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from telethon.tl import types

from services.clients.base import Account, CodeKind, FileLocation, Invitation, Peer, Post, SeenChannel, SentCode
from services.clients.peers import channel_of, group_of, id_of_channel, id_of_group
from storage.models import Channel, ChannelKind, FileKind, NewFile, NewMessage
from storage.types import utc_now

# -- peers


def input_peer(peer_id: int, access_hash: int) -> Any:
    """An InputPeer of a channel, group or person, by its Bot API id."""
    if (channel_id := channel_of(peer_id)) is not None:
        return types.InputPeerChannel(channel_id, access_hash)
    if (chat_id := group_of(peer_id)) is not None:
        return types.InputPeerChat(chat_id)
    return types.InputPeerUser(peer_id, access_hash)


def peer_id(peer: Any) -> int | None:
    """The Bot API id of a Peer; None stays None."""
    match peer:
        case types.PeerChannel():
            return id_of_channel(peer.channel_id)
        case types.PeerChat():
            return id_of_group(peer.chat_id)
        case types.PeerUser():
            return int(peer.user_id)
    return None


# -- accounts and codes


def account(user: Any) -> Account:
    name = " ".join(part for part in (user.first_name, user.last_name) if part)
    phone = f"+{user.phone.lstrip('+')}" if user.phone else None
    return Account(user.id, name, _username(user), phone, is_bot=bool(user.bot))


def _username(entity: Any) -> str | None:
    """The name that leads to it: the first active one, where there are several."""
    if entity.username:
        return str(entity.username)
    return next((str(each.username) for each in entity.usernames or () if each.active), None)


_CODE_KINDS: dict[type, CodeKind] = {
    types.auth.SentCodeTypeApp: CodeKind.APP,
    types.auth.SentCodeTypeSms: CodeKind.SMS,
    types.auth.SentCodeTypeFirebaseSms: CodeKind.SMS,
    types.auth.SentCodeTypeCall: CodeKind.CALL,
    types.auth.SentCodeTypeFlashCall: CodeKind.FLASH_CALL,
    types.auth.SentCodeTypeMissedCall: CodeKind.MISSED_CALL,
    types.auth.SentCodeTypeEmailCode: CodeKind.EMAIL,
    types.auth.SentCodeTypeSetUpEmailRequired: CodeKind.EMAIL_SETUP,
    types.auth.SentCodeTypeFragmentSms: CodeKind.FRAGMENT,
    types.auth.SentCodeTypeSmsWord: CodeKind.WORD,
    types.auth.SentCodeTypeSmsPhrase: CodeKind.PHRASE,
    types.auth.CodeTypeSms: CodeKind.SMS,
    types.auth.CodeTypeCall: CodeKind.CALL,
    types.auth.CodeTypeFlashCall: CodeKind.FLASH_CALL,
    types.auth.CodeTypeMissedCall: CodeKind.MISSED_CALL,
    types.auth.CodeTypeFragmentSms: CodeKind.FRAGMENT,
}


def sent_code(sent: Any) -> SentCode:
    return SentCode(
        kind=_CODE_KINDS[type(sent.type)],
        length=getattr(sent.type, "length", None),
        next_kind=_CODE_KINDS[type(sent.next_type)] if sent.next_type else None,
        resend_after_seconds=sent.timeout,
        code_hash=sent.phone_code_hash,
        detail=getattr(sent.type, "email_pattern", None) or getattr(sent.type, "prefix", None),
    )


# -- channels


def seen_channel(chat: Any, members: int | None = None) -> SeenChannel | None:
    """A channel or group; None for what can be no source: forbidden ones, a group that became a supergroup, a
    channel's private messages (monoforum), and mere mentions (min) whose access hash opens nothing.

    `members`: as channelFull counts them; dialogs know the number only sometimes.
    """
    if isinstance(chat, types.Channel) and not (chat.min or chat.monoforum or chat.access_hash is None):
        identity = id_of_channel(chat.id)
        kind = ChannelKind.CHANNEL if chat.broadcast else ChannelKind.SUPERGROUP
        username, access_hash = _username(chat), chat.access_hash
    elif isinstance(chat, types.Chat) and not chat.deactivated and chat.migrated_to is None:
        identity = id_of_group(chat.id)
        kind, username, access_hash = ChannelKind.GROUP, None, 0
    else:
        return None
    channel = Channel(
        id=identity,
        title=chat.title,
        username=username,
        kind=kind,
        members=members if members is not None else chat.participants_count,
        bot_may_invite=None,
        updated_at=utc_now(),
    )
    may_invite = bool(chat.creator or (chat.admin_rights and chat.admin_rights.invite_users))
    return SeenChannel(channel, Peer(identity, access_hash), may_invite, is_member=not chat.left)


def successors(chats: Sequence[Any]) -> dict[int, SeenChannel]:
    """By their ids: the small groups that became supergroups, and which. The shell that is left of a group says where
    it went; the rest comes from the supergroup itself, if the answer has it along."""
    seen = {each.channel.id: each for each in map(seen_channel, chats) if each is not None}
    found: dict[int, SeenChannel] = {}
    for chat in chats:
        if isinstance(chat, types.Chat) and isinstance(chat.migrated_to, types.InputChannel):
            group_id, identity = id_of_group(chat.id), id_of_channel(chat.migrated_to.channel_id)
            shell = Channel(identity, chat.title, None, ChannelKind.SUPERGROUP, None, None, utc_now())
            peer = Peer(identity, chat.migrated_to.access_hash)
            successor = seen.get(identity) or SeenChannel(shell, peer, may_invite=False, is_member=False)
            found[group_id] = replace(successor, was=group_id)
    return found


def invitation(answer: Any) -> Invitation:
    """Of messages.checkChatInvite. A link that lets people look in first (ChatInvitePeek) is asked for like any other:
    the peek ends by itself, and with it the reading."""
    match answer:
        case types.ChatInviteAlready() | types.ChatInvitePeek():
            seen = seen_channel(answer.chat)
            kind = seen.channel.kind if seen else ChannelKind.GROUP
            members = seen.channel.members if seen else None
            is_in = isinstance(answer, types.ChatInviteAlready)
            return Invitation(answer.chat.title, kind, members, False, seen if is_in else None)
        case _:
            is_group = not answer.channel or answer.megagroup
            kind = ChannelKind.CHANNEL if answer.broadcast else ChannelKind.SUPERGROUP
            kind = ChannelKind.GROUP if is_group and not answer.megagroup else kind
            return Invitation(answer.title, kind, answer.participants_count, bool(answer.request_needed), None)


# -- messages


def post(message: Any) -> Post:
    """A types.Message. Service messages and empty ones are none."""
    new = NewMessage(
        id=message.id,
        date=message.date,
        sender_id=peer_id(message.from_id),
        text=message.message or "",
        # With edit_hide only buttons or reactions changed.
        edited_at=None if message.edit_hide else message.edit_date,
        grouped_id=message.grouped_id,
    )
    match message.media:
        case types.MessageMediaPhoto(photo=types.Photo() as photo):
            file, location = _photo(message, photo)
        case types.MessageMediaDocument(document=types.Document() as document):
            file, location = _document(message, document)
        case _:
            file, location = None, None
    return Post(new, file, location)


def _photo(message: Any, photo: Any) -> tuple[NewFile | None, FileLocation | None]:
    """The largest size that lies at Telegram as a file."""
    sizes = [(size.w * size.h, size.type, _size_bytes(size)) for size in photo.sizes if _size_bytes(size)]
    if not sizes:
        return None, None
    _, letter, size_bytes = max(sizes)
    file = NewFile(message.id, photo.id, FileKind.PHOTO, f"{photo.id}.jpg", "image/jpeg", size_bytes, message.date)
    location = FileLocation(
        photo.id, photo.access_hash, photo.file_reference, photo.dc_id, size_bytes, thumb_size=letter, is_photo=True
    )
    return file, location


def _size_bytes(size: Any) -> int:
    match size:
        case types.PhotoSize():
            return int(size.size)
        case types.PhotoSizeProgressive():
            return int(max(size.sizes))
    return 0  # stripped and cached ones are thumbnails inside the message


def _document(message: Any, document: Any) -> tuple[NewFile | None, FileLocation | None]:
    kind, name = FileKind.DOCUMENT, ""
    for attribute in document.attributes:
        match attribute:
            case types.DocumentAttributeSticker() | types.DocumentAttributeCustomEmoji():
                return None, None  # decoration, not content
            case types.DocumentAttributeAudio():
                kind = FileKind.VOICE if attribute.voice else FileKind.AUDIO
            case types.DocumentAttributeVideo():
                kind = FileKind.VIDEO
            case types.DocumentAttributeFilename():
                name = attribute.file_name
    name = name or f"{document.id}{_EXTENSIONS.get(document.mime_type, '')}"
    file = NewFile(message.id, document.id, kind, name, document.mime_type, document.size, message.date)
    location = FileLocation(document.id, document.access_hash, document.file_reference, document.dc_id, document.size)
    return file, location


# Of what Telegram's own apps send without a name. The standard mimetypes module asks files of the machine.
_EXTENSIONS = {
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
}


def input_location(location: FileLocation) -> Any:
    kind = types.InputPhotoFileLocation if location.is_photo else types.InputDocumentFileLocation
    return kind(location.document_id, location.access_hash, location.file_reference, location.thumb_size)
