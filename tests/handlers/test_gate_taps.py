"""The taps that CHAT.md promises at the gate, counted by the driver while it walks."""

import re
from datetime import timedelta
from typing import Any

import pytest

from handlers.callbacks import GateCard
from sandbox import walks
from sandbox.driver import Actor
from storage.types import utc_now
from tests.handlers.people_kit import forge
from tests.play import Play


@pytest.fixture
async def loaded(play: Play) -> Play:
    await play.sign_in()
    await walks.load_requests(play.admin, str(play.gate.peer))
    return play


def people_of(screen: dict[str, Any]) -> set[int]:
    """Whom a card or a list names by a link to their profile."""
    return {each["user"]["id"] for each in screen["entities"] if each["type"] == "text_mention"}


async def test_first_request_from_an_empty_installation(play: Play) -> None:
    """Connected by Telegram's own picker; the first who asks from then on stands on the screen with the fourth tap,
    and home no longer says that nothing is set up."""
    admin = play.admin
    await admin.send("/start")
    await admin.wait_for("Nothing is set up")
    await admin.press("Approve requests")
    await admin.wait_for("Choose a channel or group")
    await admin.share_chat(play.gate.peer)
    await admin.wait_for("New requests .* will come here. Older ones need an account")
    assert {"Add my account", "Later"} <= set(await admin.buttons())
    await admin.send("/start")
    home = await admin.wait_for("New requests at 1 channel come here")
    assert "Nothing is set up" not in home["text"]
    assert {"Add my account", "Connect a channel"} <= set(await admin.buttons())
    (asked,) = await play.driver.ask_to_join(play.gate.peer, 1)
    await at_home(admin, "1 waits at 1 channel")
    await admin.press(re.compile("^🚪 1 · "))
    screen = await admin.wait_for("1 person waits")
    await admin.press(data=screen["buttons"][0][0]["data"])
    assert people_of(await admin.wait_for("wants to join")) == {asked}
    assert admin.taps == 4


async def at_home(admin: Actor, line: str) -> None:
    """Home, once Porter has heard it."""
    for _ in range(200):
        await admin.send("/start")
        if re.search(line, (await admin.wait_for("Porter"))["text"]):
            return
    raise AssertionError(f"home never says {line!r}")


@pytest.mark.parametrize("begin", ["home", "digest"])
async def test_a_group_is_decided_in_three(loaded: Play, begin: str) -> None:
    """From home's line or from a digest: the channel, Approve N, Confirm. Those who were meant are in, and no others:
    the sandbox's own lists say so."""
    admin, gate, world = loaded.admin, loaded.gate, loaded.sandbox.world
    if begin == "digest":
        await loaded.driver.ask_to_join(gate.peer, 1)  # at any hour: of those loaded, who asked long ago is no news
    people = [world.account(user_id) for user_id in gate.requests]
    meant = {each.id for each in people if each.username and each.has_photo and not (each.scam or each.fake)}
    others = {each.id for each in people} - meant
    await at_home(admin, f"{len(people)} wait at 1 channel")
    if begin == "digest":
        await loaded.house.notices.tell(utc_now())
        await loaded.house.notices.tell(utc_now() + timedelta(minutes=1))
        await admin.wait_for(f"{len(people)} wait.$")
    before = admin.taps
    await admin.press(re.compile(f"^🚪 {len(people)} · ") if begin == "home" else "Review")
    await admin.wait_for(f"{len(people)} people wait")
    await admin.press(f"✅ Approve {len(meant)}")
    await admin.wait_for(f"Approve {len(meant)} people")
    await admin.press(walks.CONFIRM)
    assert admin.taps == before + 3
    await admin.wait_for(f"(?s)✅ .*done.*{len(meant)} in")
    waiting = await loaded.driver.requests(gate.peer)
    assert set(waiting["approved"]) == meant
    assert set(waiting["pending"]) == others
    assert not waiting["denied"]


async def test_the_next_person_is_one_tap_away(loaded: Play) -> None:
    """Approved, denied or passed over: the next one stands in the same message, and nobody stands there twice."""
    admin, gate = loaded.admin, loaded.gate
    screen = await walks.first_person(admin, gate.title)
    message, met = screen["id"], []
    for label in ("Approve", "Deny", "Next ›", "Approve", "Next ›", "Deny"):
        met += people_of(screen)
        before = admin.taps
        await admin.press(label)
        screen = await admin.wait_for("wants to join")
        assert admin.taps == before + 1
        assert screen["id"] == message
    assert len(met) == len(set(met)) == 6
    lists = await loaded.driver.requests(gate.peer)
    assert lists["approved"] == [met[0], met[3]]
    assert lists["denied"] == [met[1], met[5]]


@pytest.mark.parametrize(("asked_from", "where"), [("ticks", "8 ticked"), ("search", "with «guest» in the name")])
async def test_back_from_the_question_loses_nothing(loaded: Play, asked_from: str, where: str) -> None:
    """Back leads to the ticks, or to the list of those found, that the question was about."""
    admin = loaded.admin
    await walks.waiting_list(admin, loaded.gate.title)
    if asked_from == "ticks":
        await admin.press("☑ Tick")
        await admin.wait_for("0 ticked")
        await admin.press("☑ This page")
    else:
        await admin.send("guest")
    await admin.wait_for(where)
    await admin.press(re.compile("^✅ Approve"))
    await admin.wait_for(r"Approve \d+ people")
    await admin.press("‹ Back")
    await admin.wait_for(where)
    assert not loaded.gate.approved


async def test_the_card_of_a_gate_asks_what_is_not_known(play: Play) -> None:
    """An account's list does not tell what the bot may do there: the card asks, and again where there was no answer."""
    admin = play.admin
    await play.sign_in()
    await play.house.channels.listing((await play.house.sessions.all())[0].id, refresh=True)
    await play.driver.fault("getChatMember", error="FLOOD_WAIT_600")
    await admin.send("/start")
    await admin.wait_for("Porter")
    await forge(admin, GateCard(channel=play.gate.peer).pack())
    await admin.wait_for("does not say just now whether the bot may let people in")
    await admin.press("Check again")
    await admin.wait_for("The bot lets people in")
    assert "Check again" not in await admin.buttons()
    await forge(admin, GateCard(channel=play.private.peer).pack())
    await admin.wait_for("The bot may not let people in: give it")


async def test_a_gate_where_nobody_waits_is_reached(play: Play) -> None:
    """A channel whose list is empty keeps its place below the others: its rules can be frozen there."""
    admin = play.admin
    await play.house.channels.refresh_bot_rights(play.gate.peer)
    await admin.send("/requests")
    await admin.wait_for("Nobody waits")
    await admin.press(play.gate.title)
    await admin.wait_for("Nobody waits here")
    assert set(await admin.buttons()) == {"Load who waits", "⚙️ Gate", "‹ Back", "🏠 Home"}
    await admin.press("⚙️ Gate")
    await admin.wait_for("nobody waits")
    assert "Rules" in await admin.buttons()
