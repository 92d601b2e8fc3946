"""How the gate of one channel is kept, at a glance. Not limited to anybody here: services/desks.py does that."""

from dataclasses import dataclass

from services.errors import NotFound
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import Channel, PendingCount, RunKind, Schedule
from storage.request_models import RequestSettings, Rule
from storage.request_settings import RequestSettingsRepository
from storage.rules import RuleRepository
from storage.schedules import ScheduleRepository


@dataclass(frozen=True, slots=True)
class Gate:
    """`loads`: when who waits is loaded by itself; None: never."""

    channel: Channel
    waiting: int
    settings: RequestSettings
    loads: Schedule | None
    rules: list[Rule]


class Gates:
    def __init__(
        self,
        channel_rows: ChannelRepository,
        requests: JoinRequestRepository,
        settings: RequestSettingsRepository,
        schedules: ScheduleRepository,
        rules: RuleRepository,
    ) -> None:
        self._channel_rows = channel_rows
        self._requests = requests
        self._settings = settings
        self._schedules = schedules
        self._rules = rules

    async def overview(self) -> list[PendingCount]:
        """Where people wait, most of them first; then the other gates that are kept, where nobody waits now."""
        waiting = await self._requests.overview()
        busy = {entry.channel.id for entry in waiting}
        return waiting + [PendingCount(each, 0) for each in await self._channel_rows.kept() if each.id not in busy]

    async def get(self, channel_id: int) -> Gate:
        """Raises NotFound."""
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        waiting = await self._requests.count(channel_id)
        settings = await self._settings.get(channel_id)
        loads = await self._schedules.get_for(RunKind.LOAD_REQUESTS, channel_id)
        return Gate(channel, waiting, settings, loads, await self._rules.of_channel(channel_id))
