"""Private invite links: looked at, joined by after a question, and never left standing in the chat."""

from sandbox.scenarios import ADMIN, LINK_HASHES, SECOND
from storage.models import AuditOutcome, AuditVerb
from tests.handlers.people_kit import lines
from tests.play import Play


async def outside(play: Play) -> None:
    """Anna is in neither the private channel nor the group, and Porter has her account."""
    world = play.sandbox.world
    for channel in (play.private, play.gate):
        world.set_member(channel, ADMIN, None, ADMIN)
    await play.sign_in()


def link_of(play: Play, *, is_group: bool = False) -> str:
    return f"https://t.me/+{LINK_HASHES[(play.gate if is_group else play.private).id]}"


async def said(play: Play) -> str:
    return str([message["text"] for message in await play.admin.messages()])


async def test_join_and_save(play: Play) -> None:
    """What it leads to; nobody joins before the button; then it is saved by the defaults. The link is gone."""
    await outside(play)
    await play.admin.send(f"come in: {link_of(play)} !")
    card = await play.admin.wait_for("Join, and save it by your defaults")
    assert card["text"].startswith("«Harbour Archive» · channel, private, 1 member")
    assert "«Anna» is not in there" in card["text"]
    assert link_of(play) not in await said(play)
    assert await play.driver.call_count("messages.importChatInvite") == 0
    await play.restart()
    await play.admin.press("Join and save")
    await play.admin.wait_for(r"✅ .*done", 60)
    assert await play.driver.call_count("messages.importChatInvite") == 1
    (card_of,) = await play.house.sources.all()
    assert card_of.source.channel_id == play.private.peer
    assert card_of.source.total_files == 8
    joined = next(line for line in await lines(play) if line.verb is AuditVerb.JOIN)
    assert (joined.subject, joined.outcome) == ("Harbour Archive", AuditOutcome.DONE)

    await play.admin.send(link_of(play))  # no question: it is in there
    await play.admin.wait_for("Saved already as «Harbour Archive»")
    await play.admin.send("t.me/joinchat/AbCdEf0123456789")
    await play.admin.wait_for("expired, revoked or misspelt")
    assert "AbCdEf" not in await said(play)


async def test_where_admins_let_people_in(play: Play) -> None:
    """It asks once and says so; "Try again" only looks; once let in, it is saved."""
    await outside(play)
    await play.admin.send("/sources")
    await play.admin.wait_for("Saved channels")
    await play.admin.press("Save another channel")
    await play.admin.wait_for("Tap one")
    await play.admin.send(link_of(play, is_group=True))  # in the middle of the long way as well
    await play.admin.wait_for("The admins there let people in")
    await play.admin.press("Join and save")
    await play.admin.wait_for("has asked to join «Harbour Crew»")
    assert ADMIN in play.gate.requests
    answer = await play.admin.press("Try again")
    assert "not let in yet" in answer["answer"]
    assert await play.driver.call_count("messages.importChatInvite") == 1
    play.sandbox.world.decide(play.gate, ADMIN, SECOND, approve=True)
    await play.admin.press("Try again")
    await play.admin.wait_for(r"✅ .*done", 60)
    assert await play.driver.call_count("messages.importChatInvite") == 1
    assert [card.source.channel_id for card in await play.house.sources.all()] == [play.gate.peer]


async def test_an_account_in_too_many_channels(play: Play) -> None:
    """Said in plain words; an old button whose link is not kept any more says so too."""
    await outside(play)
    play.sandbox.world.accounts[ADMIN].too_many_channels = True
    await play.admin.send(link_of(play))
    await play.admin.wait_for("Join, and save it")
    question = await play.admin.screen()
    await play.admin.press("Join and save")
    await play.admin.wait_for("as many channels as Telegram allows")
    await play.admin.send(link_of(play))
    await play.admin.wait_for("Join, and save it")
    await play.admin.press_forged((await play.admin.screen())["id"], question["buttons"][0][0]["data"])
    await play.admin.wait_for("does not keep that link")
    assert await play.house.sources.all() == []
