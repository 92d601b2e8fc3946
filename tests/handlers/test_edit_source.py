"""Changing a saved channel, checking its files, and disks that fill up; through the chat."""

# ruff: noqa: ASYNC240 - a test may look at its own small disk

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox import walks
from tests.play import Play, open_play


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    root = tmp_path / "nas"
    root.mkdir()
    return root


@pytest.fixture
async def play(tmp_path: Path, nas: Path) -> AsyncIterator[Play]:
    async with open_play(tmp_path, nas_roots=f"nas={nas}", reserve_mb=0) as play:
        await play.sign_in()
        yield play


def home_of(play: Play) -> list[str]:
    root = play.settings.download_dir
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def item(label: str) -> re.Pattern[str]:
    """In the menu each property has its value behind it."""
    return re.compile(f"^{label}: ")


async def open_card(play: Play) -> None:
    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels · 1")
    await play.admin.press(walks.beginning(play.private.title))
    await play.admin.wait_for("last saved")


async def documents(play: Play) -> int:
    return sum(document["channel"] == play.private.peer for document in await play.driver.documents())


async def test_add_a_channel_on_a_nas(play: Play, nas: Path) -> None:
    """The root is asked about before anything is put there; the files come to it."""
    (nas / "photos of the family").mkdir()
    await walks.begin_source(play.admin)
    await play.admin.press(walks.beginning(play.private.title))
    await play.admin.wait_for("Which files")
    await play.admin.press("Done")
    await play.admin.wait_for("Files go to Local/")
    await play.admin.press("nas")
    asked = await play.admin.wait_for("Use it")
    assert "holds 1 thing" in asked["text"]
    assert "no disk of its own" in asked["text"]
    assert not (nas / ".porter-root").exists()
    await play.admin.press("Yes, use it")
    await play.admin.wait_for("Files go to nas/")
    await play.admin.send("papers")
    await play.admin.wait_for("How often")
    await play.admin.press("Only when I ask")
    await play.admin.wait_for("Porter will call it")
    await play.admin.press("Use this name")
    await play.admin.wait_for("to nas/papers")
    await play.admin.press("Save this channel")
    await play.admin.wait_for("to nas/papers")
    await walks.scrape(play.admin)
    assert len(list((nas / "papers").iterdir())) == await documents(play)
    assert home_of(play) == []


async def test_another_folder_from_now_on(play: Play, nas: Path) -> None:
    """Asked with what stays where it is; refused names are explained; a new post goes to the new place."""
    await walks.add_source(play.admin, play.private.title)
    await walks.scrape(play.admin)
    before = home_of(play)
    await open_card(play)
    await play.admin.press("Change …")
    await play.admin.wait_for("what shall change")
    await play.admin.press(item("Folder"))
    await play.admin.wait_for("Where shall files")
    await play.admin.press("nas")
    await play.admin.wait_for("is empty")
    await play.admin.press("Yes, use it")
    await play.admin.wait_for("Chosen: nas/")
    await play.admin.send("../../etc")
    await play.admin.wait_for("must stay inside")
    await play.admin.send("fresh/ones")
    asked = await play.admin.wait_for("Do it")
    assert f"The {len(before)} files saved so far stay where they are" in asked["text"]
    await play.admin.press("Yes, from now on")
    await play.admin.wait_for("to nas/fresh/ones")
    await play.driver.post(play.private.peer, "late", file={"name": "late.bin", "size": 3000})
    await walks.scrape(play.admin)
    assert home_of(play) == before
    assert [path.name.split(" ")[1] for path in (nas / "fresh/ones").iterdir()] == ["late.bin"]


async def test_a_folder_cannot_change_under_a_run(play: Play) -> None:
    """The card of the run comes instead, with its Stop."""
    await walks.add_source(play.admin, play.private.title)
    await play.driver.fault("upload.getFile", delay_ms=5000, times=50)
    await play.admin.press("▶ Save now")
    await play.admin.wait_for("Saving")
    await open_card(play)
    await play.admin.press("Change …")
    await play.admin.wait_for("what shall change")
    await play.admin.press(item("Folder"))
    await play.admin.wait_for("Where shall files")
    await play.admin.send("elsewhere")
    await play.admin.wait_for("Do it")
    await play.admin.press("Yes, from now on")
    await play.admin.wait_for("Saving")
    assert "Stop here" in await play.admin.buttons()
    await play.admin.press("Stop here")
    await play.admin.wait_for("stopped by you")


