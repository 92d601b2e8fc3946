"""Who may what: approvers, viewers and strangers against owners' buttons, by taps, replays and forged data."""

import asyncio
from pathlib import Path

from sandbox import walks
from storage.models import AuditOutcome, AuditVerb, RunStatus
from tests.handlers.people_kit import (
    SECOND,
    THIRD,
    buttons_of,
    done,
    forge,
    lines,
    people_ask,
    refused,
    with_approver,
)
from tests.play import Play

OWNERS_BUTTONS = (
    "go1:sessions:0",
    "go1:login:0",
    "go1:import:0",
    "go1:add:0",
    "go1:connect:0",
    "go1:admins:0",
    "go1:safety:0",
    "go1:audit:0",
    "se1:del!:1:0",
    "se1:in:1:0",
    "sm1:1:2",
    "so1:run:1",
    "so1:del!:1",
    "sp1:ok:0",
    "kp1:1:1",
    "ka1:1:ok",
    "im1:1",
    "rs1:1",
    "ad1:own:5100000002",
    "ad1:rm:5100000001",
    "ac1:1:0",
    "as1:1",
    "pn1:1:1",
    "pa1:1:ok",
    "sf1:set",
    "au1:0:0",
    "zz9:what:ever",
    "",
)
OWNERS_COMMANDS = ("/login", "/sessions", "/scrape", "/admins", "/audit")


async def waiting_at(play: Play, peer: int) -> list[int]:
    return (await play.driver.requests(peer))["pending"]


async def test_an_approver_sees_and_decides_their_channel_alone(tmp_path: Path) -> None:
    """Home, overview and cards hold the one channel; a decision there is made, and offered is only what may be done."""
    async with with_approver(tmp_path) as (play, boris):
        screen = await boris.screen()
        assert "3 wait at 1 channel" in screen["text"]
        assert await buttons_of(boris) == {"🚪 3 · Harbour Crew", "🚪 Waiting people", "🔧 Settings", "Help"}
        await boris.press("Help")
        helped = (await boris.wait_for("What Porter does"))["text"]
        assert "/load" in helped
        assert not any(command in helped for command in OWNERS_COMMANDS)
        await boris.send("/requests")
        screen = await boris.wait_for("3 at 1 channel")
        assert play.private.title[:14] not in str(screen["buttons"])
        assert "Connect a channel" not in await buttons_of(boris)
        await walks.first_person(boris, play.gate.title)
        await boris.press("Approve")
        await boris.wait_for("approved")
        assert len(play.gate.approved) == 1
        await walks.decide_all(boris, play.gate.title)
        assert len(play.gate.approved) == 3
        mine = [line for line in await lines(play) if line.admin_id == SECOND]
        assert [line.verb for line in mine] == [AuditVerb.APPROVE_ALL, AuditVerb.APPROVE_ALL, AuditVerb.APPROVE]
        assert mine[0].detail["approved"] == 2
        assert mine[-1].detail["channel"] == play.gate.title


async def test_an_approver_elsewhere_is_refused(tmp_path: Path) -> None:
    """The other channel's buttons, sent by hand: lists, cards, decisions, bulk, loading. Nothing happens there."""
    async with with_approver(tmp_path) as (play, boris):
        shown = await walks.first_person(play.admin, play.private.title)
        theirs = [key["data"] for row in shown["buttons"] for key in row if key["data"].startswith(("jr1", "jr2"))]
        assert len(theirs) >= 4
        peer = play.private.peer
        for data in (*theirs, f"jr1:list:{peer}:0", f"bk1:0:{peer}:1:0", f"bk1:0:{peer}:0:0", f"lp1:{peer}:0"):
            answer = await forge(boris, data)
            assert answer["alert"], data
            assert "not for you" in answer["answer"]
        assert len(await waiting_at(play, peer)) == 3
        assert len(await refused(play, SECOND)) == len(theirs) + 4
        await boris.send(f"/load {peer}")
        await boris.wait_for("not for you")
        await boris.send("/load hello")
        await boris.wait_for("no such channel")
        await boris.send("/load @somewhere")
        await boris.wait_for("not for you")


async def test_an_approver_loads_for_their_channel_alone(tmp_path: Path) -> None:
    """By the list, and by a name that only their own channels answer to; other work's cards stay closed."""
    async with with_approver(tmp_path) as (play, boris):
        await play.sign_in()
        await boris.send("/load")
        await boris.wait_for("At which channel")
        assert any(label.endswith(play.gate.title) for label in await buttons_of(boris))
        assert play.private.title not in await buttons_of(boris)
        await boris.send(play.private.title)
        await boris.wait_for("no such channel")  # as any word would be answered
        await walks.load_requests(boris, play.gate.title)
        loaded = await boris.screen()
        assert "🚪 Who waits there" in str(loaded["buttons"])
        await walks.add_source(play.admin, play.private.title)
        await walks.scrape(play.admin)
        for data in ("ru1:show:2", "ru1:tell:2", "ru1:stop:2"):
            assert "not for you" in (await forge(boris, data))["answer"]


