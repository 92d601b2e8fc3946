"""Join requests: one row per asking, at most one PENDING per channel and person."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, and_, case, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.alike import mark_alike
from storage.channels import channel_from
from storage.database import Database
from storage.links import with_whole_links
from storage.models import IncomingRequest, JoinRequest, PendingCount, RequestStatus, Way
from storage.request_filters import shape_of
from storage.schema import channels, join_requests
from storage.statements import chunks, insert
from storage.types import Clock, utc_now

# Written out instead of bound: only so does SQLite see that the partial index of the waiting ones serves.
IS_PENDING = join_requests.c.status == literal_column(f"'{RequestStatus.PENDING}'")

OUR_WAYS = (Way.BOT, Way.SESSION, Way.BULK, Way.RULE)
"""Decisions that Telegram has confirmed to us."""


class JoinRequestRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def store(self, incoming: list[IncomingRequest]) -> int:
        """What Telegram told, by an update or by a page, in one transaction; answers how many are new.

        A person who is PENDING already is refreshed (what this side does not know stays). An asking that we decided
        is not opened again by a page that was read before the decision: it carries the same `asked_at`; asking
        anew carries a later one. The channels are stored already.
        """
        if not incoming:
            return 0
        now = self._clock()
        by_channel: dict[int, dict[int, IncomingRequest]] = defaultdict(dict)
        for request in incoming:
            by_channel[request.channel_id][request.user_id] = request
        new = 0
        async with self._database.write() as connection:
            for channel_id, by_user in by_channel.items():
                for user_ids in chunks(list(by_user)):
                    requests = [by_user[user_id] for user_id in user_ids]
                    new += await _store(connection, channel_id, requests, now)
        return new

    async def get(self, request_id: int) -> JoinRequest | None:
        async with self._database.read() as connection:
            row = (
                await connection.execute(select(join_requests).where(join_requests.c.id == request_id))
            ).one_or_none()
        return request_from(row) if row else None

    async def count(self, channel_id: int, cap: int | None = None) -> int:
        """How many are PENDING; counting stops at `cap`."""
        waiting = select(join_requests.c.id).where(join_requests.c.channel_id == channel_id, IS_PENDING).limit(cap)
        async with self._database.read() as connection:
            return int((await connection.execute(select(func.count()).select_from(waiting.subquery()))).scalar_one())

    async def overview(self) -> list[PendingCount]:
        """The channels where people wait, most of them first."""
        async with self._database.read() as connection:
            return await pending_counts(connection)

    async def settle(
        self, request_id: int, status: RequestStatus, way: Way, decided_by: int | None, rule_id: int | None = None
    ) -> JoinRequest | None:
        """Compare and set. None: it was not PENDING any more (or is gone); somebody was faster."""
        statement = self._settling(status, way, decided_by).where(join_requests.c.id == request_id)
        statement = statement.values(rule_id=rule_id)
        async with self._database.write() as connection:
            row = (await connection.execute(statement.returning(join_requests))).one_or_none()
        return request_from(row) if row else None

    async def begin_greeting(self, request_id: int) -> bool:
        """Whether nobody has begun to write to them before: of two who ask, one gets it, once and for good."""
        statement = (
            update(join_requests)
            .where(IS_PENDING, join_requests.c.id == request_id, join_requests.c.greeted_at.is_(None))
            .values(greeted_at=self._clock())
        )
        async with self._database.write() as connection:
            return bool((await connection.execute(statement)).rowcount)

    async def pending_among(self, channel_id: int, user_ids: Collection[int]) -> set[int]:
        """Which of these few wait there, as far as we know."""
        statement = select(join_requests.c.user_id).where(
            join_requests.c.channel_id == channel_id, IS_PENDING, join_requests.c.user_id.in_(user_ids)
        )
        async with self._database.read() as connection:
            return set(await connection.scalars(statement))

    async def missing(self, channel_id: int, seen_before: datetime) -> dict[int, datetime]:
        """Who waits here and was last seen before that moment: when they asked, by user id."""
        statement = select(join_requests.c.user_id, join_requests.c.asked_at).where(
            join_requests.c.channel_id == channel_id, IS_PENDING, join_requests.c.last_seen_at < seen_before
        )
        async with self._database.read() as connection:
            return {row.user_id: row.asked_at for row in await connection.execute(statement)}

    async def settle_gone(self, channel_id: int, seen_before: datetime, members: Collection[int]) -> tuple[int, int]:
        """The same people are settled, in one transaction: WITHDRAWN, and HANDLED_ELSEWHERE those who are `members`.

        Answers how many of each.
        """
        missing = (join_requests.c.channel_id == channel_id, join_requests.c.last_seen_at < seen_before)
        elsewhere = self._settling(RequestStatus.HANDLED_ELSEWHERE, Way.ELSEWHERE, None).where(*missing)
        withdrawn = self._settling(RequestStatus.WITHDRAWN, Way.ELSEWHERE, None).where(*missing)
        handled = 0
        async with self._database.write() as connection:
            for user_ids in chunks(list(members)):
                settled = await connection.execute(elsewhere.where(join_requests.c.user_id.in_(user_ids)))
                handled += settled.rowcount
            return (await connection.execute(withdrawn)).rowcount, handled

    def _settling(self, status: RequestStatus, way: Way, decided_by: int | None) -> Update:
        return (
            update(join_requests)
            .where(IS_PENDING)
            .values(status=status, way=way, decided_by=decided_by, decided_at=self._clock(), refusal=None)
        )


async def pending_counts(connection: AsyncConnection) -> list[PendingCount]:
    pending = func.count(join_requests.c.id)
    rows = await connection.execute(
        select(channels, pending.label("pending"))
        .join(join_requests, join_requests.c.channel_id == channels.c.id)
        .where(IS_PENDING)
        .group_by(channels.c.id)
        .order_by(pending.desc(), channels.c.title, channels.c.id)
    )
    return [PendingCount(channel_from(row), row.pending) for row in rows]


async def _store(
    connection: AsyncConnection, channel_id: int, requests: Sequence[IncomingRequest], now: datetime
) -> int:
    """Requests of one channel, each of another person. Answers how many are new."""
    known = (
        await connection.execute(
            select(join_requests.c.user_id, join_requests.c.status, join_requests.c.asked_at).where(
                join_requests.c.channel_id == channel_id,
                join_requests.c.user_id.in_([request.user_id for request in requests]),
                or_(IS_PENDING, join_requests.c.way.in_(OUR_WAYS)),
            )
        )
    ).all()
    pending = {row.user_id for row in known if row.status == RequestStatus.PENDING}
    decided: dict[int, datetime] = {}
    for row in known:
        if row.user_id not in pending:
            decided[row.user_id] = max(row.asked_at, decided.get(row.user_id, row.asked_at))

    fresh = [
        request for request in requests if request.user_id not in decided or request.asked_at > decided[request.user_id]
    ]
    if not fresh:
        return 0
    fresh = await with_whole_links(connection, channel_id, fresh)
    statement = insert(join_requests)
    stored, told = join_requests.c, statement.excluded
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["channel_id", "user_id"],
            index_where=IS_PENDING,
            set_={
                "name": told.name,
                "username": told.username,
                "asked_at": told.asked_at,
                "last_seen_at": told.last_seen_at,
                "shape": told.shape,
                # Each side knows things that the other does not tell.
                **{
                    column: func.coalesce(told[column], stored[column])
                    for column in ("bio", "has_photo", "is_premium", "link", "language", "user_chat_id")
                },
                **{column: func.max(told[column], stored[column]) for column in ("is_scam", "is_fake")},
                "judged_at": case((_tells_news(stored, told), None), else_=stored.judged_at),
            },
        ),
        [_values(request, now) for request in fresh],
    )
    await mark_alike(connection, channel_id, fresh, now)
    return sum(request.user_id not in pending for request in fresh)


def _tells_news(stored: Any, told: Any) -> ColumnElement[bool]:
    """Something that rules look at is not as it was."""
    return or_(
        stored.name != told.name,
        stored.username.is_distinct_from(told.username),
        *[
            and_(told[column].is_not(None), stored[column].is_distinct_from(told[column]))
            for column in ("bio", "has_photo", "is_premium", "link")
        ],
        *[told[column] > stored[column] for column in ("is_scam", "is_fake")],
    )


def _values(request: IncomingRequest, now: datetime) -> dict[str, Any]:
    return {
        "channel_id": request.channel_id,
        "user_id": request.user_id,
        "status": RequestStatus.PENDING,
        "name": request.name,
        "username": request.username,
        "bio": request.bio,
        "asked_at": request.asked_at,
        "has_photo": request.has_photo,
        "is_premium": request.is_premium,
        "is_scam": request.is_scam,
        "is_fake": request.is_fake,
        "link": request.link,
        "language": request.language,
        "user_chat_id": request.user_chat_id,
        "shape": shape_of(request),
        "first_seen_at": now,
        "last_seen_at": now,
    }


def request_from(row: Row[Any]) -> JoinRequest:
    return JoinRequest(
        id=row.id,
        channel_id=row.channel_id,
        user_id=row.user_id,
        status=RequestStatus(row.status),
        name=row.name,
        username=row.username,
        bio=row.bio,
        asked_at=row.asked_at,
        has_photo=row.has_photo,
        is_premium=row.is_premium,
        is_scam=row.is_scam,
        is_fake=row.is_fake,
        link=row.link,
        language=row.language,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        way=Way(row.way) if row.way else None,
        is_alike=row.is_alike,
        is_known=row.is_known,
        is_banned=row.is_banned,
        refusal=row.refusal,
        rule_id=row.rule_id,
        user_chat_id=row.user_chat_id,
    )
