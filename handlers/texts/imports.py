"""Importing a session that exists. A session is as good as a password: the words say so before anything is done."""

from handlers.texts.base import Words, number, quote, title
from handlers.texts.bots import OWN_BOT, identity
from services.enrolment import SignedIn
from services.errors import SessionTrouble
from services.imports import Candidate
from services.session_formats import SessionFormat

FORMATS = {
    SessionFormat.TELETHON_STRING: "Telethon string",
    SessionFormat.PYROGRAM_STRING_351: "Pyrogram string (351, the oldest)",
    SessionFormat.PYROGRAM_STRING_356: "Pyrogram string (356)",
    SessionFormat.PYROGRAM_STRING_362: "Pyrogram string (362)",
    SessionFormat.TELETHON_FILE: "Telethon file",
    SessionFormat.PYROGRAM_FILE: "Pyrogram file",
}

TROUBLES = {
    SessionTrouble.NOT_A_SESSION: (
        "That is no session of Telethon or Pyrogram. Send the whole string, or the .session file as a document."
    ),
    SessionTrouble.DAMAGED: (
        "This session is damaged or cut off. Copy the whole string, or send the file again as a document."
    ),
    SessionTrouble.TOO_LARGE: "A session file has at most 20 MB. This one is larger, so it was not read.",
    SessionTrouble.WAL_MISSING: (
        "A part of this session lies in a second file (its name ends in -wal). Close the program that uses the "
        "session: the two become one. Then send the .session file."
    ),
    SessionTrouble.HOSTILE: "This file holds more than a session and could do harm, so Porter stopped reading it.",
    SessionTrouble.NO_KEY: "Nobody is signed in with this session. Sign in with it first, or use /login here.",
    SessionTrouble.DC_UNKNOWN: "This session names a data centre that does not exist here. It may be damaged.",
    SessionTrouble.FOREIGN: "This session belongs to another server than Telegram. Porter cannot use it.",
    SessionTrouble.OWN_BOT: OWN_BOT,
}


class ImportTexts(Words):
    def ask_session(self) -> str:
        return (
            "<b>Bring an account along</b>\n"
            "Send a session string of Telethon or Pyrogram, or a .session file (up to 20 MB). Your message is deleted "
            "at once; nothing is tried before you say so.\n\n"
            "First stop the program that uses this session."
        )

    def candidate(self, candidate: Candidate, trouble: str | None = None) -> str:
        found = candidate.found
        version = f", version {number(found.version)}" if found.version is not None else ""
        network = " of Telegram's test servers" if found.test_mode else ""
        what = "bot" if found.is_bot else "account"
        account = f"{what} {found.user_id}" if found.user_id is not None else "account not named in it"
        mark = candidate.fingerprint.hex()
        head = f"⚠️ {trouble}\n\n" if trouble else ""
        return (
            f"{head}<b>A session</b>: {FORMATS[found.format]}{version}\n"
            f"data centre {found.dc_id}{network} · {account}\n"
            f"fingerprint of its key: <code>{mark[:4]} {mark[4:]}</code>\n\n"
            "⚠️ It must not be in use at another place, now or later: Telegram ends a session for good when it is used "
            "from two addresses.\n\n"
            "Sign in with it?"
        )

    def ask_api_id(self) -> str:
        return (
            "This session does not say which application made it. Open https://my.telegram.org → API development "
            "tools, and send the <b>API id</b> (a number) here."
        )

    def ask_api_hash(self, api_id: int) -> str:
        return (
            f"Now the <b>API hash</b> of the application {api_id} (32 letters and digits). Your message is deleted at "
            "once."
        )

    def trying(self) -> str:
        return "Asking Telegram…"

    def imported(self, signed_in: SignedIn) -> str:
        session = signed_in.session
        again = " It works again." if signed_in.existed else ""
        return (
            f"Signed in as <b>{quote(session.account_name)}</b>, {identity(session)}.\n"
            f"Porter calls this account {title(session.name)}.{again}"
        )

    def dead(self) -> str:
        return (
            "Telegram does not know this session any more: it was signed out, or used from two places. Nothing was "
            "kept. Add the account with its number instead, or send another session."
        )
