"""What a restored Porter asks before it uses an account."""

from handlers.texts.base import Words
from storage.models import Restored


class RestoredTexts(Words):
    def question(self, restored: Restored, *, is_owner: bool) -> str:
        ask = "Is the old Porter off?" if is_owner else "An owner has to say that the old Porter is off."
        return (
            f"<b>Restored</b> from the backup of {self.at(restored.made_at)}.\n"
            "Accounts and schedules rest: Telegram signs an account out for good when two Porters use it. "
            f"People who ask to join are taken in as always.\n\n{ask}"
        )

    def confirmed(self) -> str:
        return "Good. Porter uses its accounts again, and everything that was under way goes on."
