"""Saved channels through the chat: adding, running, pausing, deleting."""

import hashlib
import re

import pytest

from sandbox import walks
from tests.play import Play


@pytest.fixture
async def signed_in(play: Play) -> Play:
    await play.sign_in()
    return play


def on_disk(play: Play) -> list[str]:
    root = play.settings.download_dir
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in root.rglob("*") if path.is_file())


async def test_without_an_account_it_offers_to_add_one(play: Play) -> None:
    """Adding needs an account: the screen says so and has the button."""
    await play.admin.send("/sources")
    await play.admin.wait_for("None yet")
    await play.admin.press("Save another channel")
    await play.admin.wait_for("needs an account")
    assert "Add account" in await play.admin.buttons()


async def test_save_a_private_channel(signed_in: Play) -> None:
    """All its documents come home, byte-equal; a second run fetches nothing."""
    await walks.add_source(signed_in.admin, signed_in.private.title)
    await walks.scrape(signed_in.admin)
    documents = [d for d in await signed_in.driver.documents() if d["channel"] == signed_in.private.peer]
    assert documents
    assert on_disk(signed_in) == sorted(document["sha256"] for document in documents)
    await signed_in.driver.reset_calls()
    await signed_in.admin.send("/scrape")
    await signed_in.admin.wait_for(r"✅ .*done")
    assert await signed_in.driver.call_count("upload.getFile") == 0


async def test_only_wanted_files_come(signed_in: Play) -> None:
    """With .pdf chosen, every message is kept and only PDFs are fetched."""
    await walks.begin_source(signed_in.admin)
    await signed_in.admin.press(walks.beginning(signed_in.private.title))
    await signed_in.admin.wait_for("Which files")
    await signed_in.admin.press("☐ PDF")
    await signed_in.admin.wait_for("Now: PDF")
    await signed_in.admin.press("Done")
    await signed_in.admin.wait_for("Files go to")
    await signed_in.admin.send("../../etc")
    await signed_in.admin.wait_for("must stay inside")
    await signed_in.admin.press("‹ Back")
    await signed_in.admin.wait_for("Files go to")
    await signed_in.admin.send("papers/new")
    await signed_in.admin.wait_for("How often")
    await signed_in.admin.press("Only when I ask")
    await signed_in.admin.wait_for("Porter will call it")
    await signed_in.admin.send("Papers")
    await signed_in.admin.wait_for("Papers")
    await signed_in.admin.press("Save this channel")
    await signed_in.admin.wait_for("last saved never")
    await walks.scrape(signed_in.admin)
    names = [path.name for path in (signed_in.settings.download_dir / "papers/new").iterdir()]
    wanted = [d for d in await signed_in.driver.documents() if d["channel"] == signed_in.private.peer]
    assert len(names) == len([d for d in wanted if d["name"].endswith(".pdf")]) > 0
    assert all(name.endswith(".pdf") for name in names)


async def test_a_public_channel_by_its_link(signed_in: Play) -> None:
    """A t.me link instead of the list; part of a title searches; nonsense is explained."""
    await walks.begin_source(signed_in.admin)
    await signed_in.admin.send(signed_in.private.title.split()[-1].lower())
    await signed_in.admin.wait_for("1 with")
    await signed_in.admin.send("https://t.me/+AbCdEf0123456789")
    await signed_in.admin.wait_for("expired, revoked or misspelt")
    assert "AbCdEf" not in str([message["text"] for message in await signed_in.admin.messages()])
    await signed_in.admin.send("@nobody_has_this_name")
    await signed_in.admin.wait_for("no such channel")
    await signed_in.admin.send(f"https://t.me/{signed_in.public.username}")
    await signed_in.admin.wait_for("Which files")


