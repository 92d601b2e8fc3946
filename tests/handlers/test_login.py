"""Logging in through the chat: each thing that goes wrong, and how it goes on."""

import asyncio
import re

import pytest

from sandbox import walks
from sandbox.scenarios import ADMIN
from tests.play import Play


def wrong(code: str) -> str:
    return code[:-1] + str((int(code[-1]) + 1) % 10)


async def texts_of(play: Play) -> str:
    return "\n".join(message["text"] or "" for message in await play.admin.messages())


async def test_log_in_with_keypad_and_password(play: Play) -> None:
    """API credentials, number, code, password: signed in, and no secret is left in the chat."""
    await walks.log_in(play.admin, play.account)
    chat = await texts_of(play)
    for secret in (play.account["api_hash"], play.account["password"], play.account["phone"]):
        assert secret not in chat
    screen = await play.admin.screen()
    assert "••••" in screen["text"]
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts · 1")


async def test_the_taps_of_a_login(ready: Play) -> None:
    """At most three taps beside the number, the code and the password (CHAT.md)."""
    await ready.admin.send("/start")
    await ready.admin.wait_for("Porter")
    await ready.admin.press("Save channels")
    await ready.admin.wait_for("Whose")
    before_number = ready.admin.taps
    await ready.admin.share_contact()
    await ready.admin.wait_for("Tap it here")
    assert before_number <= 3
    taps = ready.admin.taps
    code = await walks.newest_code(ready.admin)
    await walks.tap_code(ready.admin, code)
    await ready.admin.wait_for("cloud password")
    assert ready.admin.taps - taps == len(code), "the keypad submits itself at full length"


async def test_digits_never_travel(ready: Play) -> None:
    """What a key carries is a slot: neither the digit nor the code stands in any callback data."""
    await walks.begin_login(ready.admin, ready.account)
    screen = await ready.admin.screen()
    keys = [key for row in screen["buttons"] for key in row if key["text"].isdigit()]
    assert sorted(key["text"] for key in keys) == list("0123456789")
    slots = {key["text"]: key["data"].rpartition(":")[2] for key in keys}
    assert sorted(slots.values()) == list("0123456789")


async def test_a_wrong_code_shows_the_keypad_again(ready: Play) -> None:
    """The admin reads that it was wrong, and the right one goes through."""
    await walks.begin_login(ready.admin, ready.account)
    code = await walks.newest_code(ready.admin)
    await walks.tap_code(ready.admin, wrong(code))
    await ready.admin.wait_for("code is not right")
    await walks.tap_code(ready.admin, code)
    await ready.admin.wait_for("cloud password")


async def test_backspace_takes_a_digit_back(ready: Play) -> None:
    """●●○○○ shrinks, and the code can be completed."""
    await walks.begin_login(ready.admin, ready.account)
    code = await walks.newest_code(ready.admin)
    await walks.tap_code(ready.admin, code[:2] + "0")
    await ready.admin.wait_for("●●●○○")
    await ready.admin.press("⌫")
    await ready.admin.wait_for("●●○○○")
    await walks.tap_code(ready.admin, code[2:])
    await ready.admin.wait_for("cloud password")


async def test_a_typed_code_is_burnt_and_a_new_one_goes_through(ready: Play) -> None:
    """Telegram voids a code that is typed in a chat: it is deleted, explained, and a new one is a tap away."""
    await walks.begin_login(ready.admin, ready.account)
    code = await walks.newest_code(ready.admin)
    await ready.admin.send(code)
    await ready.admin.wait_for("void")
    assert code not in await texts_of(ready)
    await ready.admin.press("Send a new code")
    await ready.admin.wait_for("Tap it here")
    assert await walks.newest_code(ready.admin) != code
    await walks.tap_code(ready.admin, await walks.newest_code(ready.admin))
    await ready.admin.wait_for("cloud password")


async def test_an_expired_code_offers_a_new_one(ready: Play) -> None:
    """Too late: said so, and a new code is one tap away."""
    await walks.begin_login(ready.admin, ready.account)
    code = await walks.newest_code(ready.admin)
    await ready.driver.advance(3600)
    await walks.tap_code(ready.admin, code)
    await ready.admin.wait_for("That code is void")
    await ready.admin.press("Send a new code")
    await ready.admin.wait_for("Tap it here")


async def test_resend_goes_another_way(ready: Play) -> None:
    """By what Telegram names; behind the last way none is offered, and the page says what is left."""
    await ready.driver.account(ADMIN, resend_after_s=0)
    await walks.begin_login(ready.admin, ready.account)
    assert "Another way: by SMS, now" in (await ready.admin.screen())["text"]
    await ready.admin.press("Send it another way")
    screen = await ready.admin.wait_for("sent a code .* by SMS")
    assert "a QR code does without one" in screen["text"]
    assert "Send it another way" not in await ready.admin.buttons()
    assert "I have a second screen" in await ready.admin.buttons()
    await walks.tap_code(ready.admin, await walks.newest_code(ready.admin))
    await ready.admin.wait_for("cloud password")


