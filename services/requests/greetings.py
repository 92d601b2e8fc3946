"""A word to who asked, before they are let in or refused: best effort, once a request, and never to crowds.

Telegram lets the bot write to somebody who asks for five minutes, or until their request is processed (TELEGRAM.md). So
it is written just before the decision goes out, and whatever comes of it holds up no decision.
"""

import asyncio
import logging
from datetime import timedelta

from services import audit
from services.errors import GreetingTooLong, NotFound, PorterError
from services.gate import GreetingGate
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import AuditVerb, Channel, JoinRequest
from storage.request_settings import RequestSettingsRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

WRITABLE = timedelta(minutes=5)
PATIENCE_SECONDS = 3.0
LONGEST = 1000
"""Characters."""


class Greetings:
    def __init__(
        self,
        requests: JoinRequestRepository,
        settings: RequestSettingsRepository,
        channel_rows: ChannelRepository,
        gate: GreetingGate,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._requests = requests
        self._settings = settings
        self._channel_rows = channel_rows
        self._gate = gate
        self._clock = clock

    async def before(self, request: JoinRequest, approve: bool) -> None:
        """The welcome or the refusal of the channel, if it has one and Telegram allows it still. Raises nothing that a
        decision could fail by."""
        chat_id = request.user_chat_id
        if chat_id is None or self._clock() - request.asked_at >= WRITABLE:
            return
        settings = await self._settings.get(request.channel_id)
        text = settings.welcome if approve else settings.refusal
        if text is None or not await self._requests.begin_greeting(request.id):
            return
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._gate.write(chat_id, text)
        except (PorterError, TimeoutError) as error:
            log.info("somebody was not written to: %s", type(error).__name__, extra={"request_id": request.id})
        except Exception:
            log.exception("somebody was not written to", extra={"request_id": request.id})

    async def set(self, channel_id: int, text: str | None, *, is_welcome: bool) -> None:
        """Plain text; None: nothing is written. Raises NotFound, GreetingTooLong."""
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        async with audit.act(AuditVerb.GREETING, channel.title):
            if text is not None and len(text) > LONGEST:
                raise GreetingTooLong
            await self._settings.change(channel_id, **{"welcome" if is_welcome else "refusal": text})

    async def channel(self, channel_id: int) -> tuple[Channel, str | None, str | None]:
        """With its welcome and its refusal. Raises NotFound."""
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        settings = await self._settings.get(channel_id)
        return channel, settings.welcome, settings.refusal
