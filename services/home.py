"""What stands on the first screen."""

from storage.admins import AdminRepository
from storage.models import HomeSummary
from storage.summary import SummaryRepository


class HomeService:
    def __init__(self, summary: SummaryRepository, admins: AdminRepository) -> None:
        self._summary = summary
        self._admins = admins

    async def for_admin(self, admin_id: int) -> HomeSummary:
        """What happened since this admin last looked; from now on counted anew."""
        return await self._summary.home(await self._admins.touch_home(admin_id))

    async def peek(self) -> HomeSummary:
        """The present state, without counting as a look."""
        return await self._summary.home(None)
