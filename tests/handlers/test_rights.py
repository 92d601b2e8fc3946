"""The bot's right to let people in: given and taken in Telegram itself, told once, and shown on one card."""

import asyncio

import pytest

from sandbox.scenarios import BOT
from sandbox.world import Membership
from tests.play import Play


def allow(play: Play, may_invite: bool, *, told: bool = True) -> None:
    """The channel's owner changes the bot's right. `told`: Telegram says so to the bot."""
    world, gate = play.sandbox.world, play.gate
    new = Membership(BOT, gate.members[BOT].date, "admin", may_invite)
    if told:
        world.set_member(gate, BOT, new, play.sandbox.admin_id)
    else:
        gate.members[BOT] = new


async def texts(play: Play) -> list[str]:
    messages = await play.driver.messages(play.sandbox.bot.id, play.sandbox.admin_id)
    return [message["text"] or "" for message in messages]


async def until(play: Play, wanted: str, count: int = 1) -> list[str]:
    async with asyncio.timeout(15):
        while sum(wanted in text for text in await texts(play)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return await texts(play)


@pytest.fixture
async def known(play: Play) -> Play:
    """The bot has met the channel, and may let people in there."""
    await play.house.rights_audit.turned(play.gate.peer)
    return play


async def test_lost_and_given_back(known: Play) -> None:
    """Owners hear what no longer works, once; whoever gives it back is offered to load who waited before."""
    await known.admin.send("/start")
    await known.admin.wait_for("Porter")
    session = await known.sign_in()
    await known.house.channels.listing(session.id, refresh=True)
    allow(known, False)
    await until(known, "new requests do not come in")
    allow(known, False)
    allow(known, True)
    said = await until(known, "will come here")
    assert "30 older ones wait already" in said[-1]
    assert sum("new requests do not come in" in text for text in said) == 1
    assert "Deciding goes on by" in "\n".join(said)
    await known.admin.press("Load who waits")
    await known.admin.wait_for(r"✅ .*done")


async def test_the_picker_is_answered_once(play: Play) -> None:
    """The screen says it; the update about the right says nothing beside."""
    del play.gate.members[BOT]
    await play.admin.send("/start")
    await play.admin.wait_for("Nothing is set up")
    await play.admin.press("Approve requests")
    await play.admin.wait_for("Choose a channel or group.*send its owner the link")
    await play.admin.share_chat(play.gate.peer)
    await play.admin.wait_for("will come here")
    await asyncio.sleep(2)
    assert sum("will come here" in text for text in await texts(play)) == 1


async def test_the_card(known: Play) -> None:
    """Worst first; asking Telegram finds what no update told."""
    await known.admin.send("/requests")
    await known.admin.wait_for("Nobody waits")
    await known.admin.press("Who may let in")
    await known.admin.wait_for("seen by an account alone")
    allow(known, False, told=False)
    await known.admin.press("Check again")
    await known.admin.wait_for(r"(?s)nobody may.*Asked")
    await known.sign_in()
    await known.admin.press("Check again")
    await known.admin.wait_for(r"(?s)not the bot.*Asked")
    allow(known, True, told=False)
    await known.admin.press("Check again")
    await known.admin.wait_for(r"(?s)✅ .*may not ban.*Asked")
