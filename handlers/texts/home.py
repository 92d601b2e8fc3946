"""Home, help, the claim link: state first, then what to do."""

from collections.abc import Mapping, Sequence

from handlers.texts.base import Words, number, plural, quote, size, title
from storage.models import HomeSummary, Role, Run, RunKind, RunStatus, SessionState

COMMANDS: dict[str, str] = {
    "start": "Home: what happened, what waits",
    "login": "Add an account",
    "sessions": "Accounts",
    "sources": "Saved channels",
    "scrape": "Save a channel now",
    "runs": "What works, waits and went",
    "requests": "Waiting people",
    "load": "Load who waits at a channel",
    "admins": "Who operates Porter; your PIN",
    "audit": "Who did what",
    "forget": "Forget a person who asked to join",
    "settings": "Time zone, defaults, notices, PIN",
    "cancel": "Leave what is being asked",
    "help": "What Porter does",
}

BUSY = {
    RunKind.SCRAPE: "saving",
    RunKind.LOAD_REQUESTS: "loading who waits at",
    RunKind.DECIDE_ALL: "deciding at",
    RunKind.DECIDE_SOME: "deciding at",
    RunKind.VERIFY: "checking",
}


DISK_WAITS = {
    "TargetFull": "Waits for room on the disk",
    "TargetReadOnly": "Waits for a disk that can be written",
    "TargetGone": "Waits for its disk, which is not there",
}


MOST_RUNS = 8

PATIENCE = "Telegram's limits are obeyed: when it says wait, Porter waits and says until when."
WHAT_PORTER_DOES: dict[Role, str] = {
    Role.OWNER: (
        "📥 It carries channels home: messages and files of channels that your account can read, on a schedule or at "
        "once. To save one, forward any of its posts here or send its t.me link; an open list is searched by typing.\n"
        "🚪 It keeps the gate: it loads who waits at a channel, to be approved or denied one by one or all at once."
    ),
    Role.APPROVER: (
        "🚪 It keeps the gate: whoever asks to join your channels waits here, for you to approve or deny: one by one, "
        "by groups, or all at once. Your last approval can be taken back for ten minutes.\n"
        "🔔 How you are told of new people is set at each channel: its list → ⚙️ Gate, or /settings."
    ),
    Role.VIEWER: (
        "📥 It carries channels home: here you see which, how far, and what did not work.\n"
        "🚪 It keeps the gate: here you see who waits. An owner or approver decides."
    ),
}
LAST_WORDS: dict[Role, str] = {
    Role.OWNER: f"Accounts are kept encrypted. {PATIENCE}",
    Role.APPROVER: f"Which channels are yours, an owner decides. {PATIENCE}",
    Role.VIEWER: f"You change nothing here; an owner may give you another role. {PATIENCE}",
}


class HomeTexts(Words):
    def page(self, summary: HomeSummary, parked: str | None) -> str:
        lines = [" · ".join(filter(None, ("<b>Porter</b>", self._since(summary))))]
        lines += [f"⚠️ {title(s.name)} is {self._dead(s.state)}" for s in summary.sessions if not self._alive(s.state)]
        waiting = sum(entry.pending for entry in summary.pending)
        if waiting:
            verb = "waits" if waiting == 1 else "wait"
            lines.append(f"🚪 {number(waiting)} {verb} at {plural(len(summary.pending), 'channel')}")
        lines += self._runs([run for run in summary.runs if not run.is_held])
        if summary.runs_failed:
            lines.append(f"⚠️ {plural(summary.runs_failed, 'piece')} of work stopped before the end")
        if summary.sources:
            paused = f", {number(summary.sources_paused)} paused" if summary.sources_paused else ""
            held = f", {plural(summary.sources_held, 'waits', 'wait')} for an account" if summary.sources_held else ""
            lines.append(f"📥 {plural(summary.sources, 'saved channel')}{paused}{held}")
        lines += [
            f"🔇 {title(each.name)} is silent since {self.day(each.since)}, against its habit"
            for each in summary.silent
        ]
        if parked:
            lines.append(f"✍️ {parked}")
        if summary.role is Role.OWNER and not summary.sessions and not summary.pending:
            lines.append(self._to_begin(summary.gates))
        if summary.role is Role.APPROVER and not summary.pending:
            lines.append("\nNobody waits at your channels.")
        return "\n".join(lines)

    @staticmethod
    def _to_begin(gates: int) -> str:
        if not gates:
            return "\nNothing is set up yet. What shall Porter do first?"
        return (
            f"\nNew requests at {plural(gates, 'channel')} come here by themselves. Older ones, and saving channels, "
            "need an account."
        )

    def _runs(self, runs: Sequence[Run]) -> list[str]:
        """The first ones; home stays one look long, whatever was asked for."""
        lines = [self._run(run) for run in runs[:MOST_RUNS]]
        more = len(runs) - MOST_RUNS
        return [*lines, f"⏳ and {number(more)} more under way"] if more > 0 else lines

    def _run(self, run: Run) -> str:
        subject = title(run.title)
        if run.status is RunStatus.PAUSED:
            return f"⏸ Paused by you: {BUSY[run.kind]} {subject}"
        if run.status is RunStatus.WAITING and run.reason in DISK_WAITS:
            return f"⚠️ {DISK_WAITS[run.reason]}: {BUSY[run.kind]} {subject}"
        if run.status is RunStatus.WAITING and run.wait_until:
            return f"⏳ Waits until {self.until(run.wait_until)}: {BUSY[run.kind]} {subject}"
        return f"⏳ Busy: {BUSY[run.kind]} {subject}"

    def _since(self, summary: HomeSummary) -> str:
        if not summary.files and not summary.files_failed:
            calm = not (summary.pending or summary.runs)
            return "welcome" if summary.since is None else "all quiet" if calm else ""
        since = f"since {self.at(summary.since)}: " if summary.since else ""
        failed = f", {number(summary.files_failed)} failed" if summary.files_failed else ""
        return f"{since}{plural(summary.files, 'file')} ({size(summary.files_bytes)}){failed}"

    @staticmethod
    def _alive(state: SessionState) -> bool:
        return state is SessionState.ACTIVE

    @staticmethod
    def _dead(state: SessionState) -> str:
        return "banned by Telegram" if state is SessionState.BANNED else "signed out"

    def parked_login(self) -> str:
        return "Your login waits."

    def parked_form(self) -> str:
        return "What you were filling in waits."

    def nothing_parked(self) -> str:
        return "That has been dropped or finished meanwhile."

    def help(self, offered: Mapping[str, str], role: Role) -> str:
        """`offered`: the commands of that role, which hears of nothing that is not for it."""
        commands = "\n".join(f"/{name} – {quote(what)}" for name, what in offered.items())
        return f"<b>What Porter does</b>\n{WHAT_PORTER_DOES[role]}\n\n{commands}\n\n{LAST_WORDS[role]}"

    def claimed(self) -> str:
        return "You own this Porter now. The link is used up. What shall Porter do first?"

    def cancelled(self) -> str:
        return "Left. Nothing was changed."

    def nothing_to_cancel(self) -> str:
        return "Nothing is being asked right now."

    def not_understood(self) -> str:
        return "Porter does not know what to do with that here. These are the places:"

    def another_porter(self) -> str:
        return (
            "Another Porter works with this bot's token. This one has stopped, so that no account is used from two "
            "places. Nothing is lost; start it again when the other one is off. It will ask you about that first."
        )

    def moved(self) -> str:
        return "This screen moved below."

    def button_is_old(self) -> str:
        return "That step is over, or the button is of an older Porter. /start shows the present state."
