"""Rules and greetings through the chat: written, on trial, let decide, frozen - by whom it may be."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from sandbox import walks
from sandbox.driver import Actor
from sandbox.scenarios import BOT
from sandbox.world import Membership
from storage.models import AuditOutcome, AuditVerb
from tests.handlers.people_kit import THIRD, forge, lines, people_ask, refused, with_approver
from tests.play import Play

WAITING = 4


async def open_rules(actor: Actor, play: Play, what: str = "Rules") -> dict[str, Any]:
    """From the channel's list by its gate."""
    await actor.send("/requests")
    await actor.wait_for("Waiting people")
    await actor.press(walks.beginning(play.gate.title))
    await actor.wait_for("wait")
    await actor.press("⚙️ Gate")
    await actor.wait_for("lets people in")
    await actor.press(what)
    return await actor.wait_for(f"{what} " if what == "Rules" else what)


async def add_rule(actor: Actor, action: str, *conditions: str) -> dict[str, Any]:
    """From the list of rules to the card of a new one."""
    await actor.press("Add a rule")
    await actor.wait_for("A rule for")
    for label in (*([action] if action in await actor.buttons() else []), *conditions):
        await actor.press(label)
        await actor.wait_for("A rule for")
    await actor.press("Keep this rule")
    return await actor.wait_for("Rule 1 of 1")


async def until_told(actor: Actor, play: Play, words: str) -> None:
    """The list of rules says so, in a moment: judging and deciding go on by themselves."""
    for _ in range(200):
        await actor.send("/start")
        await actor.wait_for("Porter|wait")
        await forge(actor, f"rr1:list:{play.gate.peer}:0")
        screen = await actor.wait_for("Rules of")
        if words in screen["text"]:
            return
    raise AssertionError(screen["text"])


@pytest.fixture
async def asked(play: Play) -> Play:
    """People wait at the gate, and Porter knows of nobody else there."""
    await people_ask(play, play.gate, WAITING)
    return play


async def test_a_rule_from_trial_to_deciding(asked: Play) -> None:
    """Its card tells how it did; the question tells whom it would decide; only the yes lets it."""
    admin, gate = asked.admin, asked.gate
    before = set(gate.requests)
    await open_rules(admin, asked)
    card = await add_rule(admin, "Deny", "Premium: any", "Premium: yes")
    assert "Deny: without Premium" in card["text"]
    assert "on trial since" in card["text"]
    await until_told(admin, asked, f"would have denied {WAITING}, none of them decided by you yet")
    assert set(gate.requests) == before
    await walks.first_person(admin, gate.title)
    await admin.press("Deny")
    await admin.wait_for("denied")
    await until_told(admin, asked, f"would have denied {WAITING}; agreed with admins 1 of 1 times; too few to tell")
    await admin.press(re.compile("^1 · 🚫"))
    await admin.wait_for("Rule 1 of 1")
    await admin.press("▶ Let it decide by itself")
    question = await admin.wait_for("Let this rule decide by itself")
    assert f"⚠️ {WAITING - 1} people who wait now are refused at once:" in question["text"]
    assert question["text"].count("· 🚫 ") == WAITING - 1
    assert len(gate.denied) == 1
    yes = question["buttons"][0][0]["data"]
    await admin.press("Yes, it decides")
    await until_told(admin, asked, f"{WAITING - 1} denied")
    assert len(gate.denied) == WAITING
    answer = await forge(admin, yes)
    assert "too old or was answered" in answer["answer"]
    await asked.driver.ask_to_join(gate.peer, 1)
    await until_told(admin, asked, f"{WAITING} denied")
    audit = [(line.admin_name, line.verb) for line in await lines(asked) if line.outcome is AuditOutcome.DONE]
    assert ("Rules", AuditVerb.DENY_SOME) in audit
    await admin.send("/audit")
    screen = await admin.wait_for("Who did what")
    assert "Rules</b> ✅ deny many at" in screen["text"] or "Rules ✅ deny many at" in screen["text"]


async def test_a_porter_that_is_restarted_goes_on(asked: Play) -> None:
    """The decision under way is ended, the others come after the start; the audit counts each of them once."""
    admin, gate = asked.admin, asked.gate
    await open_rules(admin, asked)
    await add_rule(admin, "Deny")
    await admin.press("▶ Let it decide by itself")
    await admin.wait_for(f"⚠️ {WAITING} people")
    await admin.press("Yes, it decides")
    await asked.driver.ask_to_join(gate.peer, 30)
    for wanted in (8, 20, WAITING + 30):
        async with asyncio.timeout(30):
            while len(gate.denied) < wanted:  # noqa: ASYNC110 - the sandbox's world sets no event
                await asyncio.sleep(0.01)
        await asked.restart()
    told = [line.detail for line in await lines(asked) if line.verb is AuditVerb.DENY_SOME]
    assert sum(detail["denied"] for detail in told) == len(gate.denied) == WAITING + 30


async def test_rules_that_may_decide_no_more_say_so(asked: Play) -> None:
    """The right is gone: nobody is lost, the owner hears of it beside the screen, and the rules stand frozen."""
    admin, gate, world = asked.admin, asked.gate, asked.sandbox.world
    await open_rules(admin, asked)
    await add_rule(admin, "Deny")
    world.set_member(gate, BOT, Membership(BOT, world.now(), "admin", may_invite=False), asked.sandbox.admin_id)
    await admin.press("▶ Let it decide by itself")
    await admin.wait_for(f"⚠️ {WAITING} people")
    await admin.press("Yes, it decides")
    await admin.wait_for("are frozen: Porter may not let people in there any more")
    assert not gate.denied
    await admin.press("Rules")
    await admin.wait_for("Porter froze them")


