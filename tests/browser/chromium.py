"""Debian's Chromium, never one that a library downloads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Browser

PATH = Path("/usr/bin/chromium")
MISSING = f"no browser at {PATH}"
HOW_TO_GET_IT = "apt-get install chromium"

ARGUMENTS = (
    "--no-sandbox",  # root in a container has no other way
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # Whatever asks for a name gets none: this machine is the whole world.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


def is_there() -> bool:
    return PATH.exists()


@asynccontextmanager
async def open_chromium() -> AsyncIterator["Browser"]:
    from playwright.async_api import async_playwright  # for those alone who have a browser

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=PATH, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
