"""Banning, and what the bot hears of its own rights and of other people's coming and going: by unmodified aiogram."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError

from sandbox.driver import DriverError
from tests.sandbox.bot_stage import Stage, open_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


async def changes(stage: Stage, kind: str) -> list[tuple[int, str, str]]:
    """What the bot heard of members: who, what they were, what they are."""
    found: list[Any] = [getattr(update, kind) for update in await stage.updates(allowed_updates=[kind])]
    return [(each.new_chat_member.user.id, each.old_chat_member.status, each.new_chat_member.status) for each in found]


async def test_ban_and_unban(stage: Stage) -> None:
    """A banned person is out and cannot ask again; what they asked before waits on; lifting the ban opens the door."""
    group, bot = stage.group, stage.bot
    await changes(stage, "chat_member")
    member = next(m.user for m in group.members.values() if m.role == "member")
    waiting, other = list(group.requests)[:2]
    assert await bot.ban_chat_member(group.peer, member)
    assert await bot.ban_chat_member(group.peer, waiting, revoke_messages=True)
    assert await bot.ban_chat_member(group.peer, waiting)  # again: nothing happens
    assert (await bot.get_chat_member(group.peer, waiting)).status == "kicked"
    assert waiting in group.requests
    assert await bot.decline_chat_join_request(group.peer, waiting)
    with pytest.raises(DriverError, match="CHANNEL_PRIVATE"):
        await stage.driver.ask_to_join(group.peer, account=waiting)
    assert await bot.unban_chat_member(group.peer, waiting, only_if_banned=True)
    assert await stage.driver.ask_to_join(group.peer, account=waiting) == [waiting]
    assert await bot.approve_chat_join_request(group.peer, other)
    assert await bot.unban_chat_member(group.peer, other, only_if_banned=True)
    assert other in group.members
    assert await bot.unban_chat_member(group.peer, other)  # as documented: without the flag, a member is removed
    assert await changes(stage, "chat_member") == [
        (member, "member", "kicked"), (waiting, "left", "kicked"), (waiting, "kicked", "left"),
        (other, "left", "member"), (other, "member", "left"),
    ]  # fmt: skip


async def test_an_approval_is_told_as_such(stage: Stage) -> None:
    """chat_member says that somebody came by a request, whoever let them in."""
    await changes(stage, "chat_member")
    first = next(iter(stage.group.requests))
    stage.world.decide(stage.group, first, stage.world.admin_id, approve=True)
    (update,) = await stage.updates()
    assert (update.chat_member.via_join_request, update.chat_member.from_user.id) == (True, stage.world.admin_id)


async def test_bans_that_are_refused(stage: Stage) -> None:
    """Oneself, the owner, an administrator, nobody, a private chat; without the right, and outside."""
    group, bot = stage.group, stage.bot
    admin = next(m.user for m in group.members.values() if m.role == "admin" and m.user != bot.id)
    waiting = next(iter(group.requests))
    for chat_id, user_id, words in (
        (group.peer, bot.id, "can't restrict self"),
        (group.peer, stage.world.admin_id, "can't remove chat owner"),
        (group.peer, admin, "user is an administrator of the chat"),
        (group.peer, 424242, "PARTICIPANT_ID_INVALID"),
        (stage.world.admin_id, waiting, "method is available for supergroup and channel chats only"),
    ):
        with pytest.raises(TelegramBadRequest, match=words):
            await bot.ban_chat_member(chat_id, user_id)
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the channel chat"):
        await bot.ban_chat_member(stage.archive.peer, waiting)
    await stage.driver.member(group.peer, bot.id, "admin", ["invite"])
    with pytest.raises(TelegramBadRequest, match="not enough rights to restrict/unrestrict chat member"):
        await bot.ban_chat_member(group.peer, waiting)


async def test_the_owner_changes_the_bots_rights(stage: Stage) -> None:
    """my_chat_member tells each step, and the gate obeys at once."""
    group, bot, driver = stage.group, stage.bot, stage.driver
    waiting = next(iter(group.requests))
    await stage.updates()
    await driver.member(group.peer, bot.id, "admin", ["ban"])
    (update,) = await stage.updates()
    old, new = update.my_chat_member.old_chat_member, update.my_chat_member.new_chat_member
    assert (old.can_invite_users, old.can_restrict_members) == (True, True)
    assert (new.can_invite_users, new.can_restrict_members) == (False, True)
    with pytest.raises(TelegramBadRequest, match="not enough rights to manage chat join requests"):
        await bot.approve_chat_join_request(group.peer, waiting)
    await driver.member(group.peer, bot.id, "member")
    await driver.member(group.peer, bot.id, "left")
    await driver.member(group.peer, bot.id, "banned")
    with pytest.raises(TelegramForbiddenError, match="bot was kicked from the supergroup chat"):
        await bot.approve_chat_join_request(group.peer, waiting)
    answer = await driver.member(group.peer, bot.id, "admin", ["invite"])
    assert answer == {"account": bot.id, "role": "admin", "rights": ["invite"]}
    assert await changes(stage, "my_chat_member") == [
        (bot.id, "administrator", "member"), (bot.id, "member", "left"), (bot.id, "left", "kicked"),
        (bot.id, "kicked", "administrator"),
    ]  # fmt: skip
    assert await bot.approve_chat_join_request(group.peer, waiting)
    for body in ({"account": bot.id, "role": "king"}, {"account": bot.id, "role": "admin", "rights": ["fly"]}):
        with pytest.raises(DriverError, match="400"):
            await driver.call("POST", f"channels/{group.peer}/members", json=body)
