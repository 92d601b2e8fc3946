"""/admins: adding by picker, id and forwarded message; who stays for good; what is refused and why."""

from pathlib import Path

import pytest

from sandbox import walks
from sandbox.driver import Actor
from sandbox.scenarios import BOT
from storage.models import AuditVerb, Role
from tests.handlers.people_kit import SECOND, THIRD, done, lines, people_ask
from tests.play import Play, open_play


async def asked_who(actor: Actor, role: str = "Viewer") -> None:
    await actor.send("/admins")
    await actor.wait_for("Admins")
    await actor.press("Add somebody")
    await actor.wait_for("As what")
    await actor.press(role)
    await actor.wait_for("Who shall be")


async def role_of(play: Play, user_id: int) -> Role | None:
    admin = await play.house.admins.find(user_id)
    return admin.role if admin else None


async def commands(play: Play, user_id: int) -> set[str]:
    from aiogram.types import BotCommandScopeChat

    return {each.command for each in await play.app.bot.get_my_commands(BotCommandScopeChat(chat_id=user_id))}


async def test_added_by_the_picker_in_few_taps(play: Play) -> None:
    """Name and id are shown before it counts; the link is told, since the bot may not write first; then the menu."""
    taps = play.admin.taps
    await asked_who(play.admin)
    await play.admin.share_users(SECOND)
    question = await play.admin.wait_for(f"Boris Klein, {SECOND}.*viewer\\?")
    assert await role_of(play, SECOND) is None
    await play.admin.press("Yes, so be it")
    screen = await play.admin.wait_for("✅ .*viewer")
    assert "https://t.me/harbour_porter_bot" in screen["text"]
    assert play.admin.taps - taps == 4
    assert await role_of(play, SECOND) is Role.VIEWER
    assert "too old" in (await play.admin.press_forged(screen["id"], question["buttons"][0][0]["data"]))["answer"]
    boris = play.actor(SECOND)
    await boris.send("/start")
    await boris.wait_for("Porter")
    assert await commands(play, SECOND) == {"start", "sources", "runs", "requests", "settings", "cancel", "help"}
    assert AuditVerb.ROLE_GIVE in await done(play)


async def test_who_has_started_the_bot_is_told(play: Play) -> None:
    """The new admin hears it from the bot, and the owner needs no link."""
    boris = play.actor(SECOND)
    await boris.send("/start")
    screen = await walks.add_admin(play.admin, SECOND, "Owner")
    assert "t.me" not in screen["text"]
    await boris.wait_for("You are an owner at this Porter now")
    assert "admins" in await commands(play, SECOND)
    await walks.change_admin(play.admin, "Boris", "Remove")
    assert await commands(play, SECOND) == set()
    assert await role_of(play, SECOND) is None


async def test_added_by_a_typed_id_and_by_a_forwarded_message(play: Play) -> None:
    """An id that the bot never met counts after a warning; the sender of a forwarded message is taken."""
    await asked_who(play.admin)
    await play.admin.send("7000000002")
    question = await play.admin.wait_for("7000000002.*viewer\\?")
    assert "never met" in question["text"]
    await play.admin.press("Yes, so be it")
    await play.admin.wait_for("✅ ")
    assert await role_of(play, 7000000002) is Role.VIEWER
    group = next(c for c in play.sandbox.world.channels.values() if c.megagroup)
    people = [m for m in group.messages.values() if m.sender > 0 and not (m.deleted or m.action)]
    post = next(m for m in people if m.sender != play.sandbox.admin_id)
    await asked_who(play.admin)
    await play.admin.forward(group.peer, post.id)
    await play.admin.wait_for(f"{post.sender}: viewer\\?")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("-1001234567890", "a channel"),
        ("-4001", "a group"),
        (str(BOT), "a bot"),
        ("1087968824", "anonymously"),
        ("136817688", "name of a channel"),
        ("777000", "Telegram's own"),
        ("Boris", "no person's id"),
        ("0", "no person's id"),
        ("9" * 25, "no person's id"),
    ],
)
async def test_ids_that_are_no_people(play: Play, typed: str, words: str) -> None:
    """Each is refused in its own words, and another may be sent at once."""
    await asked_who(play.admin, "Owner")
    await play.admin.send(typed)
    await play.admin.wait_for(words)
    assert len(await play.house.admins.all()) == 1
    await play.admin.send(str(SECOND))
    await play.admin.wait_for("owner\\?")


