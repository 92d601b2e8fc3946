"""The core way, tapped in a real browser, checked against the sandbox's truth and the disk."""

import hashlib
import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from sandbox.driver import Driver
from tests.browser.page import PHONE, WIDE, Visitor, open_visitor
from tests.play import Play, open_play

MANY = re.compile(r"^✅ Approve \d+$")


async def log_in(anna: Visitor, play: Play) -> None:
    account = play.account
    await anna.send("/login")
    await anna.sees("API id")
    await anna.send(str(account["api_id"]))
    await anna.sees("API hash")
    await anna.send(account["api_hash"])
    await anna.sees("Share your own number")
    await anna.picture("add-account")
    await anna.press_key("Share my number")
    await anna.sees("Tap it here")
    code = await anna.reads_code()
    await anna.tap(code)
    await anna.sees("cloud password")
    await anna.picture("password")
    await anna.send(account["password"])
    await anna.sees("Signed in as Anna Berg")
    # Neither stands there any more: what carries a secret is deleted before it is used.
    await anna.misses(account["password"])
    await anna.misses(account["api_hash"])


async def save_by_forward(anna: Visitor, play: Play) -> None:
    """From the newest post to all files on the disk."""
    posts = await play.driver.messages(play.private.peer, play.admin.account_id)
    newest = next(post for post in reversed(posts) if not post["deleted"] and post["text"])
    await anna.open_chat(play.private.title)
    await anna.forward(newest["text"].splitlines()[0], "Porter")
    await anna.sees(f"«{play.private.title}» · channel, private")
    await anna.picture("save-card")
    await anna.press("Save all and keep up")
    await anna.sees(f"✅ «{play.private.title}»: done")
    await anna.picture("saved")
    wanted = {d["sha256"] for d in await play.driver.documents() if d["channel"] == play.private.peer}
    found = [path for path in play.settings.download_dir.rglob("*") if path.is_file()]
    assert wanted <= {hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


async def truth(driver: Driver, play: Play) -> tuple[int, int, int]:
    """Pending, approved, denied."""
    requests = await driver.requests(play.gate.peer)
    return len(requests["pending"]), len(requests["approved"]), len(requests["denied"])


async def decide(anna: Visitor, play: Play) -> None:
    """One in, one out, then a group of many after a look at its names."""
    before, _, _ = await truth(play.driver, play)
    await anna.send("/requests")
    await anna.press("Load who waits")
    await anna.press(re.compile(play.gate.title))
    await anna.press("All")
    await anna.sees("30 new")
    await anna.press("🚪 Who waits there")
    await anna.sees("30 people wait")
    await anna.picture("groups")
    await anna.press("All in one list")
    await expect(anna.button("All in one list")).to_have_count(0)
    await anna.messages.locator(".inline-keyboard").last.get_by_role("button").first.click()
    await anna.sees("wants to join")
    await anna.picture("person")
    await anna.press("Approve")
    await anna.sees("✅ approved")
    await anna.press("Deny")
    await anna.sees("denied")
    assert await truth(play.driver, play) == (before - 2, 1, 1)

    await anna.send("/requests")
    await anna.press(re.compile(play.gate.title))
    await anna.sees("28 people wait")
    label = await anna.button(MANY).inner_text()
    count = int(re.sub(r"\D", "", label))
    assert count > 1
    await anna.press(label)
    await anna.sees(f"Approve {count} people")
    await anna.picture("preview")
    assert await truth(play.driver, play) == (before - 2, 1, 1)
    await anna.press(f"Confirm: approve {count}")
    await anna.sees(f"{count} in")
    await anna.picture("done")
    assert await truth(play.driver, play) == (before - 2 - count, 1 + count, 1)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "size",
    [
        pytest.param(PHONE, id="phone"),
        pytest.param(
            WIDE,
            id="wide",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: the same way, on a desk"),
            ],
        ),
    ],
)
async def test_log_in_save_a_channel_open_the_gate(browser: Browser, size: ViewportSize, tmp_path: Path) -> None:
    """A newcomer with a browser signs in by keypad and password, saves a channel by a forward, and lets people in."""
    async with open_play(tmp_path) as play, open_visitor(browser, size, tmp_path / "pictures") as anna:
        await anna.arrive(play.sandbox.page)
        await anna.open_chat("Porter")
        await anna.press_key("Start")
        await anna.sees("Nothing is set up yet")
        await anna.picture("home")
        await log_in(anna, play)
        await save_by_forward(anna, play)
        await decide(anna, play)
