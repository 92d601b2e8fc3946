"""Many sources at once: one transaction where a loop over them would wait for the disk at each."""

from collections.abc import Sequence

from sqlalchemy import select, update

from storage.database import Database
from storage.models import NewPlace, RunKind, SessionState
from storage.runs import active_runs
from storage.schema import peers, sessions, sources
from storage.sources import delete_source, place_source
from storage.statements import chunks
from storage.types import Clock, utc_now

DELETED_AT_ONCE = 20
"""In one transaction, with their messages. Between two of them others may write."""


class SourceSets:
    """Those that are gone change nothing."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def readers(self, source_ids: Sequence[int]) -> dict[int, list[int]]:
        """By every ACTIVE session: those of these sources that do not read through it yet and whose channel it has
        met. The most useful session first."""
        found: dict[int, list[int]] = {}
        async with self._database.read() as connection:
            for some_ids in chunks(list(source_ids)):
                statement = (
                    select(sessions.c.id.label("session_id"), sources.c.id)
                    .select_from(sessions)
                    .join(sources, sources.c.session_id != sessions.c.id)
                    .join(peers, (peers.c.session_id == sessions.c.id) & (peers.c.peer_id == sources.c.channel_id))
                    .where(sources.c.id.in_(some_ids), sessions.c.state == SessionState.ACTIVE)
                    .where(peers.c.access_hash_sealed.is_not(None))
                    .order_by(sessions.c.id, sources.c.id)
                )
                for row in await connection.execute(statement):
                    found.setdefault(row.session_id, []).append(row.id)
        return dict(sorted(found.items(), key=lambda each: -len(each[1])))

    async def set_enabled(self, source_ids: Sequence[int], enabled: bool) -> None:
        async with self._database.write() as connection:
            for some_ids in chunks(list(source_ids)):
                await connection.execute(
                    update(sources).where(sources.c.id.in_(some_ids)).values(enabled=enabled, updated_at=self._clock())
                )

    async def place(self, places: Sequence[NewPlace]) -> dict[int, int]:
        """As SourceRepository.set_target. Answers, by source, the run under way where there is one: those stay."""
        async with self._database.write() as connection:
            scrapes = [run for run in await active_runs(connection) if run.kind is RunKind.SCRAPE]
            busy = {run.subject_id: run.id for run in scrapes}
            for place in places:
                if place.source_id not in busy:
                    await place_source(connection, place, self._clock())
        return {place.source_id: busy[place.source_id] for place in places if place.source_id in busy}

    async def delete(self, source_ids: Sequence[int], *, keep_messages: bool) -> None:
        """As SourceRepository.delete."""
        for start in range(0, len(source_ids), DELETED_AT_ONCE):
            async with self._database.write() as connection:
                for source_id in source_ids[start : start + DELETED_AT_ONCE]:
                    await delete_source(connection, source_id, keep_messages=keep_messages)
