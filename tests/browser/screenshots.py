"""`make screenshots`: docs/pictures, taken on the scenario `harbour` with Porter in this process.

Names are those of the screens; what they show is what Porter shows, times and counts included. Emoji and the names of
people want fonts: Debian's fonts-noto-color-emoji, fonts-noto-core and fonts-noto-cjk.
"""

import asyncio
import io
import re
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, expect
from pydantic import SecretStr

from sandbox import walks
from services.requests.bulk import UNDO_SECONDS
from tests.browser import chromium
from tests.browser.page import PHONE, WIDE, Visitor, open_visitor
from tests.play import Play, open_play

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
COLOURS = 128
"""Enough for letters, bubbles and the few colours of emoji; a picture stays below 120 kB."""
TOLD_MS = 90_000
"""Porter gathers who comes for half a minute before it tells."""


async def take(visitor: Visitor, name: str) -> None:
    """The picture of what stands there, once nothing hovers over it any more."""
    page = visitor.page
    await page.mouse.move(0, 0)
    await expect(page.get_by_role("status").filter(has_text=re.compile(".+"))).to_have_count(0)
    save(name, await page.screenshot(animations="disabled", caret="hide"))
    print(name, flush=True)


def save(name: str, png: bytes) -> None:
    """With a palette: a quarter of the bytes."""
    with Image.open(io.BytesIO(png)) as picture:
        flat = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    flat.save(PICTURES / f"{name}.png", optimize=True)


async def login(anna: Visitor, play: Play) -> None:
    await anna.press_key("Start")
    await anna.sees("Nothing is set up yet")
    await take(anna, "first-start")
    await anna.send("/login")
    await anna.sees("Share your own number")
    await take(anna, "add-account")
    await anna.press_key("Share my number")
    await anna.sees("Tap it here")
    code = await anna.reads_code()
    await anna.tap(code[:-1])
    await anna.sees("●" * (len(code) - 1))
    await take(anna, "keypad")
    await anna.press(code[-1])
    await anna.sees("cloud password")
    await take(anna, "password")
    await anna.send(play.account["password"])
    await anna.sees("Signed in as")
    await take(anna, "signed-in")


async def saving(anna: Visitor, play: Play) -> None:
    await play.driver.network(rtt_ms=20, mbit=60)
    title = play.private.title
    post = next(m for m in reversed(play.private.messages.values()) if m.text and not m.deleted)
    await anna.open_chat(title)
    await anna.forward(post.text.splitlines()[0], "Porter")
    await anna.sees("about 120 files")
    await take(anna, "save-card")
    await anna.press("Save all and keep up")
    await anna.sees(re.compile(r"▰{4}.*left", re.DOTALL))
    await take(anna, "saving")
    await play.driver.network(rtt_ms=0, mbit=0)
    await anna.sees(f"✅ «{title}»: done")
    await go(anna, "📥 Saved channels")
    await anna.sees("Saved channels · 1")
    await take(anna, "saved-list")
    await anna.press(re.compile("Harbour Arch"))
    await anna.sees("1,000 messages")
    await take(anna, "saved-channel")
    await anna.press("Change …")
    await anna.press("What is saved")
    await anna.sees("Messages are kept in any case")
    await anna.press("☐ PDF")
    await anna.sees("Now: PDF")
    await take(anna, "what-is-saved")
    await anna.press("‹ Back")
    await anna.sees("what shall change")
    await go(anna, "📥 Saved channels")
    await anna.press("⚙️ My defaults")
    await anna.sees("when you say nothing else")
    await take(anna, "defaults")


async def gate(anna: Visitor, play: Play) -> None:
    await anna.send(f"/load {play.gate.peer}")
    await anna.sees("2,500 new")
    await go(anna, "🚪 Waiting people")
    await anna.sees("2,500 at 1 channel")
    await take(anna, "gate-channels")
    await open_gate(anna, play)
    await take(anna, "groups")
    await anna.press("🔧 Filter")
    await anna.press("Photo: any")
    await anna.sees("with photo")
    await anna.press("Bio: any")
    await anna.sees("with photo · with bio")
    await take(anna, "filter")
    await open_gate(anna, play)
    await anna.press("⚙️ Gate")
    await anna.sees("You are told of new people")
    await take(anna, "gate")
    await anna.press("Rules")
    await add_rule(anna, "Deny", "Scam or fake: any")
    await add_rule(anna, "● Approve", "Photo: any", "Username: any")
    await open_gate(anna, play)
    await anna.press(re.compile(r"photo and username$"))
    await anna.sees("993 people wait")
    await anna.messages.locator(".inline-keyboard").last.get_by_role("button").nth(1).click()
    await anna.sees("wants to join")
    await take(anna, "person")
    await anna.press("Approve")
    await anna.sees("✅ approved")
    await decide_many(anna, play)
    await open_gate(anna, play)
    await anna.press("⚙️ Gate")
    await anna.press("Rules")
    await anna.sees("the first one counts")
    await take(anna, "rules")
    await anna.press(re.compile("^1 · "))
    await anna.sees("Rule 1 of 2")
    await take(anna, "rule-trial")


