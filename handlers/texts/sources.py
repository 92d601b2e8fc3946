"""Saved channels: adding one, the list, the card."""

from collections.abc import Sequence
from datetime import datetime

from handlers.texts.applications import ApplicationTexts
from handlers.texts.base import (
    LABEL_CHARACTERS,
    Words,
    bar,
    fitted,
    number,
    plain,
    plural,
    quote,
    size,
    title,
    unbroken,
)
from handlers.texts.bots import BotTexts
from handlers.texts.filters import FilterTexts
from handlers.texts.runs import MARKS, share
from services.sources import SourceCard
from services.targets import MANY_ENTRIES, RootLook
from storage.models import (
    Duplicates,
    Filters,
    NewSource,
    RunKind,
    RunStatus,
    Scope,
    Session,
    SessionChannel,
    SessionKind,
    Source,
    Start,
)

RUNS = {RunStatus.PAUSED: "⏸ paused by you in the middle", RunStatus.WAITING: "⏳ waits, and goes on by itself"}


LIVE_ALONE = "⚡ live: new posts come at once; what is missed comes when you ask"

DUPLICATES = {
    Duplicates.KEEP: "duplicates are kept",
    Duplicates.LINK: "duplicates are linked",
    Duplicates.SKIP: "duplicates are left out",
}


