"""What a first run would bring, in words: for the long way of saving a channel, the short one, and before a run."""

from handlers.texts.base import Words, duration, number, plural, size
from services.estimates import Estimate
from storage.models import FileKind

KINDS = {
    FileKind.PHOTO: ("photo", "photos"),
    FileKind.VIDEO: ("video", "videos"),
    FileKind.AUDIO: ("track", "tracks"),
    FileKind.VOICE: ("voice message", "voice messages"),
    FileKind.DOCUMENT: ("document", "documents"),
}


class EstimateTexts(Words):
    def counts(self, estimate: Estimate) -> str:
        """1,204 photos, 311 documents: what stands in the channel, whatever is wanted of it."""
        by_number = sorted(estimate.counts.items(), key=lambda count: count[1], reverse=True)
        return ", ".join(plural(count, *KINDS[kind]) for kind, count in by_number if count) or "no files"

    def amount(self, estimate: Estimate) -> str:
        """about 2,311 files, 84.0 GB"""
        if not estimate.files:
            return "hardly any files" if estimate.is_sampled else "no files"
        about = "about " if estimate.is_sampled else ""
        return f"{about}{plural(estimate.files, 'file')}, {size(estimate.size_bytes)}"

    def time(self, estimate: Estimate) -> str:
        """about 6 h, as fast as lately"""
        at = "as fast as lately" if estimate.is_measured else "at a usual pace"
        return f"{_about(estimate.seconds)}, {at}"

    def free(self, estimate: Estimate) -> str:
        """ "" where it is not known."""
        if estimate.free_bytes is None:
            return ""
        return f"{size(estimate.free_bytes)} are free" + ("" if estimate.fits else ": that is not enough")

    def line(self, estimate: Estimate) -> str:
        """One line for a page that says more."""
        posts = f"{plural(estimate.posts, 'post')}, " if estimate.posts is not None else ""
        if not (estimate.files or estimate.posts):
            return f"{posts}{self.amount(estimate)}"
        return "; ".join(filter(None, (f"{posts}{self.amount(estimate)}: {self.time(estimate)}", self.free(estimate))))

    def brings(self, estimate: Estimate | None, *, is_large: bool) -> str:
        """At the end of a form. None: Porter could not look."""
        if estimate is None:
            return self.unknown()
        return self.ask(estimate) if is_large else f"{self.line(estimate)}."

    def ask(self, estimate: Estimate) -> str:
        """The question before a large first run."""
        about = "about " if estimate.is_sampled else ""
        free = self.free(estimate)
        return (
            f"⚠️ That is {about}<b>{size(estimate.size_bytes)}</b> in {number(estimate.files)} files: "
            f"{self.time(estimate)}{f'; {free}' if free else ''}."
        )

    def unknown(self) -> str:
        return "How much that is cannot be counted before."


def _about(seconds: float) -> str:
    hours = round(seconds / 3600)
    return f"about {hours} h" if hours >= 3 else ("" if seconds < 60 else "about ") + duration(seconds)
