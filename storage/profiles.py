"""What each admin's channels are saved with when nothing else is said."""

from sqlalchemy import select

from storage import statements
from storage.database import Database
from storage.models import Duplicates, Profile
from storage.packing import pack_filters, unpack_filters
from storage.schema import profiles


class ProfileRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, admin_id: int) -> Profile:
        """Porter's own defaults where the admin has set none."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(profiles).where(profiles.c.admin_id == admin_id))).one_or_none()
        if row is None:
            return Profile()
        return Profile(
            filters=unpack_filters(row.filters),
            root=row.root,
            folder=row.folder,
            cron=row.cron,
            name_template=row.name_template,
            duplicates=Duplicates(row.duplicates),
            only_matching=row.only_matching,
            live=row.live,
        )

    async def put(self, admin_id: int, profile: Profile) -> None:
        values = {
            "filters": pack_filters(profile.filters),
            "root": profile.root,
            "folder": profile.folder,
            "cron": profile.cron,
            "name_template": profile.name_template,
            "duplicates": profile.duplicates,
            "only_matching": profile.only_matching,
            "live": profile.live,
        }
        new = statements.insert(profiles).values(admin_id=admin_id, **values)
        async with self._database.write() as connection:
            await connection.execute(new.on_conflict_do_update(index_elements=["admin_id"], set_=values))
