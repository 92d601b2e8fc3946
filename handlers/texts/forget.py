"""Forgetting a person."""

from handlers.texts.base import Words, number, plural, title
from storage.models import Traces


class ForgetTexts(Words):
    def how(self) -> str:
        return (
            "<b>Forget a person</b>\nSend the command with the person's id, such as /forget 123456789. It stands on "
            "the person's card. Ids of channels (-100…) are not people."
        )

    def unknown(self, traces: Traces) -> str:
        return f"Porter knows nothing of {traces.user_id}."

    def ask(self, traces: Traces) -> str:
        known = "\n".join(f"· {line}" for line in self._known(traces))
        return f"<b>Forget {self._who(traces)}?</b> Porter knows\n{known}\nThere is no way back.{self._waits(traces)}"

    def done(self, traces: Traces) -> str:
        return f"{self._who(traces)} is forgotten.{self._waits(traces)} Older backups still know what they knew."

    def _who(self, traces: Traces) -> str:
        return f"{title(traces.name)} ({traces.user_id})" if traces.name else str(traces.user_id)

    def _known(self, traces: Traces) -> list[str]:
        lines = []
        if traces.requests:
            waiting = f", {number(traces.waiting)} of them waiting" if traces.waiting else ""
            lines.append(f"{plural(traces.requests, 'request')} to join{waiting}, with name and what Telegram told")
        if traces.peers:
            lines.append(f"how {plural(traces.peers, 'account')} of yours can reach the person")
        if traces.messages:
            sent = plural(traces.messages, "saved message")
            lines.append(f"who sent {sent}: their text stays with the saved channel, the sender goes")
        if traces.audit:
            lines.append(f"{plural(traces.audit, 'line')} of the audit: the decision stays, the name goes")
        return lines

    def _waits(self, traces: Traces) -> str:
        if not traces.waiting:
            return ""
        return (
            " Telegram is asked nothing: the person still waits at the channel, and the next load shows them again. "
            "Deny first if that shall not be."
        )
