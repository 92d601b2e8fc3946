"""Who waits and is alike: many of one shape who asked in one hour, those from before too (storage/request_filters.py).

Asked at every page that is stored, so it looks no further than it must: of each shape and hour of the page up to the
number that makes a crowd, and of a crowd that is known only at who is new in it.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import literal_column, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import IncomingRequest, RequestStatus
from storage.request_filters import ALIKE_FROM, ALIKE_WITHIN_MS, shape_of
from storage.schema import join_requests
from storage.types import from_milliseconds, to_milliseconds

_IS_PENDING = join_requests.c.status == literal_column(f"'{RequestStatus.PENDING}'")
_OF_HOUR = f"""FROM join_requests AS other WHERE other.channel_id = :channel_id AND other.status = 'PENDING'
AND other.shape = pair.value ->> 0 AND other.asked_at >= (pair.value ->> 1) * {ALIKE_WITHIN_MS}
AND other.asked_at < (pair.value ->> 1) * {ALIKE_WITHIN_MS} + {ALIKE_WITHIN_MS}"""
_CROWDS = text(
    f"""SELECT pair.value ->> 0 AS shape, pair.value ->> 1 AS hour,
(SELECT other.is_alike {_OF_HOUR} AND other.first_seen_at < :now LIMIT 1) AS is_known,
(SELECT count(*) FROM (SELECT 1 {_OF_HOUR} LIMIT {ALIKE_FROM})) AS rows
FROM json_each(:pairs) AS pair"""  # noqa: S608 - two numbers of ours
)


async def mark_alike(
    connection: AsyncConnection, channel_id: int, requests: Sequence[IncomingRequest], now: datetime
) -> None:
    """`requests`: of that channel, each of another person, stored a moment ago, at `now`."""
    pairs = {
        request.user_id: (shape_of(request), to_milliseconds(request.asked_at) // ALIKE_WITHIN_MS)
        for request in requests
    }
    values = {
        "channel_id": channel_id,
        "pairs": json.dumps(sorted(set(pairs.values()))),
        "now": to_milliseconds(now),
    }
    crowds = [row for row in (await connection.execute(_CROWDS, values)).all() if row.rows >= ALIKE_FROM]
    known = {(row.shape, row.hour) for row in crowds if row.is_known}
    await _mark_new(connection, channel_id, [user_id for user_id, pair in pairs.items() if pair in known])
    await _mark_hours(connection, channel_id, [(row.shape, row.hour) for row in crowds if not row.is_known])


async def _mark_new(connection: AsyncConnection, channel_id: int, user_ids: Sequence[int]) -> None:
    """These joined crowds that are known."""
    if user_ids:
        await connection.execute(
            update(join_requests)
            .where(
                join_requests.c.channel_id == channel_id,
                join_requests.c.user_id.in_(user_ids),
                _IS_PENDING,
                join_requests.c.is_alike.is_(False),
            )
            .values(is_alike=True, judged_at=None)
        )


async def _mark_hours(connection: AsyncConnection, channel_id: int, hours: Iterable[tuple[int, int]]) -> None:
    columns = join_requests.c
    for shape, hour in hours:
        begin, end = (from_milliseconds(number * ALIKE_WITHIN_MS) for number in (hour, hour + 1))
        await connection.execute(
            update(join_requests)
            .where(columns.channel_id == channel_id, _IS_PENDING, columns.shape == shape)
            .where(columns.asked_at >= begin, columns.asked_at < end, columns.is_alike.is_(False))
            .values(is_alike=True, judged_at=None)
        )
