"""Accounts that Porter may use."""

from handlers.texts.base import Words, number, plural, quote, title
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
        return (
            f"<b>{quote(session.name)}</b>\n"
            f"{MARKS[session.state]} {STATES[session.state]}\n"
            f"{quote(session.account_name)}{username}, {quote(session.masked_phone)}\n"
            f"{used}{more}\n"
            f"checked {self.ago(session.checked_at)} · added {self.ago(session.created_at)}"
        )

    def checked(self, session: Session) -> str:
        if session.state is SessionState.ACTIVE:
            return "This account works."
        return f"This account is {STATES[session.state]}."

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
        return (
            f"<b>Channels of {quote(session.name)}</b> · {number(len(channels))}\n"
            f"🔑 = may let people in ({number(may)}), 🔒 = private"
        )

    def channel_label(self, entry: SessionChannel) -> str:
        marks = ("🔒" if entry.channel.is_private else "") + ("🔑" if entry.may_invite else "")
        return f"{marks} {entry.channel.title}".strip()

    def channel_line(self, entry: SessionChannel) -> str:
        channel = entry.channel
        members = plural(channel.members, "member") if channel.members is not None else "members not known"
        access = "private" if channel.is_private else f"public, @{quote(channel.username)}"
        invite = " · may let people in" if entry.may_invite else ""
        return f"{title(channel.title)} · {KINDS[channel.kind]}, {access}, {members}{invite}"
