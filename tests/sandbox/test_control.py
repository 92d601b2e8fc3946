"""The control API: who may call it, and what each of its calls does."""

import asyncio
import base64
import hashlib
import io
import re
from collections.abc import AsyncIterator

import pytest
import segno
from aiogram.types import (
    BufferedInputFile,
    ChatAdministratorRights,
    InputMediaPhoto,
    KeyboardButton,
    KeyboardButtonRequestChat,
    KeyboardButtonRequestUsers,
    ReplyKeyboardMarkup,
)
from yarl import URL

from sandbox.driver import Actor, DriverError
from sandbox.world import SERVICE_ID, TOKEN_LIFETIME_S, LoginToken
from tests.sandbox.bot_stage import TOKEN, Stage, keyboard, open_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


RIGHTS = ChatAdministratorRights(
    is_anonymous=False,
    can_manage_chat=True,
    can_delete_messages=False,
    can_manage_video_chats=False,
    can_restrict_members=False,
    can_promote_members=False,
    can_change_info=False,
    can_invite_users=True,
    can_post_stories=False,
    can_edit_stories=False,
    can_delete_stories=False,
    can_send_welcome_messages=False,
)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Authorization": "Bearer wrong"}, 403),
        ({"Authorization": TOKEN}, 403),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Cookie": f"sandbox_token_PORT={TOKEN}"}, 200),
        ({"Cookie": "sandbox_token_PORT=wrong"}, 403),
        ({"Cookie": f"sandbox_token_1={TOKEN}"}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "http://evil.example"}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "http://127.0.0.1:1"}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "localhost:5", "Origin": "http://localhost:5"}, 200),
    ],
)
async def test_only_the_token_opens(stage: Stage, headers: dict[str, str], status: int) -> None:
    """Without this start's token, by another host name or from a foreign page, the answer is 403 and nothing else."""
    headers = {name: value.replace("PORT", str(URL(stage.url).port)) for name, value in headers.items()}
    async with stage.http.get(f"{stage.url}/sandbox/state", headers=headers) as response:
        assert response.status == status
        if status == 403:
            assert list(await response.json()) == ["error"]


async def test_state(stage: Stage) -> None:
    """Accounts without their secrets, the bot, and the channels with what waits there."""
    state = await stage.driver.state()
    assert [bot["id"] for bot in state["bots"]] == [stage.bot.id]
    assert stage.world.admin_id in {account["id"] for account in state["accounts"]}
    group = next(channel for channel in state["channels"] if channel["id"] == stage.group.peer)
    assert (group["pending_requests"], group["private"], group["title"]) == (30, True, stage.group.title)
    assert all(secret not in str(state) for secret in ("password", "api_hash", stage.bot.token))


async def test_mistakes_are_named(stage: Stage) -> None:
    """Wrong bodies, unknown fields, missing accounts and chats: one sentence each, never a 500."""
    admin, group = stage.world.admin_id, stage.group.peer
    chat = f"chats/{stage.bot.id}/messages"
    mistakes = [
        ("POST", chat, {"as": admin}, {"text": ""}, 400),
        ("POST", chat, {"as": admin}, {"text": 5}, 400),
        ("POST", chat, {"as": admin}, {"txet": "x"}, 400),
        ("POST", chat, {"as": admin}, {"text": "x", "more": 1}, 400),
        ("POST", chat, {}, {"text": "x"}, 400),
        ("POST", chat, {"as": 1}, {"text": "x"}, 404),
        ("POST", chat, {"as": "me"}, {"text": "x"}, 400),
        ("POST", f"chats/{admin}/messages", {"as": admin}, {"text": "x"}, 404),
        ("POST", f"{chat}/77/press", {"as": admin}, {"text": "x"}, 404),
        ("POST", chat, {"as": admin}, {"forward": {"peer": stage.archive.peer, "id": 99_999}}, 404),
        ("POST", chat, {"as": admin}, {"share_chat": group}, 409),
        ("POST", f"channels/{group}/requests", {}, {"count": 0}, 400),
        ("POST", f"channels/{group}/requests", {}, {"account": 424242}, 400),
        ("POST", f"channels/{group}/requests", {}, {"withdraw": admin}, 400),
        ("POST", "channels/-1/requests", {}, {"count": 1}, 404),
        ("POST", f"channels/{group}/posts", {}, {}, 400),
        ("POST", f"channels/{group}/posts", {}, {"file": {"name": "x", "size": -1}}, 400),
        ("POST", f"channels/{group}/posts", {}, {"edit": 99_999, "text": "x"}, 404),
        ("POST", f"accounts/{admin}/accept-login", {}, {"url": "tg://login?token=x"}, 400),
        ("POST", f"accounts/{admin}/accept-login", {}, {"peer": 1, "message": 1}, 404),
        ("POST", f"accounts/{admin}/accept-login", {}, {"peer": stage.bot.id, "message": 77}, 404),
        ("POST", f"accounts/{admin}", {}, {"code_ways": ["pigeon"]}, 400),
        ("POST", f"accounts/{admin}", {}, {"code_ways": ["app", "email"]}, 400),
        ("POST", f"accounts/{admin}", {}, {"home_dc": 3}, 400),
        ("POST", "faults", {}, {"method": "messages.getHistory"}, 400),
        ("POST", "faults", {}, {"method": "not a method", "drop": True}, 400),
        ("POST", "faults", {}, {"method": "sendMessage", "error": "lower"}, 400),
        ("POST", "faults", {}, {"revoke": 424242}, 400),
        ("POST", "network", {}, {"rtt_ms": -1}, 400),
        ("POST", "network", {}, {"bot_limits": 1}, 400),
        ("POST", "network", {}, {"requests_page_cap": 0}, 400),
        ("POST", "clock", {}, {"advance_s": -5}, 400),
        ("GET", "files/12345", {}, None, 404),
        ("GET", "nowhere", {}, None, 404),
        ("PUT", "state", {}, None, 405),
    ]
    for method, path, query, body, status in mistakes:
        with pytest.raises(DriverError) as error:
            await stage.driver.call(method, path, query=query, json=body)
        assert error.value.status == status, (path, body, str(error.value))
        assert error.value.sentence
    for raw in (b"{", b"[]", b"\xff"):
        with pytest.raises(DriverError) as error:
            await stage.driver.call("POST", "clock", data=raw)
        assert error.value.status == 400


