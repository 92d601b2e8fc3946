"""Every test of the chat plays on a sandbox of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.play import Play, open_play
from tests.services.conftest import small_disk

__all__ = ["small_disk"]


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    async with open_play(tmp_path) as opened:
        yield opened
