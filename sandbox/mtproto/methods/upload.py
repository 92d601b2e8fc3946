"""upload.*: the bytes of files. https://core.telegram.org/api/files#downloading-files"""

import asyncio
import hashlib
import struct
from collections.abc import Iterator
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.methods.render import SMALL_PHOTO_BYTES
from sandbox.mtproto.rpc import Call, method
from sandbox.world import Document, World

BLOCK = 1024 * 1024
HASHED_RANGE = 128 * 1024

_FILE_TYPES = {"image/jpeg": types.storage.FileJpeg, "application/pdf": types.storage.FilePdf,
               "audio/mpeg": types.storage.FileMp3, "image/png": types.storage.FilePng}  # fmt: skip
_FILE = struct.Struct("<IIi")  # upload.file, its storage type, mtime


@method(functions.upload.GetFileRequest)
async def get_file(call: Call, request: Any) -> bytes:
    """A range of a file; shorter at the file's end, empty behind it."""
    assert call.user
    document, size = _located(call, request.location)
    _check_range(request.offset, request.limit, precise=bool(request.precise))
    length = max(0, min(request.limit, size - request.offset))
    content = call.world.document_bytes(document, request.offset, length)
    call.file_bytes = length
    kind = _FILE_TYPES.get(document.mime, types.storage.FileUnknown)
    return _FILE.pack(types.upload.File.CONSTRUCTOR_ID, kind.CONSTRUCTOR_ID, 0) + tl_bytes(content)


@method(functions.upload.GetFileHashesRequest)
async def get_file_hashes(call: Call, request: Any) -> list[Any]:
    """SHA-256 of the 128 KiB ranges of the 1 MiB block that holds `offset`."""
    assert call.user
    document, size = _located(call, request.location)
    start = request.offset // BLOCK * BLOCK
    end = min(start + BLOCK, size)
    if not 0 <= request.offset < max(size, 1):
        raise fail("OFFSET_INVALID")
    content = call.world.document_bytes(document, start, end - start)
    digests = await asyncio.to_thread(_digests, content)
    return [
        types.FileHash(start + at, min(HASHED_RANGE, len(content) - at), digest)
        for at, digest in zip(range(0, len(content), HASHED_RANGE), digests, strict=True)
    ]


def _digests(content: bytes) -> list[bytes]:
    return [hashlib.sha256(content[at : at + HASHED_RANGE]).digest() for at in range(0, len(content), HASHED_RANGE)]


def _located(call: Call, location: Any) -> tuple[Document, int]:
    """The file that a location means, and how many of its bytes belong to that location.

    Raises LOCATION_INVALID, FILE_ID_INVALID, FILE_REFERENCE_EXPIRED, and FILE_MIGRATE_X at the wrong DC.
    """
    is_photo = isinstance(location, types.InputPhotoFileLocation)
    if not is_photo and not isinstance(location, types.InputDocumentFileLocation):
        raise fail("LOCATION_INVALID")
    document = _document(call.world, location.id)
    if document is None or document.access_hash != location.access_hash or is_photo != (document.kind == "photo"):
        raise fail("FILE_ID_INVALID")
    if not location.file_reference:
        raise fail("FILE_REFERENCE_EMPTY")
    if location.file_reference != document.file_reference:
        raise fail("FILE_REFERENCE_EXPIRED")
    if document.dc_id != call.dc_id:
        raise fail(f"FILE_MIGRATE_{document.dc_id}")
    sizes = {"y": document.size, "m": min(SMALL_PHOTO_BYTES, document.size)} if is_photo else {"": document.size}
    if location.thumb_size not in sizes:
        raise fail("LOCATION_INVALID")
    return document, sizes[location.thumb_size]


def _document(world: World, document_id: int) -> Document | None:
    known = world.memory.documents
    if document_id not in known:
        known.update((document.id, document) for document in _all_documents(world))
    return known.get(document_id)


def _all_documents(world: World) -> Iterator[Document]:
    for channel in world.channels.values():
        yield from (message.document for message in channel.messages.values() if message.document)
    for chats in world.chats.values():
        for chat in chats.values():
            yield from (message.document for message in chat.values() if message.document)


def _check_range(offset: int, limit: int, *, precise: bool) -> None:
    """Whole units of 4 KB (`precise`: 1 KB), a limit that divides 1 MiB, within one block of 1 MiB."""
    unit = 1024 if precise else 4096
    if offset < 0 or offset % unit:
        raise fail("OFFSET_INVALID")
    if limit <= 0 or limit % unit or limit > BLOCK or (not precise and BLOCK % limit):
        raise fail("LIMIT_INVALID")
    if offset // BLOCK != (offset + limit - 1) // BLOCK:
        raise fail("LIMIT_INVALID")


def tl_bytes(content: bytes) -> bytes:
    """TL's `bytes`: length, content, padding to four. In one copy: this is a megabyte at a time."""
    head = bytes([len(content)]) if len(content) < 254 else b"\xfe" + len(content).to_bytes(3, "little")
    return b"".join((head, content, bytes(-(len(head) + len(content)) % 4)))
