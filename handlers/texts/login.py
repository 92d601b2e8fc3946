"""Logging in, in plain words. Codes come by the keypad: Telegram voids a code that is typed in a chat."""

from handlers.texts.base import Words, number, plural, quote, title
from handlers.texts.bots import identity
from services.clients.base import CodeKind
from services.login_steps import CodeWanted, PasswordWanted, QrWanted
from services.outages import GoingOn
from storage.models import Session

SENT = {
    CodeKind.APP: "to the Telegram app of that number, in the chat “Telegram”",
    CodeKind.SMS: "by SMS",
    CodeKind.CALL: "by a phone call",
    CodeKind.FLASH_CALL: "by a short call, which an official app would take by itself",
    CodeKind.MISSED_CALL: "by a missed call",
    CodeKind.EMAIL: "by e-mail",
    CodeKind.FRAGMENT: "to fragment.com, where the number was bought",
    CodeKind.WORD: "as a word by SMS",
    CodeKind.PHRASE: "as a phrase by SMS",
    CodeKind.EMAIL_SETUP: "once the account has a login e-mail: set one in an official app first",
}
NEXT = {
    CodeKind.SMS: "by SMS",
    CodeKind.CALL: "by phone call",
    CodeKind.FLASH_CALL: "by a short call",
    CodeKind.MISSED_CALL: "by a missed call",
    CodeKind.FRAGMENT: "to fragment.com",
}
WHY_NOT = {
    CodeKind.WORD: "a word has letters, which the keypad has not, and what is typed in a chat is void",
    CodeKind.PHRASE: "a phrase has letters, which the keypad has not, and what is typed in a chat is void",
    CodeKind.FLASH_CALL: "the whole calling number would be the code",
    CodeKind.EMAIL_SETUP: "there is none yet",
}
NO_KEYPAD = tuple(WHY_NOT)


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
            "+49 151 23456789. If you read this on another device than the phone that has the account, that phone can "
            "scan a QR code instead."
        )

    def number_taken(self) -> str:
        return "Number received."

    def code(self, wanted: CodeWanted, typed: int, trouble: str | None = None) -> str:
        lines = [f"⚠️ {trouble}\n"] if trouble else []
        sent = "sends a code" if wanted.kind is CodeKind.EMAIL_SETUP else "sent a code"
        lines.append(f"Telegram {sent} for {quote(wanted.masked_phone)} {self._sent(wanted)}.")
        if wanted.kind in NO_KEYPAD:
            lines.append(f"Porter cannot take it: {WHY_NOT[wanted.kind]}. With a second screen a QR code does instead.")
        else:
            lines.append(f"Tap it here:\n\n<b>{self._dots(wanted, typed)}</b>\n")
            lines.append("Do not type it as a message: Telegram would void it.")
        lines.append(self._another_way(wanted))
        return "\n".join(lines)

    @staticmethod
    def _sent(wanted: CodeWanted) -> str:
        if wanted.kind is CodeKind.EMAIL and wanted.detail:
            return f"by e-mail to {quote(wanted.detail)}"
        if wanted.kind is CodeKind.MISSED_CALL:
            begins = f" that begins with {quote(wanted.detail)}" if wanted.detail else ""
            return f"by a missed call from a number{begins}: its last {wanted.length} digits are the code"
        return SENT[wanted.kind]

    def _another_way(self, wanted: CodeWanted) -> str:
        if wanted.next_kind is None:
            return "Telegram offers no other way for this code; a QR code does without one."
        when = "now"
        if wanted.resend_at is not None and wanted.resend_at > self._now():
            when = f"at {self.second(wanted.resend_at)}"
        return f"Another way: {NEXT.get(wanted.next_kind, SENT[wanted.next_kind])}, {when}."

    def scan(self, wanted: QrWanted) -> str:
        """Below the picture."""
        return (
            "<b>Scan this with the phone that has the account</b>\n"
            "Open Telegram there → Settings → Devices → Link Desktop Device, and hold it at this picture.\n\n"
            f"The picture changes by itself, until {self.until(wanted.deadline)}. Show it to nobody else."
        )

    def scan_over(self) -> str:
        return "Nobody scanned the QR code in time, so this login is over. Nothing was changed."

    def one_moment(self) -> str:
        return "One moment…"

    def scanned_aside(self) -> str:
        return "The QR code was scanned. The account has a cloud password: the login waits for it."

    @staticmethod
    def _dots(wanted: CodeWanted, typed: int) -> str:
        return "●" * typed + "○" * max(0, (wanted.length or typed + 1) - typed)

    def keypad_is_old(self) -> str:
        return "This keypad is not in use any more. /start shows what waits."

    def code_checking(self) -> str:
        return "Checking…"

    def code_void(self) -> str:
        return "The code that was sent is void. Take a new one and tap it on the keypad."

    def code_burnt(self) -> str:
        return (
            "A code that is typed in a chat is void: Telegram cancels it at once. Your message was deleted. "
            "Take a new code and tap it on the keypad."
        )

    def ask_password(self, wanted: PasswordWanted, trouble: str | None = None) -> str:
        head = f"⚠️ {trouble}\n\n" if trouble else ""
        hint = f"\nHint: {quote(wanted.hint)}" if wanted.hint else ""
        account = f"The account {quote(wanted.masked_phone)}" if wanted.masked_phone else "This account"
        return (
            f"{head}{account} has a cloud password (two-step verification). Send it "
            f"here; your message is deleted at once.{hint}"
        )

    def secret_not_deleted(self) -> str:
        return "Telegram did not let Porter delete your message. Please delete it yourself, now."

    def signed_in(self, session: Session, going_on: GoingOn | None = None) -> str:
        """`going_on`: the account was here before, signed out."""
        if going_on is not None:
            account = f"<b>{quote(session.account_name)}</b>, {identity(session)}"
            return f"Signed in as {account}. Same account.\n{self._going_on(going_on)}"
        return (
            f"Signed in as <b>{quote(session.account_name)}</b>, {identity(session)}.\n"
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