async def test_a_code_said_in_a_chat_is_burnt(stage: Stage) -> None:
    """The chat with 777000 shows the code; typing it anywhere else makes it void."""
    phone = stage.world.account(stage.world.admin_id).phone
    assert phone is not None
    code = stage.world.send_code(phone, 1)
    (notice,) = await stage.driver.messages(SERVICE_ID, stage.world.admin_id)
    assert code.code in notice["text"]
    assert not code.burnt
    await stage.admin.send(f"it is {code.code[:2]} {code.code[2:]}")
    assert code.burnt


async def test_sharing_the_number(stage: Stage) -> None:
    """The bot gets the person's own contact."""
    await stage.admin.share_contact()
    (update,) = await stage.updates()
    contact = update.message.contact
    assert contact.user_id == stage.world.admin_id
    assert f"+{contact.phone_number}" == stage.world.account(stage.world.admin_id).phone


async def test_sharing_a_chat_appoints_the_bot(stage: Stage) -> None:
    """Choosing a chat gives the bot the right that the button asks for, tells it, and sends chat_shared."""
    admin = await stage.started()
    buttons = [
        KeyboardButton(
            text=kind,
            request_chat=KeyboardButtonRequestChat(
                request_id=number,
                chat_is_channel=kind == "channel",
                user_administrator_rights=RIGHTS,
                bot_administrator_rights=RIGHTS,
                request_title=True,
            ),
        )
        for number, kind in enumerate(("group", "channel"), 1)
    ]
    await stage.bot.send_message(
        admin.account_id, "Which?", reply_markup=ReplyKeyboardMarkup(keyboard=[[b] for b in buttons])
    )
    await admin.share_chat(stage.archive.peer)
    appointed, shared = await stage.updates()
    assert appointed.my_chat_member.new_chat_member.can_invite_users
    chat_shared = shared.message.chat_shared
    assert (chat_shared.request_id, chat_shared.chat_id) == (2, stage.archive.peer)
    assert chat_shared.title == stage.archive.title
    assert stage.archive.may_invite(stage.bot.id)
    stranger = Actor(stage.driver, next(iter(stage.group.requests)), stage.bot.id)
    with pytest.raises(DriverError, match="409"):
        await stranger.share_chat(stage.archive.peer)


async def test_sharing_people(stage: Stage) -> None:
    """Choosing people answers a request_users button, with no more of them than it takes."""
    admin = await stage.started()
    request = KeyboardButtonRequestUsers(request_id=7, max_quantity=2, request_name=True)
    markup = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="Who?", request_users=request)]])
    await stage.bot.send_message(admin.account_id, "Who?", reply_markup=markup)
    first, second, third = list(stage.group.requests)[:3]
    with pytest.raises(DriverError, match="409"):
        await admin.share_users(first, second, third)
    await admin.share_users(first, second)
    (update,) = await stage.updates()
    assert [user.user_id for user in update.message.users_shared.users] == [first, second]


