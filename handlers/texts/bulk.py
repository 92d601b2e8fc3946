"""Decisions on many: what is asked before, the card while it works, and what became of everybody."""

from handlers.texts.base import number, plural, quote, shorten, title
from handlers.texts.request_conditions import ConditionTexts
from handlers.texts.requests import REFUSALS
from handlers.texts.runs import RunTexts, why
from services.requests.bulk import Preview
from services.requests.endings import Ending
from storage.models import NEW_SINCE_PREVIEW, JoinRequest, Run, RunKind, RunStatus

OUTCOMES = {"approved": "in", "denied": "denied", "withdrawn": "withdrew", "elsewhere": "decided elsewhere"}
NAME_CHARACTERS = 40


class BulkTexts(RunTexts):
    # -- before

    def preview(self, preview: Preview, undo_seconds: float) -> str:
        many = preview.many
        if not many.count and not many.is_everybody:
            return f"Nobody of those waits at {title(preview.channel.title)} any more."
        verb = "Approve" if many.approve else "Deny"
        whom = self._whom(many.count, is_everybody=many.is_everybody)
        lines = [f"<b>{verb} {whom}</b> at {title(preview.channel.title)}?"]
        if many.request_ids is not None:
            lines.append("Those whom you have ticked.")
        elif meant := ConditionTexts(self._zone, self._now).meant(many.filters):
            lines.append(meant)
        lines += [self._line_of(request) for request in preview.sample]
        if many.count > len(preview.sample):
            lines.append(f"… and {number(many.count - len(preview.sample))} more.")
        lines.append("They become members." if many.approve else "They may ask again.")
        if many.is_everybody and many.approve:
            lines.append("The list is read anew just before. Whoever is on it and was not here is asked about.")
        elif many.is_everybody:
            lines.append("Whoever asks until it is done is denied with them.")
        else:
            lines.append("Whoever comes later is not meant.")
        if undo_seconds:
            lines.append(f"After the yes there are {plural(round(undo_seconds), 'second')} to take it back.")
        return "\n".join(lines)

    @staticmethod
    def _whom(count: int, *, is_everybody: bool) -> str:
        if is_everybody:
            if not count:
                return "whoever waits"
            return "the one who waits" if count == 1 else f"all {number(count)} who wait"
        return plural(count, "person", "people")

    def _line_of(self, request: JoinRequest) -> str:
        username = f" @{quote(request.username)}" if request.username else ""
        return f"· {quote(shorten(request.name, NAME_CHARACTERS))}{username}, {self.ago(request.asked_at)}"

    @staticmethod
    def confirm_label(preview: Preview) -> str:
        count = number(preview.many.count) if preview.many.count else "all"
        return f"Confirm: {'approve' if preview.many.approve else 'deny'} {count}"

    @staticmethod
    def others_first() -> str:
        return "People are being decided at this channel just now. Nobody else was. Ask again when that is done."

    # -- the card

    def card_of(self, run: Run, speed: float | None, ending: Ending | None) -> str:
        """`ending`: of one that is over."""
        lines = [self.card(run, speed)]
        if run.status is RunStatus.QUEUED and run.wait_until is not None:
            lines.append("Until then “Undo” takes it back: nobody is decided before.")
        if run.is_asking:
            lines.append(self._question(run))
        if ending is not None:
            lines += self._ending(run, ending)
        return "\n".join(line for line in lines if line)

    def _question(self, run: Run) -> str:
        if run.reason != NEW_SINCE_PREVIEW:
            paused = f"It paused because {why(run.reason)}."
            return f"{paused} Whoever is not decided waits on. Once that is mended, tap “Go on”."
        new, seen = run.checkpoint["new"], run.checkpoint["seen"]
        return (
            f"<b>+{number(new)} new since your preview</b>: {number(seen + new)} wait now. “Only” decides "
            f"{plural(seen, 'person', 'people')} one by one, and leaves the new ones waiting."
        )

    def _ending(self, run: Run, ending: Ending) -> list[str]:
        lines = []
        if ending.reasons:
            why = [f"{number(count)}: {REFUSALS.get(word, quote(word))}" for word, count in ending.reasons.items()]
            lines.append(f"Who stays: {', '.join(why)}.")
        if unseen := run.progress.counters.get("unseen", 0):
            names = ", ".join(quote(shorten(request.name, NAME_CHARACTERS)) for request in ending.unseen)
            more = f" and {number(unseen - len(ending.unseen))} more" if unseen > len(ending.unseen) else ""
            decided = "let in" if run.params["approve"] else "denied"
            lines.append(f"⚠️ {number(unseen)} {decided} unseen, who asked at the last moment: {names}{more}")
        left = (run.progress.total or 0) - run.progress.done
        if run.status is RunStatus.DONE or run.started_at is None or left <= 0:
            return lines
        if run.checkpoint.get("told_at"):
            lines.append("Telegram had been asked for all of them by then: load anew to see who waits still.")
        else:
            lines.append(f"{plural(left, 'person waits', 'people wait')} still, not decided.")
        return lines

    def _headline(self, run: Run) -> str:
        subject = title(run.title)
        doing = f"{'Approving' if run.params['approve'] else 'Denying'} {self._meant(run)} at {subject}"
        if run.status is RunStatus.QUEUED and run.wait_until is not None:
            return f"{doing} begins {self.countdown(run.wait_until)}"
        if run.status is RunStatus.CANCELLED and run.started_at is None:
            return f"↩ Taken back: nobody at {subject} was decided"
        if run.status is RunStatus.PAUSED:
            return f"{doing}: {'waits for your answer' if run.is_asking else 'paused by you'}"
        return {
            RunStatus.QUEUED: f"{doing}: about to start, in its turn",
            RunStatus.RUNNING: doing,
            RunStatus.WAITING: f"{doing}: waiting",
            RunStatus.DONE: f"✅ {subject}: done",
            RunStatus.FAILED: f"⚠️ {subject}: stopped",
            RunStatus.CANCELLED: f"{subject}: stopped by you; what is done is kept",
        }[run.status]

    @staticmethod
    def _meant(run: Run) -> str:
        everybody = "everybody" if run.kind is RunKind.DECIDE_ALL else ""
        return everybody or plural(run.params["count"], "person", "people")

    def _counted(self, run: Run) -> list[str]:
        """1,897 in, 5 withdrew, 2 stay."""
        if run.is_active:
            return super()._counted(run)
        counters = run.progress.counters
        told = [f"{number(counters[name])} {word}" for name, word in OUTCOMES.items() if counters.get(name)]
        if stay := counters.get("stay"):
            told.append("1 stays" if stay == 1 else f"{number(stay)} stay")
        if told:
            return [", ".join(told)]
        return ["Nobody waits."] if run.status is RunStatus.DONE else []

    def next_label(self, ending: Ending) -> str:
        return f"Next: {number(ending.following)}"

    def only_label(self, run: Run) -> str:
        return f"Only the {number(run.checkpoint['seen'])} I saw"

    # -- the file

    def file_name(self, run: Run) -> str:
        moment = run.finished_at or run.created_at
        return f"{'approved' if run.params['approve'] else 'denied'}-{moment:%Y%m%d-%H%M%S}.csv"

    def file_caption(self, run: Run) -> str:
        return f"Who was decided at {title(run.title)}, and how. Times are UTC."
