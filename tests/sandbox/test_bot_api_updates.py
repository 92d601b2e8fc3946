"""Updates as unmodified aiogram gets them: kinds, acknowledging, long polls, a day's life."""

import asyncio
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime

import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError, TelegramUnauthorizedError
from aiogram.types import ChatMemberAdministrator, ChatMemberLeft, MessageOriginChannel, MessageOriginUser

from sandbox.scenarios import SECOND_LINK
from sandbox.world import SERVICE_ID, Membership
from tests.sandbox.bot_stage import Stage, keyboard, open_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


async def test_a_text_arrives_as_a_message_with_its_command(stage: Stage) -> None:
    """A person's text comes with sender, chat and the command marked."""
    await stage.admin.send("/start own_abc")
    (update,) = await stage.updates()
    message = update.message
    assert message.text == "/start own_abc"
    assert message.chat.id == message.from_user.id == stage.world.admin_id
    assert message.chat.type == "private"
    assert [(e.type, e.offset, e.length) for e in message.entities] == [("bot_command", 0, 6)]


async def test_offset_acknowledges(stage: Stage) -> None:
    """What lies before the offset is gone, what lies behind it comes again until it is acknowledged."""
    for number in range(3):
        await stage.admin.send(f"note {number}")
    first = await stage.bot.get_updates(timeout=0)
    assert [u.message.text for u in first] == ["note 0", "note 1", "note 2"]
    again = await stage.bot.get_updates(offset=first[1].update_id, timeout=0)
    assert [u.message.text for u in again] == ["note 1", "note 2"]
    assert [u.message.text for u in await stage.bot.get_updates(timeout=0)] == ["note 1", "note 2"]
    assert await stage.bot.get_updates(offset=first[-1].update_id + 1, timeout=0) == []
    assert (await stage.bot.get_webhook_info()).pending_update_count == 0


async def test_limit_and_negative_offset(stage: Stage) -> None:
    """A batch is cut at its limit; a negative offset keeps only the newest updates."""
    for number in range(5):
        await stage.admin.send(f"note {number}")
    assert len(await stage.bot.get_updates(limit=2, timeout=0)) == 2
    assert [u.message.text for u in await stage.bot.get_updates(offset=-2, timeout=0)] == ["note 3", "note 4"]


async def test_a_long_poll_ends_with_the_first_update(stage: Stage) -> None:
    """A poll that waits is answered as soon as something happens."""
    poll = asyncio.create_task(stage.bot.get_updates(timeout=20))
    await stage.api.updates.polled(stage.bot.id)
    await stage.admin.send("hello")
    (update,) = await asyncio.wait_for(poll, 5)
    assert update.message is not None
    assert update.message.text == "hello"


async def test_a_second_poller_ends_the_first(stage: Stage) -> None:
    """Of two polls at once the older ends with Telegram's 409, the newer goes on."""
    older = asyncio.create_task(stage.bot.get_updates(timeout=20))
    await stage.api.updates.polled(stage.bot.id)
    newer = asyncio.create_task(stage.bot.get_updates(timeout=20))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
        await asyncio.wait_for(older, 5)
    await stage.admin.send("hello")
    assert len(await asyncio.wait_for(newer, 5)) == 1


async def test_updates_wait_a_day(stage: Stage) -> None:
    """What happens while a bot is down waits for it 24 hours by the World's clock, and no longer."""
    await stage.admin.send("early")
    await stage.driver.advance(20 * 3600)
    await stage.admin.send("late")
    await stage.driver.advance(5 * 3600)
    assert [u.message.text for u in await stage.updates()] == ["late"]


async def test_allowed_updates_are_remembered(stage: Stage) -> None:
    """Kinds that the bot did not name are not kept; a call without the list keeps the last one."""
    await stage.bot.get_updates(timeout=0, allowed_updates=["chat_join_request"])
    await stage.admin.send("unheard")
    await stage.driver.ask_to_join(stage.group.peer, 1)
    assert [u.event_type for u in await stage.updates()] == ["chat_join_request"]
    assert (await stage.bot.get_webhook_info()).allowed_updates == ["chat_join_request"]
    await stage.bot.get_updates(timeout=0, allowed_updates=[])
    await stage.admin.send("heard")
    assert [u.event_type for u in await stage.updates()] == ["message"]


