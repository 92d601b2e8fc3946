"""Accounts that Porter may use."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from handlers.texts.base import LABEL_CHARACTERS, Words, fitted, number, plural, quote, shorten, title
from handlers.texts.bots import BotTexts, identity
from handlers.texts.proxies import ProxyTexts
from services.outages import Moved, Outage, Refuge
from services.sessions import SessionCard, SessionRow
from storage.models import HANDED_OVER, Session, SessionKind, SessionState

SEARCHED_FROM = 8
"""Up to here all rows stand on one page."""

STATES = {
    SessionState.ACTIVE: "ready",
    SessionState.SIGNED_OUT: "signed out: sign in again",
    SessionState.BANNED: "banned by Telegram",
}
MARKS = {SessionState.ACTIVE: "🟢", SessionState.SIGNED_OUT: "🔴", SessionState.BANNED: "⛔"}


class SessionTexts(Words):
    def __init__(self, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        super().__init__(zone, clock)
        self._proxies = ProxyTexts(zone, clock)
        self._bots = BotTexts(zone, clock)

    def label(self, session: Session) -> str:
        return f"{MARKS[session.state]} {session.name}"

    def row_label(self, row: SessionRow) -> str:
        """On the list: what is wrong, else how much reads through it."""
        session = row.session
        if session.state is SessionState.ACTIVE and row.paused_until:
            return fitted("⏸ ", session.name, f" · {self.until(row.paused_until)}")
        tail = f" · {number(row.sources)} 📥" if row.sources else ""
        return fitted(f"{MARKS[session.state]} ", session.name, tail)

    def all(self, rows: Sequence[SessionRow]) -> str:
        if not rows:
            return (
                "<b>Accounts</b>\nNone yet. Porter reads channels and loads waiting people with an account of yours; "
                "it is kept encrypted and never writes to anybody."
            )
        hint = "\nType a name to search." if len(rows) > SEARCHED_FROM else ""
        return f"<b>Accounts</b> · {number(len(rows))}{self._troubles(rows)}{hint}"

    def _troubles(self, rows: Sequence[SessionRow]) -> str:
        banned = sum(row.session.state is SessionState.BANNED for row in rows)
        out = sum(row.session.state is SessionState.SIGNED_OUT for row in rows)
        paused = sum(row.session.state is SessionState.ACTIVE and row.paused_until is not None for row in rows)
        counted = ((banned, "banned"), (out, "signed out"), (paused, "paused by Telegram"))
        return "".join(f" · {number(count)} {what}" for count, what in counted if count)

    def card(self, card: SessionCard) -> str:
        session = card.session
        is_bot = session.kind is SessionKind.BOT
        username = f", @{quote(session.username)}" if session.username and not is_bot else ""
        waiting = [self._waiting(card.outage)] if card.outage else []
        checked, added, changed = map(self.ago, (session.checked_at, session.created_at, session.updated_at))
        return "\n".join(
            (
                f"<b>{quote(session.name)}</b>",
                self._state(card),
                f"{quote(session.account_name)}{username}, {identity(session)}",
                *([self._bots.can()] if is_bot else []),
                self._used(card),
                *waiting,
                f"API id {session.api_id} · {self._proxies.line(card.proxy)}",
                f"checked {checked} · added {added} · changed {changed}",
            )
        )

    def _state(self, card: SessionCard) -> str:
        session = card.session
        if session.state_reason == HANDED_OVER:
            return f"{MARKS[session.state]} handed over, perhaps: Porter does not use it. Has the file arrived?"
        if session.state is SessionState.ACTIVE and card.paused_until:
            return f"⏸ paused by Telegram until {self.until(card.paused_until)}"
        return f"{MARKS[session.state]} {STATES[session.state]}"

    def _used(self, card: SessionCard) -> str:
        used = "not used yet"
        if card.sources:
            names = ", ".join(title(source.name) for source in card.sources[:5])
            more = f" and {plural(len(card.sources) - 5, 'more', 'more')}" if len(card.sources) > 5 else ""
            used = f"used by {names}{more}"
        busy = ", ".join(title(run.title) for run in card.runs[:3])
        return f"{used}\nat work now: {busy}" if busy else used

    def checked(self, session: Session) -> str:
        if session.state is SessionState.ACTIVE:
            return "This account works."
        return f"This account is {STATES[session.state]}."

    def died(self, outage: Outage) -> str:
        """Told once to each owner. The time is the one at which Porter noticed."""
        session = outage.session
        what = "banned by Telegram" if session.state is SessionState.BANNED else "signed out"
        when = f" at {self.at(session.checked_at)}" if session.checked_at else ""
        return f"🔴 {title(session.name)} was {what}{when}. {self._waiting(outage)}"

    def _waiting(self, outage: Outage) -> str:
        if not outage.waiting:
            return "No saved channel waits for it."
        verb = "waits" if outage.waiting == 1 else "wait"
        return f"{plural(outage.waiting, 'saved channel')} {verb}, nothing is lost."

    def move_label(self, outage: Outage, refuge: Refuge) -> str:
        count = len(refuge.source_ids)
        some = number(count) if count == outage.sources else f"{number(count)} of {number(outage.sources)}"
        name = shorten(refuge.session.name, LABEL_CHARACTERS - len(f"Move {some} to «»"))
        return f"Move {some} to «{name}»"

    def moved(self, moved: Moved) -> str:
        if not moved.moved:
            return f"{title(moved.to.name)} sees none of these channels. Nothing was moved."
        verb = "reads" if moved.moved == 1 else "read"
        text = (
            f"{plural(moved.moved, 'saved channel')} {verb} with {title(moved.to.name)} from now on, and what was "
            "interrupted goes on where it stood."
        )
        if moved.stay:
            names = ", ".join(title(name) for name in moved.stay[:5])
            more = f" and {plural(len(moved.stay) - 5, 'more', 'more')}" if len(moved.stay) > 5 else ""
            text += f"\n{title(moved.to.name)} does not see {names}{more}: they wait for their own account."
        return text

    def ask_name(self, session: Session) -> str:
        return f"What shall Porter call {title(session.name)} from now on? Send a name of up to 28 characters."

    def name_invalid(self) -> str:
        return "A name has 1 to 28 characters, on one line. Send another."

    def ask_api_id(self, session: Session) -> str:
        return (
            f"Which application shall {title(session.name)} name to Telegram? Now it is API id {session.api_id}. Send "
            "the API id of the new one, from my.telegram.org."
        )

    def api_changed(self, session: Session) -> str:
        return f"✅ Telegram knows this pair. {title(session.name)} names API id {session.api_id} from now on."

    def api_refused(self, session: Session) -> str:
        return (
            f"⚠️ Telegram does not know this API id and hash. {title(session.name)} goes on with API id "
            f"{session.api_id}. Copy both again from my.telegram.org and send the API id."
        )

    def ask_delete(self, session: Session) -> str:
        return (
            f"Delete {title(session.name)}? Saved files and lists of waiting people stay.\n"
            "<b>Sign out and delete</b>: the login ends at Telegram as well.\n"
            "<b>Delete only here</b>: Porter forgets it, but the login stays alive until somebody ends it in "
            "Telegram's Settings → Devices (it is called “Porter” there)."
        )

    def deleted(self, session: Session, *, signed_out: bool) -> str:
        if signed_out:
            return f"{title(session.name)} is signed out and deleted."
        return (
            f"{title(session.name)} is deleted, but Telegram did not confirm that it is signed out. End the login "
            "called “Porter” in Settings → Devices of an official app."
        )

    def forgotten(self, session: Session) -> str:
        return (
            f"{title(session.name)} is deleted here. Its login is alive at Telegram still: Settings → Devices of an "
            "official app ends it."
        )
