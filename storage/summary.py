"""What the home screen shows, read in one snapshot so that its numbers agree."""

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.join_requests import pending_counts
from storage.models import FileState, HomeSummary, SessionState, SilentSource
from storage.runs import active_runs, failed_lately
from storage.schema import channels, files, messages, sessions, source_messages, sources
from storage.sessions import all_sessions
from storage.types import Clock, utc_now

SILENT_SHOWN = 3


class SummaryRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

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
        gates = select(func.count()).where(channels.c.bot_may_invite, channels.c.migrated_to.is_(None))
        async with self._database.read() as connection:
            by_state = {row.state: (row.files, row.bytes) for row in await connection.execute(settled)}
            by_enabled = {row.enabled: row.sources for row in await connection.execute(enabled)}
            sources_held = await connection.scalar(held) or 0
            session_rows = await all_sessions(connection)
            pending = await pending_counts(connection)
            runs = await active_runs(connection)
            runs_failed = await failed_lately(connection, since)
            silent = await silent_sources(connection, self._clock())
            gates_count = await connection.scalar(gates) or 0
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
            silent=tuple(silent),
            gates=gates_count,
        )


async def silent_sources(connection: AsyncConnection, now: datetime) -> list[SilentSource]:
    """Those that are silent against their habit, the longest overdue first. Only where Porter has looked since, or
    would have been told: what nobody looks at is not silent. Held ones have another trouble, which is told; and a
    channel that was silent when it was saved was saved as that."""
    statement = (
        select(sources.c.id, sources.c.name, sources.c.channel_id)
        .join(sessions, sessions.c.id == sources.c.session_id)
        .where(
            sources.c.quiet_after < now,
            sources.c.quiet_after > sources.c.created_at,
            sources.c.enabled,
            or_(sources.c.live, sources.c.last_scraped_at > sources.c.quiet_after),
            sessions.c.state == SessionState.ACTIVE,
        )
        .order_by(sources.c.quiet_after, sources.c.id)
        .limit(SILENT_SHOWN)
    )
    found = []
    for row in (await connection.execute(statement)).all():
        last = (
            select(messages.c.date)
            .join(
                source_messages,
                (source_messages.c.channel_id == messages.c.channel_id)
                & (source_messages.c.message_id == messages.c.id),
            )
            .where(source_messages.c.source_id == row.id, source_messages.c.channel_id == row.channel_id)
            .order_by(source_messages.c.message_id.desc())
            .limit(1)
        )
        since = await connection.scalar(last)
        if since is not None:
            found.append(SilentSource(row.id, row.name, since))
    return found
