"""Home, help, strangers, the claim link, and the one live screen."""

import asyncio
import re
from pathlib import Path

import pytest

from sandbox.driver import Actor
from tests.play import Play, open_play


async def shown(actor: Actor) -> list[str]:
    return [message["text"] for message in await actor.bot_messages()]


async def test_home_of_an_empty_porter_offers_the_two_jobs(play: Play) -> None:
    """Nothing set up yet: home says so and has one button for each of the two jobs."""
    await play.admin.send("/start")
    await play.admin.wait_for("Nothing is set up yet")
    assert {"Approve requests", "Save channels"} <= set(await play.admin.buttons())


async def test_taps_edit_the_screen_and_typing_moves_it_below(play: Play) -> None:
    """However long the admin moves about, one message of the bot stands in the chat."""
    await play.admin.send("/start")
    first = await play.admin.wait_for("Porter")
    await play.admin.press("Help")
    assert (await play.admin.wait_for("What Porter does"))["id"] == first["id"]
    await play.admin.press("🏠 Home")
    await play.admin.send("/sources")
    below = await play.admin.wait_for("Saved channels")
    assert below["id"] > first["id"]
    for _ in range(100):  # the old one goes right after
        if len(await play.admin.bot_messages()) == 1:
            break
        await asyncio.sleep(0.02)
    assert [message["id"] for message in await play.admin.bot_messages()] == [below["id"]]


async def test_an_old_screen_says_that_it_moved(play: Play) -> None:
    """A message older than 48 hours cannot be deleted by a bot: it is edited, and the screen goes on below."""
    await play.admin.send("/start")
    await play.admin.wait_for("Porter")
    await play.driver.advance(49 * 3600)
    await play.admin.send("/help")
    await play.admin.wait_for("What Porter does")
    await play.admin.wait_for("This screen moved below")  # the old one gives way right after
    assert await shown(play.admin) == ["This screen moved below.", (await play.admin.screen())["text"]]


async def test_a_tap_costs_two_calls(play: Play) -> None:
    """One edit, one answer: what Telegram counts a tap as."""
    await play.admin.send("/start")
    await play.admin.wait_for("Porter")
    await play.driver.reset_calls()
    await play.admin.press("Help")
    await play.admin.wait_for("What Porter does")
    calls = (await play.driver.calls())[play.sandbox.bot.id]
    assert {name: n for name, n in calls.items() if name != "getUpdates"} == {
        "editMessageText": 1,
        "answerCallbackQuery": 1,
    }


async def test_every_button_of_every_place_leads_somewhere(play: Play) -> None:
    """From home, each place opens, and Home leads back."""
    await play.admin.send("/start")
    for label, words in (
        ("👤 Accounts", "Accounts"),
        ("📥 Saved channels", "Saved channels"),
        ("🚪 Waiting people", "Waiting people"),
        ("Help", "What Porter does"),
    ):
        await play.admin.wait_for(r"Porter")
        await play.admin.press(label)
        await play.admin.wait_for(words)
        await play.admin.press("🏠 Home")


async def test_text_that_nobody_asked_for_shows_the_places(play: Play) -> None:
    """A message that fits nothing is not swallowed: the screen says so and shows where to go."""
    await play.admin.send("hello?")
    await play.admin.wait_for("does not know what to do")
    assert "📥 Saved channels" in await play.admin.buttons()


async def test_nothing_to_save_yet_leads_to_the_first_channel(play: Play) -> None:
    """/scrape of an empty Porter is one tap from what is missing."""
    await play.admin.send("/scrape")
    await play.admin.wait_for("None yet")
    assert "Save another channel" in await play.admin.buttons()


async def test_cancel_with_nothing_open(play: Play) -> None:
    """/cancel never fails."""
    await play.admin.send("/cancel")
    await play.admin.wait_for("Nothing is being asked")


