"""What stands on the first screen."""

from dataclasses import replace

from services.access import Rights, sees_run
from storage.admins import AdminRepository
from storage.models import Admin, HomeSummary, Role
from storage.summary import SummaryRepository


class HomeService:
    def __init__(self, summary: SummaryRepository, admins: AdminRepository) -> None:
        self._summary = summary
        self._admins = admins
        self._rights = Rights(admins)

    async def for_admin(self, admin_id: int) -> HomeSummary:
        """What happened since this admin last looked; from now on counted anew. Raises NotAllowed."""
        admin = await self._rights.of(admin_id)
        since = await self._admins.touch_home(admin_id)
        return _seen_by(admin, await self._summary.home(since))

    async def peek(self, admin_id: int) -> HomeSummary:
        """The present state, without counting as a look. Raises NotAllowed."""
        admin = await self._rights.of(admin_id)
        return _seen_by(admin, await self._summary.home(None))


def _seen_by(admin: Admin, summary: HomeSummary) -> HomeSummary:
    if admin.role is not Role.APPROVER:
        return replace(summary, role=admin.role, runs=tuple(run for run in summary.runs if not run.is_quiet))
    return HomeSummary(
        since=summary.since,
        files=0,
        files_bytes=0,
        files_failed=0,
        sources=0,
        sources_paused=0,
        sources_held=0,
        sessions=(),
        pending=tuple(entry for entry in summary.pending if admin.sees(entry.channel.id)),
        runs=tuple(run for run in summary.runs if sees_run(admin, run)),
        role=admin.role,
    )
