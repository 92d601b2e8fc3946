"""Single-use "yes": whoever takes a row has deleted it."""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert

from storage.database import Database
from storage.models import Confirmation
from storage.schema import confirmations
from storage.types import Clock, utc_now


class ConfirmationRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def create(self, admin_id: int, verb: str, payload: dict[str, Any], lifetime_seconds: float = 300) -> int:
        """Answers the id that the button carries. Ids are never given twice."""
        statement = insert(confirmations).values(
            admin_id=admin_id,
            verb=verb,
            payload=payload,
            expires_at=self._clock() + timedelta(seconds=lifetime_seconds),
        )
        async with self._database.write() as connection:
            return int((await connection.execute(statement.returning(confirmations.c.id))).scalar_one())

    async def take(self, confirmation_id: int, admin_id: int) -> Confirmation | None:
        """None when it is used, expired or another admin's. Of two who take at once, one gets it."""
        statement = (
            delete(confirmations)
            .where(
                confirmations.c.id == confirmation_id,
                confirmations.c.admin_id == admin_id,
                confirmations.c.expires_at > self._clock(),
            )
            .returning(confirmations)
        )
        async with self._database.write() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        return Confirmation(
            id=row.id, admin_id=row.admin_id, verb=row.verb, payload=row.payload, expires_at=row.expires_at
        )

    async def sweep(self) -> int:
        """Delete the expired ones; answers how many."""
        async with self._database.write() as connection:
            result = await connection.execute(delete(confirmations).where(confirmations.c.expires_at <= self._clock()))
            return result.rowcount
