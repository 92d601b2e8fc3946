"""The owner's PIN: set, asked in between, wrong, locked, lost."""

import logging
from pathlib import Path

import pytest

from bot.commands import run_clear_pin
from sandbox import walks
from sandbox.driver import Actor
from storage.models import AuditOutcome, AuditVerb
from tests.handlers.people_kit import SECOND, done, forge, lines, people_ask
from tests.play import Play, open_play

PIN, WRONG = "48151623", "48151624"


async def set_pin(actor: Actor, pin: str = PIN) -> None:
    await actor.send("/admins")
    await actor.wait_for("Admins")
    await actor.press("🔒 My PIN")
    await actor.wait_for("You have no PIN")
    await actor.press("Set a PIN")
    await actor.wait_for("A new PIN")
    await walks.tap_pin(actor, pin)
    await actor.wait_for("Once more")
    await walks.tap_pin(actor, pin)
    await actor.wait_for("Your PIN is set")


async def with_pin(play: Play) -> None:
    """People wait at the gate; the owner has a PIN, given longer ago than it counts."""
    await people_ask(play, play.gate)
    await set_pin(play.admin)
    forget_given(play)


def forget_given(play: Play) -> None:
    """As if five minutes had passed."""
    play.house.pins._good_until.clear()


def given(play: Play) -> None:
    """As if the PIN had just been given."""
    play.house.pins._good_until[play.sandbox.admin_id] = float("inf")


async def press_approve_all(actor: Actor, title: str) -> None:
    """The question, and its yes."""
    await actor.send("/requests")
    await actor.wait_for("Waiting people")
    await actor.press(walks.beginning(title))
    await actor.wait_for("people wait")
    await actor.press("Approve all")
    await actor.wait_for("Approve all 3")
    await actor.press(walks.CONFIRM)


async def test_a_pin_comes_between_the_yes_and_the_act(play: Play) -> None:
    """Nothing happens before it; with it the very press goes on; a second act within five minutes asks no more."""
    await with_pin(play)
    await press_approve_all(play.admin, play.gate.title)
    await play.admin.wait_for("Your PIN, please")
    assert not play.gate.approved
    await walks.tap_pin(play.admin, PIN)
    await play.admin.wait_for(r"✅ .*done", 30)
    assert len(play.gate.approved) == 3
    await people_ask(play, play.gate)
    await press_approve_all(play.admin, play.gate.title)
    await play.admin.wait_for(r"✅ .*done", 30)
    assert len(play.gate.approved) == 6


async def test_cancel_leads_back_to_the_question(play: Play) -> None:
    """As it stood, words and buttons, wrong PINs in between or not; its yes asks for the PIN once more, and works."""
    await with_pin(play)
    await press_approve_all(play.admin, play.gate.title)
    await play.admin.wait_for("Your PIN, please")
    await walks.tap_pin(play.admin, WRONG)
    await play.admin.wait_for("4 tries are left")
    await play.admin.press("Cancel")
    question = await play.admin.wait_for("Approve all 3")
    assert [entity["type"] for entity in question["entities"]].count("bold") >= 1
    await play.admin.press(walks.CONFIRM)
    await play.admin.wait_for("Your PIN, please")
    await walks.tap_pin(play.admin, PIN)
    await play.admin.wait_for(r"✅ .*done", 30)
    assert len(play.gate.approved) == 3


