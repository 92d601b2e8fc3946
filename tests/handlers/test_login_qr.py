"""Logging in by QR code through the chat: pictures are read as a phone reads them, and nothing else is."""

import asyncio
import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

from handlers import keyboards
from handlers.callbacks import SessionAction, SessionVerb
from handlers.screen import Page
from handlers.texts import Texts
from sandbox.control.pictures import qr_code_in
from sandbox.driver import DriverError
from sandbox.scenarios import ADMIN, SECOND
from sandbox.world import TOKEN_LIFETIME_S
from tests.play import Play

PICTURE = "Scan this with the phone"


async def begin_qr(play: Play) -> dict[str, Any]:
    await play.admin.send("/login")
    await play.admin.wait_for("Whose")
    await play.admin.press_reply("I have a second screen")
    return await play.admin.wait_for(PICTURE)


async def link_on(play: Play, screen: dict[str, Any]) -> str:
    link = qr_code_in(await play.driver.file(screen["photo"]["id"]))
    assert link is not None
    return link


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.02)


async def bot_calls(play: Play) -> dict[str, int]:
    """What the bot asked for, but for updates and the menus of a start."""
    calls = (await play.driver.calls())[play.sandbox.bot.id]
    return {name: n for name, n in calls.items() if name not in ("getUpdates", "getMe", "setMyCommands")}


async def alone(play: Play) -> None:
    """One message of the bot stands in the chat: the one that gave way goes right after the new one came."""
    async with asyncio.timeout(5):
        while len(await play.admin.bot_messages()) > 1:  # noqa: ASYNC110 - the chat sets no event
            await asyncio.sleep(0.02)


async def test_a_scan_is_all_it_takes(ready: Play) -> None:
    """Two taps and a scan; the picture gives way to the account, and its link was never a text."""
    await ready.admin.send("/start")
    await ready.admin.wait_for("Porter")
    taps = ready.admin.taps
    await ready.admin.press("Save channels")
    await ready.admin.wait_for("Whose")
    await ready.admin.press_reply("I have a second screen")
    picture = await ready.admin.wait_for(PICTURE)
    assert ready.admin.taps - taps == 2
    link = await link_on(ready, picture)
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("Signed in as Boris")
    await alone(ready)
    messages = await ready.admin.messages()
    assert not any(message["photo"] for message in messages), "the picture is taken away"
    token = link.partition("=")[2]
    assert not any(token in str(message) for message in messages)
    await ready.admin.send("/sessions")
    await ready.admin.wait_for("Accounts · 1")


