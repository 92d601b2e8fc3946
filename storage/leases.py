"""Who uses which session: a row a session whose client is open, kept fresh by its process."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select, update

from storage.database import Database
from storage.errors import RowMissing
from storage.models import Lease
from storage.schema import leases, sessions
from storage.statements import insert
from storage.types import Clock, utc_now


class LeaseRepository:
    """`process` and `host`: whose leases these are."""

    def __init__(self, database: Database, process: str, host: str, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._process = process
        self._host = host
        self._clock = clock

    async def take(self, session_id: int, stale_before: datetime) -> Lease | None:
        """None: it is ours now. Else the lease of another host, whose last beat came after `stale_before`.

        Another process of our own host has ended, or we would not hold the lock of its folder. Raises RowMissing.
        """
        row = {"session_id": session_id, "process": self._process, "host": self._host, "beat_at": self._clock()}
        ours = insert(leases).values(row).on_conflict_do_update(index_elements=["session_id"], set_=row)
        async with self._database.write() as connection:
            if await connection.scalar(select(sessions.c.id).where(sessions.c.id == session_id)) is None:
                raise RowMissing("sessions", session_id)
            found = (await connection.execute(select(leases).where(leases.c.session_id == session_id))).one_or_none()
            if found is not None and found.host != self._host and found.beat_at > stale_before:
                return _lease(found)
            await connection.execute(ours)
        return None

    async def beat(self, session_ids: Collection[int]) -> set[int]:
        """Say that we are still there. Answers which of these are ours; the others were taken, or are gone."""
        statement = (
            update(leases)
            .where(leases.c.session_id.in_(session_ids), leases.c.process == self._process)
            .values(beat_at=self._clock())
            .returning(leases.c.session_id)
        )
        async with self._database.write() as connection:
            return set(await connection.scalars(statement))

    async def give_back(self, session_id: int) -> None:
        """Somebody else's stays."""
        ours = delete(leases).where(leases.c.session_id == session_id, leases.c.process == self._process)
        async with self._database.write() as connection:
            await connection.execute(ours)

    async def get(self, session_id: int) -> Lease | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(leases).where(leases.c.session_id == session_id))).one_or_none()
        return _lease(row) if row else None

    async def elsewhere(self, stale_before: datetime) -> Lease | None:
        """The freshest lease of another host that beat after that moment."""
        theirs = (
            select(leases)
            .where(leases.c.host != self._host, leases.c.beat_at > stale_before)
            .order_by(leases.c.beat_at.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(theirs)).one_or_none()
        return _lease(row) if row else None

    async def clear(self) -> None:
        """Nobody holds anything: what a Porter that was killed has left is void."""
        async with self._database.write() as connection:
            await connection.execute(delete(leases))


def _lease(row: Row[Any]) -> Lease:
    return Lease(session_id=row.session_id, process=row.process, host=row.host, beat_at=row.beat_at)
