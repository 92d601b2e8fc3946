"""How the gate of each channel is kept; a channel of which nobody has said anything has the defaults."""

from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.request_models import DIGEST_MINUTES, NotifyMode, RequestSettings
from storage.schema import request_settings
from storage.statements import insert


class RequestSettingsRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, channel_id: int) -> RequestSettings:
        async with self._database.read() as connection:
            return await _get(connection, channel_id)

    async def all(self) -> list[RequestSettings]:
        """Of the channels of which somebody has said something."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(request_settings))
            return [_settings(row) for row in rows.mappings()]

    async def change(self, channel_id: int, **values: Any) -> RequestSettings:
        """Set some of the fields of RequestSettings, by name; the others stay. The channel is stored already."""
        first = {"notify": NotifyMode.DIGEST, "digest_minutes": DIGEST_MINUTES, **values}
        statement = insert(request_settings).values(channel_id=channel_id, **first)
        async with self._database.write() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["channel_id"], set_=values)
                if values
                else statement.on_conflict_do_nothing()
            )
            return await _get(connection, channel_id)


async def _get(connection: AsyncConnection, channel_id: int) -> RequestSettings:
    statement = select(request_settings).where(request_settings.c.channel_id == channel_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    return _settings(row) if row else RequestSettings(channel_id)


def _settings(row: RowMapping) -> RequestSettings:
    return RequestSettings(**{**row, "notify": NotifyMode(row["notify"])})
