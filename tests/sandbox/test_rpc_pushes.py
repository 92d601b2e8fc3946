"""Updates: what happens in the world reaches the clients that listen, and those that come back later."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from telethon import TelegramClient, errors, events
from telethon.tl import functions, types

from sandbox import members
from sandbox.scenarios import ADMIN, SECOND, THIRD
from sandbox.world import CHANGES_KEPT, SERVICE_ID
from tests.sandbox.rpc_kit import Telegram, open_telegram


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    async with open_telegram(tmp_path) as opened:
        yield opened


class Listener:
    """A client that keeps what it hears."""

    def __init__(self, client: TelegramClient) -> None:
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        client.add_event_handler(self.heard.put, events.Raw)

    async def next(self, kind: type[Any]) -> Any:
        async with asyncio.timeout(5):
            while True:
                update = await self.heard.get()
                if isinstance(update, kind):
                    return update

    @classmethod
    async def of(cls, telegram: Telegram, user_id: int = ADMIN) -> "Listener":
        client = await telegram.telethon(user_id)
        await client.get_dialogs()
        return cls(client)


async def test_posts_are_heard(telegram: Telegram) -> None:
    """A new post, its edit and its deletion, each one step on in the channel's sequence."""
    listener, channel = await Listener.of(telegram), telegram.archive
    message = telegram.world.post(channel, channel.peer, text="news")
    new = await listener.next(types.UpdateNewChannelMessage)
    assert (new.message.id, new.message.message, new.pts, new.pts_count) == (message.id, "news", channel.pts, 1)
    telegram.world.edit(message, text="better news")
    edited = await listener.next(types.UpdateEditChannelMessage)
    assert (edited.message.message, edited.pts) == ("better news", new.pts + 1)
    telegram.world.delete(message)
    deleted = await listener.next(types.UpdateDeleteChannelMessages)
    assert (deleted.channel_id, deleted.messages, deleted.pts) == (channel.id, [message.id], new.pts + 2)


async def test_codes_are_heard(telegram: Telegram) -> None:
    """A login code reaches the clients that the account has elsewhere, as 777000's message."""
    listener = await Listener.of(telegram, SECOND)
    telegram.world.send_code(str(telegram.world.accounts[SECOND].phone), 1)
    heard = await listener.next(types.UpdateNewMessage)
    assert heard.message.peer_id.user_id == SERVICE_ID
    assert telegram.code(telegram.world.accounts[SECOND]) in heard.message.message


async def test_requests_are_heard_by_admins_only(telegram: Telegram) -> None:
    """Who looks after the gate hears how many wait; others hear nothing of it, but of posts."""
    admin, member = await Listener.of(telegram), await Listener.of(telegram, THIRD)
    telegram.world.ask_to_join(telegram.group, [THIRD])
    heard = await admin.next(types.UpdatePendingJoinRequests)
    assert (heard.peer.channel_id, heard.requests_pending) == (telegram.group.id, 31)
    assert heard.recent_requesters[0] == THIRD
    telegram.world.decide(telegram.group, THIRD, telegram.bot.id, approve=True)
    assert (await admin.next(types.UpdatePendingJoinRequests)).requests_pending == 30
    telegram.world.post(telegram.group, ADMIN, text="welcome")
    assert (await member.next(types.UpdateNewChannelMessage)).message.message == "welcome"
    assert member.heard.empty()


async def test_an_admin_without_the_right_hears_of_no_requests(telegram: Telegram) -> None:
    """The right to invite counts, not the title; it counts again as soon as it is given."""
    second, group = await Listener.of(telegram, SECOND), telegram.group
    members.appoint(telegram.world, group, SECOND, ADMIN, ["ban"])
    telegram.world.ask_to_join(group, [THIRD])
    members.appoint(telegram.world, group, SECOND, ADMIN, ["invite"])
    telegram.world.withdraw(group, THIRD)
    assert (await second.next(types.UpdatePendingJoinRequests)).requests_pending == 30


