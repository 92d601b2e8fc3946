"""What an admin's channels are saved with when nothing else is said."""

from dataclasses import replace
from typing import Any

from services import audit
from storage.models import AuditVerb, Profile
from storage.profiles import ProfileRepository


class ProfileService:
    def __init__(self, profiles: ProfileRepository) -> None:
        self._profiles = profiles

    async def get(self, admin_id: int) -> Profile:
        """Porter's own defaults where the admin has set none."""
        return await self._profiles.get(admin_id)

    async def change(self, admin_id: int, **values: Any) -> Profile:
        """Of channels that are saved from now on. `values`: fields of Profile, checked by whoever asks for them."""
        async with audit.act(AuditVerb.PROFILE, ", ".join(sorted(values))):
            changed = replace(await self._profiles.get(admin_id), **values)
            await self._profiles.put(admin_id, changed)
        return changed