async def test_api_credentials_are_asked_first(play: Play) -> None:
    """Without configured ones, as with a number."""
    await play.admin.send("/login")
    await play.admin.wait_for("API id")
    await play.admin.send(str(play.account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(play.account["api_hash"])
    await play.admin.wait_for("Whose")
    await play.admin.press_reply("I have a second screen")
    await play.admin.wait_for(PICTURE)
    await play.admin.scan(SECOND)
    await play.admin.wait_for("Signed in as Boris")


async def test_an_account_with_a_password(ready: Play) -> None:
    """After the scan the cloud password is asked for; the message with it goes."""
    await begin_qr(ready)
    await ready.admin.scan()
    await ready.admin.wait_for("This account has a cloud password")
    await ready.admin.send("not it")
    await ready.admin.wait_for("password is not right")
    await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("Signed in as Anna")
    assert not any(ready.account["password"] in (m["text"] or "") for m in await ready.admin.messages())


@pytest.mark.parametrize("account", [SECOND, ADMIN])
async def test_an_account_of_another_dc(ready: Play, account: int) -> None:
    """The login follows the account to DC 4, with its password too, and the account works from there."""
    await ready.driver.account(account, home_dc=4)
    await begin_qr(ready)
    await ready.admin.scan(account)
    if account == ADMIN:
        await ready.admin.wait_for("cloud password")
        await ready.restart()
        await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("Signed in as")
    assert [key.dc_id for key in ready.sandbox.world.auth_keys.values() if key.user == account] == [4]
    await ready.admin.press("Channels")
    await ready.admin.wait_for(re.escape(ready.public.title))


async def test_the_picture_changes_before_it_ends(ready: Play) -> None:
    """In place, with one call; the old code is too late then, the new one is good."""
    world = ready.sandbox.world
    world.token_lifetime_s = 6
    first = await begin_qr(ready)
    world.token_lifetime_s = TOKEN_LIFETIME_S
    old = await link_on(ready, first)
    await ready.driver.reset_calls()
    second = await drawn_anew(ready, first)
    assert await link_on(ready, second) != old
    calls = await bot_calls(ready)
    assert set(calls) <= {"deleteMessage", "editMessageMedia"}  # the screen of before may still go
    assert calls["editMessageMedia"] == 1
    await ready.driver.advance(7)
    with pytest.raises(DriverError, match="AUTH_TOKEN_EXPIRED"):
        await ready.driver.accept_login(SECOND, old)
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("Signed in as Boris")


async def test_scanned_while_porter_is_down(ready: Play) -> None:
    """The next start finds it done, and says so where the picture was."""
    await begin_qr(ready)
    await ready.close()
    await ready.admin.scan(SECOND)
    await ready.open()
    await ready.admin.wait_for("Signed in as Boris")
    await alone(ready)


async def test_a_picture_from_before_a_restart_is_drawn_anew(ready: Play) -> None:
    """The key goes on; the code in the same message is a fresh one."""
    first = await begin_qr(ready)
    old = await link_on(ready, first)
    await ready.restart()
    second = await drawn_anew(ready, first)
    assert await link_on(ready, second) != old
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("Signed in as Boris")


@pytest.mark.parametrize("restart", [False, True])
async def test_what_a_picture_costs(ready: Play, restart: bool) -> None:
    """A text becomes a picture in place, with one call; a picture gives way with two, known from before or not."""
    await ready.driver.account(ADMIN, code_ways=["word"])
    await ready.admin.send("/login")
    await ready.admin.wait_for("Whose")
    await ready.admin.share_contact()
    page = await ready.admin.wait_for("a word has letters")
    await alone(ready)
    await ready.driver.reset_calls()
    await ready.admin.press("I have a second screen")
    picture = await ready.admin.wait_for(PICTURE)
    assert picture["id"] == page["id"]
    assert await bot_calls(ready) == {"editMessageMedia": 1, "answerCallbackQuery": 1}
    if restart:
        await ready.restart()
        await drawn_anew(ready, picture)
    await ready.driver.reset_calls()
    await ready.admin.press("🏠 Home")
    await ready.admin.wait_for("Your login waits")
    await alone(ready)
    assert await bot_calls(ready) == {"sendMessage": 1, "deleteMessage": 1, "answerCallbackQuery": 1}


async def drawn_anew(play: Play, picture: dict[str, Any]) -> dict[str, Any]:
    """The same message with a newer picture."""
    async with asyncio.timeout(10):
        while (screen := await play.admin.screen())["version"] == picture["version"]:  # noqa: ASYNC110 - the chat sets no event
            await asyncio.sleep(0.02)
    assert screen["id"] == picture["id"]
    return screen


async def put_deadline_back(play: Play) -> None:
    rows = play.house.logins._logins
    attempt = await rows.of_admin(ADMIN)
    assert attempt is not None
    await rows.update(attempt.id, attempt.step, await rows.payload(attempt.id), attempt.created_at)


@pytest.mark.parametrize("restart", [False, True])
async def test_nobody_scans(ready: Play, restart: bool) -> None:
    """At the deadline, or when Porter comes back behind it: a clear page, and both ways to begin again."""
    picture = await begin_qr(ready)
    await put_deadline_back(ready)
    if restart:
        await ready.restart()
    else:
        await ready.sandbox.servers.drop_connections()  # nobody waits for the end of the code
    await ready.admin.wait_for("Nobody scanned")
    assert {"Show a new QR code", "Use my number"} <= set(await ready.admin.buttons())
    await ready.admin.press("Show a new QR code")
    again = await ready.admin.wait_for(PICTURE)
    assert again["photo"]["id"] != picture["photo"]["id"]


async def test_another_message_has_become_the_screen(ready: Play) -> None:
    """A picture is never drawn over another card; what came of the scan is told beside it, and goes on."""
    await begin_qr(ready)
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("Signed in as Boris")
    card = SessionAction(verb=SessionVerb.SHOW, id=1)
    await ready.house.screens.tell(ADMIN, Page("a notice", keyboards.one("Its card", card, Texts())))
    notice = await ready.admin.wait_for("a notice")
    ready.sandbox.world.token_lifetime_s = 6
    link = await link_on(ready, await begin_qr(ready))
    await ready.admin.press("Its card")
    assert (await ready.admin.wait_for("Boris Klein"))["id"] == notice["id"]
    await ready.driver.accept_login(ADMIN, link)
    await ready.admin.wait_for("cloud password")
    assert "Boris Klein" in next(m["text"] for m in await ready.admin.bot_messages() if m["id"] == notice["id"])
    await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("Signed in as")


async def test_home_and_back(ready: Play) -> None:
    """Elsewhere no picture is drawn; the login waits, and going on shows a fresh code."""
    world = ready.sandbox.world
    world.token_lifetime_s = 6
    first = await begin_qr(ready)
    old = await link_on(ready, first)
    await ready.admin.press("🏠 Home")
    home = await ready.admin.wait_for("Your login waits")
    await until(lambda: len(world.login_tokens) == 2)
    await alone(ready)
    assert (await ready.admin.screen())["id"] == home["id"]
    world.token_lifetime_s = TOKEN_LIFETIME_S
    await ready.admin.press("Continue")
    again = await ready.admin.wait_for(PICTURE)
    assert await link_on(ready, again) != old
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("Signed in as Boris")


@pytest.mark.parametrize("account", [SECOND, ADMIN])
async def test_scanned_by_who_has_gone_elsewhere(ready: Play, account: int) -> None:
    """A message of its own tells it; the screen stays what it is."""
    picture = await begin_qr(ready)
    link = await link_on(ready, picture)
    await ready.admin.press("🏠 Home")
    await ready.admin.wait_for("Your login waits")
    await ready.driver.accept_login(account, link)
    if account == ADMIN:
        await ready.admin.wait_for("waits for it")
        await ready.admin.press("Continue")
        await ready.admin.wait_for("cloud password")
        await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("Signed in as")
    await ready.admin.send("/start")
    screen = await ready.admin.wait_for("Porter")
    assert "Your login waits" not in screen["text"]


async def test_the_way_to_the_number_and_back(ready: Play) -> None:
    """Each offers the other; the attempt that is left is over."""
    picture = await begin_qr(ready)
    link = await link_on(ready, picture)
    await ready.admin.press("Use my number")
    await ready.admin.wait_for("Whose")
    await ready.admin.share_contact()
    await ready.admin.wait_for("Tap it here")
    await ready.admin.press("I have a second screen")
    await ready.admin.wait_for(PICTURE)
    await ready.driver.accept_login(SECOND, link)  # of the key that was given up
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("Signed in as Boris")


async def test_an_account_that_is_here(ready: Play) -> None:
    """Named, and its second key is signed out again."""
    await begin_qr(ready)
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("Signed in as Boris")
    await begin_qr(ready)
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("here already")
    keys = [key for key in ready.sandbox.world.auth_keys.values() if key.user == SECOND and not key.revoked]
    assert len(keys) == 1


async def dead(play: Play) -> None:
    """An account without a password, stored and signed out; the notice stands in the chat."""
    await begin_qr(play)
    await play.admin.scan(SECOND)
    await play.admin.wait_for("Signed in as Boris")
    await play.driver.revoke(SECOND)
    await play.house.watch.check_next()
    await play.admin.wait_for("was signed out")


async def test_a_repair_by_qr(ready: Play) -> None:
    """Into the same row, from the keypad that the repair begins with; by number again from there as well."""
    await dead(ready)
    await ready.admin.press("Sign in again")
    await ready.admin.wait_for("Tap it here")
    await ready.admin.press("I have a second screen")
    await ready.admin.wait_for(PICTURE)
    await ready.admin.press("Use my number")
    await ready.admin.wait_for("Tap it here")
    await ready.admin.press("I have a second screen")
    await ready.admin.wait_for(PICTURE)
    await ready.restart()
    await ready.admin.wait_for(PICTURE, old=True)
    await until(lambda: any(not t.accepted_by for t in ready.sandbox.world.login_tokens.values()))
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("Same account")
    await ready.admin.send("/sessions")
    screen = await ready.admin.wait_for("Accounts · 1")
    assert screen["buttons"][0][0]["text"].startswith("🟢")


async def test_a_repair_by_the_wrong_account(ready: Play) -> None:
    """Refused for that row, and signed out again."""
    await dead(ready)
    ready.sandbox.world.accounts[ADMIN].password = None
    await ready.admin.press("Sign in again")
    await ready.admin.wait_for("Tap it here")
    await ready.admin.press("I have a second screen")
    await ready.admin.wait_for(PICTURE)
    await ready.admin.scan(ADMIN)
    screen = await ready.admin.wait_for("That is another account")
    assert "Anna" in screen["text"]
    assert not [k for k in ready.sandbox.world.auth_keys.values() if k.user == ADMIN and not k.revoked]


async def test_telegram_is_away_for_a_moment(ready: Play) -> None:
    """A lost connection is mended by itself: the picture is drawn anew, and a scan counts."""
    first = await begin_qr(ready)
    await ready.sandbox.servers.drop_connections()
    await drawn_anew(ready, first)
    await ready.admin.scan(SECOND)
    await ready.admin.wait_for("Signed in as Boris")


async def test_the_token_is_in_no_log(ready: Play, caplog: pytest.LogCaptureFixture) -> None:
    """Not in any form that it has on its way."""
    with caplog.at_level("DEBUG"):
        link = await link_on(ready, await begin_qr(ready))
        await ready.admin.scan(SECOND)
        await ready.admin.wait_for("Signed in as Boris")
    token = link.partition("=")[2]
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith(("sandbox", "asyncio", "aiohttp")))
    for form in (token, raw.hex(), repr(raw)[2:-1]):
        assert form not in ours