async def test_an_owners_yes_is_nothing_in_other_hands(tmp_path: Path) -> None:
    """A confirmation is bound to who was asked: an approver who forges it decides nothing."""
    async with with_approver(tmp_path) as (play, boris):
        await play.admin.send("/requests")
        await play.admin.wait_for("Waiting people")
        await play.admin.press(walks.beginning(play.private.title))
        await play.admin.wait_for("people wait")
        await play.admin.press("Approve all")
        question = await play.admin.wait_for("Approve all 3")
        answer = await forge(boris, question["buttons"][0][0]["data"])
        assert "too old" in answer["answer"]
        assert len(await waiting_at(play, play.private.peer)) == 3


async def test_owners_buttons_and_commands_refuse_the_others(tmp_path: Path) -> None:
    """Each kind of owners' button, known or not, forged by approver and viewer: an alert, a line, and nothing else."""
    async with with_approver(tmp_path) as (play, boris):
        clara = play.actor(THIRD)
        await clara.send("/start")
        await walks.add_admin(play.admin, THIRD, "Viewer")
        await clara.send("/start")
        await clara.wait_for("Porter")
        admins = await play.house.admins.all()
        await play.driver.reset_calls()
        for actor in (boris, clara):
            for data in OWNERS_BUTTONS:
                answer = await forge(actor, data)
                assert answer["alert"], data
                assert "not for you" in answer["answer"]
            for command in OWNERS_COMMANDS:
                await actor.send(command)
                await actor.wait_for("not for you")
            written = [line for line in await lines(play) if line.admin_id == actor.account_id]
            assert len(written) >= len(OWNERS_BUTTONS) + len(OWNERS_COMMANDS)
            assert {line.outcome for line in written} == {AuditOutcome.REFUSED}
        assert await play.house.admins.all() == admins
        assert set(await play.driver.calls()) == {play.sandbox.bot.id}, "no account was used"


async def test_a_viewer_looks_and_changes_nothing(play: Play) -> None:
    """Lists and cards open without a button that changes something; the buttons themselves, forged, are refused."""
    clara = play.actor(THIRD)
    await people_ask(play, play.gate)
    await clara.send("/start")
    await walks.add_admin(play.admin, THIRD, "Viewer")
    await clara.send("/start")
    await clara.wait_for("3 wait at 1 channel")
    assert await buttons_of(clara) == {
        "🚪 3 · Harbour Crew",
        "🚪 Waiting people",
        "📥 Saved channels",
        "🔧 Settings",
        "Help",
    }
    await clara.press("📥 Saved channels")
    await clara.wait_for("Saved channels")
    assert await buttons_of(clara) == {"🏠 Home"}
    await walks.first_person(clara, play.gate.title)
    assert not {"Approve", "Deny"} & await buttons_of(clara)
    request = (await clara.screen())["buttons"][0][0]["data"].split(":")[2]
    before = await waiting_at(play, play.gate.peer)
    decisions = [f"jr{kind}:{verb}:{request}:0" for kind in (1, 2) for verb in ("yes", "no", "ban", "bans", "undo")]
    others = [f"bk1:0:{play.gate.peer}:1:0", f"lp1:{play.gate.peer}:0"]
    for data in (*decisions, *others):
        assert (await forge(clara, data))["alert"], data
    assert await waiting_at(play, play.gate.peer) == before
    assert len(await refused(play, THIRD)) == len(decisions) + len(others)


async def test_a_demoted_approver_with_an_old_card(tmp_path: Path) -> None:
    """The card and the question from before: both are void, and the screen shows a refusal instead of the person."""
    async with with_approver(tmp_path) as (play, boris):
        card = await walks.first_person(boris, play.gate.title)
        decide = card["buttons"][0][0]["data"]
        await boris.press("‹ Back")
        await boris.wait_for("people wait")
        await boris.press("Approve all")
        question = await boris.wait_for("Approve all 3")
        yes = question["buttons"][0][0]["data"]
        await walks.change_admin(play.admin, "Boris", "Make viewer")
        for data in (yes, decide):
            answer = await boris.press_forged(question["id"], data)
            assert answer["alert"]
            assert "not for you" in answer["answer"]
        shown = next(m for m in await boris.bot_messages() if m["id"] == question["id"])
        assert "not for you" in shown["text"]
        assert play.gate.title not in shown["text"]
        await walks.change_admin(play.admin, "Boris", "Make owner")
        assert "too old" in (await forge(boris, yes))["answer"], "void for good, even for an owner"
        assert not play.gate.approved