async def test_another_way_too_early(ready: Play) -> None:
    """An alert that says when; Telegram is not asked, the screen and what was tapped stay."""
    await walks.begin_login(ready.admin, ready.account)
    await walks.tap_code(ready.admin, "12")
    screen = await ready.admin.wait_for(r"Another way: by SMS, at \d\d:\d\d:\d\d\.")
    answer = await ready.admin.press("Send it another way")
    assert answer["alert"]
    assert re.search(r"Not before \d\d:\d\d:\d\d\.", answer["answer"])
    assert (await ready.admin.screen())["version"] == screen["version"]
    assert await ready.driver.call_count("auth.resendCode") == 0


@pytest.mark.parametrize("restart", [False, True])
async def test_the_countdown_ends_on_the_screen(ready: Play, restart: bool) -> None:
    """Drawn once, by itself, with what was tapped so far; after a restart too."""
    await ready.driver.account(ADMIN, resend_after_s=2)
    await walks.begin_login(ready.admin, ready.account)
    code = await walks.newest_code(ready.admin)
    await walks.tap_code(ready.admin, code[:2])
    await ready.admin.wait_for("●●○○○")
    if restart:
        await ready.restart()
    await ready.driver.reset_calls()
    screen = await ready.admin.wait_for("Another way: by SMS, now")
    assert "●●○○○" in screen["text"]
    assert (await ready.driver.calls())[ready.sandbox.bot.id]["editMessageText"] == 1
    await walks.tap_code(ready.admin, code[2:])
    await ready.admin.wait_for("cloud password")


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("email", r"by e-mail to an\*\*\*@h\*\*\*\.example"),
        ("call", "by a phone call"),
        ("missed_call", r"from a number that begins with \+1 555: its last 5 digits are the code"),
        ("fragment", "to fragment.com"),
    ],
)
async def test_other_ways_of_digits(ready: Play, way: str, said: str) -> None:
    """Where the code went is said, and the keypad takes it."""
    await ready.driver.account(ADMIN, code_ways=[way])
    await walks.begin_login(ready.admin, ready.account)
    assert re.search(said, (await ready.admin.screen())["text"])
    await walks.tap_code(ready.admin, wrong(await walks.newest_code(ready.admin)))
    await ready.admin.wait_for("code is not right")
    await walks.tap_code(ready.admin, await walks.newest_code(ready.admin))
    await ready.admin.wait_for("cloud password")


@pytest.mark.parametrize(
    ("way", "said"),
    [
        ("word", "a word has letters"),
        ("phrase", "a phrase has letters"),
        ("flash_call", "the whole calling number would be the code"),
        ("email_setup", "set one in an official app first"),
    ],
)
async def test_codes_that_no_keypad_takes(ready: Play, way: str, said: str) -> None:
    """Why is said, and a QR code is the way out; so is another way, where Telegram has one."""
    await ready.driver.account(ADMIN, code_ways=[way, "call"], resend_after_s=0)
    await ready.admin.send("/login")
    await ready.admin.wait_for("Whose")
    await ready.admin.share_contact()
    screen = await ready.admin.wait_for(said)
    assert "a QR code does instead" in screen["text"]
    assert await ready.admin.buttons() == ["Send it another way", "I have a second screen", "Start over", "🏠 Home"]
    await ready.admin.press("Send it another way")
    await ready.admin.wait_for("by a phone call")
    await ready.admin.press("I have a second screen")
    await ready.admin.wait_for("Scan this")
    await ready.admin.scan()
    await ready.admin.wait_for("cloud password")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("PHONE_NUMBER_BANNED", "Telegram has banned this number"),
        ("PHONE_NUMBER_FLOOD", "Try again tomorrow"),
        ("PHONE_PASSWORD_FLOOD", "Try again tomorrow"),
    ],
)
async def test_refused_numbers(ready: Play, word: str, said: str) -> None:
    """In plain words, with the way to begin again."""
    await ready.driver.fault("auth.sendCode", error=word)
    await ready.admin.send("/login")
    await ready.admin.wait_for("Whose")
    await ready.admin.share_contact()
    screen = await ready.admin.wait_for(said)
    assert word not in screen["text"]
    await ready.admin.press("Start over")
    await ready.admin.wait_for("Whose")


async def test_too_many_wrong_passwords(ready: Play) -> None:
    """Told as what it is, and nothing that was typed stays in the chat."""
    await walks.begin_login(ready.admin, ready.account)
    await walks.tap_code(ready.admin, await walks.newest_code(ready.admin))
    await ready.admin.wait_for("cloud password")
    await ready.driver.fault("auth.checkPassword", error="PHONE_PASSWORD_FLOOD")
    await ready.admin.send("guess number nine")
    await ready.admin.wait_for("Try again tomorrow")
    assert "guess number nine" not in await texts_of(ready)


async def test_a_wrong_password_is_asked_again(ready: Play) -> None:
    """Wrong, then right; both messages are gone from the chat."""
    await walks.begin_login(ready.admin, ready.account)
    await walks.tap_code(ready.admin, await walks.newest_code(ready.admin))
    await ready.admin.wait_for("cloud password")
    await ready.admin.send("not the password")
    await ready.admin.wait_for("password is not right")
    await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("Signed in as")
    assert "not the password" not in await texts_of(ready)


