"""Groups that a bot speaks in: topics, and buttons that any member presses. By unmodified aiogram and Telethon."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramMigrateToChat
from telethon.tl import types

from sandbox import groups
from sandbox.driver import Actor, DriverError
from sandbox.scenarios import ADMIN, BOT, SECOND, THIRD
from tests.sandbox.bot_stage import Stage, keyboard, open_stage
from tests.sandbox.rpc_kit import open_telegram


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


async def test_topics(stage: Stage) -> None:
    """A topic is opened with the right to do so; what is said in it says where; a deleted one takes nothing more."""
    bot, driver = stage.bot, stage.driver
    forum = (await driver.found_group("Gatekeepers", account=SECOND, forum=True))["id"]
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the supergroup chat"):
        await bot.create_forum_topic(forum, "Crew")
    await driver.member(forum, BOT, "member")
    with pytest.raises(TelegramBadRequest, match="not enough rights to create a topic"):
        await bot.create_forum_topic(forum, "Crew")
    await driver.member(forum, BOT, "admin", ["topics"])
    assert (await bot.get_chat(forum)).is_forum
    assert (await bot.get_chat_member(forum, BOT)).can_manage_topics
    topic = await bot.create_forum_topic(forum, "Crew " * 40)
    assert topic.name == ("Crew " * 40).strip()[:128]
    said = await bot.send_message(forum, "12 wait", message_thread_id=topic.message_thread_id)
    assert (said.message_thread_id, said.is_topic_message, said.chat.is_forum) == (topic.message_thread_id, True, True)
    general = await bot.send_message(forum, "hello")
    assert (general.message_thread_id, general.is_topic_message) == (None, None)
    seen = {message["id"]: message for message in await driver.messages(forum, SECOND)}
    assert (seen[said.message_id]["thread"], seen[said.message_id]["from"]) == (topic.message_thread_id, BOT)
    assert seen[topic.message_thread_id]["action"] == "topic_create"
    await driver.delete_post(forum, topic.message_thread_id)
    for thread in (topic.message_thread_id, general.message_id, 1):
        with pytest.raises(TelegramBadRequest, match="message thread not found"):
            await bot.send_message(forum, "nobody hears", message_thread_id=thread)
    edited = await bot.edit_message_text("11 wait", chat_id=forum, message_id=said.message_id)
    assert edited.message_thread_id == topic.message_thread_id


async def test_no_topics_elsewhere(stage: Stage) -> None:
    """A group without topics says so, and a private chat has none."""
    await stage.started()
    await stage.driver.member(stage.group.peer, BOT, "admin", ["topics"])
    with pytest.raises(TelegramBadRequest, match="the chat is not a forum"):
        await stage.bot.create_forum_topic(stage.group.peer, "Crew")
    for chat_id in (stage.group.peer, ADMIN):
        with pytest.raises(TelegramBadRequest, match="message thread not found"):
            await stage.bot.send_message(chat_id, "where?", message_thread_id=2)


@pytest.mark.parametrize("forum", [False, True])
async def test_anybody_in_the_group_presses(stage: Stage, forum: bool) -> None:
    """The query names who pressed and where; all see the edit; a stranger sees and presses nothing."""
    bot, driver = stage.bot, stage.driver
    peer = (await driver.found_group("Gatekeepers", account=SECOND, forum=forum))["id"]
    await driver.member(peer, BOT, "member")
    await stage.updates()
    card = await bot.send_message(peer, "Mara wants in", reply_markup=keyboard("Approve"))
    for person in (ADMIN, SECOND):
        press = asyncio.create_task(Actor(driver, person, peer).press("Approve"))
        (update,) = await bot.get_updates(timeout=10)
        query = update.callback_query
        assert query is not None
        assert query.message is not None
        assert (query.from_user.id, query.message.chat.id, query.data) == (person, peer, "v1:approve")
        await bot.answer_callback_query(query.id, "Noted")
        assert (await press)["answer"] == "Noted"
        await stage.updates(offset=update.update_id + 1)
    await bot.edit_message_text("Approved", chat_id=peer, message_id=card.message_id)
    shown = await Actor(driver, SECOND, peer).screen()
    assert (shown["text"], shown["buttons"]) == ("Approved", None)
    with pytest.raises(DriverError, match="404"):
        await Actor(driver, THIRD, peer).press_forged(card.message_id, "v1:approve")


async def test_a_user_sees_the_topics(tmp_path: Path) -> None:
    """Telethon knows the forum, the message that opened a topic, and what belongs to it."""
    async with open_telegram(tmp_path) as telegram:
        world = telegram.world
        forum = groups.found_forum(world, "Gatekeepers", ADMIN)
        topic = groups.open_topic(world, forum, ADMIN, "Crew")
        world.post(forum, ADMIN, text="12 wait", thread=topic.id)
        client = await telegram.telethon()
        dialog = next(dialog for dialog in await client.get_dialogs() if dialog.id == forum.peer)
        assert dialog.entity.forum
        said, opened, _ = await client.get_messages(types.InputPeerChannel(forum.id, forum.access_hash), limit=10)
        assert (said.reply_to.forum_topic, said.reply_to.reply_to_msg_id) == (True, topic.id)
        assert opened.action.title == "Crew"


async def test_a_group_that_moves(stage: Stage) -> None:
    """The bot is told where it went, is refused in the old place with the new address, and goes on there."""
    bot, driver = stage.bot, stage.driver
    peer = (await driver.found_group("Gatekeepers", account=SECOND))["id"]
    await driver.member(peer, BOT, "admin", ["invite"])
    first, second = await driver.ask_to_join(peer, 2)
    assert await bot.approve_chat_join_request(peer, first)
    await stage.updates()
    grown = (await driver.migrate(peer))["id"]
    left, came = [update.message for update in await stage.updates()]
    assert (left.chat.id, left.migrate_to_chat_id) == (peer, grown)
    assert (came.chat.id, came.migrate_from_chat_id) == (grown, peer)
    for refused in (bot.send_message(peer, "hello?"), bot.approve_chat_join_request(peer, second)):
        with pytest.raises(TelegramMigrateToChat) as error:
            await refused
        assert error.value.migrate_to_chat_id == grown
    assert (await bot.send_message(grown, "hello")).chat.id == grown
    assert await bot.approve_chat_join_request(grown, second)
    assert (await driver.requests(grown))["approved"] == [second]
