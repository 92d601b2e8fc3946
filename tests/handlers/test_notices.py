"""Who is told of new people, how, and what may be pressed there: admins' own chats, and the group of NOTIFY_CHAT."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.callbacks import NoticeAction, NoticeVerb
from sandbox import walks
from sandbox.driver import Actor, DriverError
from sandbox.groups import FIRST_GROUP, FIRST_SUPERGROUP
from sandbox.scenarios import BOT
from sandbox.world import peer_of_channel
from services.admins import Appointment
from storage.models import AuditVerb, Role
from storage.request_models import NotifyMode
from storage.types import utc_now
from tests.handlers.people_kit import SECOND, THIRD, done, refused
from tests.play import Play, open_play


async def come(play: Play, count: int = 1) -> list[int]:
    """They ask, and Porter has stored them."""
    lists = play.house.requests.lists
    before = sum(entry.pending for entry in await lists.overview())
    users = await play.driver.ask_to_join(play.gate.peer, count)
    for _ in range(500):
        if sum(entry.pending for entry in await lists.overview()) == before + count:
            return users
        await asyncio.sleep(0.02)
    raise AssertionError("the requests did not come")


async def tell(play: Play, later: timedelta = timedelta(minutes=1)) -> None:
    """What is due then."""
    await play.house.notices.tell(utc_now())  # sees who has come
    await play.house.notices.tell(utc_now() + later)


async def choose(play: Play, mode: NotifyMode, admin_id: int | None = None) -> None:
    desk = play.house.desks.notices(admin_id or play.sandbox.admin_id)
    await desk.choose(play.gate.peer, mode)


async def appoint(play: Play, person: int, role: Role, name: str) -> None:
    channels = (play.gate.peer,) if role is Role.APPROVER else ()
    await play.house.channels.refresh_bot_rights(play.gate.peer)
    await play.house.admins.settle(play.sandbox.admin_id, Appointment(person, name, None, role, channels))


async def started(play: Play, person: int) -> Actor:
    actor = play.actor(person)
    await actor.send("/start")
    await actor.wait_for("Porter")
    return actor


async def test_a_digest_leads_to_the_list_and_can_be_silenced(play: Play) -> None:
    """From the message in one tap to who waits; the message is the screen then, and the next digest leaves it alone."""
    await play.admin.send("/start")
    await play.admin.wait_for("Porter")
    await come(play, 3)
    await tell(play)
    await play.admin.wait_for(r"3 new at .*, 3 wait\.")
    await play.admin.press("Review")
    await play.admin.wait_for("3 people wait")
    await come(play, 1)
    await tell(play, timedelta(hours=1))
    await play.admin.wait_for(r"1 new at .*, 4 wait\.")
    assert any("3 people wait" in message["text"] for message in await play.admin.bot_messages())
    await play.admin.press("Silence here")
    await play.admin.wait_for("Not at all")
    assert "✅ Silence" in await play.admin.buttons()
    await come(play, 1)
    await tell(play, timedelta(hours=3))
    assert not any("1 new" in message["text"] for message in await play.admin.bot_messages())


async def test_a_digest_that_is_too_old_to_go_says_that_it_is_over(play: Play) -> None:
    """Telegram lets a bot delete for 48 hours: later its buttons go, and the words."""
    await play.admin.send("/start")
    await come(play, 1)
    await tell(play)
    old = await play.admin.wait_for("1 new", old=True)
    await play.driver.advance(3 * 24 * 3600)
    await come(play, 1)
    await tell(play, timedelta(days=3))
    await play.admin.wait_for(r"1 new at .*, 2 wait\.", old=True)
    shown = next(message for message in await play.admin.messages() if message["id"] == old["id"])
    assert "over" in shown["text"]
    assert not shown["buttons"]


async def test_how_a_channel_tells_is_chosen_at_its_gate(play: Play) -> None:
    """From the list to the choice, every choice ticked when it holds, each one a line of the audit."""
    await come(play)
    await play.admin.send("/requests")
    await play.admin.wait_for("Waiting people")
    await play.admin.press(walks.beginning(play.gate.title))
    await play.admin.wait_for("waits")
    await play.admin.press(re.compile("Gate"))
    await play.admin.wait_for("told of new people")
    await play.admin.press(re.compile("Who is told"))
    await play.admin.wait_for("Every 30 minutes")
    for label, says in (("6 h", "Every 6 hours"), ("daily", "Every day"), ("A card for each", "by a card for each")):
        await play.admin.press(label)
        await play.admin.wait_for(says)
        assert f"✅ {label}" in await play.admin.buttons()
    assert (await done(play)).count(AuditVerb.NOTIFY) == 3
    answer = await play.admin.press_forged(
        (await play.admin.screen())["id"],
        NoticeAction(verb=NoticeVerb.DIGEST, id=play.gate.peer, value=1).pack(),
    )
    assert "not there" in answer["answer"]
    await play.admin.press("daily")
    await play.admin.wait_for("Every day")
    await play.admin.press("‹ Back")
    await play.admin.wait_for("told of new people every day")


async def test_a_card_decides_in_place_and_its_copies_heal(play: Play) -> None:
    """The press heals its own message, the loop the other admin's, which names who decided, and every one says it when
    that is taken back; a late press says so."""
    boris = play.actor(SECOND)
    await boris.send("/start")
    await appoint(play, SECOND, Role.APPROVER, "Boris")
    await started(play, SECOND)
    for verb in (NoticeVerb.SHOW, NoticeVerb.SILENCE):
        answer = await boris.press_forged(
            (await boris.screen())["id"], NoticeAction(verb=verb, id=play.private.peer).pack()
        )
        assert answer["alert"], "not his channel"
    await play.admin.send("/start")
    await choose(play, NotifyMode.CARDS)
    first, second = await come(play, 2)
    await tell(play)
    await boris.wait_for("wants to join", old=True)
    await boris.press(data=NoticeAction(verb=NoticeVerb.APPROVE, id=1).pack())
    card = await boris.wait_for("approved by Boris Klein")
    assert list(play.gate.approved) == [first]
    await play.admin.wait_for("approved by Boris Klein", old=True)
    late = await boris.press_forged(card["id"], NoticeAction(verb=NoticeVerb.DENY, id=1).pack())
    assert "approved already" in late["answer"]
    await play.house.desks.requests(SECOND).undo(1)
    await play.house.notices.heal()
    for actor in (boris, play.admin):
        await actor.wait_for("denied by Boris Klein", old=True)
    other = await boris.wait_for("wants to join", old=True)
    await boris.press_forged(other["id"], NoticeAction(verb=NoticeVerb.DENY, id=1).pack())
    assert "wants to join" in next(m["text"] for m in await boris.messages() if m["id"] == other["id"])
    world = play.sandbox.world
    world.decide(play.gate, second, play.sandbox.admin_id, approve=False)
    await play.admin.press(data=NoticeAction(verb=NoticeVerb.APPROVE, id=2).pack())
    await play.admin.wait_for("withdrawn or denied elsewhere")
    await play.house.notices.heal()
    assert not any(m["buttons"] for m in await boris.bot_messages() if "asked to join" in m["text"])


async def test_who_never_pressed_start_is_named_with_the_link(play: Play) -> None:
    """Once, to the owner, and in the list of admins until they have."""
    await play.admin.send("/start")
    await appoint(play, THIRD, Role.APPROVER, "")
    await come(play)
    await tell(play)
    named = await play.admin.wait_for("cannot write to", old=True)
    assert f"{THIRD}" in named["text"]
    assert "?start=hello" in named["text"]
    await play.admin.send("/admins")
    await play.admin.wait_for("never pressed Start")
    await play.admin.press(re.compile(f"{THIRD}"))
    assert "?start=hello" in (await play.admin.wait_for("never pressed Start"))["text"]
    clara = play.actor(THIRD)
    await clara.send("/start hello")
    await clara.wait_for("Porter")
    await play.admin.send("/admins")
    assert "never pressed Start" not in (await play.admin.wait_for("Admins"))["text"]


# -- the group


@pytest.fixture
async def grouped(tmp_path: Path) -> AsyncIterator[tuple[Play, int]]:
    """A forum with Anna (owner), Boris (viewer) and Clara (nobody); the bot may make topics. Cards are on."""
    async with open_play(tmp_path, notify_chat=peer_of_channel(FIRST_SUPERGROUP)) as play:
        group = int((await play.driver.found_group("Gatekeepers", account=SECOND, forum=True))["id"])
        assert group == play.settings.notify_chat
        await play.driver.member(group, THIRD, "member")
        await play.driver.member(group, BOT, "admin", ["topics"])
        await play.admin.send("/start")
        await appoint(play, SECOND, Role.VIEWER, "Boris")
        await come(play)
        await choose(play, NotifyMode.CARDS)
        await tell(play)
        yield play, group


def in_group(play: Play, group: int, person: int) -> Actor:
    return Actor(play.driver, person, group)


APPROVE = NoticeAction(verb=NoticeVerb.APPROVE, id=1).pack()


async def test_a_card_in_the_group_is_decided_there(grouped: tuple[Play, int]) -> None:
    """It stands in the channel's topic, once; whoever may decide presses it; nobody gets a copy."""
    play, group = grouped
    anna = in_group(play, group, play.sandbox.admin_id)
    card = await anna.wait_for("wants to join", old=True)
    topic = next(m for m in await anna.messages() if m["id"] == card["thread"])
    assert (topic["action"], topic["text"]) == ("topic_create", play.gate.title)
    assert not any("wants to join" in m["text"] for m in await play.admin.bot_messages())
    await anna.press("Approve")
    healed = await anna.wait_for("approved by Anna Berg")
    assert (healed["id"], healed["buttons"]) == (card["id"], None)
    assert len(play.gate.approved) == 1
    late = await anna.press_forged(card["id"], APPROVE)
    assert "approved already" in late["answer"]
    assert (await anna.screen())["text"] == healed["text"]


