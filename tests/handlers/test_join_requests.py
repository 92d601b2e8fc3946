"""Waiting people through the chat: load, review one by one, decide all, and what others do meanwhile."""

import pytest

from sandbox import walks
from sandbox.driver import Actor
from tests.play import Play


@pytest.fixture
async def signed_in(play: Play) -> Play:
    await play.sign_in()
    return play


@pytest.fixture
async def loaded(signed_in: Play) -> Play:
    await walks.load_requests(signed_in.admin, str(signed_in.gate.peer))
    return signed_in


async def test_nobody_waits_says_what_to_do(play: Play) -> None:
    """The empty overview names both ways in: loading, and connecting."""
    await play.admin.send("/requests")
    await play.admin.wait_for("Nobody waits")
    assert {"Load who waits", "Connect a channel"} <= set(await play.admin.buttons())


async def test_load_needs_an_account(play: Play) -> None:
    """Without an account nothing can be loaded: said so, with the buttons that help. A bot's token does not; an account
    that is signed out does."""
    for text in ("/load", f"/load {play.gate.peer}"):
        await play.admin.send(text)
        await play.admin.wait_for("needs an account")
        buttons = await play.admin.buttons()
        assert {"Add account", "I have a session file/string"} <= set(buttons)
        assert "I have a bot token" not in buttons
    await play.sign_in()
    await play.driver.revoke(play.sandbox.admin_id)
    await play.admin.send("/sessions")
    await play.admin.wait_for("Accounts")
    await play.admin.press(walks.beginning("🟢"))
    await play.admin.wait_for("ready")
    await play.admin.press("Check now")
    await play.admin.wait_for("signed out")
    await play.admin.send("/load")
    await play.admin.wait_for("needs an account")
    assert (await play.admin.buttons())[:2] == ["Sign in again: Anna", "Add account"]


async def test_load_from_the_list(signed_in: Play) -> None:
    """/load offers the channels where the account may let people in; the card counts who is new."""
    everybody = len(signed_in.gate.requests)
    await signed_in.admin.send("/load")
    await signed_in.admin.wait_for("At which channel")
    await signed_in.admin.press(walks.beginning(signed_in.gate.title))
    await signed_in.admin.wait_for(f"{everybody} people wait")
    await signed_in.admin.press("All")
    screen = await signed_in.admin.wait_for(r"✅ .*done")
    assert f"{everybody} new" in screen["text"]
    await walks.load_requests(signed_in.admin, str(signed_in.gate.peer))
    assert f"{everybody} known before" in (await signed_in.admin.screen())["text"]


async def test_load_without_the_right(play: Play) -> None:
    """An account without “Invite users” reads the words of the seed's troubleshooting."""
    member = play.gate.members[play.sandbox.admin_id]
    member.role, member.may_invite = "member", False
    await play.sign_in()
    await play.admin.send(f"/load {play.gate.peer}")
    await play.admin.wait_for("don't have permission to view join requests")


async def test_load_of_nonsense(signed_in: Play) -> None:
    """A name that nobody has is explained."""
    await signed_in.admin.send("/load @nobody_has_this")
    await signed_in.admin.wait_for("no such channel")


async def test_lists_have_pages(loaded: Play) -> None:
    """Eight a page, forward and back; everybody is shown once."""
    screen = await walks.waiting_list(loaded.admin, loaded.gate.title)
    seen: list[str] = []
    while True:
        seen += [key["data"] for row in screen["buttons"] for key in row if key["data"].startswith("jr2:show")]
        if "›" not in await loaded.admin.buttons():
            break
        await loaded.admin.press("›")
        screen = await loaded.admin.wait_for("people wait")
    assert len(seen) == len(set(seen)) == len(loaded.gate.requests)
    await loaded.admin.press("‹")
    await loaded.admin.wait_for("people wait")
    assert "›" in await loaded.admin.buttons()


async def test_the_card_of_a_gate(play: Play) -> None:
    """One card says how a channel is kept, and leads back to its list."""
    await play.driver.ask_to_join(play.gate.peer, 3)
    await play.admin.send("/requests")
    await play.admin.wait_for("3 at 1 channel")
    await play.admin.press(walks.beginning(play.gate.title))
    await play.admin.wait_for("3 people wait")
    await play.admin.press("⚙️ Gate")
    screen = await play.admin.wait_for("· 3 people wait")
    assert "The bot lets people in." in screen["text"]
    assert "every 30 minutes" in screen["text"]
    await play.admin.press("‹ Back")
    await play.admin.wait_for("3 people wait")


