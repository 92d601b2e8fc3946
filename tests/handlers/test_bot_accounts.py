"""Bots as accounts through the chat: added by their token, told of a channel, repaired by one tap."""

import hashlib
import logging
import re

import pytest

from sandbox import walks
from sandbox.scenarios import add_bot
from sandbox.world import Account
from storage.models import SessionState
from tests.handlers.test_session_card import chat_of
from tests.handlers.test_sessions import open_card
from tests.play import Play


@pytest.fixture
def harvester(play: Play) -> Account:
    return add_bot(play.sandbox.world, "Harvester", play.private)


async def add(play: Play, bot: Account) -> None:
    """From the list of accounts; credentials are asked for when none are configured."""
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts")
    await play.admin.press("I have a bot token")
    screen = await play.admin.wait_for("API id|Send its token")
    if "API id" in screen["text"]:
        await play.admin.send(str(play.account["api_id"]))
        await play.admin.wait_for("API hash")
        await play.admin.send(play.account["api_hash"])
        await play.admin.wait_for("Send its token")
    await play.admin.send(bot.token or "")
    await play.admin.wait_for("Signed in as")


async def no_token_in_sight(play: Play, caplog: pytest.LogCaptureFixture, *tokens: str) -> None:
    chat = await chat_of(play)
    for token in tokens:
        secret = token.partition(":")[2]
        assert secret not in chat
        assert secret not in caplog.text


def on_disk(play: Play) -> list[str]:
    root = play.settings.download_dir
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file())


