"""Sending, editing and deleting by unmodified aiogram: what is shown, and Telegram's words for what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError, TelegramNetworkError, TelegramRetryAfter
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    KeyboardButton,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    ReplyParameters,
)

from tests.sandbox.bot_stage import Stage, keyboard, open_stage

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
    + (640).to_bytes(4, "big")
    + (480).to_bytes(4, "big")
    + b"\x08\x02"
    + bytes(9)
)
JPEG = bytes.fromhex("ffd8ffe000044a46ffc0000b0801e0028001011100")

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"text": ""}, "message text is empty"),
    ({"text": "<b></b>", "parse_mode": "HTML"}, "text must be non-empty"),
    ({"text": "x" * 4097}, "message is too long"),
    ({"text": "𝕏" * 2049}, "message is too long"),
    ({"text": "x", "parse_mode": "Markup"}, "unsupported parse_mode"),
    (
        {"text": "<b>x", "parse_mode": "HTML"},
        "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
    ),
    ({"text": "x", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
    ({"text": "x", "reply_markup": []}, "object expected as reply markup"),
    (
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "no action"}]]}},
        "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
    ),
    (
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "я" * 33}]]}},
        "BUTTON_DATA_INVALID",
    ),
    (
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "callback_data": "x"}]] * 101}},
        "reply markup is too long",
    ),
    (
        {"text": "x", "reply_markup": {"inline_keyboard": [[{"text": "x", "url": "no address"}]]}},
        "inline keyboard button URL 'no address' is invalid: Wrong HTTP URL",
    ),
    (
        {"text": "x", "reply_parameters": {"message_id": 999_999}},
        "message to be replied not found",
    ),
    ({"text": "x", "chat_id": ""}, "chat_id is empty"),
    ({"text": "x", "chat_id": 424242}, "chat not found"),
    ({"text": "x", "chat_id": "@nobody_has_this"}, "chat not found"),
    ({"text": "x", "chat_id": -1001}, "chat not found"),
]
"""Arguments of sendMessage, and why they are refused."""


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        await opened.started()
        yield opened


def says(description: str, error: pytest.ExceptionInfo[TelegramBadRequest | TelegramForbiddenError]) -> bool:
    return error.value.message == description


async def test_text_is_shown_with_buttons_and_entities(stage: Stage) -> None:
    """The person sees the text without tags and the buttons; aiogram gets the same back, entities parsed."""
    sent = await stage.bot.send_message(
        stage.world.admin_id, "<b>Bold</b> &amp; <i>more</i>", reply_markup=keyboard("Yes", "No")
    )
    assert sent.text == "Bold & more"
    assert [(e.type, e.offset, e.length) for e in sent.entities or []] == [("bold", 0, 4), ("italic", 7, 4)]
    assert sent.reply_markup is not None
    screen = await stage.admin.screen()
    assert screen["text"] == "Bold & more"
    assert [[key["text"], key["data"]] for key in screen["buttons"][0]] == [["Yes", "v1:yes"], ["No", "v1:no"]]


async def test_styles_and_links_of_buttons(stage: Stage) -> None:
    """A button keeps its style and its address."""
    row = [
        InlineKeyboardButton(text="Go", url="https://example.org/x"),
        InlineKeyboardButton(text="Delete", callback_data="d", style="danger"),
    ]
    await stage.bot.send_message(stage.world.admin_id, "x", reply_markup=InlineKeyboardMarkup(inline_keyboard=[row]))
    link, delete = (await stage.admin.screen())["buttons"][0]
    assert (link["url"], link["data"], delete["style"]) == ("https://example.org/x", None, "danger")


async def test_what_send_message_refuses(stage: Stage) -> None:
    """Wrong texts, keyboards and chats are refused in Telegram's words, and nothing is sent."""
    before = len(await stage.admin.messages())
    for arguments, description in REFUSED:
        status, body = await stage.raw("sendMessage", **({"chat_id": stage.world.admin_id} | arguments))
        assert (status, body["error_code"], body["description"]) == (400, 400, f"Bad Request: {description}"), arguments
    assert len(await stage.admin.messages()) == before


async def test_limits_are_exact(stage: Stage) -> None:
    """4096 characters, 64 bytes of data and 100 buttons still go through."""
    rows = [[InlineKeyboardButton(text="x", callback_data="d" * 64)] for _ in range(100)]
    sent = await stage.bot.send_message(
        stage.world.admin_id, "x" * 4096, reply_markup=InlineKeyboardMarkup(inline_keyboard=rows)
    )
    assert sent.reply_markup is not None
    assert len(sent.reply_markup.inline_keyboard) == 100