async def test_a_decision_shows_the_next_person_in_the_same_card(loaded: Play) -> None:
    """One tap decides and brings the next; the sandbox agrees."""
    first = await walks.first_person(loaded.admin, loaded.gate.title)
    taps = loaded.admin.taps
    await loaded.admin.press("Approve")
    second = await loaded.admin.wait_for("wants to join")
    assert loaded.admin.taps == taps + 1
    assert second["id"] == first["id"]
    assert "approved" in second["text"]
    await loaded.admin.press("Deny")
    await loaded.admin.wait_for("denied")
    assert (len(loaded.gate.approved), len(loaded.gate.denied)) == (1, 1)


async def test_a_decision_made_elsewhere_is_no_error(loaded: Play) -> None:
    """Somebody was faster in Telegram itself: the card says so and goes on with the next person."""
    screen = await walks.first_person(loaded.admin, loaded.gate.title)
    world, gate = loaded.sandbox.world, loaded.gate
    for user_id in list(gate.requests):
        world.decide(gate, user_id, loaded.sandbox.admin_id, approve=False)
    assert "wants to join" in screen["text"]
    await loaded.admin.press("Approve")
    await loaded.admin.wait_for("withdrawn or denied elsewhere")
    assert not gate.approved


async def test_a_card_that_was_decided_before_heals(loaded: Play) -> None:
    """The same button pressed twice decides once; the second press says so."""
    screen = await walks.first_person(loaded.admin, loaded.gate.title)
    approve = screen["buttons"][0][0]["data"]
    await loaded.admin.press("Approve")
    answer = await loaded.admin.press_forged(screen["id"], approve)
    assert "approved already" in answer["answer"]
    assert len(loaded.gate.approved) == 1


async def test_hostile_names_are_harmless(loaded: Play) -> None:
    """Markup in names is shown as text, direction marks are gone, and every card can be opened."""
    await walks.first_person(loaded.admin, loaded.gate.title)
    for _ in range(len(loaded.gate.requests) + 1):
        screen = await loaded.admin.wait_for("wants to join", old=True)
        assert "\u202e" not in screen["text"]
        await loaded.admin.press("Next ›")


async def test_approve_all_asks_and_a_yes_counts_once(loaded: Play) -> None:
    """The question names count and people; the answer works once, and a replay changes nothing."""
    everybody = len(loaded.gate.requests)
    await loaded.admin.send("/requests")
    await loaded.admin.wait_for("Waiting people")
    await loaded.admin.press(walks.beginning(loaded.gate.title))
    await loaded.admin.wait_for("people wait")
    await loaded.admin.press("Approve all")
    question = await loaded.admin.wait_for(f"Approve all {everybody}")
    assert not loaded.gate.approved
    yes = question["buttons"][0][0]["data"]
    await loaded.admin.press(walks.CONFIRM)
    await loaded.admin.wait_for(r"✅ .*done", 30)
    assert len(loaded.gate.approved) == everybody
    answer = await loaded.admin.press_forged(question["id"], yes)
    assert "too old or was answered" in answer["answer"]


async def test_a_yes_of_five_minutes_ago_counts_no_more(loaded: Play) -> None:
    """Somebody else's, or nobody's, yes decides nothing."""
    await loaded.admin.send("/start")
    screen = await loaded.admin.wait_for("Porter")
    answer = await loaded.admin.press_forged(screen["id"], "ok1:999")
    assert "too old" in answer["answer"]


async def test_an_approval_that_telegram_puts_off(loaded: Play) -> None:
    """A long 429 is told as a clock time at once: the admin's chat does not stand still, the person waits on."""
    await walks.first_person(loaded.admin, loaded.gate.title)
    await loaded.driver.fault("approveChatJoinRequest", error="FLOOD_WAIT_600")
    answer = await loaded.admin.press("Approve")
    assert "patience until" in answer["answer"]
    assert not loaded.gate.approved


async def test_deny_all(loaded: Play) -> None:
    """Everybody is denied, nobody got in."""
    everybody = len(loaded.gate.requests)
    await walks.decide_all(loaded.admin, loaded.gate.title, "Deny all")
    assert (len(loaded.gate.denied), len(loaded.gate.approved)) == (everybody, 0)


async def test_requests_that_arrive_are_stored_once(play: Play) -> None:
    """Without any account: who asks while Porter runs appears by itself, and the bot decides."""
    await play.driver.ask_to_join(play.gate.peer, 3)
    admin: Actor = play.admin
    for _ in range(100):
        await admin.send("/requests")
        screen = await admin.wait_for("Waiting people")
        if "3 at 1 channel" in screen["text"]:
            break
    await walks.first_person(admin, play.gate.title)
    await admin.press("Approve")
    await admin.wait_for("approved")
    assert len(play.gate.approved) == 1
    await walks.decide_all(admin, play.gate.title)
    assert len(play.gate.approved) == 3