async def test_a_join_request_says_who_and_by_which_link(stage: Stage) -> None:
    """chat_join_request carries the person, the private chat to write to, the bio and the link where known: cut."""
    group = stage.group
    await stage.driver.ask_to_join(group.peer, link=group.invite_link)
    (update,) = await stage.updates()
    request = update.chat_join_request
    person = stage.world.account(request.from_user.id)
    assert request.user_chat_id == person.id
    assert request.chat.id == group.peer
    assert request.chat.type == "supergroup"
    assert (request.bio or "") == person.bio
    start = request.invite_link.invite_link.removesuffix("…")
    assert group.invite_link.startswith(start)
    assert len("https://t.me/+") < len(start) < len(group.invite_link)
    assert request.invite_link.is_primary
    assert request.invite_link.creates_join_request
    await stage.driver.ask_to_join(group.peer, link=SECOND_LINK)
    (update,) = await stage.updates()
    flyer = update.chat_join_request.invite_link
    assert (flyer.name, flyer.is_primary, flyer.creator.id) == ("Flyer", False, stage.world.admin_id)


async def test_two_thousand_requests_arrive_in_batches(stage: Stage) -> None:
    """A burst comes in batches of a hundred, each request once, in order."""
    asked = await stage.driver.ask_to_join(stage.group.peer, 2000)
    heard: list[int] = []
    while batch := await stage.updates():
        assert len(batch) <= 100
        heard += [update.chat_join_request.from_user.id for update in batch]
    assert heard == asked


async def test_a_press_arrives_and_its_answer_returns(stage: Stage) -> None:
    """callback_query carries the message with its buttons; the presser sees the bot's answer as text or alert."""
    admin = await stage.started()
    sent = await stage.bot.send_message(admin.account_id, "Sure?", reply_markup=keyboard("Yes"))
    press = asyncio.create_task(admin.press("Yes"))
    (update,) = await stage.bot.get_updates(timeout=10)
    query = update.callback_query
    assert query is not None
    assert query.message is not None
    assert (query.data, query.from_user.id, query.message.message_id) == ("v1:yes", admin.account_id, sent.message_id)
    await stage.bot.answer_callback_query(query.id, "Done", show_alert=True)
    assert await press == {"answer": "Done", "alert": True, "url": None}


async def test_a_forward_names_its_origin(stage: Stage) -> None:
    """A forwarded post names channel and message; what 777000 wrote names Telegram, and burns the code in it."""
    post = next(m for m in stage.archive.messages.values() if m.text and not m.deleted and not m.forward)
    await stage.admin.forward(stage.archive.peer, post.id)
    code = stage.world.send_code("+15550100101", 1)
    notice = next(iter(stage.world.service[stage.world.admin_id].values()))
    await stage.admin.forward(SERVICE_ID, notice.id)
    by_channel, by_telegram = [u.message for u in await stage.updates()]
    assert isinstance(by_channel.forward_origin, MessageOriginChannel)
    assert (by_channel.forward_origin.chat.id, by_channel.forward_origin.message_id) == (stage.archive.peer, post.id)
    assert isinstance(by_telegram.forward_origin, MessageOriginUser)
    assert by_telegram.forward_origin.sender_user.id == SERVICE_ID
    assert code.burnt


async def test_an_upload_arrives_as_a_document(stage: Stage) -> None:
    """A person's file comes with name and size, and its bytes can be fetched by its file_id."""
    await stage.admin.upload("notes.session", b"bytes of it", "look")
    (update,) = await stage.updates()
    document = update.message.document
    assert (document.file_name, document.file_size, update.message.caption) == ("notes.session", 11, "look")
    fetched = await stage.bot.download(document)
    assert fetched is not None
    assert fetched.read() == b"bytes of it"


