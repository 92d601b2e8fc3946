"""Updates that the server sends unasked, and how the servers start and stop."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pyrogram import raw
from pyrogram.handlers import RawUpdateHandler
from telethon import events
from telethon.tl import functions, types

from sandbox.mtproto.crypto import key_id
from tests.sandbox.mtproto_kit import USER_ID, Lab, RawClient, init, lab, new_key

NEAREST = functions.help.GetNearestDcRequest()
ME = functions.users.GetUsersRequest([types.InputUserSelf()])


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mtproto")


@pytest.fixture
async def running(data_dir: Path) -> AsyncIterator[Lab]:
    async with lab(data_dir) as started:
        yield started


def an_update() -> Any:
    """An update that needs no entity and no place in a sequence."""
    return types.UpdateShort(types.UpdateConfig(), dt.datetime.now(dt.UTC))


async def test_telethon_hears_updates(running: Lab) -> None:
    """A connected client of the account receives what is pushed, through its own event handlers."""
    heard: asyncio.Queue[Any] = asyncio.Queue()
    client = running.telethon(auth_key=new_key(running.world))
    client.add_event_handler(heard.put, events.Raw(types.UpdateConfig))
    await client.connect()
    running.servers.push(USER_ID, an_update())
    async with asyncio.timeout(5):
        assert isinstance(await heard.get(), types.UpdateConfig)


async def test_kurigram_hears_updates(running: Lab) -> None:
    """kurigram receives what is pushed once it has called a method for its account."""
    heard: asyncio.Queue[Any] = asyncio.Queue()

    async def note(client: Any, update: Any, users: Any, chats: Any) -> None:
        await heard.put(update)

    client = await running.pyrogram(new_key(running.world))
    client.add_handler(RawUpdateHandler(note))
    await client.connect()
    await client.dispatcher.start()
    try:
        await client.invoke(raw.functions.updates.GetState())
        running.servers.push(USER_ID, bytes(an_update()))
        async with asyncio.timeout(5):
            assert isinstance(await heard.get(), raw.types.UpdateConfig)
    finally:
        await client.dispatcher.stop()


async def test_who_did_not_ask_hears_nothing(running: Lab) -> None:
    """No update goes to a session of files, without updates, of another account, of a revoked key or at another DC."""
    files = new_key(running.world)
    quiet = new_key(running.world)
    other = new_key(running.world, user=USER_ID + 1)
    revoked = new_key(running.world)
    elsewhere = new_key(running.world, dc_id=4)
    listening = new_key(running.world)
    part = functions.upload.GetFileRequest(types.InputDocumentFileLocation(1, 1, b"", ""), 0, 4096)
    state = functions.updates.GetStateRequest()
    asked = [
        (files, part, 2),
        (quiet, functions.InvokeWithoutUpdatesRequest(state), 2),
        (other, state, 2),
        (revoked, state, 2),
        (elsewhere, state, 4),
        (listening, state, 2),
    ]
    heard = []
    for auth_key, request, dc_id in asked:
        async with RawClient.connect(running.servers.ports[dc_id], auth_key) as client:
            await client.call(init(NEAREST))
            await client.call(request)
            running.world.auth_keys[key_id(revoked)].revoked = auth_key == revoked
            running.servers.push(USER_ID, an_update())
            await client.send(functions.PingRequest(1))
            heard.append(isinstance(await client.receive(), types.UpdateShort))
    assert heard == [False, False, False, False, False, True]


async def test_every_connection_of_the_account_hears(running: Lab) -> None:
    """Sessions under one key each get the update, with a message id of the server's own accord."""
    auth_key = new_key(running.world)
    async with RawClient.connect(running.port, auth_key) as one, RawClient.connect(running.port, auth_key) as two:
        for client in (one, two):
            await client.call(init(ME))
        running.services.push(USER_ID, an_update())
        for client in (one, two):
            assert isinstance(await client.receive_kind(types.UpdateShort), types.UpdateShort)
            assert client.state._highest_remote_id % 4 == 3


async def test_servers_come_back_on_their_ports(tmp_path: Path) -> None:
    """A client that was connected over a restart goes on with its key and its requests."""
    async with lab(tmp_path) as first:
        ports = {"port": first.servers.ports[2], "files_port": first.servers.ports[4]}
        auth_key = new_key(first.world)
        client = first.telethon(auth_key=auth_key, connection_retries=20)
        await client.connect()
        assert (await client(NEAREST)).this_dc == 2
        key = first.world.auth_keys[key_id(auth_key)]
        first.clients.clear()
    assert not first.servers.ports
    try:
        async with lab(tmp_path, **ports) as second:
            second.world.auth_keys[key_id(auth_key)] = key
            async with asyncio.timeout(10):
                assert (await client(NEAREST)).this_dc == 2
            await client.disconnect()
    finally:
        await client.disconnect()


async def test_dropped_connections_come_back(running: Lab) -> None:
    """When all connections are cut, clients connect anew by themselves."""
    client = running.telethon(auth_key=new_key(running.world))
    await client.connect()
    await running.servers.drop_connections()
    async with asyncio.timeout(10):
        assert (await client(NEAREST)).this_dc == 2


async def test_stopping_ends_everything(tmp_path: Path) -> None:
    """At the end no task is left: not of an idle connection, a silent one, nor of a request that still runs."""
    before = asyncio.all_tasks()
    async with lab(tmp_path) as running:
        auth_key = new_key(running.world)
        async with (
            RawClient.connect(running.port, opening=b"") as silent,
            RawClient.connect(running.port, auth_key) as waiting,
        ):
            running.faults.add("help.getNearestDc", delay_ms=60_000)
            await waiting.send(init(NEAREST))
            await waiting.receive_kind(types.NewSessionCreated)
            await running.servers.drop_connections()
            assert await silent.is_closed()
            assert await waiting.is_closed()
    assert asyncio.all_tasks() == before
