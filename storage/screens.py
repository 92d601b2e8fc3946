"""The one live message of each admin."""

from typing import Any

from sqlalchemy import Row, delete, select, update

from storage.database import Database
from storage.models import Screen
from storage.schema import screens
from storage.statements import insert
from storage.types import Clock, utc_now


class ScreenRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def get(self, admin_id: int) -> Screen | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(screens).where(screens.c.admin_id == admin_id))).one_or_none()
        return _screen(row) if row else None

    async def put(self, admin_id: int, message_id: int, run_id: int | None = None) -> Screen:
        """A new message takes the place of the admin's older one."""
        values = {"message_id": message_id, "run_id": run_id, "sent_at": self._clock()}
        statement = (
            insert(screens)
            .values(admin_id=admin_id, **values)
            .on_conflict_do_update(index_elements=["admin_id"], set_=values)
            .returning(screens)
        )
        async with self._database.write() as connection:
            return _screen((await connection.execute(statement)).one())

    async def set_run(self, admin_id: int, run_id: int | None) -> None:
        """Say which run's card the message shows now, if one. Nothing happens to an admin without a screen."""
        async with self._database.write() as connection:
            await connection.execute(update(screens).where(screens.c.admin_id == admin_id).values(run_id=run_id))

    async def watching(self, run_id: int) -> list[Screen]:
        """The screens that show this run's card."""
        async with self._database.read() as connection:
            rows = await connection.execute(
                select(screens).where(screens.c.run_id == run_id).order_by(screens.c.admin_id)
            )
        return [_screen(row) for row in rows]

    async def delete(self, admin_id: int) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(screens).where(screens.c.admin_id == admin_id))


def _screen(row: Row[Any]) -> Screen:
    return Screen(admin_id=row.admin_id, message_id=row.message_id, sent_at=row.sent_at, run_id=row.run_id)
