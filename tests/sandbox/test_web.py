"""The page of the sandbox: who gets it, what it is told of, and what its files may hold."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram.types import BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat, BufferedInputFile
from yarl import URL

from sandbox import web
from sandbox.control import feed
from sandbox.driver import Actor
from sandbox.world import SERVICE_ID, Account
from tests.sandbox.bot_stage import TOKEN, Stage, keyboard, open_stage
from tests.sandbox.test_control import picture_of

WEB = Path(web.__file__).parent
ASSETS = sorted(path for path in WEB.iterdir() if path.suffix in web.TYPES)
WAIT_S = 20.0


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


def bearer(**more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}"} | {name.replace("_", "-"): value for name, value in more.items()}


async def status(stage: Stage, path: str, headers: dict[str, str], method: str = "GET") -> int:
    """Of the answer; a refusal tells nothing and sets no cookie."""
    async with stage.http.request(method, f"{stage.url}{path}", headers=headers, allow_redirects=False) as response:
        if response.status == 403:
            body = await response.text()
            assert TOKEN not in body
            assert len(body) < 600
            assert "Set-Cookie" not in response.headers
        return response.status


# Who gets it ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refused",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Authorization": ""},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer \udcff"},
        {"Authorization": "", "Cookie": "sandbox_token_1=" + TOKEN},
    ],
    ids=str,
)
async def test_what_is_refused(stage: Stage, refused: dict[str, str]) -> None:
    """By page, calls, events and files alike: other hosts, foreign pages (of another port too), no or a wrong token."""
    document = stage.world.documents()[0][2]
    admin = stage.world.admin_id
    roads = [
        ("GET", "/"),
        ("GET", "/sandbox/state"),
        ("GET", "/sandbox/accounts"),
        ("GET", f"/sandbox/events?as={admin}"),
        ("GET", f"/sandbox/files/{document.id}"),
        ("POST", f"/sandbox/chats/{stage.bot.id}/messages?as={admin}"),
        ("DELETE", "/sandbox/faults"),
        ("GET", "/sandbox/nowhere"),
    ]
    for method, path in roads:
        assert await status(stage, path, bearer() | refused, method) == 403, (method, path)
    if "Authorization" not in refused:
        assert await status(stage, f"/?token={TOKEN}", refused) == 403
        assert await status(stage, "/web/main.js", refused) == 403


@pytest.mark.parametrize("given", ["wrong", "", TOKEN[:-1], TOKEN + "x", "%ff", "\u00fc"])
async def test_a_wrong_address(stage: Stage, given: str) -> None:
    """A token that is not this start's opens nothing and sets no cookie, whatever cookie is there already."""
    port = URL(stage.url).port
    for headers in ({}, {"Cookie": f"sandbox_token_{port}={TOKEN}"}):
        assert await status(stage, f"/?token={given}", headers) == 403


