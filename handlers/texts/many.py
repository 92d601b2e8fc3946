"""Several saved channels at once: which, what will happen, and what came of it."""

from collections.abc import Mapping, Sequence

from handlers.texts.base import Words, fitted, number, plural, quote, shorten, size, title
from handlers.texts.sources import SourceTexts
from services.many_sources import MOST, Reader
from services.schedule import describe
from services.sources import SourceCard
from storage.models import Session, Source

NAMED = 10
"""So many stand in a message by name; a thousand would not fit."""
DONE = {
    "run": "queued to be saved now",
    "pause": "paused; saved by hand only until resumed",
    "resume": "on schedule again",
    "move": "read through the other account from now on",
    "place": "saved to the new folder from now on",
    "delete": "deleted; their files stay on disk",
}


class ManyTexts(Words):
    def choose(self, found: int, chosen: int, searched: str | None, *, is_searched: bool) -> str:
        lines = [f"<b>Choose saved channels</b> · {number(chosen)} chosen"]
        if is_searched:
            lines.append(self.found(found, searched))
        lines.append("Tap to choose, type to search. What happens to them is asked below.")
        return "\n".join(lines)

    def label(self, card: SourceCard, *, ticked: bool) -> str:
        return f"{'☑' if ticked else '☐'} {SourceTexts.mark(card)} {card.source.name}"

    @staticmethod
    def all_label(count: int, *, is_searched: bool) -> str:
        return f"☑ All {number(count)} found" if is_searched else f"☑ All {number(count)}"

    def too_many(self) -> str:
        return f"At most {number(MOST)} at once: the first ones are chosen."

    def ask_run(self, count: int) -> str:
        return (
            f"Save {plural(count, 'channel')} now? Those of one account go one after the other; what each brings is "
            "seen under /runs."
        )

    def ask_account(self, count: int, readers: Sequence[Reader]) -> str:
        if not readers:
            return (
                f"No other account has met the {'channel' if count == 1 else 'channels'} that you chose. Open the list "
                "of its channels first, under /sessions."
            )
        return f"Through which account shall {plural(count, 'saved channel')} be read? Beside each: how many it sees."

    @staticmethod
    def reader_label(reader: Reader) -> str:
        tail = f" · {number(reader.count)}"
        return fitted("", reader.session.name, tail)

    def ask_move(self, chosen: int, count: int, to: Session) -> str:
        stay = f" The other {number(chosen - count)} stay where they are." if chosen > count else ""
        return (
            f"From now on {plural(count, 'saved channel')} of {number(chosen)} read through {title(to.name)}.{stay} "
            "What is being saved now goes on there, where it stands. Do it?"
        )

    def ask_base(self, count: int, root: str | None, base: str) -> str:
        return (
            f"Where shall files of {plural(count, 'saved channel')} go? Each gets a folder of its own, called after "
            f"its channel, below <b>{self._base(root, base)}</b>. Keep that, or type a folder."
        )

    @staticmethod
    def _base(root: str | None, base: str) -> str:
        return SourceTexts.place(root, base) if base else f"{quote(root or 'Local')}/"

    def ask_place(self, root: str | None, folders: Mapping[str, str]) -> str:
        shown = [f"{title(shorten(name, 40))} → {SourceTexts.place(root, folder)}" for name, folder in folders.items()]
        return (
            f"From now on files of {plural(len(folders), 'saved channel')} go here:\n{self._some(shown)}\n"
            "Files that are saved already stay where they are. What has come of unfinished ones is fetched anew. Do it?"
        )

    def ask_delete(self, sources: Sequence[Source]) -> str:
        files = sum(source.total_files for source in sources)
        size_bytes = sum(source.total_bytes for source in sources)
        messages = sum(source.total_messages for source in sources)
        names = self._some([title(shorten(source.name, 40)) for source in sources])
        return (
            f"Delete {plural(len(sources), 'saved channel')}? {plural(files, 'file')} ({size(size_bytes)}) stay on "
            f"disk. Their {plural(messages, 'message')} stay as well, until a channel is saved again, or go with them."
            f"\n{names}"
        )

    def deleting(self, count: int) -> str:
        return f"Deleting {plural(count, 'saved channel')}. That takes a while where there is much to forget …"

    def scheduled(self, cron: str | None) -> str:
        return f"scheduled: {quote(describe(cron))}" if cron else "saved only when you ask"

    def done(self, act: str) -> str:
        return DONE[act]

    def outcome(self, what: str, done: int, failed: Sequence[tuple[str, str]]) -> str:
        """`failed`: name and reason, which is HTML already."""
        lines = [f"✅ {plural(done, 'saved channel')}: {what}."] if done else []
        if failed:
            lines.append(f"⚠️ {plural(len(failed), 'saved channel')} did not:")
            lines.append(self._some([f"{title(shorten(name, 40))}: {why}" for name, why in failed]))
        return "\n".join(lines)

    @staticmethod
    def _some(lines: Sequence[str]) -> str:
        more = len(lines) - NAMED
        return "\n".join([*lines[:NAMED], *([f"… and {number(more)} more"] if more > 0 else [])])
