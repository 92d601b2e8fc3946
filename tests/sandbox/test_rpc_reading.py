"""Reading chats by unmodified clients: lists of chats, history both ways, single messages, search."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyrogram.errors
import pytest
from telethon import errors
from telethon.tl import functions, types

from sandbox.scenarios import ADMIN, NEWS, SECOND, THIRD
from sandbox.world import SERVICE_ID, Channel, Message, peer_of_channel
from tests.sandbox.rpc_kit import Telegram, open_telegram


@pytest.fixture(scope="module")
async def telegram(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Telegram]:
    """`harbour`, read by all tests of this file and changed by none."""
    async with open_telegram(tmp_path_factory.mktemp("harbour"), "harbour") as opened:
        opened.world.send_code(str(opened.admin.phone), opened.admin.api_id)
        opened.world.send_private(opened.bot.id, ADMIN, ADMIN, text="/start")
        yield opened


@pytest.fixture
async def changing(tmp_path: Path) -> AsyncIterator[Telegram]:
    """`jetty`, for those that change something."""
    async with open_telegram(tmp_path) as opened:
        yield opened


def there(channel: Channel) -> list[Message]:
    return [message for message in channel.messages.values() if not message.deleted]


# Lists of chats ---------------------------------------------------------------------------------------------------


async def test_dialogs_of_both_libraries(telegram: Telegram) -> None:
    """Both list the three channels, the chat with 777000 and the one with the bot, each with its newest message."""
    expected = {telegram.archive.peer, telegram.news.peer, telegram.group.peer, SERVICE_ID, telegram.bot.id}
    client = await telegram.telethon()
    dialogs = await client.get_dialogs()
    assert {dialog.id for dialog in dialogs} == expected
    assert dialogs.total == len(expected)
    tops = {dialog.id: dialog.message.id for dialog in dialogs}
    assert tops[telegram.archive.peer] == there(telegram.archive)[-1].id
    assert [dialog.date for dialog in dialogs] == sorted((dialog.date for dialog in dialogs), reverse=True)

    other = await telegram.kurigram()
    listed = [dialog async for dialog in other.get_dialogs()]
    assert [dialog.chat.id for dialog in listed] == [dialog.id for dialog in dialogs]
    assert all(dialog.top_message.id == tops[dialog.chat.id] for dialog in listed)


async def test_dialogs_in_pages(changing: Telegram) -> None:
    """However small the page, each dialog comes once."""
    for number in range(7):
        channel = Channel(2_200_000_000 + number, f"Pier {number}", created=1_700_000_000 + number // 3)
        changing.world.channels[channel.id] = channel
        channel.members[ADMIN] = changing.archive.members[ADMIN]
        if number % 2:
            changing.world.post(channel, channel.peer, text="hello")
    client = await changing.telethon()
    whole = [dialog.id for dialog in await client.get_dialogs()]
    assert len(whole) == 10
    seen: list[int] = []
    offset: Any = types.InputPeerEmpty()
    while True:
        page = await client(functions.messages.GetDialogsRequest(None, 0, offset, 3, 0))
        if not page.dialogs:
            break
        seen += [await client.get_peer_id(dialog.peer) for dialog in page.dialogs]
        offset = await client.get_input_entity(page.dialogs[-1].peer)
    assert seen == whole


async def test_peers_are_what_the_world_says(telegram: Telegram) -> None:
    """A channel by its name, its rights and counts; a person as others see them."""
    client = await telegram.telethon()
    news = await client.get_entity("@harbour_news")
    assert (news.id, news.broadcast, news.creator, news.username) == (NEWS, True, True, "harbour_news")
    full = await client(functions.channels.GetFullChannelRequest(news))
    assert full.full_chat.participants_count == telegram.news.member_count
    assert full.full_chat.about == telegram.news.about
    await client.get_dialogs()
    full = await client(functions.channels.GetFullChannelRequest(telegram.group.peer))
    assert full.full_chat.requests_pending == 2500
    assert len(full.full_chat.recent_requesters) == 3
    assert full.full_chat.exported_invite.link == telegram.group.invite_link
    other = await telegram.kurigram()
    chat = await other.get_chat("harbour_news")
    assert (chat.id, chat.title, chat.members_count) == (
        telegram.news.peer, telegram.news.title, telegram.news.member_count,
    )  # fmt: skip
    person = await other.get_chat("clara_o")
    assert (person.id, person.first_name) == (THIRD, "Clara")
    assert (await other.get_users("clara_o")).is_premium


@pytest.mark.parametrize(
    ("name", "error"),
    [("nobody_has_this", errors.UsernameNotOccupiedError), ("x!", errors.UsernameInvalidError)],
)
async def test_names_of_nobody(telegram: Telegram, name: str, error: type[Exception]) -> None:
    """A name that is free, and one that cannot be."""
    client = await telegram.telethon()
    with pytest.raises(error):
        await client(functions.contacts.ResolveUsernameRequest(name))


async def test_access_is_checked(telegram: Telegram) -> None:
    """An id with a wrong access hash opens nothing; a private channel is closed to those outside."""
    client = await telegram.telethon()
    wrong = types.InputPeerChannel(telegram.archive.id, 1)
    with pytest.raises(errors.ChannelInvalidError):
        await client.get_messages(wrong, 1)
    with pytest.raises(errors.ChannelInvalidError):
        await client(functions.channels.GetChannelsRequest([wrong]))
    with pytest.raises(errors.PeerIdInvalidError):
        await client.get_messages(types.InputPeerUser(telegram.bot.id, 1), 1)
    with pytest.raises(errors.UserIdInvalidError):
        await client(functions.users.GetFullUserRequest(types.InputUser(THIRD, 1)))
    outsider = await telegram.telethon(THIRD)
    with pytest.raises(errors.ChannelPrivateError):
        await outsider.get_messages(types.InputPeerChannel(telegram.archive.id, telegram.archive.access_hash), 1)
    assert await outsider.get_messages("harbour_news", 1)  # public: open to all


async def test_bots_and_service_chat(telegram: Telegram) -> None:
    """The code stands in the chat with 777000, and what was said to the bot in the chat with it."""
    client = await telegram.telethon()
    await client.get_dialogs()
    [message] = await client.get_messages(SERVICE_ID, 5)
    assert telegram.code(telegram.admin) in message.text
    assert message.sender_id == SERVICE_ID
    [said] = await client.get_messages(telegram.bot.id, 5)
    assert (said.text, said.out) == ("/start", True)


# History ----------------------------------------------------------------------------------------------------------


async def test_whole_history_both_ways(telegram: Telegram) -> None:
    """Telethon reads all 1,000 posts from the end and from the start: every one, once, in order."""
    client = await telegram.telethon()
    await client.get_dialogs()
    expected = [message.id for message in there(telegram.archive)]
    assert len(expected) == 1000
    newest_first = [m.id async for m in client.iter_messages(telegram.archive.peer, wait_time=0)]
    assert newest_first == expected[::-1]
    oldest_first = [m.id async for m in client.iter_messages(telegram.archive.peer, reverse=True, wait_time=0)]
    assert oldest_first == expected


async def test_history_in_kurigram(telegram: Telegram) -> None:
    """kurigram reads the same, both ways, and between two ids."""
    client = await telegram.kurigram()
    [_ async for _ in client.get_dialogs()]
    expected = [message.id for message in there(telegram.archive)]
    peer = telegram.archive.peer
    assert [m.id async for m in client.get_chat_history(peer)] == expected[::-1]
    assert [m.id async for m in client.get_chat_history(peer, reverse=True)] == expected
    between = [m.id async for m in client.get_chat_history(peer, min_id=400, max_id=620)]
    assert between == [message_id for message_id in expected[::-1] if 400 <= message_id <= 620]


async def test_history_from_a_point(telegram: Telegram) -> None:
    """From an id, between ids, and from a date, both ways."""
    client = await telegram.telethon()
    await client.get_dialogs()
    peer = telegram.archive.peer
    messages = there(telegram.archive)
    ids = [message.id for message in messages]

    assert [m.id async for m in client.iter_messages(peer, 150, offset_id=501)] == [i for i in ids[::-1] if i < 501][
        :150
    ]
    assert [m.id async for m in client.iter_messages(peer, 150, min_id=300, reverse=True)] == [
        i for i in ids if i > 300
    ][:150]
    assert [m.id async for m in client.iter_messages(peer, min_id=300, max_id=330)] == [
        i for i in ids[::-1] if 300 < i < 330
    ]
    day = datetime.fromtimestamp(messages[600].date, UTC)
    assert [m.id async for m in client.iter_messages(peer, 5, offset_date=day)] == [
        m.id for m in messages[::-1] if m.date < messages[600].date
    ][:5]
    assert [m.id async for m in client.iter_messages(peer, 5, offset_date=day, reverse=True)] == [
        m.id for m in messages if m.date >= messages[600].date
    ][:5]


@pytest.mark.parametrize(
    ("offset_id", "add_offset", "limit", "expected"),
    [
        (0, 0, 3, slice(0, 3)),
        (0, 2, 3, slice(2, 5)),
        (0, -2, 3, slice(0, 1)),
        (0, 0, 1000, slice(0, 100)),
        (0, 0, 0, slice(0, 20)),
        (1, 0, 10, slice(0, 0)),
        (1, -10, 10, slice(-10, None)),
        (5, -3, 5, slice(-6, -1)),
        (99_999, -100, 100, slice(0, 0)),
        (99_999, 0, 2, slice(0, 2)),
    ],
)
async def test_offsets(telegram: Telegram, offset_id: int, add_offset: int, limit: int, expected: slice) -> None:
    """A page is cut out of the list that runs from the newest; what lies before its beginning is cut off."""
    client = await telegram.telethon()
    peer = types.InputPeerChannel(telegram.archive.id, telegram.archive.access_hash)
    newest_first = [message.id for message in there(telegram.archive)][::-1]
    page = await client(functions.messages.GetHistoryRequest(peer, offset_id, None, add_offset, limit, 0, 0, 0))
    assert page.count == 1000
    assert [message.id for message in page.messages] == newest_first[expected]


async def test_offset_id_that_is_gone(telegram: Telegram) -> None:
    """A deleted message still marks the place where it was."""
    gone = next(m.id for m in telegram.archive.messages.values() if m.deleted and m.id > 1)
    client = await telegram.telethon()
    peer = types.InputPeerChannel(telegram.archive.id, telegram.archive.access_hash)
    page = await client(functions.messages.GetHistoryRequest(peer, gone, None, 0, 1, 0, 0, 0))
    assert page.messages[0].id == gone - 1
    page = await client(functions.messages.GetHistoryRequest(peer, gone, None, -1, 1, 0, 0, 0))
    assert page.messages[0].id == gone + 1


async def test_min_and_max_thin_a_page_out(telegram: Telegram) -> None:
    """They are applied after the page is cut, as Telegram documents: low ids may leave nothing of it."""
    client = await telegram.telethon()
    peer = types.InputPeerChannel(telegram.archive.id, telegram.archive.access_hash)
    low = await client(functions.messages.GetHistoryRequest(peer, 0, None, 0, 100, max_id=50, min_id=0, hash=0))
    assert low.messages == []
    some = await client(functions.messages.GetHistoryRequest(peer, 60, None, 0, 100, max_id=50, min_id=40, hash=0))
    assert [message.id for message in some.messages] == list(range(49, 40, -1))


async def test_what_messages_look_like(telegram: Telegram) -> None:
    """Text, entities, edits, forwards, files and service messages arrive as the world has them."""
    client = await telegram.telethon()
    await client.get_dialogs()
    by_id = {m.id: m async for m in client.iter_messages(telegram.archive.peer, wait_time=0)}
    for message in there(telegram.archive):
        seen = by_id[message.id]
        assert seen.message == message.text
        assert int(seen.date.timestamp()) == message.date
        assert (int(seen.edit_date.timestamp()) if seen.edit_date else None) == message.edited
        assert (seen.file is None) == (message.document is None)
        if message.document is not None:
            assert seen.file.size == message.document.size
            assert seen.file.mime_type == message.document.mime
            assert bool(seen.photo) == (message.document.kind == "photo")
            assert bool(seen.audio) == (message.document.kind == "audio")
            assert seen.file.name == (None if seen.photo else message.document.name)
        if message.forward is not None:
            assert peer_of_channel(seen.forward.chat.id) == message.forward["peer"]
            assert seen.forward.channel_post == message.forward["id"]
        if message.entities:
            assert [type(entity) for entity in seen.entities] == [types.MessageEntityBold, types.MessageEntityUrl]
            assert seen.get_entities_text()[1][1].startswith("https://example.org/notices/")
    kinds = {type(m.action) async for m in client.iter_messages(telegram.group.peer) if m.action}
    assert kinds == {types.MessageActionChannelCreate, types.MessageActionChatJoinedByRequest}


# Single messages, search ------------------------------------------------------------------------------------------


async def test_messages_by_id(telegram: Telegram) -> None:
    """They come in the order asked for; those that are gone, or never were, are empty."""
    client = await telegram.telethon()
    await client.get_dialogs()
    gone = next(m.id for m in telegram.archive.messages.values() if m.deleted and m.id > 1)
    found = await client.get_messages(telegram.archive.peer, ids=[50, gone, 12, 1_000_000, 50])
    assert [message and message.id for message in found] == [50, None, 12, None, 50]
    other = await telegram.kurigram()
    [_ async for _ in other.get_dialogs()]
    both = await other.get_messages(telegram.archive.peer, [12, gone])
    assert [message.empty for message in both] == [None, True]


async def test_search(telegram: Telegram) -> None:
    """By kind, by word, by sender; the counters agree with the pages."""
    client = await telegram.telethon()
    await client.get_dialogs()
    archive, peer = telegram.archive, telegram.archive.peer
    filters = [
        types.InputMessagesFilterPhotos(), types.InputMessagesFilterDocument(),
        types.InputMessagesFilterMusic(), types.InputMessagesFilterUrl(),
    ]  # fmt: skip
    counters = await client(functions.messages.GetSearchCountersRequest(peer, filters))
    assert [counter.count for counter in counters] == [26, 74, 20, 25]
    photos = [m.id async for m in client.iter_messages(peer, filter=types.InputMessagesFilterPhotos, wait_time=0)]
    assert photos == [m.id for m in there(archive)[::-1] if m.document and m.document.kind == "photo"]
    kind = types.InputMessagesFilterDocument
    documents = [m async for m in client.iter_messages(peer, filter=kind, reverse=True, wait_time=0)]
    assert len(documents) == 74
    storms = [m.id async for m in client.iter_messages(peer, search="storm WARNING", wait_time=0)]
    assert storms
    assert storms == [
        m.id
        for m in there(archive)[::-1]
        if "storm warning" in m.text.lower() or (m.document and "storm warning" in m.document.name.lower())
    ]
    said = [m.id async for m in client.iter_messages(telegram.group.peer, from_user="me")]
    assert said == []
    assert (await client.get_messages(peer, 0, search="")).total == 1000


async def test_changes_are_seen_at_once(changing: Telegram) -> None:
    """An edited and a deleted post: no page comes from before."""
    client = await changing.telethon()
    await client.get_dialogs()
    peer, posts = changing.archive.peer, there(changing.archive)
    assert len(await client.get_messages(peer, 100)) == 20
    changing.world.edit(posts[5], text="changed")
    changing.world.delete(posts[6])
    assert (await client.get_messages(peer, ids=posts[5].id)).message == "changed"
    assert len(await client.get_messages(peer, 100)) == 19


async def test_kurigram_is_refused_likewise(telegram: Telegram) -> None:
    """The same errors reach kurigram."""
    client = await telegram.kurigram(SECOND)
    with pytest.raises(pyrogram.errors.UsernameNotOccupied):
        await client.get_chat("nobody_has_this")
    with pytest.raises(pyrogram.errors.ChannelInvalid):
        await client.get_chat(telegram.archive.peer)
