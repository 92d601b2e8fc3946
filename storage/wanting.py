"""Files that a source begins to want."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import FileState, NewFile
from storage.schema import files
from storage.statements import chunks


async def want_files(
    connection: AsyncConnection, source_id: int, channel_id: int, wanted: Sequence[NewFile], now: datetime
) -> int:
    """A document that two messages carry is fetched once: the first message names it. Answers how many are new."""
    by_document: dict[int, NewFile] = {}
    for file in wanted:
        by_document.setdefault(file.document_id, file)
    count = 0
    for document_ids in chunks(list(by_document)):
        known = set(
            await connection.scalars(
                select(files.c.document_id).where(files.c.source_id == source_id, files.c.document_id.in_(document_ids))
            )
        )
        new = [by_document[document_id] for document_id in document_ids if document_id not in known]
        if new:
            await connection.execute(insert(files), [_file_values(source_id, channel_id, file, now) for file in new])
        count += len(new)
    return count


def _file_values(source_id: int, channel_id: int, file: NewFile, now: datetime) -> dict[str, Any]:
    return {
        "source_id": source_id,
        "channel_id": channel_id,
        "message_id": file.message_id,
        "document_id": file.document_id,
        "kind": file.kind,
        "name": file.name,
        "mime": file.mime,
        "size_bytes": file.size_bytes,
        "date": file.date,
        "state": FileState.WANTED,
        "updated_at": now,
    }
