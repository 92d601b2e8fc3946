"""What admins look at, and whom they have ticked there."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, delete, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.channels import channel_from
from storage.database import Database
from storage.join_requests import IS_PENDING
from storage.models import Channel
from storage.request_models import RequestFilters, RequestView
from storage.schema import channels, join_requests, request_ticks, request_views
from storage.statements import insert

KEPT = 500
"""Of an admin, the newest: what was searched for may be names of people."""


class RequestViewRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, view_id: int, admin_id: int) -> RequestView | None:
        """None: it is gone, or another admin's."""
        statement = select(request_views).where(request_views.c.id == view_id, request_views.c.admin_id == admin_id)
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return _view(row) if row else None

    async def get_there(self, view_id: int, admin_id: int) -> tuple[RequestView, Channel] | None:
        """With the channel that it is of."""
        statement = (
            select(channels, *(column.label(f"view_{column.name}") for column in request_views.c))
            .join(request_views, request_views.c.channel_id == channels.c.id)
            .where(request_views.c.id == view_id, request_views.c.admin_id == admin_id)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        if row is None:
            return None
        filters = RequestFilters.from_json(row.view_filters)
        view = RequestView(row.view_id, admin_id, row.view_channel_id, filters, newest_first=row.view_newest_first)
        return view, channel_from(row)

    async def open(
        self, admin_id: int, channel_id: int, wanted: Sequence[RequestFilters], *, newest_first: bool = False
    ) -> list[RequestView]:
        """A view of each: the one that is there, or a new one. Admin and channel are stored already."""
        async with self._database.read() as connection:
            known = await _known(connection, admin_id, channel_id, newest_first, wanted)
        if missing := [filters for filters in wanted if filters not in known]:
            values = {"admin_id": admin_id, "channel_id": channel_id, "newest_first": newest_first}
            async with self._database.write() as connection:
                await connection.execute(
                    insert(request_views).on_conflict_do_nothing(),
                    [{**values, "filters": filters.to_json()} for filters in missing],
                )
                known |= await _known(connection, admin_id, channel_id, newest_first, missing)
        return [known[filters] for filters in wanted]

    async def sweep(self) -> int:
        """Delete all but the newest of each admin; answers how many went."""
        newer = request_views.alias()
        is_newer = (newer.c.admin_id == request_views.c.admin_id) & (newer.c.id > request_views.c.id)
        behind = select(func.count()).select_from(newer).where(is_newer).scalar_subquery()
        async with self._database.write() as connection:
            return (await connection.execute(delete(request_views).where(behind >= KEPT))).rowcount


class RequestTicks:
    """Whoever waits no more is ticked no more, whatever the row says."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def toggle(self, admin_id: int, request_id: int) -> bool:
        """Whether that one is ticked now. The request is stored already."""
        of_one = (request_ticks.c.admin_id == admin_id, request_ticks.c.request_id == request_id)
        async with self._database.write() as connection:
            if (await connection.execute(delete(request_ticks).where(*of_one))).rowcount:
                return False
            await connection.execute(insert(request_ticks).values(admin_id=admin_id, request_id=request_id))
            return True

    async def add(self, admin_id: int, request_ids: Iterable[int]) -> None:
        rows = [{"admin_id": admin_id, "request_id": request_id} for request_id in request_ids]
        if rows:
            async with self._database.write() as connection:
                await connection.execute(insert(request_ticks).on_conflict_do_nothing(), rows)

    async def ids(self, admin_id: int, channel_id: int) -> list[int]:
        """Those who wait at the channel, ascending."""
        async with self._database.read() as connection:
            return list(await connection.scalars(_ticked(admin_id, channel_id).order_by(join_requests.c.id)))

    async def clear(self, admin_id: int, channel_id: int) -> int:
        """Of that channel, the decided ones too; answers how many."""
        of_channel = select(join_requests.c.id).where(
            join_requests.c.id == request_ticks.c.request_id, join_requests.c.channel_id == channel_id
        )
        statement = delete(request_ticks).where(request_ticks.c.admin_id == admin_id, of_channel.exists())
        async with self._database.write() as connection:
            return (await connection.execute(statement)).rowcount


def _ticked(admin_id: int, channel_id: int) -> Any:
    return (
        select(join_requests.c.id)
        .join(request_ticks, request_ticks.c.request_id == join_requests.c.id)
        .where(request_ticks.c.admin_id == admin_id, join_requests.c.channel_id == channel_id, IS_PENDING)
    )


async def _known(
    connection: AsyncConnection, admin_id: int, channel_id: int, newest_first: bool, wanted: Sequence[RequestFilters]
) -> dict[RequestFilters, RequestView]:
    rows = await connection.execute(
        select(request_views).where(
            request_views.c.admin_id == admin_id,
            request_views.c.channel_id == channel_id,
            request_views.c.newest_first == literal(newest_first),
            request_views.c.filters.in_([filters.to_json() for filters in wanted]),
        )
    )
    views = [_view(row) for row in rows]
    return {view.filters: view for view in views}


def _view(row: Row[Any]) -> RequestView:
    return RequestView(
        row.id, row.admin_id, row.channel_id, RequestFilters.from_json(row.filters), newest_first=row.newest_first
    )
