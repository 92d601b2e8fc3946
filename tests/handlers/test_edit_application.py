"""An application of a saved channel's own, through the chat."""

import re

import pytest

from sandbox import walks
from sandbox.scenarios import SECOND
from tests.handlers.test_edit_source import open_card
from tests.handlers.test_session_card import chat_of
from tests.handlers.test_sessions import signed_in
from tests.play import Play

__all__ = ["signed_in"]


async def open_question(play: Play) -> str:
    await open_card(play)
    await play.admin.press("Change …")
    await play.admin.wait_for("what shall change")
    await play.admin.press(re.compile("^Application"))
    text: str = (await play.admin.wait_for("Which application shall"))["text"]
    return text


async def test_an_own_application(signed_in: Play, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong pair changes nothing, the right one stands on the card and is named when it is saved, one tap removes it.

    The hash stands neither in the chat nor in the log.
    """
    play = signed_in
    own, other = play.account, next(a for a in play.sandbox.line()["accounts"] if a["id"] == SECOND)
    await walks.add_source(play.admin, play.private.title)
    assert f"the account's own, API id {own['api_id']}" in await open_question(play)
    await play.admin.send("twelve")
    await play.admin.wait_for("no API id")
    await play.admin.send(str(other["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send("nonsense")
    await play.admin.wait_for("no API hash")
    await play.admin.send("0" * 32)
    await play.admin.wait_for("Nothing was changed")
    await play.restart()
    await play.admin.send(str(other["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(other["api_hash"])
    await play.admin.wait_for(f"own application {other['api_id']}")
    play.sandbox.faults.reset()
    await walks.scrape(play.admin)
    applications = play.sandbox.faults.applications
    assert applications[other["api_id"]]["messages.getHistory"]
    assert applications[other["api_id"]]["upload.getFile"]
    assert not applications[own["api_id"]]["upload.getFile"]
    assert f"it names API id {other['api_id']}; the account «Anna» has {own['api_id']}" in await open_question(play)
    await play.admin.press("Use the account's")
    card = await play.admin.wait_for("last saved")
    assert "own application" not in card["text"]
    play.sandbox.faults.reset()
    await walks.scrape(play.admin)
    assert applications[own["api_id"]]["messages.getHistory"]
    assert not applications[other["api_id"]]["messages.getHistory"]
    for secret in (other["api_hash"], "0" * 32):
        assert secret not in await chat_of(play)
        assert secret not in caplog.text


async def test_the_way_back(signed_in: Play) -> None:
    """Back leads to the changes, and what is typed then is no API id."""
    play = signed_in
    await walks.add_source(play.admin, play.private.title)
    await open_question(play)
    await play.admin.press("‹ Back")
    await play.admin.wait_for("what shall change")
    await play.admin.send("4711")
    await play.admin.wait_for("does not know what to do with that")
