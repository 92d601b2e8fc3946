"""The files of a source, from wanted to proven on disk."""

from typing import Any

from sqlalchemy import Row, case, delete, exists, func, select, update

from storage.database import Database
from storage.models import File, FileKind, FileState, FileTally
from storage.schema import file_parts, files, sources
from storage.statements import insert
from storage.types import Clock, utc_now

UNFINISHED = (FileState.WANTED, FileState.PARTIAL)


class FileRepository:
    """Changing a file that is gone changes nothing."""

    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def pending(self, source_id: int, after_id: int = 0, limit: int = 100) -> list[File]:
        """What is still to fetch, ascending by id; the next page starts behind the last one's id."""
        statement = (
            select(files)
            .where(files.c.source_id == source_id, files.c.state.in_(UNFINISHED), files.c.id > after_id)
            .order_by(files.c.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
        return [_file(row) for row in rows]

    async def tally(self, source_id: int) -> FileTally:
        statement = (
            select(files.c.state, func.count().label("files"), func.sum(files.c.size_bytes).label("bytes"))
            .where(files.c.source_id == source_id)
            .group_by(files.c.state)
        )
        async with self._database.read() as connection:
            by_state = {row.state: (row.files, row.bytes) for row in await connection.execute(statement)}
        nothing = (0, 0)
        wanted, partial = (by_state.get(state, nothing) for state in UNFINISHED)
        done, done_bytes = by_state.get(FileState.DONE, nothing)
        failed, _ = by_state.get(FileState.FAILED, nothing)
        return FileTally(
            done=done,
            done_bytes=done_bytes,
            waiting=wanted[0] + partial[0],
            waiting_bytes=wanted[1] + partial[1],
            failed=failed,
        )

    async def parts(self, file_id: int) -> dict[int, bytes]:
        """SHA-256 of each part that was written, by the part's number."""
        statement = select(file_parts.c.number, file_parts.c.sha256).where(file_parts.c.file_id == file_id)
        async with self._database.read() as connection:
            return {row.number: row.sha256 for row in await connection.execute(statement)}

    async def add_part(self, file_id: int, number: int, sha256: bytes) -> None:
        """A part lies on disk: the file is PARTIAL. Nothing happens to a file that is DONE or FAILED."""
        statement = (
            insert(file_parts)
            .values(file_id=file_id, number=number, sha256=sha256)
            .on_conflict_do_update(index_elements=["file_id", "number"], set_={"sha256": sha256})
        )
        async with self._database.write() as connection:
            unfinished = await connection.execute(
                update(files)
                .where(files.c.id == file_id, files.c.state.in_(UNFINISHED))
                .values(state=FileState.PARTIAL, updated_at=self._clock())
            )
            if unfinished.rowcount:
                await connection.execute(statement)

    async def done(self, file_id: int, path: str, sha256: bytes) -> None:
        """The whole file lies at `path`, proven. The source's totals count it in the same moment, and only once."""
        async with self._database.write() as connection:
            row = (
                await connection.execute(
                    update(files)
                    .where(files.c.id == file_id, files.c.state != FileState.DONE)
                    .values(state=FileState.DONE, path=path, sha256=sha256, cause=None, updated_at=self._clock())
                    .returning(files.c.source_id, files.c.size_bytes)
                )
            ).one_or_none()
            if row is None:
                return
            await connection.execute(delete(file_parts).where(file_parts.c.file_id == file_id))
            await connection.execute(
                update(sources)
                .where(sources.c.id == row.source_id)
                .values(
                    total_files=sources.c.total_files + 1,
                    total_bytes=sources.c.total_bytes + row.size_bytes,
                    updated_at=self._clock(),
                )
            )

    async def failed(self, file_id: int, cause: str) -> None:
        """Given up for now. `cause`: a code (error's class name or Telegram's word). What is DONE stays DONE."""
        async with self._database.write() as connection:
            await connection.execute(
                update(files)
                .where(files.c.id == file_id, files.c.state != FileState.DONE)
                .values(state=FileState.FAILED, cause=cause, attempts=files.c.attempts + 1, updated_at=self._clock())
            )

    async def reset_failed(self, source_id: int) -> int:
        """What was given up is wanted again, the parts on disk included; answers how many files."""
        has_parts = exists().where(file_parts.c.file_id == files.c.id)
        async with self._database.write() as connection:
            result = await connection.execute(
                update(files)
                .where(files.c.source_id == source_id, files.c.state == FileState.FAILED)
                .values(
                    state=case((has_parts, FileState.PARTIAL), else_=FileState.WANTED),
                    cause=None,
                    updated_at=self._clock(),
                )
            )
            return result.rowcount

    async def path_taken(self, source_id: int, path: str) -> bool:
        """Whether a file of the source lies there."""
        statement = select(exists().where(files.c.source_id == source_id, files.c.path == path))
        async with self._database.read() as connection:
            return bool(await connection.scalar(statement))


def _file(row: Row[Any]) -> File:
    return File(
        id=row.id,
        source_id=row.source_id,
        channel_id=row.channel_id,
        message_id=row.message_id,
        document_id=row.document_id,
        kind=FileKind(row.kind),
        name=row.name,
        mime=row.mime,
        size_bytes=row.size_bytes,
        state=FileState(row.state),
        path=row.path,
        sha256=row.sha256,
        attempts=row.attempts,
        cause=row.cause,
        date=row.date,
    )
