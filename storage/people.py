"""What is known of people who asked to join: counted, forgotten at once, or forgotten when it is old."""

import asyncio
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.models import RequestStatus, Traces
from storage.schema import audit, join_requests, messages, peers, request_views
from storage.statements import CHUNK

REFUSED = (RequestStatus.DENIED, RequestStatus.WITHDRAWN, RequestStatus.HANDLED_ELSEWHERE)
"""Who was not let in by us. Those who were are members, and their row says who let them in."""
NOBODY = "…"
SEARCHED = or_(*(func.json_extract(request_views.c.filters, f"$.{name}").is_not(None) for name in ("words", "bio")))


class PeopleRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def traces(self, user_id: int) -> Traces:
        async with self._database.read() as connection:
            return await _traces(connection, user_id)

    async def forget(self, user_id: int) -> Traces:
        """Requests and access hashes are deleted, saved messages lose their sender, audit lines the name. Lists that
        were searched by words go, whoever they were of: the words may be a name. Answers what was there. The bytes
        leave the files too: deleted cells are overwritten, and the WAL is emptied."""
        async with self._database.write() as connection:
            traces = await _traces(connection, user_id)
            await connection.execute(update(audit).where(await _tells_of(connection, user_id)).values(subject=NOBODY))
            await connection.execute(delete(join_requests).where(join_requests.c.user_id == user_id))
            await connection.execute(delete(peers).where(peers.c.peer_id == user_id))
            await connection.execute(update(messages).where(messages.c.sender_id == user_id).values(sender_id=None))
            await connection.execute(delete(request_views).where(SEARCHED))
            await _clean_words(connection)
        await self._database.empty_wal()
        return traces

    async def sweep(self, before: datetime) -> int:
        """Delete the requests of people who were refused, or withdrew, before that moment, and the access hashes of
        those of whom nothing else is known. Answers how many requests. In short transactions."""
        swept = 0
        old = (
            select(join_requests.c.id, join_requests.c.user_id)
            .where(join_requests.c.status.in_(REFUSED), join_requests.c.decided_at < before)
            .limit(CHUNK)
        )
        while True:
            async with self._database.write() as connection:
                rows = (await connection.execute(old)).all()
                await connection.execute(delete(join_requests).where(join_requests.c.id.in_([row.id for row in rows])))
                known = exists().where(join_requests.c.user_id == peers.c.peer_id)
                ids = {row.user_id for row in rows}
                await connection.execute(delete(peers).where(peers.c.peer_id.in_(ids), ~known))
            swept += len(rows)
            if len(rows) < CHUNK:
                break
            await asyncio.sleep(0)
        if swept:
            async with self._database.write() as connection:
                await _clean_words(connection)
            await self._database.empty_wal()
        return swept


async def _clean_words(connection: AsyncConnection) -> None:
    """FTS5 only notes that words are gone; merging all of its segments into one leaves them out."""
    await connection.exec_driver_sql("INSERT INTO join_requests_text (join_requests_text) VALUES ('optimize')")


async def _traces(connection: AsyncConnection, user_id: int) -> Traces:
    mine = join_requests.c.user_id == user_id
    newest = select(join_requests.c.name).where(mine).order_by(join_requests.c.id.desc()).limit(1)

    async def count(where: ColumnElement[bool]) -> int:
        return int(await connection.scalar(select(func.count()).where(where)) or 0)

    return Traces(
        user_id=user_id,
        name=await connection.scalar(newest),
        requests=await count(mine),
        waiting=await count(and_(mine, join_requests.c.status == RequestStatus.PENDING)),
        peers=await count(peers.c.peer_id == user_id),
        messages=await count(messages.c.sender_id == user_id),
        audit=await count(await _tells_of(connection, user_id)),
    )


async def _tells_of(connection: AsyncConnection, user_id: int) -> ColumnElement[bool]:
    """Lines of decisions are about a name, at a channel."""
    names = await connection.scalars(select(join_requests.c.name).where(join_requests.c.user_id == user_id).distinct())
    at_channel = func.json_extract(audit.c.detail, "$.channel").is_not(None)
    return and_(audit.c.subject.in_(list(names)), at_channel)
