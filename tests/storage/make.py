"""Rows that tests begin with."""

from datetime import UTC, datetime
from itertools import count

from storage.channels import ChannelRepository
from storage.database import Database
from storage.models import (
    Channel,
    ChannelKind,
    FileKind,
    Filters,
    IncomingRequest,
    NewFile,
    NewMessage,
    NewSource,
    Session,
    Source,
    TargetKind,
)
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.types import Clock
from storage.vault import Vault

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
CHANNEL_ID = -1001000000001


def channel(channel_id: int = CHANNEL_ID, **changes: object) -> Channel:
    values: dict[str, object] = {
        "id": channel_id,
        "title": "Harbour",
        "username": None,
        "kind": ChannelKind.CHANNEL,
        "members": 10,
        "bot_may_invite": None,
        "updated_at": NOON,
    }
    return Channel(**(values | changes))  # type: ignore[arg-type]


def message(message_id: int, text: str = "hello") -> NewMessage:
    return NewMessage(id=message_id, date=NOON, sender_id=7, text=text)


def file(message_id: int, document_id: int, size_bytes: int = 1000) -> NewFile:
    return NewFile(
        message_id, document_id, FileKind.DOCUMENT, f"{document_id}.pdf", "application/pdf", size_bytes, NOON
    )


def request(user_id: int, channel_id: int = CHANNEL_ID, **changes: object) -> IncomingRequest:
    values: dict[str, object] = {
        "channel_id": channel_id,
        "user_id": user_id,
        "name": f"Person {user_id}",
        "username": None,
        "bio": None,
        "asked_at": NOON,
    }
    return IncomingRequest(**(values | changes))  # type: ignore[arg-type]


class Maker:
    def __init__(self, database: Database, vault: Vault, clock: Clock) -> None:
        self.sessions = SessionRepository(database, vault, clock=clock)
        self.channels = ChannelRepository(database, clock=clock)
        self.sources = SourceRepository(database, clock=clock)
        self._numbers = count(1)

    async def channel(self, channel_id: int = CHANNEL_ID, **changes: object) -> Channel:
        new = channel(channel_id, **changes)
        await self.channels.put(new)
        return new

    async def session(self, **changes: object) -> Session:
        number = next(self._numbers)
        values: dict[str, object] = {
            "name": f"Account {number}",
            "user_id": 5000 + number,
            "account_name": "Ann",
            "username": None,
            "masked_phone": "+9••••42",
            "api_id": 12345,
            "api_hash": "0123456789abcdef0123456789abcdef",
            "phone": "+99966123442",
            "credential": b"credential %d" % number,
            "fingerprint": b"fingerprint %d" % number,
        }
        return await self.sessions.add(**(values | changes))  # type: ignore[arg-type]

    async def source(self, session: Session | None = None, **changes: object) -> Source:
        await self.channel()
        session = session or await self.session()
        values: dict[str, object] = {
            "name": f"Source {next(self._numbers)}",
            "session_id": session.id,
            "channel_id": CHANNEL_ID,
            "filters": Filters(),
            "target": TargetKind.LOCAL,
            "folder": "harbour",
        }
        return await self.sources.add(NewSource(**(values | changes)))  # type: ignore[arg-type]
