"""Sources, and the messages that they have carried home."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, exists, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import statements
from storage.database import Database
from storage.errors import NameTaken
from storage.files import want_failed
from storage.models import (
    Duplicates,
    Filters,
    NewFile,
    NewMessage,
    NewPlace,
    NewSource,
    PageStored,
    RunKind,
    Scope,
    SessionState,
    Source,
    Start,
    TargetKind,
)
from storage.packing import pack_filters, pack_start, unpack_filters, unpack_start
from storage.places import prefix
from storage.runs import check_idle, readdress_scrapes
from storage.schema import channels, files, messages, peers, session_channels, sessions, source_messages, sources
from storage.statements import Bulk, chunks
from storage.types import Clock, to_milliseconds, utc_now
from storage.wanting import want_files


class SourceRepository:
    """Changing a source that is gone changes nothing."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def add(self, new: NewSource) -> Source:
        """Enabled, with its cursor at the beginning. Its session and channel are stored already. Raises NameTaken."""
        now = self._clock()
        async with self._database.write() as connection:
            if await connection.scalar(select(sources.c.id).where(sources.c.name == new.name)) is not None:
                raise NameTaken("sources", new.name)
            source_id = (
                await connection.execute(
                    insert(sources)
                    .values(
                        name=new.name,
                        session_id=new.session_id,
                        channel_id=new.channel_id,
                        filters=pack_filters(new.filters),
                        target=new.target,
                        folder=new.folder,
                        root=new.root,
                        name_template=new.name_template,
                        duplicates=new.duplicates,
                        scope=new.scope,
                        start=pack_start(new.start),
                        only_matching=new.only_matching,
                        live=new.live,
                        created_at=now,
                        updated_at=now,
                    )
                    .returning(sources.c.id)
                )
            ).scalar_one()
            return _source((await connection.execute(_sources().where(sources.c.id == source_id))).one())

    async def get(self, source_id: int) -> Source | None:
        async with self._database.read() as connection:
            row = (await connection.execute(_sources().where(sources.c.id == source_id))).one_or_none()
        return _source(row) if row else None

    async def all(self) -> list[Source]:
        """By name."""
        async with self._database.read() as connection:
            rows = await connection.execute(_sources().order_by(func.lower(sources.c.name), sources.c.id))
        return [_source(row) for row in rows]

    async def of_session(self, session_id: int) -> list[Source]:
        """By name."""
        statement = _sources().where(sources.c.session_id == session_id)
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(func.lower(sources.c.name), sources.c.id))
        return [_source(row) for row in rows]

    async def of_channel(self, channel_id: int) -> list[Source]:
        """Oldest first."""
        statement = _sources().where(sources.c.channel_id == channel_id).order_by(sources.c.id)
        async with self._database.read() as connection:
            return [_source(row) for row in await connection.execute(statement)]

    async def widen(self, source_id: int, new: NewSource) -> None:
        """One of single posts carries the channel from now on, as `new` says; session, root and folder stay, and so
        does what it has. Raises NameTaken."""
        async with self._database.write() as connection:
            taken = select(sources.c.id).where(sources.c.name == new.name, sources.c.id != source_id)
            if await connection.scalar(taken) is not None:
                raise NameTaken("sources", new.name)
            await connection.execute(
                update(sources)
                .where(sources.c.id == source_id)
                .values(
                    name=new.name,
                    scope=Scope.CHANNEL,
                    filters=pack_filters(new.filters),
                    start=pack_start(new.start),
                    only_matching=new.only_matching,
                    live=new.live,
                    enabled=True,
                    updated_at=self._clock(),
                )
            )

    async def movable(self, session_id: int) -> dict[int, list[int]]:
        """By every other ACTIVE session: the ids of this session's sources whose channel it has met."""
        statement = (
            select(peers.c.session_id, sources.c.id)
            .join(sources, sources.c.channel_id == peers.c.peer_id)
            .join(sessions, sessions.c.id == peers.c.session_id)
            .where(sources.c.session_id == session_id, sessions.c.id != session_id)
            .where(sessions.c.state == SessionState.ACTIVE, peers.c.access_hash_sealed.is_not(None))
            .order_by(peers.c.session_id, sources.c.id)
        )
        found: dict[int, list[int]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(statement):
                found.setdefault(row.session_id, []).append(row.id)
        return found

    async def rename(self, source_id: int, name: str) -> None:
        """Raises NameTaken."""
        async with self._database.write() as connection:
            holder = await connection.scalar(select(sources.c.id).where(sources.c.name == name))
            if holder is not None and holder != source_id:
                raise NameTaken("sources", name)
            await connection.execute(
                update(sources).where(sources.c.id == source_id).values(name=name, updated_at=self._clock())
            )

    async def move(self, source_ids: Sequence[int], session_id: int) -> None:
        """From now on they read through that session, and so do their scrapes that have not ended."""
        async with self._database.write() as connection:
            for some_ids in chunks(list(source_ids)):
                await connection.execute(
                    update(sources)
                    .where(sources.c.id.in_(some_ids))
                    .values(session_id=session_id, updated_at=self._clock())
                )
                await readdress_scrapes(connection, some_ids, session_id)

    async def set_enabled(self, source_id: int, enabled: bool) -> None:
        await self._change(source_id, enabled=enabled)

    async def set_name_template(self, source_id: int, template: str | None) -> None:
        await self._change(source_id, name_template=template)

    async def set_duplicates(self, source_id: int, duplicates: Duplicates) -> None:
        await self._change(source_id, duplicates=duplicates)

    async def set_filters(self, source_id: int, filters: Filters, *, only_matching: bool) -> None:
        await self._change(source_id, filters=pack_filters(filters), only_matching=only_matching)

    async def start_over(self, source_id: int, start: Start) -> None:
        """The next scrape walks from there. Files that failed are wanted again; all others stay as they are.

        Raises AlreadyActive: a scrape under way walks from its own cursor.
        """
        async with self._database.write() as connection:
            await check_idle(connection, RunKind.SCRAPE, source_id)
            await connection.execute(
                update(sources)
                .where(sources.c.id == source_id)
                .values(start=pack_start(start), updated_at=self._clock())
            )
            await want_failed(connection, source_id, self._clock())

    async def begin(self, source_id: int, cursor: int) -> None:
        """Its start lies there: the one thing that may move a cursor back. Both are said in one moment, so that a
        start is resolved once, whenever the run is killed."""
        async with self._database.write() as connection:
            await connection.execute(
                update(sources)
                .where(sources.c.id == source_id, sources.c.start.is_not(None))
                .values(cursor=cursor, start=None, updated_at=self._clock())
            )

    async def set_target(self, source_id: int, root: str | None, folder: str) -> None:
        """Files that are DONE stay where they are, and their rows go on saying where. Raises AlreadyActive: what is
        being fetched lies in the folder as it was."""
        async with self._database.write() as connection:
            await check_idle(connection, RunKind.SCRAPE, source_id)
            await place_source(connection, NewPlace(source_id, root, folder), self._clock())

    async def set_live(self, source_id: int, live: bool) -> None:
        await self._change(source_id, live=live)

    async def finished(self, source_id: int, at: datetime, quiet_after: datetime | None = None) -> None:
        """A scrape has come to the end of the channel. `quiet_after`: as services/habits.py finds it."""
        await self._change(source_id, last_scraped_at=at, quiet_after=quiet_after)

    async def is_member(self, session_id: int, channel_id: int) -> bool:
        """Whether the account is in there, as far as its list of channels says: a stranger is told no updates."""
        statement = select(
            exists().where(session_channels.c.session_id == session_id, session_channels.c.channel_id == channel_id)
        )
        async with self._database.read() as connection:
            return bool(await connection.scalar(statement))

    async def dates(self, source_id: int, limit: int) -> list[datetime]:
        """Of its newest messages in its present channel, newest first."""
        statement = (
            select(messages.c.date)
            .select_from(sources)
            .join(
                source_messages,
                (source_messages.c.source_id == sources.c.id) & (source_messages.c.channel_id == sources.c.channel_id),
            )
            .join(
                messages,
                (messages.c.channel_id == source_messages.c.channel_id)
                & (messages.c.id == source_messages.c.message_id),
            )
            .where(sources.c.id == source_id)
            .order_by(source_messages.c.message_id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return list(await connection.scalars(statement))

    async def follow(self, source_id: int, from_id: int, to_id: int) -> None:
        """From now on it reads that channel, from its beginning. What it has of the other one stays. Once: nothing
        happens to a source that has gone over already."""
        async with self._database.write() as connection:
            await connection.execute(
                update(sources)
                .where(sources.c.id == source_id, sources.c.channel_id == from_id)
                .values(channel_id=to_id, cursor=0, quiet_after=None, updated_at=self._clock())
            )

    async def delete(self, source_id: int, *, keep_messages: bool = False) -> None:
        """Its files' rows go too; what lies in the target stays. So do its messages with `keep_messages`, until the
        channel is saved anew and takes them up; without, those go that no other source has."""
        async with self._database.write() as connection:
            await delete_source(connection, source_id, keep_messages=keep_messages)

    async def store_page(
        self, source_id: int, page: Sequence[NewMessage], wanted: Sequence[NewFile], cursor: int
    ) -> PageStored:
        """One page of history: its messages, the files that the filters want, the cursor and the total. All or none.

        Storing a page again counts nothing twice, refreshes edited messages and never moves the cursor back.
        """
        async with self._database.write() as connection:
            channel_id = await _channel_of(connection, source_id)
            if channel_id is None:
                return PageStored(0, 0)
            await _store_messages(connection, channel_id, page)
            new_messages = await _link_messages(connection, source_id, channel_id, page)
            new_files = await want_files(connection, source_id, channel_id, wanted, self._clock())
            await connection.execute(
                update(sources)
                .where(sources.c.id == source_id)
                .values(
                    cursor=func.max(sources.c.cursor, cursor),
                    total_messages=sources.c.total_messages + new_messages,
                    updated_at=self._clock(),
                )
            )
        return PageStored(new_messages, new_files)

    async def _change(self, source_id: int, **values: Any) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(sources).where(sources.c.id == source_id).values(**values, updated_at=self._clock())
            )


async def _channel_of(connection: AsyncConnection, source_id: int) -> int | None:
    channel_id: int | None = await connection.scalar(select(sources.c.channel_id).where(sources.c.id == source_id))
    return channel_id


async def place_source(connection: AsyncConnection, place: NewPlace, now: datetime) -> None:
    """Its files that are DONE stay where they are, and their rows go on saying where."""
    old = (await connection.execute(select(sources.c.root).where(sources.c.id == place.source_id))).one_or_none()
    if old is None:
        return
    if old.root != place.root:
        await connection.execute(
            update(files)
            .where(files.c.source_id == place.source_id, files.c.path.is_not(None), ~files.c.path.startswith(":"))
            .values(path=prefix(old.root) + files.c.path)
        )
    await connection.execute(
        update(sources)
        .where(sources.c.id == place.source_id)
        .values(
            target=TargetKind.LOCAL if place.root is None else TargetKind.NAS,
            root=place.root,
            folder=place.folder,
            updated_at=now,
        )
    )


async def delete_source(connection: AsyncConnection, source_id: int, *, keep_messages: bool) -> None:
    channel_id = await _channel_of(connection, source_id)
    if channel_id is None:
        return
    if not keep_messages:
        await connection.execute(delete(messages).where(await _only_of(connection, source_id, channel_id)))
    await connection.execute(delete(sources).where(sources.c.id == source_id))


async def _only_of(connection: AsyncConnection, source_id: int, channel_id: int) -> ColumnElement[bool]:
    """Messages that this source has and no other; what was kept of an earlier one, and this one never met, is not."""
    family = await _family(connection, channel_id)
    others = select(sources.c.id).where(sources.c.channel_id.in_(family), sources.c.id != source_id)
    own = select(source_messages.c.channel_id, source_messages.c.message_id).where(
        source_messages.c.source_id == source_id
    )
    shared = exists().where(
        source_messages.c.source_id.in_(others),
        source_messages.c.channel_id == messages.c.channel_id,
        source_messages.c.message_id == messages.c.id,
    )
    return and_(tuple_(messages.c.channel_id, messages.c.id).in_(own), ~shared)


async def _family(connection: AsyncConnection, channel_id: int) -> list[int]:
    """The channel, the supergroup that it became, and the groups that became one of these."""
    grown = select(channels.c.migrated_to).where(channels.c.id == channel_id, channels.c.migrated_to.is_not(None))
    known = [channel_id, *await connection.scalars(grown)]
    return [*known, *await connection.scalars(select(channels.c.id).where(channels.c.migrated_to.in_(known)))]


def _store_message() -> Bulk:
    """A page that was asked for before an edit and comes after it does not undo the edit."""
    statement = statements.insert(messages)
    new = statement.excluded
    return Bulk(
        statement.on_conflict_do_update(
            index_elements=["channel_id", "id"],
            set_={"text": new.text, "edited_at": new.edited_at},
            where=or_(messages.c.edited_at.is_(None), new.edited_at >= messages.c.edited_at),
        )
    )


STORE_MESSAGE = _store_message()
LINK_MESSAGE = Bulk(statements.insert(source_messages).on_conflict_do_nothing())


async def _store_messages(connection: AsyncConnection, channel_id: int, page: Sequence[NewMessage]) -> None:
    await STORE_MESSAGE.execute(
        connection,
        [
            {
                "channel_id": channel_id,
                "id": message.id,
                "date": to_milliseconds(message.date),
                "sender_id": message.sender_id,
                "text": message.text,
                "edited_at": to_milliseconds(message.edited_at) if message.edited_at else None,
                "grouped_id": message.grouped_id,
            }
            for message in page
        ],
    )


async def _link_messages(
    connection: AsyncConnection, source_id: int, channel_id: int, page: Sequence[NewMessage]
) -> int:
    """Answers how many the source did not have."""
    links = [{"source_id": source_id, "channel_id": channel_id, "message_id": message.id} for message in page]
    return await LINK_MESSAGE.execute(connection, links)


def _sources() -> Select[Any]:
    return (
        select(sources, channels.c.title.label("channel_title"), sessions.c.state.label("session_state"))
        .join(channels, channels.c.id == sources.c.channel_id)
        .join(sessions, sessions.c.id == sources.c.session_id)
    )


def _source(row: Row[Any]) -> Source:
    return Source(
        id=row.id,
        name=row.name,
        session_id=row.session_id,
        is_held=row.session_state != SessionState.ACTIVE,
        channel_id=row.channel_id,
        channel_title=row.channel_title,
        filters=unpack_filters(row.filters),
        target=TargetKind(row.target),
        folder=row.folder,
        cursor=row.cursor,
        enabled=row.enabled,
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_scraped_at=row.last_scraped_at,
        total_messages=row.total_messages,
        total_files=row.total_files,
        total_bytes=row.total_bytes,
        root=row.root,
        name_template=row.name_template,
        duplicates=Duplicates(row.duplicates),
        scope=Scope(row.scope),
        start=unpack_start(row.start),
        only_matching=row.only_matching,
        live=row.live,
        quiet_after=row.quiet_after,
        api_id=row.api_id,
    )