async def test_admin_ids_and_the_last_owner_stay(tmp_path: Path) -> None:
    """ADMIN_IDS offer no button, and forged ones are refused; without ADMIN_IDS the last owner stays."""
    async with open_play(tmp_path) as play:
        admin_id = play.sandbox.admin_id
        await play.admin.send("/admins")
        await play.admin.wait_for("Admins")
        await play.admin.press(walks.beginning("Anna"))
        card = await play.admin.wait_for("an owner for good")
        assert "Remove" not in await play.admin.buttons()
        for verb in ("rm", "view", "appr"):
            answer = await play.admin.press_forged(card["id"], f"ad1:{verb}:{admin_id}")
            assert "ADMIN_IDS" in answer["answer"]
        await asked_who(play.admin)
        await play.admin.send(str(admin_id))
        await play.admin.wait_for("ADMIN_IDS")
        assert await role_of(play, admin_id) is Role.OWNER

        await play.close()
        play.settings = play.settings.model_copy(update={"admin_ids": frozenset()})
        await play.open()
        await play.admin.send("/admins")
        await play.admin.wait_for("Admins")
        await play.admin.press(walks.beginning("Anna"))
        await play.admin.wait_for("last here")
        await play.admin.press("Remove")
        await play.admin.wait_for("Remove Anna")
        assert "Somebody has to own" in (await play.admin.press("Yes, so be it"))["answer"]
        assert await role_of(play, admin_id) is Role.OWNER


async def test_an_approvers_channels_can_be_changed(play: Play) -> None:
    """Toggled and asked; without any channel it does not go on."""
    await people_ask(play, play.gate)
    await people_ask(play, play.private)
    await walks.add_admin(play.admin, SECOND, "Approver", play.gate.title)
    await play.admin.send("/admins")
    await play.admin.wait_for("Admins")
    await play.admin.press(walks.beginning("Boris"))
    await play.admin.wait_for("last here")
    await play.admin.press("Channels")
    await play.admin.wait_for("1 chosen")
    await play.admin.press(walks.beginning(play.gate.title))
    await play.admin.wait_for("0 chosen")
    assert "at least one" in (await play.admin.press("Done"))["answer"]
    await play.admin.press(walks.beginning(play.private.title))
    await play.admin.wait_for("1 chosen")
    await play.restart()
    await play.admin.press("Done")
    await play.admin.wait_for("approver of «Harbour Archive»\\?")
    await play.admin.press("Yes, so be it")
    await play.admin.wait_for("✅ ")
    boris = await play.house.admins.find(SECOND)
    assert boris is not None
    assert boris.channels == {play.private.peer}
    await play.admin.send("/audit")
    await play.admin.wait_for(r"\(approver, 1 channel\)")


async def test_two_owners_change_the_same_person(play: Play) -> None:
    """The second yes is about somebody who is something else by now: it counts no more."""
    boris = play.actor(SECOND)
    await boris.send("/start")
    await walks.add_admin(play.admin, SECOND, "Owner")
    await walks.add_admin(play.admin, THIRD, "Viewer")
    await boris.send("/admins")
    await boris.wait_for("Admins")
    await boris.press(walks.beginning("Clara"))
    await boris.wait_for("last here")
    await boris.press("Make owner")
    await boris.wait_for("owner\\?")
    await walks.change_admin(play.admin, "Clara", "Remove")
    assert "too old" in (await boris.press("Yes, so be it"))["answer"]
    assert await role_of(play, THIRD) is None


async def test_the_audit_is_read_in_pages_and_by_person(play: Play) -> None:
    """Newest first, eight a page, one person at a tap; plain words."""
    boris = play.actor(SECOND)
    await boris.send("/start")
    await walks.add_admin(play.admin, SECOND, "Viewer")
    for _ in range(9):
        await boris.send("/sessions")
        await boris.wait_for("not for you")
    await play.admin.send("/audit")
    first = await play.admin.wait_for("Who did what.* · 10")
    assert first["text"].count("refused") == 8
    await play.admin.press("›")
    second = await play.admin.wait_for("give a role to «Boris Klein»")
    assert "viewer" in second["text"]
    await play.admin.press(walks.beginning("Anna"))
    await play.admin.wait_for("Anna Berg · 1")
    await play.admin.press("Everybody")
    await play.admin.wait_for("Who did what")
    assert len(await lines(play)) == 10


async def test_after_a_wrong_id_the_picker_is_there_still(play: Play) -> None:
    """The words name the button, so it stays."""
    await asked_who(play.admin)
    await play.admin.send("abc")
    await play.admin.wait_for("no person's id")
    await play.admin.share_users(SECOND)
    await play.admin.wait_for("Boris Klein.*viewer\\?")