async def test_digits_travel_nowhere(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    """Buttons carry slots, dealt anew for each keypad; a typed PIN is deleted; the log never has it."""
    caplog.set_level(logging.DEBUG)
    await with_pin(play)
    layouts = set()
    for _ in range(4):
        await press_approve_all(play.admin, play.gate.title)
        screen = await play.admin.wait_for("Your PIN, please")
        keys = [key for row in screen["buttons"] for key in row if key["text"].isdigit()]
        layouts.add(tuple(key["data"].split(":")[2] for key in keys))
        told = await play.admin.press("Cancel")
        assert "Nothing was changed" in told["answer"]
    assert len(layouts) > 1
    await press_approve_all(play.admin, play.gate.title)
    await play.admin.wait_for("Your PIN, please")
    sent = await play.admin.send(PIN)
    await play.admin.wait_for("does not belong in a chat")
    assert next(m for m in await play.admin.messages() if m["id"] == sent["id"])["deleted"]
    assert PIN not in caplog.text
    assert not play.gate.approved


async def test_five_wrong_ones_lock_across_a_restart(play: Play) -> None:
    """Counted down, locked, and locked still after a restart; the audit has the tries and the lock."""
    await with_pin(play)
    await press_approve_all(play.admin, play.gate.title)
    for left in ("4 tries are", "3 tries are", "2 tries are", "1 try is"):
        await play.admin.wait_for("Your PIN, please")
        await walks.tap_pin(play.admin, WRONG)
        await play.admin.wait_for(f"{left} left")
    await play.restart()
    await walks.tap_pin(play.admin, WRONG)
    await play.admin.wait_for("Too many wrong PINs")
    await play.restart()
    await play.admin.send("/requests")
    await play.admin.wait_for("Waiting people")
    await play.admin.press(walks.beginning(play.gate.title))
    await play.admin.wait_for("people wait")
    await play.admin.press("Approve all")
    await play.admin.wait_for("Approve all 3")
    assert "Too many wrong PINs" in (await play.admin.press(walks.CONFIRM))["answer"]
    assert not play.gate.approved
    tries = [line.outcome for line in await lines(play) if line.verb is AuditVerb.PIN_TRY]
    assert tries == [AuditOutcome.REFUSED, *[AuditOutcome.FAILED] * 4]


async def test_every_marked_act_asks(play: Play) -> None:
    """Deleting an account or a saved channel, a role, a PIN's end: by the buttons that do it, forged as well."""
    await with_pin(play)
    for data in ("se1:del!:1:0", "so1:del!:1", "as1:1", "ok1:1", "sf1:set", "sf1:rm", f"ad1:pin!:{SECOND}"):
        await play.admin.send("/help")
        await play.admin.wait_for("What Porter does")
        await forge(play.admin, data)
        await play.admin.wait_for("Your PIN, please")


async def test_setting_one_needs_it_twice(play: Play) -> None:
    """Too short offers no ✓; two that differ start again; nothing is set before."""
    await play.admin.send("/admins")
    await play.admin.wait_for("Admins")
    await play.admin.press("🔒 My PIN")
    await play.admin.wait_for("You have no PIN")
    await play.admin.press("Set a PIN")
    await play.admin.wait_for("A new PIN")
    for digit in "123":
        await play.admin.press(digit)
    assert "✓" not in await play.admin.buttons()
    await play.admin.press("⌫")
    await walks.tap_pin(play.admin, "34")
    await play.admin.wait_for("Once more")
    await walks.tap_pin(play.admin, "1235")
    await play.admin.wait_for("not the same")
    await play.admin.press("Cancel")
    await play.admin.wait_for("You have no PIN")
    assert AuditVerb.PIN_SET not in await done(play)


async def test_an_open_conversation_goes_on_below(play: Play) -> None:
    """The keypad is no conversation: what was being asked waits below it, and answers count again afterwards."""
    await with_pin(play)
    await play.admin.send("/login")
    await play.admin.wait_for("API id")
    await forge(play.admin, "so1:del!:99")
    await play.admin.wait_for("Your PIN, please")
    await walks.tap_pin(play.admin, PIN)
    await play.admin.send(str(play.account["api_id"]))
    await play.admin.wait_for("API hash")
    await forge(play.admin, "sf1:rm")
    await play.admin.wait_for("You have no PIN")


async def test_a_lost_pin(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another owner takes it away, or the operator while Porter runs; both stand in the audit."""
    async with open_play(tmp_path) as play:
        await with_pin(play)
        boris = play.actor(SECOND)
        await boris.send("/start")
        given(play)
        await walks.add_admin(play.admin, SECOND, "Owner")
        await boris.send("/admins")
        await boris.wait_for("Admins")
        await boris.press(walks.beginning("Anna"))
        await boris.wait_for("Has a PIN")
        await boris.press("Take away the PIN")
        await boris.wait_for("They can set another")
        await boris.press("Yes, so be it")
        await boris.wait_for("no PIN any more")
        await set_pin(play.admin)
        await run_clear_pin(play.settings, play.sandbox.admin_id)
        await run_clear_pin(play.settings, play.sandbox.admin_id)
        printed = capsys.readouterr().out
        assert "is gone" in printed
        assert "has no PIN" in printed
        removed = [line for line in await lines(play) if line.verb is AuditVerb.PIN_REMOVE]
        assert [line.admin_name for line in removed] == ["terminal", "Boris Klein"]
        await press_approve_all(play.admin, play.gate.title)
        await play.admin.wait_for(r"✅ .*done", 30)
