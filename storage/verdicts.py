"""What rules said of requests: who is still to be judged, what is still to be carried out, and how it turned out.

Both queues are rows: a request without `judged_at` is to be judged, a verdict that `is_open` is to be carried out. So a
kill takes nothing, and what is done twice is found done.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.join_requests import IS_PENDING, request_from
from storage.models import JoinRequest, RequestStatus, Way
from storage.request_models import Figures, Rule, RuleAction, Verdict
from storage.rules import rules_of
from storage.schema import join_requests, rules, verdicts
from storage.types import Clock, UtcTime, utc_now

BY_ADMINS = (Way.BOT, Way.SESSION, Way.BULK)
# Written out: only so does SQLite see that the partial index serves.
_IS_OPEN: ColumnElement[bool] = literal_column("verdicts.is_open", Boolean)

Say = Callable[[Sequence[Rule], Sequence[JoinRequest]], list[Verdict]]
"""What the rules say of these requests."""


@dataclass(frozen=True, slots=True)
class Judged:
    """`to_carry_out`: of how many of `requests` a live rule said that they get in, or not."""

    requests: int
    to_carry_out: int


class VerdictRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def judge(self, channel_id: int, limit: int, say: Say) -> Judged:
        """Some of those who wait there and were not looked at since they came, or since something about them or the
        rules changed. In one transaction: nothing can change between the look and the note of it."""
        async with self._database.write() as connection:
            rows = await connection.execute(
                select(join_requests)
                .where(join_requests.c.channel_id == channel_id, IS_PENDING, join_requests.c.judged_at.is_(None))
                .order_by(join_requests.c.id)
                .limit(limit)
            )
            requests = [request_from(row) for row in rows]
            if not requests:
                return Judged(0, 0)
            said = say(await rules_of(connection, channel_id), requests)
            await self._write(connection, [request.id for request in requests], said)
        return Judged(len(requests), sum(each.decides for each in said))

    async def _write(self, connection: AsyncConnection, judged: Sequence[int], said: Sequence[Verdict]) -> None:
        """In place of the verdicts before."""
        now = self._clock()
        await connection.execute(delete(verdicts).where(verdicts.c.request_id.in_(judged)))
        await connection.execute(update(join_requests).where(join_requests.c.id.in_(judged)).values(judged_at=now))
        if said:
            await connection.execute(insert(verdicts), [_values(each, now) for each in said])

    async def open(self, rule_ids: Sequence[int], limit: int) -> list[JoinRequest]:
        """Of whom one of these rules has said that they get in, or not, and it is still to be done. Some of them may
        wait no more: somebody else was faster. In the order of the index, however many there are."""
        statement = (
            select(join_requests)
            .join(verdicts, verdicts.c.request_id == join_requests.c.id)
            .where(_IS_OPEN, verdicts.c.rule_id.in_(rule_ids))
            .order_by(verdicts.c.rule_id, verdicts.c.request_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [request_from(row) for row in await connection.execute(statement)]

    async def close(self, request_id: int) -> None:
        """It is carried out, or cannot be."""
        statement = update(verdicts).where(verdicts.c.request_id == request_id, _IS_OPEN).values(is_open=False)
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def fall_due(self, channel_id: int, waits_seconds: int, since: datetime | None, until: datetime) -> int:
        """Those who have waited so long since the last look (`since` None: the first) are judged once more."""
        due = until - timedelta(seconds=waits_seconds)
        columns = join_requests.c
        where = [columns.channel_id == channel_id, IS_PENDING, columns.asked_at <= due]
        if since is not None:
            where.append(columns.asked_at > since - timedelta(seconds=waits_seconds))
        judged_before = columns.judged_at < literal_column(f"asked_at + {waits_seconds * 1000}", UtcTime)
        async with self._database.write() as connection:
            result = await connection.execute(update(join_requests).where(*where, judged_before).values(judged_at=None))
            return result.rowcount

    # -- how it turned out

    async def figures(self, channel_id: int) -> dict[int, Figures]:
        """By rule, of those of the channel that have said anything."""
        by_admin = and_(join_requests.c.way.in_(BY_ADMINS), join_requests.c.decided_by.is_not(None))
        told = and_(~verdicts.c.is_live, verdicts.c.action != RuleAction.HOLD, by_admin)
        agrees = or_(
            and_(verdicts.c.action == RuleAction.APPROVE, join_requests.c.status == RequestStatus.APPROVED),
            and_(verdicts.c.action == RuleAction.DENY, join_requests.c.status == RequestStatus.DENIED),
        )
        decided = and_(told, join_requests.c.status.in_((RequestStatus.APPROVED, RequestStatus.DENIED)))
        carried_out = and_(join_requests.c.way == Way.RULE, join_requests.c.rule_id == verdicts.c.rule_id)
        statement: Select[Any] = (
            select(
                verdicts.c.rule_id,
                _number(~verdicts.c.is_live).label("meant"),
                _number(decided).label("decided"),
                _number(and_(decided, agrees)).label("agreed"),
                _number(and_(verdicts.c.is_live, carried_out)).label("carried_out"),
            )
            .join(join_requests, join_requests.c.id == verdicts.c.request_id)
            .join(rules, rules.c.id == verdicts.c.rule_id)
            .where(rules.c.channel_id == channel_id)
            .group_by(verdicts.c.rule_id)
        )
        async with self._database.read() as connection:
            return {
                row.rule_id: Figures(row.meant, row.decided, row.agreed, row.carried_out)
                for row in await connection.execute(statement)
            }


def _values(verdict: Verdict, now: datetime) -> dict[str, Any]:
    return {
        "request_id": verdict.request_id,
        "is_live": verdict.is_live,
        "rule_id": verdict.rule_id,
        "action": verdict.action,
        "judged_at": now,
        "is_open": verdict.decides,
    }


def _number(where: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((where, 1), else_=0)), 0)
