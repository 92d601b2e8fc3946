"""Every test of the chat plays on a sandbox of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.play import Play, open_play
from tests.services.conftest import small_disk

__all__ = ["small_disk"]


@pytest.fixture
async def play(tmp_path: Path) -> AsyncIterator[Play]:
    async with open_play(tmp_path) as opened:
        yield opened


@pytest.fixture
async def ready(play: Play) -> Play:
    """A Porter with API credentials configured, so that a login begins with the number."""
    await play.close()
    credentials = {"api_id": play.account["api_id"], "api_hash": SecretStr(play.account["api_hash"])}
    play.settings = play.settings.model_copy(update=credentials)
    await play.open()
    return play
