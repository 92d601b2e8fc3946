"""Channels and groups, and which session sees which."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, literal_column, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.database import Database
from storage.gate_moves import move_gate
from storage.models import Channel, ChannelKind, RequestStatus, SessionChannel, SessionKind, SessionState
from storage.schema import channels, join_requests, rules, session_channels, sessions, sources
from storage.statements import insert
from storage.types import Clock, UtcTime, utc_now


class ChannelRepository:
    def __init__(self, database: Database, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._clock = clock

    async def put(self, channel: Channel) -> None:
        """Everything anew, but an unknown `members` or `bot_may_invite` leaves what is stored."""
        async with self._database.write() as connection:
            await _put(connection, [channel])

    async def get(self, channel_id: int) -> Channel | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(channels).where(channels.c.id == channel_id))).one_or_none()
        return channel_from(row) if row else None

    async def by_username(self, name: str) -> Channel | None:
        """`name` without @, in any case. Names move between channels: the one seen last under it counts."""
        statement = (
            select(channels)
            .where(func.lower(channels.c.username) == name.lower())
            .order_by(channels.c.updated_at.desc())
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(statement)).one_or_none()
        return channel_from(row) if row else None

    async def set_bot_may_invite(self, channel_id: int, bot_may_invite: bool) -> None:
        """Nothing happens when the channel is not stored."""
        async with self._database.write() as connection:
            await connection.execute(
                update(channels).where(channels.c.id == channel_id).values(bot_may_invite=bot_may_invite)
            )

    async def grew(self, group_id: int, into: Channel) -> bool:
        """The small group became that supergroup, which is stored beside it; its gate goes over at once. Answers
        whether that is news of a group that a source carries."""
        carried = exists().where(sources.c.channel_id == group_id)
        statement = (
            update(channels)
            .where(channels.c.id == group_id, channels.c.migrated_to.is_(None))
            .values(migrated_to=into.id)
            .returning(carried)
        )
        async with self._database.write() as connection:
            await _put(connection, [into])
            moved = (await connection.execute(statement)).one_or_none()
            if moved is not None:
                await move_gate(connection, group_id, into.id)
            return bool(moved is not None and moved[0])

    async def put_listing(self, session_id: int, listing: list[tuple[Channel, bool]]) -> None:
        """All that the session sees, each with whether its account may invite; what it saw before is forgotten.

        Nothing happens when the session is gone.
        """
        async with self._database.write() as connection:
            await connection.execute(delete(session_channels).where(session_channels.c.session_id == session_id))
            await self._add_seen(connection, session_id, listing)

    async def add_seen(self, session_id: int, channel: Channel, may_invite: bool) -> None:
        """One more that the session sees. Nothing happens when the session is gone."""
        async with self._database.write() as connection:
            await self._add_seen(connection, session_id, [(channel, may_invite)])

    async def of_session(self, session_id: int) -> list[SessionChannel]:
        """Most members first."""
        statement = (
            select(channels, session_channels.c.may_invite)
            .join(session_channels, session_channels.c.channel_id == channels.c.id)
            .where(session_channels.c.session_id == session_id)
            .order_by(channels.c.members.desc().nulls_last(), channels.c.title, channels.c.id)
        )
        async with self._database.read() as connection:
            rows = await connection.execute(statement)
        return [SessionChannel(channel_from(row), session_id, row.may_invite) for row in rows]

    async def listed_at(self, session_id: int) -> datetime | None:
        """Since when at the latest everything that `of_session` answers has been known. None: nothing is listed."""
        oldest = select(func.min(session_channels.c.listed_at, type_=UtcTime))
        async with self._database.read() as connection:
            moment: datetime | None = await connection.scalar(oldest.where(session_channels.c.session_id == session_id))
        return moment

    async def sessions_of(self, channel_id: int, may_invite: bool | None = None) -> list[int]:
        """The sessions that see it, oldest first; `may_invite` narrows to those with or without that right."""
        statement = select(session_channels.c.session_id).where(session_channels.c.channel_id == channel_id)
        if may_invite is not None:
            statement = statement.where(session_channels.c.may_invite == may_invite)
        async with self._database.read() as connection:
            return list(await connection.scalars(statement.order_by(session_channels.c.session_id)))

    async def decidable(self) -> list[Channel]:
        """Where the bot or a session may let people in, or where people wait; by title."""
        statement = select(channels).where(_decidable())
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(channels.c.title, channels.c.id))
            return [channel_from(row) for row in rows]

    async def askable(self, also: Collection[int] = ()) -> list[Channel]:
        """Where people may ask to join, and those of `also`. First where the bot lets in or somebody ever asked, then
        by title. A public channel lets everybody in: an account's right alone does not say that anybody waits."""
        asked = exists().where(join_requests.c.channel_id == channels.c.id)
        is_gate = or_(channels.c.bot_may_invite.is_(True), asked)
        is_open = and_(channels.c.kind == ChannelKind.CHANNEL, channels.c.username.is_not(None))
        statement = (
            select(channels)
            .where(
                or_(is_gate, and_(_decidable(), ~is_open), channels.c.id.in_(also)), channels.c.migrated_to.is_(None)
            )
            .order_by(is_gate.desc(), channels.c.title, channels.c.id)
        )
        async with self._database.read() as connection:
            return [channel_from(row) for row in await connection.execute(statement)]

    async def kept(self) -> list[Channel]:
        """Where the bot lets people in, and where rules are: by title. Whether anybody waits there does not matter."""
        is_ruled = exists().where(rules.c.channel_id == channels.c.id)
        statement = select(channels).where(or_(channels.c.bot_may_invite, is_ruled), channels.c.migrated_to.is_(None))
        async with self._database.read() as connection:
            rows = await connection.execute(statement.order_by(channels.c.title, channels.c.id))
            return [channel_from(row) for row in rows]

    async def entrances(self) -> list[Channel]:
        """The same, and where the bot once might; groups that became supergroups are left out. By title."""
        statement = (
            select(channels)
            .where(or_(channels.c.bot_may_invite.is_not(None), _decidable()), channels.c.migrated_to.is_(None))
            .order_by(channels.c.title, channels.c.id)
        )
        async with self._database.read() as connection:
            return [channel_from(row) for row in await connection.execute(statement)]

    async def heard_by_accounts(self) -> dict[int, int]:
        """Where who asks is told to an account alone, by channel: the session. Those where somebody of us loaded or
        decided before, the bot may not let people in, and an account that works may."""
        asked = exists().where(join_requests.c.channel_id == channels.c.id)
        statement = (
            select(channels.c.id, func.min(session_channels.c.session_id).label("session_id"))
            .join(session_channels, session_channels.c.channel_id == channels.c.id)
            .join(sessions, sessions.c.id == session_channels.c.session_id)
            .where(
                asked,
                channels.c.bot_may_invite.is_not(True),
                channels.c.migrated_to.is_(None),
                session_channels.c.may_invite.is_(True),
                sessions.c.state == SessionState.ACTIVE,
                sessions.c.kind == SessionKind.USER,
            )
            .group_by(channels.c.id)
        )
        async with self._database.read() as connection:
            return {row.id: row.session_id for row in await connection.execute(statement)}

    async def titles(self, channel_ids: Collection[int]) -> list[str]:
        """Of those that are stored, in alphabetical order."""
        statement = select(channels.c.title).where(channels.c.id.in_(channel_ids)).order_by(channels.c.title)
        async with self._database.read() as connection:
            return list(await connection.scalars(statement))

    async def _add_seen(
        self, connection: AsyncConnection, session_id: int, listing: Sequence[tuple[Channel, bool]]
    ) -> None:
        session = await connection.scalar(select(sessions.c.id).where(sessions.c.id == session_id))
        if session is None or not listing:
            return
        await _put(connection, [channel for channel, _ in listing])
        now = self._clock()
        statement = insert(session_channels)
        await connection.execute(
            statement.on_conflict_do_update(
                index_elements=["session_id", "channel_id"],
                set_={"may_invite": statement.excluded.may_invite, "listed_at": statement.excluded.listed_at},
            ),
            [
                {"session_id": session_id, "channel_id": channel.id, "may_invite": may_invite, "listed_at": now}
                for channel, may_invite in listing
            ],
        )


