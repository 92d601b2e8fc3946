"""Lists of waiting people: what sets them apart, how many are meant, what is ticked."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from handlers.texts.base import Words, number, plural, title
from handlers.texts.gates import capped
from handlers.texts.request_conditions import GROUP_WORDS, ConditionTexts
from services.requests.listing import SHORTEST_WORDS, Group
from storage.models import Channel, JoinRequest
from storage.request_models import Capped, RequestFilters, RequestGroup

SHORT_GROUPS = {
    RequestGroup.MARKED: "scam or fake",
    RequestGroup.ALIKE: "alike, within an hour",
    RequestGroup.COMPLETE: "photo and username",
    RequestGroup.BARE: "no photo or username",
    RequestGroup.UNSEEN: "photo not known",
}


class RequestListTexts(Words):
    def __init__(self, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        super().__init__(zone, clock)
        self._conditions = ConditionTexts(zone, clock)

    def groups(self, channel: Channel, groups: Sequence[Group]) -> str:
        total = sum(group.people for group in groups)
        lines = [f"{self.heading(channel.title)} · {plural(total, 'person waits', 'people wait')}"]
        lines += [f"· {number(group.people)} {GROUP_WORDS[group.what]}" for group in groups]
        lines.append("Type part of a name to search.")
        return "\n".join(lines)

    def group_label(self, group: Group) -> str:
        return f"{number(group.people)} · {SHORT_GROUPS[group.what]}"

    def list(
        self,
        channel: Channel,
        filters: RequestFilters,
        waiting: Capped,
        shown: Sequence[str],
        *,
        ticked: int | None = None,
        note: str = "",
    ) -> str:
        """`ticked`: how many are, while people are ticked. `note`: what became of what was typed."""
        meant = self._conditions.meant(filters)
        if not waiting.at_least:
            nobody = "Nobody of those waits here." if meant else "Nobody waits here. Load who came before, or wait."
            return "\n".join(filter(None, (self.heading(channel.title), meant, note, nobody)))
        lines = [f"{self.heading(channel.title)} · {self.people(waiting)}", meant, note]
        if ticked is not None:
            lines.append(f"☑ {number(ticked)} ticked. Tap names; ticks stay while you turn pages.")
        return "\n".join([line for line in lines if line] + list(shown))

    @staticmethod
    def people(waiting: Capped) -> str:
        """1 person waits, 1,204 people wait, 1,000+ people wait."""
        if not waiting.at_least:
            return "nobody waits"
        return f"{capped(waiting)} {'person waits' if waiting == Capped(1, is_exact=True) else 'people wait'}"

    def too_short(self) -> str:
        return f"To search, type at least {SHORTEST_WORDS} letters of a name or username."

    def taken_away(self) -> str:
        return "What you typed was taken out of the chat: it might be a code or password. Search again a little later."

    # -- labels

    @staticmethod
    def tick_label(request: JoinRequest, *, is_ticked: bool) -> str:
        return f"{'☑' if is_ticked else '☐'} {request.name}"

    @staticmethod
    def approve_label(waiting: Capped) -> str:
        return f"✅ Approve {capped(waiting)}"

    @staticmethod
    def deny_label(waiting: Capped) -> str:
        return f"✕ Deny {capped(waiting)}"

    @staticmethod
    def ticked_labels(count: int) -> tuple[str, str]:
        return f"✅ Approve {number(count)} ticked", f"✕ Deny {number(count)} ticked"

    @staticmethod
    def show_label(waiting: Capped) -> str:
        return f"Show {capped(waiting)} ›"

    # -- the filter

    def filter(self, channel: Channel, filters: RequestFilters, waiting: Capped) -> str:
        meant = self._conditions.words(filters)
        return f"<b>Who is meant</b> at {title(channel.title)}\n{meant}\n{self.people(waiting)}"
