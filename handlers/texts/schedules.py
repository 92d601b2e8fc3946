"""When a saved channel is looked at, in words."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from handlers.texts.base import Words, number, plural, quote, title

EXAMPLES = "<code>0 */6 * * *</code> or <code>30 7 * * mon-fri</code>"


class ScheduleTexts(Words):
    def now(self, timezone: str | None, words: str, upcoming: Sequence[datetime]) -> str:
        """`timezone` None: it has none of its own."""
        zone = f" (in {quote(timezone)})" if timezone and timezone != self._zone.key else ""
        return f"Now: {quote(words)}{zone}. {self._next(upcoming)}"

    def ask(
        self,
        name: str | None,
        count: int,
        now: str | None,
        zone: str,
        trouble: str | None,
        *,
        is_load: bool = False,
    ) -> str:
        """`name` None: of `count` saved channels or, with 1, of those that are saved from now on. `is_load`: of who
        waits, not of posts."""
        of = f" of {title(name)}" if name else f" of {plural(count, 'saved channel')}" if count > 1 else ""
        lines = [f"<b>Schedule</b>{of}", trouble or "", now or ("" if name is None else "Now: only when you ask.")]
        what = "load who waits" if is_load else "look for new posts"
        lines.append(
            f"How often shall Porter {what}? Tap one, or send a cron line (minute hour day month weekday) "
            f"such as {EXAMPLES}. Times are in {quote(zone)}."
        )
        return "\n".join(line for line in lines if line)

    def refused(self, typed: str, why: str) -> str:
        return f"⚠️ <code>{quote(typed)}</code>: {why}"

    def preview(self, cron: str, words: str, zone: str, upcoming: Sequence[datetime], count: int) -> str:
        """`count`: of those that were chosen; 0: one, or the defaults."""
        of = f" for {plural(count, 'saved channel')}" if count else ""
        return (
            f"<b>{quote(words)}</b>{of}\n<code>{quote(cron)}</code>, in {quote(zone)}\n{self._next(upcoming)}\n"
            "Use it? Or send another line."
        )

    def _next(self, upcoming: Sequence[datetime]) -> str:
        return f"Next: {', '.join(self.at(moment) for moment in upcoming)}." if upcoming else ""

    @staticmethod
    def zone_label(zone: str) -> str:
        return f"🕓 {zone}"

    def ask_zone(self, zone: str, count: int, wanted: str) -> str:
        found = f" with “{quote(wanted)}”" if wanted else ""
        now = self._now().astimezone(ZoneInfo(zone))
        return (
            f"<b>Your time zone</b>: {quote(zone)}, where it is {now:%H:%M}\n{number(count)}{found}. Type part of a "
            "name, such as berlin, and tap yours. What you are shown and what you set from now on follows it; "
            "schedules that are set already keep theirs."
        )
