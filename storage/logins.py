"""Unfinished logins. What one needs to go on after a restart lies sealed beside its row."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from storage.database import Database
from storage.errors import RowMissing
from storage.models import LoginAttempt, LoginStep
from storage.schema import login_attempts
from storage.types import Clock, utc_now
from storage.vault import Vault

COLUMNS = [column for column in login_attempts.columns if column.name != "payload_sealed"]


class LoginRepository:
    def __init__(self, database: Database, vault: Vault, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def put(self, admin_id: int, step: LoginStep, payload: bytes, deadline: datetime) -> LoginAttempt:
        """An admin has one attempt: an older one is deleted, and its id never comes back."""
        async with self._database.write() as connection:
            await connection.execute(delete(login_attempts).where(login_attempts.c.admin_id == admin_id))
            row = (
                await connection.execute(
                    insert(login_attempts)
                    .values(admin_id=admin_id, step=step, deadline=deadline, created_at=self._clock())
                    .returning(*COLUMNS)
                )
            ).one()
            sealed = self._vault.seal("login_attempts", "payload_sealed", row.id, payload)
            await connection.execute(
                update(login_attempts).where(login_attempts.c.id == row.id).values(payload_sealed=sealed)
            )
        return _attempt(row)

    async def update(self, attempt_id: int, step: LoginStep, payload: bytes, deadline: datetime) -> None:
        """Nothing happens when the attempt is gone."""
        sealed = self._vault.seal("login_attempts", "payload_sealed", attempt_id, payload)
        async with self._database.write() as connection:
            await connection.execute(
                update(login_attempts)
                .where(login_attempts.c.id == attempt_id)
                .values(step=step, payload_sealed=sealed, deadline=deadline)
            )

    async def get(self, attempt_id: int) -> LoginAttempt | None:
        return await self._one(login_attempts.c.id == attempt_id)

    async def of_admin(self, admin_id: int) -> LoginAttempt | None:
        return await self._one(login_attempts.c.admin_id == admin_id)

    async def all(self) -> list[LoginAttempt]:
        """Those past their deadline included, as long as nobody has swept."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(*COLUMNS).order_by(login_attempts.c.id))
        return [_attempt(row) for row in rows]

    async def payload(self, attempt_id: int) -> bytes:
        """Raises RowMissing, CiphertextInvalid."""
        async with self._database.read() as connection:
            sealed = await connection.scalar(
                select(login_attempts.c.payload_sealed).where(login_attempts.c.id == attempt_id)
            )
        if sealed is None:
            raise RowMissing("login_attempts", attempt_id)
        return self._vault.open("login_attempts", "payload_sealed", attempt_id, sealed)

    async def delete(self, attempt_id: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(login_attempts).where(login_attempts.c.id == attempt_id))

    async def sweep(self) -> int:
        """Delete the attempts past their deadline; answers how many."""
        async with self._database.write() as connection:
            result = await connection.execute(delete(login_attempts).where(login_attempts.c.deadline <= self._clock()))
            return result.rowcount

    async def _one(self, where: ColumnElement[bool]) -> LoginAttempt | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(*COLUMNS).where(where))).one_or_none()
        return _attempt(row) if row else None


def _attempt(row: Row[Any]) -> LoginAttempt:
    return LoginAttempt(
        id=row.id, admin_id=row.admin_id, step=LoginStep(row.step), deadline=row.deadline, created_at=row.created_at
    )