async def test_digests_in_the_group(grouped: tuple[Play, int]) -> None:
    """In the channel's topic, with a way to one's own chat; the next one takes its place, in a topic that is made anew
    where somebody has deleted it."""
    play, group = grouped
    anna = in_group(play, group, play.sandbox.admin_id)
    await choose(play, NotifyMode.DIGEST)
    await come(play, 2)
    await tell(play, timedelta(hours=1))
    told = await anna.wait_for(r"2 new at .*, 3 wait\.")
    (key,) = told["buttons"][0]
    assert key["url"].endswith("?start=hello")
    await play.driver.delete_post(group, told["thread"])
    await come(play, 1)
    await tell(play, timedelta(hours=2))
    anew = await anna.wait_for(r"1 new at .*, 4 wait\.")
    assert anew["thread"] > told["thread"]
    assert told["id"] not in {message["id"] for message in await anna.bot_messages()}


async def test_a_group_that_grows_and_one_that_is_left(tmp_path: Path) -> None:
    """Without topics cards stand in the group itself. It is followed when it becomes a supergroup, after a restart too.
    Put out of it, Porter tells owners so, and everybody in their own chat."""
    async with open_play(tmp_path, notify_chat=-FIRST_GROUP) as play:
        group = int((await play.driver.found_group("Gatekeepers"))["id"])
        assert group == play.settings.notify_chat
        await play.driver.member(group, BOT, "member")
        await play.admin.send("/start")
        await play.house.channels.refresh_bot_rights(play.gate.peer)
        await choose(play, NotifyMode.CARDS)
        await come(play)
        await tell(play)
        anna = in_group(play, group, play.sandbox.admin_id)
        assert (await anna.wait_for("wants to join", old=True))["thread"] is None
        await anna.press("Approve")
        await anna.wait_for("approved by Anna Berg")
        grown = int((await play.driver.migrate(group))["id"])
        await come(play)
        await tell(play)
        await play.restart()
        anna = in_group(play, grown, play.sandbox.admin_id)
        await anna.wait_for("wants to join", old=True)
        await anna.press("Deny")
        await anna.wait_for("denied by Anna Berg")
        await play.driver.member(grown, BOT, "left")
        await play.driver.advance(5)  # the same person asks once more: of another second, another asking
        await come(play)
        await tell(play)
        await play.admin.wait_for("cannot write to the group", old=True)
        await tell(play)
        await tell(play, timedelta(minutes=30))
        await play.admin.wait_for(r"1 new at .*, 1 waits\.", old=True)