async def test_names_from_a_template(play: Play) -> None:
    """Nonsense is explained, a template shows what files would be called, and files get those names."""
    await walks.add_source(play.admin, play.private.title)
    await play.admin.press("Change …")
    await play.admin.wait_for("what shall change")
    await play.admin.press(item("File names"))
    await play.admin.wait_for("Send a template")
    await play.admin.send("{name.__class__}")
    await play.admin.wait_for("knows no field “name.__class__”")
    await play.admin.send("{date:%Q}/{name}")
    await play.admin.wait_for("no form of a date")
    await play.admin.send("{id} {name}/x")
    await play.admin.wait_for("the same name")
    await play.admin.send("{date:%Y-%m}/{id} {name}")
    shown = await play.admin.wait_for("files are called")
    assert "/812 minutes.pdf" in shown["text"]
    await play.restart()
    await play.admin.press("Use these names")
    await play.admin.wait_for("named {date:%Y-%m}/{id} {name}")
    await walks.scrape(play.admin)
    assert len(home_of(play)) == await documents(play)
    assert all(len(path.split("/")) == 3 for path in home_of(play))
    await open_card(play)
    await play.admin.press("Change …")
    await play.admin.wait_for("what shall change")
    await play.admin.press(item("File names"))
    await play.admin.wait_for("Send a template")
    await play.admin.send("{name}")
    shown = await play.admin.wait_for("files are called")
    assert "minutes.pdf" not in shown["text"]
    await play.admin.press("‹ Back")
    await play.admin.wait_for("Send a template")
    await play.admin.press("Porter's own names")
    assert "named" not in (await play.admin.wait_for("last saved"))["text"]


async def test_duplicates_are_left_out(play: Play) -> None:
    """Said by one tap; the second saved channel stores nothing twice and its card says so."""
    await walks.add_source(play.admin, play.private.title)
    await walks.scrape(play.admin)
    before = home_of(play)
    await walks.begin_source(play.admin)
    await play.admin.press(walks.beginning(play.private.title))
    await play.admin.wait_for("Which files")
    await play.admin.press("Done")
    await play.admin.wait_for("Files go to")
    await play.admin.send("second")
    await play.admin.wait_for("How often")
    await play.admin.press("Only when I ask")
    await play.admin.wait_for("Porter will call it")
    await play.admin.send("Second")
    await play.admin.wait_for("Second")
    await play.admin.press("Save this channel")
    await play.admin.wait_for("last saved never")
    await play.admin.press("Change …")
    await play.admin.wait_for("what shall change")
    await play.admin.press(item("Duplicates"))
    await play.admin.wait_for("hard links")
    await play.admin.press("Leave them out")
    await play.admin.wait_for("duplicates are left out")
    screen = await walks.scrape(play.admin)
    assert f"{len(before)} files left out: here already" in screen["text"]
    assert home_of(play) == before


async def test_check_and_fetch_again(play: Play) -> None:
    """What is damaged and what is missing is counted, and one tap brings it back."""
    await walks.add_source(play.admin, play.private.title)
    await walks.scrape(play.admin)
    files = home_of(play)
    await open_card(play)
    await play.admin.press("Check files")
    await play.admin.wait_for(f"{len(files)} files checked: all as they were saved")
    root = play.settings.download_dir
    (root / files[0]).write_bytes(b"rotten")
    (root / files[1]).unlink()
    await play.admin.press("📥 This saved channel")
    await play.admin.wait_for("last saved")
    await play.admin.press("Check files")
    await play.admin.wait_for("1 damaged, 1 missing")
    await play.admin.press("Fetch again")
    await play.admin.wait_for(r"✅ .*done")
    assert home_of(play) == sorted([*files, f"{files[0]}.damaged"])
    assert (root / files[0]).read_bytes() != b"rotten"


async def full(play: Play) -> list[object]:
    return [message for message in await play.admin.bot_messages() if "The disk is full" in message["text"]]


async def test_a_full_disk_is_told_once(tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, with what is safe, as a message of its own; with room again it goes on without a tap."""
    monkeypatch.setattr("services.runs.READY_SECONDS", 0.1)
    async with open_play(tmp_path, download_dir=small_disk / "files", reserve_mb=0) as play:
        await play.sign_in()
        await walks.add_source(play.admin, play.private.title)
        filler = small_disk / "filler"
        free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        filler.write_bytes(bytes(free - 1_500_000))
        await play.admin.press("▶ Save now")
        await play.admin.wait_for("that is not enough")
        await play.admin.press("Start")
        waiting = r"The disk is full: \d+ of \d+ files are safe; it goes on by itself when there is room"
        await play.admin.wait_for(waiting)
        async with asyncio.timeout(10):
            while len(await full(play)) < 2:  # noqa: ASYNC110 - the card, and the message
                await asyncio.sleep(0.05)
        await play.admin.send("/start")
        await play.admin.wait_for("Waits for room on the disk")
        await play.admin.send("/sources")
        await play.admin.wait_for("Saved channels · 1")
        assert len(await full(play)) == 1
        filler.unlink()
        await play.admin.send("/sources")
        await play.admin.press(walks.beginning(play.private.title))
        await play.admin.wait_for("last saved")
        async with asyncio.timeout(20):
            while len(list(small_disk.rglob("files/*/*[!t]"))) < await documents(play):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert len(await full(play)) == 1
