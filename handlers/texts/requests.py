"""People who wait at a channel."""

from collections.abc import Sequence

from handlers.texts.base import Words, number, plural, quote, shorten, title
from storage.models import Channel, JoinRequest, PendingCount, RequestStatus

OUTCOMES = {
    RequestStatus.PENDING: "waits",
    RequestStatus.APPROVED: "✅ approved",
    RequestStatus.DENIED: "🚫 denied",
    RequestStatus.WITHDRAWN: "withdrawn or denied elsewhere",
    RequestStatus.HANDLED_ELSEWHERE: "decided elsewhere",
}


class RequestTexts(Words):
    def overview(self, pending: Sequence[PendingCount]) -> str:
        if not pending:
            return (
                "<b>Waiting people</b>\nNobody waits as far as Porter knows. Requests that come while it runs appear "
                "here by themselves; those from before are loaded with an account."
            )
        total = sum(entry.pending for entry in pending)
        return f"<b>Waiting people</b> · {number(total)} at {plural(len(pending), 'channel')}"

    def overview_label(self, entry: PendingCount) -> str:
        return f"{number(entry.pending)} · {entry.channel.title}"

    def list(self, channel: Channel, total: int, shown: Sequence[JoinRequest]) -> str:
        if not total:
            return f"{self.heading(channel.title)}\nNobody waits here. Load who came before, or wait for new ones."
        return f"{self.heading(channel.title)} · {plural(total, 'person waits', 'people wait')}\n" + "\n".join(
            self._line(request) for request in shown
        )

    def _line(self, request: JoinRequest) -> str:
        username = f" @{quote(request.username)}" if request.username else ""
        return f"· {quote(shorten(request.name, 40))}{username}, {self.ago(request.asked_at)}"

    def label(self, request: JoinRequest) -> str:
        return shorten(request.name)

    def card(self, request: JoinRequest, channel: Channel, waiting: int, just: JoinRequest | None = None) -> str:
        lines = [self._just(just), ""] if just else []
        lines.append(f"<b>{quote(shorten(request.name, 64))}</b> wants to join {title(channel.title)}")
        lines.append(
            f'<a href="tg://user?id={request.user_id}">Profile</a> · id <code>{request.user_id}</code> · '
            f"asked {self.ago(request.asked_at)}"
        )
        facts = [
            f"@{quote(request.username)}" if request.username else "no username",
            {True: "has a photo", False: "no photo", None: ""}[request.has_photo],
            "Premium" if request.is_premium else "",
            "⚠️ marked as scam" if request.is_scam else "",
            "⚠️ marked as fake" if request.is_fake else "",
        ]
        lines.append(" · ".join(filter(None, facts)))
        if request.bio:
            lines.append(f"<i>{quote(shorten(request.bio, 140))}</i>")
        if request.status is not RequestStatus.PENDING:
            lines.append(f"\nThis one: {OUTCOMES[request.status]}.")
        lines.append(f"\n{number(waiting)} in all wait here.")
        return "\n".join(lines)

    def _just(self, request: JoinRequest) -> str:
        return f"{quote(shorten(request.name, 40))}: {OUTCOMES[request.status]}"

    def nobody_left(self, channel: Channel, just: JoinRequest | None) -> str:
        head = f"{self._just(just)}\n\n" if just else ""
        return f"{head}Nobody waits at {title(channel.title)} any more."

    def ask_decide_all(self, channel: Channel, count: int, sample: Sequence[JoinRequest], *, approve: bool) -> str:
        verb = "Approve" if approve else "Deny"
        names = "\n".join(self._line(request) for request in sample)
        everybody = "the one who waits" if count == 1 else f"all {number(count)} who wait"
        after = "They become members at once." if approve else "They may ask again."
        return (
            f"<b>{verb} {everybody}</b> at {title(channel.title)}?\n{names}\n"
            f"{after} Who asks until Telegram has done it is included, unseen."
        )

    def choice_taken(self) -> str:
        return "Channel received."
