"""Files that could not be fetched, and why, in words."""

from collections.abc import Mapping

from handlers.texts.base import Words, number, plural, quote, shorten, size, title
from services.sources import FailedFiles
from storage.models import File

CAUSES = {
    "FileGone": "deleted at Telegram",
    "FileReferenceExpired": "Telegram gave no fresh place for it",
    "NamesTaken": "other files have its names",
    "FolderTaken": "a file or link lies where its folder should be",
    "SIZE_MISMATCH": "Telegram sent another size than it had said",
    "HASH_MISMATCH": "Telegram sent other bytes than it had said",
    "LOCATION_INVALID": "Telegram does not find it",
    "FILE_ID_INVALID": "Telegram does not find it",
}
LONGEST_NAME = 60


def cause(word: str | None) -> str:
    return CAUSES.get(word or "", f"Telegram refused it ({quote(word)})")


class FailedTexts(Words):
    def all(self, failed: FailedFiles) -> str:
        head = f"<b>Files that could not be fetched</b> · {title(failed.source.name)}"
        if not failed.count:
            return f"{head}\nNone any more."
        lines = [head, f"{number(failed.count)}: {self.causes(failed.causes)}", *map(self._line, failed.files)]
        return "\n".join([*lines, "Tap one to try it once more."])

    def _line(self, file: File) -> str:
        name = quote(shorten(file.name or "…", LONGEST_NAME))
        return f"• {name} ({size(file.size_bytes)}), post {file.message_id}: {cause(file.cause)}"

    @staticmethod
    def causes(counts: Mapping[str, int]) -> str:
        return " · ".join(f"{number(count)} {cause(word)}" for word, count in counts.items())

    def of_run(self, counts: Mapping[str, int]) -> str:
        """Under the end of a run."""
        return "\n".join(f"   {plural(count, 'file')}: {cause(word)}" for word, count in counts.items())
