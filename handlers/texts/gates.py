"""How a channel's gate is kept."""

from handlers.texts.base import Words, number, often, plural
from services.requests.gates import Gate
from storage.request_models import Capped, NotifyMode


def capped(count: Capped) -> str:
    """1,204, or 1,000+."""
    return number(count.at_least) if count.is_exact else f"{number(count.at_least)}+"


class GateTexts(Words):
    def card(self, gate: Gate) -> str:
        lines = [
            f"{self.heading(gate.channel.title)} · {self._waiting(gate.waiting)}",
            self._bot(gate.channel.bot_may_invite),
            self._told(gate),
            self._loads(gate),
        ]
        lines.append(self._ruled(gate))
        return "\n".join(filter(None, lines))

    @staticmethod
    def _waiting(count: int) -> str:
        if not count:
            return "nobody waits"
        return plural(count, "person waits", "people wait")

    @staticmethod
    def _bot(may: bool | None) -> str:
        if may:
            return "The bot lets people in."
        if may is None:
            return "Telegram does not say just now whether the bot may let people in."
        return "The bot may not let people in: give it “Invite users” in the channel's administrators."

    @staticmethod
    def _told(gate: Gate) -> str:
        settings = gate.settings
        if settings.notify is NotifyMode.CARDS:
            return "You are told of each new person by a card."
        if settings.notify is NotifyMode.SILENT:
            return "You are not told of new people."
        return f"You are told of new people every {often(settings.digest_minutes)}."

    def _ruled(self, gate: Gate) -> str:
        if gate.settings.frozen_at is not None:
            return f"❄️ Its rules are frozen since {self.at(gate.settings.frozen_at)}."
        if not gate.rules:
            return ""
        live = sum(rule.live_since is not None for rule in gate.rules)
        return f"{plural(len(gate.rules), 'rule')}: {number(live)} at work, {number(len(gate.rules) - live)} on trial."

    def _loads(self, gate: Gate) -> str:
        if gate.loads is None or not gate.loads.enabled:
            return "Who waits is loaded when you ask."
        if gate.loads.next_due_at is None:
            return "Who waits is loaded by itself."
        return f"Who waits is loaded by itself, next {self.at(gate.loads.next_due_at)}."
