"""Chats, members, requests and commands by unmodified aiogram."""

from collections.abc import AsyncIterator

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    ChatMemberAdministrator,
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberOwner,
)

from sandbox.world import Membership
from tests.sandbox.bot_stage import Stage, open_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


async def test_get_me(stage: Stage) -> None:
    """The bot learns who it is."""
    me = await stage.bot.get_me()
    assert (me.id, me.is_bot, me.username) == (stage.me.id, True, stage.me.username)


async def test_chats(stage: Stage) -> None:
    """A person who wrote, a group the bot is in, and a public channel by its name; a private one stays shut."""
    await stage.started()
    person = await stage.bot.get_chat(stage.world.admin_id)
    assert (person.type, person.first_name) == ("private", stage.world.account(stage.world.admin_id).first_name)
    group = await stage.bot.get_chat(stage.group.peer)
    assert (group.type, group.title, group.join_by_request) == ("supergroup", stage.group.title, True)
    assert group.invite_link == stage.group.invite_link
    public = next(channel for channel in stage.world.channels.values() if channel.username)
    assert (await stage.bot.get_chat(f"@{public.username}")).id == public.peer
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the channel chat"):
        await stage.bot.get_chat(stage.archive.peer)


async def test_members(stage: Stage) -> None:
    """Owner, administrator with its rights, member, and somebody who is not in."""
    group = stage.group
    owner = await stage.bot.get_chat_member(group.peer, stage.world.admin_id)
    assert isinstance(owner, ChatMemberOwner)
    me = await stage.bot.get_chat_member(group.peer, stage.bot.id)
    assert isinstance(me, ChatMemberAdministrator)
    assert me.can_invite_users
    member = next(m.user for m in group.members.values() if m.role == "member")
    assert isinstance(await stage.bot.get_chat_member(group.peer, member), ChatMemberMember)
    waiting = next(iter(group.requests))
    assert isinstance(await stage.bot.get_chat_member(group.peer, waiting), ChatMemberLeft)
    with pytest.raises(TelegramBadRequest, match="PARTICIPANT_ID_INVALID"):
        await stage.bot.get_chat_member(group.peer, 424242)
    assert await stage.bot.get_chat_member_count(group.peer) == group.member_count
    admins = await stage.bot.get_chat_administrators(group.peer)
    assert stage.world.admin_id in {admin.user.id for admin in admins}
    assert not any(admin.user.is_bot for admin in admins)


async def test_approve_and_decline(stage: Stage) -> None:
    """An approved person is a member, a declined one is not, and neither waits any more."""
    group = stage.group
    first, second = list(group.requests)[:2]
    assert await stage.bot.approve_chat_join_request(group.peer, first)
    assert await stage.bot.decline_chat_join_request(group.peer, second)
    truth = await stage.driver.requests(group.peer)
    assert (truth["approved"], truth["denied"]) == ([first], [second])
    assert first in group.members
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.approve_chat_join_request(group.peer, second)
    assert error.value.message == "Bad Request: HIDE_REQUESTER_MISSING"
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.approve_chat_join_request(group.peer, first)
    assert error.value.message == "Bad Request: USER_ALREADY_PARTICIPANT"


async def test_decisions_that_are_refused(stage: Stage) -> None:
    """Without the right, without being in, in a private chat, and for an account that is gone."""
    group = stage.group
    waiting = next(iter(group.requests))
    stage.world.account(waiting).deactivated = True
    with pytest.raises(TelegramForbiddenError, match="Forbidden: user is deactivated"):
        await stage.bot.approve_chat_join_request(group.peer, waiting)
    with pytest.raises(TelegramForbiddenError, match="bot is not a member of the channel chat"):
        await stage.bot.approve_chat_join_request(stage.archive.peer, waiting)
    with pytest.raises(TelegramBadRequest, match="the chat can't have join requests"):
        await stage.bot.approve_chat_join_request(stage.world.admin_id, waiting)
    stage.world.set_member(group, stage.bot.id, Membership(stage.bot.id, 1, "admin", False), stage.world.admin_id)
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.approve_chat_join_request(group.peer, waiting)
    assert error.value.message == "Bad Request: not enough rights to manage chat join requests"


async def test_commands_by_scope(stage: Stage) -> None:
    """Each scope keeps its own list."""
    bot, own = stage.bot, BotCommandScopeChat(chat_id=stage.world.admin_id)
    start, scrape = BotCommand(command="start", description="Home"), BotCommand(command="scrape", description="Save")
    await bot.set_my_commands([start])
    await bot.set_my_commands([start, scrape], own)
    assert [command.command for command in await bot.get_my_commands()] == ["start"]
    assert [command.description for command in await bot.get_my_commands(own)] == ["Home", "Save"]
    await bot.delete_my_commands()
    assert await bot.get_my_commands() == []
    with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
        await bot.set_my_commands([BotCommand(command="Not Lower", description="x")])


async def test_chat_actions(stage: Stage) -> None:
    """Typing is shown to nobody here, and checked all the same."""
    await stage.started()
    assert await stage.bot.send_chat_action(stage.world.admin_id, "typing")
    with pytest.raises(TelegramBadRequest, match="wrong parameter action in request"):
        await stage.bot.send_chat_action(stage.world.admin_id, "dancing")


async def test_an_old_query_cannot_be_answered(stage: Stage) -> None:
    """An unknown query id is refused in Telegram's words."""
    with pytest.raises(TelegramBadRequest) as error:
        await stage.bot.answer_callback_query("12345")
    assert error.value.message == ("Bad Request: query is too old and response timeout expired or query ID is invalid")


async def test_unknown_methods_and_broken_bodies(stage: Stage) -> None:
    """A method that does not exist, names in any case, arguments in the query, and JSON that is none."""
    assert await stage.raw("dropTables") == (
        404,
        {"ok": False, "error_code": 404, "description": "Not Found: method not found"},
    )
    url = f"{stage.url}/bot{stage.bot.token}"
    async with stage.http.get(f"{url}/GETME") as response:
        assert (await response.json())["result"]["id"] == stage.bot.id
    async with stage.http.get(f"{url}/getChat", params={"chat_id": str(stage.group.peer)}) as response:
        assert (await response.json())["result"]["id"] == stage.group.peer
    async with stage.http.post(f"{url}/getMe", data=b"{", headers={"Content-Type": "application/json"}) as response:
        assert response.status == 400
    broken = {"Content-Type": "multipart/form-data"}
    async with stage.http.post(f"{url}/getMe", data=b"no form", headers=broken) as response:
        assert response.status == 400
    async with stage.http.get(f"{stage.url}/file/bot{stage.bot.token}/documents/file_1.pdf") as response:
        assert response.status == 404
