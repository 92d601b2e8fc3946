"""The files of a source, from wanted to proven on disk."""

from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, case, delete, exists, func, or_, select, update

from storage.database import Database
from storage.models import File, FileKind, FileState, FileTally, NewMessage, Twin
from storage.places import locate
from storage.schema import file_parts, files, messages, sources
from storage.statements import Bulk, insert
from storage.types import Clock, utc_now

UNFINISHED = (FileState.WANTED, FileState.PARTIAL)
DUPLICATE = "DUPLICATE"
DAMAGED = "DAMAGED"
MISSING = "MISSING"
"""Causes beside those of files that failed: why one was skipped, or is wanted again after a check."""
TWINS = 4
"""If as many are not what they should be, fetching is quicker than looking on."""

# For each part of each file: made once.
BEGIN_FILE = (
    update(files)
    .where(files.c.id == bindparam("id_"), files.c.state.in_(UNFINISHED))
    .values(state=FileState.PARTIAL, updated_at=bindparam("now"))
)


def _add_part() -> Bulk:
    statement = insert(file_parts)
    same_part = ["file_id", "number"]
    return Bulk(statement.on_conflict_do_update(index_elements=same_part, set_={"sha256": statement.excluded.sha256}))


ADD_PART = _add_part()


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
        lost = (
            select(files.c.cause, func.count().label("files"))
            .where(files.c.source_id == source_id, files.c.state.in_(UNFINISHED), files.c.cause.is_not(None))
            .group_by(files.c.cause)
        )
        async with self._database.read() as connection:
            by_state = {row.state: (row.files, row.bytes) for row in await connection.execute(statement)}
            by_cause = {row.cause: row.files for row in await connection.execute(lost)}
        nothing = (0, 0)
        wanted, partial = (by_state.get(state, nothing) for state in UNFINISHED)
        done, done_bytes = by_state.get(FileState.DONE, nothing)
        failed, _ = by_state.get(FileState.FAILED, nothing)
        skipped, _ = by_state.get(FileState.SKIPPED, nothing)
        return FileTally(
            done=done,
            done_bytes=done_bytes,
            waiting=wanted[0] + partial[0],
            waiting_bytes=wanted[1] + partial[1],
            failed=failed,
            skipped=skipped,
            damaged=by_cause.get(DAMAGED, 0),
            missing=by_cause.get(MISSING, 0),
        )

    async def parts(self, file_id: int) -> dict[int, bytes]:
        """SHA-256 of each part that was written, by the part's number."""
        statement = select(file_parts.c.number, file_parts.c.sha256).where(file_parts.c.file_id == file_id)
        async with self._database.read() as connection:
            return {row.number: row.sha256 for row in await connection.execute(statement)}

    async def add_part(self, file_id: int, number: int, sha256: bytes) -> None:
        """A part lies on disk: the file is PARTIAL. Nothing happens to a file that is DONE or FAILED."""
        async with self._database.write() as connection:
            unfinished = await connection.execute(BEGIN_FILE, {"id_": file_id, "now": self._clock()})
            if unfinished.rowcount:
                await ADD_PART.execute(connection, [{"file_id": file_id, "number": number, "sha256": sha256}])

    async def done(self, file_id: int, path: str, sha256: bytes, duplicate_of: int | None = None) -> None:
        """The whole file lies at `path`, proven. The source's totals count it in the same moment, and only once."""
        async with self._database.write() as connection:
            row = (
                await connection.execute(
                    update(files)
                    .where(files.c.id == file_id, files.c.state != FileState.DONE)
                    .values(
                        state=FileState.DONE,
                        path=path,
                        sha256=sha256,
                        cause=None,
                        duplicate_of=duplicate_of,
                        updated_at=self._clock(),
                    )
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

    async def skipped(self, file_id: int, duplicate_of: int) -> None:
        """Not kept: that file is the same. Of what is DONE nothing changes."""
        async with self._database.write() as connection:
            skipped = await connection.execute(
                update(files)
                .where(files.c.id == file_id, files.c.state != FileState.DONE)
                .values(state=FileState.SKIPPED, cause=DUPLICATE, duplicate_of=duplicate_of, updated_at=self._clock())
            )
            if skipped.rowcount:
                await connection.execute(delete(file_parts).where(file_parts.c.file_id == file_id))

    async def lost(self, file_id: int, cause: str) -> None:
        """DONE or SKIPPED until now, and not on disk as it was (`cause`: DAMAGED, MISSING): wanted again, from its
        first byte, and not counted among the source's files until it is back."""
        settled = (FileState.DONE, FileState.SKIPPED)
        async with self._database.write() as connection:
            old = (
                await connection.execute(select(files).where(files.c.id == file_id, files.c.state.in_(settled)))
            ).one_or_none()
            if old is None:
                return
            await connection.execute(
                update(files)
                .where(files.c.id == file_id)
                .values(
                    state=FileState.WANTED,
                    path=None,
                    sha256=None,
                    cause=cause,
                    duplicate_of=None,
                    updated_at=self._clock(),
                )
            )
            if old.state == FileState.DONE:
                await connection.execute(
                    update(sources)
                    .where(sources.c.id == old.source_id)
                    .values(
                        total_files=sources.c.total_files - 1,
                        total_bytes=sources.c.total_bytes - old.size_bytes,
                        updated_at=self._clock(),
                    )
                )

    async def settled(self, source_id: int, after_id: int = 0, limit: int = 100) -> list[File]:
        """What is DONE, or was skipped as a duplicate; ascending by id."""
        statement = (
            select(files)
            .where(
                files.c.source_id == source_id,
                or_(files.c.state == FileState.DONE, files.c.cause == DUPLICATE),
                files.c.id > after_id,
            )
            .order_by(files.c.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
        return [_file(row) for row in rows]

    async def twins_of_document(self, file: File) -> list[Twin]:
        """Other files that are DONE and carry the same document."""
        same = (files.c.document_id == file.document_id, files.c.size_bytes == file.size_bytes)
        return await self._twins(file.id, *same)

    async def twins_by_hash(self, file: File, sha256: bytes) -> list[Twin]:
        """Other files that are DONE and were byte for byte the same."""
        return await self._twins(file.id, files.c.sha256 == sha256, files.c.size_bytes == file.size_bytes)

    async def twin(self, file_id: int) -> Twin | None:
        """That file, if it is DONE."""
        return next(iter(await self._twins(None, files.c.id == file_id)), None)

    async def _twins(self, but_id: int | None, *conditions: ColumnElement[bool]) -> list[Twin]:
        statement = (
            select(files, sources.c.root)
            .join(sources, sources.c.id == files.c.source_id)
            .where(*conditions, files.c.state == FileState.DONE, files.c.id != (but_id or 0))
            .order_by(files.c.id)
            .limit(TWINS)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [Twin(row.id, *locate(row.path, row.root), row.size_bytes, row.sha256) for row in rows]

    async def newest(self, source_id: int, limit: int) -> list[tuple[File, NewMessage]]:
        """With the message that each belongs to."""
        statement = (
            select(files, messages.c.text, messages.c.sender_id, messages.c.grouped_id)
            .join(messages, (messages.c.channel_id == files.c.channel_id) & (messages.c.id == files.c.message_id))
            .where(files.c.source_id == source_id)
            .order_by(files.c.id.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        return [
            (
                _file(row),
                NewMessage(row.message_id, row.date, row.sender_id, row.text, grouped_id=row.grouped_id),
            )
            for row in rows
        ]

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
        duplicate_of=row.duplicate_of,
    )
