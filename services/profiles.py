"""What an admin's channels are saved with when nothing else is said."""

from dataclasses import replace
from typing import Any

from services import audit, templates
from services.errors import TemplateInvalid, TemplateTrouble
from services.names import MAX_DEPTH
from services.sources import SourceCard
from services.targets import check_folder
from storage.models import AuditVerb, Profile, Scope
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

    async def set_place(self, admin_id: int, root: str | None, folder: str) -> Profile:
        """`folder`: in which each channel gets its own; "" for the root itself. Raises FolderInvalid, TemplateInvalid
        (file names make too many folders below that one)."""
        _check_depth((await self.get(admin_id)).name_template, check_folder(folder) if folder else "")
        return await self.change(admin_id, root=root, folder=folder)

    async def set_names(self, admin_id: int, template: str | None) -> Profile:
        """None: Porter's own. Raises TemplateInvalid."""
        if template is not None:
            templates.parse(template)
            _check_depth(template, (await self.get(admin_id)).folder)
        return await self.change(admin_id, name_template=None if template == templates.DEFAULT else template)

    async def reset(self, admin_id: int) -> Profile:
        """Porter's own defaults."""
        async with audit.act(AuditVerb.PROFILE):
            await self._profiles.put(admin_id, Profile())
        return Profile()

    async def copy(self, admin_id: int, card: SourceCard) -> Profile:
        """Channels that come are saved like that one: of its folder what lies above it, and of one of single posts no
        rhythm, for it has none."""
        source, is_whole = card.source, card.source.scope is Scope.CHANNEL
        rhythm = {"cron": card.schedule.cron if card.schedule else None, "live": source.live} if is_whole else {}
        return await self.change(
            admin_id,
            filters=source.filters,
            root=source.root,
            folder=source.folder.rpartition("/")[0],
            name_template=source.name_template,
            duplicates=source.duplicates,
            only_matching=source.only_matching,
            **rhythm,
        )


def _check_depth(template: str | None, folder: str) -> None:
    """A channel's own folder counts as well."""
    above = len(folder.split("/")) if folder else 0
    if template is not None and templates.depth(template) + above + 1 > MAX_DEPTH:
        raise TemplateInvalid(TemplateTrouble.TOO_DEEP)
