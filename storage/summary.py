"""What the home screen shows, read in one snapshot so that its numbers agree."""

from datetime import datetime

from sqlalchemy import func, select

from storage.database import Database
from storage.join_requests import pending_counts
from storage.models import FileState, HomeSummary, SessionState
from storage.runs import active_runs, failed_lately
from storage.schema import files, sessions, sources
from storage.sessions import all_sessions


class SummaryRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def home(self, since: datetime | None) -> HomeSummary:
        """`since`: when the admin looked before; None: never, so that everything counts."""
        settled = (
            select(files.c.state, func.count().label("files"), func.sum(files.c.size_bytes).label("bytes"))
            .where(files.c.state.in_((FileState.DONE, FileState.FAILED)))
            .group_by(files.c.state)
        )
        if since is not None:
            settled = settled.where(files.c.updated_at >= since)
        enabled = select(sources.c.enabled, func.count().label("sources")).group_by(sources.c.enabled)
        held = (
            select(func.count())
            .select_from(sources.join(sessions, sessions.c.id == sources.c.session_id))
            .where(sources.c.enabled, sessions.c.state != SessionState.ACTIVE)
        )
        async with self._database.read() as connection:
            by_state = {row.state: (row.files, row.bytes) for row in await connection.execute(settled)}
            by_enabled = {row.enabled: row.sources for row in await connection.execute(enabled)}
            sources_held = await connection.scalar(held) or 0
            session_rows = await all_sessions(connection)
            pending = await pending_counts(connection)
            runs = await active_runs(connection)
            runs_failed = await failed_lately(connection, since)
        done, done_bytes = by_state.get(FileState.DONE, (0, 0))
        failed, _ = by_state.get(FileState.FAILED, (0, 0))
        paused = by_enabled.get(False, 0)
        return HomeSummary(
            since=since,
            files=done,
            files_bytes=done_bytes,
            files_failed=failed,
            sources=paused + by_enabled.get(True, 0),
            sources_paused=paused,
            sources_held=sources_held,
            sessions=tuple(session_rows),
            pending=tuple(pending),
            runs=tuple(runs),
            runs_failed=runs_failed,
        )