async def test_a_bot_may_not_write_first(stage: Stage) -> None:
    """Who never pressed Start cannot be written to, nor who blocked the bot; writing again unblocks."""
    other = next(a.id for a in stage.world.accounts.values() if a.phone and a.id != stage.world.admin_id)
    with pytest.raises(TelegramForbiddenError) as error:
        await stage.bot.send_message(other, "hello")
    assert says("Forbidden: bot can't initiate conversation with a user", error)
    await stage.admin.block()
    with pytest.raises(TelegramForbiddenError) as error:
        await stage.bot.send_message(stage.world.admin_id, "hello")
    assert says("Forbidden: bot was blocked by the user", error)
    await stage.admin.send("/start")
    await stage.bot.send_message(stage.world.admin_id, "hello")
    kinds = [update.event_type for update in await stage.updates()]
    assert kinds == ["my_chat_member", "my_chat_member", "message"]


async def test_a_requester_may_be_written_to_for_five_minutes(stage: Stage) -> None:
    """user_chat_id takes messages until the request is processed, or five minutes have gone."""
    first, second = await stage.driver.ask_to_join(stage.group.peer, 2)
    await stage.bot.send_message(first, "Why do you ask?")
    await stage.bot.decline_chat_join_request(stage.group.peer, first)
    await stage.driver.advance(301)
    for person in (first, second):
        with pytest.raises(TelegramForbiddenError):
            await stage.bot.send_message(person, "too late")


async def test_edits(stage: Stage) -> None:
    """An edit changes text and keyboard in place; one that changes nothing is refused; no keyboard given takes it."""
    chat = stage.world.admin_id
    sent = await stage.bot.send_message(chat, "one", reply_markup=keyboard("Yes"))
    same = {"chat_id": chat, "message_id": sent.message_id}
    edited = await stage.bot.edit_message_text("two", reply_markup=keyboard("Yes"), **same)
    assert not isinstance(edited, bool)
    assert edited.text == "two"
    assert edited.edit_date is not None
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.edit_message_text("two", reply_markup=keyboard("Yes"), **same)
    assert says(
        "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as"
        " a current content and reply markup of the message",
        error,
    )
    await stage.bot.edit_message_reply_markup(**same, reply_markup=keyboard("No"))
    assert await stage.admin.buttons() == ["No"]
    await stage.bot.edit_message_text("three", **same)
    screen = await stage.admin.screen()
    assert (screen["text"], screen["buttons"], screen["version"]) == ("three", None, 3)


async def test_what_edits_refuse(stage: Stage) -> None:
    """Other people's messages, messages with a reply keyboard, deleted ones, and the wrong kind of content."""
    chat = stage.world.admin_id
    theirs = (await stage.admin.send("mine"))["id"]
    with_keyboard = await stage.bot.send_message(chat, "x", reply_markup=ReplyKeyboardRemove())
    for message_id in (theirs, with_keyboard.message_id):
        with pytest.raises(TelegramBadRequest) as error:
            await stage.bot.edit_message_text("y", chat_id=chat, message_id=message_id)
        assert says("Bad Request: message can't be edited", error)
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.edit_message_text("y", chat_id=chat, message_id=999_999)
    assert says("Bad Request: message to edit not found", error)
    text = await stage.bot.send_message(chat, "x")
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.edit_message_caption(chat_id=chat, message_id=text.message_id, caption="y")
    assert says("Bad Request: there is no caption in the message to edit", error)
    picture = await stage.bot.send_photo(chat, BufferedInputFile(PNG, "x.png"))
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.edit_message_text("y", chat_id=chat, message_id=picture.message_id)
    assert says("Bad Request: there is no text in the message to edit", error)


async def test_deleting(stage: Stage) -> None:
    """Both sides' messages go within 48 hours, once; a deleted message keeps its id and loses its text."""
    chat = stage.world.admin_id
    theirs = (await stage.admin.send("a secret"))["id"]
    own = (await stage.bot.send_message(chat, "mine")).message_id
    assert await stage.bot.delete_message(chat, theirs)
    shown = {message["id"]: message for message in await stage.admin.messages()}
    assert (shown[theirs]["deleted"], shown[theirs]["text"]) == (True, None)
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.delete_message(chat, theirs)
    assert says("Bad Request: message to delete not found", error)
    await stage.driver.advance(48 * 3600 + 1)
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.delete_message(chat, own)
    assert says("Bad Request: message can't be deleted for everyone", error)
    young = [(await stage.bot.send_message(chat, str(number))).message_id for number in range(3)]
    assert await stage.bot.delete_messages(chat, [theirs, *young])
    assert all(message["deleted"] for message in await stage.admin.messages() if message["id"] in young)


