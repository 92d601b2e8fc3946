"""What is saved of a channel and from where on, in words; and the questions about it."""

from datetime import datetime, timedelta

from handlers.texts.base import Words, number, plural, quote, size, title
from services.presets import Preset, chosen, others
from storage.models import FileKind, Filters, Start, StartKind

PRESETS = {
    Preset.PDF: "PDF",
    Preset.ARCHIVES: "archives",
    Preset.IMAGES: "images",
    Preset.VIDEO: "videos",
    Preset.MUSIC: "music",
    Preset.VOICE: "voice messages",
    Preset.EBOOKS: "e-books",
    Preset.OFFICE: "office files",
    Preset.DOCUMENTS: "documents",
}
KINDS = {
    FileKind.PHOTO: "photos",
    FileKind.VIDEO: "videos",
    FileKind.AUDIO: "music",
    FileKind.VOICE: "voice messages",
    FileKind.DOCUMENT: "documents",
}
SHOWN_WORDS = 5


class FilterTexts(Words):
    def words(self, filters: Filters) -> str:
        """PDF or archives, 5 MB to 1 GB, with «invoice», since 1 Jan 2026"""
        parts = (self._types(filters), self._sizes(filters), self._about(filters), self._dates(filters))
        return ", ".join(part for part in parts if part)

    def _types(self, filters: Filters) -> str:
        own = others(filters)
        names = [PRESETS[preset] for preset in chosen(filters)]
        names += [KINDS[kind] for kind in own.kinds]
        names += [f".{quote(extension)}" for extension in own.extensions]
        names += [quote(mime) for mime in own.mimes]
        return _either(names) or "all files"

    def _sizes(self, filters: Filters) -> str:
        low, high = filters.min_bytes, filters.max_bytes
        if low is not None and high is not None:
            return f"{_size(low)} to {_size(high)}"
        return f"from {_size(low)}" if low is not None else f"up to {_size(high)}" if high is not None else ""

    def _about(self, filters: Filters) -> str:
        shown = [title(word) for word in filters.words[:SHOWN_WORDS]]
        if len(filters.words) > SHOWN_WORDS:
            shown.append(plural(len(filters.words) - SHOWN_WORDS, "more word"))
        if filters.pattern:
            shown.append(f"/<code>{quote(filters.pattern)}</code>/")
        return f"with {_either(shown)}" if shown else ""

    def _dates(self, filters: Filters) -> str:
        since, until = filters.since, filters.until
        if since and until:
            return f"{self.day(since)} to {self._last_day(until)}"
        return f"since {self.day(since)}" if since else f"until {self._last_day(until)}" if until else ""

    def day(self, moment: datetime) -> str:
        local = moment.astimezone(self._zone)
        return f"{local.day} {local:%b %Y}"

    def _last_day(self, moment: datetime) -> str:
        return self.day(moment - timedelta(seconds=1))

    def start(self, start: Start) -> str:
        """the last 1,000 posts"""
        if start.kind is StartKind.LAST and start.count is not None:
            return "the last post" if start.count == 1 else f"the last {number(start.count)} posts"
        if start.kind is StartKind.SINCE and start.at is not None:
            return f"since {self.day(start.at)}"
        return "only what is new" if start.kind is StartKind.NEW else "everything"

    def first_time(self, start: Start) -> str:
        """At the end of a form."""
        if start.kind is StartKind.NEW:
            return "What is there already is left out; new posts get saved."
        if start.kind is StartKind.SINCE:
            return f"The first time everything {self.start(start)} gets saved."
        if start.kind is StartKind.LAST:
            return f"The first time {self.start(start)} {'gets' if start.count == 1 else 'get'} saved."
        return "The first time everything there is gets saved."

    # -- the editor

    def menu(self, name: str | None, filters: Filters, *, only_matching: bool, is_new: bool, was_read: bool) -> str:
        """`name` None: the admin's own defaults. `was_read`: messages were stored by other filters."""
        heading = self.heading(name) if name else "<b>Your defaults</b>, for channels that you save from now on"
        kept = "Only messages that match are kept." if only_matching else "Messages are kept in any case."
        lines = [
            f"{heading}\n{'Which files?' if is_new else 'What is saved?'} {kept}",
            f"Now: <b>{self.words(filters)}</b>",
        ]
        if was_read:
            lines.append(
                "A change holds for new posts. Posts that were read before are looked at again by “Start over”."
            )
        return "\n".join(lines)

    def ask_size(self, typed: str | None) -> str:
        return self._ask("How large may a file be? Send <code>5 MB - 1 GB</code>, <code>from 200 KB</code> or "
                         "<code>up to 1.5 GB</code>.", typed)  # fmt: skip

    def ask_words(self, typed: str | None) -> str:
        return self._ask(
            "Which words shall stand in a post or in its file's name? Send one, or several with commas between: any of "
            "them will do.\nOr a pattern between slashes, such as <code>/invoice.*2026/</code>.",
            typed,
        )

    def ask_dates(self, typed: str | None) -> str:
        return self._ask(
            f"From which days shall files be? Send <code>2026-01-31</code>, <code>31.01.2026 - 31.03.2026</code> or "
            f"<code>until 31.03.2026</code>. Days are those of {quote(self._zone.key)}.",
            typed,
        )

    def ask_endings(self, typed: str | None) -> str:
        return self._ask(
            "Which other endings of file names? Send them with commas between: <code>dwg, iso</code>.", typed
        )

    def _ask(self, question: str, typed: str | None) -> str:
        """With what was sent last and could not be read, to be copied and mended."""
        return f"{question}\nYou sent: <code>{quote(typed)}</code>" if typed else question

    def kept(self, name: str | None, filters: Filters, *, was_read: bool) -> str:
        whose = f"{title(name)} saves" if name else "Channels that you save from now on bring"
        later = (
            "\nPosts that were read before stay as they are. To look at them again, start over: files that are here "
            "are not fetched again."
            if was_read
            else ""
        )
        return f"{whose}: <b>{self.words(filters)}</b>.{later}"

    # -- where it starts

    def ask_start(self, name: str, *, is_new: bool) -> str:
        if is_new:
            return f"{self.heading(name)}\nWhat shall the first save bring?"
        return (
            f"<b>Start over</b> with {title(name)}: from where shall its posts be read again? Files that are here are "
            "not fetched again."
        )

    def ask_count(self, typed: str | None) -> str:
        return self._ask("How many of the newest posts? Send a number, such as <code>500</code>.", typed)

    def ask_since(self, typed: str | None) -> str:
        return self._ask(
            f"Since which day? Send it as <code>2026-01-31</code> or <code>31.01.2026</code>; it begins in "
            f"{quote(self._zone.key)}.",
            typed,
        )

    def ask_start_over(self, name: str, start: Start, filters: Filters) -> str:
        if start.kind is StartKind.NEW:
            return (
                f"{title(name)} passes over all posts that it has not read yet, and saves <b>only what is new</b>. "
                "What is saved stays, and files that could not be fetched are tried again. Do it?"
            )
        return (
            f"With its next save {title(name)} reads posts again: <b>{self.start(start)}</b>. Files that are here are "
            f"not fetched again; those that are missing ({self.words(filters)}) come, and those that could not be "
            "fetched are tried again. Do it?"
        )

    def starts_over(self, start: Start) -> str:
        """On the card, until the next save."""
        return f"the next save starts with: {self.start(start)}"


def _size(size_bytes: int) -> str:
    """As people type them: 5 MB, not 5.0 MB."""
    return size(size_bytes).replace(".0 ", " ")


def _either(names: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
