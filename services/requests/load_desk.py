"""Loading who waits, as one admin may ask for it. Made by services/desks.py; each call reads the role anew."""

from dataclasses import dataclass

from services.access import Rights
from services.channels import ChannelService, read_reference
from services.clients.base import InviteLink
from services.errors import ChannelNotFound, NotAllowed, SessionRequired
from services.requests.listing import RequestLists
from services.requests.load_schedules import LoadPlan, LoadSchedules
from services.requests.loading import RequestLoads
from services.requests.walks import Part
from storage.models import Channel, Role, Run, SessionChannel


@dataclass(frozen=True, slots=True)
class LoadPlace:
    """A channel where an account may let people in. `waiting`: as far as Porter knows."""

    seen: SessionChannel
    waiting: int


@dataclass(frozen=True, slots=True)
class LoadCard:
    """`at_telegram`: how many wait there now, `known`: of whom Porter knows."""

    plan: LoadPlan
    at_telegram: int
    known: int


class LoadDesk:
    def __init__(
        self,
        loads: RequestLoads,
        schedules: LoadSchedules,
        lists: RequestLists,
        channels: ChannelService,
        rights: Rights,
        admin_id: int,
    ) -> None:
        self._loads = loads
        self._schedules = schedules
        self._lists = lists
        self._channels = channels
        self._rights = rights
        self._admin_id = admin_id

    async def places(self) -> list[LoadPlace]:
        """Where an account of ours may let people in: those first where most wait. Raises SessionRequired."""
        admin = await self._rights.of(self._admin_id)
        rows = await self._channels.may_invite()
        waiting = {entry.channel.id: entry.pending for entry in await self._lists.overview()}
        places = [LoadPlace(row, waiting.get(row.channel.id, 0)) for row in rows if admin.sees(row.channel.id)]
        return sorted(places, key=lambda place: -place.waiting)

    async def find(self, text: str) -> Channel:
        """The channel that a text names. An approver's word is looked up among their own alone: no account is asked.

        Raises ChannelNotFound, ChannelUnavailable, SessionRequired, NotAllowed.
        """
        admin = await self._rights.of(self._admin_id)
        if admin.role is not Role.APPROVER:
            try:
                return (await self._channels.find(text)).channel
            except SessionRequired:
                raise SessionRequired(bots_do=False) from None
        named = read_reference(text)
        reference = named or text.strip()
        for channel_id in admin.channels:
            channel = await self._lists.channel(channel_id)
            if reference in {channel.id, channel.title} or str(reference).lower() == (channel.username or "").lower():
                return channel
        if named is None:
            raise ChannelNotFound
        raise NotAllowed

    async def card(self, channel_id: int) -> LoadCard:
        """Asks Telegram. Raises NotFound, SessionRequired, RightMissing, TelegramError."""
        await self._rights.check_decides(self._admin_id, channel_id)
        at_telegram = await self._channels.waiting_at(channel_id)
        known = {entry.channel.id: entry.pending for entry in await self._lists.overview()}
        return LoadCard(await self._schedules.get(channel_id), at_telegram, known.get(channel_id, 0))

    async def links(self, channel_id: int) -> list[InviteLink]:
        """Asks Telegram. Raises SessionRequired, RightMissing, TelegramError."""
        await self._rights.check_decides(self._admin_id, channel_id)
        return await self._loads.links(channel_id)

    async def load(self, channel_id: int, session_id: int | None = None, part: Part | None = None) -> Run:
        """As RequestLoads.load."""
        return await self._loads.load(channel_id, self._admin_id, session_id, part or Part())

    async def plan(self, channel_id: int) -> LoadPlan:
        """Raises NotFound."""
        if not (await self._rights.of(self._admin_id)).sees(channel_id):
            raise NotAllowed
        return await self._schedules.get(channel_id)

    async def set_schedule(self, channel_id: int, cron: str | None, timezone: str) -> LoadPlan:
        return await self._schedules.set(channel_id, self._admin_id, cron, timezone)

    async def set_enabled(self, channel_id: int, enabled: bool) -> LoadPlan:
        return await self._schedules.set_enabled(channel_id, self._admin_id, enabled)

    async def set_newest(self, channel_id: int, newest: int | None) -> LoadPlan:
        return await self._schedules.set_newest(channel_id, self._admin_id, newest)
