"""Name, account, schedule and the end of a saved channel; the admin's own schedule and time zone; through the chat."""

import re
from typing import Any

import pytest

from handlers.callbacks import OWN, EditPick, SourceEdit
from sandbox import walks
from sandbox.scenarios import SECOND
from storage.models import RunKind
from tests.handlers.people_kit import forge
from tests.play import Play


@pytest.fixture
async def saved(play: Play) -> Play:
    """The admin's account with one saved channel, on its edit screen."""
    await play.sign_in()
    await walks.add_source(play.admin, play.private.title)
    await edit(play)
    return play


async def edit(play: Play) -> dict[str, Any]:
    await play.admin.press("Change …")
    return await play.admin.wait_for("what shall change")


def item(label: str) -> re.Pattern[str]:
    return re.compile(f"^{label}: ")


async def test_another_name(saved: Play) -> None:
    """Behind each property stands what it is; a name that is taken is refused and another goes through."""
    assert "Name: Harbour Archive" in await saved.admin.buttons()
    assert "Account: Anna Lindqvist" in await saved.admin.buttons() or any(
        label.startswith("Account: Anna") for label in await saved.admin.buttons()
    )
    assert "Schedule: Only when I ask" in await saved.admin.buttons()
    await saved.admin.press(item("Name"))
    await saved.admin.wait_for("What shall Porter call")
    await saved.admin.send("two\nlines")
    await saved.admin.wait_for("1 to 60 characters")
    await saved.admin.send("Papers")
    await saved.admin.wait_for("^Papers")
    assert [card.source.name for card in await saved.house.sources.all()] == ["Papers"]


async def test_a_schedule_of_an_existing_one(saved: Play) -> None:
    """Nonsense keeps what was typed and says why; a good line is shown with its next runs; Back asks again; by hand."""
    await saved.admin.press(item("Schedule"))
    await saved.admin.wait_for("Now: only when you ask")
    for typed, why in (("every day", "five parts"), ("0 25 * * *", "The hour"), ("0 0 31 2 *", "never comes true")):
        await saved.admin.send(typed)
        shown = await saved.admin.wait_for(why)
        assert typed in shown["text"]
    await saved.admin.press("Every 6 hours")
    await saved.admin.wait_for("Every 6 hours.*\n.*in UTC\nNext: .*, .*, ")
    await saved.restart()
    await saved.admin.press("‹ Back")
    await saved.admin.wait_for("Now: only when you ask")
    await saved.admin.send("30 7 * * mon-fri")
    await saved.admin.wait_for("Use it")
    await saved.admin.press("Use this schedule")
    await saved.admin.wait_for("At 07:30, Monday through Friday · next")
    await edit(saved)
    await saved.admin.press(item("Schedule"))
    await saved.admin.wait_for("Now: At 07:30")
    await saved.admin.press("Pause schedule")
    await saved.admin.wait_for("schedule paused")
    await edit(saved)
    await saved.admin.press(item("Schedule"))
    await saved.admin.wait_for("Now: At 07:30")
    await saved.admin.press("Every hour")
    await saved.admin.wait_for("Use it")
    await saved.admin.press("Use this schedule")
    await saved.admin.wait_for("schedule paused .Every hour")
    await edit(saved)
    await saved.admin.press(item("Schedule"))
    await saved.admin.wait_for("Now: Every hour")
    await saved.admin.press("Only when I ask")
    await saved.admin.wait_for("⏸ paused")
    assert [card.schedule for card in await saved.house.sources.all()] == [None]


async def test_ones_own_time_zone(saved: Play) -> None:
    """Found by typing; schedules that are set from then on follow it, those that are set already keep theirs."""
    await saved.admin.press(item("Schedule"))
    await saved.admin.wait_for("Times are in UTC")
    await saved.admin.press("🕓 UTC")
    await saved.admin.wait_for("Your time zone: UTC")
    await saved.admin.send("/sources")
    await saved.admin.wait_for("Saved channels · 1")
    await saved.admin.press("🏠 Home")
    assert "waits" not in (await saved.admin.wait_for("Porter"))["text"], "it was only looked at"
    await saved.admin.press("📥 Saved channels")
    await saved.admin.wait_for("Saved channels · 1")
    await saved.admin.press(walks.beginning("📥"))
    await saved.admin.wait_for("^Harbour")
    await edit(saved)
    await saved.admin.press(item("Schedule"))
    await saved.admin.wait_for("Times are in UTC")
    await saved.admin.press("🕓 UTC")
    await saved.admin.wait_for("Your time zone: UTC")
    await saved.admin.send("nowhere at all")
    await saved.admin.wait_for("0 with")
    await saved.admin.send("new york")
    await saved.admin.wait_for("1 with")
    await saved.admin.press("America/New_York")
    await saved.admin.wait_for("Times are in America/New_York")
    await saved.admin.send("0 7 * * *")
    await saved.admin.wait_for("in America/New_York\nNext: .*07:00")
    await saved.admin.press("Use this schedule")
    await saved.admin.wait_for("At 07:00 · next .*07:00")
    [card] = await saved.house.sources.all()
    assert card.schedule is not None
    assert card.schedule.timezone == "America/New_York"


