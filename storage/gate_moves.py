"""A small group becomes a supergroup, and its gate goes with it: who waits and who was decided, rules, settings, when
who waits is loaded, and the approvers who decide there."""

from sqlalchemy import Table, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.models import RequestStatus, RunKind
from storage.schema import admin_channels, join_requests, notices, request_settings, rules, schedules


async def move_gate(connection: AsyncConnection, old_id: int, new_id: int) -> None:
    """Both channels are stored. What the new one has already stays: somebody who waits at both waits once."""
    await _move_requests(connection, old_id, new_id)
    for table in (rules, notices):
        await connection.execute(update(table).where(table.c.channel_id == old_id).values(channel_id=new_id))
    await _move_unless_there(connection, request_settings, old_id, new_id)
    await _move_unless_there(connection, admin_channels, old_id, new_id, "admin_id")
    has_one = exists().where(schedules.c.kind == RunKind.LOAD_REQUESTS, schedules.c.subject_id == new_id)
    if not await connection.scalar(select(has_one)):
        await connection.execute(
            update(schedules)
            .where(schedules.c.kind == RunKind.LOAD_REQUESTS, schedules.c.subject_id == old_id)
            .values(subject_id=new_id)
        )


async def _move_requests(connection: AsyncConnection, old_id: int, new_id: int) -> None:
    there = join_requests.alias()
    waits_there = exists().where(
        there.c.channel_id == new_id,
        there.c.user_id == join_requests.c.user_id,
        there.c.status == RequestStatus.PENDING,
    )
    await connection.execute(
        update(join_requests)
        .where(join_requests.c.channel_id == old_id)
        .where((join_requests.c.status != RequestStatus.PENDING) | ~waits_there)
        .values(channel_id=new_id)
    )


async def _move_unless_there(connection: AsyncConnection, table: Table, old_id: int, new_id: int, *key: str) -> None:
    there = table.alias()
    same = exists().where(there.c.channel_id == new_id, *[there.c[name] == table.c[name] for name in key])
    await connection.execute(update(table).where(table.c.channel_id == old_id, ~same).values(channel_id=new_id))
