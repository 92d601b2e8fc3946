"""One browser for all, a window of their own for each test, and Porter on a sandbox where it is needed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.browser import chromium
from tests.browser.page import PHONE, WIDE, Visitor, open_visitor

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.skipif(not chromium.is_there(), reason=chromium.MISSING))


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with chromium.open_chromium() as opened:
        yield opened


@pytest.fixture
async def visitor(browser: Browser, tmp_path: Path) -> AsyncIterator[Visitor]:
    """Somebody at a desk."""
    async with open_visitor(browser, WIDE, tmp_path / "pictures") as opened:
        yield opened


@pytest.fixture
async def phone(browser: Browser, tmp_path: Path) -> AsyncIterator[Visitor]:
    """Somebody with a phone in the hand."""
    async with open_visitor(browser, PHONE, tmp_path / "pictures", has_touch=True) as opened:
        yield opened