async def test_channels_taken_away_between_question_and_run(tmp_path: Path) -> None:
    """A queued run asks again before it decides: of who lost the channel meanwhile it decides nothing, and says so."""
    async with with_approver(tmp_path) as (play, boris):
        house, before = play.house, await waiting_at(play, play.gate.peer)
        await house.runner.stop()
        await boris.send("/requests")
        await boris.wait_for("Waiting people")
        await boris.press(walks.beginning(play.gate.title))
        await boris.wait_for("people wait")
        await boris.press("Approve all")
        await boris.wait_for("Approve all 3")
        await boris.press(walks.CONFIRM)
        await boris.wait_for("about to start")
        await walks.change_admin(play.admin, "Boris", "Make viewer")
        run = (await house.runner._runs.active())[0]
        await house.runner.start()
        for _ in range(500):
            settled = await house.runner.get(run.id)
            if settled.status is RunStatus.FAILED:
                break
            await asyncio.sleep(0.01)
        assert settled.reason == "NotAllowed"
        assert await waiting_at(play, play.gate.peer) == before
        assert f"{AuditVerb.APPROVE_ALL} {play.gate.title}" in await refused(play, SECOND)


async def test_a_demoted_owner_in_the_middle_of_a_login(play: Play) -> None:
    """What was open is void; what is typed for it is deleted unread; a removed one meets silence."""
    boris = play.actor(SECOND)
    await boris.send("/start")
    await walks.add_admin(play.admin, SECOND, "Owner")
    account = next(a for a in play.sandbox.line()["accounts"] if a["id"] == SECOND)
    await boris.send("/login")
    await boris.wait_for("API id")
    await boris.send(str(account["api_id"]))
    await boris.wait_for("API hash")
    await walks.change_admin(play.admin, "Boris", "Make viewer")
    sent = await boris.send(account["api_hash"])
    await boris.wait_for("nothing to type")
    gone = next(m for m in await boris.messages() if m["id"] == sent["id"])
    assert gone["deleted"]
    await boris.send("/start")
    screen = await boris.wait_for("Porter")
    assert "login waits" not in screen["text"]
    await walks.change_admin(play.admin, "Boris", "Remove")
    before = await boris.messages()
    press = asyncio.create_task(forge(boris, "go1:home:0"))
    await boris.send("/start")
    await play.admin.send("/help")
    await play.admin.wait_for("What Porter does")
    assert not press.done()
    press.cancel()
    after = await boris.messages()
    assert [m["id"] for m in after if m["from"] != SECOND] == [m["id"] for m in before if m["from"] != SECOND]


async def test_what_only_looks_like_a_command(play: Play) -> None:
    """A file whose caption names a command, or a command for another bot, is what it is: deleted, and not taken in."""
    clara = play.actor(THIRD)
    await clara.send("/start")
    await walks.add_admin(play.admin, THIRD, "Viewer")
    for caption in ("/start", "/start@other_bot"):
        sent = await clara.upload("my.session", b"x", caption)
        await clara.wait_for("nothing to type")
        assert next(m for m in await clara.messages() if m["id"] == sent["id"])["deleted"]
    await clara.send("/start@other_bot")
    await clara.wait_for("nothing to type")
    await clara.send("/start@Harbour_Porter_bot")
    await clara.wait_for("Porter")


async def test_a_stranger_gets_nothing_at_all(play: Play) -> None:
    """No message, no answer, and no line of the audit, whatever is sent."""
    stranger = play.actor(play.stranger().id)
    for text in ("/start", "/admins", "/audit", "/load x", "hello", "1234"):
        await stranger.send(text)
    await play.admin.send("/help")
    await play.admin.wait_for("What Porter does")
    assert not await stranger.bot_messages()
    assert not await lines(play)


async def test_a_removed_admins_card_is_drawn_no_more(tmp_path: Path) -> None:
    """The screen of who may not see it any more stays as it was."""
    async with with_approver(tmp_path) as (play, boris):
        await walks.decide_all(boris, play.gate.title)
        card = await boris.screen()
        await walks.change_admin(play.admin, "Boris", "Remove")
        await people_ask(play, play.gate, 2)
        await walks.decide_all(play.admin, play.gate.title)
        assert (await boris.screen())["version"] == card["version"]
        assert AuditVerb.ROLE_TAKE in await done(play)