async def test_the_printed_address_opens_the_page(stage: Stage) -> None:
    """It sets a cookie that no script and no other site can use, and leads to an address without the token."""
    async with stage.http.get(f"{stage.url}/?token={TOKEN}", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (303, "/")
        (morsel,) = SimpleCookie(response.headers["Set-Cookie"]).values()
    assert morsel.key == f"sandbox_token_{URL(stage.url).port}"
    assert (morsel.value, morsel["samesite"], morsel["path"], morsel["httponly"]) == (TOKEN, "Strict", "/", True)
    cookie = {"Cookie": f"{morsel.key}={morsel.value}"}
    for site in ("none", "same-origin"):
        assert await status(stage, "/", cookie | {"Sec-Fetch-Site": site}) == 200
        assert await status(stage, "/sandbox/state", cookie | {"Sec-Fetch-Site": site, "Origin": stage.url}) == 200
    assert await status(stage, "/", {}) == 403


async def test_two_sandboxes_do_not_log_each_other_out(stage: Stage) -> None:
    """Browsers give cookies to all ports of a host: each sandbox reads its own."""
    async with open_stage() as other:
        mine, theirs = (f"sandbox_token_{URL(each.url).port}" for each in (stage, other))
        both = {"Cookie": f"{mine}={TOKEN}; {theirs}=of another start"}
        assert await status(stage, "/", both) == 200
        assert await status(other, "/", both) == 403


async def test_every_answer_is_locked_down(stage: Stage) -> None:
    """Page, refusal, redirect and each file: nothing from elsewhere, in no frame, nothing guessed, nothing kept."""
    paths = ["/", f"/?token={TOKEN}", "/?token=wrong", "/web/none.js", *(f"/web/{path.name}" for path in ASSETS)]
    for path in paths:
        async with stage.http.get(f"{stage.url}{path}", headers=bearer(), allow_redirects=False) as response:
            policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
            assert policy == {
                "default-src": "'none'",
                "script-src": "'self'",
                "style-src": "'self'",
                "img-src": "'self' blob:",
                "connect-src": "'self'",
                "form-action": "'none'",
                "base-uri": "'none'",
                "frame-ancestors": "'none'",
            }, path
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["Cache-Control"] == "no-store"
            assert response.content_type in {*web.TYPES.values(), "application/octet-stream"}
            assert TOKEN not in await response.text()


async def test_only_the_page_s_own_files(stage: Stage) -> None:
    """By name, out of one folder; what the page asks for is there."""
    for name in ("__init__.py", "..%2f__init__.py", "%2e%2e%2ffront.py", "nothing", "..%2f..%2fpyproject.toml"):
        async with stage.http.get(URL(f"{stage.url}/web/{name}", encoded=True)) as response:
            assert response.status == 404, name
    index = (WEB / "index.html").read_text()
    wanted = set(re.findall(r'"/web/([^"]+)"', index))
    for path in WEB.glob("*.js"):
        wanted |= set(re.findall(r'from "\./([^"]+)"', path.read_text()))
    assert wanted == {path.name for path in ASSETS if path.name != "index.html"}


# What it is told of -----------------------------------------------------------------------------------------------


class Reader:
    """A stream of events, as a browser reads it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response

    async def next(self) -> tuple[str, dict[str, Any]] | None:
        """The next event's name and content; None when the stream is at its end."""
        name = ""
        while line := await asyncio.wait_for(self.response.content.readline(), WAIT_S):
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                return name, json.loads(value)
        return None

    async def message(self) -> tuple[int, dict[str, Any]]:
        """The next event that is about a message: peer and message."""
        while event := await self.next():
            if event[0] == "message":
                return event[1]["peer"], event[1]["message"]
        raise AssertionError("the stream has ended")

    async def other(self) -> tuple[str, dict[str, Any]]:
        """The next one that is not."""
        while event := await self.next():
            if event[0] != "message":
                return event
        raise AssertionError("the stream has ended")


@asynccontextmanager
async def listening(stage: Stage, account: int) -> AsyncIterator[Reader]:
    """Returns once the sandbox tells this reader of what happens."""
    async with stage.http.get(f"{stage.url}/sandbox/events?as={account}", headers=bearer()) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        yield Reader(response)


def other_person(stage: Stage) -> Account:
    admin = stage.world.admin_id
    return next(each for each in stage.world.accounts.values() if each.phone is not None and each.id != admin)


async def test_new_edited_deleted(stage: Stage) -> None:
    """Whatever becomes of a message is told whole, by the chat that it stands in for that person."""
    admin = await stage.started()
    async with listening(stage, admin.account_id) as reader:
        sent = await stage.bot.send_message(admin.account_id, "<b>One</b>", reply_markup=keyboard("Yes"))
        peer, told = await reader.message()
        assert (peer, told["id"], told["text"], told["deleted"]) == (stage.bot.id, sent.message_id, "One", False)
        assert told == (await stage.driver.messages(peer, admin.account_id))[-1]
        await stage.bot.edit_message_text("Two", chat_id=admin.account_id, message_id=sent.message_id)
        peer, told = await reader.message()
        assert (peer, told["text"], told["version"], told["buttons"]) == (stage.bot.id, "Two", 1, None)
        await stage.bot.delete_message(admin.account_id, sent.message_id)
        peer, told = await reader.message()
        assert (peer, told["id"], told["text"], told["deleted"]) == (stage.bot.id, sent.message_id, None, True)
        stage.world.send_service(admin.account_id, "Login code: 11111.")
        assert (await reader.message())[0] == SERVICE_ID
        await admin.send("my own word")
        assert (await reader.message())[1]["text"] == "my own word"


async def test_changes_that_nobody_has_read_are_told_once(stage: Stage) -> None:
    """A card that is redrawn faster than it is read comes as it is in the end."""
    admin = await stage.started()
    async with listening(stage, admin.account_id) as reader:
        message = stage.world.send_private(stage.bot.id, admin.account_id, stage.bot.id, text="0 %")
        for percent in range(1, 51):
            stage.world.edit(message, text=f"{percent} %")
        assert (await reader.message())[1]["text"] == "50 %"
        await admin.send("next")
        assert (await reader.message())[1]["text"] == "next"


async def test_two_people_at_once(stage: Stage) -> None:
    """Each hears of their own chats: not of another's with the bot, nor of a channel that they are not in."""
    admin, other = await stage.started(), other_person(stage)
    outsider = next(iter(stage.group.requests))
    async with (
        listening(stage, admin.account_id) as mine,
        listening(stage, other.id) as theirs,
        listening(stage, outsider) as strangers,
    ):
        await stage.bot.send_message(admin.account_id, "for the admin alone")
        await stage.driver.post(stage.archive.peer, "for members")
        await Actor(stage.driver, other.id, stage.bot.id).send("by the other")
        await Actor(stage.driver, outsider, stage.bot.id).send("by a stranger")
        assert [(await mine.message())[1]["text"] for _ in range(2)] == ["for the admin alone", "for members"]
        first, second = await theirs.message(), await theirs.message()
        assert (first[0], first[1]["text"]) == (stage.archive.peer, "for members")
        assert (second[0], second[1]["text"]) == (stage.bot.id, "by the other")
        assert (await strangers.message())[1]["text"] == "by a stranger"


async def test_what_else_is_told(stage: Stage) -> None:
    """New commands, a list of chats that is another one, and figures: once for all that changes in half a second."""
    admin, other = stage.world.admin_id, other_person(stage)
    async with listening(stage, other.id) as reader:
        await stage.bot.set_my_commands([BotCommand(command="start", description="Begin")])
        assert await reader.other() == ("commands", {"peer": stage.bot.id})
        for user in list(stage.group.requests)[:20]:
            stage.world.decide(stage.group, user, admin, approve=True)
        assert await reader.other() == ("state", {})
        await stage.driver.member(stage.group.peer, other.id, "member")
        assert await reader.other() == ("chats", {})
        assert await reader.other() == ("state", {})


async def test_a_stream_ends_with_its_reader(stage: Stage) -> None:
    """Nobody is told of anything any more when the reader has gone."""
    admin = await stage.started()
    before = len(stage.world._listeners)
    async with listening(stage, admin.account_id):
        assert len(stage.world._listeners) == before + 1
    async with asyncio.timeout(WAIT_S):
        while len(stage.world._listeners) > before:
            stage.world.send_private(stage.bot.id, admin.account_id, stage.bot.id, text="does anybody hear?")
            await asyncio.sleep(0.01)


async def test_streams_end_with_the_sandbox() -> None:
    """Stopping does not wait for those who listen: a stream comes to its end, as a file does."""
    async with aiohttp.ClientSession() as http:
        async with open_stage() as stage:
            url = f"{stage.url}/sandbox/events?as={stage.world.admin_id}"
            reader = Reader(await http.get(url, headers=bearer()))
        assert await reader.next() is None


async def test_a_reader_that_is_too_slow(stage: Stage) -> None:
    """The stream ends instead of growing: whoever listens again reads the chat anew."""
    async with listening(stage, stage.world.admin_id) as reader:
        await stage.driver.post_many(stage.archive.peer, feed.MAX_WAITING + 500)
        while await reader.next() is not None:
            pass


async def test_who_listens(stage: Stage) -> None:
    """An account is named, and is one of people."""
    for query, expected in (("", 400), ("?as=x", 400), ("?as=1", 404), (f"?as={stage.bot.id}", 404)):
        assert await status(stage, f"/sandbox/events{query}", bearer()) == expected


# What it asks for -------------------------------------------------------------------------------------------------


async def test_the_list_of_chats(stage: Stage) -> None:
    """All that a person sees, the newest first, with what was said last and whether they may write there."""
    admin, stranger = stage.admin, next(iter(stage.group.requests))

    async def chats(account: int) -> dict[int, dict[str, Any]]:
        found = await stage.driver.call("GET", "chats", query={"as": account})
        dates = [chat["last"]["date"] if chat["last"] else 0 for chat in found]
        assert dates == sorted(dates, reverse=True)
        return {chat["peer"]: chat for chat in found}

    seen = await chats(admin.account_id)
    bot, archive = seen[stage.bot.id], seen[stage.archive.peer]
    assert (bot["kind"], bot["username"], bot["may_write"], bot["last"]) == ("bot", stage.me.username, True, None)
    assert (archive["kind"], archive["role"], archive["may_write"]) == ("channel", "creator", True)
    assert (seen[stage.group.peer]["kind"], seen[SERVICE_ID]["kind"]) == ("group", "service")
    assert seen[SERVICE_ID]["may_write"] is False
    assert {chat["peer"] for chat in (await chats(stranger)).values() if chat["kind"] in ("channel", "group")} == {
        channel.peer for channel in stage.world.channels.values() if channel.username is not None
    }
    said = await admin.send("hello")
    gone = stage.world.send_private(stage.bot.id, admin.account_id, stage.bot.id, text="gone again")
    stage.world.delete(gone)
    first = next(iter((await chats(admin.account_id)).values()))
    assert first["last"] == {"id": said["id"], "text": "hello", "date": said["date"]}
    await admin.upload("plan.pdf", b"x")
    assert (await chats(admin.account_id))[stage.bot.id]["last"]["text"] == "plan.pdf"
    await stage.driver.member(stage.archive.peer, stranger, "member")
    readers = (await chats(stranger))[stage.archive.peer]
    assert (readers["role"], readers["may_write"]) == ("member", False)


async def test_commands_by_scope(stage: Stage) -> None:
    """The menu is that of the narrowest scope which has one, in the person's language before the one for all."""
    admin, other = stage.world.admin_id, other_person(stage).id
    scopes: list[tuple[str, dict[str, Any]]] = [
        ("default", {}),
        ("private", {"scope": BotCommandScopeAllPrivateChats()}),
        ("private_en", {"scope": BotCommandScopeAllPrivateChats(), "language_code": "en"}),
        ("chat", {"scope": BotCommandScopeChat(chat_id=admin)}),
    ]

    async def shown(account: int) -> list[str]:
        commands = await stage.driver.call("GET", f"chats/{stage.bot.id}/commands", query={"as": account})
        assert all(each["description"] == "Do it" for each in commands)
        return [each["command"] for each in commands]

    assert await shown(admin) == []
    told = []
    for name, options in scopes:
        await stage.bot.set_my_commands([BotCommand(command=name, description="Do it")], **options)
        told.append((await shown(admin), await shown(other)))
    assert told == [
        (["default"], ["default"]),
        (["private"], ["private"]),
        (["private_en"], ["private_en"]),
        (["chat"], ["private_en"]),
    ]
    await stage.bot.delete_my_commands(scope=BotCommandScopeChat(chat_id=admin))
    assert await shown(admin) == ["private_en"]
    assert await status(stage, f"/sandbox/chats/{stage.archive.peer}/commands?as={admin}", bearer()) == 404


async def test_a_long_chat_by_pages(stage: Stage) -> None:
    """The newest first, then those before: deleted ones take no place, and nothing is left out or comes twice."""
    peer, admin = stage.archive.peer, stage.world.admin_id
    ids = await stage.driver.post_many(peer, 30)
    for gone in ids[5:25]:
        await stage.driver.delete_post(peer, gone)
    whole = [message["id"] for message in await stage.driver.messages(peer, admin)]
    pages: list[int] = []
    while True:
        query = {"as": admin, "limit": 7} | ({"before": pages[0]} if pages else {})
        page = await stage.driver.call("GET", f"chats/{peer}/messages", query=query)
        if not page:
            break
        assert sum(not message["deleted"] for message in page) <= 7
        pages = [message["id"] for message in page] + pages
    assert pages == whole
    query = {"as": admin, "after": ids[0], "before": ids[3]}
    between = await stage.driver.call("GET", f"chats/{peer}/messages", query=query)
    assert [message["id"] for message in between] == ids[1:3]


async def test_what_the_panel_asks_for(stage: Stage) -> None:
    """Faults that still wait, what one must know to log in, who somebody is, and who the admin is."""
    await stage.driver.fault("getMe", error="FLOOD_WAIT_5", delay_ms=1, times=2)
    await stage.driver.fault("messages.getHistory", drop=True)
    await stage.raw("getMe")
    assert await stage.driver.call("GET", "faults") == [
        {"method": "getMe", "error": "FLOOD_WAIT_5", "drop": False, "delay_ms": 1, "times": 1},
        {"method": "messages.getHistory", "error": None, "drop": True, "delay_ms": 0, "times": 1},
    ]
    admin = stage.world.account(stage.world.admin_id)
    accounts = {account["id"]: account for account in await stage.driver.call("GET", "accounts")}
    assert (accounts[admin.id]["phone"], accounts[admin.id]["password"]) == (admin.phone, admin.password)
    assert stage.bot.id not in accounts
    asked = [stage.bot.id, stage.archive.peer, SERVICE_ID, 1, -1]
    names = await stage.driver.call("GET", "names", query={"of": ",".join(map(str, asked))})
    assert names == {
        str(stage.bot.id): stage.me.name,
        str(stage.archive.peer): stage.archive.title,
        str(SERVICE_ID): "Telegram",
    }
    assert await status(stage, "/sandbox/names?of=x", bearer()) == 400
    assert (await stage.driver.state())["admin_id"] == admin.id


# What people send -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<script>fetch('/sandbox/accounts')</script>"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("code.js", b"alert(1)"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(20)),
    ],
)
@pytest.mark.parametrize("kind", ["document", "photo"])
async def test_what_is_sent_does_not_run(stage: Stage, name: str, content: bytes, kind: str) -> None:
    """A file is saved, not opened, whatever its name or its sender says it is; of photos, pictures alone are shown."""
    form = aiohttp.FormData({"kind": kind})
    form.add_field("file", content, filename=name, content_type="text/html")
    chat = f"chats/{stage.bot.id}/messages"
    sent = await stage.driver.call("POST", chat, query={"as": stage.world.admin_id}, data=form)
    async with stage.http.get(f"{stage.url}/sandbox/files/{sent[kind]['id']}", headers=bearer()) as response:
        assert await response.read() == content
        assert response.headers["Content-Security-Policy"].startswith("sandbox;")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        shown = response.headers["Content-Type"], response.headers.get("Content-Disposition")
    is_picture = kind == "photo" and name == "picture.png"
    assert shown == (("image/png", None) if is_picture else ("application/octet-stream", "attachment"))


