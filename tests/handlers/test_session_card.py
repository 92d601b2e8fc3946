"""An account's card through the chat: list and search, application, proxy, two ways to delete."""

import logging
import re
from datetime import timedelta

import pytest

from sandbox import walks
from sandbox.scenarios import SECOND
from storage.flood_waits import FloodWaitRepository
from storage.types import utc_now
from tests.handlers.test_sessions import open_card, signed_in
from tests.play import Play
from tests.proxies import open_proxy

__all__ = ["signed_in"]

PROXY_PASSWORD = "made-up-proxy-secret"


async def chat_of(play: Play) -> str:
    """Everything that still stands in the chat, from both sides."""
    return "\n".join(str(message["text"]) for message in await play.admin.messages() if not message["deleted"])


async def pause(play: Play, seconds: int) -> None:
    sessions = play.house.sessions
    flood_waits: FloodWaitRepository = sessions._flood_waits
    await flood_waits.put(1, "messages.getHistory", utc_now() + timedelta(seconds=seconds))


# -- list and card


async def test_the_card_says_what_matters(signed_in: Play) -> None:
    """Name, @username, masked phone, state, use, application, proxy, times; never the whole number."""
    await open_card(signed_in)
    text = (await signed_in.admin.screen())["text"]
    for part in ("Anna Berg, @anna_berg, +1••••01", "ready", "not used yet", "API id 2100101 · no proxy"):
        assert part in text
    assert re.search(r"checked .+ · added .+ · changed ", text)
    assert "15550100101" not in text


async def test_a_flood_wait_is_a_clock_time(signed_in: Play) -> None:
    """Paused by Telegram: in the list and on the card, until when."""
    await pause(signed_in, 2 * 3600)
    await signed_in.admin.send("/sessions")
    screen = await signed_in.admin.wait_for("1 paused by Telegram")
    label = screen["buttons"][0][0]["text"]
    assert re.fullmatch(r"⏸ Anna · (\w{3} )?\d\d:\d\d", label)
    await signed_in.admin.press(label)
    await signed_in.admin.wait_for(r"paused by Telegram until (\w{3} )?\d\d:\d\d")


async def test_typing_searches_the_list(signed_in: Play) -> None:
    """A word narrows the list, across pages and cards, until all are shown again; a command closes the list."""
    play = signed_in
    await play.house.sessions.rename(1, "Work")
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts · 1")
    await play.admin.send("zeppelin")
    await play.admin.wait_for("0 found")
    assert not any("Work" in label for label in await play.admin.buttons())
    await play.admin.send("BERG anna")
    await play.admin.wait_for("1 found")
    await play.admin.press("🟢 Work")
    await play.admin.wait_for("not used yet")
    await play.admin.press("‹ Back")
    await play.admin.wait_for("1 found")
    await play.admin.press("✕ Show all")
    screen = await play.admin.wait_for("Accounts · 1")
    assert "found" not in screen["text"]
    await play.admin.send("/start")
    await play.admin.wait_for("Porter ·")
    assert "Continue" not in await play.admin.buttons(), "a list is no conversation that waits"


async def test_a_code_typed_into_a_list_leaves_the_chat(play: Play) -> None:
    """Within ten minutes of a login a stray text may be the password: it searches, and stands nowhere afterwards."""
    await walks.log_in(play.admin, play.account)
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts · 1")
    await play.admin.send(play.account["password"])
    await play.admin.wait_for("0 found")
    assert play.account["password"] not in await chat_of(play)


async def test_a_search_keeps_what_was_parked(signed_in: Play) -> None:
    """Looking something up in a list loses no conversation."""
    play = signed_in
    await walks.begin_source(play.admin)
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts · 1")
    await play.admin.send("anna")
    await play.admin.wait_for("1 found")
    await play.admin.send("/start")
    await play.admin.wait_for("waits")
    await play.admin.press("Continue")
    await play.admin.wait_for("Tap one")


async def test_typing_searches_saved_channels(signed_in: Play) -> None:
    play = signed_in
    await walks.add_source(play.admin, play.private.title)
    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels · 1")
    await play.admin.send("zeppelin")
    await play.admin.wait_for("0 found")
    await play.admin.press("✕ Show all")
    await play.admin.wait_for("Saved channels · 1")
    await play.admin.send(play.private.title.split()[0].upper())
    await play.admin.wait_for("1 found")


# -- application


