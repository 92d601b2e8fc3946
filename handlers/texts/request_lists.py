"""Lists of waiting people: what sets them apart, who is meant by a filter, what is ticked."""

from collections.abc import Sequence

from handlers.texts.base import Words, duration, number, plural, quote, shorten, title
from handlers.texts.gates import capped
from services.requests.listing import SHORTEST_WORDS, Group
from storage.models import Channel, JoinRequest
from storage.request_models import Capped, LinkCount, RequestFilters, RequestGroup

GROUPS = {
    RequestGroup.MARKED: "marked by Telegram as scam or fake",
    RequestGroup.ALIKE: "alike, within an hour",
    RequestGroup.COMPLETE: "with photo and username",
    RequestGroup.BARE: "without photo or username",
    RequestGroup.UNSEEN: "with username, photo not known",
}
SHORT_GROUPS = {
    RequestGroup.MARKED: "scam or fake",
    RequestGroup.ALIKE: "alike, within an hour",
    RequestGroup.COMPLETE: "photo and username",
    RequestGroup.BARE: "no photo or username",
    RequestGroup.UNSEEN: "photo not known",
}
FLAGS = {
    "has_photo": ("with photo", "without photo"),
    "has_username": ("with username", "without username"),
    "has_bio": ("with bio", "without bio"),
    "is_premium": ("with Premium", "without Premium"),
    "is_marked": ("marked as scam or fake", "not marked"),
    "is_alike": ("alike", "not alike"),
    "is_known": ("seen before", "never seen before"),
}
"""What each of RequestFilters says when it is true, and when it is false."""
FIELDS = {
    "has_photo": "Photo",
    "has_username": "Username",
    "has_bio": "Bio",
    "is_premium": "Premium",
    "is_marked": "Scam or fake",
    "is_alike": "Alike",
    "is_known": "Seen before",
}
LONGEST_LABEL = 40


class RequestListTexts(Words):
    def meant(self, filters: RequestFilters) -> str:
        """Who is meant, in one line; empty: everybody."""
        words = [GROUPS[filters.group]] if filters.group else []
        for name, (yes, no) in FLAGS.items():
            wanted = getattr(filters, name)
            if wanted is not None:
                words.append(yes if wanted else no)
        if filters.waits_over is not None:
            words.append(f"waiting for more than {_span(filters.waits_over)}")
        if filters.waits_under is not None:
            words.append(f"asked within {duration(filters.waits_under)}")
        if filters.link is not None:
            words.append(f"by {quote(short_link(filters.link))}")
        if filters.bio is not None:
            words.append(f"bio has “{quote(shorten(filters.bio, LONGEST_LABEL))}”")
        if filters.words is not None:
            words.append(f"🔎 “{quote(shorten(filters.words, LONGEST_LABEL))}”")
        return " · ".join(words)

    def groups(self, channel: Channel, groups: Sequence[Group]) -> str:
        total = sum(group.people for group in groups)
        lines = [f"{self.heading(channel.title)} · {plural(total, 'person waits', 'people wait')}"]
        lines += [f"· {number(group.people)} {GROUPS[group.what]}" for group in groups]
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
        meant = self.meant(filters)
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
        return f"🚫 Deny {capped(waiting)}"

    @staticmethod
    def ticked_labels(count: int) -> tuple[str, str]:
        return f"✅ Approve {number(count)} ticked", f"🚫 Deny {number(count)} ticked"

    @staticmethod
    def show_label(waiting: Capped) -> str:
        return f"Show {capped(waiting)} ›"

    # -- the filter

    @staticmethod
    def toggle_label(name: str, wanted: bool | None) -> str:
        """`name`: of a field of RequestFilters."""
        return f"{FIELDS[name]}: {'any' if wanted is None else 'yes' if wanted else 'no'}"

    def filter(self, channel: Channel, filters: RequestFilters, waiting: Capped) -> str:
        meant = self.meant(filters) or "everybody"
        return f"<b>Who is meant</b> at {title(channel.title)}\n{meant}\n{self.people(waiting)}"

    def ask_bio(self, channel: Channel, too_short: str = "") -> str:
        """`too_short`: what was typed before."""
        typed = f"“{quote(too_short)}” is too short. " if too_short else ""
        return (
            f"{typed}Which words shall stand in the bio of who waits at {title(channel.title)}? Type at least "
            f"{SHORTEST_WORDS} letters."
        )

    def links(self, channel: Channel, links: Sequence[LinkCount]) -> str:
        if not links:
            return (
                f"<b>Invite links</b> of {title(channel.title)}\nOf nobody who waits it is known by which link they "
                "came: Telegram tells it to the bot when they ask."
            )
        lines = [f"· {quote(short_link(each.link))}: {number(each.people)}" for each in links]
        return f"<b>Invite links</b> of {title(channel.title)}, by those who wait\n" + "\n".join(lines)

    @staticmethod
    def link_label(link: LinkCount) -> str:
        return f"{number(link.people)} · {short_link(link.link)}"


def short_link(link: str) -> str:
    """+AbCd…, as far as Telegram tells the whole of it."""
    return shorten(link.removeprefix("https://").removeprefix("t.me/"), 24)


def _span(seconds: int) -> str:
    return plural(seconds // 86400, "day") if seconds >= 86400 and seconds % 86400 == 0 else duration(seconds)
