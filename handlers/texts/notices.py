"""Telling of new people: digests, cards, and how a channel tells."""

from collections.abc import Sequence

from handlers.texts.base import Words, number, often, plural, quote, shorten, title
from handlers.texts.requests import OUTCOMES
from services.requests.board import DigestLine
from storage.models import Admin, Channel, JoinRequest, RequestStatus, Way
from storage.request_models import NotifyMode, RequestSettings

CHANNELS = 8
"""Lines of a digest; the rest is counted."""


class NoticeTexts(Words):
    # -- digests

    def digest(self, lines: Sequence[DigestLine]) -> str:
        shown = [self._line(line) for line in lines[:CHANNELS]]
        if more := len(lines) - CHANNELS:
            shown += [f"and {plural(more, 'more channel')}"] if more > 0 else []
        return "🚪 " + "\n🚪 ".join(shown)

    @staticmethod
    def _line(line: DigestLine) -> str:
        name = title(shorten(line.channel.title, 64))
        waiting = f"{number(line.waiting)} {'waits' if line.waiting == 1 else 'wait'}"
        return f"{number(line.new)} new at {name}, {waiting}." if line.new else f"{waiting} at {name}."

    def review_label(self, line: DigestLine, *, alone: bool) -> str:
        return "Review" if alone else shorten(f"Review {line.channel.title}")

    # -- cards

    def card(self, request: JoinRequest, channel: Channel) -> str:
        return "\n".join(
            [
                f"🚪 {self._who(request)} wants to join {title(shorten(channel.title, 64))}",
                *self._facts(request),
                f"asked {self.at(request.asked_at)}",
            ]
        )

    def decided(self, request: JoinRequest, channel: Channel, decided_by: str | None) -> str:
        """What a card says when it is over. `decided_by`: the name of who decided, where it was one of the admins."""
        return (
            f"🚪 {self._who(request)} asked to join {title(shorten(channel.title, 64))}\n"
            f"{self._outcome(request, decided_by)}"
        )

    def _outcome(self, request: JoinRequest, decided_by: str | None) -> str:
        words = OUTCOMES[request.status]
        if request.status not in (RequestStatus.APPROVED, RequestStatus.DENIED):
            return words
        if request.way is Way.RULE or request.rule_id is not None:
            return f"{words} by a rule"
        return f"{words} by {quote(shorten(decided_by, 40))}" if decided_by else words

    def _facts(self, request: JoinRequest) -> list[str]:
        facts = [
            f"@{quote(request.username)}" if request.username else "no username",
            "Premium" if request.is_premium else "",
            "asked or was decided before" if request.is_known else "",
            "⚠️ like many others of this hour" if request.is_alike else "",
        ]
        lines = [" · ".join(filter(None, facts))]
        if request.bio:
            lines.append(f"<i>{quote(shorten(request.bio, 140))}</i>")
        return lines

    @staticmethod
    def _who(request: JoinRequest) -> str:
        return f'<a href="tg://user?id={request.user_id}">{quote(shorten(request.name, 64))}</a>'

    # -- how a channel tells

    def settings(self, channel: Channel, settings: RequestSettings, *, group: bool) -> str:
        where = "in the group for notices" if group else "each admin who decides here, in their own chat"
        now = {
            NotifyMode.DIGEST: f"Every {often(settings.digest_minutes)}, if somebody new came.",
            NotifyMode.CARDS: "At once, by a card for each person; where many come in a minute, by one message.",
            NotifyMode.SILENT: "Not at all. Home counts who waits.",
        }[settings.notify]
        return (
            f"<b>New people at {title(shorten(channel.title, 64))}</b>\nPorter tells {where}.\nNow: {now}\n\n"
            "The first one after a quiet time is told within a minute; a digest nobody used gives way to the next."
        )

    def choice_label(self, minutes: int) -> str:
        if minutes < 60:
            return f"{minutes} min"
        return "daily" if minutes == 24 * 60 else f"{minutes // 60} h"

    def over(self) -> str:
        return "🚪 This is over: nobody waits here any more."

    def not_here(self) -> str:
        return "That is done in your own chat with Porter."

    # -- who cannot be told

    def unreachable(self, admin: Admin, link: str) -> str:
        who = quote(shorten(admin.name, 40)) if admin.name else str(admin.user_id)
        return (
            f"⚠️ Porter cannot write to {who}, who decides who comes in: they never pressed Start, or blocked the bot. "
            f"Send them this link; opening it is enough:\n{quote(link)}"
        )

    def lost_group(self) -> str:
        return (
            "⚠️ Porter cannot write to the group of NOTIFY_CHAT. Add the bot to that group again, or correct the id in "
            "the settings. Until then every admin is told in their own chat."
        )