async def test_a_command_parks_a_conversation(play: Play) -> None:
    """A command in mid-conversation sets it aside; home offers to go on, and it goes on where it was."""
    await play.admin.send("/login")
    await play.admin.wait_for("API id")
    await play.admin.send("/start")
    await play.admin.wait_for("Your login waits")
    await play.admin.press("Continue")
    await play.admin.wait_for("send the API id")
    await play.admin.send(str(play.account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels")
    await play.admin.press("🏠 Home")
    await play.admin.wait_for("Your login waits")
    await play.admin.press("Drop")
    screen = await play.admin.wait_for("Porter")
    assert "waits" not in screen["text"]


ANSWERS = {
    "/sessions": "Accounts",
    "/sources": "Saved channels",
    "/requests": "Waiting people",
    "/load": "needs an account",
    "/admins": "Admins",
    "/audit": "Who did what",
    "/forget": "Forget a person",
    "/login": "Add an account",
}


async def test_no_command_is_taken_for_a_session(play: Play) -> None:
    """The question for a session string is set aside by each of them, none is tried as a string and deleted."""
    for command, words in ANSWERS.items():
        await play.admin.send("/sessions")
        await play.admin.wait_for("Accounts")
        await play.admin.press("I have a session file/string")
        await play.admin.wait_for("Bring an account along")
        typed = await play.admin.send(command)
        await play.admin.wait_for(words)
        assert not next(m for m in await play.admin.messages() if m["id"] == typed["id"])["deleted"]


async def test_no_command_is_taken_for_a_name_or_a_proxy(play: Play) -> None:
    """What an account's card asks for waits until the admin comes back."""
    await play.sign_in()
    for form, asked in (
        ("Rename", "What shall Porter call"),
        ("Proxy", "proxy shall"),
        ("API credentials", "application shall"),
    ):
        await play.admin.send("/sessions")
        await play.admin.wait_for("Accounts")
        await play.admin.press("🟢 Anna")
        await play.admin.wait_for("not used yet")
        await play.admin.press(form)
        await play.admin.wait_for(asked)
        await play.admin.send("/sources")
        await play.admin.wait_for("Saved channels")
        await play.admin.press("🏠 Home")
        await play.admin.wait_for("What you were filling in waits")


async def test_a_keyboard_below_the_chat_has_a_way_home(ready: Play) -> None:
    """The number, a channel, a person: each is asked for with Telegram's own keys, and Home is one of them."""
    await ready.admin.send("/login")
    await ready.admin.wait_for("Whose")
    await ready.admin.press_reply("🏠 Home")
    await ready.admin.wait_for("Your login waits")
    await ready.admin.press("Approve requests")
    await ready.admin.wait_for("Connect a channel")
    await ready.admin.press_reply("🏠 Home")
    await ready.admin.wait_for("Nothing is set up yet")
    await ready.admin.send("/admins")
    await ready.admin.wait_for("Admins")
    await ready.admin.press("Add somebody")
    await ready.admin.wait_for("As what")
    await ready.admin.press("Viewer")
    await ready.admin.wait_for("Who shall be")
    await ready.admin.press_reply("🏠 Home")
    await ready.admin.wait_for("What you were filling in waits")
    assert not any(m["text"] == "🏠 Home" and not m["deleted"] for m in await ready.admin.messages())


async def test_strangers_meet_silence_and_presses_of_theirs_do_nothing(play: Play) -> None:
    """Nobody but admins gets an answer, not even to a button that they forge."""
    stranger = play.actor(play.stranger().id)
    await stranger.send("/start")
    await stranger.send("/requests")
    await stranger.upload("a.session", b"x")
    await play.admin.send("/start")
    await play.admin.wait_for("Porter")
    assert not await stranger.bot_messages()
    assert len(play.sandbox.world.chats[play.sandbox.bot.id][stranger.account_id]) == 3


async def claim_link(caplog: pytest.LogCaptureFixture) -> str:
    for _ in range(200):
        if found := re.search(r"start=(own_[\w-]+)", caplog.text):
            return found[1]
        await asyncio.sleep(0.05)
    raise AssertionError("no claim link in the log")


async def test_the_claim_link_makes_one_owner_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The first opener of the link owns Porter; a second person with the same link meets silence."""
    async with open_play(tmp_path, admin_ids="") as play:
        await play.admin.send("/start")
        link = await claim_link(caplog)
        await play.admin.send(f"/start {link[:-1]}")
        await play.admin.send(f"/start {link}")
        await play.admin.wait_for("You own this Porter now")
        assert len(await play.admin.bot_messages()) == 1
        await play.admin.send(f"/start {link}")  # again, by the owner: no silence
        await play.admin.wait_for("Porter · ")
        other = play.actor(play.stranger().id)
        await other.send(f"/start {link}")
        await play.admin.send("/help")
        await play.admin.wait_for("What Porter does")
        assert not await other.bot_messages()
