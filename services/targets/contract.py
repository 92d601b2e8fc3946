"""What the download engine and the checks ask of a target."""

import unicodedata
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from services.clients.base import PART_BYTES
from services.errors import FolderInvalid
from services.names import is_safe_folder
from storage.models import Twin

MANY_ENTRIES = 1000
"""Of a root more are not counted."""


def check_folder(folder: str) -> str:
    """The folder as it is stored, relative to the root of a target. Raises FolderInvalid."""
    folder = unicodedata.normalize("NFC", folder)
    if not is_safe_folder(folder):
        raise FolderInvalid
    return folder


def part_count(size_bytes: int) -> int:
    return -(-size_bytes // PART_BYTES)


class Condition(StrEnum):
    """How a file that was DONE is found."""

    INTACT = "INTACT"
    DAMAGED = "DAMAGED"
    MISSING = "MISSING"


@dataclass(frozen=True, slots=True)
class RootLook:
    """What an admin should know of a root before it is used. `entries`: at most MANY_ENTRIES are counted."""

    name: str
    entries: int
    free_bytes: int
    is_mount: bool
    is_known: bool
    """It is the one that was agreed to."""


class IncomingFile(Protocol):
    """A file on its way in. Raises TargetUnavailable."""

    async def verified(self, hashes: Mapping[int, bytes]) -> set[int]:
        """Which of these parts lie on disk with just that SHA-256."""

    async def write(self, number: int, data: bytes) -> bytes:
        """Part `number` into its place; answers its SHA-256."""

    async def hash_ahead(self) -> None:
        """Take what is there without a gap into the hash of the whole, so that the end need not read it all."""

    async def sha256(self) -> bytes:
        """Of the whole file, all parts of which are there; read back from the disk."""

    async def finish(self, folder: str, name: str) -> bytes:
        """The whole file under its final name, durable; answers its SHA-256. Raises FolderInvalid."""


class Target(Protocol):
    """Raises FolderInvalid, TargetUnavailable. `hashes`: SHA-256 of each part of PART_BYTES, by its number."""

    async def check(self, need_bytes: int = 0) -> None:
        """Cheap. That it is there, may be written and has room for so much beside the reserve."""

    def incoming(self, folder: str, file_id: int, size_bytes: int) -> AbstractAsyncContextManager[IncomingFile]:
        """A file that grows; what an earlier run left of it is still there."""

    async def exists(self, folder: str, name: str) -> bool: ...

    async def find(self, folder: str, name: str, size_bytes: int, hashes: Mapping[int, bytes]) -> bytes | None:
        """SHA-256 of the file of that name if it has that size and just these parts, else None. Durable then."""

    async def link(self, twin: Twin, folder: str, name: str) -> bool:
        """The twin under a second name, durable. False: that name is another file's.

        Raises LinkImpossible, also when the twin is not there any more as it was.
        """

    async def condition(self, path: str, size_bytes: int, sha256: bytes) -> Condition:
        """Reads the whole file. Raises TargetGone as well where a root is empty that held files."""

    async def set_aside(self, path: str) -> None:
        """Another name for what lies there, `<name>.damaged`, so that the good one can come back."""

    async def discard(self, folder: str, file_id: int) -> None:
        """Drop what has come of a file that will never be whole."""


class LinkImpossible(Exception):
    """Other file system, one without links, or the original is not proven."""
