"""TL objects as Telegram sends them, of the kinds that the sandbox has none of."""

from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import types

from services.clients.base import CodeKind
from services.clients.peers import channel_of, group_of, id_of_channel, id_of_group
from services.clients.telethon_convert import input_peer, peer_id, post, seen_channel, sent_code
from storage.models import ChannelKind, FileKind

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
BIG = 2**40 + 3


def message(media: Any = None, **fields: Any) -> Any:
    return types.Message(7, types.PeerChannel(BIG), NOW, "text", media=media, **fields)


def document(*attributes: Any, mime: str = "application/octet-stream") -> Any:
    content = types.Document(99, 1, b"reference", NOW, mime, 1234, 4, list(attributes))
    return message(types.MessageMediaDocument(document=content))


@pytest.mark.parametrize(
    ("attributes", "kind", "name"),
    [
        ([types.DocumentAttributeFilename("a.pdf")], FileKind.DOCUMENT, "a.pdf"),
        ([types.DocumentAttributeAudio(3, voice=True)], FileKind.VOICE, "99"),
        ([types.DocumentAttributeAudio(3), types.DocumentAttributeFilename("b.mp3")], FileKind.AUDIO, "b.mp3"),
        ([types.DocumentAttributeVideo(3, 1, 1)], FileKind.VIDEO, "99"),
        ([types.DocumentAttributeVideo(3, 1, 1), types.DocumentAttributeAnimated()], FileKind.VIDEO, "99"),
        ([], FileKind.DOCUMENT, "99"),
    ],
)
def test_kinds_of_documents(attributes: list[Any], kind: FileKind, name: str) -> None:
    """The attributes tell what a document is and what it is called."""
    file = post(document(*attributes)).file
    assert file is not None
    assert (file.kind, file.name, file.size_bytes) == (kind, name, 1234)


def test_a_name_from_the_type() -> None:
    """A voice message has no name: its id and type make one."""
    file = post(document(types.DocumentAttributeAudio(3, voice=True), mime="audio/ogg")).file
    assert file is not None
    assert file.name == "99.ogg"


def test_a_sticker_is_no_file() -> None:
    """Decoration is not content."""
    sticker = types.DocumentAttributeSticker("🙂", types.InputStickerSetEmpty())
    assert post(document(sticker)).file is None


def test_the_largest_size_of_a_photo() -> None:
    """The size with the most pixels that lies at Telegram; thumbnails in the message do not count."""
    sizes = [
        types.PhotoStrippedSize("i", b"tiny"),
        types.PhotoSize("m", 320, 240, 5000),
        types.PhotoSizeProgressive("y", 1280, 960, [1000, 50_000, 90_000]),
        types.PhotoSize("x", 800, 600, 40_000),
    ]
    photo = types.Photo(55, 1, b"reference", NOW, sizes, 2)
    made = post(message(types.MessageMediaPhoto(photo=photo)))
    assert made.file is not None
    assert made.location is not None
    assert (made.file.kind, made.file.size_bytes, made.file.name) == (FileKind.PHOTO, 90_000, "55.jpg")
    assert (made.location.thumb_size, made.location.is_photo) == ("y", True)


@pytest.mark.parametrize(
    "media",
    [
        None,
        types.MessageMediaPhoto(ttl_seconds=5),
        types.MessageMediaDocument(),
        types.MessageMediaPhoto(photo=types.PhotoEmpty(1)),
        types.MessageMediaWebPage(types.WebPageEmpty(1)),
        types.MessageMediaGeo(types.GeoPointEmpty()),
    ],
)
def test_media_without_a_file(media: Any) -> None:
    """What has destroyed itself, what was never there and what is no file carries none."""
    made = post(message(media))
    assert (made.file, made.location) == (None, None)


def test_only_real_edits_count() -> None:
    """A message whose buttons or reactions changed was not edited."""
    assert post(message(edit_date=NOW)).message.edited_at == NOW
    assert post(message(edit_date=NOW, edit_hide=True)).message.edited_at is None


def test_who_wrote() -> None:
    """A person by id, a channel by the Bot API's id, a post in the channel's own name by nobody."""
    assert post(message(from_id=types.PeerUser(5))).message.sender_id == 5
    assert post(message(from_id=types.PeerChannel(BIG))).message.sender_id == id_of_channel(BIG)
    assert post(message()).message.sender_id is None


def channel(**fields: Any) -> Any:
    return types.Channel(BIG, "Title", types.ChatPhotoEmpty(), NOW, **{"access_hash": 9, **fields})


