"""Who may operate Porter."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from storage.database import Database
from storage.models import Admin, Role
from storage.schema import admins
from storage.statements import insert
from storage.types import Clock, utc_now


class AdminRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def get(self, user_id: int) -> Admin | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(admins).where(admins.c.user_id == user_id))).one_or_none()
        return _admin(row) if row else None

    async def all(self) -> list[Admin]:
        async with self._database.read() as connection:
            rows = await connection.execute(select(admins).order_by(admins.c.created_at, admins.c.user_id))
        return [_admin(row) for row in rows]

    async def put(self, user_id: int, role: Role, name: str) -> Admin:
        """Role and name anew; the rest of a known admin stays."""
        statement = (
            insert(admins)
            .values(user_id=user_id, role=role, name=name, created_at=self._clock())
            .on_conflict_do_update(index_elements=["user_id"], set_={"role": role, "name": name})
            .returning(admins)
        )
        async with self._database.write() as connection:
            return _admin((await connection.execute(statement)).one())

    async def touch_home(self, user_id: int) -> datetime | None:
        """Note that the admin looks at the home screen now; answers when they looked before."""
        where = admins.c.user_id == user_id
        async with self._database.write() as connection:
            before: datetime | None = await connection.scalar(select(admins.c.last_home_at).where(where))
            await connection.execute(update(admins).where(where).values(last_home_at=self._clock()))
        return before

    async def set_timezone(self, user_id: int, timezone: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(update(admins).where(admins.c.user_id == user_id).values(timezone=timezone))


def _admin(row: Row[Any]) -> Admin:
    return Admin(
        user_id=row.user_id,
        role=Role(row.role),
        name=row.name,
        timezone=row.timezone,
        created_at=row.created_at,
        last_home_at=row.last_home_at,
    )