def _decidable() -> ColumnElement[bool]:
    by_session = exists().where(session_channels.c.channel_id == channels.c.id, session_channels.c.may_invite.is_(True))
    waits = exists().where(
        join_requests.c.channel_id == channels.c.id,
        join_requests.c.status == literal_column(f"'{RequestStatus.PENDING}'"),
    )
    return or_(channels.c.bot_may_invite.is_(True), by_session, waits)


async def _put(connection: AsyncConnection, new: Sequence[Channel]) -> None:
    statement = insert(channels)
    excluded = statement.excluded
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "title": excluded.title,
                "username": excluded.username,
                "kind": excluded.kind,
                "members": func.coalesce(excluded.members, channels.c.members),
                "bot_may_invite": func.coalesce(excluded.bot_may_invite, channels.c.bot_may_invite),
                "updated_at": excluded.updated_at,
            },
        ),
        [
            {
                "id": channel.id,
                "title": channel.title,
                "username": channel.username,
                "kind": channel.kind,
                "members": channel.members,
                "bot_may_invite": channel.bot_may_invite,
                "updated_at": channel.updated_at,
            }
            for channel in new
        ],
    )


def channel_from(row: Row[Any]) -> Channel:
    return Channel(
        id=row.id,
        title=row.title,
        username=row.username,
        kind=ChannelKind(row.kind),
        members=row.members,
        bot_may_invite=row.bot_may_invite,
        updated_at=row.updated_at,
        migrated_to=row.migrated_to,
    )
