"""Live mode and silence through the chat, on a whole Porter."""

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from sandbox import walks
from sandbox.world import Message
from services.habits import POSTS
from tests.play import Play, open_play

DAY = 86_400


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Play]:
    """With one saved channel, at its end; its card is open."""
    async with open_play(tmp_path) as play:
        await play.sign_in()
        await walks.add_source(play.admin, play.private.title)
        await walks.scrape(play.admin)
        await open_card(play)
        yield play


async def open_card(play: Play) -> None:
    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels · 1")
    await play.admin.press(walks.beginning(play.private.title))
    await play.admin.wait_for("last saved")


def on_disk(play: Play) -> set[str]:
    root = play.settings.download_dir
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file()}


async def turn_on(play: Play) -> None:
    await play.admin.press("Change …")
    await play.admin.wait_for("what shall change")
    await play.driver.reset_calls()
    await play.admin.press("☐ New posts at once")
    await play.admin.wait_for("live: new posts come at once")
    await comes_true(lambda: play.sandbox.faults.counts[play.account["id"]]["messages.getPeerDialogs"] > 0)
    await asyncio.sleep(0.1)


async def comes_true(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.02)


async def test_on_and_off(kept: Play) -> None:
    """Two taps; a post is on disk within two seconds and home stays quiet; off again, nothing comes by itself."""
    await turn_on(kept)
    world = kept.sandbox.world
    content = b"breaking news"
    began = time.monotonic()
    world.post(
        kept.private, kept.private.peer, text="!", document=world.new_document("n.pdf", "application/pdf", content)
    )
    wanted = hashlib.sha256(content).hexdigest()
    await comes_true(lambda: wanted in on_disk(kept))
    assert time.monotonic() - began < 2
    await kept.admin.send("/start")
    home = await kept.admin.wait_for("Porter")
    assert "Busy" not in home["text"]
    await open_card(kept)
    await kept.admin.press("Change …")
    await kept.admin.press("☑ New posts at once")
    shown = await kept.admin.wait_for("saved only when you ask")
    assert "live" not in shown["text"]


async def test_a_restart_fills_the_gap_and_listens_again(kept: Play) -> None:
    """What was posted while Porter was off comes at its start; an edit afterwards is stored."""
    await turn_on(kept)
    await kept.close()
    world = kept.sandbox.world
    content = b"posted while off"
    document = world.new_document("off.pdf", "application/pdf", content)
    message: Message = world.post(kept.private, kept.private.peer, text="typo", document=document)
    await kept.open()
    await comes_true(lambda: hashlib.sha256(content).hexdigest() in on_disk(kept))
    world.edit(message, text="corrected")
    await comes_true(lambda: "corrected" in texts(kept), 3)


async def write(play: Play, statement: str) -> None:
    """Behind Porter's back; in a thread, for Porter may be writing itself."""

    def execute() -> None:
        with closing(sqlite3.connect(play.settings.data_dir / "porter.db")) as connection, connection:
            connection.execute(statement)

    await asyncio.to_thread(execute)


def texts(play: Play) -> list[str]:
    with closing(sqlite3.connect(play.settings.data_dir / "porter.db")) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM messages")]


async def test_a_stranger_is_told_that_it_takes_the_schedule(kept: Play) -> None:
    """The account has left the channel's list: no updates come, and the card says so."""
    await turn_on(kept)
    await write(kept, f"DELETE FROM session_channels WHERE channel_id = {kept.private.peer}")
    await open_card(kept)
    shown = await kept.admin.screen()
    assert "new posts come with the schedule: the account is not a member" in shown["text"]


async def test_silence_stands_at_home(kept: Play) -> None:
    """One line and one button, which opens the card; a new post ends it."""
    world, channel = kept.sandbox.world, kept.private
    now = world.now()
    for number in range(POSTS):
        daily = world.post(channel, channel.peer, text=f"daily {number}")
        daily.date, daily.version = now - (POSTS + 9 - number) * DAY, 1
    await kept.admin.press("▶ Save now")
    await kept.admin.wait_for(r"✅ .*done")
    await kept.admin.send("/start")
    assert "silent" not in (await kept.admin.wait_for("Porter"))["text"], "it was so when it was saved"
    await write(kept, "UPDATE sources SET created_at = 0")
    await kept.admin.send("/start")
    home = await kept.admin.wait_for("is silent since")
    assert "against its habit" in home["text"]
    await kept.admin.press(walks.beginning(f"🔇 {channel.title}"))
    await kept.admin.wait_for("last saved")
    world.post(channel, channel.peer, text="back again")
    await kept.admin.press("▶ Save now")
    await kept.admin.wait_for(r"✅ .*done")
    await kept.admin.send("/start")
    assert "silent" not in (await kept.admin.wait_for("Porter"))["text"]


async def test_a_supergroup_is_told_once(kept: Play) -> None:
    """A small group is saved like a channel; when it has moved, the next save follows it and says so, once."""
    group = await kept.driver.found_group("Club")
    await kept.driver.post(group["id"], "hello", file={"name": "rules.pdf", "size": 3000})
    await kept.house.channels.listing(1, refresh=True)
    await walks.add_source(kept.admin, "Club")
    await walks.scrape(kept.admin)
    grown = await kept.driver.migrate(group["id"])
    await kept.driver.post(grown["id"], "hello again", file={"name": "new rules.pdf", "size": 4000})
    for _ in range(2):
        await kept.admin.send("/scrape")
        await kept.admin.wait_for("Save which one now")
        await kept.admin.press(walks.beginning("Club"))
        await kept.admin.wait_for(r"✅ .*done")
    told = [each["text"] for each in await kept.admin.bot_messages() if "became a supergroup" in (each["text"] or "")]
    assert told == ["«Club» became a supergroup. Porter follows it; what is saved stays."]
    documents = [each for each in await kept.driver.documents() if each["channel"] in (group["id"], grown["id"])]
    assert len(documents) == 2
    assert {each["sha256"] for each in documents} <= on_disk(kept)
