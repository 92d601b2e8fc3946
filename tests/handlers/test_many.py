"""Several saved channels at once, through the chat: chosen across pages, acted on, told by name."""

import re

import pytest

from handlers.texts import Texts
from services.errors import AlreadyActive
from storage.models import Filters, NewSource, Session, TargetKind
from tests.play import Play


@pytest.fixture
async def many(play: Play) -> Play:
    """An account, and ten saved channels of it: nine of the private channel, one of the public one."""
    await play.sign_in()
    [session] = await play.house.sessions.all()
    for peer in (play.private.peer, play.public.peer):
        await play.house.channels.find(str(peer), session.id)
    for number in range(1, 10):
        await add(play, session, f"Copy {number}", play.private.peer)
    await add(play, session, "Square", play.public.peer)
    return play


async def add(play: Play, session: Session, name: str, peer: int, cron: str | None = None) -> None:
    folder = name.lower().replace(" ", "-")
    new = NewSource(name, session.id, peer, Filters(extensions=("pdf",)), TargetKind.LOCAL, folder)
    await play.house.sources.create(new, cron, "UTC")


async def choose(play: Play, *labels: str) -> None:
    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels · 10")
    await play.admin.press("☑ Select several")
    await play.admin.wait_for("0 chosen")
    for count, label in enumerate(labels, start=1):
        await play.admin.press(re.compile(rf"☐ .*{label}"))
        await play.admin.wait_for(f"{count} chosen")


async def names(play: Play) -> list[str]:
    return [card.source.name for card in await play.house.sources.all()]


async def test_rows_are_ticked_across_pages_and_searches(many: Play) -> None:
    """What is chosen stays so on other pages and under a search; a second tap takes it back; a restart keeps it."""
    await choose(many, "Copy 2", "Copy 3")
    await many.admin.press("›")
    await many.admin.wait_for("2 chosen")
    assert any("Square" in label for label in await many.admin.buttons())
    await many.admin.send("square")
    await many.admin.wait_for("1 found")
    await many.admin.press("☑ All 1 found")
    await many.admin.wait_for("3 chosen")
    await many.restart()
    await many.admin.press("✕ Show all")
    await many.admin.wait_for("3 chosen")
    await many.admin.press(re.compile("☑ .*Copy 2"))
    await many.admin.wait_for("2 chosen")
    await many.admin.press("☑ All 10")
    await many.admin.wait_for("10 chosen")
    await many.admin.press("☐ None")
    await many.admin.wait_for("0 chosen")
    assert "▶ Save now" not in await many.admin.buttons()


async def test_saving_several_tells_by_name_what_did_not(many: Play) -> None:
    """Those that are under way already are named with the reason; the others are queued and come home."""
    await many.driver.fault("messages.getHistory", delay_ms=5000, times=1)
    busy = next(card.source for card in await many.house.sources.all() if card.source.name == "Copy 1")
    await many.house.sources.scrape(busy.id, many.sandbox.admin_id)
    await choose(many, "Copy 1", "Copy 2", "Copy 3")
    await many.admin.press("▶ Save now")
    told = await many.admin.wait_for("2 saved channels: queued")
    assert "«Copy 1»: That is under way already" in told["text"]
    await many.admin.press("🛠 All work")
    await many.admin.wait_for("Work")
    while any(card.run for card in await many.house.sources.all()):
        await many.admin.press("Refresh")
    assert {run.title for run in (await many.house.run_list._runs.past(9))} == {"Copy 1", "Copy 2", "Copy 3"}


