"""Conditions on people who wait, in words; and the questions about them."""

from collections.abc import Sequence

from handlers.texts.base import Words, number, plural, quote, shorten, title
from services.requests.conditions import DAY, FLAGS, HOUR, MINUTE, holds, is_untold
from storage.request_models import LinkCount, RequestFilters, RequestGroup

FLAG_NAMES = {
    "has_photo": "Photo",
    "has_username": "Username",
    "has_bio": "Bio",
    "is_premium": "Premium",
    "is_marked": "Scam or fake",
    "is_alike": "Alike",
    "is_known": "Asked before",
}
"""On buttons."""
FLAG_WORDS = {
    "has_photo": ("with photo", "without photo"),
    "has_username": ("with username", "without username"),
    "has_bio": ("with bio", "without bio"),
    "is_premium": ("with Premium", "without Premium"),
    "is_marked": ("marked as scam or fake", "not marked as scam or fake"),
    "is_alike": ("one of many alike", "not one of many alike"),
    "is_known": ("asked before", "never asked before"),
}
"""If yes, if no."""
GROUP_WORDS = {
    RequestGroup.MARKED: "marked by Telegram as scam or fake",
    RequestGroup.ALIKE: "alike, within an hour",
    RequestGroup.COMPLETE: "with photo and username",
    RequestGroup.BARE: "without photo or username",
    RequestGroup.UNSEEN: "with username, photo not known",
}
LONGEST_LINK = 24


class ConditionTexts(Words):
    def words(self, filters: RequestFilters) -> str:
        """with photo · without bio · waiting over 1 hour · with «Ann» in the name. HTML."""
        return self.meant(filters) or "everybody"

    def meant(self, filters: RequestFilters) -> str:
        """As `words`; empty: everybody."""
        parts = [GROUP_WORDS[filters.group]] if filters.group else []
        for flag in FLAGS:
            wanted = getattr(filters, flag)
            if wanted is not None:
                parts.append(FLAG_WORDS[flag][0 if wanted else 1])
        if filters.waits_over is not None:
            parts.append(f"waiting over {self.span(filters.waits_over)}")
        if filters.waits_under is not None:
            parts.append(f"waiting under {self.span(filters.waits_under)}")
        if filters.words is not None:
            parts.append(f"with {title(filters.words)} in the name")
        if filters.bio is not None:
            parts.append(f"with {title(filters.bio)} in the bio")
        if filters.link is not None:
            parts.append(f"by the link {quote(short_link(filters.link))}")
        return " · ".join(parts)

    @staticmethod
    def span(seconds: int) -> str:
        for unit, name in ((DAY, "day"), (HOUR, "hour")):
            if seconds >= unit and seconds % unit == 0:
                return plural(seconds // unit, name)
        return plural(seconds // MINUTE, "minute")

    # -- on buttons

    def flag(self, flag: str, filters: RequestFilters) -> str:
        wanted = holds(filters, flag)
        either = "not known" if is_untold(filters, flag) else "any"
        return f"{FLAG_NAMES[flag]}: {either if wanted is None else 'yes' if wanted else 'no'}"

    @staticmethod
    def link_label(link: LinkCount) -> str:
        return f"{number(link.people)} · {short_link(link.link)}"

    # -- questions

    def ask_waits(self) -> str:
        return "<b>How long they wait</b>\nSince when shall they have asked?"

    def ask_link(self, links: Sequence[LinkCount]) -> str:
        if not links:
            return (
                "<b>By which link</b>\nOf nobody who waits it is known by which link they came: Telegram tells it to "
                "the bot when they ask."
            )
        return "<b>By which link</b>\nTap the link they came by. Those with the most people come first."

    def ask_words(self) -> str:
        return "<b>Name</b>\nSend what shall be in the name or username. 3 characters at least; capitals do not matter."

    def ask_bio(self) -> str:
        return "<b>Bio</b>\nSend what shall be in the bio. 3 characters at least; capitals do not matter."


def short_link(link: str) -> str:
    """+AbCd…, as far as Telegram tells the whole of it."""
    return shorten(link.removeprefix("https://").removeprefix("t.me/"), LONGEST_LINK)
