"""The exchange of auth keys: with the real libraries, and with clients that break its rules."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyrogram
import pytest
from pyrogram import raw
from pyrogram.connection import Connection
from telethon.crypto import AuthKey as TelethonKey
from telethon.tl import functions

from sandbox.mtproto.crypto import DH_PRIME, ProtocolError, RsaKey, key_id
from sandbox.mtproto.server import HOST
from tests.sandbox.mtproto_kit import API_ID, Lab, RawClient, exchange_keys, init, lab


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mtproto")


@pytest.fixture
async def running(data_dir: Path) -> AsyncIterator[Lab]:
    async with lab(data_dir) as started:
        yield started


async def test_telethon_makes_a_key(running: Lab) -> None:
    """A fresh Telethon client agrees on a key, which the world then holds with the client's layer and api_id."""
    client = running.telethon()
    await client.connect()
    key = running.world.auth_keys[key_id(client.session.auth_key.key)]
    assert key.key == client.session.auth_key.key
    assert (key.dc_id, key.api_id, key.user) == (2, API_ID, None)
    assert key.layer > 200


async def test_kurigram_makes_a_key(running: Lab) -> None:
    """A fresh kurigram client, pointed here by its connection factory, agrees on a key and can call methods."""
    running.trust_pyrogram()
    ports = running.servers.ports

    class LocalConnection(Connection):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            options |= {"server_address": HOST, "port": ports[options["dc_id"]]}
            super().__init__(*args, **options)

    client = pyrogram.Client(
        "fresh", api_id=API_ID, api_hash="hash", in_memory=True, no_updates=True, connection_factory=LocalConnection
    )
    running.clients.append(client)
    await client.connect()
    assert key_id(await client.storage.auth_key()) in running.world.auth_keys
    assert (await client.invoke(raw.functions.help.GetNearestDc())).this_dc == 2


async def test_a_key_moves_from_telethon_to_kurigram_and_back(running: Lab) -> None:
    """One login serves both libraries, at the same time too, as long as they come from one address."""
    first = running.telethon()
    await first.connect()
    auth_key = first.session.auth_key.key
    running.sign_in(auth_key)
    second = await running.pyrogram(auth_key, no_updates=True)
    await second.connect()
    third = running.telethon(auth_key=auth_key)
    await third.connect()
    assert (await first.get_me()).first_name == "Ada"
    (me,) = await second.invoke(raw.functions.users.GetUsers(id=[raw.types.InputUserSelf()]))
    assert me.first_name == "Ada"
    assert (await third.get_me()).first_name == "Ada"
    assert len(running.world.auth_keys) == 1


@pytest.mark.parametrize("rsa_pad", [False, True])
@pytest.mark.parametrize("dc", [None, 2, 10002, -2])
async def test_both_paddings_and_all_ways_to_name_the_dc(running: Lab, rsa_pad: bool, dc: int | None) -> None:
    """Old SHA-1 padding and RSA_PAD lead to a key that works, with the DC named as production, test, media or not."""
    async with RawClient.connect(running.port) as client:
        auth_key = await exchange_keys(client, running.servers, rsa_pad=rsa_pad, dc=dc)
        client.state.auth_key = TelethonKey(auth_key)
        client.state.salt = running.world.auth_keys[key_id(auth_key)].salt
        assert (await client.call(init(functions.help.GetNearestDcRequest()))).this_dc == 2


async def test_a_client_that_wants_another_dc_is_sent_away(running: Lab) -> None:
    """The DC named inside the RSA block must be the one that was called."""
    async with RawClient.connect(running.port) as client:
        with pytest.raises(EOFError):
            await exchange_keys(client, running.servers, rsa_pad=True, dc=4)
    assert not running.world.auth_keys


async def test_foreign_nonces_end_the_connection(running: Lab) -> None:
    """A question whose nonces belong to no exchange of this connection gets no answer."""
    async with RawClient.connect(running.port) as client:
        pq = await client.plain(functions.ReqPqMultiRequest(1))
        with pytest.raises(EOFError):
            await client.plain(
                functions.ReqDHParamsRequest(
                    1, pq.server_nonce ^ 1, b"p", b"q", running.servers.rsa_key.fingerprint, bytes(256)
                )
            )


@pytest.mark.parametrize("encrypted", [b"", bytes(256), b"\xff" * 256, bytes(255) + b"\x02"])
async def test_an_rsa_block_without_meaning_ends_the_connection(running: Lab, encrypted: bytes) -> None:
    """Blocks that are too short, too large or hold nothing are refused."""
    async with RawClient.connect(running.port) as client:
        pq = await client.plain(functions.ReqPqMultiRequest(1))
        fingerprint = running.servers.rsa_key.fingerprint
        with pytest.raises(EOFError):
            await client.plain(functions.ReqDHParamsRequest(1, pq.server_nonce, b"p", b"q", fingerprint, encrypted))


async def test_the_last_question_cannot_come_first(running: Lab) -> None:
    """Without the exchange before it, set_client_DH_params gets no answer."""
    async with RawClient.connect(running.port) as client:
        pq = await client.plain(functions.ReqPqMultiRequest(1))
        with pytest.raises(EOFError):
            await client.plain(functions.SetClientDHParamsRequest(1, pq.server_nonce, bytes(16)))


async def test_only_the_handshake_is_spoken_in_plain_text(running: Lab) -> None:
    """A method asked without encryption ends the connection."""
    async with RawClient.connect(running.port) as client:
        with pytest.raises(EOFError):
            await client.plain(functions.help.GetConfigRequest())


async def test_two_exchanges_on_one_connection(running: Lab) -> None:
    """A client that tries again need not connect again."""
    async with RawClient.connect(running.port) as client:
        keys = {await exchange_keys(client, running.servers, rsa_pad=True) for _ in range(2)}
    assert {key_id(auth_key) for auth_key in keys} == set(running.world.auth_keys)


async def test_the_rsa_key_survives_a_restart(tmp_path: Path) -> None:
    """The private half stays in the data directory, for its owner alone; the public half is written for clients."""
    async with lab(tmp_path) as first:
        pem = first.servers.public_key_file.read_text()
        fingerprint = first.servers.rsa_key.fingerprint
    async with lab(tmp_path) as second:
        assert second.servers.public_key_file.read_text() == pem
        assert second.servers.rsa_key.fingerprint == fingerprint
    assert pem.startswith("-----BEGIN RSA PUBLIC KEY-----")
    assert stat.S_IMODE((tmp_path / "mtproto_private.pem").stat().st_mode) == 0o600


def test_raw_rsa_is_what_textbooks_say() -> None:
    """Decrypting by the Chinese remainder theorem undoes the public exponent."""
    key = RsaKey.generate()
    message = b"\x00" + bytes(range(255))
    encrypted = pow(int.from_bytes(message, "big"), key.e, key.n).to_bytes(256, "big")
    assert key.raw_decrypt(encrypted) == message
    with pytest.raises(ProtocolError):
        key.raw_decrypt(encrypted[1:])


@pytest.mark.parametrize("g_b", [0, 1, DH_PRIME - 1])
async def test_g_b_out_of_range_is_refused(running: Lab, g_b: int) -> None:
    """A client whose public number makes the key known in advance gets none."""
    async with RawClient.connect(running.port) as client:
        with pytest.raises(EOFError):
            await exchange_keys(client, running.servers, rsa_pad=False, g_b=g_b)
    assert not running.world.auth_keys