async def test_documents_and_photos(stage: Stage) -> None:
    """An upload is shown with its name and caption, can be fetched, and sent again by its file_id."""
    chat = stage.world.admin_id
    sent = await stage.bot.send_document(chat, BufferedInputFile(b"a,b\n", "people.csv"), caption="<b>All</b>")
    assert sent.document is not None
    assert (sent.document.file_name, sent.document.file_size, sent.caption) == ("people.csv", 4, "All")
    again = await stage.bot.send_document(chat, sent.document.file_id)
    assert again.document == sent.document
    document = (await stage.admin.screen())["document"]
    assert (document["name"], document["size"]) == ("people.csv", 4)
    assert await stage.driver.file(document["id"]) == b"a,b\n"

    for picture in (PNG, JPEG):
        photo = await stage.bot.send_photo(chat, BufferedInputFile(picture, "p.png"), caption="chart")
        assert photo.photo is not None
        assert (photo.photo[-1].width, photo.photo[-1].height) == (640, 480)
    assert (await stage.admin.screen())["photo"] is not None
    media = InputMediaPhoto(media=BufferedInputFile(PNG + b"2", "p.png"), caption="newer")
    edited = await stage.bot.edit_message_media(media, chat_id=chat, message_id=photo.message_id)
    assert not isinstance(edited, bool)
    assert edited.caption == "newer"
    as_file = InputMediaDocument(media=BufferedInputFile(b"x", "x.txt"))
    edited = await stage.bot.edit_message_media(as_file, chat_id=chat, message_id=photo.message_id)
    assert not isinstance(edited, bool)
    assert edited.document is not None


async def test_what_files_refuse(stage: Stage) -> None:
    """No picture, too long a caption, an unknown file_id, and a file above 20 MB to fetch."""
    chat = stage.world.admin_id
    with pytest.raises(TelegramBadRequest, match="IMAGE_PROCESS_FAILED"):
        await stage.bot.send_photo(chat, BufferedInputFile(b"no picture", "x.png"))
    with pytest.raises(TelegramBadRequest, match="message caption is too long"):
        await stage.bot.send_document(chat, BufferedInputFile(b"x", "x"), caption="c" * 1025)
    for wrong in ("AAAA", "not base64 at all", "BQICAgICAgICAgUC"):
        with pytest.raises(TelegramBadRequest, match="wrong file_id or the file is temporarily unavailable"):
            await stage.bot.get_file(wrong)
    large = await stage.admin.upload("large.bin", bytes(20 * 1024 * 1024 + 1))
    assert large["document"]["size"] > 20 * 1024 * 1024
    update = (await stage.updates())[-1]
    with pytest.raises(TelegramBadRequest, match="file is too big"):
        await stage.bot.get_file(update.message.document.file_id)


async def test_keyboards_below_the_chat(stage: Stage) -> None:
    """A reply keyboard is shown with what its buttons ask for, until another message takes it away."""
    markup = ReplyKeyboardMarkup(
        keyboard=[[KeyboardButton(text="Share my number", request_contact=True), KeyboardButton(text="No")]]
    )
    sent = await stage.bot.send_message(stage.world.admin_id, "Your number?", reply_markup=markup)
    assert sent.reply_markup is None
    shown = (await stage.admin.screen())["reply_keyboard"]
    assert shown == [[{"text": "Share my number", "request_contact": True}, {"text": "No"}]]
    await stage.bot.send_message(stage.world.admin_id, "Thanks", reply_markup=ReplyKeyboardRemove())
    assert (await stage.admin.screen())["reply_keyboard"] == []


async def test_the_burst_of_a_chat(stage: Stage) -> None:
    """Twenty messages go at once, then one a second; edits count alike; another chat has its own burst."""
    chat = stage.world.admin_id
    sent = await stage.bot.send_message(chat, "0")
    for number in range(1, 20):
        await stage.bot.edit_message_text(str(number), chat_id=chat, message_id=sent.message_id)
    with pytest.raises(TelegramRetryAfter) as error:
        await stage.bot.send_message(chat, "one too many")
    assert error.value.retry_after == 1
    status, body = await stage.raw("sendMessage", chat_id=chat, text="x")
    assert (status, body) == (
        429,
        {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 1",
            "parameters": {"retry_after": 1},
        },
    )
    await stage.bot.send_message(stage.group.peer, "elsewhere")
    await stage.driver.advance(2)
    await stage.bot.send_message(chat, "a token has come back")
    await stage.driver.network(bot_limits=False)
    for number in range(30):
        await stage.bot.send_message(chat, str(number))


async def test_replies_without_their_message(stage: Stage) -> None:
    """A reply may be sent all the same when the bot allows it."""
    reply = ReplyParameters(message_id=999_999, allow_sending_without_reply=True)
    assert await stage.bot.send_message(stage.world.admin_id, "x", reply_parameters=reply)


async def test_faults_reach_the_bot(stage: Stage) -> None:
    """An ordered error is answered in the Bot API's words, a drop ends the connection, and both are counted."""
    chat = stage.world.admin_id
    await stage.driver.fault("sendMessage", error="FLOOD_WAIT_7")
    with pytest.raises(TelegramRetryAfter) as flood:
        await stage.bot.send_message(chat, "x")
    assert flood.value.retry_after == 7
    await stage.driver.fault("approveChatJoinRequest", error="HIDE_REQUESTER_MISSING")
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.approve_chat_join_request(stage.group.peer, next(iter(stage.group.requests)))
    assert says("Bad Request: HIDE_REQUESTER_MISSING", error)
    await stage.driver.fault("sendMessage", drop=True)
    with pytest.raises(TelegramNetworkError):
        await stage.bot.send_message(chat, "x")
    await stage.bot.send_message(chat, "x")
    assert (await stage.driver.calls())[stage.bot.id]["sendMessage"] == 3
