"""Messages about waiting people: who is still to be told of, and which messages are still to heal."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import meta
from storage.database import Database
from storage.join_requests import IS_PENDING, request_from
from storage.models import JoinRequest, RequestStatus
from storage.request_models import News, Notice
from storage.schema import join_requests, notices
from storage.statements import insert
from storage.types import Clock, utc_now

GROUP = "notify_group "
"""In `meta`, before the id that NOTIFY_CHAT has."""
FIRST_SPAN = timedelta(days=1)
"""Where nobody was ever told, whom an account has brought is news only if they asked within this time: who waited long
before is not."""


class NoticeRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    # -- who is still to be told of

    async def newcomers(self, behind: int) -> tuple[int, list[int]]:
        """The id of the newest request, and the channels where somebody waits who was stored behind that id."""
        statement = (
            select(join_requests.c.channel_id)
            .where(join_requests.c.id > behind, join_requests.c.status == RequestStatus.PENDING)
            .distinct()
        )
        async with self._database.read() as connection:
            newest = await connection.scalar(select(func.max(join_requests.c.id)))
            if newest is None or newest <= behind:
                return behind, []
            return newest, list(await connection.scalars(statement))

    async def news(self, channel_id: int, told_at: datetime | None) -> News | None:
        """Who waits and is new since then, those left out who have a card. None: nobody."""
        statement = select(func.count(), func.max(join_requests.c.first_seen_at)).where(
            *self._is_news(channel_id, told_at)
        )
        async with self._database.read() as connection:
            count, newest_at = (await connection.execute(statement)).one()
        return News(count, newest_at) if count else None

    async def fresh(self, channel_id: int, told_at: datetime | None, limit: int) -> list[JoinRequest]:
        """The first of them, in the order in which they came."""
        statement = select(join_requests).where(*self._is_news(channel_id, told_at))
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(join_requests.c.id).limit(limit))
            return [request_from(row) for row in rows]

    def _is_news(self, channel_id: int, told_at: datetime | None) -> list[ColumnElement[bool]]:
        columns = join_requests.c
        # The bot is told at the asking; what an account lists may have waited for months before it was first seen.
        asked_after = told_at if told_at is not None else self._clock() - FIRST_SPAN
        where: list[ColumnElement[bool]] = [
            columns.channel_id == channel_id,
            IS_PENDING,
            or_(columns.user_chat_id.is_not(None), columns.asked_at > asked_after),
            ~exists().where(notices.c.request_id == columns.id),
        ]
        if told_at is not None:
            where.append(columns.first_seen_at > told_at)
        return where

    # -- what was said

    async def put_card(self, chat_id: int, message_id: int, request: JoinRequest) -> None:
        async with self._database.write() as connection:
            await self._put(connection, chat_id, message_id, request.channel_id, request.id)

    async def put_digest(self, chat_id: int, message_id: int, channel_ids: Sequence[int]) -> None:
        async with self._database.write() as connection:
            for channel_id in channel_ids:
                await self._put(connection, chat_id, message_id, channel_id, None)

    async def digests(self, chat_id: int) -> list[Notice]:
        """The lines of the digests that stand in a chat."""
        statement = select(notices).where(notices.c.chat_id == chat_id, notices.c.request_id.is_(None))
        async with self._database.read() as connection:
            return [_notice(row) for row in await connection.execute(statement.order_by(notices.c.id))]

    async def request_of(self, chat_id: int, message_id: int) -> int | None:
        """The request that a card is about. None: it is no card, or needs no healing any more."""
        statement = select(notices.c.request_id).where(notices.c.chat_id == chat_id, notices.c.message_id == message_id)
        async with self._database.read() as connection:
            request_id: int | None = await connection.scalar(statement)
        return request_id

    async def told(self) -> dict[int, datetime]:
        """When a digest of each channel was sent last, as far as it still stands somewhere."""
        statement = (
            select(notices.c.channel_id, func.max(notices.c.sent_at).label("sent_at"))
            .where(notices.c.request_id.is_(None))
            .group_by(notices.c.channel_id)
        )
        async with self._database.read() as connection:
            return {row.channel_id: row.sent_at for row in await connection.execute(statement)}

    # -- where the group went

    async def group_after(self, configured: int) -> int | None:
        """The supergroup that the group became. None: none that is known."""
        async with self._database.read() as connection:
            stored = await meta.get(connection, f"{GROUP}{configured}")
        return None if stored is None else int(stored)

    async def put_group_after(self, configured: int, now: int) -> None:
        async with self._database.write() as connection:
            await meta.put(connection, f"{GROUP}{configured}", str(now).encode())

    # -- what is to heal

    async def decided(self, limit: int, behind: int = 0) -> list[tuple[Notice, JoinRequest]]:
        """Cards of people who wait no more, ascending by id, behind that id."""
        columns = notices.c
        labelled = [column.label(f"notice_{column.name}") for column in columns]
        statement = (
            select(join_requests, *labelled)
            .join(notices, columns.request_id == join_requests.c.id)
            .where(~IS_PENDING, columns.id > behind)
            .order_by(columns.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [(_notice_of(row), request_from(row)) for row in rows]

    async def over(self, limit: int) -> list[Notice]:
        """What says nothing any more: cards of people who are forgotten, and lines of digests none of whose channels
        has anybody waiting."""
        line = notices.alias("line")
        waits = (
            select(join_requests.c.id)
            .join(line, line.c.channel_id == join_requests.c.channel_id)
            .where(line.c.chat_id == notices.c.chat_id, line.c.message_id == notices.c.message_id, IS_PENDING)
        )
        is_there = exists().where(join_requests.c.id == notices.c.request_id)
        is_over = or_(
            and_(notices.c.request_id.is_(None), ~waits.exists()),
            and_(notices.c.request_id.is_not(None), ~is_there),
        )
        statement = select(notices).where(is_over).order_by(notices.c.id).limit(limit)
        async with self._database.read() as connection:
            return [_notice(row) for row in await connection.execute(statement)]

    async def forget(self, chat_id: int, message_id: int) -> bool:
        """That message needs no healing any more. False: it is known to need none."""
        statement = delete(notices).where(notices.c.chat_id == chat_id, notices.c.message_id == message_id)
        async with self._database.write() as connection:
            return (await connection.execute(statement)).rowcount > 0

    async def _put(
        self, connection: AsyncConnection, chat_id: int, message_id: int, channel_id: int, request_id: int | None
    ) -> None:
        values = {"channel_id": channel_id, "request_id": request_id, "sent_at": self._clock()}
        statement = insert(notices).values(chat_id=chat_id, message_id=message_id, **values)
        await connection.execute(
            statement.on_conflict_do_update(index_elements=["chat_id", "message_id", "channel_id"], set_=values)
        )


def _notice(row: Row[Any]) -> Notice:
    return Notice(row.id, row.chat_id, row.message_id, row.channel_id, row.request_id, row.sent_at)


def _notice_of(row: Row[Any]) -> Notice:
    return Notice(
        row.notice_id,
        row.notice_chat_id,
        row.notice_message_id,
        row.notice_channel_id,
        row.notice_request_id,
        row.notice_sent_at,
    )
