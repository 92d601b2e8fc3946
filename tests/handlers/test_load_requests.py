"""Loading through the chat: how many, by which link, and when it happens by itself."""

import asyncio

import pytest

from sandbox import walks
from services.schedule import describe
from storage.models import RunKind
from tests.play import Play


@pytest.fixture
async def asked(play: Play) -> Play:
    """The account's list is open, and the channel was tapped."""
    await play.sign_in()
    await play.admin.send("/load")
    await play.admin.wait_for("At which channel")
    await play.admin.press(walks.beginning(play.gate.title))
    await play.admin.wait_for("30 people wait there now; Porter knows 0")
    return play


async def stored(play: Play) -> int:
    return sum(entry.pending for entry in await play.house.requests.lists.overview())


async def test_a_number_of_the_newest(asked: Play) -> None:
    """By a tap, or typed; what is no number is shown, and may be typed again."""
    await asked.admin.send("a few")
    await asked.admin.wait_for("a few.* is no number")
    await asked.admin.send("7")
    screen = await asked.admin.wait_for(r"✅ .*done")
    assert "7 new" in screen["text"]
    assert await stored(asked) == 7
    await asked.admin.send("/load")
    await asked.admin.wait_for("At which channel")
    await asked.admin.press(walks.beginning("7 · "))
    await asked.admin.wait_for("Porter knows 7")
    await asked.admin.press("Newest 200")
    await asked.admin.wait_for("23 new")
    assert await stored(asked) == 30


async def test_another_channel_is_typed(asked: Play) -> None:
    """Its name stands for itself where a number was asked for; where nobody may invite, that is said."""
    await asked.admin.send(f"@{asked.public.username}")
    await asked.admin.wait_for("Nobody waits there now")
    await asked.admin.send(str(asked.gate.peer))
    await asked.admin.wait_for("30 people wait there now")


async def test_by_one_link(asked: Play) -> None:
    """The links are listed with how many came by each; one may be pasted as well, and is taken out of the chat."""
    await asked.admin.press("By one invite link")
    screen = await asked.admin.wait_for("By which invite link")
    label = screen["buttons"][0][0]["text"]
    count = int(label.split(" · ")[0])
    await asked.admin.press(label)
    await asked.admin.wait_for(r"✅ .*done")
    assert await stored(asked) == count
    await asked.admin.press_forged(screen["id"], screen["buttons"][0][0]["data"])
    links = {row.link for row in asked.gate.requests.values() if row.link}
    other = next(link for link in links if sum(row.link == link for row in asked.gate.requests.values()) != count)
    await asked.admin.send("/load")
    await asked.admin.wait_for("At which channel")
    await asked.admin.press(walks.beginning(f"{count} · "))
    await asked.admin.wait_for("How many")
    await asked.admin.press("By one invite link")
    await asked.admin.wait_for("By which invite link")
    await asked.admin.send("not a link")
    await asked.admin.wait_for("no invite link")
    pasted = await asked.admin.send(other)
    await asked.admin.wait_for(r"✅ .*done")
    messages = await asked.driver.messages(asked.sandbox.bot.id, asked.sandbox.admin_id)
    assert next(message for message in messages if message["id"] == pasted["id"])["deleted"]


async def test_on_a_schedule(asked: Play) -> None:
    """Set by buttons, paused, changed in how many it asks for, ended; when due, it loads and says nothing."""
    admin, house = asked.admin, asked.house
    await admin.press("On a schedule")
    await admin.wait_for("How often shall Porter load who waits")
    await admin.press(describe("0 */6 * * *"))
    await admin.wait_for("Use it")
    await admin.press("Use this schedule")
    await admin.wait_for("Each time everybody")
    await admin.press("Newest 200")
    await admin.wait_for("Each time the newest 200")
    await admin.press("Pause schedule")
    await admin.wait_for("Paused")
    await admin.press("Resume schedule")
    await admin.wait_for("Next:")
    plan = await house.requests.load_schedules.get(asked.gate.peer)
    assert plan.schedule is not None
    assert (plan.schedule.kind, plan.schedule.cron, plan.newest) == (RunKind.LOAD_REQUESTS, "0 */6 * * *", 200)
    screens = len(await asked.driver.messages(asked.sandbox.bot.id, asked.sandbox.admin_id))
    await house.requests.load_schedules.fire(plan.schedule)
    while await house.runner.active_of(RunKind.LOAD_REQUESTS, asked.gate.peer):  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    assert await stored(asked) == 30
    assert len(await asked.driver.messages(asked.sandbox.bot.id, asked.sandbox.admin_id)) == screens
    await admin.press("Not by itself any more")
    await admin.wait_for("Only when somebody asks")
    assert (await house.requests.load_schedules.get(asked.gate.peer)).schedule is None
