"""How packets travel: every transport through the libraries that speak it, and everything that is none."""

import asyncio
import logging
import os
import random
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pyrogram import raw
from pyrogram.connection.transport import TCPAbridged
from pyrogram.connection.transport.tcp import (
    TCPAbridgedO,
    TCPFull,
    TCPIntermediate,
    TCPIntermediateO,
    TCPIntermediatePadded,
)
from telethon.network import (
    ConnectionTcpAbridged,
    ConnectionTcpFull,
    ConnectionTcpIntermediate,
    ConnectionTcpObfuscated,
)
from telethon.tl import functions, types

from sandbox.mtproto import transport
from tests.sandbox.mtproto_kit import FILE_SIZE, Lab, RawClient, init, lab, new_key

PART = 1024 * 1024


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mtproto")


@pytest.fixture
async def running(data_dir: Path) -> AsyncIterator[Lab]:
    async with lab(data_dir) as started:
        yield started


@pytest.mark.parametrize(
    "connection",
    [ConnectionTcpFull, ConnectionTcpAbridged, ConnectionTcpIntermediate, ConnectionTcpObfuscated],
    ids=lambda connection: connection.__name__,
)
async def test_telethon_transports(running: Lab, connection: Any) -> None:
    """Handshake, small and large answers pass through each transport of Telethon."""
    client = running.telethon(connection=connection)
    await client.connect()
    assert (await client(functions.help.GetNearestDcRequest())).this_dc == 2
    part = await client(functions.upload.GetFileRequest(types.InputDocumentFileLocation(1, 1, b"", ""), 0, 65536))
    assert len(part.bytes) == 65536


@pytest.mark.parametrize(
    "protocol",
    [TCPAbridged, TCPAbridgedO, TCPFull, TCPIntermediate, TCPIntermediateO, TCPIntermediatePadded],
    ids=lambda protocol: protocol.__name__,
)
async def test_kurigram_transports(running: Lab, protocol: Any) -> None:
    """Small and large answers pass through each transport of kurigram."""
    client = await running.pyrogram(new_key(running.world), protocol_factory=protocol, no_updates=True)
    await client.connect()
    assert (await client.invoke(raw.functions.help.GetNearestDc())).this_dc == 2
    location = raw.types.InputDocumentFileLocation(id=1, access_hash=1, file_reference=b"", thumb_size="")
    part = await client.invoke(raw.functions.upload.GetFile(location=location, offset=3 * PART, limit=PART))
    assert len(part.bytes) == FILE_SIZE - 3 * PART


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02" + bytes(600),
        b"\xef\x7f\xff\xff\xff",  # abridged, 64 MiB
        b"\xef\x01abcd",  # a packet that is too short for anything
        b"\xef" + bytes([6]) + bytes(24),  # a plain message of no length
        b"\xee\xee\xee\xee" + struct.pack("<I", 0),
        b"\xee\xee\xee\xee" + struct.pack("<I", 2**31 - 1),
        b"\xdd\xdd\xdd\xdd" + struct.pack("<I", transport.MAX_PACKET + 1),
        struct.pack("<II", 12, 0) + bytes(4),  # full, without a payload
        struct.pack("<II", 8, 0) + bytes(4),
        struct.pack("<II", 32, 0) + bytes(24),  # full, wrong CRC
        bytes(range(1, 65)) + bytes(64),  # obfuscated, with no transport inside
    ],
)
async def test_malformed_packets_end_the_connection(
    running: Lab, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """What follows no transport's rules ends its connection, without a word in the log above debug."""
    caplog.set_level(logging.INFO)
    async with RawClient.connect(running.port, opening=garbage) as client:
        assert await client.is_closed()
    assert not [record for record in caplog.records if record.name.startswith("sandbox")]


async def test_full_packets_are_counted(running: Lab) -> None:
    """The full transport refuses a packet that is numbered as one before it."""
    ack = bytes(types.MsgsAck([1]))
    payload = struct.pack("<qqi", 0, 4, len(ack)) + ack  # is understood, and needs no answer
    packet = struct.pack("<II", len(payload) + 12, 0) + payload
    packet += zlib.crc32(packet).to_bytes(4, "little")
    async with RawClient.connect(running.port, opening=packet + packet) as client:
        assert await client.is_closed()


async def test_noise_never_hurts_the_server(running: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """After hundreds of connections that send noise, cut short anywhere, the server answers as before."""
    noise = random.Random(20260101)
    ack = bytes(types.MsgsAck([1]))
    openings = (b"\xef", b"\xee" * 4, b"\xdd" * 4, struct.pack("<II", 60, 0), b"", os.urandom(8))
    async with asyncio.TaskGroup() as group:
        for number in range(300):

            async def send(number: int = number) -> None:
                data = openings[number % len(openings)] + noise.randbytes(noise.randrange(200))
                async with RawClient.connect(running.port, opening=data) as client:
                    if number % 2:
                        await client.write(ack)

            group.create_task(send())
    async with RawClient.connect(running.port, new_key(running.world)) as client:
        assert (await client.call(init(functions.help.GetNearestDcRequest()))).this_dc == 2
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_noise_under_a_real_key_never_hurts_the_server(running: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """Bodies that are damaged requests are answered with an error or by closing, never with a failure inside."""
    noise = random.Random(20260102)
    auth_key = new_key(running.world)
    good = bytes(init(functions.help.GetNearestDcRequest()))
    for _ in range(150):
        body = bytearray(good)
        for _ in range(noise.randrange(1, 8)):
            body[noise.randrange(len(body))] = noise.randrange(256)
        async with RawClient.connect(running.port, auth_key) as client:
            await client.send(bytes(body[: noise.randrange(4, len(body) + 1, 4)]))
            await client.send(functions.PingRequest(1))
            await client.receive_kind(types.Pong)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_unknown_key_is_told_so(running: Lab) -> None:
    """A packet under a key that nobody agreed on here is answered with the transport error -404."""
    async with RawClient.connect(running.port, os.urandom(256)) as client:
        await client.send(functions.PingRequest(1))
        assert await client.read_packet() == struct.pack("<i", -404)
    other_dc = new_key(running.world, dc_id=4)
    async with RawClient.connect(running.port, other_dc) as client:
        await client.send(functions.PingRequest(1))
        assert await client.read_packet() == struct.pack("<i", -404)


async def test_a_wrong_msg_key_ends_the_connection(running: Lab) -> None:
    """A packet that was not made with the key that it names is not even answered."""
    auth_key = new_key(running.world)
    async with RawClient.connect(running.port, auth_key) as client:
        packet = bytearray(client.state.encrypt_message_data(struct.pack("<qii", 4, 1, 4) + bytes(4)))
        packet[-1] ^= 1
        await client.write_packet(bytes(packet))
        assert await client.is_closed()