async def test_a_viewers_press_in_the_group_is_refused(grouped: tuple[Play, int]) -> None:
    """By an alert that they alone see, and a line of the audit."""
    play, group = grouped
    answer = await in_group(play, group, SECOND).press("Approve")
    assert answer["alert"]
    assert answer["answer"]
    assert not play.gate.approved
    assert await refused(play, SECOND) == ["PRESS nt1"]


async def test_an_approver_of_other_channels_is_refused_there(grouped: tuple[Play, int]) -> None:
    """The role would do; the channel is not theirs."""
    play, group = grouped
    owner = play.sandbox.admin_id
    await play.house.admins.settle(owner, Appointment(SECOND, "Boris", Role.VIEWER, Role.APPROVER, ()))
    answer = await in_group(play, group, SECOND).press("Approve")
    assert answer["alert"]
    assert not play.gate.approved
    assert await refused(play, SECOND) == [f"APPROVE {(await play.house.requests.lists.get(1)).name}"]


async def test_a_strangers_press_in_the_group_meets_silence(grouped: tuple[Play, int]) -> None:
    """No answer, no change, no message to anybody; and nothing that is said there is answered."""
    play, group = grouped
    clara = in_group(play, group, THIRD)
    before = len(await clara.messages())
    press = asyncio.create_task(clara.press("Approve"))
    await clara.send("/start")
    await in_group(play, group, play.sandbox.admin_id).send("/requests")
    await play.admin.send("/help")
    await play.admin.wait_for("What Porter does")  # updates come in order: the press was handled before
    assert not press.done()
    press.cancel()
    with suppress(asyncio.CancelledError, DriverError):
        await press
    assert not play.gate.approved
    assert len(await clara.messages()) == before + 2, "what the two have said"


