"""Runs as durable rows: what waits, works, paused and ended. One active run per kind and subject."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, literal, literal_column, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.errors import AlreadyActive
from storage.models import ACTIVE_RUNS, Progress, Run, RunKind, RunStatus
from storage.schema import runs
from storage.statements import CHUNK
from storage.types import Clock, UtcTime, utc_now

# Written out instead of bound: only so does SQLite see that the partial index of the active ones serves.
IS_ACTIVE = runs.c.status.in_([literal_column(f"'{status}'") for status in ACTIVE_RUNS])


class RunRepository:
    """Changing a run that is gone changes nothing and answers None."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self,
        kind: RunKind,
        subject_id: int,
        title: str,
        priority: int,
        requested_by: int | None,
        params: dict[str, Any],
    ) -> Run:
        """A new QUEUED run. `requested_by` None: the schedule. Raises AlreadyActive with the run under way."""
        async with self._database.write() as connection:
            await check_idle(connection, kind, subject_id)
            row = await connection.execute(
                insert(runs)
                .values(
                    kind=kind,
                    subject_id=subject_id,
                    title=title,
                    status=RunStatus.QUEUED,
                    priority=priority,
                    requested_by=requested_by,
                    params=params,
                    checkpoint={},
                    progress=asdict(Progress()),
                    tell=[],
                    created_at=self._clock(),
                )
                .returning(runs)
            )
            return _run(row.one())

    async def get(self, run_id: int) -> Run | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(runs).where(runs.c.id == run_id))).one_or_none()
        return _run(row) if row else None

    async def active(self) -> list[Run]:
        """The most urgent first (a low number), then the oldest."""
        async with self._database.read() as connection:
            return await active_runs(connection)

    async def active_of(self, kind: RunKind, subject_id: int) -> Run | None:
        async with self._database.read() as connection:
            return await _active_of(connection, kind, subject_id)

    async def recent(self, limit: int = 20) -> list[Run]:
        """Newest first, whatever their status."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(runs).order_by(runs.c.id.desc()).limit(limit))
        return [_run(row) for row in rows]

    async def set_status(
        self,
        run_id: int,
        status: RunStatus,
        *,
        reason: str | None = None,
        wait_until: datetime | None = None,
        only_from: tuple[RunStatus, ...] | None = None,
    ) -> Run | None:
        """Compare and set: from one of `only_from`, else from any active status; what has ended stays ended.

        None: it stood elsewhere. The first RUNNING stamps `started_at`, an end stamps `finished_at`; `reason` and
        `wait_until` are those of the new status, so that an older one's are cleared.
        """
        values: dict[str, Any] = {"status": status, "reason": reason, "wait_until": wait_until}
        if status is RunStatus.RUNNING:
            values["started_at"] = func.coalesce(runs.c.started_at, literal(self._clock(), UtcTime))
        if status not in ACTIVE_RUNS:
            values["finished_at"] = self._clock()
        allowed = ACTIVE_RUNS if only_from is None else only_from
        statement = update(runs).where(runs.c.id == run_id, runs.c.status.in_(allowed), IS_ACTIVE).values(**values)
        async with self._database.write() as connection:
            row = (await connection.execute(statement.returning(runs))).one_or_none()
        return _run(row) if row else None

    async def save_progress(self, run_id: int, progress: Progress, checkpoint: dict[str, Any] | None = None) -> None:
        """`checkpoint` None: the stored one stays."""
        values: dict[str, Any] = {"progress": asdict(progress)}
        if checkpoint is not None:
            values["checkpoint"] = checkpoint
        async with self._database.write() as connection:
            await connection.execute(update(runs).where(runs.c.id == run_id).values(**values))

    async def add_tell(self, run_id: int, admin_id: int) -> Run | None:
        """This admin wants to hear of the end. Asking twice is asking once."""
        async with self._database.write() as connection:
            row = (await connection.execute(select(runs).where(runs.c.id == run_id))).one_or_none()
            if row is None or admin_id in row.tell:
                return _run(row) if row else None
            statement = update(runs).where(runs.c.id == run_id).values(tell=[*row.tell, admin_id]).returning(runs)
            return _run((await connection.execute(statement)).one())

    async def requeue_held(self, session_ids: Collection[int]) -> list[Run]:
        """What waited for one of these sessions to be repaired is QUEUED again. Answers those, oldest first."""
        async with self._database.write() as connection:
            held = [run for run in await active_runs(connection) if run.is_held]
            ids = [run.id for run in held if run.params.get("session_id") in session_ids]
            statement = update(runs).where(runs.c.id.in_(ids)).values(status=RunStatus.QUEUED, reason=None)
            rows = (await connection.execute(statement.returning(runs))).all()
        return sorted((_run(row) for row in rows), key=lambda run: run.id)

    async def requeue_interrupted(self) -> list[Run]:
        """At start: what was RUNNING when the process ended is QUEUED again. Answers those, oldest first."""
        statement = (
            update(runs).where(runs.c.status == RunStatus.RUNNING).values(status=RunStatus.QUEUED).returning(runs)
        )
        async with self._database.write() as connection:
            rows = (await connection.execute(statement)).all()
        return sorted((_run(row) for row in rows), key=lambda run: run.id)

    async def claim(self, run_id: int) -> None:
        """An admin asks for what a new post has begun: it is a run like any other from now on."""
        async with self._database.write() as connection:
            row = (await connection.execute(select(runs).where(runs.c.id == run_id, IS_ACTIVE))).one_or_none()
            if row is not None:
                params = {name: value for name, value in row.params.items() if name != "live"}
                await connection.execute(update(runs).where(runs.c.id == run_id).values(params=params))

    async def delete(self, run_id: int) -> None:
        """One that has ended and is not worth a row."""
        async with self._database.write() as connection:
            await connection.execute(delete(runs).where(runs.c.id == run_id, ~IS_ACTIVE))

    async def sweep(self, before: datetime) -> int:
        """Delete those that ended before that moment; answers how many. In short transactions."""
        swept = 0
        old = select(runs.c.id).where(~IS_ACTIVE, runs.c.finished_at < before).limit(CHUNK)
        while True:
            async with self._database.write() as connection:
                ids = list(await connection.scalars(old))
                await connection.execute(delete(runs).where(runs.c.id.in_(ids)))
            swept += len(ids)
            if len(ids) < CHUNK:
                return swept


async def readdress_scrapes(connection: AsyncConnection, source_ids: Sequence[int], session_id: int) -> None:
    """Scrapes of these sources that have not ended belong to that session now."""
    statement = select(runs).where(runs.c.kind == RunKind.SCRAPE, runs.c.subject_id.in_(source_ids), IS_ACTIVE)
    for row in (await connection.execute(statement)).all():
        params = {**row.params, "session_id": session_id}
        await connection.execute(update(runs).where(runs.c.id == row.id).values(params=params))


async def check_idle(connection: AsyncConnection, kind: RunKind, subject_id: int) -> None:
    """Raises AlreadyActive with the run under way."""
    running = await _active_of(connection, kind, subject_id)
    if running is not None:
        raise AlreadyActive(running.id)


async def active_runs(connection: AsyncConnection) -> list[Run]:
    rows = await connection.execute(select(runs).where(IS_ACTIVE).order_by(runs.c.priority, runs.c.id))
    return [_run(row) for row in rows]


async def _active_of(connection: AsyncConnection, kind: RunKind, subject_id: int) -> Run | None:
    statement = select(runs).where(runs.c.kind == kind, runs.c.subject_id == subject_id, IS_ACTIVE)
    row = (await connection.execute(statement)).one_or_none()
    return _run(row) if row else None


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        kind=RunKind(row.kind),
        subject_id=row.subject_id,
        title=row.title,
        status=RunStatus(row.status),
        priority=row.priority,
        requested_by=row.requested_by,
        params=row.params,
        checkpoint=row.checkpoint,
        progress=Progress(**row.progress),
        wait_until=row.wait_until,
        reason=row.reason,
        tell=tuple(row.tell),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
