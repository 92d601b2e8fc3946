"""What people are told who ask to join."""

from handlers.texts.base import Words, quote, title
from storage.models import Channel


class GreetingTexts(Words):
    def card(self, channel: Channel, welcome: str | None, refusal: str | None) -> str:
        when = (
            "The bot writes it just before the decision, if that falls within five minutes after they asked: Telegram "
            "allows no more. Those who are decided many at once are told nothing."
        )
        head = f"<b>What people are told at {title(channel.title)}</b>"
        return "\n".join((head, f"Welcome: {self._shown(welcome)}", f"Refusal: {self._shown(refusal)}", when))

    @staticmethod
    def _shown(text: str | None) -> str:
        return "nothing" if text is None else f"\n<blockquote>{quote(text)}</blockquote>"

    def ask(self, channel: Channel, *, is_welcome: bool) -> str:
        who = "whoever gets in" if is_welcome else "whoever is refused"
        return (
            f"<b>{'Welcome' if is_welcome else 'Refusal'}</b> at {title(channel.title)}\nSend the text for {who}. "
            "Plain text, 1,000 characters at most."
        )