async def test_pause_schedule_and_resume_several(many: Play) -> None:
    """A schedule for all of them, shown with its next runs; paused and resumed together; the choice stays."""
    await choose(many, "Copy 1", "Copy 2")
    await many.admin.press("Schedule")
    await many.admin.wait_for("Schedule of 2 saved channels")
    await many.admin.send("61 * * * *")
    await many.admin.wait_for("61 .*The minute of that line cannot be read")
    await many.admin.send("30 7 * * mon-fri")
    shown = await many.admin.wait_for("Use it")
    assert len(re.findall(r"\d\d:\d\d", shown["text"].partition("Next:")[2])) == 3
    await many.admin.press("Use this schedule")
    await many.admin.wait_for("2 saved channels: scheduled: At 07:30")
    await many.admin.press("‹ Back")
    await many.admin.wait_for("2 chosen")
    await many.admin.press("⏸ Pause")
    await many.admin.wait_for("paused; saved by hand only")
    await many.admin.press("‹ Back")
    await many.admin.wait_for("2 chosen")
    schedules = [card.schedule for card in await many.house.sources.all() if card.schedule]
    assert [(each.cron, each.enabled, each.timezone) for each in schedules] == [("30 7 * * mon-fri", False, "UTC")] * 2
    await many.admin.press("▶ Resume")
    await many.admin.wait_for("on schedule again")
    assert all(card.schedule.enabled for card in await many.house.sources.all() if card.schedule)
    lines = (await many.house.audits.page(0)).lines
    assert [(line.verb, line.subject, line.detail.get("sources")) for line in lines[:3]] == [
        ("SOURCE_RESUME", "Copy 1, Copy 2", 2),
        ("SOURCE_PAUSE", "Copy 1, Copy 2", 2),
        ("SOURCE_EDIT", "Copy 1, Copy 2", 2),
    ]


async def test_a_folder_for_several(many: Play) -> None:
    """Each gets its own below the base, two of one channel different ones; a way out of the root is refused."""
    await choose(many, "Copy 1", "Copy 2")
    await many.admin.press("Folder")
    await many.admin.wait_for("below Local/")
    await many.admin.send("../up")
    await many.admin.wait_for("must stay inside")
    await many.admin.send("papers")
    shown = await many.admin.wait_for("Do it")
    assert "«Copy 2» → Local/papers/harbour-archive-2" in shown["text"]
    await many.admin.press("Yes, from now on")
    await many.admin.wait_for("2 saved channels: saved to the new folder")
    folders = sorted(card.source.folder for card in await many.house.sources.all())[-3:-1]
    assert folders == ["papers/harbour-archive", "papers/harbour-archive-2"]


async def test_deleting_several_asks_once_with_counts(many: Play) -> None:
    """The yes holds for those that were shown, once; the rest of the list stays."""
    await choose(many, "Copy 1", "Copy 2", "Copy 3")
    await many.admin.press("Delete …")
    asked = await many.admin.wait_for("Delete 3 saved channels")
    assert "«Copy 3»" in asked["text"]
    keys = [key["data"] for row in asked["buttons"] for key in row]
    await many.admin.press("Delete with its messages")
    await many.admin.wait_for("3 saved channels: deleted")
    assert len(await names(many)) == 7
    again = await many.admin.press_forged(asked["id"], keys[0])
    assert "too old or was answered" in again["answer"]
    assert len(await names(many)) == 7


async def test_nobody_else_sees_another_channel(many: Play) -> None:
    """With one account there is nothing to move to, and the screen says what to do."""
    await choose(many, "Copy 1")
    await many.admin.press("Account")
    await many.admin.wait_for("No other account has met")


def test_a_thousand_names_fit_a_message() -> None:
    """The first ones are named, the others counted: Telegram takes 4,096 characters."""
    texts = Texts()
    name = "«A <very> long name of a saved channel & more»" * 2
    failed = [(f"{name} {number}", texts.errors.of(AlreadyActive(number))) for number in range(1000)]
    told = texts.many.outcome(texts.many.done("run"), 0, failed)
    asked = texts.many.ask_place("nas", {f"{name} {number}": f"papers/{'x' * 60}" for number in range(1000)})
    assert "… and 990 more" in told
    assert max(len(told), len(asked)) < 4096
    assert "<very>" not in told
