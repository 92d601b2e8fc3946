"""Who did what, when, to what. Lines are added and, when they are old, swept; never changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select

from storage.database import Database
from storage.models import AuditLine, AuditOutcome, AuditVerb
from storage.schema import audit
from storage.types import Clock, utc_now

SWEEP_ROWS = 1000


class AuditRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self,
        admin_id: int | None,
        admin_name: str,
        verb: AuditVerb,
        outcome: AuditOutcome,
        subject: str,
        detail: dict[str, Any],
    ) -> None:
        """`detail`: what JSON can hold, and never a secret."""
        statement = insert(audit).values(
            at=self._clock(),
            admin_id=admin_id,
            admin_name=admin_name,
            verb=verb,
            outcome=outcome,
            subject=subject,
            detail=detail,
        )
        async with self._database.write() as connection:
            await connection.execute(statement)

    async def page(self, offset: int, limit: int, admin_id: int | None = None) -> list[AuditLine]:
        """Newest first; `admin_id`: of that person alone."""
        statement = select(audit).order_by(audit.c.id.desc()).offset(offset).limit(limit)
        if admin_id is not None:
            statement = statement.where(audit.c.admin_id == admin_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [
            AuditLine(
                row.id,
                row.at,
                row.admin_id,
                row.admin_name,
                AuditVerb(row.verb),
                AuditOutcome(row.outcome),
                row.subject,
                row.detail,
            )
            for row in rows
        ]

    async def count(self, admin_id: int | None = None) -> int:
        statement = select(func.count()).select_from(audit)
        if admin_id is not None:
            statement = statement.where(audit.c.admin_id == admin_id)
        async with self._database.read() as connection:
            return await connection.scalar(statement) or 0

    async def people(self) -> dict[int, str]:
        """Who stands in it, by the newest name; who did something last comes first."""
        newest = select(func.max(audit.c.id)).where(audit.c.admin_id.is_not(None)).group_by(audit.c.admin_id)
        statement = select(audit.c.admin_id, audit.c.admin_name).where(audit.c.id.in_(newest))
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(audit.c.id.desc()))
            return {row.admin_id: row.admin_name for row in rows}

    async def sweep(self, before: datetime) -> int:
        """Delete the lines from before that moment, in batches; answers how many."""
        swept = 0
        old = select(audit.c.id).where(audit.c.at < before).limit(SWEEP_ROWS)
        while True:
            async with self._database.write() as connection:
                deleted = (await connection.execute(delete(audit).where(audit.c.id.in_(old)))).rowcount
            swept += deleted
            if deleted < SWEEP_ROWS:
                return swept
