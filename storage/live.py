"""What live mode asks of the database: which sources listen, and what an edit changes."""

from sqlalchemy import exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.models import LiveSource, NewFile, NewMessage, Scope, SessionState
from storage.schema import messages, sessions, source_messages, sources
from storage.types import Clock, utc_now
from storage.wanting import want_files


class LiveRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def all(self) -> list[LiveSource]:
        """Those that were at the end of their channel once: the first, large run is an admin's to start. By session."""
        statement = (
            select(sources.c.id, sources.c.session_id, sources.c.channel_id, sources.c.cursor)
            .join(sessions, sessions.c.id == sources.c.session_id)
            .where(
                sources.c.live,
                sources.c.enabled,
                sources.c.scope == Scope.CHANNEL,
                sources.c.last_scraped_at.is_not(None),
                sessions.c.state == SessionState.ACTIVE,
            )
            .order_by(sources.c.session_id, sources.c.id)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
        return [LiveSource(row.id, row.session_id, row.channel_id, row.cursor) for row in rows]

    async def edit(self, source_id: int, channel_id: int, message: NewMessage, wanted: NewFile | None) -> bool:
        """The message as it is now, if the source has it, and the file that is wanted with it, if the source does not
        know that. Answers whether a file is newly wanted. An edit that is older than what is stored changes nothing."""
        async with self._database.write() as connection:
            if not await self._has(connection, source_id, channel_id, message.id):
                return False
            await connection.execute(
                update(messages)
                .where(
                    messages.c.channel_id == channel_id,
                    messages.c.id == message.id,
                    or_(messages.c.edited_at.is_(None), messages.c.edited_at <= message.edited_at),
                )
                .values(text=message.text, edited_at=message.edited_at)
            )
            new = [wanted] if wanted is not None else []
            return bool(await want_files(connection, source_id, channel_id, new, self._clock()))

    async def _has(self, connection: AsyncConnection, source_id: int, channel_id: int, message_id: int) -> bool:
        link = exists().where(
            source_messages.c.source_id == source_id,
            source_messages.c.channel_id == channel_id,
            source_messages.c.message_id == message_id,
        )
        return bool(await connection.scalar(select(link)))
