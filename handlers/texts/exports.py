"""Handing an account over."""

from handlers.texts.base import Words, quote, title
from services.exports import SHORTEST_PASSPHRASE, Parcel
from storage.models import Session


class ExportTexts(Words):
    def ask(self, session: Session) -> str:
        return (
            f"Hand {title(session.name)} over? You get a file that holds its login for another program. Porter stops "
            "using the account and forgets it, because Telegram ends a login for good that works at two places. It is "
            "not signed out. Whoever has the file and its passphrase has the account.\nAs which string?"
        )

    def ask_passphrase(self) -> str:
        return (
            f"Send a passphrase for the file, of {SHORTEST_PASSPHRASE} characters at least: four or five random words "
            "are good. Your message is deleted. Without it nobody opens the file, Porter neither."
        )

    def ask_passphrase_again(self) -> str:
        return "Send the same passphrase once more. Then Porter hands the account over."

    def passphrase_refused(self, *, differ: bool) -> str:
        what = "The two differ." if differ else f"A passphrase has {SHORTEST_PASSPHRASE} to 256 characters."
        return f"{what} Nothing was handed over. Send a passphrase."

    def caption(self, parcel: Parcel) -> str:
        return (
            f"Opens with age (age-encryption.org) and your passphrase:\n<code>age -d -o session.txt "
            f"{quote(parcel.name)}</code>\nDelete this message once you have it."
        )

    def handed_over(self, session: Session, parcel: Parcel) -> str:
        return f"{title(session.name)} is handed over: the file above holds its login. Porter has forgotten it."

    def perhaps_sent(self) -> str:
        return (
            "⚠️ The connection broke while the file was sent. Nothing is lost: Porter keeps the account and does not "
            "use it. If the file is in this chat, delete the account here only; if not, Check now wakes it again."
        )
