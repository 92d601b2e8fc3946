"""What Porter asks before it uses an account, where another Porter may be using it."""

from handlers.texts.base import Words, title
from storage.models import Restored, RestReason, Session


class RestoredTexts(Words):
    def question(self, restored: Restored, *, is_owner: bool) -> str:
        which = "other" if restored.why is RestReason.CONTESTED else "old"
        ask = f"Is the {which} Porter off?" if is_owner else f"An owner has to say that the {which} Porter is off."
        return (
            f"{self._why(restored)}\n"
            "Accounts and schedules rest: Telegram signs an account out for good when two Porters use it. "
            f"People who ask to join are taken in as always.\n\n{ask}"
        )

    def _why(self, restored: Restored) -> str:
        if restored.why is RestReason.COPIED:
            return (
                "<b>Copied or moved</b>: this database lies at another place than when Porter used it last. If you "
                "moved it, there is no old Porter; if you copied it, the old one may still run."
            )
        if restored.why is RestReason.CONTESTED:
            return f"<b>Two Porters</b>: at {self.at(restored.made_at)} another program worked with this bot's token."
        return f"<b>Restored</b> from the backup of {self.at(restored.made_at)}."

    def confirmed(self) -> str:
        return "Good. Porter uses its accounts again, and everything that was under way goes on."

    def taken(self, session: Session) -> str:
        return (
            f"⚠️ Another Porter has begun to use {title(session.name)}. This one has let go of it, so that Telegram "
            "does not sign the account out. Stop one of the two: an account is used from one place."
        )
