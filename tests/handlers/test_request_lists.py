"""Lists of waiting people in the chat: what sets them apart, filters, search, ticks, cards that keep to their list."""

import re
from typing import Any

import pytest

from sandbox import walks
from sandbox.driver import Actor
from tests.play import Play

SHOW = re.compile(r"^Show")
SURELY = re.compile(r"^Yes, deny and ban «")


@pytest.fixture
async def loaded(play: Play) -> Play:
    """Thirty people wait, some with photos, some with usernames; who joins is told by the admin's own account."""
    await play.sign_in()
    await walks.load_requests(play.admin, str(play.gate.peer))
    return play


def keys(screen: dict[str, Any], prefix: str) -> list[str]:
    return [key["data"] for row in screen["buttons"] for key in row if key["data"].startswith(prefix)]


async def open_filter(play: Play) -> None:
    await walks.waiting_list(play.admin, play.gate.title)
    await play.admin.press("🔧 Filter")
    await play.admin.wait_for("Who is meant")


async def test_what_sets_them_apart(loaded: Play) -> None:
    """From home in one tap: groups with exact numbers, each to be opened, or to be asked about at once."""
    world, admin = loaded.sandbox.world, loaded.admin
    people = [world.account(user_id) for user_id in loaded.gate.requests]
    complete = sum(person.username is not None and person.has_photo for person in people)
    await admin.send("/start")
    await admin.wait_for("Porter")
    taps = admin.taps
    await admin.press(re.compile(r"^🚪 30"))
    screen = await admin.wait_for("30 people wait")
    assert f"{complete} with photo and username" in screen["text"]
    numbers = [int(number) for number in re.findall(r"^· (\d+) ", screen["text"], re.MULTILINE)]
    assert sum(numbers) == 30
    assert len(keys(screen, "bk1:")) == 2 * len(numbers) + 2  # and everybody
    assert f"✅ Approve {complete}" in await admin.buttons()
    assert admin.taps == taps + 1  # with this approval and its confirmation: three
    await admin.press(re.compile(r"photo and username"))
    shown = await admin.wait_for("people wait")
    assert f"{complete} people wait\nwith photo and username" in shown["text"]
    await admin.press("‹ Back")
    await admin.press(walks.ONE_LIST)
    assert "☑ Tick" in await admin.buttons()
    await admin.press("‹ Back")
    assert walks.ONE_LIST in await admin.buttons()


async def test_filters_combine_and_stay(loaded: Play) -> None:
    """A tap a change; the list, the cards and who is next are of those alone."""
    world, admin = loaded.sandbox.world, loaded.admin
    people = [world.account(user_id) for user_id in loaded.gate.requests]
    meant = {person.name for person in people if person.has_photo and person.username is None}
    await open_filter(loaded)
    await admin.press("Photo: any")
    await admin.wait_for("with photo")
    await admin.press("Username: any")
    await admin.press("Username: yes")
    screen = await admin.wait_for("without username")
    assert f"{len(meant)} people wait" in screen["text"]
    await admin.press(SHOW)
    screen = await admin.wait_for("with photo · without username")
    await admin.press(data=keys(screen, "jr2:show")[0])
    for _ in range(len(meant)):
        card = await admin.wait_for("wants to join", old=True)
        assert "no username · has a photo" in card["text"]
        await admin.press("Next ›")
    await admin.press("Deny")
    assert f"{len(meant) - 1} in all wait here with photo" in (await admin.wait_for("denied"))["text"]
    await admin.press("‹ Back")
    await admin.wait_for(f"{len(meant) - 1} people wait\nwith photo · without username")
    await admin.press("● Filter")
    await admin.press("✕ No conditions")
    assert "29 people wait" in (await admin.wait_for("everybody"))["text"]


async def test_quick_taps_add_up(loaded: Play) -> None:
    """The second of two taps came from the screen before the first: both count. An older message means its own."""
    world, admin = loaded.sandbox.world, loaded.admin
    people = [world.account(user_id) for user_id in loaded.gate.requests]
    meant = sum(person.has_photo and person.username is not None for person in people)
    await open_filter(loaded)
    first = await admin.screen()
    photo, username, premium = keys(first, "jr3:f:")[0], keys(first, "jr3:f:")[1], keys(first, "jr3:f:")[3]
    show = keys(first, "jr3:s:")[0]
    await admin.press(data=photo)
    await admin.press_forged(first["id"], username)
    screen = await admin.wait_for("with photo · with username")
    assert f"{meant} people wait" in screen["text"]
    await admin.press_forged(first["id"], show)
    await admin.wait_for(f"{meant} people wait\nwith photo · with username")
    await open_filter(loaded)  # on a message of its own
    await admin.press("Bio: any")
    await admin.wait_for("Who is meant.*\nwith bio\n")
    await admin.press_forged((await admin.messages())[0]["id"], premium)
    await admin.wait_for("Who is meant.*\nwith Premium\n")