async def test_add_a_bot(play: Play, harvester: Account, caplog: pytest.LogCaptureFixture) -> None:
    """Token and application are asked for, nonsense is explained; the card says what it can and cannot."""
    caplog.set_level(logging.DEBUG)
    token = harvester.token or ""
    await play.admin.send("/sessions")
    await play.admin.wait_for("None yet")
    await play.admin.press("I have a bot token")
    await play.admin.wait_for("API id")
    await play.admin.send(str(play.account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(play.account["api_hash"])
    await play.admin.wait_for("Send its token")
    await play.admin.send("not a token")
    await play.admin.wait_for("knows no bot by this token")
    await play.admin.send(token[:-1] + ("a" if token[-1] != "a" else "b"))
    await play.admin.wait_for("knows no bot by this token")
    await play.admin.send(play.sandbox.bot_token)
    await play.admin.wait_for("the bot you are talking to")
    await play.restart()
    await play.admin.send(token)
    screen = await play.admin.wait_for("Signed in as Harvester, bot @harvester_bot")
    assert "Porter calls this account «Harvester»" in screen["text"]
    assert "Load who waits" not in await play.admin.buttons()
    await open_card(play)
    card = (await play.admin.screen())["text"]
    assert "Harvester, bot @harvester_bot" in card
    assert "cannot list its channels" in card
    assert {"Channels", "Check now", "Delete"} <= set(await play.admin.buttons())
    assert "Load who waits" not in await play.admin.buttons()
    assert (await play.admin.press("Check now"))["answer"] == "This account works."
    await no_token_in_sight(play, caplog, token, play.sandbox.bot_token)


async def test_in_the_place_of_a_number(ready: Play, harvester: Account) -> None:
    """Where a login asks whose account, a bot is one tap away; the number's keyboard goes."""
    await ready.admin.send("/login")
    await ready.admin.wait_for("Share your own number")
    await ready.admin.press_reply("I have a bot token")
    await ready.admin.wait_for("Send its token")
    await ready.admin.send(harvester.token or "")
    await ready.admin.wait_for("Signed in as Harvester")


async def test_a_token_out_of_the_blue(ready: Play, harvester: Account, caplog: pytest.LogCaptureFixture) -> None:
    """Gone from the chat at once, used when the admin says so; what was being asked waits."""
    await ready.admin.send("/login")
    await ready.admin.wait_for("Share your own number")
    await ready.admin.send(harvester.token or "")
    asked = await ready.admin.wait_for("Shall Porter read channels with this bot")
    assert str(harvester.id) in asked["text"]
    await ready.driver.fault("auth.importBotAuthorization", error="FLOOD_WAIT_60")
    await ready.admin.press("Use this bot")
    await ready.admin.wait_for("asks for patience until")
    await ready.restart()
    await ready.admin.press("Use this bot")
    await ready.admin.wait_for("Signed in as Harvester")
    await no_token_in_sight(ready, caplog, harvester.token or "")
    await ready.admin.send(harvester.token or "")
    await ready.admin.wait_for("Shall Porter read")
    await ready.admin.press("Use this bot")
    await ready.admin.wait_for("here already: «Harvester»")


async def test_a_wrong_application(play: Play, harvester: Account) -> None:
    """Begins with the id again, and keeps the token meanwhile."""
    await play.admin.send(harvester.token or "")
    await play.admin.wait_for("Shall Porter read")
    await play.admin.press("Use this bot")
    await play.admin.wait_for("API id")
    await play.admin.send("4711")
    await play.admin.wait_for("API hash")
    await play.admin.send("0" * 32)
    await play.admin.wait_for("does not know this API id and hash")
    await play.admin.send(str(play.account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(play.account["api_hash"])
    await play.admin.wait_for("Signed in as Harvester")


@pytest.mark.parametrize("how", ["id", "link"])
async def test_save_a_channel_by_a_bot(ready: Play, harvester: Account, how: str) -> None:
    """Named by somebody, since it can list none; then every step as with any account, and all documents come home."""
    play = ready
    await add(play, harvester)
    await play.admin.press("Save channels")
    await play.admin.wait_for("Send a link, @name or -100… id")
    await play.admin.send(str(play.gate.peer))
    await play.admin.wait_for("Make it an administrator there")
    assert "I have a bot token" in await play.admin.buttons()
    match how:
        case "id":
            await play.admin.send(str(play.private.peer))
        case "link":
            await play.admin.send(f"https://t.me/c/{play.private.id}/3")
    await play.admin.wait_for("Which files")
    await play.admin.press("Done")
    await play.admin.wait_for("Files go to")
    await play.admin.press("Use this folder")
    await play.admin.wait_for("How often")
    await play.admin.press("Only when I ask")
    await play.admin.wait_for("Porter will call it")
    await play.admin.press("Use this name")
    await play.admin.wait_for("The first time everything")
    await play.admin.press("Save this channel")
    await play.admin.wait_for("last saved never")
    await play.driver.reset_calls()
    await walks.scrape(play.admin)
    documents = [d for d in await play.driver.documents() if d["channel"] == play.private.peer]
    assert on_disk(play) == sorted(document["sha256"] for document in documents)
    assert await play.driver.call_count("messages.getHistory") == 0


async def test_a_forwarded_post_is_enough(ready: Play, harvester: Account) -> None:
    """The channel's card comes for a bot as for anybody, without counts; one tap saves it."""
    play = ready
    await add(play, harvester)
    await play.admin.forward(play.private.peer, 3)
    await play.admin.wait_for(f"«{play.private.title}»|{play.private.title}")
    await play.admin.press("Save all and keep up")
    await play.admin.wait_for(r"✅ .*done", 30)
    documents = [d for d in await play.driver.documents() if d["channel"] == play.private.peer]
    assert on_disk(play) == sorted(document["sha256"] for document in documents)
    assert await play.driver.call_count("messages.getHistory") == 0


async def test_a_post_that_is_forwarded_to_a_bot(ready: Play, harvester: Account) -> None:
    """A bot was chosen, and the post answers which channel: it is that bot that reads it, though an account could as
    well; the question does not wait any more."""
    play = ready
    await walks.log_in(play.admin, play.account)
    await add(play, harvester)
    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels")
    await play.admin.press("Save another channel")
    await play.admin.wait_for("With which account")
    await play.admin.press(re.compile(harvester.first_name))
    await play.admin.wait_for("or forward a post")
    await play.admin.forward(play.private.peer, 3)
    await play.admin.wait_for("cannot be counted with this account")
    await play.admin.send("/start")
    assert "waits" not in (await play.admin.wait_for("Porter"))["text"]


async def test_the_channels_of_a_bot(ready: Play, harvester: Account) -> None:
    """Empty at first, with what to do; one that is named stands there, and Refresh looks again."""
    play = ready
    await add(play, harvester)
    await open_card(play)
    await play.admin.press("Channels")
    await play.admin.wait_for("lists no channels to bots")
    await play.admin.send(str(play.private.peer))
    await play.admin.wait_for("may let nobody in there")
    assert "Save this channel" in await play.admin.buttons()
    await play.admin.press("‹ Back")
    await play.admin.wait_for(f"«{play.private.title}»")
    play.private.members.pop(harvester.id)
    await play.admin.press("Refresh")
    await play.admin.wait_for("lists no channels to bots")


async def test_a_dead_bot_by_one_tap(ready: Play, harvester: Account, caplog: pytest.LogCaptureFixture) -> None:
    """Signed out: the kept token brings it back. Revoked: a new token is asked for, and another bot's is refused."""
    play, old = ready, harvester.token or ""
    await add(play, harvester)
    await open_card(play)
    await play.driver.revoke(harvester.id)
    await play.admin.press("Check now")
    await play.admin.wait_for("signed out")
    await play.admin.press("Sign in again")
    await play.admin.wait_for("Signed in as Harvester, bot @harvester_bot. Same account.")
    play.sandbox.world.revoke_token(harvester.id)
    await open_card(play)
    await play.admin.press("Check now")
    await play.admin.wait_for("signed out")
    await play.admin.press("Sign in again")
    await play.admin.wait_for("the token that Porter has is no good")
    other = add_bot(play.sandbox.world, "Gleaner")
    await play.admin.send(other.token or "")
    await play.admin.wait_for("That is another account: «Gleaner»")
    await play.admin.send(harvester.token or "")
    await play.admin.wait_for("Same account")
    [session] = await play.house.sessions.all()
    assert session.state is SessionState.ACTIVE
    await no_token_in_sight(play, caplog, old, harvester.token or "", other.token or "")


async def test_a_channel_that_no_account_sees(play: Play, harvester: Account) -> None:
    """Where the chosen account does not see it, a bot is offered; without any account too."""
    await play.admin.send("/sources")
    await play.admin.wait_for("None yet")
    await play.admin.press("Save another channel")
    await play.admin.wait_for("needs an account")
    assert {"Add account", "I have a bot token"} <= set(await play.admin.buttons())
    await play.sign_in()
    play.private.members.pop(play.sandbox.admin_id)
    await walks.begin_source(play.admin)
    await play.admin.send(str(play.private.peer))
    await play.admin.wait_for("no such channel")
    await play.admin.press("I have a bot token")
    await play.admin.wait_for("API id")
    await play.admin.send(str(play.account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(play.account["api_hash"])
    await play.admin.wait_for("Send its token")
    await play.admin.send(harvester.token or "")
    await play.admin.wait_for("Signed in as Harvester")
    await play.admin.press("Save channels")
    await play.admin.wait_for("With which account")
    await play.admin.press("🟢 Harvester")
    await play.admin.wait_for("Send a link, @name")
    await play.admin.send(str(play.private.peer))
    await play.admin.wait_for("Which files")


async def test_the_way_back(play: Play, harvester: Account) -> None:
    """Home sets the question aside and offers to go on with it; a token that comes late leaves the chat."""
    await play.admin.send("/sessions")
    await play.admin.wait_for("None yet")
    await play.admin.press("I have a bot token")
    await play.admin.wait_for("API id")
    await play.admin.press("🏠 Home")
    await play.admin.wait_for("What you were filling in waits")
    await play.admin.press("Continue")
    await play.admin.wait_for("API id")
    await play.admin.press("‹ Back")
    await play.admin.wait_for("None yet")
    await play.admin.send(harvester.token or "")
    await play.admin.wait_for("Shall Porter read")
    assert (harvester.token or "") not in await chat_of(play)
