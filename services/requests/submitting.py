"""How long work on a channel's requests is put into the runner."""

from typing import Any

from services.errors import NotFound
from services.runs import Priority, Runner
from storage.channels import ChannelRepository
from storage.models import Run, RunKind
from storage.runs import Also


class Submitting:
    def __init__(self, channel_rows: ChannelRepository, runner: Runner) -> None:
        self._channel_rows = channel_rows
        self._runner = runner

    async def title(self, channel_id: int) -> str:
        """What the channel is called, for a line in the audit."""
        channel = await self._channel_rows.get(channel_id)
        return channel.title if channel else str(channel_id)

    async def submit(
        self,
        kind: RunKind,
        channel_id: int,
        admin_id: int | None,
        params: dict[str, Any],
        *,
        delay_seconds: float = 0.0,
        also: Also | None = None,
    ) -> Run:
        """As Runner.submit. Raises NotFound, AlreadyActive, and what `also` raises."""
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        return await self._runner.submit(
            kind,
            channel_id,
            channel.title,
            priority=Priority.REQUESTS,
            requested_by=admin_id,
            params=params,
            delay_seconds=delay_seconds,
            also=also,
        )
