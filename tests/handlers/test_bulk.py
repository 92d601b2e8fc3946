"""Deciding many through the chat: question, yes, Undo, what it asks meanwhile, the end with names and file."""

import asyncio
import csv
import re
from io import StringIO
from typing import Any

import pytest

from sandbox import walks
from sandbox.world import Account
from tests.play import Play


@pytest.fixture
async def loaded(play: Play) -> Play:
    await play.sign_in()
    play.sandbox.world.accounts[next(iter(play.gate.requests))].too_many_channels = True
    await walks.load_requests(play.admin, str(play.gate.peer))
    return play


async def at_the_gate(play: Play) -> dict[str, Any]:
    await play.admin.send("/requests")
    await play.admin.wait_for("Waiting people")
    await play.admin.press(walks.beginning(play.gate.title))
    return await play.admin.wait_for("people? waits?")


async def table(play: Play) -> list[dict[str, str]]:
    """The file, as the spreadsheet reads it."""
    await play.admin.press("📄 CSV")
    async with asyncio.timeout(10):  # the tap is answered before the file comes
        while not (sent := [m["document"] for m in await play.admin.bot_messages() if m["document"]]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    text = (await play.driver.file(sent[-1]["id"])).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


def hostile(play: Play, name: str) -> int:
    """Somebody with that name asks."""
    world = play.sandbox.world
    user_id = max(world.accounts) + 1
    world.accounts[user_id] = Account(user_id, name, "")
    world.ask_to_join(play.gate, [user_id])
    return user_id


async def test_a_group_is_approved_in_three_taps(loaded: Play) -> None:
    """Review, Approve N, Confirm: the question has the count and ten samples, the end says who is in, and why one
    stays; the file has everybody's outcome, and the next group is a tap away."""
    admin, gate = loaded.admin, loaded.gate
    before = set(gate.requests)
    await admin.send("/requests")
    await admin.wait_for("Waiting people")
    taps = admin.taps
    await admin.press(walks.beginning(gate.title))
    await admin.wait_for("people wait")
    largest = max(await admin.buttons(), key=lambda label: int((re.findall(r"Approve (\d+)$", label) or [0])[0]))
    await admin.press(largest)
    question = await admin.wait_for(r"Approve \d+ people")
    count = int(re.findall(r"Approve (\d+) people", question["text"])[0])
    assert 0 < count < len(before)
    assert question["text"].count("\n· ") == min(10, count)
    assert not gate.approved
    await admin.press(walks.CONFIRM)
    assert admin.taps == taps + 3
    end = await admin.wait_for(r"✅ .*done")
    assert f"{len(gate.approved)} in" in end["text"]
    left = len(before) - len(gate.approved)
    assert any(re.fullmatch(r"Next: \d+", label) for label in await admin.buttons())
    rows = await table(loaded)
    assert len(rows) == count
    assert {int(row["user_id"]) for row in rows if row["outcome"] == "approved"} == set(gate.approved)
    assert len(gate.requests) == left
    answer = await admin.press_forged(end["id"], question["buttons"][0][0]["data"])
    assert "too old or was answered" in answer["answer"]


async def test_everybody_with_one_who_stays(loaded: Play) -> None:
    """Too many channels: named as the reason on the card and in the file."""
    end = await walks.decide_all(loaded.admin, loaded.gate.title)
    assert f"{len(loaded.gate.approved)} in, 1 stays" in end["text"]
    assert "1: they are in too many channels" in end["text"]
    rows = await table(loaded)
    assert [row["reason"] for row in rows if row["outcome"] == "stays"] == ["USER_CHANNELS_TOO_MUCH"]


async def test_taken_back(loaded: Play) -> None:
    """Undo within the time: nobody was decided, and the run says so."""
    loaded.house.requests.bulk.undo_seconds = 30
    await at_the_gate(loaded)
    await loaded.admin.press("Approve all")
    question = await loaded.admin.wait_for("Approve all")
    assert "30 seconds to take it back" in question["text"]
    await loaded.admin.press(walks.CONFIRM)
    await loaded.admin.wait_for("begins in 0:[23]")
    await loaded.restart()
    await loaded.admin.press("↩ Undo")
    await loaded.admin.wait_for("Taken back: nobody")
    assert not loaded.gate.approved
    assert "📄 CSV" not in await loaded.admin.buttons()


async def test_one_set_of_people_at_a_time(loaded: Play) -> None:
    """A yes while others are being decided there decides nobody, and says what to do; nothing of it is kept."""
    loaded.house.requests.bulk.undo_seconds = 30
    for begun in (False, True):
        await at_the_gate(loaded)
        label = "Deny all" if begun else "Approve all"
        await loaded.admin.press(label)
        await loaded.admin.wait_for(f"{label} 30")
        answer = await loaded.admin.press(walks.CONFIRM)
        await loaded.admin.wait_for("Approving everybody .* begins")
        assert bool(answer["alert"]) is begun
    assert "Nobody else was. Ask again when that is done." in answer["answer"]
    await loaded.admin.press("↩ Undo")
    await loaded.admin.wait_for("Taken back: nobody")
    assert not loaded.gate.approved
    assert not loaded.gate.denied


@pytest.mark.parametrize("label", ["Approve them too", "Only the"])
async def test_newcomers_are_asked_about(loaded: Play, label: str) -> None:
    """+2 since the preview: nobody is let in before the answer, and a second one is none."""
    admin, gate = loaded.admin, loaded.gate
    await at_the_gate(loaded)
    await admin.press("Approve all")
    await admin.wait_for("Approve all 30 who wait")
    names = {hostile(loaded, name) for name in ('=HYPERLINK("http://x")', '<b>"Mallory\u202e\n,')}
    await admin.press(walks.CONFIRM)
    asked = await admin.wait_for(r"\+2 new since your preview")
    assert not gate.approved
    data = next(key["data"] for row in asked["buttons"] for key in row if key["text"].startswith(label))
    await admin.press(data=data)
    end = await admin.wait_for(r"✅ .*done")
    assert (names <= set(gate.approved)) is (label == "Approve them too")
    rows = {int(row["user_id"]): row["name"] for row in await table(loaded)}
    if names <= rows.keys():
        assert {rows[user_id][:2] for user_id in names} == {"'=", "<b"}
    count = len(gate.approved)
    await admin.press_forged(end["id"], data)
    assert len(gate.approved) == count == len(rows) - 1


async def test_who_looks_elsewhere_is_asked(loaded: Play) -> None:
    """A run that needs an answer says so by a message of its own, and its buttons work there."""
    await at_the_gate(loaded)
    await loaded.admin.press("Approve all")
    await loaded.admin.wait_for("Approve all 30")
    late = hostile(loaded, "Late")
    await loaded.driver.fault("messages.getChatInviteImporters", delay_ms=800)
    await loaded.admin.press(walks.CONFIRM)
    await loaded.admin.wait_for("Approving everybody")
    await loaded.admin.send("/start")
    home = await loaded.admin.wait_for("<b>Porter|Porter")
    asked = await loaded.admin.wait_for(r"\+1 new since your preview")
    assert asked["id"] != home["id"]
    await loaded.admin.press("Approve them too")
    await loaded.admin.wait_for(r"✅ .*done")
    assert late in loaded.gate.approved


async def test_unseen_people_are_named_harmlessly(loaded: Play) -> None:
    """Who slips in between list and call stands on the card, whatever the name holds."""
    await loaded.driver.fault("messages.hideAllChatJoinRequests", delay_ms=500)
    await at_the_gate(loaded)
    await loaded.admin.press("Approve all")
    await loaded.admin.wait_for("Approve all 30")
    await loaded.admin.press(walks.CONFIRM)
    while not await loaded.driver.call_count("messages.hideAllChatJoinRequests"):
        pass
    slipped = hostile(loaded, "<i>Eve\u202e</i>")
    end = await loaded.admin.wait_for("let in unseen")
    assert slipped in loaded.gate.approved
    assert "1 let in unseen, who asked at the last moment: <i>Eve </i>" in end["text"].replace("Eve</i>", "Eve </i>")
    assert "\u202e" not in end["text"]
    assert [row["name"] for row in await table(loaded) if row["unseen"] == "yes"] == ["<i>Eve\u202e</i>"]