async def test_buttons_show_what_a_group_holds(loaded: Play) -> None:
    """The group “photo and username” says yes to both; turning one leaves the rest of what it says."""
    admin = loaded.admin
    await admin.send("/requests")
    await admin.wait_for("Waiting people")
    await admin.press(walks.beginning(loaded.gate.title))
    await admin.wait_for("people wait")
    await admin.press(re.compile(r"photo and username"))
    await admin.wait_for("people wait")
    await admin.press("● Filter")
    await admin.wait_for("Who is meant.*\nwith photo and username\n")
    assert {"Photo: yes", "Username: yes", "Alike: no", "Scam or fake: no", "Bio: any"} <= set(await admin.buttons())
    await admin.press("Photo: yes")
    await admin.wait_for("without photo · with username · not marked as scam or fake · not one of many alike")
    assert {"Photo: no", "Username: yes"} <= set(await admin.buttons())


async def test_since_when_and_which_link(play: Play) -> None:
    """Spans are taps, links are those by which people came, with numbers: as much of them as Telegram tells a bot."""
    admin, gate = play.admin, play.gate
    path = f"channels/{gate.peer}/requests"
    await play.driver.call("POST", path, json={"count": 2, "link": "https://t.me/+Spring"})
    await play.driver.ask_to_join(gate.peer, 1)
    await admin.send("/requests")
    await admin.wait_for("3 at 1 channel")
    await open_filter(play)
    await admin.press("Link …")
    await admin.wait_for("By which link")
    await admin.press(re.compile(r"2 · \+Spr"))
    await admin.wait_for(r"by the link \+Spr…\n2 people wait")
    await admin.press("Waits …")
    await admin.press("over 7 days")
    await admin.wait_for("nobody waits")
    await admin.press("● Waits …")
    await admin.press("● over 7 days")
    await admin.wait_for("2 people wait")
    await admin.press("● Link …")
    await admin.press("Whichever link")
    await admin.wait_for("everybody\n3 people wait")


async def test_the_bio_is_asked_for(loaded: Play) -> None:
    """So is the name. Words of three letters and more; a shorter one is said so, and the question stays."""
    admin = loaded.admin
    await open_filter(loaded)
    await admin.press("Bio contains …")
    await admin.wait_for("shall be in the bio")
    await admin.send("ab")
    await admin.wait_for("3 to 64 characters")
    await admin.send("no such words")
    await admin.wait_for("with «no such words» in the bio\nnobody waits")
    await admin.press("Name contains …")
    await admin.wait_for("shall be in the name")
    await admin.send("nor such a name")
    await admin.wait_for("with «nor such a name» in the name · with «no such words» in the bio")
    await admin.press("● Name contains …")
    await admin.press("Any words")
    await admin.wait_for("Who is meant.*\nwith «no such words» in the bio\nnobody waits")
    await admin.press("● Bio contains …")
    await admin.press("Any words")
    await admin.wait_for("everybody\n30 people wait")


async def test_search_by_typing(loaded: Play) -> None:
    """Whatever the case; what is too short is said; all again by one tap; what may be a secret is not kept."""
    admin, world = loaded.admin, loaded.sandbox.world
    person = next(each for user_id in loaded.gate.requests if (each := world.account(user_id)).username)
    assert person.username
    await walks.waiting_list(admin, loaded.gate.title)
    await admin.send("xy")
    await admin.wait_for("at least 3 letters")
    await admin.send(f"@{person.username.upper()}")
    screen = await admin.wait_for(rf"1 person waits\nwith «{person.username.upper()}» in the name")
    assert f"@{person.username}" in screen["text"]
    assert len(keys(screen, "jr2:show")) == 1
    await admin.press("✕ Show all")
    await admin.wait_for("30 people wait")
    await admin.press("⇅ Newest")
    newest = await admin.wait_for("30 people wait")
    await admin.press("⇅ Longest")
    assert keys(await admin.wait_for("30 people wait"), "jr2:show") != keys(newest, "jr2:show")


async def test_ticks_stay_over_pages(loaded: Play) -> None:
    """Ticked on two pages, counted together; who was decided meanwhile counts no more; none by one tap."""
    admin = loaded.admin
    screen = await walks.waiting_list(admin, loaded.gate.title)
    await admin.press("☑ Tick")
    await admin.wait_for("0 ticked")
    await admin.press("☑ This page")
    await admin.wait_for("8 ticked")
    await admin.press("›")
    page = await admin.wait_for("8 ticked")
    await admin.press(data=keys(page, "vw1:x")[0])
    page = await admin.wait_for("9 ticked")
    assert len(keys(page, "bk1:")) == 2
    assert "✅ Approve 9 ticked" in await admin.buttons()
    await admin.press_forged(page["id"], keys(screen, "jr2:show")[0].replace("show", "no"))
    await admin.press_forged(page["id"], keys(page, "vw1:x")[1])
    await admin.wait_for("9 ticked")
    await admin.press("☐ None")
    await admin.wait_for("0 ticked")


