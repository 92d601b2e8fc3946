"""People who wait at a channel."""

from collections.abc import Sequence
from datetime import timedelta

from handlers.texts.base import Words, number, plural, quote, shorten, title
from handlers.texts.gates import capped
from handlers.texts.request_conditions import short_link
from services.errors import RightMissing
from services.requests.listing import PastRequest
from services.requests.removing import Banned
from storage.models import Channel, JoinRequest, PendingCount, RequestStatus
from storage.request_models import Capped

OUTCOMES = {
    RequestStatus.PENDING: "waits",
    RequestStatus.APPROVED: "✅ approved",
    RequestStatus.DENIED: "🚫 denied",
    RequestStatus.WITHDRAWN: "withdrawn or denied elsewhere",
    RequestStatus.HANDLED_ELSEWHERE: "decided elsewhere",
}
REFUSALS = {
    "USER_CHANNELS_TOO_MUCH": "they are in too many channels",
    "CHANNELS_TOO_MUCH": "they are in too many channels",
    "USERS_TOO_MUCH": "the group is full",
}
PAST_SHOWN = 3
SEEN_LATE = timedelta(minutes=10)
"""Whoever asked so long before Porter knew of it was loaded."""


class RequestTexts(Words):
    def overview(self, pending: Sequence[PendingCount]) -> str:
        busy = [entry for entry in pending if entry.pending]
        if not busy:
            return (
                "<b>Waiting people</b>\nNobody waits as far as Porter knows. Requests that come while it runs appear "
                "here by themselves; those from before are loaded with an account."
            )
        total = sum(entry.pending for entry in busy)
        return f"<b>Waiting people</b> · {number(total)} at {plural(len(busy), 'channel')}"

    def overview_label(self, entry: PendingCount) -> str:
        return f"{number(entry.pending)} · {entry.channel.title}" if entry.pending else entry.channel.title

    def line(self, request: JoinRequest) -> str:
        username = f" @{quote(request.username)}" if request.username else ""
        return f"· {quote(shorten(request.name, 40))}{username}, {self.ago(request.asked_at)}"

    def label(self, request: JoinRequest) -> str:
        return shorten(request.name)

    def card(
        self,
        request: JoinRequest,
        channel: Channel,
        waiting: Capped,
        past: Sequence[PastRequest],
        meant: str = "",
        just: str = "",
    ) -> str:
        """`meant`: whom the list is of, safe already; empty: everybody. `just`: what became of the one before."""
        lines = [just, ""] if just else []
        lines.append(f"<b>{quote(shorten(request.name, 64))}</b> wants to join {title(channel.title)}")
        lines.append(
            f'<a href="tg://user?id={request.user_id}">Profile</a> · id <code>{request.user_id}</code> · '
            f"asked {self.ago(request.asked_at)}"
        )
        lines.append(" · ".join(filter(None, self._facts(request))))
        if request.bio:
            lines.append(f"<i>{quote(shorten(request.bio, 140))}</i>")
        lines += [line for line in self._ways(request) if line]
        lines += [self._earlier(each) for each in past[:PAST_SHOWN]]
        if len(past) > PAST_SHOWN:
            lines.append(f"… and {number(len(past) - PAST_SHOWN)} times before that.")
        if request.refusal:
            lines.append(f"⚠️ Telegram did not let them in: {REFUSALS.get(request.refusal, 'it refused')}.")
        if request.status is not RequestStatus.PENDING:
            lines.append(f"\nThis one: {self._outcome(request)}.")
        lines.append(f"\n{capped(waiting)} in all {f'wait here {meant}' if meant else 'wait here'}.")
        return "\n".join(lines)

    @staticmethod
    def _facts(request: JoinRequest) -> list[str]:
        return [
            f"@{quote(request.username)}" if request.username else "no username",
            {True: "has a photo", False: "no photo", None: ""}[request.has_photo],
            "Premium" if request.is_premium else "",
            f"language {quote(shorten(request.language, 12))}" if request.language else "",
            "⚠️ marked as scam" if request.is_scam else "",
            "⚠️ marked as fake" if request.is_fake else "",
            "⚠️ many alike asked within an hour" if request.is_alike else "",
        ]

    def _ways(self, request: JoinRequest) -> list[str]:
        seen = request.first_seen_at - request.asked_at > SEEN_LATE
        return [
            f"Came by {quote(short_link(request.link))}." if request.link else "",
            f"Porter knows of it since {self.at(request.first_seen_at)}." if seen else "",
        ]

    def _earlier(self, past: PastRequest) -> str:
        """Asked before: denied at «Harbour» on 3 May."""
        request = past.request
        on = f" on {self.day(request.decided_at)}" if request.decided_at else ""
        return f"Asked before: {self._outcome(request)} at {title(shorten(past.channel.title, 40))}{on}."

    @staticmethod
    def _outcome(request: JoinRequest) -> str:
        return f"{OUTCOMES[request.status]}{' and banned' if request.is_banned else ''}"

    def just(self, request: JoinRequest) -> str:
        again = " They may ask again." if request.status is RequestStatus.DENIED and not request.is_banned else ""
        return f"{quote(shorten(request.name, 40))}: {self._outcome(request)}.{again}"

    def just_banned(self, done: Banned, channel: Channel, why: str) -> str:
        """`why`: what stood in the way of the ban."""
        if done.trouble is None:
            return self.just(done.request)
        if isinstance(done.trouble, RightMissing):
            why = f"the bot may not ban at {title(channel.title)}. Give it “Ban users” there."
        return f"{quote(shorten(done.request.name, 40))}: {self._outcome(done.request)}, not banned: {why}"

    def ask_ban(self, request: JoinRequest, channel: Channel) -> str:
        name = quote(shorten(request.name, 64))
        return (
            f"<b>Deny and ban {name}?</b>\nThey do not get into {title(channel.title)}, and cannot ask there again "
            "until somebody lifts the ban in Telegram."
        )

    def ban_label(self, request: JoinRequest) -> str:
        return f"Yes, deny and ban {title(request.name)}"

    def undone(self, request: JoinRequest) -> str:
        return f"{quote(shorten(request.name, 40))} is out again, and may ask anew."

    def undo_label(self, request: JoinRequest) -> str:
        return f"↩ Undo: {request.name}"

    def nobody_left(self, channel: Channel, just: str, *, is_filtered: bool) -> str:
        who = "Nobody of those waits" if is_filtered else "Nobody waits"
        return f"{just}\n\n{who} at {title(channel.title)} any more.".lstrip()

    def choice_taken(self) -> str:
        return "Channel received."