async def test_a_picture_of_the_bot_is_shown(stage: Stage) -> None:
    """A QR code is a picture; the photos of the channels are made-up bytes, and are not."""
    admin = await stage.started()
    await stage.bot.send_photo(admin.account_id, picture_of("tg://login?token=x"))
    await stage.bot.send_document(admin.account_id, BufferedInputFile(b"x" * 10, "notes.txt"))
    photo, document = (await admin.messages())[-2:]
    made_up = next(it[2] for it in stage.world.documents() if it[2].kind == "photo")
    kinds = []
    for file_id in (photo["photo"]["id"], document["document"]["id"], made_up.id):
        async with stage.http.get(f"{stage.url}/sandbox/files/{file_id}", headers=bearer()) as response:
            kinds.append(response.headers["Content-Type"])
    assert kinds == ["image/png", "application/octet-stream", "application/octet-stream"]


# What it is made of -----------------------------------------------------------------------------------------------

MAX_LINES = 1_500
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\.write|DOMParser|srcdoc|setHTML"
    r"|\beval\b|new Function|javascript:|setTimeout\(\s*[\"'`]"
)
FOREIGN = re.compile(r"(?:https?:)?//(?!www\.w3\.org/2000/svg|t\.me/)\w")


def test_texts_are_never_markup() -> None:
    """What people and bots write reaches the page as text alone: nothing in it parses markup or runs strings."""
    for path in ASSETS:
        assert not MARKUP.search(path.read_text()), path.name


def test_nothing_comes_from_elsewhere() -> None:
    """No address but the sandbox's own, no style or script within the markup, which the policy would refuse."""
    for path in ASSETS:
        text = path.read_text()
        code = re.sub(r"^\s*(?://|\*).*$", "", text, flags=re.MULTILINE)
        assert not FOREIGN.search(code), path.name
        assert "@import" not in text
        assert not re.search(r"\burl\(", text), path.name
        if path.suffix in {".html", ".svg"}:
            assert not re.search(r"\s(?:style|on\w+)\s*=|<style|<script(?![^>]*\ssrc=)", text), path.name


def test_the_page_stays_small() -> None:
    """One person can read all of it in an hour: no build, no framework, lines that fit."""
    lines = [line for path in ASSETS for line in path.read_text().splitlines()]
    assert len(lines) <= MAX_LINES
    assert max(map(len, lines)) <= 120
