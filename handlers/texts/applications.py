"""The application that a saved channel names to Telegram."""

from handlers.texts.base import Words, title
from storage.models import Session, Source


class ApplicationTexts(Words):
    def ask_api_id(self, source: Source, session: Session) -> str:
        now = (
            f"Now it names the account's own, API id {session.api_id}."
            if source.api_id is None
            else f"Now it names API id {source.api_id}; the account {title(session.name)} has {session.api_id}."
        )
        return (
            f"Which application shall {title(source.name)} name to Telegram when it is read? {now} Send the API id of "
            "another one, from my.telegram.org."
        )

    def refused(self) -> str:
        return (
            "⚠️ Telegram does not know this API id and hash. Nothing was changed. Copy both again from my.telegram.org "
            "and send the API id."
        )

    def word(self, source: Source) -> str:
        """On the button."""
        return str(source.api_id) if source.api_id is not None else "the account's"

    def line(self, source: Source) -> list[str]:
        """On the card, where it differs from what Porter does by itself."""
        return [f"own application {source.api_id}"] if source.api_id is not None else []
