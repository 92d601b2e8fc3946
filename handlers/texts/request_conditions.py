"""Conditions on people who wait, in words; and the questions about them."""

from collections.abc import Sequence

from handlers.texts.base import Words, plural, quote, shorten, title
from services.requests.conditions import DAY, FLAGS, HOUR, MINUTE
from storage.request_models import RequestFilters, RequestGroup

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
    "has_photo": ("with a photo", "without a photo"),
    "has_username": ("with a username", "without a username"),
    "has_bio": ("with a bio", "without a bio"),
    "is_premium": ("with Premium", "without Premium"),
    "is_marked": ("marked as scam or fake", "not marked as scam or fake"),
    "is_alike": ("one of many alike", "not one of many alike"),
    "is_known": ("asked before", "never asked before"),
}
"""If yes, if no."""
GROUP_WORDS = {
    RequestGroup.MARKED: "marked as scam or fake",
    RequestGroup.ALIKE: "one of many alike",
    RequestGroup.COMPLETE: "with photo and username",
    RequestGroup.BARE: "without photo or username",
    RequestGroup.UNSEEN: "with a username, photo not known",
}
SIGNS = {None: "·", True: "✅", False: "🚫"}


class ConditionTexts(Words):
    def words(self, filters: RequestFilters) -> str:
        """with a photo, without a bio, waits over 1 hour, name with «Ann». HTML."""
        return ", ".join(self._parts(filters)) or "everybody"

    def _parts(self, filters: RequestFilters) -> list[str]:
        parts = [GROUP_WORDS[filters.group]] if filters.group else []
        for flag in FLAGS:
            wanted = getattr(filters, flag)
            if wanted is not None:
                parts.append(FLAG_WORDS[flag][0 if wanted else 1])
        if filters.waits_over is not None:
            parts.append(f"waits over {self.span(filters.waits_over)}")
        if filters.waits_under is not None:
            parts.append(f"waits under {self.span(filters.waits_under)}")
        if filters.words is not None:
            parts.append(f"name with {title(filters.words)}")
        if filters.bio is not None:
            parts.append(f"bio with {title(filters.bio)}")
        if filters.link is not None:
            parts.append(f"by the link {quote(shorten(self.link(filters.link), 40))}")
        return parts

    @staticmethod
    def span(seconds: int) -> str:
        for unit, name in ((DAY, "day"), (HOUR, "hour")):
            if seconds >= unit and seconds % unit == 0:
                return plural(seconds // unit, name)
        return plural(seconds // MINUTE, "minute")

    @staticmethod
    def link(link: str) -> str:
        """As short as it tells links apart."""
        return link.removeprefix("https://").removeprefix("t.me/")

    # -- on buttons

    def flag(self, flag: str, wanted: bool | None) -> str:
        return f"{SIGNS[wanted]} {FLAG_NAMES[flag]}"

    # -- questions

    def explain(self) -> str:
        """Under an editor's headline."""
        return "Tap once for yes (✅), again for no (🚫), once more for either (·). All that is set must hold."

    def ask_waits(self) -> str:
        return "<b>How long they wait</b>\nSince when shall they have asked?"

    def ask_link(self, links: Sequence[str]) -> str:
        if not links:
            return "<b>By which link</b>\nNobody who waits came by a link that Porter was told of."
        return "<b>By which link</b>\nTap the link they came by. Those with the most people come first."

    def ask_words(self) -> str:
        return "<b>Name</b>\nSend what shall be in the name or username. 3 characters at least; capitals do not matter."

    def ask_bio(self) -> str:
        return "<b>Bio</b>\nSend what shall be in the bio. 3 characters at least; capitals do not matter."
