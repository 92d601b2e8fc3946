"""/forget in the chat: told, asked once, gone - and still waiting at Telegram."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sandbox.scenarios import THIRD
from tests.play import Play


def files_with(folder: Path, needle: str) -> list[str]:
    return [file.name for file in folder.iterdir() if needle.encode() in file.read_bytes()]


async def test_a_waiting_person_is_forgotten(play: Play) -> None:
    """Two taps' worth: the command and one yes. The bytes are gone while Porter runs; the channel still has them."""
    account = play.sandbox.world.accounts[THIRD]
    account.first_name = "Zebulon Quarrington"
    await play.driver.ask_to_join(play.gate.peer, account=THIRD)
    data = play.settings.data_dir
    screen = await asked(play)
    assert "Forget «Zebulon Quarrington" in screen["text"]
    assert "1 request to join, 1 of them waiting" in screen["text"]
    assert files_with(data, "Zebulon")
    await play.admin.press("Yes, forget")
    screen = await play.admin.wait_for("is forgotten")
    assert "still waits at the channel" in screen["text"]
    assert not files_with(data, "Zebulon")
    assert THIRD in (await play.driver.requests(play.gate.peer))["pending"]
    await play.admin.send(f"/forget {THIRD}")
    await play.admin.wait_for(f"Porter knows nothing of {THIRD}")


async def test_the_yes_is_for_once(play: Play) -> None:
    """The old button does nothing the second time, whoever asks again."""
    await play.driver.ask_to_join(play.gate.peer, account=THIRD)
    screen = await asked(play)
    data = screen["buttons"][0][0]["data"]
    await play.admin.press("Yes, forget")
    screen = await play.admin.wait_for("is forgotten")
    answer = await play.admin.press_forged(screen["id"], data)
    assert "too old" in answer["answer"]


async def asked(play: Play) -> dict[str, Any]:
    """The question, once the request has arrived."""
    while True:
        await play.admin.send(f"/forget {THIRD}")
        screen = await play.admin.wait_for(r"Forget «|knows nothing")
        if "Forget" in screen["text"]:
            return screen


async def test_what_is_no_person_is_explained(play: Play) -> None:
    """Nothing typed, a channel's id, words: how it is done."""
    for typed in ("/forget", "/forget -1002100000001", "/forget Anna", "/forget 12345678901234567890"):
        await play.admin.send(typed)
        await play.admin.wait_for("Send the command with the person's id")


def deny(database: Path, days_ago: int) -> None:
    denied = "update join_requests set status = 'DENIED', decided_at = (unixepoch() - 86400 * ?) * 1000"
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(denied, (days_ago,))


async def test_who_was_denied_long_ago_is_swept(play: Play) -> None:
    """Porter's own sweep, as it is put together: the row goes after the days of the settings, not before."""
    await play.driver.ask_to_join(play.gate.peer, account=THIRD)
    await asked(play)
    for days, gone in ((89, 0), (91, 1)):
        # In a thread: Porter's own write may be open, and needs this event loop to end.
        await asyncio.to_thread(deny, play.settings.data_dir / "porter.db", days)
        swept = await play.house.retention.sweep()
        assert swept["people"] == gone
    assert set(swept) >= {"people", "runs", "conversations", "logins", "questions"}
    await play.admin.send(f"/forget {THIRD}")
    await play.admin.wait_for("Porter knows nothing")
