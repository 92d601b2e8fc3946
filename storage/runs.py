"""Runs as durable rows: what waits, works, paused and ended. One active run per kind and subject."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    delete,
    false,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.errors import AlreadyActive
from storage.models import ACTIVE_RUNS, BULK_RUNS, NewRun, Progress, Run, RunKind, RunStatus, RunTally
from storage.schema import runs
from storage.statements import CHUNK
from storage.types import Clock, UtcTime, utc_now

# Written out instead of bound: only so does SQLite see that the partial index of the active ones serves.
IS_ACTIVE = runs.c.status.in_([literal_column(f"'{status}'") for status in ACTIVE_RUNS])
HAS_LOST_FILES = func.coalesce(func.json_extract(runs.c.progress, "$.counters.failed"), 0) > 0
HAS_FAILED = or_(runs.c.status == RunStatus.FAILED, HAS_LOST_FILES)
IS_QUIET = and_(
    runs.c.status == RunStatus.DONE, func.coalesce(func.json_extract(runs.c.params, "$.live"), 0) > 0, ~HAS_LOST_FILES
)
"""A new post that came home at once, as it does all day: nobody looks for it in the books."""
AT_GATES = (RunKind.LOAD_REQUESTS, *BULK_RUNS)
LATELY = 1000
"""How many of the newest runs are asked for what failed lately: home must not read years of them."""

Also = Callable[[AsyncConnection, int], Awaitable[None]]
"""What is written in the transaction of a new run, given its id; other repositories make it."""


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
        not_before: datetime | None = None,
        also: Also | None = None,
    ) -> Run:
        """A new QUEUED run. `requested_by` None: the schedule. `not_before`: it does not start until then.

        Raises AlreadyActive with the run under way; what `also` raises undoes the run.
        """
        new = NewRun(subject_id, title, params)
        async with self._database.write() as connection:
            await check_idle(connection, kind, subject_id)
            values = {**self._values(kind, new, priority, requested_by), "wait_until": not_before}
            run = _run((await connection.execute(insert(runs).values(**values).returning(runs))).one())
            if also is not None:
                await also(connection, run.id)
            return run

    async def add_many(
        self, kind: RunKind, new: Sequence[NewRun], priority: int, requested_by: int | None
    ) -> dict[int, int]:
        """As many QUEUED runs, at once. Answers, by subject, the run under way where there is one: none is added."""
        async with self._database.write() as connection:
            busy = {run.subject_id: run.id for run in await active_runs(connection) if run.kind is kind}
            free = [each for each in new if each.subject_id not in busy]
            if free:
                await connection.execute(
                    insert(runs), [self._values(kind, each, priority, requested_by) for each in free]
                )
        return {each.subject_id: busy[each.subject_id] for each in new if each.subject_id in busy}

    def _values(self, kind: RunKind, new: NewRun, priority: int, requested_by: int | None) -> dict[str, Any]:
        return {
            "kind": kind,
            "subject_id": new.subject_id,
            "title": new.title,
            "status": RunStatus.QUEUED,
            "priority": priority,
            "requested_by": requested_by,
            "params": new.params,
            "checkpoint": {},
            "progress": asdict(Progress()),
            "tell": [],
            "created_at": self._clock(),
        }

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

    async def tally(self, since: datetime) -> RunTally:
        """How many are at work, wait for something, and have failed since then."""
        statement = select(runs.c.status, func.count().label("active")).where(IS_ACTIVE).group_by(runs.c.status)
        async with self._database.read() as connection:
            counts = {row.status: row.active for row in await connection.execute(statement)}
            failed = await failed_lately(connection, since)
        waiting = counts.get(RunStatus.QUEUED, 0) + counts.get(RunStatus.WAITING, 0)
        return RunTally(counts.get(RunStatus.RUNNING, 0), waiting, failed)

    async def recent(self, limit: int = 20) -> list[Run]:
        """Newest first, whatever their status."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(runs).order_by(runs.c.id.desc()).limit(limit))
        return [_run(row) for row in rows]

    async def done(self, kind: RunKind, limit: int) -> list[Run]:
        """Those that came to their end, newest first."""
        ended = select(runs).where(runs.c.kind == kind, runs.c.status == RunStatus.DONE)
        async with self._database.read() as connection:
            rows = await connection.execute(ended.order_by(runs.c.id.desc()).limit(limit))
        return [_run(row) for row in rows]

    async def past(
        self,
        limit: int,
        offset: int = 0,
        *,
        only_failed: bool = False,
        channel_ids: Collection[int] | None = None,
        titles: Collection[str] | None = None,
    ) -> list[Run]:
        """What has ended, newest first; without new posts that came at once and well.

        `only_failed`: that stopped, or lost files. `channel_ids`: only work on people who wait at one of these.
        `titles`: only on what is called so.
        """
        statement = (
            select(runs)
            .where(~IS_ACTIVE, ~IS_QUIET, HAS_FAILED if only_failed else true(), _is_at(channel_ids))
            .where(true() if titles is None else runs.c.title.in_(titles))
            .order_by(runs.c.id.desc())
            .limit(limit)
            .offset(offset)
        )
        async with self._database.read() as connection:
            return [_run(row) for row in await connection.execute(statement)]

    async def titles(self, channel_ids: Collection[int] | None = None) -> list[str]:
        """What runs were about, each once."""
        statement = select(runs.c.title).distinct().where(_is_at(channel_ids))
        async with self._database.read() as connection:
            return list(await connection.scalars(statement))

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

    async def answer(self, run_id: int, checkpoint: dict[str, Any]) -> Run | None:
        """What a PAUSED run had asked is answered: it is QUEUED, with that checkpoint. None: it was not PAUSED."""
        statement = (
            update(runs)
            .where(runs.c.id == run_id, runs.c.status == RunStatus.PAUSED)
            .values(status=RunStatus.QUEUED, reason=None, wait_until=None, checkpoint=checkpoint)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(statement.returning(runs))).one_or_none()
        return _run(row) if row else None

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


def _is_at(channel_ids: Collection[int] | None) -> ColumnElement[bool]:
    if channel_ids is None:
        return true()
    return and_(runs.c.kind.in_(AT_GATES), runs.c.subject_id.in_(channel_ids)) if channel_ids else false()


async def failed_lately(connection: AsyncConnection, since: datetime | None) -> int:
    """How many of the newest LATELY runs have stopped since then."""
    newest = select(runs.c.id).order_by(runs.c.id.desc()).limit(LATELY)
    statement = select(func.count()).where(runs.c.id.in_(newest), runs.c.status == RunStatus.FAILED)
    if since is not None:
        statement = statement.where(runs.c.finished_at >= since)
    return int(await connection.scalar(statement) or 0)


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
