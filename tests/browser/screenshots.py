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
from playwright.async_api import Browser
from pydantic import SecretStr

from tests.browser import chromium
from tests.browser.page import PHONE, WIDE, Visitor, address_of, open_visitor
from tests.play import Play, open_play

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
COLOURS = 128
"""Enough for letters, bubbles and the few colours of emoji; a picture stays below 120 kB."""
UNDO_S = 10.0
"""As in life; tests do without."""


class Photographer:
    """Takes the picture of what a visitor sees."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor

    async def take(self, name: str) -> None:
        page = self._visitor.page
        await page.mouse.move(0, 0)
        await page.evaluate("document.fonts.ready")
        png = await page.screenshot(animations="disabled", caret="hide")
        save(name, png)
        print(name, flush=True)


def save(name: str, png: bytes) -> None:
    """With a palette: a quarter of the bytes."""
    with Image.open(io.BytesIO(png)) as picture:
        flat = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    flat.save(PICTURES / f"{name}.png", optimize=True)


async def accounts(anna: Visitor, take: Photographer, play: Play) -> None:
    await anna.send("/start")
    await anna.sees("Nothing is set up yet")
    await take.take("first-start")
    await anna.send("/login")
    await anna.sees("Share your own number")
    await take.take("add-account")
    await anna.press_key("Share my number")
    await anna.sees("Tap it here")
    code = await anna.reads_code()
    await anna.tap(code[:-2])
    await anna.sees("●" * (len(code) - 2))
    await take.take("keypad")
    for digit in code[-2:]:
        await anna.press(digit)
    await anna.sees("cloud password")
    await take.take("password")
    await anna.send(play.account["password"])
    await anna.sees("Signed in as")
    await take.take("signed-in")
    second = play.stranger()
    await play.sign_in(second.id)
    await anna.send("/sessions")
    await anna.sees("Accounts · 2")
    await take.take("accounts")
    await anna.press(re.compile("Anna"))
    await anna.sees("API id")
    await take.take("account-card")
    await anna.press("Proxy")
    await anna.sees("Through which proxy")
    await take.take("proxy")
    await anna.press("‹ Back")
    await anna.press("Hand over (export)")
    await anna.sees("As which string")
    await take.take("export")


async def saving(anna: Visitor, take: Photographer, play: Play) -> None:
    await play.driver.network(rtt_ms=20, mbit=60)
    title = play.private.title
    post = next(m for m in reversed(play.private.messages.values()) if m.text and not m.deleted)
    await anna.open_chat(title)
    await anna.forward(post.text.splitlines()[0], "Porter")
    await anna.sees(re.compile("Read with|With which one"))
    if await anna.button("With Anna").count():
        await anna.press("With Anna")
    await anna.sees("about 120 files")
    await take.take("save-card")
    await anna.press("Save all and keep up")
    await anna.sees(re.compile(r"▰{4}.*left", re.DOTALL))
    await take.take("saving")
    await anna.send("/runs")
    await anna.sees(re.compile("All work|Saving|works"))
    await take.take("runs")
    await play.driver.network(rtt_ms=0, mbit=0)
    await play.admin.wait_for("done", 120, old=True)
    await anna.send("/sources")
    await anna.sees("Saved channels · 1")
    await take.take("saved-list")
    await anna.press(re.compile("Harbour Arch"))
    await anna.sees("1,000 messages")
    await take.take("saved-channel")
    await anna.press("Change …")
    await anna.press("What is saved")
    await anna.sees("Messages are kept in any case")
    await anna.press("☐ PDF")
    await anna.sees("Now: PDF")
    await take.take("what-is-saved")
    await anna.send("/sources")
    await anna.press("⚙️ My defaults")
    await anna.sees("when you say nothing else")
    await take.take("defaults")


async def gate(anna: Visitor, take: Photographer, play: Play) -> None:
    crew = re.compile(play.gate.title)
    await anna.send(f"/load {play.gate.peer}")
    await anna.sees("2,500 new")
    await anna.send("/requests")
    await anna.sees("2,500 at 1 channel")
    await take.take("gate-channels")
    await anna.press(crew)
    await anna.sees("alike, within an hour")
    await take.take("groups")
    await anna.press(re.compile(r"photo and username$"))
    await anna.sees("with photo and username")
    await anna.messages.locator(".inline-keyboard").last.get_by_role("button").nth(1).click()
    await anna.sees("wants to join")
    await take.take("person")
    await anna.press("Approve")
    await anna.sees("✅ approved")
    await anna.press("‹ Back")
    await anna.press(re.compile("Filter$"))
    await anna.sees("Who is meant")
    await take.take("filter")
    await anna.send("/requests")
    await anna.press(crew)
    await anna.press(re.compile(r"^🚫 Deny 168$"))
    await anna.sees("Deny 168 people")
    await take.take("bulk-preview")
    await anna.press("Confirm: deny 168")
    await anna.sees("begins")
    await take.take("bulk-undo")
    await anna.sees(re.compile("168 denied|168 out|done"))
    await take.take("bulk-done")


async def rules(anna: Visitor, take: Photographer, play: Play) -> None:
    await anna.send("/requests")
    await anna.press(re.compile(play.gate.title))
    await anna.press("⚙️ Gate")
    await anna.sees("You are told of new people")
    await take.take("gate")
    await anna.press("Rules")
    await anna.press("Add a rule")
    await anna.press("Photo: any")
    await anna.press("Username: any")
    await anna.press("Keep this rule")
    await anna.sees("it decides on nobody until an owner lets it")
    await anna.press("‹ Back")
    await anna.press("Add a rule")
    await anna.press("Deny")
    await anna.press("Scam or fake: any")
    await anna.press("Keep this rule")
    await anna.sees("Rule 2 of 2")
    await anna.press("‹ Back")
    await anna.sees("the first one counts")
    await take.take("rules")
    await anna.press(re.compile("^1 · "))
    await anna.sees("Rule 1 of 2")
    await take.take("rule-trial")


async def telling(anna: Visitor, take: Photographer, play: Play) -> None:
    """A digest, then a card a person."""
    await play.driver.ask_to_join(play.gate.peer, 9)
    await anna.sees("9 new at")
    await take.take("digest")
    await anna.send("/requests")
    await anna.press(re.compile(play.gate.title))
    await anna.press("⚙️ Gate")
    await anna.press("🔔 Who is told, how")
    await anna.sees("New people at")
    await take.take("telling")
    await anna.press("A card for each")
    await anna.sees("Now: At once")
    await play.driver.ask_to_join(play.gate.peer, 1)
    await anna.sees(re.compile("asked (just now|[0-9])"))
    await take.take("request-card")


async def people(anna: Visitor, take: Photographer, play: Play) -> None:
    """Admins, PIN, audit, home."""
    house = play.house
    admins = iter(account for account in play.sandbox.world.accounts.values() if account.phone)
    del house, admins
    await anna.send("/admins")
    await anna.sees("Admins")
    await take.take("admins")
    await anna.press("🔒 My PIN")
    await anna.press("Set a PIN")
    await anna.sees("A new PIN")
    for digit in "1907":
        await anna.press(digit)
    await anna.sees("●●●●")
    await take.take("pin")
    await anna.send("/audit")
    await anna.sees("Who did what")
    await take.take("audit")
    await anna.send("/start")
    await anna.sees("saved channel")
    await take.take("home")


async def shoot(browser: Browser, home: Path) -> None:
    async with open_play(home, "harbour", allow_export=True) as play:
        await play.close()
        credentials = {"api_id": play.account["api_id"], "api_hash": SecretStr(play.account["api_hash"])}
        play.settings = play.settings.model_copy(update=credentials)
        await play.open()
        play.house.requests.bulk.undo_seconds = UNDO_S
        async with open_visitor(browser, PHONE, home, device_scale_factor=2, color_scheme="light") as anna:
            take = Photographer(anna)
            await anna.arrive(address_of(play.sandbox))
            await anna.open_chat("Porter")
            for part in (accounts, saving, gate, rules, telling, people):
                await part(anna, take, play)
        async with open_visitor(browser, WIDE, home, device_scale_factor=2, color_scheme="light") as anna:
            await anna.arrive(address_of(play.sandbox))
            await anna.open_chat("Porter")
            await anna.page.get_by_role("button", name="Sandbox").click()
            await Photographer(anna).take("page-wide")


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
