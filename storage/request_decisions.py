"""What became of requests: how earlier ones ended, what Telegram refused, who was banned, what was taken back."""

from datetime import datetime

from sqlalchemy import select, update

from storage.database import Database
from storage.join_requests import IS_PENDING, request_from
from storage.models import JoinRequest, RequestStatus, Way
from storage.schema import join_requests
from storage.types import Clock, utc_now


class RequestDecisions:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def history(self, user_id: int) -> list[JoinRequest]:
        """The person's requests at all channels that are over, newest first."""
        statement = (
            select(join_requests)
            .where(join_requests.c.user_id == user_id, join_requests.c.status != RequestStatus.PENDING)
            .order_by(join_requests.c.asked_at.desc(), join_requests.c.id.desc())
        )
        async with self._database.read() as connection:
            return [request_from(row) for row in await connection.execute(statement)]

    async def refused(self, request_id: int, word: str) -> None:
        """Telegram's word for why somebody who waits could not be decided. Deciding them takes it away."""
        statement = update(join_requests).where(join_requests.c.id == request_id, IS_PENDING).values(refusal=word)
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def banned(self, request_id: int) -> JoinRequest | None:
        """None: it is gone."""
        statement = update(join_requests).where(join_requests.c.id == request_id).values(is_banned=True)
        async with self._database.write() as connection:
            row = (await connection.execute(statement.returning(join_requests))).one_or_none()
        return request_from(row) if row else None

    async def last_of(self, admin_id: int, channel_id: int, since: datetime) -> JoinRequest | None:
        """What the admin decided last at the channel, not longer ago than that; of who has not asked anew."""
        newer = join_requests.alias()
        asked_anew = select(newer.c.id).where(
            newer.c.user_id == join_requests.c.user_id,
            newer.c.channel_id == join_requests.c.channel_id,
            newer.c.id > join_requests.c.id,
        )
        last = (
            select(join_requests, asked_anew.exists().label("asked_anew"))
            .where(
                join_requests.c.decided_by == admin_id,
                join_requests.c.channel_id == channel_id,
                join_requests.c.decided_at >= since,
            )
            .order_by(join_requests.c.decided_at.desc(), join_requests.c.id.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(last)).one_or_none()
        return request_from(row) if row is not None and not row.asked_anew else None

    async def take_back(self, approved: JoinRequest, way: Way, admin_id: int) -> JoinRequest | None:
        """Compare and set: DENIED by that admin, if it still is the approval in hand. None: somebody was faster."""
        statement = (
            update(join_requests)
            .where(
                join_requests.c.id == approved.id,
                join_requests.c.status == RequestStatus.APPROVED,
                join_requests.c.decided_at == approved.decided_at,
            )
            .values(status=RequestStatus.DENIED, way=way, decided_by=admin_id, decided_at=self._clock())
            .returning(join_requests)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return request_from(row) if row else None
