"""file_id, file_path, and the search for the document that they stand for."""

import base64
import binascii
from pathlib import PurePosixPath

from sandbox.bot_api.errors import BotApiError, bad_request
from sandbox.bot_api.params import Upload
from sandbox.world import Document, MediaKind, World

MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
MAX_PHOTO_BYTES = 10 * 1024 * 1024
WRONG_FILE_ID = "wrong file_id or the file is temporarily unavailable"

_MAGIC = b"\x05\x02"


def file_id(document: Document) -> str:
    return base64.urlsafe_b64encode(_MAGIC + document.id.to_bytes(8, "big") + _MAGIC).decode()


def unique_id(document: Document) -> str:
    return base64.urlsafe_b64encode(document.id.to_bytes(8, "big")).decode().rstrip("=")


def file_path(document: Document) -> str:
    folder = "photos" if document.kind == "photo" else "documents"
    return f"{folder}/file_{document.id}{PurePosixPath(document.name).suffix}"


def document_id_of_path(path: str) -> int | None:
    stem = PurePosixPath(path).name.partition(".")[0].removeprefix("file_")
    return int(stem) if stem.isdigit() else None


class Files:
    """Every document of the World by its id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[int, Document] = {}

    def find(self, document_id: int) -> Document | None:
        if document_id not in self._known:
            # A new one may be anywhere: posts and uploads are not announced to this index, so look again.
            self._known = {document.id: document for document in self._all()}
        return self._known.get(document_id)

    def by_file_id(self, value: str) -> Document:
        """Raises BotApiError 400 for what is no file_id of ours."""
        if not value:
            raise bad_request("file_id not specified")
        try:
            raw = base64.urlsafe_b64decode(value.encode())
        except (binascii.Error, ValueError):
            raise bad_request(WRONG_FILE_ID) from None
        found = None
        if len(raw) == 12 and raw[:2] == raw[-2:] == _MAGIC:
            found = self.find(int.from_bytes(raw[2:10], "big"))
        if found is None:
            raise bad_request(WRONG_FILE_ID)
        return found

    def _all(self) -> list[Document]:
        world = self._world
        messages = [message for channel in world.channels.values() for message in channel.messages.values()]
        messages += [m for chats in world.chats.values() for chat in chats.values() for m in chat.values()]
        return [message.document for message in messages if message.document is not None]


def keep(world: World, upload: Upload, kind: MediaKind) -> Document:
    """Store an upload. Raises BotApiError 400 for a photo that is no picture."""
    if not upload.content:
        raise bad_request("file must be non-empty")
    if kind != "photo":
        return world.new_document(upload.filename or "file", upload.mime, upload.content, kind)
    if len(upload.content) > MAX_PHOTO_BYTES:
        raise bad_request("too big photo")
    width, height = picture_size(upload.content)
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
    document = world.new_document(upload.filename or "photo.jpg", upload.mime, upload.content, kind)
    document.width, document.height = width, height
    return document


def picture_size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG, JPEG or GIF. Raises BotApiError 400 for anything else."""
    if content.startswith(b"\x89PNG\r\n\x1a\n") and len(content) >= 24:
        return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")
    if content.startswith((b"GIF87a", b"GIF89a")) and len(content) >= 10:
        return int.from_bytes(content[6:8], "little"), int.from_bytes(content[8:10], "little")
    if content.startswith(b"\xff\xd8"):
        return _jpeg_size(content)
    raise _no_picture()


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Walks the segments up to the frame header (ITU T.81, B.1.1.4 and B.2.2)."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(content[at + 7 : at + 9], "big"), int.from_bytes(content[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    raise _no_picture()


def _no_picture() -> BotApiError:
    return bad_request("IMAGE_PROCESS_FAILED")
