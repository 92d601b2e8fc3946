"""A saved channel on the way home, for tests: real clients on the sandbox, real database, real disk, a real runner."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.scenarios import ADMIN
from sandbox.world import Channel as WorldChannel
from services.following import Following
from services.lanes import Lanes
from services.runs import Runner
from services.schedule import ScheduleService
from services.scraping import Scraper
from services.sources import SourceService
from services.targets import Targets
from services.verifying import Verifier
from storage.files import FileRepository
from storage.models import Channel, ChannelKind, Filters, NewSource, Run, RunKind, RunStatus, Source, TargetKind
from storage.roots import RootRepository
from storage.runs import RunRepository
from storage.schedules import ScheduleRepository
from storage.schema import files, messages, source_messages, sources
from storage.sources import SourceRepository
from storage.types import utc_now
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import Desk


@dataclass
class Voyage:
    jetty: Jetty
    store: Store
    pooled: Pooled
    root: Path
    nas_roots: dict[str, Path] = field(default_factory=dict)
    reserve_bytes: int = 0
    desk: Desk = field(init=False)
    following: Following = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.desk = Desk(RunRepository(self.store.database))
        self.source_rows = SourceRepository(self.store.database)
        self.file_rows = FileRepository(self.store.database)
        self.schedule_rows = ScheduleRepository(self.store.database)
        self.schedule = ScheduleService(self.schedule_rows)

    async def targets(self) -> Targets:
        seals = RootRepository(self.store.database)
        targets = Targets(self.root, self.nas_roots, seals, reserve_bytes=self.reserve_bytes)
        await targets.load()
        return targets

    @asynccontextmanager
    async def sail(self) -> AsyncIterator[tuple[Runner, SourceService]]:
        """A process's life: a new runner, scraper and service on the same database and disk."""
        targets = await self.targets()
        store, pool = self.store, self.pooled.pool
        self.following = Following(store.channels, store.sessions, self.source_rows, pool, self.desk.ear)
        scraper = Scraper(self.source_rows, self.file_rows, pool, targets, Lanes(), following=self.following)
        verifier = Verifier(self.source_rows, self.file_rows, targets)
        verifying = {RunKind.VERIFY: (verifier.work, verifier.ready)}
        async with self.desk.open(scraper.work, scraper.ready, verifying) as runner:
            yield (
                runner,
                SourceService(self.source_rows, self.file_rows, self.schedule_rows, runner, self.schedule, targets),
            )

    async def know(self, channel: WorldChannel) -> None:
        """The session has seen the channel."""
        await self.store.sessions.put_peers(self.pooled.session.id, {channel.peer: channel.access_hash})
        stored = Channel(channel.peer, channel.title, channel.username, ChannelKind.CHANNEL, 3, None, utc_now())
        await self.store.channels.add_seen(self.pooled.session.id, stored, may_invite=True)

    def new(self, name: str = "Archive", filters: Filters | None = None, folder: str = "archive") -> NewSource:
        peer = self.jetty.private.peer
        return NewSource(name, self.pooled.session.id, peer, filters or Filters(), TargetKind.LOCAL, folder)

    async def add(self, name: str = "Archive", filters: Filters | None = None, folder: str = "archive") -> Source:
        await self.know(self.jetty.private)
        return await self.source_rows.add(self.new(name, filters, folder))

    async def scrape(self, source: Source) -> Run:
        """One undisturbed run, to its end."""
        async with self.sail() as (_, service):
            run = await service.scrape(source.id, 5)
            return await self.desk.reached(run.id, RunStatus.DONE, RunStatus.FAILED, RunStatus.WAITING)

    def post(self, content: bytes) -> None:
        """A new file in the channel."""
        world = self.jetty.sandbox.world
        document = world.new_document("fresh.bin", "application/octet-stream", content)
        world.post(self.jetty.private, ADMIN, text="new", document=document)

    # -- what is true

    def documents(self) -> dict[int, str]:
        """SHA-256 of each document of the channel, by message id, as the sandbox knows them."""
        world = self.jetty.sandbox.world
        return {
            message.id: hashlib.sha256(world.document_bytes(document, 0, document.size)).hexdigest()
            for channel, message, document in world.documents()
            if channel is self.jetty.private
        }

    def post_count(self) -> int:
        """Messages of the channel that say something: no service messages, no deleted ones."""
        return sum(not message.deleted and not message.action for message in self.jetty.private.messages.values())

    def disk(self) -> dict[str, str]:
        """SHA-256 of everything below the root, by path."""
        return {
            path.relative_to(self.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in self.root.rglob("*")
            if path.is_file()
        }

    async def rows(self) -> dict[str, list[Any]]:
        """Everything that the scrape has written, without times and row ids."""
        statements = {
            "files": files.select().with_only_columns(
                files.c.document_id, files.c.message_id, files.c.state, files.c.path, files.c.sha256
            ),
            "messages": messages.select().with_only_columns(messages.c.channel_id, messages.c.id, messages.c.text),
            "links": source_messages.select(),
            "totals": sources.select().with_only_columns(
                sources.c.cursor, sources.c.total_messages, sources.c.total_files, sources.c.total_bytes
            ),
        }
        async with self.store.database.read() as connection:
            return {
                name: sorted(tuple(row) for row in await connection.execute(statement))
                for name, statement in statements.items()
            }

    async def active(self, source: Source) -> Run | None:
        return await self.desk.rows.active_of(RunKind.SCRAPE, source.id)
