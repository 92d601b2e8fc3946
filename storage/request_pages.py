"""Lists of those who wait: by view, page by page, by keyset, however many wait.

No query here reads more than it shows. What is yes or no is in `facts`, and each value of it is one sorted run of an
index: a page takes a few rows of each run and merges them. Words are found by their trigrams, in the order of ids.
A page's key is the id of the last request before it; whether that one still waits does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.join_requests import request_from
from storage.models import JoinRequest, RequestStatus
from storage.request_filters import ALL_FACTS, WORDS_FROM, facts_meant, group_of
from storage.request_models import Capped, LinkCount, RequestGroup, RequestPage, RequestView
from storage.schema import join_requests
from storage.types import Clock, to_milliseconds, utc_now

PENDING = f"status = '{RequestStatus.PENDING}'"
"""Written out: only so does SQLite see that the partial indexes of those who wait serve."""
CAP = 1000
ROWS = 8


@dataclass(frozen=True, slots=True)
class Matching:
    """A condition on `join_requests`, for statements of others: who is meant by a view at this moment."""

    where: str
    values: tuple[Any, ...]


class RequestPages:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def page(self, view: RequestView, after_id: int = 0, limit: int = ROWS) -> RequestPage:
        """The page behind that request; 0: the first."""
        async with self._database.read() as connection:
            return await _page(connection, _Query(view, self._clock()), after_id, limit)

    async def look(self, view: RequestView, after_id: int, limit: int = ROWS) -> tuple[RequestPage, Capped]:
        """`page` and `count` of one moment."""
        async with self._database.read() as connection:
            query = _Query(view, self._clock())
            page = await _page(connection, query, after_id, limit)
            return page, await _count(connection, query, CAP)

    async def following(self, view: RequestView, after_id: int = 0) -> JoinRequest | None:
        """The one behind that request; behind the last comes the first again. None: nobody of the view waits."""
        async with self._database.read() as connection:
            query = _Query(view, self._clock())
            ids = await query.ids(connection, after_id, 1) or (await query.ids(connection, 0, 1) if after_id else [])
            found = await _requests(connection, ids)
        return found[0] if found else None

    async def count(self, view: RequestView, cap: int = CAP) -> Capped:
        """Counting stops at `cap`."""
        async with self._database.read() as connection:
            return await _count(connection, _Query(view, self._clock()), cap)

    async def total(self, view: RequestView) -> int:
        """Exact, however many."""
        matching = self.matching(view)
        return await self._number(f"SELECT count(*) FROM join_requests WHERE {matching.where}", matching.values)

    async def groups(self, channel_id: int) -> dict[RequestGroup, int]:
        """How many wait in each; exact. A group without anybody is left out."""
        statement = (
            "SELECT facts, count(*) AS people FROM join_requests INDEXED BY ix_join_requests_facts "
            f"WHERE channel_id = ? AND {PENDING} GROUP BY facts"
        )
        counts: dict[RequestGroup, int] = {}
        async with self._database.read() as connection:
            for row in await connection.exec_driver_sql(statement, (channel_id,)):
                group = group_of(row.facts)
                counts[group] = counts.get(group, 0) + row.people
        return {group: counts[group] for group in RequestGroup if group in counts}

    async def links(self, channel_id: int, limit: int) -> list[LinkCount]:
        """By which links those who wait came, most of them first."""
        statement = (
            "SELECT link, count(*) AS people, min(id) AS request_id FROM join_requests "
            f"INDEXED BY ix_join_requests_link WHERE channel_id = ? AND {PENDING} AND link IS NOT NULL "
            f"GROUP BY link ORDER BY people DESC, link LIMIT {limit}"
        )
        async with self._database.read() as connection:
            rows = await connection.exec_driver_sql(statement, (channel_id,))
            return [LinkCount(row.link, row.people, row.request_id) for row in rows]

    async def sample(self, view: RequestView, size: int = 10) -> list[JoinRequest]:
        """Some of the view, at random."""
        matching = self.matching(view)
        statement = f"SELECT id FROM join_requests WHERE {matching.where} ORDER BY random() LIMIT {size}"
        async with self._database.read() as connection:
            ids = [row.id for row in await connection.exec_driver_sql(statement, matching.values)]
            return await _requests(connection, ids)

    def matching(self, view: RequestView) -> Matching:
        """Who is meant now; for one that is to stay as it is, put the ids elsewhere in the same statement."""
        return _Query(view, self._clock()).matching()

    async def _number(self, statement: str, values: tuple[Any, ...]) -> int:
        async with self._database.read() as connection:
            return int((await connection.exec_driver_sql(statement, values)).scalar_one())


class _Query:
    def __init__(self, view: RequestView, now: datetime) -> None:
        self._view = view
        self._filters = view.filters
        self._now = now
        self._meant = facts_meant(view.filters)
        self._places: dict[int, tuple[int, int] | None] = {}
        self._there: list[tuple[str, list[str], list[Any]]] | None = None

    def matching(self) -> Matching:
        where, values = [f"channel_id = ? AND {PENDING}"], [self._view.channel_id]
        if self._meant != ALL_FACTS:
            where.append(f"facts IN ({_listed(self._meant)})")
        conditions = (self._since(), self._link(), self._words("id IN (SELECT rowid FROM join_requests_text WHERE {})"))
        for condition in conditions:
            where += condition.where
            values += condition.values
        return Matching(" AND ".join(where), tuple(values))

    async def ids(
        self, connection: AsyncConnection, after_id: int, limit: int, *, backwards: bool = False
    ) -> list[int]:
        """In the order of the view; `backwards`: those before that request, nearest first."""
        if self._filters.words is not None or self._filters.bio is not None:
            return await self._by_words(connection, after_id, limit, backwards)
        if after_id not in self._places:
            self._places[after_id] = await _place(connection, after_id)
        after = self._places[after_id]
        if after is None and backwards:
            return []
        descending = self._view.newest_first is not backwards
        if self._there is None:
            self._there = await self._runs(connection)
        runs = self._there
        if not runs:
            return []
        side = "<" if descending else ">"
        order = "DESC" if descending else "ASC"
        since = self._since()
        statements, values = [], []
        for index, prefix, prefix_values in runs:
            where, bound = [*prefix, *since.where], [*prefix_values, *since.values]
            if after is not None:
                where.append(f"(asked_at, id) {side} (?, ?)")
                bound += after
            statements.append(
                f"SELECT * FROM (SELECT asked_at, id FROM join_requests INDEXED BY {index} "
                f"WHERE {' AND '.join(where)} ORDER BY asked_at {order}, id {order} LIMIT {limit})"
            )
            values += bound
        statement = f"{' UNION ALL '.join(statements)} ORDER BY asked_at {order}, id {order} LIMIT {limit}"
        return [row.id for row in await connection.exec_driver_sql(statement, tuple(values))]

    async def _runs(self, connection: AsyncConnection) -> list[tuple[str, list[str], list[Any]]]:
        """(index, condition, values) of each run of an index that is sorted by the time of asking."""
        prefix, values = ["channel_id = ?", PENDING], [self._view.channel_id]
        link = self._link()
        if self._meant == ALL_FACTS and not link.where:
            return [("ix_join_requests_waiting", prefix, values)]
        index = "ix_join_requests_link" if link.where else "ix_join_requests_facts"
        prefix, values = [*prefix, *link.where], [*values, *link.values]
        there = f"SELECT min(facts) FROM join_requests INDEXED BY {index} WHERE {' AND '.join(prefix)}"
        # From each value to the next by the index: as many steps as there are values, however many rows.
        statement = (
            f"WITH RECURSIVE there (facts) AS ({there} UNION ALL SELECT ({there} AND facts > there.facts) FROM there "
            "WHERE there.facts IS NOT NULL) SELECT facts FROM there WHERE facts IS NOT NULL"
        )
        found = {row.facts for row in await connection.exec_driver_sql(statement, (*values, *values))}
        return [(index, [*prefix, f"facts = {facts}"], values) for facts in sorted(found & self._meant)]

    async def _by_words(self, connection: AsyncConnection, after_id: int, limit: int, backwards: bool) -> list[int]:
        """In the order of ids, which is nearly that of asking: no list of all that is found has to be sorted."""
        descending = self._view.newest_first is not backwards
        words = self._words("{}")
        where, values = [*words.where], [*words.values]
        if after_id:
            where.append(f"text.rowid {'<' if descending else '>'} ?")
            values.append(after_id)
        where.append(f"channel_id = ? AND {PENDING}")
        values.append(self._view.channel_id)
        if self._meant != ALL_FACTS:
            where.append(f"facts IN ({_listed(self._meant)})")
        for condition in (self._since(), self._link()):
            where += condition.where
            values += condition.values
        statement = (
            "SELECT id FROM join_requests_text AS text CROSS JOIN join_requests ON id = text.rowid "
            f"WHERE {' AND '.join(where)} ORDER BY text.rowid {'DESC' if descending else 'ASC'} LIMIT {limit}"
        )
        return [row.id for row in await connection.exec_driver_sql(statement, tuple(values))]

    # -- conditions

    def _since(self) -> "_Condition":
        condition = _Condition([], [])
        for side, seconds in (("<=", self._filters.waits_over), (">", self._filters.waits_under)):
            if seconds is not None:
                condition.where.append(f"asked_at {side} ?")
                condition.values.append(to_milliseconds(self._now - timedelta(seconds=seconds)))
        return condition

    def _link(self) -> "_Condition":
        link = self._filters.link
        return _Condition([], []) if link is None else _Condition(["link = ?"], [link])

    def _words(self, template: str) -> "_Condition":
        terms = []
        for columns, words in (("{name username}", self._filters.words), ("bio", self._filters.bio)):
            if words is not None:
                if len(words) < WORDS_FROM:
                    raise ValueError("too short for a trigram")
                terms.append('{} : "{}"'.format(columns, words.replace('"', '""')))
        if not terms:
            return _Condition([], [])
        return _Condition([template.format("join_requests_text MATCH ?")], [" AND ".join(terms)])


@dataclass(frozen=True, slots=True)
class _Condition:
    where: list[str]
    values: list[Any]


async def _page(connection: AsyncConnection, query: _Query, after_id: int, limit: int) -> RequestPage:
    ids = await query.ids(connection, after_id, limit + 1)
    previous = None
    if after_id:
        before = await query.ids(connection, after_id, limit, backwards=True)
        previous = before[limit - 1] if len(before) >= limit else 0
    rows = await _requests(connection, ids[:limit])
    return RequestPage(rows, previous, has_more=len(ids) > limit)


async def _count(connection: AsyncConnection, query: _Query, cap: int) -> Capped:
    matching = query.matching()
    statement = f"SELECT count(*) FROM (SELECT 1 FROM join_requests WHERE {matching.where} LIMIT {cap + 1})"
    counted = int((await connection.exec_driver_sql(statement, matching.values)).scalar_one())
    return Capped(min(counted, cap), is_exact=counted <= cap)


def _listed(facts: frozenset[int]) -> str:
    return ", ".join(str(value) for value in sorted(facts))


async def _place(connection: AsyncConnection, request_id: int) -> tuple[int, int] | None:
    """Where a request stands in the order of asking, decided or not. None: it is gone, or none was named."""
    if not request_id:
        return None
    row = (
        await connection.exec_driver_sql("SELECT asked_at, id FROM join_requests WHERE id = ?", (request_id,))
    ).one_or_none()
    return (row.asked_at, row.id) if row else None


async def _requests(connection: AsyncConnection, ids: Sequence[int]) -> list[JoinRequest]:
    """In the order of the ids."""
    rows = await connection.execute(select(join_requests).where(join_requests.c.id.in_(ids)))
    by_id = {row.id: request_from(row) for row in rows}
    return [by_id[each] for each in ids if each in by_id]
