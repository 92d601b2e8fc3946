"""What people at the gate do to the screens: names that are markup, that turn the reading direction, that never end."""

from typing import Any

import pytest

from sandbox import walks
from sandbox.world import Account
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
        labels += [key["text"] for row in screen["buttons"] for key in row if key["data"].startswith("jr1:show")]
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
