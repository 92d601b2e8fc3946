"""How a channel tells of those who come, and deciding from what was told: as one admin may."""

from services import audit
from services.access import Rights
from services.errors import NotFound
from services.requests.deciding import Decider
from services.requests.notices import Notices
from storage.channels import ChannelRepository
from storage.models import AuditVerb, Channel, JoinRequest
from storage.request_models import NotifyMode, RequestSettings
from storage.request_settings import RequestSettingsRepository
from storage.types import Clock, utc_now

DIGEST_CHOICES = (5, 15, 30, 60, 6 * 60, 24 * 60)
"""Minutes between two digests."""


class NoticeDesk:
    """Each call reads role and channels anew and raises NotAllowed where they do not reach."""

    def __init__(
        self,
        notices: Notices,
        settings: RequestSettingsRepository,
        channel_rows: ChannelRepository,
        decider: Decider,
        rights: Rights,
        admin_id: int,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._notices = notices
        self._settings = settings
        self._channel_rows = channel_rows
        self._decider = decider
        self._rights = rights
        self._admin_id = admin_id
        self._clock = clock

    async def channel(self, channel_id: int) -> Channel:
        """Where this admin may say how it tells. Raises NotFound."""
        await self._rights.check_decides(self._admin_id, channel_id)
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        return channel

    async def settings(self, channel_id: int) -> RequestSettings:
        await self._rights.check_decides(self._admin_id, channel_id)
        return await self._settings.get(channel_id)

    async def choose(self, channel_id: int, mode: NotifyMode, digest_minutes: int | None = None) -> RequestSettings:
        """`digest_minutes`: one of DIGEST_CHOICES; None: as before. Raises NotFound."""
        if digest_minutes is not None and digest_minutes not in DIGEST_CHOICES:
            raise NotFound("choice")
        async with audit.act(AuditVerb.NOTIFY, await self._title(channel_id)):
            await self.channel(channel_id)
            was = await self._settings.get(channel_id)
            values: dict[str, object] = {"notify": mode}
            if digest_minutes is not None:
                values["digest_minutes"] = digest_minutes
            if was.notify is NotifyMode.SILENT and mode is not NotifyMode.SILENT:
                values["told_at"] = self._clock()  # who came while nobody wanted to hear of it is no news
            chosen = await self._settings.change(channel_id, **values)
        self._notices.reconsider(channel_id)
        return chosen

    async def decide(self, request_id: int, approve: bool) -> JoinRequest:
        """As RequestDesk.decide."""
        return await self._decider.decide(request_id, self._admin_id, approve)

    async def is_card_of(self, chat_id: int, message_id: int, request_id: int) -> bool:
        return await self._notices.is_card_of(chat_id, message_id, request_id)

    async def healed(self, chat_id: int, message_id: int, request: JoinRequest) -> None:
        """The message says already what became of the request."""
        await self._notices.healed(chat_id, message_id, request)

    async def _title(self, channel_id: int) -> str:
        channel = await self._channel_rows.get(channel_id)
        return channel.title if channel is not None else str(channel_id)