async def test_conditions_are_chosen_and_typed(asked: Play) -> None:
    """Waits, link and words have questions of their own; what cannot be searched for leaves the question open."""
    admin = asked.admin
    await open_rules(admin, asked)
    await admin.press("Add a rule")
    await admin.wait_for("A rule for")
    await admin.press("Waits …")
    await admin.wait_for("How long they wait")
    await admin.press("over 1 day")
    await admin.wait_for("waiting over 1 day")
    await admin.press("Name contains …")
    await admin.wait_for("Send what shall be in the name")
    await admin.send("ab")
    await admin.wait_for("3 to 64 characters")
    await admin.send("<b>Ann")
    await admin.wait_for("with «<b>Ann» in the name")
    await admin.press("Link …")
    await admin.wait_for("By which link")
    await admin.press("‹ Back")
    await admin.wait_for("A rule for")
    await admin.press("● Waits …")
    await admin.wait_for("How long they wait")
    await admin.press("However long")
    await admin.wait_for("A rule for")
    await admin.press("Keep this rule")
    card = await admin.wait_for("Rule 1 of 1")
    assert "Approve: with «<b>Ann» in the name" in card["text"]
    await admin.press("Change")
    await admin.wait_for("A rule for")
    await admin.press("✕ No conditions")
    await admin.wait_for("Approve: everybody")
    await admin.press("Leave to us")
    await admin.wait_for("Leave to us: everybody")
    await admin.press("Keep this rule")
    await admin.wait_for("Leave to us: everybody")


async def test_order_and_freeze(asked: Play) -> None:
    """What changes nothing for those who wait is done at once; a freeze is one tap, its end a question."""
    admin = asked.admin
    await open_rules(admin, asked)
    await add_rule(admin, "Approve")
    await open_rules(admin, asked)
    await admin.press("Add a rule")
    await admin.wait_for("A rule for")
    await admin.press("Leave to us")
    await admin.wait_for("Leave to us: everybody")
    await admin.press("Keep this rule")
    await admin.wait_for("Rule 2 of 2")
    await admin.press("↑ Earlier")
    screen = await admin.wait_for("Rules of")
    assert re.search(r"1\. ✋.*2\. ✅", screen["text"], re.DOTALL)
    await admin.press("‹ Back")
    await admin.wait_for("2 rules: 0 at work, 2 on trial")
    await admin.press("Rules")
    await admin.wait_for("Rules of")
    await admin.press("⏸ Freeze all rules")
    await admin.wait_for("Frozen since")
    await admin.press("▶ Let them work again")
    await admin.wait_for("Nobody who waits now is decided by this")
    await admin.press("Yes, let them work")
    screen = await admin.wait_for("Rules of")
    assert "Frozen" not in screen["text"]
    await admin.press(re.compile("^1 · ✋"))
    await admin.wait_for("Rule 1 of 2")
    await admin.press("Delete")
    await admin.wait_for("Delete this rule?")
    await admin.press("Yes, delete")
    screen = await admin.wait_for("Rules of")
    assert "✋" not in screen["text"]


async def test_an_approver_looks_and_freezes(tmp_path: Path) -> None:
    """Everything else of rules and greetings is the owners', forged or not; another channel's rules are not shown."""
    async with with_approver(tmp_path) as (play, boris):
        await open_rules(play.admin, play)
        await add_rule(play.admin, "Deny")
        await open_rules(boris, play)
        assert {"⏸ Freeze all rules"} <= set(await boris.buttons())
        assert not {"Add a rule"} & set(await boris.buttons())
        peer = play.gate.peer
        owners = (f"rr1:add:{peer}:0", "rr1:live:1:0", "rr1:del:1:0", f"rr1:free:{peer}:0", "ry1:1", f"gr1:hi:{peer}")
        for data in (*owners, "cn1:f:0", f"gr1:no0:{peer}"):
            assert "not for" in (await forge(boris, data))["answer"], data
        await forge(boris, f"rr1:list:{play.private.peer}:0")
        assert len(await refused(play, boris.account_id)) == len(owners) + 3
        await open_rules(boris, play)
        await boris.press("⏸ Freeze all rules")
        await boris.wait_for("Frozen since")
        stranger = play.actor(THIRD)
        await stranger.send("/start")
        assert not await stranger.bot_messages()


async def test_a_welcome_is_set_shown_and_sent(asked: Play) -> None:
    """As plain text, to whoever has just asked, before they are let in; removed, nothing is written."""
    admin = asked.admin
    await open_rules(admin, asked, "What people are told")
    await admin.press("Welcome …")
    await admin.wait_for("Send the text")
    await admin.send("x" * 1001)
    await admin.wait_for("1,000 characters at most")
    await admin.send("Hello <b>you</b> & all")
    await admin.wait_for("Hello <b>you</b> & all")
    await walks.first_person(admin, asked.gate.title)
    await admin.press("Approve")
    await admin.wait_for("approved")
    [user_id] = asked.gate.approved
    written = await asked.driver.messages(asked.sandbox.bot.id, user_id)
    assert [message["text"] for message in written] == ["Hello <b>you</b> & all"]
    await open_rules(admin, asked, "What people are told")
    await admin.press("✕ No welcome")
    await admin.wait_for("Welcome: nothing")
    assert AuditVerb.GREETING in {line.verb for line in await lines(asked)}