async def test_own_schedules_are_checked_and_shown_with_the_next_runs(signed_in: Play) -> None:
    """No cron line, one that never comes true, then a good one: shown in words with its next three times."""
    await walks.begin_source(signed_in.admin)
    await signed_in.admin.press(walks.beginning(signed_in.private.title))
    await signed_in.admin.wait_for("Which files")
    await signed_in.admin.press("Done")
    await signed_in.admin.wait_for("Files go to")
    await signed_in.admin.press("Use this folder")
    await signed_in.admin.wait_for("How often")
    await signed_in.admin.press("Own schedule (cron)")
    await signed_in.admin.wait_for("Send a cron line")
    await signed_in.admin.send("every day")
    await signed_in.admin.wait_for("no cron line")
    await signed_in.admin.send("0 0 31 2 *")
    await signed_in.admin.wait_for("never comes true")
    await signed_in.admin.send("30 7 * * mon-fri")
    await signed_in.admin.wait_for("Porter will call it")
    await signed_in.admin.press("Use this name")
    screen = await signed_in.admin.wait_for("next:")
    assert len(re.findall(r"\d\d:\d\d", screen["text"].partition("next:")[2])) == 3
    await signed_in.admin.press("Save this channel")
    await signed_in.admin.wait_for("07:30")
    await signed_in.admin.press("Pause schedule")
    await signed_in.admin.wait_for("schedule paused")
    await signed_in.admin.press("Resume schedule")
    await signed_in.admin.wait_for("next ")


async def test_a_name_that_is_taken(signed_in: Play) -> None:
    """Two saved channels cannot have one name: said so, nothing is lost, another name goes through."""
    await walks.add_source(signed_in.admin, signed_in.private.title)
    await signed_in.admin.press("‹ Back")
    await signed_in.admin.wait_for("Saved channels · 1")
    await signed_in.admin.press("Save another channel")
    await signed_in.admin.wait_for("Tap one")
    await signed_in.admin.press(walks.beginning(signed_in.public.title))
    await signed_in.admin.wait_for("Which files")
    await signed_in.admin.press("Done")
    await signed_in.admin.wait_for("Files go to")
    await signed_in.admin.press("Use this folder")
    await signed_in.admin.wait_for("How often")
    await signed_in.admin.press("Only when I ask")
    await signed_in.admin.wait_for("Porter will call it")
    await signed_in.admin.send(signed_in.private.title)
    await signed_in.admin.wait_for("The first time everything")
    answer = await signed_in.admin.press("Save this channel")
    assert "name is taken" in answer["answer"]
    await signed_in.admin.send("Another one")
    await signed_in.admin.wait_for("The first time everything")
    await signed_in.admin.press("Save this channel")
    await signed_in.admin.wait_for("last saved never")


async def test_pause_and_stop_a_run(signed_in: Play) -> None:
    """A paused run keeps what is done and goes on; a stopped one keeps what is done too."""
    await walks.add_source(signed_in.admin, signed_in.private.title)
    await signed_in.driver.fault("upload.getFile", delay_ms=700, times=50)
    await signed_in.admin.press("▶ Save now")
    await signed_in.admin.wait_for("Saving")
    await signed_in.admin.press("Pause")
    await signed_in.admin.wait_for("paused by you")
    await signed_in.driver.no_faults()
    await signed_in.admin.press("Go on")
    await signed_in.admin.wait_for(r"✅ .*done", 30)

    await signed_in.driver.post(signed_in.private.peer, "late", file={"name": "late.bin", "size": 300_000})
    await signed_in.driver.fault("upload.getFile", delay_ms=5000, times=50)
    await signed_in.admin.send("/scrape")
    await signed_in.admin.wait_for("Saving")
    await signed_in.admin.press("Stop here")
    await signed_in.admin.wait_for("stopped by you")
    await signed_in.driver.no_faults()
    await signed_in.admin.send("/scrape")
    await signed_in.admin.wait_for(r"✅ .*done", 30)
    assert len(on_disk(signed_in)) == len(
        [d for d in await signed_in.driver.documents() if d["channel"] == signed_in.private.peer]
    )


