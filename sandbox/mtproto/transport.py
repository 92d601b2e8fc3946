"""How packets travel in the TCP stream: abridged, intermediate, padded intermediate and full, plain or obfuscated.

The first bytes of a connection say which. https://core.telegram.org/mtproto/mtproto-transports
"""

import asyncio
import os
import struct
import zlib
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

from sandbox.mtproto.crypto import ProtocolError

MAX_PACKET = 2 * 1024 * 1024
"""Bytes. Telegram's own limit is about 1 MiB; a file part that a client uploads takes at most half of that."""

_FOREIGN = (b"HEAD", b"POST", b"GET ", b"OPTI", b"\x16\x03\x01\x02")  # HTTP and TLS: Telegram reserves their openings


class Transport(Protocol):
    """`read` gives the next packet's payload; `frame` puts a payload into a packet. `read` raises ProtocolError."""

    async def read(self) -> bytes: ...

    def frame(self, payload: bytes) -> bytes: ...


class Source(Protocol):
    """What a transport reads from: a StreamReader, or one that takes the obfuscation off."""

    async def readexactly(self, n: int, /) -> bytes: ...


class Abridged:
    """One byte of length in words, or 0x7f and three."""

    def __init__(self, source: Source) -> None:
        self._source = source

    async def read(self) -> bytes:
        # The highest bit asks for a quick ack, which a server may leave out.
        words = (await self._source.readexactly(1))[0] & 0x7F
        if words == 0x7F:
            words = int.from_bytes(await self._source.readexactly(3), "little")
        return await self._source.readexactly(_bounded(words * 4))

    def frame(self, payload: bytes) -> bytes:
        words = len(payload) // 4
        head = bytes((words,)) if words < 0x7F else b"\x7f" + words.to_bytes(3, "little")
        return head + payload


class Intermediate:
    """Four bytes of length. `padded`: up to 15 random bytes behind the payload hide its length."""

    def __init__(self, source: Source, *, padded: bool = False) -> None:
        self._source = source
        self._padded = padded

    async def read(self) -> bytes:
        length = int.from_bytes(await self._source.readexactly(4), "little") & 0x7FFFFFFF
        return await self._source.readexactly(_bounded(length))

    def frame(self, payload: bytes) -> bytes:
        # Clients cut the padding off a packet whose length tells them where its end is: an encrypted one.
        padding = os.urandom(os.urandom(1)[0] % 4) if self._padded else b""
        return b"".join((struct.pack("<I", len(payload) + len(padding)), payload, padding))


class Full:
    """Length, a number that counts the packets of each side, payload, CRC32."""

    _HEAD = struct.Struct("<II")

    def __init__(self, source: Source, head: bytes) -> None:
        """`head`: the first eight bytes, which detection has read already."""
        self._source = source
        self._head = head
        self._received = 0
        self._sent = 0

    async def read(self) -> bytes:
        head, self._head = self._head or await self._source.readexactly(self._HEAD.size), b""
        length, number = self._HEAD.unpack(head)
        if number != self._received or length < self._HEAD.size + 4:
            raise ProtocolError("wrong packet number or length")
        rest = await self._source.readexactly(_bounded(length - self._HEAD.size))
        payload, crc = rest[:-4], int.from_bytes(rest[-4:], "little")
        if zlib.crc32(payload, zlib.crc32(head)) != crc:
            raise ProtocolError("wrong CRC32")
        self._received += 1
        return payload

    def frame(self, payload: bytes) -> bytes:
        head = self._HEAD.pack(len(payload) + self._HEAD.size + 4, self._sent)
        self._sent += 1
        crc = zlib.crc32(payload, zlib.crc32(head))
        return b"".join((head, payload, crc.to_bytes(4, "little")))


class Obfuscated:
    """Another transport inside AES-CTR, keyed by the 64 random bytes that open the connection."""

    def __init__(self, reader: asyncio.StreamReader, opening: bytes) -> None:
        backwards = opening[8:56][::-1]
        self._reader = reader
        self._from_client = _ctr(opening[8:40], opening[40:56])
        self._to_client = _ctr(backwards[:32], backwards[32:48])
        tag = self._from_client.update(opening)[56:60]
        if tag == b"\xef" * 4:
            self._inner: Transport = Abridged(self)
        elif tag in (b"\xee" * 4, b"\xdd" * 4):
            self._inner = Intermediate(self, padded=tag == b"\xdd" * 4)
        else:
            raise ProtocolError("unknown transport inside the obfuscation")

    async def readexactly(self, n: int, /) -> bytes:
        return self._from_client.update(await self._reader.readexactly(n))

    async def read(self) -> bytes:
        return await self._inner.read()

    def frame(self, payload: bytes) -> bytes:
        return self._to_client.update(self._inner.frame(payload))


async def detect(reader: asyncio.StreamReader) -> Transport:
    """The transport that a new connection opens with. Raises ProtocolError, or IncompleteReadError at its end."""
    opening = await reader.readexactly(1)
    if opening == b"\xef":
        return Abridged(reader)
    opening += await reader.readexactly(3)
    if opening in (b"\xee" * 4, b"\xdd" * 4):
        return Intermediate(reader, padded=opening == b"\xdd" * 4)
    if opening in _FOREIGN:
        raise ProtocolError("neither HTTP nor TLS is spoken here")
    opening += await reader.readexactly(4)
    if opening[4:] == bytes(4):  # packet number 0
        return Full(reader, opening)
    return Obfuscated(reader, opening + await reader.readexactly(56))


def _bounded(length: int) -> int:
    if not 0 < length <= MAX_PACKET:
        raise ProtocolError("packet length out of bounds")
    return length


def _ctr(key: bytes, counter: bytes) -> CipherContext:
    return Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
