"""Files by unmodified clients: bytes from both DCs, references, and the rules for ranges."""

import hashlib
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from telethon import errors
from telethon.tl import functions, types

from sandbox.world import Document, Message
from tests.sandbox.rpc_kit import Telegram, open_telegram

KB, MIB = 1024, 1024 * 1024


@pytest.fixture(scope="module")
async def telegram(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Telegram]:
    """`jetty`, whose files are read by all tests of this file."""
    async with open_telegram(tmp_path_factory.mktemp("jetty")) as opened:
        yield opened


def documents(telegram: Telegram) -> list[tuple[Message, Document]]:
    return [(message, document) for _, message, document in telegram.world.documents()]


def whole(telegram: Telegram, document: Document) -> bytes:
    return telegram.world.document_bytes(document, 0, document.size)


def large(telegram: Telegram) -> Document:
    """More than two parts of a megabyte, at the files' DC or at home."""
    return max((document for _, document in documents(telegram)), key=lambda document: document.size)


def location(document: Document, **other: Any) -> types.InputDocumentFileLocation:
    said = {"access_hash": document.access_hash, "file_reference": document.file_reference, "thumb_size": "", **other}
    return types.InputDocumentFileLocation(document.id, **said)


async def test_telethon_downloads_everything(telegram: Telegram) -> None:
    """Every file and photo, from both DCs, is byte for byte the world's."""
    assert {document.dc_id for _, document in documents(telegram)} == {2, 4}
    client = await telegram.telethon()
    await client.get_dialogs()
    for message, document in documents(telegram):
        seen = await client.get_messages(telegram.archive.peer, ids=message.id)
        assert await client.download_media(seen, bytes) == whole(telegram, document)


async def test_kurigram_downloads_everything(telegram: Telegram) -> None:
    """The same for kurigram, in parts of a megabyte."""
    client = await telegram.kurigram()
    [_ async for _ in client.get_dialogs()]
    for message, document in documents(telegram):
        seen = await client.get_messages(telegram.archive.peer, message.id)
        content = await client.download_media(seen, in_memory=True)
        assert isinstance(content, BytesIO)
        assert content.getvalue() == whole(telegram, document)


async def test_uploaded_file(telegram: Telegram) -> None:
    """Bytes that somebody uploaded come back as they are."""
    content = bytes(range(256)) * 20
    document = telegram.world.new_document("notes.bin", "application/octet-stream", content)
    message = telegram.world.post(telegram.group, telegram.admin.id, document=document)
    client = await telegram.telethon()
    await client.get_dialogs()
    seen = await client.get_messages(telegram.group.peer, ids=message.id)
    assert await client.download_media(seen, bytes) == content


@pytest.mark.parametrize(
    ("offset", "limit", "error"),
    [
        (0, 0, errors.LimitInvalidError),
        (0, -4096, errors.LimitInvalidError),
        (0, 1000, errors.LimitInvalidError),
        (0, 3 * 4 * KB, errors.LimitInvalidError),  # 1 MiB is no multiple of it
        (0, 2 * MIB, errors.LimitInvalidError),
        (MIB - 4 * KB, 8 * KB, errors.LimitInvalidError),  # reaches into the next block
        (1000, 4 * KB, errors.OffsetInvalidError),
        (-4096, 4 * KB, errors.OffsetInvalidError),
    ],
)
async def test_ranges_that_are_refused(telegram: Telegram, offset: int, limit: int, error: type[Exception]) -> None:
    """Units of 4 KB, a limit that divides 1 MiB, within one block."""
    document = large(telegram)
    client = await telegram.telethon()
    sender = client._sender if document.dc_id == 2 else await client._borrow_exported_sender(document.dc_id)
    with pytest.raises(error):
        await client._call(sender, functions.upload.GetFileRequest(location(document), offset, limit))


async def test_ranges(telegram: Telegram) -> None:
    """Parts of any allowed size, the rest at the end, nothing behind it; `precise` allows finer ones."""
    document, content = large(telegram), whole(telegram, large(telegram))
    client = await telegram.telethon()
    sender = client._sender if document.dc_id == 2 else await client._borrow_exported_sender(document.dc_id)

    async def part(offset: int, limit: int, *, precise: bool = False) -> bytes:
        request = functions.upload.GetFileRequest(location(document), offset, limit, precise=precise)
        return bytes((await client._call(sender, request)).bytes)

    for offset, limit in ((0, MIB), (MIB, MIB), (2 * MIB, MIB), (4 * KB, 4 * KB), (512 * KB, 512 * KB)):
        assert await part(offset, limit) == content[offset : offset + limit]
    assert await part(3 * MIB, MIB) == b""
    assert await part(3 * KB, 5 * KB, precise=True) == content[3 * KB : 8 * KB]

    hashes = await client._call(sender, functions.upload.GetFileHashesRequest(location(document), 2 * MIB))
    for item in hashes:
        assert item.hash == hashlib.sha256(content[item.offset : item.offset + item.limit]).digest()
    assert sum(item.limit for item in hashes) == document.size - 2 * MIB


async def test_wrong_dc(telegram: Telegram) -> None:
    """A file is only at its own DC; the error names it."""
    client = await telegram.telethon()
    document = next(d for _, d in documents(telegram) if d.dc_id == 4 and d.kind != "photo")
    with pytest.raises(errors.FileMigrateError) as error:
        await client(functions.upload.GetFileRequest(location(document), 0, 4 * KB))
    assert error.value.new_dc == 4


async def test_expired_reference(telegram: Telegram) -> None:
    """A reference that has expired is refused; the message brings a new one. Telethon does that by itself."""
    message, document = next((m, d) for m, d in documents(telegram) if d.dc_id == 2 and d.kind != "photo")
    client = await telegram.telethon()
    await client.get_dialogs()
    seen = await client.get_messages(telegram.archive.peer, ids=message.id)
    telegram.world.expire_references(document)
    old = seen.document.file_reference
    with pytest.raises(errors.FileReferenceExpiredError):
        await client(functions.upload.GetFileRequest(location(document, file_reference=old), 0, 4 * KB))
    assert (await client.get_messages(telegram.archive.peer, ids=message.id)).document.file_reference != old
    assert await client.download_media(seen, bytes) == whole(telegram, document)


async def test_locations_of_nothing(telegram: Telegram) -> None:
    """A wrong access hash, an unknown file, a photo asked for as a file, a size that there is not."""
    client = await telegram.telethon()
    document = next(d for _, d in documents(telegram) if d.dc_id == 2 and d.kind != "photo")
    photo = next(d for _, d in documents(telegram) if d.kind == "photo")
    for wrong, error in (
        (location(document, access_hash=1), errors.FileIdInvalidError),
        (types.InputDocumentFileLocation(1, 2, b"x", ""), errors.FileIdInvalidError),
        (location(photo), errors.FileIdInvalidError),
        (location(document, thumb_size="m"), errors.LocationInvalidError),
        (location(document, file_reference=b""), errors.FileReferenceEmptyError),
        (types.InputTakeoutFileLocation(), errors.LocationInvalidError),
    ):
        with pytest.raises(error):
            await client(functions.upload.GetFileRequest(wrong, 0, 4 * KB))
