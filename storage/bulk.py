"""Whom a decision on many is about, and what became of each.

Who is meant is written down with the run, in one transaction: whoever comes later is not meant. What Telegram has
decided is written to the request and to the item at once, so that the two never disagree.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.errors import SetGrown
from storage.join_requests import request_from
from storage.models import BULK_RUNS, JoinRequest, RequestStatus, RunKind, Way
from storage.request_models import BulkItem, ItemOutcome
from storage.request_pages import PENDING, Matching
from storage.runs import Also, check_idle
from storage.schema import bulk_items, join_requests
from storage.statements import CHUNK, chunks
from storage.types import Clock, to_milliseconds, utc_now

ASKED = "ASKED"
"""The reason of an item without an outcome: Telegram was asked, and what it answered is not known here."""


def _decide(status: RequestStatus) -> str:
    """Telegram's word for our own call counts more than what a list that was read meanwhile has made of it."""
    return (
        f"UPDATE join_requests SET status = '{status}', way = '{Way.BULK}', decided_by = ?, decided_at = ?, "
        f"refusal = NULL WHERE id = ? AND ({PENDING} OR way = '{Way.ELSEWHERE}')"
    )


def _close(status: RequestStatus) -> str:
    return (
        f"UPDATE join_requests SET status = '{status}', way = '{Way.ELSEWHERE}', decided_at = ? "
        f"WHERE id = ? AND {PENDING}"
    )


_REQUESTS = {
    ItemOutcome.APPROVED: _decide(RequestStatus.APPROVED),
    ItemOutcome.DENIED: _decide(RequestStatus.DENIED),
    ItemOutcome.WITHDRAWN: _close(RequestStatus.WITHDRAWN),
    ItemOutcome.ELSEWHERE: _close(RequestStatus.HANDLED_ELSEWHERE),
    ItemOutcome.STAYS: f"UPDATE join_requests SET refusal = ? WHERE id = ? AND {PENDING}",
}
_SETTLE = "UPDATE bulk_items SET outcome = ?, reason = ? WHERE run_id = ? AND request_id = ? AND outcome IS NULL"


@dataclass(frozen=True, slots=True)
class Settled:
    """`reason`: Telegram's word, where there is one."""

    request_id: int
    outcome: ItemOutcome
    reason: str | None = None


@dataclass(slots=True)
class Tally:
    """How many people ended how. `undecided`: without an outcome so far. `unseen`: among those who were decided."""

    outcomes: Counter[ItemOutcome]
    undecided: int
    unseen: int

    def note(self, outcome: ItemOutcome) -> None:
        self.outcomes[outcome] += 1
        self.undecided -= 1


class BulkRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    # -- who is meant

    async def newest(self) -> int:
        """The id of the request that came last, at whichever channel; 0: none has."""
        async with self._database.read() as connection:
            return int(await connection.scalar(select(func.max(join_requests.c.id))) or 0)

    def all_of(self, kind: RunKind, channel_id: int, matching: Matching, newest: int, at_most: int) -> Also:
        """For a new run: it is about those who match, but for who came after `newest`.

        Raises SetGrown when they are more than `at_most`, and AlreadyActive with a run that decides on many there
        already, of whichever kind.
        """

        async def take(connection: AsyncConnection, run_id: int) -> None:
            await _check_alone(connection, kind, channel_id)
            taken = await connection.exec_driver_sql(
                "INSERT INTO bulk_items (run_id, request_id, is_unseen) "
                f"SELECT ?, id, 0 FROM join_requests WHERE {matching.where} AND id <= ?",
                (run_id, *matching.values, newest),
            )
            if taken.rowcount > at_most:
                raise SetGrown

        return take

    def these(self, kind: RunKind, channel_id: int, request_ids: Sequence[int]) -> Also:
        """The same for people who are named; who does not wait there any more is left out."""

        async def take(connection: AsyncConnection, run_id: int) -> None:
            await _check_alone(connection, kind, channel_id)
            await connection.exec_driver_sql(
                "INSERT INTO bulk_items (run_id, request_id, is_unseen) "
                f"SELECT ?, id, 0 FROM join_requests WHERE id = ? AND channel_id = ? AND {PENDING}",
                [(run_id, request_id, channel_id) for request_id in request_ids],
            )

        return take

    async def newcomers(self, run_id: int, channel_id: int) -> tuple[int, int]:
        """How many wait there who are not meant, and the id of the one who came last."""
        statement = (
            "SELECT count(*) AS people, coalesce(max(id), 0) AS newest FROM join_requests "
            f"WHERE channel_id = ? AND {PENDING} "
            "AND NOT EXISTS (SELECT 1 FROM bulk_items WHERE run_id = ? AND request_id = id)"
        )
        async with self._database.read() as connection:
            row = (await connection.exec_driver_sql(statement, (channel_id, run_id))).one()
        return row.people, row.newest

    async def include(self, run_id: int, channel_id: int, newest: int) -> None:
        """Whoever waits there and came no later than `newest` is meant too."""
        statement = (
            "INSERT OR IGNORE INTO bulk_items (run_id, request_id, is_unseen) "
            f"SELECT ?, id, 0 FROM join_requests WHERE channel_id = ? AND {PENDING} AND id <= ?"
        )
        async with self._database.write() as connection:
            await connection.exec_driver_sql(statement, (run_id, channel_id, newest))

    async def include_unseen(self, run_id: int, channel_id: int, user_ids: Iterable[int]) -> None:
        """These who wait there were decided with the others, without having been on any list."""
        statement = (
            "INSERT OR IGNORE INTO bulk_items (run_id, request_id, is_unseen) "
            f"SELECT ?, id, 1 FROM join_requests WHERE channel_id = ? AND user_id = ? AND {PENDING}"
        )
        rows = [(run_id, channel_id, user_id) for user_id in user_ids]
        if rows:
            async with self._database.write() as connection:
                await connection.exec_driver_sql(statement, rows)

    async def strangers(self, run_id: int, channel_id: int, user_ids: Sequence[int], since: datetime) -> list[int]:
        """Of these users, who is neither meant nor was let in there by a decision of ours since then."""
        known: set[int] = set()
        ours = select(join_requests.c.user_id).where(
            join_requests.c.channel_id == channel_id,
            and_(join_requests.c.status == RequestStatus.APPROVED, join_requests.c.decided_at >= since)
            | select(bulk_items.c.run_id)
            .where(bulk_items.c.run_id == run_id, bulk_items.c.request_id == join_requests.c.id)
            .exists(),
        )
        async with self._database.read() as connection:
            for some in chunks(user_ids):
                known.update(await connection.scalars(ours.where(join_requests.c.user_id.in_(some))))
        return [user_id for user_id in user_ids if user_id not in known]

    # -- what became of them

    async def undecided(self, run_id: int, after_id: int = 0, limit: int = CHUNK) -> list[BulkItem]:
        """Behind that request, ascending by id."""
        return await self._items(run_id, after_id, limit, bulk_items.c.outcome.is_(None))

    async def page(self, run_id: int, after_id: int = 0, limit: int = CHUNK) -> list[BulkItem]:
        """As `undecided`, of all."""
        return await self._items(run_id, after_id, limit)

    async def unseen(self, run_id: int, limit: int) -> list[JoinRequest]:
        """Who was decided with the others without having been on any list."""
        is_unseen = bulk_items.c.is_unseen == literal_column("1")
        return [item.request for item in await self._items(run_id, 0, limit, is_unseen)]

    async def _items(self, run_id: int, after_id: int, limit: int, *where: Any) -> list[BulkItem]:
        statement = (
            select(join_requests, bulk_items.c.outcome, bulk_items.c.reason, bulk_items.c.is_unseen)
            .join(bulk_items, bulk_items.c.request_id == join_requests.c.id)
            .where(bulk_items.c.run_id == run_id, bulk_items.c.request_id > after_id, *where)
            .order_by(bulk_items.c.request_id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_item(row) for row in await connection.execute(statement)]

    async def tally(self, run_id: int) -> Tally:
        of_run = bulk_items.c.run_id == run_id
        statement = (
            select(bulk_items.c.outcome, bulk_items.c.is_unseen, func.count().label("people"))
            .where(of_run)
            .group_by(bulk_items.c.outcome, bulk_items.c.is_unseen)
        )
        outcomes: Counter[ItemOutcome] = Counter()
        undecided = unseen = 0
        async with self._database.read() as connection:
            for row in await connection.execute(statement):
                if row.outcome is None:
                    undecided += row.people
                    continue
                outcomes[ItemOutcome(row.outcome)] += row.people
                if row.is_unseen:
                    unseen += row.people
        return Tally(outcomes, undecided, unseen)

    async def reasons(self, run_id: int) -> dict[str, int]:
        """Why people stay, by Telegram's word, the most common first."""
        people = func.count().label("people")
        statement = (
            select(bulk_items.c.reason, people)
            .where(bulk_items.c.run_id == run_id, bulk_items.c.outcome == ItemOutcome.STAYS)
            .group_by(bulk_items.c.reason)
            .order_by(people.desc(), bulk_items.c.reason)
        )
        async with self._database.read() as connection:
            return {row.reason or "": row.people for row in await connection.execute(statement)}

    async def ask(self, run_id: int, request_ids: Sequence[int], *, is_asked: bool = True) -> None:
        """Telegram is asked about these from now on. Stored before the call goes out: after a kill it is known that
        whoever waits no more may have been decided by us. Not `is_asked`: Telegram refused to hear of them."""
        statement = update(bulk_items).where(
            bulk_items.c.run_id == run_id, bulk_items.c.request_id.in_(request_ids), bulk_items.c.outcome.is_(None)
        )
        async with self._database.write() as connection:
            await connection.execute(statement.values(reason=ASKED if is_asked else None))

    async def settle(self, run_id: int, settled: Sequence[Settled], decided_by: int | None) -> None:
        """Requests and items at once. A request that we decided otherwise meanwhile stays as it is, and so does an item
        that has an outcome."""
        now = to_milliseconds(self._clock())
        for some in chunks(settled):
            async with self._database.write() as connection:
                for outcome, sql in _REQUESTS.items():
                    values = [_values(each, decided_by, now) for each in some if each.outcome is outcome]
                    if values:
                        await connection.exec_driver_sql(sql, values)
                items = [(each.outcome, each.reason, run_id, each.request_id) for each in some]
                await connection.exec_driver_sql(_SETTLE, items)


def _values(each: Settled, decided_by: int | None, now: int) -> tuple[Any, ...]:
    match each.outcome:
        case ItemOutcome.APPROVED | ItemOutcome.DENIED:
            return decided_by, now, each.request_id
        case ItemOutcome.STAYS:
            return each.reason, each.request_id
        case _:
            return now, each.request_id


async def _check_alone(connection: AsyncConnection, kind: RunKind, channel_id: int) -> None:
    """Of two decisions on many at one channel, one would decide those whom the other is about."""
    for other in BULK_RUNS:
        if other is not kind:
            await check_idle(connection, other, channel_id)


def _item(row: Row[Any]) -> BulkItem:
    outcome = ItemOutcome(row.outcome) if row.outcome else None
    return BulkItem(request_from(row), outcome, row.reason, row.is_unseen)