async def test_pressing(stage: Stage) -> None:
    """By label, by pattern, by data; what is not there cannot be pressed, unless a hand-made client forges it."""
    admin = await stage.started()
    await stage.bot.send_message(admin.account_id, "x", reply_markup=keyboard("Yes", "No way"))

    async def answer_all() -> list[str]:
        pressed = []
        for _ in range(4):
            (update,) = await stage.bot.get_updates(timeout=10)
            await stage.bot.answer_callback_query(update.callback_query.id, update.callback_query.data)
            await stage.bot.get_updates(offset=update.update_id + 1, timeout=0)
            pressed.append(update.callback_query.data)
        return pressed

    answering = asyncio.create_task(answer_all())
    assert (await admin.press("Yes"))["answer"] == "v1:yes"
    assert (await admin.press(re.compile("way$")))["answer"] == "v1:no way"
    assert (await admin.press(data="v1:yes"))["answer"] == "v1:yes"
    screen = await admin.screen()
    assert (await admin.press_forged(screen["id"], "v1:admin"))["answer"] == "v1:admin"
    assert await answering == ["v1:yes", "v1:no way", "v1:yes", "v1:admin"]
    with pytest.raises(AssertionError, match=r"no button 'Maybe' in this chat:\n(.*\n)*.*\[Yes\] \[No way\]"):
        await admin.press("Maybe")
    assert (admin.taps, admin.typed) == (4, 1)


async def test_a_bot_that_does_not_answer() -> None:
    """A press that nobody answers ends with 504."""
    async with open_stage(press_timeout_s=0.05) as stage:
        admin = await stage.started()
        await stage.bot.send_message(admin.account_id, "x", reply_markup=keyboard("Yes"))
        with pytest.raises(DriverError) as error:
            await admin.press("Yes")
    assert error.value.status == 504


async def test_waiting_for_an_answer(stage: Stage) -> None:
    """wait_for takes what is new or edited since the last act, and its error shows the chat."""
    admin = await stage.started()
    sent = await stage.bot.send_message(admin.account_id, "Done: 3 files")
    assert (await admin.wait_for(r"Done: \d"))["id"] == sent.message_id
    await admin.send("/again")
    with pytest.raises(AssertionError, match=r"no new 'Done' within 0.1 s in this chat:\n(.*\n)*.*Done: 3 files"):
        await admin.wait_for("Done", 0.1)
    assert (await admin.wait_for("Done", old=True))["id"] == sent.message_id
    await stage.bot.edit_message_text("Done: 4 files", chat_id=admin.account_id, message_id=sent.message_id)
    assert (await admin.wait_for("Done"))["text"] == "Done: 4 files"


async def test_posts(stage: Stage) -> None:
    """Posts with text and files of any size, many at once, edited and deleted, as members see them."""
    peer, admin = stage.archive.peer, stage.world.admin_id
    post = await stage.driver.post(peer, "new", file={"name": "big.zip", "size": 300_000_000})
    assert post["document"] == {"id": post["document"]["id"], "name": "big.zip", "size": 300_000_000}
    photo = await stage.driver.post(peer, file={"name": "sea.jpg", "size": 9_000})
    assert photo["photo"] is not None
    ids = await stage.driver.post_many(peer, 5)
    await stage.driver.edit_post(peer, ids[0], "edited")
    await stage.driver.delete_post(peer, ids[1])
    seen = {message["id"]: message for message in await stage.driver.messages(peer, admin, after=post["id"])}
    assert sorted(seen) == [photo["id"], *ids]
    assert (seen[ids[0]]["text"], seen[ids[0]]["edited"] is None) == ("edited", False)
    assert (seen[ids[1]]["text"], seen[ids[1]]["deleted"]) == (None, True)
    outsider = next(iter(stage.group.requests))
    with pytest.raises(DriverError, match="CHANNEL_PRIVATE"):
        await stage.driver.messages(peer, outsider)


async def test_documents_and_their_hashes(stage: Stage) -> None:
    """Each document is listed with the hash of the bytes that it serves."""
    documents = await stage.driver.documents()
    assert len(documents) == len(stage.world.documents())
    for document in documents[:4]:
        content = await stage.driver.file(document["id"])
        assert len(content) == document["size"]
        assert hashlib.sha256(content).hexdigest() == document["sha256"]
    assert {document["channel"] for document in documents} == {stage.archive.peer}


