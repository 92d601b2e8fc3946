"""The gate from end to end, checked against the sandbox's own lists; and what hostile names do to its screens."""

import asyncio
import csv
import re
from io import StringIO
from typing import Any

import pytest

from sandbox import walks
from sandbox.driver import Actor
from sandbox.world import Account
from tests.handlers.people_kit import SECOND
from tests.play import Play

TURNING = "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

NAMES = {
    "<b>Bold</b>": "<b>Bold</b>",
    "</b></a><a href='tg://user?id=1'>Anna": "</b></a><a href='tg://user?id=1'>Anna",
    "&lt;i&gt; & &amp; Sons": "&lt;i&gt; & &amp; Sons",
    "[link](x) *star* _under_ `code`": "[link](x) *star* _under_ `code`",
    "{name} %s %(x)s {0}": "{name} %s %(x)s {0}",
    "\u202eesreveR \u2066in\u2069\u200f": "esreveR in",
    "\u061cعلي \u200eabc": "علي abc",
    "one\ntwo\r\n\tthree": "one two three",
    "👩\u200d👩\u200d👧 of us": "👩 👩 👧 of us",
    "\u200b\u2060\u202e": "…",
    "😀" * 64: "😀" * 64,
    "x" * 64: "x" * 64,
}
"""As people call themselves, and as a card shows it: one line, to be read from its beginning, nothing of it markup."""


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def marked(screen: dict[str, Any], kind: str) -> list[str]:
    """The pieces of the text that are shown as `kind`; places count UTF-16 units."""
    raw = screen["text"].encode("utf-16-le")
    return [
        raw[2 * each["offset"] : 2 * (each["offset"] + each["length"])].decode("utf-16-le")
        for each in screen["entities"]
        if each["type"] == kind
    ]


def check_harmless(screen: dict[str, Any]) -> None:
    """Nothing turns what stands behind it, on no button either; no name made a link of its own or a code block."""
    labels = [key["text"] for row in screen["buttons"] for key in row]
    for text in (screen["text"], *labels):
        assert not set(text) & set(TURNING)
        assert all(character.isprintable() or character == "\n" for character in text)
    assert all(0 < len(label) <= 28 and "\n" not in label for label in labels)
    assert not {each["type"] for each in screen["entities"]} & {"text_link", "pre", "underline", "strikethrough"}


@pytest.fixture
async def crowd(play: Play) -> dict[int, str]:
    """Those of the hostile names are all who wait, newest first; their ids with the name that a card shows."""
    await play.sign_in()
    world, gate = play.sandbox.world, play.gate
    gate.title = "<i>Crew</i> & \u202eSons"
    gate.requests.clear()
    people = {}
    for number, (name, shown) in enumerate(NAMES.items()):
        person = Account(8_000_000_001 + number, name, bio=name)
        world.accounts[person.id] = person
        people[person.id] = shown
    world.ask_to_join(gate, list(people))
    await walks.load_requests(play.admin, str(gate.peer))
    return people


async def test_hostile_names_on_cards(play: Play, crowd: dict[int, str]) -> None:
    """Each card shows name and bio as they are written, on one line each, in our own bold and italic."""
    screen = await walks.first_person(play.admin, play.gate.title)
    met = {}
    for _ in crowd:
        check_harmless(screen)
        (who,) = [each["user"]["id"] for each in screen["entities"] if each["type"] == "text_mention"]
        name = crowd[who]
        head, *lines = screen["text"].split("\n")
        assert head == f"{name} wants to join «<i>Crew</i> & Sons»"
        assert marked(screen, "bold") == [name]
        assert marked(screen, "italic") == [name]
        assert lines.count(name) == 1
        met[who] = name
        before = screen["text"]
        await play.admin.press("Next ›")
        if len(met) < len(crowd):
            screen = await play.admin.wait_for("wants to join")
            assert screen["text"] != before
    assert met == crowd


