"""Everything that the Bot API can show of a scenario is what aiogram's own types describe, and nothing else."""

from typing import Any

import pytest
from aiogram.types import Chat, ChatFullInfo, ChatJoinRequest, ChatMemberUpdated, Message, ResultChatMemberUnion, User
from pydantic import TypeAdapter

from sandbox import scenarios
from sandbox.bot_api import render
from sandbox.world import Document, MediaKind, Membership, MembershipChanged, World
from tests.sandbox.bot_stage import check_fields

MEMBER: TypeAdapter[Any] = TypeAdapter(ResultChatMemberUnion)


@pytest.fixture(scope="module", params=["jetty", "harbour"])
def world(request: pytest.FixtureRequest) -> World:
    return scenarios.build(request.param)


def test_people_and_chats(world: World) -> None:
    """Every account, every chat, short and full."""
    for account in world.accounts.values():
        check_fields(User.model_validate(render.user(account)))
        check_fields(Chat.model_validate(render.chat(world, account.id)))
        check_fields(ChatFullInfo.model_validate(render.full_chat(world, account.id)))
    for channel in world.channels.values():
        check_fields(ChatFullInfo.model_validate(render.full_chat(world, channel.peer)))


def test_messages(world: World) -> None:
    """Every post of every channel, with its media and its origin."""
    kinds = set()
    for channel in world.channels.values():
        for message in channel.messages.values():
            shown = Message.model_validate(render.message(world, message))
            check_fields(shown)
            assert shown.message_id == message.id
            assert (shown.text or shown.caption or "") == message.text
            kinds.add(shown.content_type)
    assert kinds >= {"text", "document", "photo", "audio"}


@pytest.mark.parametrize("kind", ["document", "photo", "video", "audio", "voice"])
def test_media(kind: MediaKind) -> None:
    """A document of each kind is shown as that kind."""
    world = scenarios.build("jetty")
    channel = next(iter(world.channels.values()))
    document = Document(1, "name.bin", "application/octet-stream", 100, kind, duration=3)
    shown = Message.model_validate(render.message(world, world.post(channel, channel.peer, document=document)))
    check_fields(shown)
    assert shown.content_type == kind


def test_members_and_requests(world: World) -> None:
    """Members of every role, those who are not in, changes of rights, and who asks to join."""
    bot = next(account for account in world.accounts.values() if account.is_bot)
    for channel in world.channels.values():
        for member in channel.members.values():
            check_fields(MEMBER.validate_python(render.chat_member(world, channel, member.user, member)))
        channel.banned.add(bot.id)
        assert MEMBER.validate_python(render.chat_member(world, channel, bot.id, None)).status == "kicked"
        channel.banned.discard(bot.id)
        for request in channel.requests.values():
            check_fields(ChatJoinRequest.model_validate(render.join_request(world, channel, request)))
        new = Membership(bot.id, 1, "admin", may_invite=True)
        change = render.chat_member_updated(world, MembershipChanged(channel, bot.id, None, new, world.admin_id))
        check_fields(ChatMemberUpdated.model_validate(change))
    person = world.account(world.admin_id)
    check_fields(ChatMemberUpdated.model_validate(render.bot_blocked(world, bot, person, blocked=True)))
