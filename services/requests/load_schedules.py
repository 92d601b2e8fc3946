"""When who waits at a channel is loaded by itself, and how many of them."""

from dataclasses import dataclass

from services import audit
from services.access import Rights
from services.errors import AlreadyActive, NotFound
from services.requests.loading import RequestLoads
from services.requests.walks import Part
from services.schedule import ScheduleService
from storage.channels import ChannelRepository
from storage.models import AuditVerb, Channel, RunKind, Schedule
from storage.request_settings import RequestSettingsRepository
from storage.schedules import ScheduleRepository

KIND = RunKind.LOAD_REQUESTS


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """`schedule` None: only when somebody asks. `newest` None: everybody who waits."""

    channel: Channel
    schedule: Schedule | None
    newest: int | None


class LoadSchedules:
    """`fire` is registered for LOAD_REQUESTS; a schedule's subject is the channel."""

    def __init__(
        self,
        loads: RequestLoads,
        schedule: ScheduleService,
        schedule_rows: ScheduleRepository,
        settings: RequestSettingsRepository,
        channel_rows: ChannelRepository,
        rights: Rights,
    ) -> None:
        self._loads = loads
        self._schedule = schedule
        self._schedule_rows = schedule_rows
        self._settings = settings
        self._channel_rows = channel_rows
        self._rights = rights

    async def get(self, channel_id: int) -> LoadPlan:
        """Raises NotFound."""
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        schedule = await self._schedule_rows.get_for(KIND, channel_id)
        return LoadPlan(channel, schedule, (await self._settings.get(channel_id)).load_newest)

    async def set(self, channel_id: int, admin_id: int, cron: str | None, timezone: str) -> LoadPlan:
        """`cron` None: by itself no more. Raises NotFound, NotAllowed, CronInvalid."""
        channel = (await self.get(channel_id)).channel
        async with audit.act(AuditVerb.LOAD_SCHEDULE, channel.title):
            await self._rights.check_decides(admin_id, channel_id)
            if cron is None:
                await self._schedule.remove(KIND, channel_id)
            else:
                await self._schedule.set(KIND, channel_id, cron, timezone)
        return await self.get(channel_id)

    async def set_enabled(self, channel_id: int, admin_id: int, enabled: bool) -> LoadPlan:
        """Raises NotFound, NotAllowed."""
        channel = (await self.get(channel_id)).channel
        async with audit.act(AuditVerb.LOAD_SCHEDULE, channel.title):
            await self._rights.check_decides(admin_id, channel_id)
            await self._schedule.set_enabled(KIND, channel_id, enabled)
        return await self.get(channel_id)

    async def set_newest(self, channel_id: int, admin_id: int, newest: int | None) -> LoadPlan:
        """How many are asked for each time. Raises NotFound, NotAllowed."""
        channel = (await self.get(channel_id)).channel
        async with audit.act(AuditVerb.LOAD_SCHEDULE, channel.title):
            await self._rights.check_decides(admin_id, channel_id)
            await self._settings.change(channel_id, load_newest=newest)
        return await self.get(channel_id)

    async def fire(self, due: Schedule) -> None:
        """A load that is still under way takes the turn's place."""
        plan = await self.get(due.subject_id)
        try:
            await self._loads.load_due(plan.channel.id, Part(newest=plan.newest))
        except AlreadyActive:
            return
