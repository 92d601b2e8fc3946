"""A person at the sandbox's page: reads what stands there, taps, types.

    async with open_visitor(browser, PHONE, folder) as anna:
        await anna.arrive(address)
        await anna.open_chat("Porter")
        await anna.send("/start")
        await anna.press("👤 Accounts")
        await anna.sees("no account yet")

They know the page by its roles and names, as a screen reader does, and Porter by its words. Whatever the page does
wrong meanwhile (errors, a refused policy, a request to elsewhere) is kept in `troubles`.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request, Route, ViewportSize, expect

WIDE = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=844)

WAIT_MS = 30_000
"""For what a slow machine does, too."""
expect.set_options(timeout=WAIT_MS)
MOST_TABS = 80
"""Of the keyboard, before something counts as out of reach."""
ELSEWHERE = re.compile(r"^(?!http://127\.0\.0\.1[:/]|data:|blob:|about:)")
SERVICE = "Telegram"
"""The chat in which login codes arrive."""


class Visitor:
    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self.troubles: list[str] = []
        self._folder = folder
        self._pictures = 0
        page.set_default_timeout(WAIT_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.troubles.append(f"dialog: {dialog.message}"))
        page.on("requestfailed", self._failed)

    # -- what stands there

    @property
    def messages(self) -> Locator:
        return self.page.get_by_role("list", name="Messages")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def keyboard(self) -> Locator:
        """The one below the chat."""
        return self.page.get_by_label("Keyboard", exact=True)

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("complementary", name="Sandbox")

    def message(self, pattern: str | re.Pattern[str]) -> Locator:
        """The newest with that text or pattern in it."""
        return self.messages.locator("li[data-id]").filter(has_text=pattern).last

    def button(self, label: str | re.Pattern[str]) -> Locator:
        """The newest of that label under a message."""
        buttons = self.messages.locator(".inline-keyboard")
        return buttons.get_by_role("button", name=label, exact=True).last

    def chat(self, title: str) -> Locator:
        """Its line in the list of chats."""
        chats = self.page.get_by_role("navigation", name="Chats")
        return chats.get_by_role("button", name=re.compile(rf"^{re.escape(title)}"))

    async def text(self) -> str:
        """Of the open chat."""
        return await self.messages.inner_text() if await self.messages.count() else "(no chat is open)"

    # -- doing

    async def arrive(self, address: str) -> None:
        """By the address that was printed: the token does not stay in it."""
        await self.page.goto(address)
        await expect(self.page.get_by_label("You are", exact=True)).to_be_visible()
        assert "token" not in self.page.url

    async def become(self, account_id: int) -> None:
        await self.page.get_by_label("You are", exact=True).select_option(str(account_id))

    async def open_chat(self, title: str) -> None:
        """On a phone the list may have to be gone back to."""
        back = self.page.get_by_role("button", name="Back to chats")
        if await back.is_visible():
            await back.click()
        await self.chat(title).click()
        await expect(self.composer.or_(self.messages).first).to_be_visible()

    async def send(self, text: str) -> None:
        await self.composer.fill(text)
        await self.composer.press("Enter")

    async def press(self, label: str | re.Pattern[str]) -> None:
        """A button under a message."""
        await self._click(self.button(label), label)

    async def press_key(self, label: str) -> None:
        """A button of the keyboard below the chat."""
        await self._click(self.keyboard.get_by_role("button", name=label, exact=True), label)

    async def tap(self, code: str) -> None:
        """Digit after digit on the keypad, each once the one before shows."""
        for typed, digit in enumerate(code, start=1):
            await self.press(digit)
            if typed < len(code):
                await self.sees(re.compile(rf"(?<!●)●{{{typed}}}(?!●)"))

    async def forward(self, text: str | re.Pattern[str], to: str) -> None:
        """The newest message with that text, to the chat of that title, which is open afterwards."""
        await self.choose(text, "Forward")
        await self.page.get_by_role("dialog", name="Forward to").get_by_role("button", name=to).first.click()

    async def choose(self, text: str | re.Pattern[str], action: str) -> None:
        """Of a message's menu."""
        message = self.message(text)
        await message.hover()
        await message.get_by_role("button", name="Message actions").click()
        await self.page.get_by_role("menuitem", name=action).click()

    async def tab_to(self, wanted: Locator) -> None:
        """By the keyboard alone. Raises AssertionError when it is out of reach."""
        for _ in range(MOST_TABS):
            if await wanted.count() and await wanted.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"{wanted} is not reached by {MOST_TABS} tabs")

    async def _click(self, button: Locator, label: str | re.Pattern[str]) -> None:
        try:
            await expect(button).to_be_visible()
        except AssertionError as error:
            raise AssertionError(f"no button {label!r} in this chat:\n{await self.text()}") from error
        await button.click()

    # -- reading

    async def sees(self, pattern: str | re.Pattern[str], timeout_ms: float = WAIT_MS) -> Locator:
        """The newest message with that in it, once it is there. Raises AssertionError with the chat if it never is."""
        message = self.message(pattern)
        try:
            await expect(message).to_be_visible(timeout=timeout_ms)
        except AssertionError as error:
            raise AssertionError(f"no {pattern!r} in this chat:\n{await self.text()}") from error
        await self.fits()
        return message

    async def misses(self, pattern: str | re.Pattern[str]) -> None:
        """No message has that in it (any more)."""
        await expect(self.message(pattern)).to_have_count(0)

    async def reads_code(self) -> str:
        """The newest login code, in Telegram's own chat; Porter's is open again afterwards."""
        await self.open_chat(SERVICE)
        text = await (await self.sees(re.compile(r"Login code: \d+"))).inner_text()
        found = re.search(r"Login code: (\d+)", text)
        assert found is not None
        await self.open_chat("Porter")
        return found[1]

    async def fits(self) -> None:
        """Nothing stands out to the side: no reader scrolls in two directions."""
        wide: list[str] = await self.page.evaluate(
            """() => [document.documentElement, document.querySelector("[aria-label=Messages]")]
                .filter(element => element && element.scrollWidth > element.clientWidth)
                .map(element => `${element.tagName} ${element.scrollWidth} > ${element.clientWidth}`)"""
        )
        assert not wide, wide

    async def picture(self, name: str) -> Path:
        """What the window shows now, in the folder of this visit."""
        self._pictures += 1
        path = self._folder / f"{self._pictures:02}-{name}.png"
        await self.page.screenshot(path=path)
        return path

    # -- inside

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        """What the page breaks off itself (a stream, when another person is chosen) is no trouble."""
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"failed: {request.method} {request.url.partition('?')[0]}: {request.failure}")


@asynccontextmanager
async def open_visitor(browser: Browser, size: ViewportSize, folder: Path, **options: Any) -> AsyncIterator[Visitor]:
    """A person with a browser of their own. AssertionError at the end if the page did something wrong.

    `folder`: for pictures. `options`: of the browser context.
    """
    context = await browser.new_context(viewport=size, **options)
    try:
        page = await context.new_page()
        visitor = Visitor(page, folder)

        async def refuse(route: Route) -> None:
            visitor.troubles.append(f"asks elsewhere: {route.request.url}")
            await route.abort()

        await context.route(ELSEWHERE, refuse)
        yield visitor
        if not page.is_closed():
            await visitor.picture("at-the-end")
        assert not visitor.troubles, visitor.troubles
    finally:
        await context.close()
