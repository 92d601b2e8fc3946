"""What a change of rules would do to those who wait, asked of SQLite: no request is fetched but a sample."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storage.database import Database
from storage.join_requests import request_from
from storage.request_models import Outlook, RequestView, Rule, RuleAction
from storage.request_pages import PENDING, RequestPages
from storage.schema import join_requests
from storage.types import to_milliseconds

SAMPLE = 10


class OutlookRepository:
    def __init__(self, database: Database, pages: RequestPages) -> None:
        self._database = database
        self._pages = pages

    async def of(
        self, channel_id: int, before: Sequence[Rule], after: Sequence[Rule], seen_until: datetime | None = None
    ) -> Outlook:
        """Who would be decided by the rules `after` and not in the same way by those `before`; all of them are live
        ones, in their order. `seen_until`: of those whom Porter knew by then."""
        now_said, now_values = self._said(channel_id, before)
        then_said, then_values = self._said(channel_id, after)
        seen, seen_values = (
            ("", ()) if seen_until is None else (" AND first_seen_at <= ?", (to_milliseconds(seen_until),))
        )
        meant = (
            f"SELECT id, said FROM (SELECT id, {then_said} AS said, {now_said} AS said_now FROM join_requests "
            f"WHERE channel_id = ? AND {PENDING}{seen}) WHERE said IS NOT NULL AND said IS NOT said_now"
        )
        values = (*then_values, *now_values, channel_id, *seen_values)
        async with self._database.read() as connection:
            counted = await connection.exec_driver_sql(
                f"SELECT said, count(*) AS people FROM ({meant}) GROUP BY said", values
            )
            people = {row.said: row.people for row in counted}
            drawn = await connection.exec_driver_sql(f"{meant} ORDER BY random() LIMIT {SAMPLE}", values)
            said = {row.id: RuleAction(row.said) for row in drawn}
            rows = await connection.execute(
                select(join_requests).where(join_requests.c.id.in_(said)).order_by(join_requests.c.id)
            )
            sample = tuple((request_from(row), said[row.id]) for row in rows)
        return Outlook(people.get(RuleAction.APPROVE, 0), people.get(RuleAction.DENY, 0), sample)

    def _said(self, channel_id: int, rules: Sequence[Rule]) -> tuple[str, tuple[Any, ...]]:
        """An expression: APPROVE, DENY, or NULL where nothing fits or the first that fits holds back."""
        cases: list[str] = []
        values: list[Any] = []
        for rule in rules:
            matching = self._pages.matching(RequestView(0, 0, channel_id, rule.filters))
            said = "NULL" if rule.action is RuleAction.HOLD else f"'{rule.action}'"
            cases.append(f"WHEN {matching.where} THEN {said}")
            values += matching.values
        return (f"CASE {' '.join(cases)} END" if cases else "NULL"), tuple(values)