async def test_another_application(signed_in: Play) -> None:
    """A wrong pair is refused and the old one goes on; the right one is taken. The hash stands nowhere in the chat."""
    play = signed_in
    other = next(a for a in play.sandbox.line()["accounts"] if a["id"] == SECOND)
    await open_card(play)
    await play.admin.press("API credentials")
    await play.admin.wait_for("Now it is API id 2100101")
    await play.admin.send("twelve")
    await play.admin.wait_for("API id")
    await play.admin.send(str(other["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send("nonsense")
    await play.admin.wait_for("hash")
    await play.admin.send("0" * 32)
    await play.admin.wait_for("goes on with API id 2100101")
    await play.restart()
    await play.admin.send(str(other["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(other["api_hash"])
    screen = await play.admin.wait_for("names API id 2100102 from now on")
    assert "API id 2100102 · no proxy" in screen["text"]
    chat = await chat_of(play)
    assert other["api_hash"] not in chat
    assert "0" * 32 not in chat
    answer = await play.admin.press("Check now")
    assert answer["answer"] == "This account works."


# -- proxy


async def test_a_proxy(signed_in: Play, caplog: pytest.LogCaptureFixture) -> None:
    """Nonsense and a wrong password are refused in words; the right one is used at once, and can be taken away.

    The password stands neither in the chat nor in the log.
    """
    caplog.set_level(logging.DEBUG)
    play = signed_in
    async with open_proxy("socks5", "porter", PROXY_PASSWORD) as proxy:
        await open_card(play)
        await play.admin.press("Proxy")
        await play.admin.wait_for("Through which proxy")
        await play.admin.send(f"porter:{PROXY_PASSWORD}@127.0.0.1")
        await play.admin.wait_for("no proxy that Porter can use")
        await play.admin.send(f"socks5://porter:{PROXY_PASSWORD}x@127.0.0.1:{proxy.port}")
        await play.admin.wait_for("does not take this user and password")
        await play.restart()
        await play.admin.send(proxy.typed)
        screen = await play.admin.wait_for("Reached Telegram through")
        assert f"proxy {proxy.place} with password" in screen["text"]
        before = len(proxy.targets)
        answer = await play.admin.press("Check now")
        assert answer["answer"] == "This account works."
        assert len(proxy.targets) > before
        proxy.cut()
        proxy.password = "changed meanwhile"
        await play.restart()
        await play.admin.press("Check now")
        await play.admin.wait_for(f"through the proxy {proxy.place}: it does not take this user and password")
        await open_card(play)
        await play.admin.press("Proxy")
        await play.admin.wait_for(f"Now it goes through {proxy.place}")
        await play.admin.press("Connect without proxy")
        await play.admin.wait_for("the address of Porter's own host")
        await play.admin.press("Yes, connect directly")
        await play.admin.wait_for("API id 2100101 · no proxy")
        led = len(proxy.targets)
        answer = await play.admin.press("Check now")
        assert answer["answer"] == "This account works."
        assert len(proxy.targets) == led
    assert PROXY_PASSWORD not in await chat_of(play)
    assert PROXY_PASSWORD not in caplog.text


async def test_signing_in_again_takes_the_proxy(signed_in: Play) -> None:
    """A repair goes the account's own way, over a restart as well."""
    play = signed_in
    async with open_proxy("http", "porter", PROXY_PASSWORD) as proxy:
        await open_card(play)
        await play.admin.press("Proxy")
        await play.admin.wait_for("Through which proxy")
        await play.admin.send(proxy.typed)
        await play.admin.wait_for("Reached Telegram through")
        await play.driver.revoke(play.sandbox.admin_id)
        await play.admin.press("Check now")
        await play.admin.wait_for("signed out")
        seen = len(proxy.targets)
        await play.admin.press("Sign in again")
        await play.admin.wait_for("Tap it here")
        assert len(proxy.targets) == seen + 1
        await play.restart()
        await walks.tap_code(play.admin, await walks.newest_code(play.admin))
        await play.admin.wait_for("cloud password")
        assert len(proxy.targets) == seen + 2
        await play.admin.send(play.account["password"])
        await play.admin.wait_for("Same account")


# -- giving it up


async def test_delete_only_here(signed_in: Play) -> None:
    """The login stays alive, and the chat says where to end it."""
    await open_card(signed_in)
    await signed_in.admin.press("Delete")
    await signed_in.admin.wait_for("Delete only here: Porter forgets it")
    await signed_in.admin.press("Delete only here")
    screen = await signed_in.admin.wait_for("is deleted here")
    assert "Settings → Devices" in screen["text"]
    assert "None yet" in screen["text"]
    keys = [key for key in signed_in.sandbox.world.auth_keys.values() if key.user == signed_in.sandbox.admin_id]
    assert keys
    assert not any(key.revoked for key in keys)


async def test_a_deletion_that_telegram_does_not_hear_of(signed_in: Play) -> None:
    await signed_in.driver.fault("auth.logOut", error="FLOOD_WAIT_500")
    await open_card(signed_in)
    await signed_in.admin.press("Delete")
    await signed_in.admin.wait_for("Delete only here: ")
    await signed_in.admin.press("Yes, sign out and delete")
    await signed_in.admin.wait_for("did not confirm that it is signed out")


async def test_work_refuses_a_deletion(signed_in: Play) -> None:
    """A run that works with the account is named, and a tap away."""
    play = signed_in
    await play.driver.fault("messages.getChatInviteImporters", error="FLOOD_WAIT_5000")
    await play.admin.send(f"/load {play.gate.peer}")
    await play.admin.wait_for("waiting")
    await open_card(play)
    assert f"at work now: «{play.gate.title}»" in (await play.admin.screen())["text"]
    await play.admin.press("Delete")
    screen = await play.admin.wait_for("is in use and stays")
    assert f"At work now: «{play.gate.title}»" in screen["text"]
    await play.admin.press(re.compile("^⏳"))
    await play.admin.press("Stop here")
    await play.admin.wait_for("stopped by you")
    await open_card(play)
    await play.admin.press("Delete")
    await play.admin.wait_for("Delete only here: ")
