"""Loading who waited before the bot came."""

from collections.abc import Sequence
from datetime import datetime

from handlers.texts.base import Words, number, plural, quote, title
from services.clients.base import InviteLink
from services.requests.load_desk import LoadCard, LoadPlace
from services.requests.load_schedules import LoadPlan


class LoadTexts(Words):
    def ask_where(self, places: Sequence[LoadPlace]) -> str:
        if not places:
            return (
                "<b>Load who waits</b>\nNo account of yours may let people in anywhere, as far as Porter knows. Type "
                "@name or -100… of a channel where it may."
            )
        return "<b>Load who waits</b>\nAt which channel? Tap one, or type @name, a link or -100…"

    @staticmethod
    def place(place: LoadPlace) -> str:
        name = place.seen.channel.title
        return f"{number(place.waiting)} · {name}" if place.waiting else name

    def ask_how_many(self, card: LoadCard, trouble: str | None = None) -> str:
        """`trouble`: what is wrong with what was typed."""
        waits = plural(card.at_telegram, "person waits", "people wait") if card.at_telegram else "Nobody waits"
        lines = [
            f"<b>Load who waits</b> at {title(card.plan.channel.title)}",
            trouble or "",
            f"{waits} there now; Porter knows {number(card.known)}.",
            self._by_itself(card.plan),
            "How many? Tap, or type a number: so many of the newest.",
        ]
        return "\n".join(line for line in lines if line)

    @staticmethod
    def no_number(typed: str) -> str:
        return f"⚠️ <code>{quote(typed[:40])}</code> is no number. Type one, such as 500."

    @staticmethod
    def newest(count: int) -> str:
        return f"Newest {number(count)}"

    def each_time(self, count: int | None, chosen: int | None) -> str:
        name = "All" if count is None else self.newest(count)
        return f"✓ {name}" if count == chosen else name

    def ask_link(self, channel: str, links: Sequence[InviteLink], shown: int) -> str:
        head = f"<b>By which invite link</b> did they come to {title(channel)}?"
        if not links:
            return f"{head}\nThe account sees no link with people who wait. Paste the link, or load all."
        more = f" {number(len(links) - shown)} more are not shown." if len(links) > shown else ""
        return f"{head}\nTap one, or paste it.{more} Whoever came by it is marked with it from then on."

    @staticmethod
    def link(link: InviteLink) -> str:
        name = link.title or link.link.rpartition("/")[2]
        return f"{number(link.waiting)} · {name}"

    @staticmethod
    def no_link() -> str:
        return "⚠️ That is no invite link. One looks like https://t.me/+AbCd…"

    def plan(self, plan: LoadPlan, words: str | None, upcoming: Sequence[datetime]) -> str:
        """`words`: its line in words; None: there is none."""
        head = f"<b>When who waits is loaded</b> at {title(plan.channel.title)}"
        if plan.schedule is None or words is None:
            return f"{head}\nOnly when somebody asks."
        zone = "" if plan.schedule.timezone == self._zone.key else f", in {quote(plan.schedule.timezone)}"
        when = f"{quote(words)}{zone}."
        state = "⏸ Paused." if not plan.schedule.enabled else f"Next: {', '.join(map(self.at, upcoming))}."
        each = "everybody" if plan.newest is None else f"the newest {number(plan.newest)}"
        return f"{head}\n{when} {state}\nEach time {each}. You hear of it only when it failed."

    def _by_itself(self, plan: LoadPlan) -> str:
        if plan.schedule is None:
            return ""
        if not plan.schedule.enabled or plan.schedule.next_due_at is None:
            return "Loading by itself is paused."
        return f"Loaded by itself next {self.at(plan.schedule.next_due_at)}."