async def test_hostile_names_in_lists(play: Play, crowd: dict[int, str]) -> None:
    """A row a person, whatever the name; the question about everybody names them in the same way."""
    admin = play.admin
    await admin.send("/requests")
    check_harmless(await admin.wait_for("Waiting people"))
    await admin.press(walks.beginning(play.gate.title))
    shown, labels = [], []
    while True:
        screen = await admin.wait_for("people wait")
        check_harmless(screen)
        head, *rows = screen["text"].split("\n")
        assert head == f"<i>Crew</i> & Sons · {len(crowd)} people wait"
        assert marked(screen, "bold") == ["<i>Crew</i> & Sons"]
        assert not marked(screen, "italic")
        shown += [row.removeprefix("· ").removesuffix(", just now") for row in rows]
        labels += [key["text"] for row in screen["buttons"] for key in row if key["data"].startswith("jr2:show")]
        if "›" not in await admin.buttons():
            break
        await admin.press("›")
    assert sorted(shown) == sorted(cut(name, 40) for name in crowd.values())
    assert sorted(labels) == sorted(cut(name, 28) for name in crowd.values())
    await admin.press("Approve all")
    question = await admin.wait_for(f"Approve all {len(crowd)}")
    check_harmless(question)
    rows = [line for line in question["text"].split("\n") if line.startswith("· ")]
    assert len(rows) == min(10, len(crowd))


# -- from loading to the file


def presented(screen: dict[str, Any]) -> int:
    """Whom the card is about."""
    (who,) = [each["user"]["id"] for each in screen["entities"] if each["type"] == "text_mention"]
    return int(who)


async def ban(actor: Actor) -> None:
    """Deny and ban, and the yes if it is asked for."""
    await actor.press("⛔ Deny and ban")
    if any(label.startswith("Yes") for label in await actor.buttons()):
        await actor.press(re.compile("^Yes"))
    await actor.wait_for("denied and banned")


async def outcomes(actor: Actor) -> list[dict[str, str]]:
    """The file of the run whose end is on the screen."""
    await actor.press("📄 CSV")
    async with asyncio.timeout(10):  # the tap is answered before the file comes
        while not (sent := [m["document"] for m in await actor.bot_messages() if m["document"]]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    text = (await actor.driver.file(sent[-1]["id"])).decode("utf-8-sig")
    return list(csv.DictReader(StringIO(text, newline="")))


async def test_from_loading_to_the_file(play: Play) -> None:
    """Loaded, decided one by one and as a group with its time to take it back: Telegram's own lists say what the chat
    says. Then what was pressed is pressed again, and by somebody who decides no more: nothing changes."""
    await play.sign_in()
    admin, gate, world = play.admin, play.gate, play.sandbox.world
    boris = play.actor(SECOND)
    await boris.send("/start")
    everybody = set(gate.requests)
    assert f"{len(everybody)} new" in (await walks.load_requests(admin, str(gate.peer)))["text"]
    await walks.add_admin(admin, SECOND, "Approver", gate.title)
    old_card = await walks.first_person(boris, gate.title)

    screen = await walks.first_person(admin, gate.title)
    approved = presented(screen)
    await admin.press("Approve")
    denied = presented(await admin.wait_for("✅ approved"))
    await admin.press("Deny")
    banned = presented(await admin.wait_for("🚫 denied"))
    await ban(admin)
    lists = await play.driver.requests(gate.peer)
    assert lists["approved"] == [approved]
    assert set(lists["denied"]) == {denied, banned}
    assert gate.banned == {banned}
    assert set(lists["pending"]) == everybody - {approved, denied, banned}

    left = [world.account(user_id) for user_id in lists["pending"]]
    meant = {each.id for each in left if each.username and each.has_photo and not (each.scam or each.fake)}
    play.house.requests.bulk.undo_seconds = 0.3
    await admin.send("/requests")
    await admin.wait_for("Waiting people")
    await admin.press(walks.beginning(gate.title))
    await admin.wait_for("people wait")
    await admin.press(f"✅ Approve {len(meant)}")
    question = await admin.wait_for(f"Approve {len(meant)} people")
    yes = question["buttons"][0][0]["data"]
    await admin.press(data=yes)
    end = await admin.wait_for("✅ .*done")
    assert f"{len(meant)} in" in end["text"]
    lists = await play.driver.requests(gate.peer)
    assert set(lists["approved"]) == meant | {approved}
    rows = await outcomes(admin)
    assert {int(row["user_id"]) for row in rows} == meant
    assert {row["outcome"] for row in rows} == {"approved"}

    await walks.change_admin(admin, "Boris", "Make viewer")
    answer = await boris.press_forged(old_card["id"], old_card["buttons"][0][0]["data"])
    assert "not for you" in answer["answer"]
    await admin.send("/audit")
    newest = await admin.wait_for("Who did what")
    assert "deny and ban" in newest["text"]
    assert "()" not in newest["text"]
    assert "too old or was answered" in (await admin.press_forged(newest["id"], yes))["answer"]
    assert await play.driver.requests(gate.peer) == lists