def test_kinds_of_channels() -> None:
    """Channels, supergroups and small groups; ids are the Bot API's, wider than 32 bits too."""
    seen = seen_channel(channel(broadcast=True))
    assert seen is not None
    assert (seen.channel.id, seen.channel.kind, seen.may_invite) == (
        -1_000_000_000_000 - BIG,
        ChannelKind.CHANNEL,
        False,
    )
    supergroup = seen_channel(channel(megagroup=True, creator=True))
    assert supergroup is not None
    assert (supergroup.channel.kind, supergroup.may_invite) == (ChannelKind.SUPERGROUP, True)
    group = seen_channel(types.Chat(12, "Small", types.ChatPhotoEmpty(), 3, NOW, 1))
    assert group is not None
    assert (group.channel.id, group.channel.kind, group.channel.members) == (-12, ChannelKind.GROUP, 3)


def test_rights_to_invite() -> None:
    """An administrator may invite only with that very right."""
    for invite_users in (True, False):
        rights = types.ChatAdminRights(invite_users=invite_users)
        seen = seen_channel(channel(admin_rights=rights))
        assert seen is not None
        assert seen.may_invite is invite_users


def test_a_collectible_name() -> None:
    """Where a channel has several names, the first active one leads to it."""
    names = [types.Username("old", active=False), types.Username("bought", active=True)]
    seen = seen_channel(channel(usernames=names))
    assert seen is not None
    assert seen.channel.username == "bought"


@pytest.mark.parametrize(
    "chat",
    [
        types.ChannelForbidden(1, 1, "Gone"),
        types.ChatForbidden(1, "Gone"),
        types.ChatEmpty(1),
        types.Chat(1, "Old", types.ChatPhotoEmpty(), 3, NOW, 1, migrated_to=types.InputChannel(2, 2), deactivated=True),
        channel(monoforum=True),
        channel(min=True),
        channel(access_hash=None),
    ],
)
def test_what_is_no_source(chat: Any) -> None:
    """Nothing that could not be read is offered."""
    assert seen_channel(chat) is None


@pytest.mark.parametrize(
    ("kind", "expected", "length"),
    [
        (types.auth.SentCodeTypeApp(5), CodeKind.APP, 5),
        (types.auth.SentCodeTypeSms(6), CodeKind.SMS, 6),
        (types.auth.SentCodeTypeCall(5), CodeKind.CALL, 5),
        (types.auth.SentCodeTypeFlashCall("*"), CodeKind.FLASH_CALL, None),
        (types.auth.SentCodeTypeMissedCall("+1", 5), CodeKind.MISSED_CALL, 5),
        (types.auth.SentCodeTypeEmailCode("a*@b.c", 6), CodeKind.EMAIL, 6),
        (types.auth.SentCodeTypeSetUpEmailRequired(), CodeKind.EMAIL_SETUP, None),
        (types.auth.SentCodeTypeFragmentSms("https://fragment.com", 5), CodeKind.FRAGMENT, 5),
        (types.auth.SentCodeTypeSmsWord("a"), CodeKind.WORD, None),
        (types.auth.SentCodeTypeSmsPhrase("a b"), CodeKind.PHRASE, None),
    ],
)
def test_kinds_of_codes(kind: Any, expected: CodeKind, length: int | None) -> None:
    """Every way that Telegram may send a code, with the length of the code where it has one."""
    sent = sent_code(types.auth.SentCode(kind, "hash", types.auth.CodeTypeCall(), 60))
    assert (sent.kind, sent.length, sent.next_kind, sent.resend_after_seconds) == (expected, length, CodeKind.CALL, 60)


@pytest.mark.parametrize("identity", [5, -12, -999_999_999_999, -1_000_000_000_001, -1_000_000_000_000 - BIG])
def test_ids_go_there_and_back(identity: int) -> None:
    """The Bot API's id of a person, group or channel survives the way through Telegram's peers."""
    there = input_peer(identity, 1)
    back = {
        types.InputPeerUser: lambda: types.PeerUser(there.user_id),
        types.InputPeerChat: lambda: types.PeerChat(there.chat_id),
        types.InputPeerChannel: lambda: types.PeerChannel(there.channel_id),
    }[type(there)]()
    assert peer_id(back) == identity


def test_bare_ids() -> None:
    """Only channels have a channel's id, only groups a group's."""
    assert (channel_of(id_of_channel(BIG)), group_of(id_of_channel(BIG))) == (BIG, None)
    assert (channel_of(id_of_group(12)), group_of(id_of_group(12))) == (None, 12)
    assert (channel_of(5), group_of(5)) == (None, None)
