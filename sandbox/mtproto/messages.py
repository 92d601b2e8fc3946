"""Messages as bytes: taking a packet apart, reading the object in it, wrapping an answer.

https://core.telegram.org/mtproto/service_messages#containers
"""

import logging
import struct
import zlib
from typing import Any

from telethon.errors import TypeNotFoundError
from telethon.extensions import BinaryReader
from telethon.tl import types
from telethon.tl.core import GzipPacked, MessageContainer
from telethon.tl.tlobject import TLObject

from sandbox.mtproto.crypto import Envelope

log = logging.getLogger(__name__)

MAX_CONTAINER = 1024
MAX_INFLATED = 4 * 1024 * 1024

GZIP_FROM = 1024
"""Bytes. Answers from this size on are packed, as Telegram does; file parts never: their bytes do not shrink."""

_RPC_RESULT = struct.Struct("<Iq")
_RPC_RESULT_ID = 0xF35C6D01
_FILE = struct.pack("<I", types.upload.File.CONSTRUCTOR_ID)

# What Telethon's generated readers raise on bytes that are no such object.
_UNREADABLE = (BufferError, struct.error, RuntimeError, ValueError, OverflowError, TypeError, zlib.error)


class UnreadableError(Exception):
    """The body is no object of the schema. `name`: the error that Telegram answers."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def split(envelope: Envelope) -> list[tuple[int, int, bytes]] | None:
    """Id, seq_no and body of each message in a packet: the container's, or the one alone. None: a broken container."""
    body = envelope.body
    if int.from_bytes(body[:4], "little") != MessageContainer.CONSTRUCTOR_ID:
        return [(envelope.msg_id, envelope.seq_no, body)]
    messages: list[tuple[int, int, bytes]] = []
    at = 8
    for _ in range(int.from_bytes(body[4:at], "little")):
        if len(body) < at + 16 or len(messages) >= MAX_CONTAINER:
            return None
        msg_id, seq_no, size = struct.unpack_from("<qii", body, at)
        at += 16
        if size < 4 or size % 4 or len(body) < at + size:
            return None
        messages.append((msg_id, seq_no, body[at : at + size]))
        at += size
    return messages


def read(body: bytes) -> Any:
    """The object in a message. Raises UnreadableError."""
    try:
        return BinaryReader(_inflated(body)).tgread_object()
    except TypeNotFoundError as error:
        log.warning("constructor %08x is not known to the sandbox", error.invalid_constructor_id)
        raise UnreadableError("METHOD_INVALID") from None  # the error carries the bytes, which may hold a secret
    except _UNREADABLE:
        raise UnreadableError("INPUT_FETCH_ERROR") from None


def rpc_result(msg_id: int, result: bytes) -> bytes:
    """The answer to a request, packed where that helps."""
    if len(result) >= GZIP_FROM and not result.startswith(_FILE):
        packed = struct.pack("<I", GzipPacked.CONSTRUCTOR_ID) + TLObject.serialize_bytes(
            zlib.compress(result, level=1, wbits=31)
        )
        result = min(packed, result, key=len)
    return _RPC_RESULT.pack(_RPC_RESULT_ID, msg_id) + result


def _inflated(body: bytes) -> bytes:
    if int.from_bytes(body[:4], "little") != GzipPacked.CONSTRUCTOR_ID:
        return body
    reader = BinaryReader(body)
    reader.read_int()
    stream = zlib.decompressobj(wbits=31)
    inflated = stream.decompress(reader.tgread_bytes(), MAX_INFLATED)
    if not stream.eof:
        raise ValueError("packed data is cut short or too large")
    return inflated