async def test_bot_messages_are_heard(telegram: Telegram) -> None:
    """What a bot says, edits and takes back reaches the person's own clients."""
    listener, world, bot = await Listener.of(telegram), telegram.world, telegram.bot.id
    markup = {
        "inline_keyboard": [[{"text": "Yes", "callback_data": "v1:yes"}, {"text": "Site", "url": "https://e.org"}]]
    }
    message = world.send_private(bot, ADMIN, bot, text="Shall I?", reply_markup=markup)
    new = await listener.next(types.UpdateNewMessage)
    [row] = new.message.reply_markup.rows
    assert [button.text for button in row.buttons] == ["Yes", "Site"]
    world.edit(message, text="Done")
    assert (await listener.next(types.UpdateEditMessage)).message.message == "Done"
    world.delete(message)
    assert (await listener.next(types.UpdateDeleteMessages)).messages == [message.id]


async def test_what_a_channel_did_meanwhile(telegram: Telegram) -> None:
    """getChannelDifference tells what was missed: in pages, and no older than the world remembers."""
    client, channel, world = await telegram.telethon(), telegram.archive, telegram.world
    peer = types.InputChannel(channel.id, channel.access_hash)
    empty = types.ChannelMessagesFilterEmpty()
    before = channel.pts
    kept, gone = (world.post(channel, channel.peer, text=text) for text in ("kept", "gone"))
    world.edit(kept, text="kept, and edited")
    world.delete(gone)

    first = await client(functions.updates.GetChannelDifferenceRequest(peer, empty, before, 2))
    assert ([m.message for m in first.new_messages], first.final, first.pts) == (
        ["kept, and edited"],
        False,
        before + 2,
    )
    rest = await client(functions.updates.GetChannelDifferenceRequest(peer, empty, first.pts, 100))
    assert [type(update) for update in rest.other_updates] == [
        types.UpdateEditChannelMessage, types.UpdateDeleteChannelMessages,
    ]  # fmt: skip
    assert (rest.final, rest.pts) == (True, channel.pts)
    assert isinstance(
        await client(functions.updates.GetChannelDifferenceRequest(peer, empty, rest.pts, 100)),
        types.updates.ChannelDifferenceEmpty,
    )
    for number in range(CHANGES_KEPT):
        world.edit(kept, text=str(number))
    too_long = await client(functions.updates.GetChannelDifferenceRequest(peer, empty, before, 100))
    assert isinstance(too_long, types.updates.ChannelDifferenceTooLong)
    assert too_long.dialog.pts == channel.pts
    with pytest.raises(errors.PersistentTimestampInvalidError):
        await client(functions.updates.GetChannelDifferenceRequest(peer, empty, 0, 100))


async def test_what_private_chats_did_meanwhile(telegram: Telegram) -> None:
    """getDifference brings messages that came while nobody listened."""
    client, world, bot = await telegram.telethon(), telegram.world, telegram.bot.id
    before = await client(functions.updates.GetStateRequest())
    said = world.send_private(bot, ADMIN, bot, text="one")
    world.send_private(bot, ADMIN, bot, text="two")
    world.edit(said, text="one, again")
    after = await client(functions.updates.GetDifferenceRequest(before.pts, before.date, 0))
    assert [message.message for message in after.new_messages] == ["one, again", "two"]
    assert after.state.pts == before.pts + 3
    nothing = await client(functions.updates.GetDifferenceRequest(after.state.pts, before.date, 0))
    assert isinstance(nothing, types.updates.DifferenceEmpty)


async def test_catching_up(telegram: Telegram) -> None:
    """A Telethon client that was away for a while is told by its own machinery."""
    client = await telegram.telethon(receive_updates=True)
    await client.get_dialogs()
    listener = Listener(client)
    telegram.world.post(telegram.archive, telegram.archive.peer, text="heard")
    assert (await listener.next(types.UpdateNewChannelMessage)).message.message == "heard"
    # A step that no push told: the next one shows the gap, and the client asks for the difference.
    push, telegram.services.push = telegram.services.push, lambda user_id, updates: None
    telegram.world.post(telegram.archive, telegram.archive.peer, text="missed")
    telegram.services.push = push
    telegram.world.post(telegram.archive, telegram.archive.peer, text="last")
    heard = {(await listener.next(types.UpdateNewChannelMessage)).message.message for _ in range(2)}
    assert heard == {"missed", "last"}
