"""The group of NOTIFY_CHAT, wherever it went: a small group that becomes a supergroup gets another id."""

import logging

from storage.notices import NoticeRepository

log = logging.getLogger(__name__)


class NotifyGroup:
    """`id` None: there is none. `configured`: what NOTIFY_CHAT says."""

    def __init__(self, configured: int | None, rows: NoticeRepository) -> None:
        self.id = configured
        self._configured = configured
        self._rows = rows

    async def load(self) -> None:
        """Where it went before this start."""
        if self._configured is not None:
            self.id = await self._rows.group_after(self._configured) or self._configured

    async def moved(self, to: int) -> None:
        assert self._configured is not None
        if to != self.id:
            log.warning("the group of NOTIFY_CHAT became a supergroup and is followed: its id is %d now", to)
            await self._rows.put_group_after(self._configured, to)
            self.id = to