async def test_people_ask_and_withdraw(stage: Stage) -> None:
    """A count takes people who are free and makes new ones when they run out; nobody asks twice."""
    peer = stage.group.peer
    before = (await stage.driver.requests(peer))["pending"]
    asked = await stage.driver.ask_to_join(peer, 500)
    assert len(set(asked) - set(before)) == 500
    await stage.driver.withdraw(peer, asked[0])
    assert asked[0] not in (await stage.driver.requests(peer))["pending"]
    assert await stage.driver.ask_to_join(peer, account=asked[0]) == [asked[0]]
    with pytest.raises(DriverError, match="INVITE_REQUEST_SENT"):
        await stage.driver.ask_to_join(peer, account=asked[0])


async def test_knobs(stage: Stage) -> None:
    """Network, clock, counts and revoked sessions."""
    await stage.driver.network(rtt_ms=50, mbit=8.5, bot_limits=False)
    assert (stage.network.rtt_ms, stage.network.mbit, stage.api.limits.enabled) == (50, 8.5, False)
    await stage.driver.network(rtt_ms=0, requests_page_cap=100)
    assert (stage.network.rtt_ms, stage.network.mbit, stage.api.limits.enabled) == (0, 8.5, False)
    assert stage.world.requests_page_cap == 100
    before = stage.world.now()
    await stage.driver.advance(3600)
    assert stage.world.now() - before >= 3600
    await stage.bot.get_me()
    await stage.bot.get_me()
    assert await stage.driver.call_count("getMe") == 2
    await stage.driver.reset_calls()
    assert await stage.driver.calls() == {}
    await stage.driver.fault("getMe", delay_ms=10, times=3)
    await stage.driver.no_faults()
    assert stage.faults.take("getMe") is None
    await stage.driver.revoke(stage.world.admin_id)
    assert await stage.driver.auth_keys() == []


async def test_an_account_scans_a_qr_login(stage: Stage) -> None:
    """The link that a QR code carries is accepted once, for that account."""
    token = bytes(range(32))
    stage.world.login_tokens[token.hex()] = LoginToken(1, 1, stage.world.now() + 30)
    url = "tg://login?token=" + base64.urlsafe_b64encode(token).decode().rstrip("=")
    await stage.driver.accept_login(stage.world.admin_id, url)
    assert stage.world.login_tokens[token.hex()].accepted_by == stage.world.admin_id
    with pytest.raises(DriverError, match="AUTH_TOKEN_ALREADY_ACCEPTED"):
        await stage.driver.accept_login(stage.world.admin_id, url)


def picture_of(text: str) -> BufferedInputFile:
    drawn = io.BytesIO()
    segno.make(text, micro=False).save(drawn, kind="png", scale=8, border=4)
    return BufferedInputFile(drawn.getvalue(), "qr.png")


async def test_an_account_scans_a_picture(stage: Stage) -> None:
    """The photo that a message shows is read, edited ones too; each thing that is wrong with it has its sentence."""
    admin = await stage.started()
    chat = admin.account_id
    token = bytes(range(32))
    stage.world.login_tokens[token.hex()] = LoginToken(1, 1, stage.world.now() + TOKEN_LIFETIME_S)
    url = "tg://login?token=" + base64.urlsafe_b64encode(token).decode().rstrip("=")
    text = await stage.bot.send_message(chat, "no picture")
    with pytest.raises(DriverError, match="has no photo"):
        await stage.driver.scan_login(chat, stage.bot.id, text.message_id)
    blank = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
    )
    photo = await stage.bot.send_photo(chat, BufferedInputFile(blank, "x.png"))
    with pytest.raises(DriverError, match="no QR code"):
        await admin.scan()
    for shown, refusal in (("https://example.org", "tg://login"), (url, None), (url, "ALREADY_ACCEPTED")):
        media = InputMediaPhoto(media=picture_of(shown))
        await stage.bot.edit_message_media(media, chat_id=chat, message_id=photo.message_id)
        if refusal is None:
            await stage.driver.scan_login(chat, chat, photo.message_id)
            continue
        with pytest.raises(DriverError, match=refusal):
            await admin.scan()
    await stage.driver.advance(TOKEN_LIFETIME_S + 1)
    with pytest.raises(DriverError, match="AUTH_TOKEN_EXPIRED"):
        await admin.scan()
    await stage.bot.delete_message(chat, photo.message_id)
    with pytest.raises(DriverError, match="no message"):
        await stage.driver.scan_login(chat, stage.bot.id, photo.message_id)
