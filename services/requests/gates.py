"""How the gate of one channel is kept, at a glance. Not limited to anybody here: services/desks.py does that."""

from dataclasses import dataclass

from services.errors import NotFound
from storage.channels import ChannelRepository
from storage.models import Channel, RunKind, Schedule
from storage.request_models import Capped, RequestFilters, RequestSettings, RequestView, Rule
from storage.request_pages import RequestPages
from storage.request_settings import RequestSettingsRepository
from storage.rules import RuleRepository
from storage.schedules import ScheduleRepository


@dataclass(frozen=True, slots=True)
class Gate:
    """`loads`: when who waits is loaded by itself; None: never."""

    channel: Channel
    waiting: Capped
    settings: RequestSettings
    loads: Schedule | None
    rules: list[Rule]


class Gates:
    def __init__(
        self,
        channel_rows: ChannelRepository,
        pages: RequestPages,
        settings: RequestSettingsRepository,
        schedules: ScheduleRepository,
        rules: RuleRepository,
    ) -> None:
        self._channel_rows = channel_rows
        self._pages = pages
        self._settings = settings
        self._schedules = schedules
        self._rules = rules

    async def get(self, channel_id: int) -> Gate:
        """Raises NotFound."""
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        waiting = await self._pages.count(RequestView(0, 0, channel_id, RequestFilters()))
        settings = await self._settings.get(channel_id)
        loads = await self._schedules.get_for(RunKind.LOAD_REQUESTS, channel_id)
        return Gate(channel, waiting, settings, loads, await self._rules.of_channel(channel_id))
