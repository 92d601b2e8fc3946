"""Cards of long work: bar, counts, speed, time left, and the end; and the list of all of it."""

from handlers.texts.base import Words, bar, duration, fitted, number, plural, quote, shorten, size, title
from handlers.texts.failed import FailedTexts
from services.run_list import RunPage
from services.scraping import failed_by_cause
from storage.models import Run, RunKind, RunStatus

DOING = {
    RunKind.SCRAPE: "Saving",
    RunKind.LOAD_REQUESTS: "Loading who waits at",
    RunKind.DECIDE_ALL: "Deciding at",
    RunKind.DECIDE_SOME: "Deciding at",
    RunKind.VERIFY: "Checking",
}
REASONS = {
    "SessionDead": "the account is signed out. Sign in again, then start anew; nothing is lost",
    "ChannelUnavailable": "the account cannot see this channel any more",
    "BotOutside": "the bot that reads it is no administrator there any more. Make it one, then start again",
    "ChannelNotFound": "the channel does not exist any more",
    "FileGone": "what was chosen was deleted at Telegram",
    "PatternInvalid": "the pattern of its filters cannot be read. Change what is saved",
    "RightMissing": "neither the account nor the bot may let people in there",
    "SessionRequired": "it needs an account that may let people in there",
    "AccountRequired": "a bot may not do this. Let an account of a person read the channel, then start again",
    "RestoreUnconfirmed": "an owner has not said yet that the old Porter is off. /start asks; then start again",
    "CiphertextInvalid": "what Porter keeps encrypted of its account is damaged. Delete the account and add it again",
    "Unreachable": "Telegram could not be reached. What is done is kept; start again later",
    "ProxyFailed": "the account's proxy does not lead to Telegram. Mend or change it, then start again",
    "TelegramRefused": "Telegram refused, in words that Porter does not know. The log has them; what is done is kept",
    "TargetUnavailable": "the folder cannot be written: Porter may not, or the disk refuses. Mend that first",
    "FolderInvalid": "the folder would lie outside its root. Choose another",
    "NotFound": "what it worked on is deleted",
    "NotAllowed": "whoever asked for it may not decide there any more",
    "Defect": "of a defect in Porter. The log has the details; what is done is kept",
}
OTHER_REASON = "of something rare. The log has the details; what is done is kept"


def why(reason: str | None) -> str:
    """Behind “because”. A reason is the name of an error, which is nothing to show."""
    return REASONS.get(reason or "", OTHER_REASON)


DISKS = {
    "TargetFull": ("The disk is full", "when there is room"),
    "TargetReadOnly": ("The disk cannot be written, only read", "when that is mended"),
    "TargetGone": ("The disk is not there, or another one is in its place", "when it is back"),
}
"""Why a run waits for its disk, and for how long."""


COUNTED = {
    "new": "new",
    "known": "known before",
    "gone": "gone meanwhile",
    "withdrawn": "withdrawn or denied elsewhere",
    "approved": "approved",
    "denied": "denied",
    "elsewhere": "decided elsewhere",
    "stay": "stay waiting",
    "unseen": "of them unseen",
}


MARKS = {
    RunStatus.QUEUED: "🕓",
    RunStatus.RUNNING: "▶",
    RunStatus.WAITING: "⏳",
    RunStatus.PAUSED: "⏸",
    RunStatus.DONE: "✅",
    RunStatus.FAILED: "⚠️",
    RunStatus.CANCELLED: "⏹",
}


def share(run: Run) -> float | None:
    """How much of it is done, 0 to 1. None: not known yet."""
    progress = run.progress
    done, total = (
        (progress.done_bytes, progress.total_bytes) if progress.total_bytes else (progress.done, progress.total)
    )
    return min(1.0, done / total) if total else None