async def test_an_unknown_number(ready: Play) -> None:
    """A number without an account is explained, and another can be given at once."""
    await ready.admin.send("/login")
    await ready.admin.wait_for("Whose")
    await ready.admin.send("what?")
    await ready.admin.wait_for("cannot read this number")
    await ready.admin.send("+49 151 00000000")
    await ready.admin.wait_for("Tap it here")
    sent = next(code for code in ready.sandbox.world.codes.values() if code.phone.endswith("15100000000"))
    await walks.tap_code(ready.admin, sent.code)
    await ready.admin.wait_for("no Telegram account with this number")
    await ready.admin.share_contact()
    await ready.admin.wait_for("Tap it here")


async def test_a_flood_wait_is_a_clock_time(ready: Play) -> None:
    """Telegram's patience is told as a time of day, never in seconds."""
    await ready.driver.fault("auth.sendCode", error="FLOOD_WAIT_5000")
    await ready.admin.send("/login")
    await ready.admin.wait_for("Whose")
    await ready.admin.share_contact()
    screen = await ready.admin.wait_for(r"patience until (\w{3} )?\d\d:\d\d")
    assert "5000" not in screen["text"]


async def test_a_keypad_of_a_login_that_is_over(ready: Play) -> None:
    """A key that is tapped after all says so, and changes nothing."""
    await walks.begin_login(ready.admin, ready.account)
    screen = await ready.admin.screen()
    key = screen["buttons"][0][0]["data"]
    await ready.admin.send("/cancel")
    await ready.admin.wait_for("Left")
    answer = await ready.admin.press_forged((await ready.admin.screen())["id"], key)
    assert "not in use any more" in answer["answer"]
    assert "Left" in (await ready.admin.screen())["text"]


async def test_a_digit_tapped_twice_is_two_digits(ready: Play) -> None:
    """The second tap is there before the first is answered."""
    await walks.begin_login(ready.admin, ready.account)
    screen = await ready.admin.screen()
    key = next(key["data"] for row in screen["buttons"] for key in row if key["text"] == "7")
    await asyncio.gather(*[ready.admin.press_forged(screen["id"], key) for _ in range(2)])
    await ready.admin.wait_for("●●○○○")


async def test_the_last_digit_tapped_twice(ready: Play) -> None:
    """The second tap comes when the code is accepted already: the password is asked for, nothing is lost."""
    await walks.begin_login(ready.admin, ready.account)
    code = await walks.newest_code(ready.admin)
    screen = await ready.admin.screen()
    last = next(key["data"] for row in screen["buttons"] for key in row if key["text"] == code[-1])
    await walks.tap_code(ready.admin, code)
    await ready.admin.wait_for("cloud password")
    await ready.admin.press_forged((await ready.admin.screen())["id"], last)
    assert "cloud password" in (await ready.admin.screen())["text"]
    await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("Signed in as")


async def test_secrets_that_come_at_the_wrong_moment_go_too(ready: Play) -> None:
    """A password sent once more after the login, or while the login is set aside, and a file at its prompt."""
    await walks.begin_login(ready.admin, ready.account)
    await walks.tap_code(ready.admin, await walks.newest_code(ready.admin))
    await ready.admin.wait_for("cloud password")
    await ready.admin.upload("secret.txt", b"not asked for")
    await ready.admin.wait_for("cloud password")
    await ready.admin.send("/help")
    await ready.admin.wait_for("What Porter does")
    await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("does not know what to do")
    await ready.admin.press("Continue")
    await ready.admin.wait_for("cloud password")
    await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("Signed in as")
    await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("does not know what to do")
    messages = await ready.admin.messages()
    assert not any(ready.account["password"] in (message["text"] or "") for message in messages)
    assert not any(message["document"] for message in messages if not message["deleted"])


async def test_the_same_account_twice_is_refused(ready: Play) -> None:
    """The second login of an account names the one that is there; nothing is added."""
    await walks.log_in(ready.admin, ready.account)
    await walks.begin_login(ready.admin, ready.account)
    await walks.tap_code(ready.admin, await walks.newest_code(ready.admin))
    await ready.admin.wait_for("cloud password")
    await ready.admin.send(ready.account["password"])
    await ready.admin.wait_for("here already")


async def test_wrong_api_credentials(play: Play) -> None:
    """Nonsense is refused where it is typed; credentials that Telegram does not know start over."""
    await play.admin.send("/login")
    await play.admin.wait_for("API id")
    await play.admin.send("abc")
    await play.admin.wait_for("That is no API id")
    await play.admin.send("4242")
    await play.admin.wait_for("API hash")
    await play.admin.send("xyz")
    await play.admin.wait_for("That is no API hash")
    await play.admin.send("0" * 32)
    await play.admin.wait_for("Whose")
    await play.admin.share_contact()
    await play.admin.wait_for("does not know this API id")
