"""How Porter writes numbers, sizes, times and bars. Every interpolated value is quoted by whoever interpolates it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from math import ceil
from zoneinfo import ZoneInfo

BAR_CELLS = 12
LABEL_CHARACTERS = 28
DIRECTION_MARKS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNITS = ("B", "KB", "MB", "GB", "TB")


def unmarked(text: str) -> str:
    """HTML-safe text as plain text, for alerts: Telegram shows those without formatting."""
    return unescape(re.sub(r"</?[a-z][^>]*>", "", text))


def quote(value: object) -> str:
    return escape(str(value), quote=False)


def title(value: object) -> str:
    """A name that people gave, in guillemets. Marks that turn the reading direction are taken out."""
    return f"«{quote(plain(str(value)))}»"


def plain(value: str) -> str:
    """One line, without control characters and without marks that turn the reading direction of what follows."""
    kept = "".join(c if c.isprintable() else " " for c in value if c not in DIRECTION_MARKS)
    return " ".join(kept.split()) or "…"


def shorten(value: str, limit: int = LABEL_CHARACTERS) -> str:
    value = plain(value)
    return value if len(value) <= limit else value[: limit - 1].rstrip() + "…"


def fitted(head: str, name: str, tail: str) -> str:
    """A label with a name in it, which alone gives way, and no further than it must."""
    return f"{head}{shorten(name, LABEL_CHARACTERS - len(head) - len(tail))}{tail}"


def unbroken(words: str) -> str:
    """On one line, wherever that begins."""
    return words.replace(" ", "\N{NO-BREAK SPACE}")


def number(value: int) -> str:
    return f"{value:,}"


def plural(value: int, one: str, many: str | None = None) -> str:
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def often(minutes: int) -> str:
    """What stands behind "every": 30 minutes, hour, 6 hours, day."""
    if minutes < 60:
        return f"{minutes} minutes"
    return {60: "hour", 24 * 60: "day"}.get(minutes, f"{minutes // 60} hours")


def size(size_bytes: float) -> str:
    """1.5 MB, in steps of 1024, as Telegram shows sizes."""
    step = 0
    while size_bytes >= 1024 and step < len(UNITS) - 1:
        size_bytes /= 1024
        step += 1
    return f"{size_bytes:.0f} {UNITS[step]}" if step == 0 or size_bytes >= 100 else f"{size_bytes:.1f} {UNITS[step]}"


def bar(done: float, total: float) -> str:
    share = 0.0 if total <= 0 else min(1.0, done / total)
    filled = round(share * BAR_CELLS)
    return f"{'▰' * filled}{'▱' * (BAR_CELLS - filled)} {share:.0%}"


def duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 60:
        return "less than a minute"
    if minutes < 60:
        return plural(minutes, "minute")
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


class Words:
    """Base of the texts of one conversation: knows the reader's time zone."""

    def __init__(self, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        self._zone = zone
        self._now = clock

    @staticmethod
    def heading(name: str) -> str:
        """A name that people gave, over what is said of it; as `title` takes out what turns the reading direction."""
        return f"<b>{quote(plain(name))}</b>"

    def at(self, moment: datetime) -> str:
        """15:40 today; Tue 15:40 of the six days to come and Tue 1 Dec 15:40 of the six that went: a weekday alone
        might be either. Else 3 Dec, 15:40, with its year where that is another one."""
        local, now = moment.astimezone(self._zone), self._now().astimezone(self._zone)
        days = (local.date() - now.date()).days
        if days == 0:
            return f"{local:%H:%M}"
        if 0 < days <= 6:
            return f"{local:%a %H:%M}"
        if -6 <= days < 0:
            return f"{local:%a} {local.day} {local:%b %H:%M}"
        return f"{self.day(moment)}, {local:%H:%M}"

    def brief(self, moment: datetime) -> str:
        """On buttons: 15:40 today, else 3 Nov."""
        local, now = moment.astimezone(self._zone), self._now().astimezone(self._zone)
        return f"{local:%H:%M}" if local.date() == now.date() else self.day(moment)

    def day(self, moment: datetime) -> str:
        """3 Nov; with its year where that is another one."""
        local, now = moment.astimezone(self._zone), self._now().astimezone(self._zone)
        return f"{local.day} {local:%b}" if local.year == now.year else f"{local.day} {local:%b %Y}"

    def until(self, moment: datetime) -> str:
        """As `at`, rounded up: at that minute it is really over."""
        return self.at(moment + timedelta(seconds=59))

    def found(self, count: int, searched: str | None) -> str:
        """Under the headline of a list that is searched. `searched` None: what was typed is not repeated."""
        what = f" {quote(searched)}:" if searched else ""
        return f"🔎{what} {number(count)} found. Tap “Show all” to see the rest."

    def second(self, moment: datetime) -> str:
        """15:40:12."""
        return f"{moment.astimezone(self._zone):%H:%M:%S}"

    def countdown(self, moment: datetime) -> str:
        """in 0:45, at 15:40:12."""
        seconds = max(0, ceil((moment - self._now()).total_seconds()))
        return f"in {seconds // 60}:{seconds % 60:02}, at {self.second(moment)}"

    def ago(self, moment: datetime | None) -> str:
        if moment is None:
            return "never"
        seconds = (self._now() - moment).total_seconds()
        return "just now" if seconds < 60 else f"{duration(seconds)} ago" if seconds < 86400 else self.at(moment)


def utc_clock() -> datetime:
    return datetime.now(UTC)
