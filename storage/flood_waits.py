"""Until when Telegram told a session to leave a method alone. A flood wait outlives our restart."""

from datetime import datetime

from sqlalchemy import delete, func, literal, select

from storage.database import Database
from storage.schema import flood_waits, sessions
from storage.statements import insert
from storage.types import Clock, Id64, UtcTime, utc_now


class FloodWaitRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def put(self, session_id: int, method: str, until: datetime) -> None:
        """The later of two moments counts. Nothing is stored for a session that is gone."""
        new = select(literal(session_id, Id64), literal(method), literal(until, UtcTime)).where(
            sessions.c.id == session_id
        )
        statement = insert(flood_waits).from_select(["session_id", "method", "until"], new)
        later = func.max(flood_waits.c.until, statement.excluded.until)
        async with self._database.write() as connection:
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["session_id", "method"], set_={"until": later})
            )

    async def get(self, session_id: int, method: str) -> datetime | None:
        """May lie in the past: compare it with the clock."""
        where = (flood_waits.c.session_id == session_id, flood_waits.c.method == method)
        async with self._database.read() as connection:
            until: datetime | None = await connection.scalar(select(flood_waits.c.until).where(*where))
        return until

    async def longest(self) -> dict[int, datetime]:
        """By session: the latest of its waits that are not over yet."""
        statement = (
            select(flood_waits.c.session_id, func.max(flood_waits.c.until, type_=UtcTime))
            .where(flood_waits.c.until > self._clock())
            .group_by(flood_waits.c.session_id)
        )
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(statement)}

    async def sweep(self) -> int:
        """Delete what is over; answers how many."""
        async with self._database.write() as connection:
            result = await connection.execute(delete(flood_waits).where(flood_waits.c.until <= self._clock()))
            return result.rowcount
