"""What a person may do now: read from the database at every question, never remembered."""

from services.errors import NotAllowed
from storage.admins import AdminRepository
from storage.models import Admin, Role, Run
from storage.runs import AT_GATES


class Rights:
    def __init__(self, admins: AdminRepository) -> None:
        self._admins = admins

    async def of(self, admin_id: int) -> Admin:
        """Raises NotAllowed: is no admin any more."""
        admin = await self._admins.get(admin_id)
        if admin is None:
            raise NotAllowed
        return admin

    async def check_owner(self, admin_id: int) -> Admin:
        """Raises NotAllowed."""
        admin = await self.of(admin_id)
        if admin.role is not Role.OWNER:
            raise NotAllowed
        return admin

    async def check_decides(self, admin_id: int | None, channel_id: int) -> None:
        """`admin_id` None: Porter itself. Raises NotAllowed."""
        if admin_id is not None and not (await self.of(admin_id)).decides(channel_id):
            raise NotAllowed


def channel_of(run: Run) -> int | None:
    """The channel whose waiting people the run is about. None: it is about something else."""
    return run.subject_id if run.kind in AT_GATES else None


def sees_run(admin: Admin, run: Run) -> bool:
    channel_id = channel_of(run)
    return admin.role is not Role.APPROVER or (channel_id is not None and admin.sees(channel_id))


def steers_run(admin: Admin, run: Run) -> bool:
    """Pause, go on, stop."""
    channel_id = channel_of(run)
    return admin.role is Role.OWNER or (channel_id is not None and admin.decides(channel_id))