async def go(anna: Visitor, *labels: str) -> None:
    """Home, and on from there."""
    if not await anna.button("Help").count():
        await anna.press("🏠 Home")
    await expect(anna.button("Help")).to_be_visible()
    for label in labels:
        await anna.press(label)


async def open_gate(anna: Visitor, play: Play) -> None:
    await go(anna, "🚪 Waiting people")
    await anna.press(re.compile(play.gate.title))
    await anna.sees("Type part of a name")


async def add_rule(anna: Visitor, action: str, *conditions: str) -> None:
    """From the list of rules, and back to it."""
    await anna.press("Add a rule")
    for label in (action, *conditions):
        await anna.press(label)
        await expect(anna.button(label)).to_have_count(0 if label in conditions else 1)
    await anna.press("Keep this rule")
    await anna.sees("it decides on nobody until an owner lets it")
    await anna.press("‹ Back")


async def decide_many(anna: Visitor, play: Play) -> None:
    await open_gate(anna, play)
    await anna.press("✕ Deny 63")
    await anna.sees("Deny 63 people")
    await take(anna, "bulk-preview")
    await anna.press("Confirm: deny 63")
    await anna.sees("begins in")
    await take(anna, "bulk-undo")
    await anna.sees(f"✅ «{play.gate.title}»: done")
    await take(anna, "bulk-done")


async def accounts(anna: Visitor, play: Play) -> None:
    second = play.stranger()
    await play.sign_in(second.id)
    await go(anna, "👤 Accounts")
    await anna.sees("Accounts · 2")
    await take(anna, "accounts")
    await anna.press(re.compile("Anna"))
    await anna.sees("used by «Harbour Archive»")
    await take(anna, "account-card")
    await anna.press("Proxy")
    await anna.sees("Through which proxy")
    await take(anna, "proxy")
    await anna.press("‹ Back")
    await anna.sees("used by «Harbour Archive»")
    await go(anna, "👤 Accounts")
    await anna.press(re.compile(second.first_name))
    await anna.press("Hand over (export)")
    await anna.sees("As which string")
    await take(anna, "export")


async def people(anna: Visitor, play: Play) -> None:
    """Admins, PIN, who did what; then home."""
    third = next(account for account in play.sandbox.world.accounts.values() if account.first_name == "Clara")
    await play.actor(third.id).send("/start")
    await walks.add_admin(play.admin, third.id, "Approver", play.gate.title)
    await anna.send("/admins")
    await anna.sees("Admins · 2")
    await take(anna, "admins")
    await anna.press("🔒 My PIN")
    await anna.press("Set a PIN")
    await anna.sees("A new PIN")
    for typed, digit in enumerate("1907", start=1):
        await anna.press(digit)
        await anna.sees("●" * typed)
    await take(anna, "pin")
    await anna.press("Cancel")
    await anna.sees("You have no PIN")
    await go(anna, "👥 Admins")
    await anna.press("Who did what")
    await anna.sees("Who did what ·")
    await take(anna, "audit")
    await anna.send("/runs")
    await anna.sees(re.compile(r"^\s*Work\b"))
    await take(anna, "runs")
    await go(anna)
    await take(anna, "home")


async def telling(anna: Visitor, play: Play) -> None:
    """A digest, then a card a person."""
    await play.driver.ask_to_join(play.gate.peer, 9)
    await anna.sees(re.compile(r"\d new at"), TOLD_MS)
    await take(anna, "digest")
    await open_gate(anna, play)
    await anna.press("⚙️ Gate")
    await anna.press("🔔 Who is told, how")
    await anna.sees("New people at")
    await take(anna, "telling")
    await anna.press("A card for each")
    await anna.sees("Now: At once")
    await go(anna)
    await play.driver.ask_to_join(play.gate.peer, 1)
    await anna.sees(re.compile(r"asked (just now|\d)"))
    await take(anna, "request-card")


async def shoot(browser: Browser, home: Path) -> None:
    async with open_play(home, "harbour", allow_export=True) as play:
        await play.close()
        credentials = {"api_id": play.account["api_id"], "api_hash": SecretStr(play.account["api_hash"])}
        play.settings = play.settings.model_copy(update=credentials)
        await play.open()
        play.house.requests.bulk.undo_seconds = UNDO_SECONDS
        async with open_visitor(browser, PHONE, home, device_scale_factor=2, color_scheme="light") as anna:
            await anna.arrive(play.sandbox.page)
            await anna.open_chat("Porter")
            for part in (login, saving, gate, accounts, people, telling):
                await part(anna, play)
        async with open_visitor(browser, WIDE, home, device_scale_factor=1.5, color_scheme="light") as anna:
            await anna.arrive(play.sandbox.page)
            await anna.open_chat("Porter")
            await anna.page.get_by_role("button", name="Sandbox").click()
            await anna.panel.wait_for()
            await take(anna, "page-wide")


async def main() -> int:
    if not chromium.is_there():
        print(f"{chromium.MISSING}: {chromium.HOW_TO_GET_IT}", file=sys.stderr)
        return 1
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="porter-pictures-") as home:
        async with chromium.open_chromium() as browser:
            await shoot(browser, Path(home))
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
