"""The channels of an account."""

from collections.abc import Sequence

from handlers.texts.base import Words, number, plural, quote, title
from handlers.texts.bots import BotTexts
from services.channels import Listing
from storage.models import ChannelKind, Session, SessionChannel, SessionKind

KINDS = {ChannelKind.CHANNEL: "channel", ChannelKind.SUPERGROUP: "group", ChannelKind.GROUP: "small group"}


class AccountChannelTexts(Words):
    def all(
        self,
        session: Session,
        listing: Listing,
        everything: Sequence[SessionChannel],
        shown: Sequence[SessionChannel],
        search: str | None,
        *,
        loads: bool,
    ) -> str:
        """`everything`: before the search; `shown`: the page; `search`: how the search went, if there is one."""
        lines = [self._headline(session, everything, loads=loads) + self._age(listing)]
        if not everything:
            lines.append(self._nothing(session, listing, loads=loads))
        elif search:
            lines.append(search)
        lines += map(self.line, shown)
        if loads:
            lines.append("Tap the one whose waiting people to load, or send its id, @name or link. A word searches.")
        elif everything:
            lines.append("Tap one, or type: a word searches, a link or @name is looked up.")
        return "\n".join(lines)

    def _headline(self, session: Session, rows: Sequence[SessionChannel], *, loads: bool) -> str:
        if loads:
            return f"<b>Load who waits, with {quote(session.name)}</b> · {number(len(rows))}"
        may = sum(entry.may_invite for entry in rows)
        return f"<b>Channels of {quote(session.name)}</b> · {number(len(rows))}, may let people in at {number(may)}"

    def _age(self, listing: Listing) -> str:
        as_of = f" · as of {self.at(listing.listed_at)}" if listing.listed_at else ""
        return f"{as_of}{', looking again' if listing.is_refreshing and as_of else ''}"

    def _nothing(self, session: Session, listing: Listing, *, loads: bool) -> str:
        if session.kind is SessionKind.BOT:
            return BotTexts(self._zone, self._now).nothing_met(session)
        if listing.is_refreshing and not listing.rows:
            return "Telegram takes its time with the list. Porter goes on asking: tap Refresh in a moment."
        if loads and listing.rows:
            return (
                f"{title(session.name)} may let nobody in anywhere: it needs the admin right “Invite users”. Once it "
                "has it, tap Refresh."
            )
        return f"{title(session.name)} is in no channel or group yet. Join one with an official app, then look again."

    def label(self, entry: SessionChannel) -> str:
        marks = ("🔒" if entry.channel.is_private else "") + ("🔑" if entry.may_invite else "")
        return f"{marks} {entry.channel.title}".strip()

    def line(self, entry: SessionChannel) -> str:
        return f"{title(entry.channel.title)} · {self._facts(entry)}"

    def _facts(self, entry: SessionChannel) -> str:
        channel = entry.channel
        members = plural(channel.members, "member") if channel.members is not None else "members not known"
        access = "private" if channel.is_private else f"public, @{quote(channel.username)}"
        invite = " · may let people in" if entry.may_invite else ""
        return f"{KINDS[channel.kind]}, {access}, {members}{invite}"

    def card(self, entry: SessionChannel) -> str:
        hint = "" if entry.may_invite else "\nThe account may let nobody in there."
        return f"{self.heading(entry.channel.title)}\n{self._facts(entry)}{hint}"

    def asking(self) -> str:
        return "Asking Telegram…"
