"""The rules of a channel, how they did on trial, and what a change of them would do."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from handlers.texts.base import Words, number, plural, quote, shorten, title, unmarked
from handlers.texts.request_conditions import ConditionTexts
from services.requests.rules import ChangeKind, Proposal, RuleBookPage
from storage.request_models import Figures, Outlook, RequestFilters, Rule, RuleAction

SIGNS = {RuleAction.APPROVE: "✅", RuleAction.DENY: "🚫", RuleAction.HOLD: "✋"}
ACTIONS = {RuleAction.APPROVE: "Approve", RuleAction.DENY: "Deny", RuleAction.HOLD: "Leave to us"}
TELLING = 20
"""Decisions of admins from which on the share of those that a rule agreed with is told."""
DONE = {RuleAction.APPROVE: "approved", RuleAction.DENY: "denied", RuleAction.HOLD: "left to you"}
QUESTIONS = {
    ChangeKind.EDIT: "Change this rule?",
    ChangeKind.LIVE: "Let this rule decide by itself?",
    ChangeKind.TRIAL: "Put this rule back on trial?",
    ChangeKind.UP: "Put this rule earlier?",
    ChangeKind.DOWN: "Put this rule later?",
    ChangeKind.DELETE: "Delete this rule?",
    ChangeKind.FREE: "Let the rules work again?",
}


class RuleTexts(Words):
    def __init__(self, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        super().__init__(zone, clock)
        self._conditions = ConditionTexts(zone, clock)

    # -- the rules of a channel

    def page(self, book: RuleBookPage, shown: Sequence[Rule]) -> str:
        lines = [f"<b>Rules of {title(book.channel.title)}</b>"]
        if book.settings.frozen_at is not None:
            lines.append(self._frozen(book.settings.frozen_at, by_admin=book.settings.frozen_by is not None))
        if not book.rules:
            lines.append(
                "No rules yet: people decide here. A rule decides on those whom its conditions fit. It begins on "
                "trial: it only writes down what it would have done, until an owner lets it decide."
            )
            return "\n".join(lines)
        lines.append("Of the rules that fit somebody, the first one counts.")
        lines += [f"{book.rules.index(rule) + 1}. {self._line(rule, book.figures.get(rule.id))}" for rule in shown]
        lines.append(self._trial_of_all(book))
        return "\n".join(filter(None, lines))

    def _line(self, rule: Rule, figures: Figures | None) -> str:
        return f"{self.rule(rule.action, rule.filters)}\n    <i>{self._standing(rule, figures or Figures())}</i>"

    def label(self, place: int, rule: Rule) -> str:
        words = unmarked(self._conditions.words(rule.filters))
        return f"{place} · {SIGNS[rule.action]}{'' if rule.live_since else ' ⏳'} {words}"

    def rule(self, action: RuleAction, filters: RequestFilters) -> str:
        """✅ Approve: with a photo, waits over 1 hour"""
        return f"{SIGNS[action]} {ACTIONS[action]}: {self._conditions.words(filters)}"

    def _standing(self, rule: Rule, figures: Figures) -> str:
        if rule.live_since is None:
            return f"on trial since {self.at(rule.created_at)}: {self._trial(rule.action, figures)}"
        if rule.action is RuleAction.HOLD:
            return f"holds back since {self.at(rule.live_since)}"
        return f"decides since {self.at(rule.live_since)}: {number(figures.carried_out)} {DONE[rule.action]}"

    def _trial(self, action: RuleAction, figures: Figures) -> str:
        if not figures.meant:
            return "it has fitted nobody yet"
        said = f"would have {DONE[action]} {number(figures.meant)}"
        if action is RuleAction.HOLD:
            said = f"would have left {number(figures.meant)} to you"
        return f"{said}{_agreed(figures.agreed, figures.decided)}"

    def _trial_of_all(self, book: RuleBookPage) -> str:
        """Where several are on trial: as if all of them had decided."""
        tried = [(rule, book.figures.get(rule.id, Figures())) for rule in book.rules if rule.live_since is None]
        parts = [
            f"{DONE[action]} {number(meant)}"
            for action in (RuleAction.APPROVE, RuleAction.DENY)
            if (meant := sum(figures.meant for rule, figures in tried if rule.action is action))
        ]
        if len(tried) < 2 or not parts:
            return ""
        agreed = _agreed(sum(each.agreed for _, each in tried), sum(each.decided for _, each in tried))
        return f"All on trial together would have {', '.join(parts)}{agreed}."

    def _frozen(self, since: datetime, *, by_admin: bool) -> str:
        if by_admin:
            return f"❄️ Frozen since {self.at(since)}: no rule decides. What they would do is still written down."
        return (
            f"❄️ Porter froze them at {self.at(since)}: it may not let people in here any more. Give the bot the right "
            "“Invite users”, then let the rules work again."
        )

    # -- one rule

    def card(self, book: RuleBookPage, rule: Rule) -> str:
        lines = [
            f"<b>Rule {book.rules.index(rule) + 1} of {len(book.rules)}</b> at {title(book.channel.title)}",
            self.rule(rule.action, rule.filters),
            f"<i>{self._standing(rule, book.figures.get(rule.id, Figures()))}</i>",
        ]
        if book.settings.frozen_at is not None:
            lines.append(self._frozen(book.settings.frozen_at, by_admin=book.settings.frozen_by is not None))
        elif rule.live_since is None:
            lines.append("It decides on nobody until an owner lets it.")
        return "\n".join(lines)

    def form(self, channel_title: str, action: RuleAction, filters: RequestFilters, *, was_live: bool) -> str:
        end = (
            "Changed, it goes back on trial and its figures begin anew."
            if was_live
            else "Kept, it is on trial: it decides on nobody until an owner lets it."
        )
        return (
            f"<b>A rule for {title(channel_title)}</b>\n{self.rule(action, filters)}\n\n"
            f"All that is set must hold. {end}"
        )

    # -- what a change would do

    def ask(self, book: RuleBookPage, proposal: Proposal) -> str:
        change, outlook = proposal.change, proposal.outlook
        lines = [f"<b>{QUESTIONS[change.kind]}</b>"]
        if change.rule_id:
            rule = book.of(change.rule_id)
            lines.append(f"{self.rule(rule.action, rule.filters)}, at {title(book.channel.title)}")
            if change.kind is ChangeKind.LIVE:
                figures = book.figures.get(rule.id, Figures())
                lines.append(f"On trial since {self.at(rule.created_at)}: {self._trial(rule.action, figures)}.")
            if change.kind is ChangeKind.EDIT:
                lines.append(f"From now on: {self.rule(change.action, change.filters)}, on trial at first.")
        else:
            lines.append(f"At {title(book.channel.title)}")
        lines.append(self._outlook(outlook))
        lines += [self._sampled(request.name, request.username, action) for request, action in outlook.sample]
        if change.kind is ChangeKind.LIVE:
            lines.append("From then on it decides on everybody whom it fits: who comes, and who is loaded, as well.")
        if book.settings.frozen_at is not None and change.kind is not ChangeKind.FREE:
            lines.append("The rules are frozen: it decides on nobody before they work again.")
        return "\n".join(lines)

    @staticmethod
    def _outlook(outlook: Outlook) -> str:
        if outlook.is_empty:
            return "Nobody who waits now is decided by this."
        parts = [
            f"{plural(count, 'person', 'people')} who {'waits' if count == 1 else 'wait'} now {word}"
            for count, word in (
                (outlook.approve, "get in at once" if outlook.approve != 1 else "gets in at once"),
                (outlook.deny, "are refused at once" if outlook.deny != 1 else "is refused at once"),
            )
            if count
        ]
        return f"⚠️ {', '.join(parts)}:"

    @staticmethod
    def _sampled(name: str, username: str | None, action: RuleAction) -> str:
        handle = f" @{quote(username)}" if username else ""
        return f"· {SIGNS[action]} {quote(shorten(name, 40))}{handle}"

    # -- told by itself

    def stopped(self, channel_title: str) -> str:
        return (
            f"The rules of {title(channel_title)} are frozen: Porter may not let people in there any more. Nobody is "
            "lost: who asks waits. Give the bot the right “Invite users”, then let the rules work again."
        )


def _agreed(agreed: int, decided: int) -> str:
    """Rounded down: 100 % are all of them. Of few, a share would say more than is known."""
    if not decided:
        return ", none of them decided by you yet"
    if decided < TELLING:
        return f"; agreed with admins {number(agreed)} of {number(decided)} times; too few to tell"
    return f"; admins agreed in {100 * agreed // decided} % (of {number(decided)} decided)"
