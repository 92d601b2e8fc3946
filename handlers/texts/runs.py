"""Cards of long work: bar, counts, speed, time left, and the end."""

from handlers.texts.base import Words, bar, duration, number, plural, quote, size, title
from storage.models import Run, RunKind, RunStatus

DOING = {
    RunKind.SCRAPE: "Saving",
    RunKind.LOAD_REQUESTS: "Loading who waits at",
    RunKind.DECIDE_ALL: "Deciding at",
    RunKind.VERIFY: "Checking",
}
REASONS = {
    "SessionDead": "the account is signed out. Sign in again, then start anew; nothing is lost",
    "ChannelUnavailable": "the account cannot see this channel any more",
    "ChannelNotFound": "the channel does not exist any more",
    "RightMissing": "neither the account nor the bot may let people in there",
    "SessionRequired": "it needs an account that may let people in there",
    "Unreachable": "Telegram could not be reached. What is done is kept; start again later",
    "ProxyFailed": "the account's proxy does not lead to Telegram. Mend or change it, then start again",
    "TelegramRefused": "Telegram refused, in words that Porter does not know. The log has them; what is done is kept",
    "TargetUnavailable": "the folder cannot be written: Porter may not, or the disk refuses. Mend that first",
    "FolderInvalid": "the folder would lie outside its root. Choose another",
    "NotFound": "what it worked on is deleted",
    "NotAllowed": "whoever asked for it may not decide there any more",
    "Defect": "of a defect in Porter. The log has the details; what is done is kept",
}


DISKS = {
    "TargetFull": ("The disk is full", "when there is room"),
    "TargetReadOnly": ("The disk cannot be written, only read", "when that is mended"),
    "TargetGone": ("The disk is not there, or another one is in its place", "when it is back"),
}
"""Why a run waits for its disk, and for how long."""


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
            lines.append(f"It stopped because {self._reason(run)}.")
        return "\n".join(lines)

    def _headline(self, run: Run) -> str:
        subject = title(run.title)
        return {
            RunStatus.QUEUED: f"{DOING[run.kind]} {subject}: about to start",
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
        names = {
            "new": "new",
            "known": "known before",
            "gone": "gone meanwhile",
            "approved": "approved",
            "denied": "denied",
            "elsewhere": "decided elsewhere",
            "stay": "stay waiting",
        }
        counted = [f"{number(n)} {names.get(key, key)}" for key, n in progress.counters.items() if n]
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

    def _reason(self, run: Run) -> str:
        return REASONS.get(run.reason or "", f"Telegram refused: {quote(run.reason)}")

    def will_tell(self) -> str:
        return "You will get a message when this ends."

    def over_already(self) -> str:
        return "This is over already."