async def test_the_bot_hears_of_its_rights(stage: Stage) -> None:
    """my_chat_member tells old and new rights when somebody appoints the bot, and when it is thrown out."""
    archive = stage.archive
    stage.world.set_member(archive, stage.bot.id, Membership(stage.bot.id, 1, "admin", True), stage.world.admin_id)
    stage.world.set_member(archive, stage.bot.id, None, stage.world.admin_id)
    appointed, gone = [u.my_chat_member for u in await stage.updates()]
    assert isinstance(appointed.old_chat_member, ChatMemberLeft)
    assert isinstance(appointed.new_chat_member, ChatMemberAdministrator)
    assert appointed.new_chat_member.can_invite_users
    assert isinstance(gone.new_chat_member, ChatMemberLeft)


async def test_posts_reach_a_bot_that_administers_the_channel(stage: Stage) -> None:
    """channel_post for channels, message for groups; a bot that is not in hears nothing."""
    await stage.driver.post(stage.archive.peer, "unheard")
    stage.world.set_member(stage.archive, stage.bot.id, Membership(stage.bot.id, 1, "admin"), stage.world.admin_id)
    await stage.updates()
    await stage.driver.post(stage.archive.peer, "heard", file={"name": "a.pdf", "size": 5000})
    await stage.driver.post(stage.group.peer, "in the group")
    post, said = await stage.updates()
    assert post.channel_post.caption == "heard"
    assert post.channel_post.document.file_name == "a.pdf"
    assert post.channel_post.sender_chat.id == stage.archive.peer
    assert said.message.text == "in the group"
    assert said.message.chat.id == stage.group.peer


async def test_a_wrong_token_is_unauthorized(stage: Stage) -> None:
    """Nobody polls without the bot's token."""
    status, body = await raw_with_token(stage, "7100000001:wrong")
    assert (status, body) == (401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
    stranger = Bot("1:x", stage.bot.session)
    with pytest.raises(TelegramUnauthorizedError):
        await stranger.get_me()


async def raw_with_token(stage: Stage, token: str) -> tuple[int, object]:
    async with stage.http.get(f"{stage.url}/bot{token}/getUpdates") as response:
        return response.status, await response.json()


async def test_a_webhook_ends_polling_until_it_is_deleted(stage: Stage) -> None:
    """As Telegram does: the open poll ends, the next is refused, and what arrived meanwhile waits."""
    poll = asyncio.create_task(stage.bot.get_updates(timeout=20))
    await stage.api.updates.polled(stage.bot.id)
    with pytest.raises(TelegramBadRequest, match="HTTPS"):
        await stage.bot.set_webhook("http://elsewhere.example/updates")
    await stage.bot.set_webhook("https://elsewhere.example/updates")
    with pytest.raises(TelegramConflictError, match="terminated by setWebhook"):
        await asyncio.wait_for(poll, 5)
    with pytest.raises(TelegramConflictError, match="while webhook is active"):
        await stage.bot.get_updates(timeout=0)
    await stage.admin.send("hello")
    info = await stage.bot.get_webhook_info()
    assert (info.url, info.pending_update_count) == ("https://elsewhere.example/updates", 1)
    await stage.bot.delete_webhook()
    assert (await stage.bot.get_webhook_info()).url == ""
    assert [update.message.text for update in await stage.bot.get_updates(timeout=0)] == ["hello"]


async def test_answers_are_dated_by_the_clock_of_the_world(stage: Stage) -> None:
    """Whoever compares clocks sees the one that `POST /sandbox/clock` puts forward, refusals included."""
    await stage.driver.advance(3600)
    for token in (stage.bot.token, "1:void"):
        async with stage.http.post(f"{stage.url}/bot{token}/getMe") as response:
            dated = parsedate_to_datetime(response.headers["Date"]).timestamp()
        assert 3500 < dated - time.time() < 3700
