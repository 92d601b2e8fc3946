"""/runs through the chat: what works, waits and went, why, and the files that could not be fetched."""

import re
from pathlib import Path

import pytest

from sandbox import walks
from storage.models import RunKind, RunStatus
from tests.handlers.people_kit import with_approver
from tests.play import Play


@pytest.fixture
async def saved(play: Play) -> Play:
    """The admin's account with one saved channel."""
    await play.sign_in()
    await walks.add_source(play.admin, play.private.title)
    return play


async def put_run(
    play: Play,
    title: str,
    status: RunStatus,
    subject_id: int,
    kind: RunKind = RunKind.SCRAPE,
    reason: str | None = None,
) -> int:
    """A run as it stands in the books."""
    rows = play.house.run_list._runs
    run = await rows.add(kind, subject_id, title, 0, None, {})
    await rows.set_status(run.id, status, reason=reason)
    return run.id


async def test_what_failed_is_listed_with_its_cause(saved: Play) -> None:
    """From the card of the run to the files and why; one by one or all they are tried again."""
    documents = [d for d in await saved.driver.documents() if d["channel"] == saved.private.peer]
    await saved.driver.fault("upload.getFile", error="LOCATION_INVALID", times=4)
    card = await walks.scrape(saved.admin)
    lost = next(iter(await saved.house.sources.all())).tally.failed
    assert lost > 1
    assert f"{lost} files could not be fetched" in card["text"]
    assert f"{lost} files: deleted at Telegram" in card["text"], "the cause, in words"
    assert "asked for in the chat" in card["text"]
    await saved.admin.press("⚠️ Which files, and why")
    shown = await saved.admin.wait_for("Files that could not be fetched")
    assert len(re.findall(r"• .*post \d+: deleted at Telegram", shown["text"])) == lost
    assert not re.search("FileGone|LOCATION", shown["text"])
    await saved.admin.press(re.compile("^↻ (?!Fetch)"))
    await saved.admin.wait_for(r"✅ .*done")
    assert [card.tally.failed for card in await saved.house.sources.all()] == [lost - 1]
    await saved.admin.press("📥 This saved channel")
    await saved.admin.wait_for("could not be fetched")
    await saved.admin.press("⚠️ Which files, and why")
    await saved.admin.wait_for("Files that could not be fetched")
    await saved.admin.press(re.compile("^↻ Fetch [0-9]+ failed file"))
    await saved.admin.wait_for(r"✅ .*done")
    [card] = await saved.house.sources.all()
    assert (card.tally.failed, card.tally.done) == (0, len(documents))


async def test_active_first_then_the_past(saved: Play) -> None:
    """Each with its mark and reason; the filter, the search and the pages narrow and turn; a tap opens the card."""
    for number in range(9):
        await put_run(saved, f"Past {number}", RunStatus.DONE, 100 + number)
    await put_run(saved, "Lost one", RunStatus.FAILED, 300, reason="ChannelUnavailable")
    await put_run(saved, "Rests", RunStatus.PAUSED, 400)
    await saved.admin.send("/start")
    await saved.admin.wait_for("1 piece of work stopped before the end")
    await saved.admin.press("🛠 All work · 1 under way")
    shown = await saved.admin.wait_for("Work · 1 under way")
    lines = shown["text"].splitlines()[1:]
    assert lines[0] == "⏸ Saving «Rests»: paused by you"
    assert re.match(r"⚠️ Saving «Lost one»: stopped \S+ because the account cannot see this channel any more", lines[1])
    assert [line.partition(":")[0] for line in lines[2:]] == [f"✅ Saving «Past {n}»" for n in (8, 7, 6, 5, 4, 3)]
    await saved.admin.press("›")
    await saved.admin.wait_for("«Past 2».*\n.*«Past 1».*\n.*«Past 0»")
    await saved.admin.send("past 7")
    narrowed = await saved.admin.wait_for("Work with past 7")
    assert "Past 8" not in narrowed["text"]
    await saved.admin.press(re.compile("^✅ Past 7"))
    card = await saved.admin.wait_for("✅ «Past 7»: done")
    assert "on schedule" in card["text"]
    await saved.admin.press("‹ Back")
    await saved.admin.wait_for("Work with past 7")
    await saved.admin.press("✕ Show all")
    await saved.admin.wait_for("«Past 8»")
    await saved.admin.press("⚠️ Only what failed")
    failed = await saved.admin.wait_for("Work that went wrong")
    assert failed["text"].count("\n") == 1
    assert "«Lost one»" in failed["text"]
    await saved.admin.press("🛠 All work")
    await saved.admin.wait_for("Work · 1 under way")


async def test_a_flood_wait_says_what_else_waits(saved: Play) -> None:
    """On the card while Telegram pauses the account, with a way to all of it and back."""
    await put_run(saved, "Rests", RunStatus.PAUSED, 400)
    await saved.driver.fault("messages.getHistory", error="FLOOD_WAIT_7200")
    await saved.admin.press("▶ Save now")
    await saved.admin.wait_for("pauses this account until", 30)
    await saved.admin.press("What else waits: 1")
    shown = await saved.admin.wait_for("Work · 2 under way")
    assert re.search(r"⏳ Saving .*: Telegram pauses its account until ", shown["text"])
    await saved.admin.press(re.compile("^⏳ "))
    await saved.admin.wait_for("pauses this account until")


async def test_an_approver_sees_the_work_at_their_gates_alone(tmp_path: Path) -> None:
    """Active and past, searched and not; of the owner's saved channels not a word."""
    async with with_approver(tmp_path) as (play, boris):
        await put_run(play, "Mine", RunStatus.DONE, play.gate.peer, RunKind.LOAD_REQUESTS)
        await put_run(play, "Elsewhere", RunStatus.DONE, play.private.peer, RunKind.LOAD_REQUESTS)
        await put_run(play, "Papers", RunStatus.PAUSED, 7)
        await boris.send("/runs")
        shown = await boris.wait_for("Work")
        assert "«Mine»" in shown["text"]
        assert not re.search("Elsewhere|Papers|under way", shown["text"])
        await boris.send("papers")
        narrowed = await boris.wait_for("Nothing is under way or waits")
        assert "«" not in narrowed["text"]
        await boris.press("✕ Show all")
        await boris.wait_for("«Mine»")