async def test_another_admins_list_is_nobodys(loaded: Play) -> None:
    """A view is its admin's own, also for a forged press; and an approver sees no other channel's people."""
    admin = loaded.admin
    screen = await walks.waiting_list(admin, loaded.gate.title)
    view = keys(screen, "vw1:r")[0]
    other = Actor(loaded.driver, loaded.stranger().id, admin.peer)
    await other.send("/start")
    await walks.add_admin(admin, loaded.stranger().id, "Viewer")
    await other.send("/start")
    theirs = await other.wait_for("Porter")
    answer = await other.press_forged(theirs["id"], view)
    assert "not there any more" in answer["answer"]
    await other.press(re.compile(r"^🚪 30"))
    assert not keys(await other.wait_for("30 people wait"), "bk1:")


async def test_the_card_tells_what_was_before(play: Play) -> None:
    """Denied and asking again: the card says so, and that Telegram could not let them in."""
    admin, gate, world = play.admin, play.gate, play.sandbox.world
    (user_id,) = await play.driver.ask_to_join(gate.peer, 1)
    await admin.send("/requests")
    await admin.wait_for("1 at 1 channel")
    await walks.first_person(admin, gate.title)
    await admin.press("Deny")
    assert "They may ask again" in (await admin.wait_for("Nobody waits"))["text"]
    await play.driver.advance(5)
    await play.driver.ask_to_join(gate.peer, account=user_id)
    world.account(user_id).too_many_channels = True
    await admin.send("/requests")
    await admin.wait_for("1 at 1 channel")
    screen = await walks.first_person(admin, gate.title)
    assert f"Asked before: 🚫 denied at «{gate.title}» on" in screen["text"]
    answer = await admin.press("Approve")
    assert "too many channels" in answer["answer"]
    await admin.press("Next ›")
    screen = await admin.wait_for("wants to join")
    assert "Telegram did not let them in: they are in too many channels" in screen["text"]


async def test_undo_last(loaded: Play) -> None:
    """The last approval is taken back by one tap: out again, and free to ask anew. A denial is not offered."""
    admin, gate = loaded.admin, loaded.gate
    await walks.first_person(admin, gate.title)
    await admin.press("Approve")
    await admin.wait_for("approved")
    (user_id,) = gate.approved
    assert user_id in gate.members
    await admin.press(re.compile("^↩ Undo"))
    await admin.wait_for("is out again")
    assert user_id not in gate.members
    assert user_id not in gate.banned
    await admin.press("Deny")
    await admin.wait_for("denied")
    assert not any(label.startswith("↩") for label in await admin.buttons())


async def test_deny_and_ban(loaded: Play) -> None:
    """Asked once; then by whoever of ours may: the bot may not here, the account may. A second yes is none."""
    admin, gate = loaded.admin, loaded.gate
    gate.members[loaded.sandbox.bot.id].may_ban = False
    await walks.first_person(admin, gate.title)
    await admin.press("⛔ Deny and ban")
    await admin.wait_for("cannot ask there again")
    await admin.press("‹ Back")
    await admin.wait_for("wants to join")
    assert not gate.denied
    await admin.press("⛔ Deny and ban")
    question = await admin.wait_for("cannot ask there again")
    await admin.press(SURELY)
    await admin.wait_for("denied and banned")
    assert (len(gate.banned), len(gate.denied)) == (1, 1)
    await admin.press_forged(question["id"], question["buttons"][0][0]["data"])
    await admin.wait_for("wants to join")
    assert (len(gate.banned), len(gate.denied)) == (1, 1)


async def test_denied_where_nobody_may_ban(play: Play) -> None:
    """Without an account the bot stands alone: denied all the same, and what it lacks is said."""
    admin, gate = play.admin, play.gate
    gate.members[play.sandbox.bot.id].may_ban = False
    await play.driver.ask_to_join(gate.peer, 1)
    await admin.send("/requests")
    await admin.wait_for("1 at 1 channel")
    await walks.first_person(admin, gate.title)
    await admin.press("⛔ Deny and ban")
    await admin.press(SURELY)
    screen = await admin.wait_for("not banned")
    assert "Give it “Ban users” there" in screen["text"]
    assert (len(gate.banned), len(gate.denied)) == (0, 1)


async def test_what_may_be_a_secret_is_not_searched_for(play: Play) -> None:
    """While a login waits for an API hash, what is typed leaves the chat and becomes no list: they lie in the clear."""
    admin = play.admin
    await play.driver.ask_to_join(play.gate.peer, 1)
    await admin.send("/login")
    await admin.wait_for("API id")
    await admin.send(str(play.account["api_id"]))
    await admin.wait_for("API hash")
    await walks.waiting_list(admin, play.gate.title)
    typed = await admin.send("73915")
    screen = await admin.wait_for("taken out of the chat")
    assert "73915" not in screen["text"]
    assert next(each for each in await admin.messages() if each["id"] == typed["id"])["deleted"]