async def test_nothing_but_decisions_is_pressed_in_the_group(grouped: tuple[Play, int]) -> None:
    """An owner forges what works in their own chat: an alert, no screen, no change."""
    play, group = grouped
    anna = in_group(play, group, play.sandbox.admin_id)
    card = await anna.wait_for("wants to join", old=True)
    own, said = [[(m["id"], m["version"]) for m in await chat.messages()] for chat in (play.admin, anna)]
    forged = ("jr1:yes:1:0", "go1:admins:0", "ok1:1", f"nt1:x:{play.gate.peer}:0", "nt1:yes:x:0", "zz9:1")
    for data in forged:
        answer = await anna.press_forged(card["id"], data)
        assert "your own chat" in answer["answer"]
        assert answer["alert"]
    assert not play.gate.approved
    assert (await play.house.desks.notices(play.sandbox.admin_id).settings(play.gate.peer)).notify is NotifyMode.CARDS
    assert [(m["id"], m["version"]) for m in await play.admin.messages()] == own
    assert [(m["id"], m["version"]) for m in await anna.messages()] == said


async def test_what_goes_wrong_in_the_group_is_an_alert(grouped: tuple[Play, int]) -> None:
    """A request that is gone, and patience that Telegram asks for: nothing is said aloud."""
    play, group = grouped
    anna = in_group(play, group, play.sandbox.admin_id)
    card = await anna.wait_for("wants to join", old=True)
    answer = await anna.press_forged(card["id"], NoticeAction(verb=NoticeVerb.DENY, id=999).pack())
    assert "not there" in answer["answer"]
    await play.driver.fault("approveChatJoinRequest", error="FLOOD_WAIT_600")
    answer = await anna.press("Approve")
    assert "patience until" in answer["answer"]
    assert "wants to join" in (await anna.screen())["text"]