async def test_tell_me_when_done(signed_in: Play) -> None:
    """The admin goes elsewhere and gets a message of its own at the end; the screen they are on stays."""
    await walks.add_source(signed_in.admin, signed_in.private.title)
    await signed_in.driver.fault("upload.getFile", delay_ms=800, times=4)
    await signed_in.admin.press("▶ Save now")
    await signed_in.admin.wait_for("Saving")
    await signed_in.admin.press("Tell me when done")
    await signed_in.admin.press("🏠 Home")
    home = await signed_in.admin.wait_for("Porter")
    told = await signed_in.admin.wait_for(r"✅ .*done", 30)
    assert told["id"] > home["id"]
    assert "Porter" in next(m for m in await signed_in.admin.bot_messages() if m["id"] == home["id"])["text"]


async def test_files_that_failed_are_fetched_again(signed_in: Play) -> None:
    """One bad file stops nothing: the card counts it, and one tap wants it again."""
    await walks.add_source(signed_in.admin, signed_in.private.title)
    await signed_in.driver.fault("upload.getFile", error="LOCATION_INVALID", times=1)
    screen = await walks.scrape(signed_in.admin)
    assert "1 file could not be fetched" in screen["text"]
    wanted = [d for d in await signed_in.driver.documents() if d["channel"] == signed_in.private.peer]
    assert len(on_disk(signed_in)) == len(wanted) - 1
    await signed_in.admin.send("/sources")
    await signed_in.admin.wait_for("Saved channels · 1")
    await signed_in.admin.press(walks.beginning(signed_in.private.title))
    await signed_in.admin.wait_for("1 file could not be fetched")
    await signed_in.admin.press("↻ Fetch 1 failed file")
    await signed_in.admin.wait_for(r"✅ .*done")
    assert on_disk(signed_in) == sorted(document["sha256"] for document in wanted)


async def test_delete_keeps_the_files(signed_in: Play) -> None:
    """Deletion asks with counts; files stay on disk."""
    await walks.add_source(signed_in.admin, signed_in.private.title)
    await walks.scrape(signed_in.admin)
    files = on_disk(signed_in)
    await signed_in.admin.send("/sources")
    await signed_in.admin.wait_for("Saved channels · 1")
    await signed_in.admin.press(walks.beginning(signed_in.private.title))
    await signed_in.admin.wait_for("last saved")
    await signed_in.admin.press("Delete")
    screen = await signed_in.admin.wait_for("Delete «")
    assert f"{len(files)} files on disk stay" in screen["text"]
    await signed_in.admin.press("Delete with its messages")
    await signed_in.admin.wait_for("is deleted")
    assert on_disk(signed_in) == files


async def test_a_channel_that_is_lost_says_why(signed_in: Play) -> None:
    """Removed from the channel: the run stops and its card says what happened, in words."""
    await walks.add_source(signed_in.admin, signed_in.private.title)
    signed_in.private.members.pop(signed_in.sandbox.admin_id)
    signed_in.private.banned.add(signed_in.sandbox.admin_id)
    await signed_in.admin.press("▶ Save now")
    await signed_in.admin.wait_for("cannot see this channel any more", 30)


async def test_a_flood_wait_shows_a_clock_time_and_goes_on(signed_in: Play) -> None:
    """A long wait moves the run to waiting, shown as a time of day; nothing is fetched meanwhile."""
    await walks.add_source(signed_in.admin, signed_in.private.title)
    await signed_in.driver.fault("messages.getHistory", error="FLOOD_WAIT_7200")
    await signed_in.admin.press("▶ Save now")
    screen = await signed_in.admin.wait_for(r"pauses this account until", 30)
    assert "7200" not in screen["text"]
    assert not on_disk(signed_in)
    await signed_in.admin.press("Stop here")
    await signed_in.admin.wait_for("stopped by you")
