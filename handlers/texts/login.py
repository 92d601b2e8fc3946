"""Logging in, in plain words. Codes come by the keypad: Telegram voids a code that is typed in a chat."""

from handlers.texts.base import Words, number, plural, quote, title
from services.clients.base import CodeKind
from services.login import CodeWanted, PasswordWanted
from services.outages import GoingOn
from storage.models import Session

SENT = {
    CodeKind.APP: "to the Telegram app of that number, in the chat “Telegram”",
    CodeKind.SMS: "by SMS",
    CodeKind.CALL: "by a phone call",
    CodeKind.FLASH_CALL: "by a short call; the code is in the calling number",
    CodeKind.MISSED_CALL: "by a missed call; the code is the end of the calling number",
    CodeKind.EMAIL: "by e-mail",
    CodeKind.FRAGMENT: "to fragment.com",
    CodeKind.WORD: "as a word by SMS",
    CodeKind.PHRASE: "as a phrase by SMS",
    CodeKind.EMAIL_SETUP: "once the account has a login e-mail: set one in an official app first",
}
NO_KEYPAD = (CodeKind.WORD, CodeKind.PHRASE, CodeKind.EMAIL_SETUP, CodeKind.FLASH_CALL)


class LoginTexts(Words):
    def ask_api_id(self) -> str:
        return (
            "<b>Add an account</b>\n"
            "Telegram wants to know the application. Open https://my.telegram.org → API development tools, and send "
            "the <b>API id</b> (a number) here."
        )

    def api_id_invalid(self) -> str:
        return "That is no API id. It is a number of about eight digits; my.telegram.org shows it as “App api_id”."

    def ask_api_hash(self) -> str:
        return "Now the <b>API hash</b> (32 letters and digits). Your message is deleted at once."

    def api_hash_invalid(self) -> str:
        return "That is no API hash: it has 32 characters, 0–9 and a–f. Send it again, it will be deleted at once."

    def ask_phone(self) -> str:
        return (
            "<b>Add an account</b>\n"
            "Whose? Share your own number with the button below, or type a number with its country code, such as "
            "+49 151 23456789."
        )

    def number_taken(self) -> str:
        return "Number received."

    def code(self, wanted: CodeWanted, typed: int, trouble: str | None = None) -> str:
        lines = [f"⚠️ {trouble}\n"] if trouble else []
        lines.append(f"Telegram sent a code for {quote(wanted.masked_phone)} {SENT[wanted.kind]}.")
        if wanted.kind in NO_KEYPAD:
            lines.append(
                "Porter cannot take this kind of code. Send it another way, or start over with another number."
            )
        else:
            lines.append(f"Tap it here:\n\n<b>{self._dots(wanted, typed)}</b>\n")
            lines.append("Do not type it as a message: Telegram would void it.")
        if wanted.next_kind and wanted.resend_at and wanted.resend_at > self._now():
            lines.append(f"Another way is possible from {wanted.resend_at.astimezone(self._zone):%H:%M:%S}.")
        return "\n".join(lines)

    @staticmethod
    def _dots(wanted: CodeWanted, typed: int) -> str:
        return "●" * typed + "○" * max(0, (wanted.length or typed + 1) - typed)

    def keypad_is_old(self) -> str:
        return "This keypad is not in use any more. /start shows what waits."

    def code_checking(self) -> str:
        return "Checking…"

    def code_burnt(self) -> str:
        return (
            "A code that is typed in a chat is void: Telegram cancels it at once. Your message was deleted. "
            "Take a new code and tap it on the keypad."
        )

    def ask_password(self, wanted: PasswordWanted, trouble: str | None = None) -> str:
        head = f"⚠️ {trouble}\n\n" if trouble else ""
        hint = f"\nHint: {quote(wanted.hint)}" if wanted.hint else ""
        return (
            f"{head}The account {quote(wanted.masked_phone)} has a cloud password (two-step verification). Send it "
            f"here; your message is deleted at once.{hint}"
        )

    def secret_not_deleted(self) -> str:
        return "Telegram did not let Porter delete your message. Please delete it yourself, now."

    def signed_in(self, session: Session, going_on: GoingOn | None = None) -> str:
        """`going_on`: the account was here before, signed out."""
        if going_on is not None:
            account = f"<b>{quote(session.account_name)}</b>, {quote(session.masked_phone)}"
            return f"Signed in as {account}. Same account.\n{self._going_on(going_on)}"
        return (
            f"Signed in as <b>{quote(session.account_name)}</b>, {quote(session.masked_phone)}.\n"
            f"Porter calls this account {title(session.name)}."
        )

    @staticmethod
    def _going_on(going_on: GoingOn) -> str:
        if not going_on.sources:
            return "No saved channel waited for it."
        go = "goes on" if going_on.sources == 1 else "go on"
        text = f"{plural(going_on.sources, 'saved channel')} {go}"
        if going_on.run is None:
            return f"{text} as planned."
        progress, name = going_on.run.progress, title(going_on.run.title)
        if not progress.total_bytes:
            return f"{text}, {name} where it stood."
        return f"{text}, {name} at file {number(progress.done)} of {number(progress.total or 0)}."
