"""Who may operate Porter."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exists, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.errors import LastOwner
from storage.models import Admin, Role
from storage.schema import admin_channels, admins, channels, confirmations, pins, screens
from storage.statements import insert
from storage.types import Clock, utc_now


class AdminRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def get(self, user_id: int) -> Admin | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(admins).where(admins.c.user_id == user_id))).one_or_none()
            return await _admin(connection, row) if row else None

    async def all(self) -> list[Admin]:
        """In the order in which they came."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(admins).order_by(admins.c.created_at, admins.c.user_id))
            return [await _admin(connection, row) for row in rows]

    async def put(self, user_id: int, role: Role, name: str) -> Admin:
        """Role and name anew; the rest of a known admin stays."""
        async with self._database.write() as connection:
            return await _admin(connection, await self._upsert(connection, user_id, role, name))

    async def rename(self, user_id: int, name: str) -> None:
        """The role stays, whatever it has become meanwhile."""
        async with self._database.write() as connection:
            await connection.execute(update(admins).where(admins.c.user_id == user_id).values(name=name))

    async def assign(self, user_id: int, role: Role, name: str, channel_ids: Collection[int]) -> Admin:
        """Role and channels anew. Open confirmations of this person are void, and the PIN of who owns no more.

        Raises LastOwner.
        """
        async with self._database.write() as connection:
            if role is not Role.OWNER:
                await self._keep_an_owner(connection, user_id)
                await connection.execute(delete(pins).where(pins.c.admin_id == user_id))
            row = await self._upsert(connection, user_id, role, name)
            await connection.execute(delete(admin_channels).where(admin_channels.c.admin_id == user_id))
            if role is Role.APPROVER:
                chosen = select(literal(user_id), channels.c.id).where(channels.c.id.in_(channel_ids))
                await connection.execute(insert(admin_channels).from_select(["admin_id", "channel_id"], chosen))
            await connection.execute(delete(confirmations).where(confirmations.c.admin_id == user_id))
            return await _admin(connection, row)

    async def remove(self, user_id: int) -> bool:
        """With channels, PIN, confirmations and screen. False: is no admin. Raises LastOwner."""
        async with self._database.write() as connection:
            await self._keep_an_owner(connection, user_id)
            await connection.execute(delete(confirmations).where(confirmations.c.admin_id == user_id))
            await connection.execute(delete(screens).where(screens.c.admin_id == user_id))
            return (await connection.execute(delete(admins).where(admins.c.user_id == user_id))).rowcount > 0

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

    async def set_unreachable(self, user_id: int, *, unreachable: bool) -> bool:
        """Note that the bot cannot write to them, or can again. False: that is known, or they are no admin."""
        known = admins.c.unreachable_at.is_(None) if unreachable else admins.c.unreachable_at.is_not(None)
        statement = (
            update(admins)
            .where(admins.c.user_id == user_id, known)
            .values(unreachable_at=self._clock() if unreachable else None)
        )
        async with self._database.write() as connection:
            return (await connection.execute(statement)).rowcount > 0

    async def _upsert(self, connection: AsyncConnection, user_id: int, role: Role, name: str) -> Row[Any]:
        statement = (
            insert(admins)
            .values(user_id=user_id, role=role, name=name, created_at=self._clock())
            .on_conflict_do_update(index_elements=["user_id"], set_={"role": role, "name": name})
            .returning(admins)
        )
        row: Row[Any] = (await connection.execute(statement)).one()
        return row

    async def _keep_an_owner(self, connection: AsyncConnection, leaving_id: int) -> None:
        """In the transaction that lets one go. Raises LastOwner."""
        owns = admins.c.role == Role.OWNER
        leaving = select(exists().where(owns, admins.c.user_id == leaving_id))
        others = select(exists().where(owns, admins.c.user_id != leaving_id))
        if await connection.scalar(leaving) and not await connection.scalar(others):
            raise LastOwner


async def _admin(connection: AsyncConnection, row: Row[Any]) -> Admin:
    channel_ids = select(admin_channels.c.channel_id).where(admin_channels.c.admin_id == row.user_id)
    return Admin(
        user_id=row.user_id,
        role=Role(row.role),
        name=row.name,
        timezone=row.timezone,
        created_at=row.created_at,
        last_home_at=row.last_home_at,
        channels=frozenset(await connection.scalars(channel_ids)),
        unreachable_at=row.unreachable_at,
    )
