"""What the tests of join requests look at, and do to many rows at once."""

from collections import Counter
from datetime import datetime

from sqlalchemy import func, select, update

from storage.database import Database
from storage.join_requests import request_from
from storage.models import JoinRequest, RequestStatus, Way
from storage.schema import join_requests


async def waiting(database: Database, channel_id: int) -> list[JoinRequest]:
    """Ascending by id."""
    statement = (
        select(join_requests)
        .where(join_requests.c.channel_id == channel_id, join_requests.c.status == RequestStatus.PENDING)
        .order_by(join_requests.c.id)
    )
    async with database.read() as connection:
        return [request_from(row) for row in await connection.execute(statement)]


async def tally(database: Database, channel_id: int) -> dict[RequestStatus, int]:
    """How many rows stand in each status."""
    statement = (
        select(join_requests.c.status, func.count().label("rows"))
        .where(join_requests.c.channel_id == channel_id)
        .group_by(join_requests.c.status)
    )
    async with database.read() as connection:
        return Counter({RequestStatus(row.status): row.rows for row in await connection.execute(statement)})


async def settle_all(database: Database, channel_id: int, status: RequestStatus, way: Way, now: datetime) -> None:
    """Everybody who waits, by nobody."""
    statement = update(join_requests).where(
        join_requests.c.channel_id == channel_id, join_requests.c.status == RequestStatus.PENDING
    )
    async with database.write() as connection:
        await connection.execute(statement.values(status=status, way=way, decided_at=now))
