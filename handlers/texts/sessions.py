"""Accounts that Porter may use."""

from handlers.texts.base import Words, number, plural, quote, title
from services.outages import Moved, Outage, Refuge
from services.sessions import SessionCard
from storage.models import ChannelKind, Session, SessionChannel, SessionState

STATES = {
    SessionState.ACTIVE: "ready",
    SessionState.SIGNED_OUT: "signed out: sign in again",
    SessionState.BANNED: "banned by Telegram",
}
MARKS = {SessionState.ACTIVE: "🟢", SessionState.SIGNED_OUT: "🔴", SessionState.BANNED: "⛔"}
KINDS = {ChannelKind.CHANNEL: "channel", ChannelKind.SUPERGROUP: "group", ChannelKind.GROUP: "small group"}


class SessionTexts(Words):
    def label(self, session: Session) -> str:
        return f"{MARKS[session.state]} {session.name}"

    def all(self, sessions: list[Session]) -> str:
        if not sessions:
            return (
                "<b>Accounts</b>\nNone yet. Porter reads channels and loads waiting people with an account of yours; "
                "it is kept encrypted and never writes to anybody."
            )
        return f"<b>Accounts</b> · {number(len(sessions))}"

    def card(self, card: SessionCard) -> str:
        session = card.session
        username = f", @{quote(session.username)}" if session.username else ""
        used = f"used by {', '.join(title(name) for name in card.used_by[:5])}" if card.used_by else "not used yet"
        more = f" and {plural(len(card.used_by) - 5, 'more', 'more')}" if len(card.used_by) > 5 else ""
        waiting = f"{self._waiting(card.outage)}\n" if card.outage else ""
        return (
            f"<b>{quote(session.name)}</b>\n"
            f"{MARKS[session.state]} {STATES[session.state]}\n"
            f"{quote(session.account_name)}{username}, {quote(session.masked_phone)}\n"
            f"{used}{more}\n{waiting}"
            f"checked {self.ago(session.checked_at)} · added {self.ago(session.created_at)}"
        )

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
        return f"Move {some} to «{refuge.session.name}»"

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

    def ask_delete(self, session: Session) -> str:
        return (
            f"Delete {title(session.name)}? Porter signs out at Telegram and forgets the account. Saved files and "
            "lists of waiting people stay."
        )

    def deleted(self, session: Session) -> str:
        return f"{title(session.name)} is signed out and deleted."

    def channels(self, session: Session, channels: list[SessionChannel]) -> str:
        if not channels:
            return (
                f"{title(session.name)} is in no channel or group yet. Join one with an official app, then look again."
            )
        may = sum(entry.may_invite for entry in channels)
        return f"<b>Channels of {quote(session.name)}</b> · {number(len(channels))}, may let people in at {number(may)}"

    def channel_label(self, entry: SessionChannel) -> str:
        marks = ("🔒" if entry.channel.is_private else "") + ("🔑" if entry.may_invite else "")
        return f"{marks} {entry.channel.title}".strip()

    def channel_line(self, entry: SessionChannel) -> str:
        channel = entry.channel
        members = plural(channel.members, "member") if channel.members is not None else "members not known"
        access = "private" if channel.is_private else f"public, @{quote(channel.username)}"
        invite = " · may let people in" if entry.may_invite else ""
        return f"{title(channel.title)} · {KINDS[channel.kind]}, {access}, {members}{invite}"