class RunTexts(Words):
    def card(self, run: Run, speed: float | None = None) -> str:
        """`speed`: bytes or items a second, as measured while the card is drawn; None: not known."""
        lines = [f"<b>{self._headline(run)}</b>"]
        if run.status is RunStatus.QUEUED:
            return lines[0]
        if run.kind is RunKind.SCRAPE:
            lines += self._scrape(run)
        elif run.kind is RunKind.VERIFY:
            lines += self._verify(run)
        else:
            lines += self._counted(run)
        if run.status is RunStatus.RUNNING and speed:
            lines.append(self._pace(run, speed))
        if run.status is RunStatus.WAITING and run.wait_until:
            lines.append(self._waiting(run))
        if run.is_held:
            lines.append("Its account is signed out or banned. Once it works again, this goes on where it stood.")
        if run.status is RunStatus.FAILED:
            lines.append(f"It stopped because {why(run.reason)}.")
        if run.finished_at:
            lines.append(self._when(run))
        return "\n".join(lines)

    def _when(self, run: Run) -> str:
        """When it went, how long, and on whose word."""
        assert run.finished_at is not None
        asked = "on schedule" if run.requested_by is None else "asked for in the chat"
        if run.started_at is None:
            return f"Ended {self.at(run.finished_at)}, {asked}"
        took = duration((run.finished_at - run.started_at).total_seconds())
        return f"{self.at(run.started_at)} to {self.at(run.finished_at)} ({took}), {asked}"

    def _headline(self, run: Run) -> str:
        subject = title(run.title)
        return {
            RunStatus.QUEUED: f"{DOING[run.kind]} {subject}: about to start, in its turn",
            RunStatus.RUNNING: f"{DOING[run.kind]} {subject}",
            RunStatus.WAITING: f"{DOING[run.kind]} {subject}: waiting",
            RunStatus.PAUSED: f"{DOING[run.kind]} {subject}: paused by you",
            RunStatus.DONE: f"✅ {subject}: done",
            RunStatus.FAILED: f"⚠️ {subject}: stopped",
            RunStatus.CANCELLED: f"{subject}: stopped by you; what is done is kept",
        }[run.status]

    def _scrape(self, run: Run) -> list[str]:
        progress = run.progress
        lines = [f"{plural(progress.counters.get('messages', 0), 'new message')}"]
        files = progress.counters.get("files", 0)
        if progress.total_bytes:
            lines.append(bar(progress.done_bytes, progress.total_bytes))
            lines.append(
                f"{number(progress.done)} of {plural(progress.total or 0, 'file')} · {size(progress.done_bytes)} of "
                f"{size(progress.total_bytes)}"
            )
        elif progress.total and run.is_active:
            lines.append(bar(progress.done, progress.total))
            lines.append(f"{number(progress.done)} of about {plural(progress.total, 'message')} read")
        else:
            lines.append(f"{plural(files, 'new file')}")
        if failed := progress.counters.get("failed", 0):
            lines.append(f"⚠️ {plural(failed, 'file')} could not be fetched")
            if causes := failed_by_cause(run):
                lines.append(FailedTexts(self._zone, self._now).of_run(causes))
        if duplicates := progress.counters.get("duplicates", 0):
            lines.append(f"{plural(duplicates, 'file')} left out: here already")
        return lines

    def _verify(self, run: Run) -> list[str]:
        progress = run.progress
        lines = []
        if run.is_active and progress.total:
            lines.append(bar(progress.done_bytes, progress.total_bytes or 0))
            lines.append(
                f"{number(progress.done)} of {plural(progress.total, 'file')} · {size(progress.done_bytes)} of "
                f"{size(progress.total_bytes or 0)}"
            )
        damaged, missing = (progress.counters.get(name, 0) for name in ("damaged", "missing"))
        if damaged or missing:
            found = [f"{number(n)} {word}" for n, word in ((damaged, "damaged"), (missing, "missing")) if n]
            lines.append(f"⚠️ {', '.join(found)}. Porter fetches them with the next save.")
        if unchecked := progress.counters.get("unchecked", 0):
            lines.append(f"{plural(unchecked, 'file')} not checked: on a disk that NAS_ROOTS does not name any more.")
        elif run.status is RunStatus.DONE and not damaged and not missing:
            lines.append(f"{plural(progress.total or 0, 'file')} checked: all as they were saved.")
        if damaged:
            lines.append("What was damaged is set aside as <code>….damaged</code>, in case it was changed on purpose.")
        return lines

    def _counted(self, run: Run) -> list[str]:
        progress = run.progress
        lines = []
        if progress.total and run.is_active:
            lines.append(bar(progress.done, progress.total))
            lines.append(f"{number(progress.done)} of {plural(progress.total, 'person', 'people')}")
        counted = [f"{number(n)} {COUNTED.get(key, key)}" for key, n in progress.counters.items() if n]
        if counted:
            lines.append(" · ".join(counted))
        elif run.status is RunStatus.DONE:
            lines.append("Nobody waits.")
        return lines

    def _pace(self, run: Run, speed: float) -> str:
        progress = run.progress
        if progress.total_bytes:
            left = (progress.total_bytes - progress.done_bytes) / speed
            return f"{size(speed)}/s · {duration(left)} left"
        left = ((progress.total or 0) - progress.done) / speed
        return f"{number(round(speed))} a second · {duration(max(0, left))} left"

    def _waiting(self, run: Run) -> str:
        assert run.wait_until is not None
        if run.reason in DISKS:
            what, until_when = DISKS[run.reason]
            return f"{what}: {self._safe(run)}; it goes on by itself {until_when}."
        if run.reason == "FloodWait":
            until = self.until(run.wait_until)
            return f"Telegram pauses this account until {until}. What is done is safe; it goes on by itself."
        return f"Telegram could not be reached. Porter tries again at {self.until(run.wait_until)} by itself."

    def _safe(self, run: Run) -> str:
        progress = run.progress
        if not progress.total_bytes or progress.total is None:
            return "nothing is lost"
        word = "checked" if run.kind is RunKind.VERIFY else "safe"
        return f"{number(progress.done)} of {plural(progress.total, 'file')} are {word}"

    # -- the list

    def all(self, page: RunPage, *, only_failed: bool, is_searched: bool, searched: str | None) -> str:
        under_way = f" · {number(page.active)} under way" if page.active else ""
        lines = [f"<b>{'Work that went wrong' if only_failed else 'Work'}</b>{under_way}"]
        if is_searched:
            what = f" with {quote(searched)}" if searched else ""
            lines.append(f"🔎 Work{what}. Tap “Show all” to see the rest.")
        if not page.runs:
            nothing = "Nothing is under way or waits. What is saved, loaded and decided shows here."
            lines.append("Nothing went wrong." if only_failed else nothing)
        return "\n".join([*lines, *map(self._line, page.runs)])

    def label(self, run: Run) -> str:
        """Mark, title and what tells most; the title gives way."""
        return fitted(f"{self._mark(run)} ", run.title, self._tail(run))

    def all_label(self, active: int) -> str:
        return f"🛠 All work · {number(active)} under way" if active else "🛠 All work"

    def others_label(self, count: int) -> str:
        return f"What else waits: {number(count)}"

    @staticmethod
    def _mark(run: Run) -> str:
        if run.is_held:
            return "🔴"
        if run.status is RunStatus.DONE and run.progress.counters.get("failed"):
            return "⚠️"
        return MARKS[run.status]

    def _tail(self, run: Run) -> str:
        if run.status is RunStatus.RUNNING and (done := share(run)) is not None:
            return f" · {done:.0%}"
        moment = run.wait_until if run.is_active else run.finished_at
        if moment is None:
            return ""
        return f" · {self.until(moment)}" if run.is_active else f" · {self.brief(moment)}"

    def _line(self, run: Run) -> str:
        return f"{self._mark(run)} {DOING[run.kind]} {title(shorten(run.title, 40))}: {self._state(run)}"

    def _state(self, run: Run) -> str:
        match run.status:
            case RunStatus.QUEUED:
                return "waits for its turn"
            case RunStatus.RUNNING:
                done = share(run)
                return "has begun" if done is None else bar(done, 1)
            case RunStatus.PAUSED:
                return "waits for your answer" if run.is_asking else "paused by you"
            case RunStatus.WAITING:
                return self._waits(run)
            case RunStatus.FAILED:
                return f"stopped {self._ended(run)} because {why(run.reason)}"
            case RunStatus.CANCELLED:
                return f"stopped by you {self._ended(run)}"
            case RunStatus.DONE:
                return f"{self._outcome(run)}, {self._ended(run)}"

    def _waits(self, run: Run) -> str:
        if run.is_held:
            return "waits for its account, which is signed out or banned"
        if run.reason in DISKS:
            return DISKS[run.reason][0][0].lower() + DISKS[run.reason][0][1:]
        until = self.until(run.wait_until) if run.wait_until else "…"
        if run.reason == "FloodWait":
            return f"Telegram pauses its account until {until}"
        return f"Telegram could not be reached, tried again at {until}"

    def _outcome(self, run: Run) -> str:
        counters = run.progress.counters
        if run.kind is RunKind.SCRAPE:
            failed = f", {number(counters['failed'])} failed" if counters.get("failed") else ""
            messages = plural(counters.get("messages", 0), "message")
            return f"{messages}, {plural(counters.get('files', 0), 'file')}{failed}"
        if run.kind is RunKind.VERIFY:
            lost = counters.get("damaged", 0) + counters.get("missing", 0)
            return f"{number(lost)} damaged or missing" if lost else "all as they were saved"
        counted = [f"{number(n)} {COUNTED.get(key, key)}" for key, n in counters.items() if n]
        return " · ".join(counted) or "nobody waits"

    def _ended(self, run: Run) -> str:
        return self.at(run.finished_at) if run.finished_at else ""

    def will_tell(self) -> str:
        return "You will get a message when this ends."

    def over_already(self) -> str:
        return "This is over already."