class SourceTexts(Words):
    def all(self, cards: list[SourceCard]) -> str:
        if not cards:
            return (
                "<b>Saved channels</b>\nNone yet. Forward a post from a channel that your account can read, send its "
                "link, or choose it from a list; Porter keeps its messages and files at home, on a schedule."
            )
        return f"<b>Saved channels</b> · {number(len(cards))}"

    def label(self, card: SourceCard) -> str:
        """What is being saved shows how far it is. Before the name is shortened, the word “files” goes."""
        done = share(card.run) if card.run and card.run.status is RunStatus.RUNNING else None
        files, head = card.source.total_files, f"{self.mark(card)} "
        name = plain(card.source.name)
        if done is not None:
            return fitted(head, name, f" · {done:.0%}")
        whole = f"{head}{name} · {plural(files, 'file')}"
        return whole if len(whole) <= LABEL_CHARACTERS else fitted(head, name, f" · {number(files)}")

    @staticmethod
    def retry_label(count: int = 0) -> str:
        """`count` 0: not told."""
        return f"↻ Fetch {plural(count, 'failed file')}" if count else "↻ Fetch failed files again"

    @staticmethod
    def mark(card: SourceCard) -> str:
        if card.source.is_held:
            return "🔴"
        if card.run:
            return MARKS[card.run.status]
        if card.tally.needs_care:
            return "⚠️"
        return "⏸" if not card.source.enabled else "📌" if card.source.scope is Scope.POSTS else "📥"

    def choose_to_scrape(self, cards: list[SourceCard]) -> str:
        return "Save which one now?" if cards else self.all(cards)

    def card(self, card: SourceCard, schedule_words: str | None, upcoming: Sequence[datetime]) -> str:
        source, tally = card.source, card.tally
        lines = [
            self.heading(source.name),
            f"from {title(source.channel_title)}, {self.what(source)}",
            f"to {self.place(source.root, source.folder)}",
            *self._ways(source),
            *ApplicationTexts(self._zone, self._now).line(source),
            self._totals(card),
        ]
        if tally.waiting:
            lines.append(f"{plural(tally.waiting, 'file')} ({size(tally.waiting_bytes)}) still to fetch")
        if tally.failed:
            lines.append(f"⚠️ {plural(tally.failed, 'file')} could not be fetched")
        if tally.damaged or tally.missing:
            found = ((tally.damaged, "damaged"), (tally.missing, "missing"))
            words = ", ".join(f"{number(n)} {word}" for n, word in found if n)
            lines.append(f"⚠️ {words}: fetched again with the next save")
        if tally.skipped:
            lines.append(f"{plural(tally.skipped, 'file')} left out: here already")
        lines.append(f"last saved {self.ago(source.last_scraped_at)}")
        lines.append(self._schedule(card, schedule_words, upcoming))
        if source.is_held:
            lines.append("🔴 waits for its account, which is signed out or banned. Nothing is lost.")
        elif card.run:
            doing = "⏳ being checked now" if card.run.kind is RunKind.VERIFY else "⏳ being saved now"
            lines.append(RUNS.get(card.run.status, doing))
            if (done := share(card.run)) is not None:
                lines.append(bar(done, 1))
        return "\n".join(lines)

    @staticmethod
    def place(root: str | None, folder: str) -> str:
        return f"{quote(root or 'Local')}/{quote(folder)}"

    def _ways(self, source: Source) -> list[str]:
        """Where it differs from what Porter does by itself."""
        names = [f"named <code>{quote(source.name_template)}</code>"] if source.name_template else []
        duplicates = [DUPLICATES[source.duplicates]] if source.duplicates is not Duplicates.KEEP else []
        start = [FilterTexts(self._zone, self._now).starts_over(source.start)] if source.start else []
        return [*names, *duplicates, *start]

    def _totals(self, card: SourceCard) -> str:
        source = card.source
        files = f"{plural(source.total_files, 'file')} ({size(source.total_bytes)})"
        return f"{plural(source.total_messages, 'message')}, {files}"

    def _schedule(self, card: SourceCard, words: str | None, upcoming: Sequence[datetime]) -> str:
        """When it is saved: at once, on schedule, or by hand."""
        planned = self._planned(card, words, upcoming)
        if not card.source.live or not card.source.enabled:
            return planned
        if not card.is_member:
            return f"{planned}\n⚡ new posts come with the schedule: the account is not a member"
        if card.source.last_scraped_at is None:
            return f"{planned}\n⚡ new posts come at once after the first save"
        net = f"{planned[:1].lower()}{planned[1:]}"
        return f"⚡ live: new posts come at once\nand as a safety net: {net}" if words else LIVE_ALONE

    def _planned(self, card: SourceCard, words: str | None, upcoming: Sequence[datetime]) -> str:
        if words is None:
            return "saved only when you ask" if card.source.enabled else "⏸ paused"
        if not card.source.enabled:
            return f"⏸ schedule paused ({quote(words)})"
        return f"{quote(words)} · next {unbroken(self.at(upcoming[0]))}" if upcoming else quote(words)

    def what(self, source: Source) -> str:
        """Of the channel: HTML-safe."""
        if source.scope is Scope.POSTS:
            return "single posts"
        only = ", only messages that match" if source.only_matching else ""
        return f"{self.filters(source.filters)}{only}"

    def filters(self, filters: Filters) -> str:
        """HTML-safe."""
        return FilterTexts(self._zone, self._now).words(filters)

    def grew(self, channel: str) -> str:
        return f"{title(channel)} became a supergroup. Porter follows it; what is saved stays."

    # -- adding

    def ask_session(self, sessions: list[Session]) -> str:
        return "<b>Save a channel</b>\nWith which account?" if sessions else self.needs_account()

    def needs_account(self) -> str:
        return "Porter needs an account of yours that can read the channel. Add one first."

    def ask_channel(self, session: Session, channels: list[SessionChannel], wanted: str | None) -> str:
        if session.kind is SessionKind.BOT and not wanted:
            return BotTexts(self._zone, self._now).ask_channel(session, len(channels))
        found = f"{number(len(channels))} with “{quote(wanted)}”" if wanted else number(len(channels))
        tap = "Tap one. Or type" if channels else "None of its channels. Type"
        return (
            f"<b>Save a channel</b> with {title(session.name)} · {found}\n"
            f"{tap}: part of a title to search, or @name or a t.me link of a public channel."
        )

    def ask_folder(self, root: str | None, folder: str) -> str:
        return f"Files go to <b>{self.place(root, folder)}</b>. Keep that, or type another folder name."

    def ask_root(self, look: RootLook) -> str:
        """Before the first file goes there: an empty mount point looks like this too."""
        many = "1,000 things or more" if look.entries >= MANY_ENTRIES else plural(look.entries, "thing")
        holds = f"holds {many}" if look.entries else "is empty"
        lines = [f"<b>{quote(look.name)}</b> {holds}, {size(look.free_bytes)} are free. Use it?"]
        if not look.is_mount:
            lines.append(
                "⚠️ It is no disk of its own, but a folder of the disk around it. If a NAS should be mounted there, "
                "mount it first."
            )
        lines.append(
            "Porter puts a small file there (.porter-root) and knows the disk by it: while the disk is not mounted, "
            "nothing is written."
        )
        return "\n".join(lines)

    def ask_schedule(self, timezone: str) -> str:
        return f"How often shall Porter look for new posts? Times are in {quote(timezone)}."

    def ask_cron(self, trouble: str = "") -> str:
        return (
            f"{trouble}\n" * bool(trouble) + "Send a cron line: minute hour day month weekday. Examples:\n"
            "<code>0 */6 * * *</code> – every six hours\n<code>30 7 * * mon-fri</code> – 7:30 on workdays"
        )

    def ask_name(self, name: str) -> str:
        return f"Porter will call it {title(name)}. Keep that, or type another name."

    def name_invalid(self) -> str:
        return "A name has 1 to 60 characters, on one line. Send another."

    def confirm(
        self,
        new: NewSource,
        channel: str,
        schedule: str | None,
        upcoming: Sequence[datetime],
        brings: str,
        saved: str | None = None,
        single: str | None = None,
    ) -> str:
        """`brings`: what the first time will be, as texts/estimates.py says it. `saved`: the name of what carries the
        channel already; `single`: of the single posts that become it."""
        messages = "messages that match" if new.only_matching else "messages"
        lines = [
            self.heading(new.name),
            f"from {title(channel)}: {messages} and {self.filters(new.filters)}",
            f"to {self.place(new.root, new.folder)}",
        ]
        if schedule is None:
            lines.append("only when you ask")
        else:
            lines.append(f"{quote(schedule)}; next: {', '.join(self.at(moment) for moment in upcoming)}")
        if new.live:
            lines.append("new posts at once")
        if single:
            lines.append(f"Single posts of it are saved as {title(single)}, which becomes the whole channel.")
        elif saved:
            lines.append(f"⚠️ It is saved already as {title(saved)}; this is a second time, beside it.")
        lines.append(f"\n{FilterTexts(self._zone, self._now).first_time(new.start or Start())}")
        lines.append(brings)
        return "\n".join(lines)

    def created(self) -> str:
        return "Saved channel added."

    def ask_delete(self, card: SourceCard) -> str:
        source = card.source
        files, messages = source.total_files, source.total_messages
        stay = "stays where it is" if files == 1 else "stay where they are"
        on_disk = f"{plural(files, 'file')} on disk {stay}. " if files else "There are no files of it on disk. "
        kept = (
            f"Its {plural(messages, 'message')} can stay as well, for when the channel is saved again, or go with it, "
            "but for those that another saved channel has."
        )
        asked = f"Delete {title(source.name)}? It stops and its schedule goes. {on_disk}"
        return asked + kept if messages else asked.rstrip()

    def deleted(self, name: str) -> str:
        return f"{title(name)} is deleted. Its files stay on disk."
