"""An admin's own defaults."""

from handlers.texts.base import Words, quote, title
from handlers.texts.saving import rhythm
from handlers.texts.sources import DUPLICATES, SourceTexts
from services.templates import DEFAULT
from storage.models import Profile


class DefaultsTexts(Words):
    def page(self, profile: Profile) -> str:
        what = SourceTexts(self._zone, self._now).filters(profile.filters)
        only = "; other messages are not kept" if profile.only_matching else ""
        return (
            "<b>My defaults</b>: how channels are saved from now on when you say nothing else. What is saved already "
            "stays as it is.\n"
            f"Saved: {what}{only}\n"
            f"Folder: {self.place(profile.root, profile.folder)}\n"
            f"Schedule: {rhythm(profile.cron, live=profile.live)}\n"
            f"File names: <code>{quote(profile.name_template or DEFAULT)}</code>\n"
            f"Duplicates: {DUPLICATES[profile.duplicates].removeprefix('duplicates are ')}"
        )

    @staticmethod
    def place(root: str | None, folder: str) -> str:
        """Each channel has a folder of its own in there."""
        return SourceTexts.place(root, f"{folder}/…" if folder else "…")

    def ask_folder(self, root: str | None, folder: str) -> str:
        return (
            "Where shall channels be saved? Each gets a folder of its own there. Now: "
            f"<b>{self.place(root, folder)}</b>\nKeep that, or type the name of a folder for all of them; / for none."
        )

    def those(self) -> str:
        return "channels that come"

    def copied(self, name: str) -> str:
        return f"Channels that come are saved like {title(name)}."
