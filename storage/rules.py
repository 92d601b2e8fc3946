"""Rules of channels: in their order, on trial or live. A change sends all who wait there to be judged anew."""

from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, null, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.join_requests import IS_PENDING
from storage.request_models import RequestFilters, Rule, RuleAction
from storage.schema import join_requests, rules, verdicts
from storage.types import Clock, utc_now


class RuleRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def of_channel(self, channel_id: int) -> list[Rule]:
        """In their order."""
        async with self._database.read() as connection:
            return await rules_of(connection, channel_id)

    async def get(self, rule_id: int) -> Rule | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(rules).where(rules.c.id == rule_id))).one_or_none()
        return _rule(row) if row else None

    async def all(self) -> dict[int, list[Rule]]:
        """By channel, in their order."""
        by_channel: dict[int, list[Rule]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(_ordered()):
                by_channel.setdefault(row.channel_id, []).append(_rule(row))
        return by_channel

    async def add(self, channel_id: int, action: RuleAction, filters: RequestFilters, created_by: int) -> Rule:
        """Behind the others, on trial. The channel is stored already."""
        last = select(func.coalesce(func.max(rules.c.position), 0)).where(rules.c.channel_id == channel_id)
        async with self._database.write() as connection:
            row = await connection.execute(
                insert(rules)
                .values(
                    channel_id=channel_id,
                    position=last.scalar_subquery() + 1,
                    action=action,
                    filters=filters.to_json(),
                    created_by=created_by,
                    created_at=self._clock(),
                )
                .returning(rules)
            )
            added = _rule(row.one())
            await _judge_anew(connection, channel_id)
        return added

    async def change(self, rule: Rule, action: RuleAction, filters: RequestFilters) -> None:
        """It is on trial from now on, and its figures begin anew: the old ones tell of another rule."""
        values = {"action": action, "filters": filters.to_json(), "live_since": None, "created_at": self._clock()}
        async with self._database.write() as connection:
            await connection.execute(delete(verdicts).where(verdicts.c.rule_id == rule.id))
            await connection.execute(update(rules).where(rules.c.id == rule.id).values(values))
            await _judge_anew(connection, rule.channel_id)

    async def set_live(self, rule: Rule, *, is_live: bool) -> None:
        """What it said on trial stays: the figures of that time count on."""
        live_since = self._clock() if is_live else null()
        async with self._database.write() as connection:
            await connection.execute(update(rules).where(rules.c.id == rule.id).values(live_since=live_since))
            await _judge_anew(connection, rule.channel_id)

    async def put_in_order(self, channel_id: int, rule_ids: list[int]) -> None:
        """Positions are those of the list; a rule that is not on it keeps its own."""
        async with self._database.write() as connection:
            for position, rule_id in enumerate(rule_ids, start=1):
                statement = update(rules).where(rules.c.id == rule_id, rules.c.channel_id == channel_id)
                await connection.execute(statement.values(position=position))
            await _judge_anew(connection, channel_id)

    async def delete(self, rule: Rule) -> None:
        """Its verdicts go with it; those whom it decided stay decided."""
        async with self._database.write() as connection:
            await connection.execute(delete(rules).where(rules.c.id == rule.id))
            await _judge_anew(connection, rule.channel_id)


def _ordered() -> Select[Any]:
    return select(rules).order_by(rules.c.channel_id, rules.c.position, rules.c.id)


async def rules_of(connection: AsyncConnection, channel_id: int) -> list[Rule]:
    """In their order."""
    rows = await connection.execute(_ordered().where(rules.c.channel_id == channel_id))
    return [_rule(row) for row in rows]


async def _judge_anew(connection: AsyncConnection, channel_id: int) -> None:
    """In the transaction of the change: killed after it, nobody is left with what older rules said."""
    waiting = select(join_requests.c.id).where(join_requests.c.channel_id == channel_id, IS_PENDING)
    await connection.execute(delete(verdicts).where(verdicts.c.is_live, verdicts.c.request_id.in_(waiting)))
    await connection.execute(
        update(join_requests)
        .where(join_requests.c.channel_id == channel_id, IS_PENDING, join_requests.c.judged_at.is_not(None))
        .values(judged_at=None)
    )


def _rule(row: Row[Any]) -> Rule:
    return Rule(
        id=row.id,
        channel_id=row.channel_id,
        position=row.position,
        action=RuleAction(row.action),
        filters=RequestFilters.from_json(row.filters),
        live_since=row.live_since,
        created_by=row.created_by,
        created_at=row.created_at,
    )
