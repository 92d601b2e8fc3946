"""Small groups and their move to a supergroup, as unmodified Telethon sees them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from telethon import errors, events
from telethon.tl import functions, types

from sandbox import groups
from sandbox.persistence import load, save
from sandbox.scenarios import ADMIN, SECOND, THIRD
from tests.sandbox.rpc_kit import Telegram, open_telegram


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    async with open_telegram(tmp_path) as opened:
        yield opened


async def test_a_small_group(telegram: Telegram) -> None:
    """It stands among the chats, is spoken in and read by its members alone, and its news reach them."""
    group = groups.found(telegram.world, "Club", ADMIN, [SECOND])
    client, other = await telegram.telethon(), await telegram.telethon(SECOND)
    heard = []
    other.add_event_handler(lambda event: heard.append(event.message.message), events.NewMessage(chats=-group.id))
    dialog = next(dialog for dialog in await client.get_dialogs() if dialog.id == group.peer)
    assert isinstance(dialog.entity, types.Chat)
    assert (dialog.title, dialog.entity.participants_count) == ("Club", 2)
    sent = await client.send_message(types.PeerChat(group.id), "hello")
    assert [message.message for message in await other.get_messages(types.PeerChat(group.id), limit=1)] == ["hello"]
    again = await client(functions.messages.GetMessagesRequest([types.InputMessageID(sent.id)]))
    assert again.messages[0].peer_id == types.PeerChat(group.id)
    full = await client(functions.messages.GetFullChatRequest(group.id))
    assert {member.user_id for member in full.full_chat.participants.participants} == {ADMIN, SECOND}
    assert heard == ["hello"]
    stranger = await telegram.telethon(THIRD)
    with pytest.raises(errors.PeerIdInvalidError):
        await stranger.get_messages(types.PeerChat(group.id), limit=1)


async def test_it_moves(telegram: Telegram, tmp_path: Path) -> None:
    """The shell says where it went and is read on; nobody writes there; the supergroup counts anew, and lasts."""
    group = groups.found(telegram.world, "Club", ADMIN, [SECOND])
    client = await telegram.telethon()
    await client.get_dialogs()
    grown = groups.migrate(telegram.world, group)
    answer = await client(functions.messages.GetHistoryRequest(types.InputPeerChat(group.id), 0, None, 0, 10, 0, 0, 0))
    assert isinstance(answer.messages[0].action, types.MessageActionChatMigrateTo)
    shell = next(chat for chat in answer.chats if isinstance(chat, types.Chat))
    assert shell.deactivated
    assert shell.migrated_to == types.InputChannel(grown.id, grown.access_hash)
    with pytest.raises(errors.PeerIdInvalidError):
        await client(functions.messages.SendMessageRequest(types.InputPeerChat(group.id), "too late", random_id=1))
    peer = types.InputPeerChannel(grown.id, grown.access_hash)
    [first] = await client.get_messages(peer)
    assert (first.id, first.action) == (1, types.MessageActionChannelMigrateFrom("Club", group.id))
    assert set(grown.members) == {ADMIN, SECOND}
    (tmp_path / "kept").mkdir()
    save(telegram.world, tmp_path / "kept")
    kept = load(tmp_path / "kept")
    assert kept is not None
    assert kept.channels[group.id].migrated_to == grown.id


async def test_its_gate(telegram: Telegram) -> None:
    """Who waits at a small group is listed and decided; after the move they wait at the supergroup."""
    group = groups.found(telegram.world, "Club", ADMIN, [SECOND])
    first, second = list(telegram.group.requests)[:2]
    telegram.world.ask_to_join(group, [first, second])
    client = await telegram.telethon()
    peer = types.InputPeerChat(group.id)
    waiting = functions.messages.GetChatInviteImportersRequest
    rows = (await client(waiting(peer, None, types.InputUserEmpty(), 10, requested=True))).importers
    assert {row.user_id for row in rows} == {first, second}
    full = (await client(functions.messages.GetFullChatRequest(group.id))).full_chat
    assert (full.requests_pending, set(full.recent_requesters)) == (2, {first, second})
    person = types.InputUser(first, telegram.world.accounts[first].access_hash)
    answer = await client(functions.messages.HideChatJoinRequestRequest(peer, person, approved=True))
    assert (answer.updates[0].peer, answer.updates[0].requests_pending) == (types.PeerChat(group.id), 1)
    grown = groups.migrate(telegram.world, group)
    with pytest.raises(errors.PeerIdInvalidError):
        await client(waiting(peer, None, types.InputUserEmpty(), 10, requested=True))
    new = types.InputPeerChannel(grown.id, grown.access_hash)
    rows = (await client(waiting(new, None, types.InputUserEmpty(), 10, requested=True))).importers
    assert [row.user_id for row in rows] == [second]
