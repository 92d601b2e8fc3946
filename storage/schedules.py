"""When what is due: one schedule per kind and subject."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update

from storage.database import Database
from storage.models import RunKind, Schedule
from storage.schema import schedules
from storage.statements import chunks, insert


class ScheduleRepository:
    """Changing a schedule that is gone changes nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self,
        kind: RunKind,
        subject_id: int,
        cron: str,
        timezone: str,
        next_due_at: datetime | None,
        enabled: bool = True,
    ) -> Schedule:
        """The schedule of this subject: made, or changed under the id that it has."""
        values = {"cron": cron, "timezone": timezone, "next_due_at": next_due_at, "enabled": enabled}
        statement = (
            insert(schedules)
            .values(kind=kind, subject_id=subject_id, **values)
            .on_conflict_do_update(index_elements=["kind", "subject_id"], set_=values)
            .returning(schedules)
        )
        async with self._database.write() as connection:
            return _schedule((await connection.execute(statement)).one())

    async def put_many(self, new: Sequence[Schedule]) -> None:
        """As `put`, of many at once; their ids do not count."""
        columns = ("kind", "subject_id", "cron", "timezone", "next_due_at", "enabled")
        statement = insert(schedules)
        changed = {name: statement.excluded[name] for name in columns[2:]}
        if new:
            async with self._database.write() as connection:
                await connection.execute(
                    statement.on_conflict_do_update(index_elements=["kind", "subject_id"], set_=changed),
                    [{name: getattr(each, name) for name in columns} for each in new],
                )

    async def get_for(self, kind: RunKind, subject_id: int) -> Schedule | None:
        statement = select(schedules).where(schedules.c.kind == kind, schedules.c.subject_id == subject_id)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return _schedule(row) if row else None

    async def of_kind(self, kind: RunKind) -> dict[int, Schedule]:
        """By subject, the disabled ones too."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(schedules).where(schedules.c.kind == kind))
        return {row.subject_id: _schedule(row) for row in rows}

    async def all(self) -> list[Schedule]:
        """The disabled ones too."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(schedules).order_by(schedules.c.id))
        return [_schedule(row) for row in rows]

    async def set_enabled(self, schedule_id: int, enabled: bool) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(schedules).where(schedules.c.id == schedule_id).values(enabled=enabled))

    async def set_next_due(self, schedule_id: int, at: datetime | None) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(schedules).where(schedules.c.id == schedule_id).values(next_due_at=at))

    async def delete_for(self, kind: RunKind, subject_id: int) -> None:
        await self.delete_many(kind, [subject_id])

    async def delete_many(self, kind: RunKind, subject_ids: Sequence[int]) -> None:
        async with self._database.write() as connection:
            for some_ids in chunks(list(subject_ids)):
                await connection.execute(
                    delete(schedules).where(schedules.c.kind == kind, schedules.c.subject_id.in_(some_ids))
                )


def _schedule(row: Row[Any]) -> Schedule:
    return Schedule(
        id=row.id,
        kind=RunKind(row.kind),
        subject_id=row.subject_id,
        cron=row.cron,
        timezone=row.timezone,
        enabled=row.enabled,
        next_due_at=row.next_due_at,
    )
