"""Bots over MTProto: an unmodified client signs in with a token, and is refused what Telegram keeps from bots."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from telethon import TelegramClient
from telethon.errors import (
    AccessTokenExpiredError,
    AccessTokenInvalidError,
    ApiIdInvalidError,
    BotMethodInvalidError,
    ChannelInvalidError,
    ChannelPrivateError,
    UnauthorizedError,
)
from telethon.tl import functions, types

from sandbox.mtproto.rpc import FOR_USERS, REGISTRY, method_name
from sandbox.scenarios import add_bot
from sandbox.world import Account, Channel, bot_token
from tests.sandbox.rpc_kit import Telegram, open_telegram


@pytest.fixture
async def telegram(tmp_path: Path) -> AsyncIterator[Telegram]:
    async with open_telegram(tmp_path) as opened:
        yield opened


async def signed_in(telegram: Telegram, bot: Account) -> TelegramClient:
    """As people write it: `client.sign_in(bot_token=...)`."""
    client = await telegram.telethon(None)
    me = await client.sign_in(bot_token=bot.token)
    assert (me.id, me.bot) == (bot.id, True)
    return client


def by_id(channel: Channel) -> types.InputChannel:
    return types.InputChannel(channel.id, 0)


def ids(*message_ids: int) -> list[types.InputMessageID]:
    return [types.InputMessageID(message_id) for message_id in message_ids]


async def test_a_bot_signs_in_with_its_token(telegram: Telegram) -> None:
    """At its own DC, where the client is sent, and it is the bot that the key belongs to from then on."""
    bot = add_bot(telegram.world, "Harvester")
    client = await signed_in(telegram, bot)
    assert (await client.get_me()).username == "harvester_bot"
    assert {key.user for key in telegram.world.auth_keys.values()} == {bot.id}
    bot.home_dc = 4
    elsewhere = await telegram.telethon(None)
    await elsewhere.sign_in(bot_token=bot.token)
    assert elsewhere.session.dc_id == 4


async def test_tokens_that_are_none(telegram: Telegram) -> None:
    """Nonsense and nobody's are invalid; a revoked one has expired, with its sessions; applications must exist."""
    bot = add_bot(telegram.world, "Harvester")
    held = await signed_in(telegram, bot)
    old = bot.token
    telegram.world.revoke_token(bot.id)
    with pytest.raises(UnauthorizedError):
        await held(functions.users.GetUsersRequest([types.InputUserSelf()]))
    client = await telegram.telethon(None)
    for token, refusal in (
        ("1:x", AccessTokenInvalidError),
        (bot_token(4_711_000_000), AccessTokenInvalidError),
        (old, AccessTokenExpiredError),
    ):
        with pytest.raises(refusal):
            await client.sign_in(bot_token=token)
    stranger = await telegram.telethon(None, api_id=1, api_hash="none")
    with pytest.raises(ApiIdInvalidError):
        await stranger.sign_in(bot_token=bot.token)


async def test_what_bots_may_not_call(telegram: Telegram) -> None:
    """History, search, dialogs, waiting people: refused by name, before anything of the request is looked at."""
    bot = add_bot(telegram.world, "Harvester", telegram.archive)
    client = await signed_in(telegram, bot)
    peer = types.InputPeerChannel(telegram.archive.id, telegram.archive.access_hash)
    nobody, empty = types.InputPeerEmpty(), types.InputMessagesFilterEmpty()
    refused: list[Any] = [
        functions.messages.GetHistoryRequest(peer, 0, None, 0, 100, 0, 0, 0),
        functions.messages.SearchRequest(peer, "", empty, None, None, 0, 0, 100, 0, 0, 0),
        functions.messages.GetSearchCountersRequest(peer, [empty]),
        functions.messages.GetDialogsRequest(None, 0, nobody, 100, 0),
        functions.messages.GetChatInviteImportersRequest(peer, None, types.InputUserEmpty(), 100, requested=True),
        functions.messages.CheckChatInviteRequest("hArB0urArch1ve"),
        functions.account.GetPasswordRequest(),
    ]
    for request in refused:
        with pytest.raises(BotMethodInvalidError):
            await client(request)
    assert {method_name(type(request)) for request in refused} <= FOR_USERS
    assert {method_name(kind) for kind in REGISTRY} >= FOR_USERS, "a name that is misspelt would let bots in"


async def test_messages_by_ids(telegram: Telegram) -> None:
    """A member needs no access hash; holes are empty messages; who is no member is refused."""
    bot = add_bot(telegram.world, "Harvester", telegram.archive)
    client = await signed_in(telegram, bot)
    answer = await client(functions.channels.GetMessagesRequest(by_id(telegram.archive), ids(1, 2, 3, 999)))
    kinds = [type(message) for message in answer.messages]
    assert kinds == [types.MessageEmpty, types.Message, types.Message, types.MessageEmpty]
    full = await client(functions.channels.GetFullChannelRequest(by_id(telegram.archive)))
    assert full.full_chat.pts == telegram.archive.pts
    with pytest.raises(ChannelInvalidError):
        await client(functions.channels.GetMessagesRequest(by_id(telegram.group), ids(1)))
    known = types.InputChannel(telegram.group.id, telegram.group.access_hash)
    telegram.group.members.pop(bot.id, None)
    with pytest.raises(ChannelPrivateError):
        await client(functions.channels.GetMessagesRequest(known, ids(1)))


async def test_where_a_channel_stands(telegram: Telegram) -> None:
    """getChannelDifference is for bots as well, and in larger pages than for people."""
    bot = add_bot(telegram.world, "Harvester", telegram.archive)
    client = await signed_in(telegram, bot)
    everything, channel = types.ChannelMessagesFilterEmpty(), telegram.archive
    far = await client(functions.updates.GetChannelDifferenceRequest(by_id(channel), everything, 1, 100))
    newest = max(message.id for message in channel.messages.values() if not message.deleted)
    assert (type(far), far.dialog.top_message) == (types.updates.ChannelDifferenceTooLong, newest)
    pts = channel.pts
    for number in range(150):
        telegram.world.post(channel, channel.peer, text=f"post {number}")
    near = await client(functions.updates.GetChannelDifferenceRequest(by_id(channel), everything, pts, 1000))
    assert [message.id for message in near.new_messages] == list(range(newest + 1, newest + 151))
    assert near.final


async def test_applications_are_told_apart(telegram: Telegram) -> None:
    """Two clients of one key, each with an application of its own: the calls of each are counted under it."""
    client = await telegram.telethon()
    own = telegram.admin.api_id
    other = TelegramClient(client.session, 4711, "none", connection_retries=1)
    telegram._clients.append(other)
    other.session = type(client.session)()
    other.session.set_dc(client.session.dc_id, client.session.server_address, client.session.port)
    other.session.auth_key = client.session.auth_key
    await other.connect()
    telegram.services.faults.reset()
    for each in (client, other, client):
        await each(functions.users.GetUsersRequest([types.InputUserSelf()]))
    applications = telegram.services.faults.applications
    assert (applications[own]["users.getUsers"], applications[4711]["users.getUsers"]) == (2, 1)