async def test_what_was_set_aside_waits_on(saved: Play) -> None:
    """A login that is parked is there still when a schedule was set meanwhile; a line that fires no more is shown."""
    await saved.admin.send("/login")
    await saved.admin.wait_for("Add an account")
    await saved.admin.send("/sources")
    await saved.admin.wait_for("Saved channels · 1")
    [card] = await saved.house.sources.all()
    await saved.house.schedule._schedules.put(RunKind.SCRAPE, card.source.id, "0 0 31 2 *", "UTC", None)
    await saved.admin.press(walks.beginning(saved.private.title))
    await saved.admin.wait_for("0 0 31 2")
    await edit(saved)
    await saved.admin.press(item("Schedule"))
    await saved.admin.wait_for("Now: 0 0 31 2")
    await saved.admin.press("Every hour")
    await saved.admin.wait_for("Use it")
    await saved.admin.press("Use this schedule")
    await saved.admin.wait_for("Every hour · next")
    await saved.admin.press("🏠 Home")
    await saved.admin.wait_for("Your login waits")


async def test_the_schedule_of_ones_defaults(saved: Play) -> None:
    """The same conversation, for what is saved from now on; existing ones stay as they are."""
    admin_id = saved.sandbox.admin_id
    await forge(saved.admin, SourceEdit(what=EditPick.SCHEDULE, id=OWN).pack())
    await saved.admin.wait_for("Now: Every 6 hours")
    await saved.admin.send("0 7 * * *")
    await saved.admin.wait_for("Use it")
    await saved.admin.press("Use this schedule")
    await saved.admin.wait_for("Now: At 07:00")
    assert (await saved.house.profiles.get(admin_id)).cron == "0 7 * * *"
    await saved.admin.press("Only when I ask")
    await saved.admin.wait_for("How often")
    assert (await saved.house.profiles.get(admin_id)).cron is None
    assert [card.schedule for card in await saved.house.sources.all()] == [None]


async def test_another_account_reads_it(saved: Play) -> None:
    """Only accounts that have met the channel are offered; asked, told, and the next save goes through the new one."""
    await saved.admin.press(item("Account"))
    await saved.admin.wait_for("No other account has met the channel")
    second = next(account for account in saved.sandbox.line()["accounts"] if account["id"] == SECOND)
    await add_second(saved, second)
    other = next(each for each in await saved.house.sessions.all() if each.user_id == SECOND)
    await saved.house.channels.find(str(saved.private.peer), other.id)
    await saved.admin.send("/sources")
    await saved.admin.wait_for("Saved channels · 1")
    await saved.admin.press(walks.beginning(saved.private.title))
    await saved.admin.wait_for("last saved never")
    await edit(saved)
    await saved.admin.press(item("Account"))
    await saved.admin.wait_for("Which one shall read it")
    await saved.admin.press(re.compile("Boris"))
    await saved.admin.wait_for("Nothing is fetched twice")
    await saved.admin.press("Yes, read through it")
    await saved.admin.wait_for("last saved never")
    await saved.driver.reset_calls()
    await walks.scrape(saved.admin)
    calls = await saved.driver.calls()
    assert calls[SECOND]["messages.getHistory"] > 0
    assert "messages.getHistory" not in calls.get(saved.sandbox.admin_id, {})


async def add_second(play: Play, account: dict[str, Any]) -> None:
    await play.admin.send("/login")
    await play.admin.wait_for("Add an account")
    await play.admin.send(str(account["api_id"]))
    await play.admin.wait_for("API hash")
    await play.admin.send(account["api_hash"])
    await play.admin.wait_for("Share your own number")
    await play.admin.send(account["phone"])
    await play.admin.wait_for("Tap it here")
    await walks.tap_code(play.admin, await walks.newest_code(play.actor(account["id"])))
    await play.admin.wait_for("Signed in as")


async def test_deleted_but_for_its_messages(saved: Play) -> None:
    """Both ways are offered with counts; saved anew, the channel takes its messages up and fetches no file twice."""
    await saved.admin.press("‹ Back")
    await saved.admin.wait_for("last saved never")
    await walks.scrape(saved.admin)
    [card] = await saved.house.sources.all()
    await saved.admin.press("📥 This saved channel")
    await saved.admin.wait_for("last saved just now")
    await saved.admin.press("Delete")
    asked = await saved.admin.wait_for("Delete «")
    assert f"{card.source.total_messages} messages can stay" in asked["text"]
    await saved.admin.press("Delete, keep the messages")
    await saved.admin.wait_for("is deleted")
    await walks.add_source(saved.admin, saved.private.title)
    await walks.scrape(saved.admin)
    [again] = await saved.house.sources.all()
    assert again.source.total_messages == card.source.total_messages
    on_disk = [path for path in saved.settings.download_dir.rglob("*") if path.is_file()]
    assert len(on_disk) == card.tally.done == again.tally.done


async def test_a_question_about_what_is_gone_is_over(saved: Play) -> None:
    """Somebody else has deleted the saved channel meanwhile: said once, and nothing waits to be gone on with."""
    await saved.admin.press(item("Name"))
    await saved.admin.wait_for("What shall Porter call")
    (card,) = await saved.house.sources.all()
    await saved.house.sources.delete(card.source.id, keep_messages=False)
    await saved.admin.send("Papers")
    await saved.admin.wait_for("not there any more")
    assert await saved.admin.buttons() == ["🏠 Home"]
    await saved.admin.send("/start")
    assert "waits" not in (await saved.admin.wait_for("Porter"))["text"]


async def test_going_on_with_what_is_gone(saved: Play) -> None:
    """Set aside, and its channel deleted before the admin came back."""
    await saved.admin.press(item("Name"))
    await saved.admin.wait_for("What shall Porter call")
    await saved.admin.send("/start")
    await saved.admin.wait_for("filling in waits")
    (card,) = await saved.house.sources.all()
    await saved.house.sources.delete(card.source.id, keep_messages=False)
    await saved.admin.press("Continue")
    await saved.admin.wait_for("not there any more")
    await saved.admin.press("🏠 Home")
    assert "waits" not in (await saved.admin.wait_for("Porter"))["text"]
