"""Under what people are told who ask to join."""

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import GateCard, GreetingAction, GreetingVerb
from handlers.keyboards.base import Row, button, home_row, markup
from handlers.texts import Texts


def card(texts: Texts, channel_id: int, welcome: str | None, refusal: str | None) -> InlineKeyboardMarkup:
    labels = texts.labels

    def row(text: str | None, label: str, verb: GreetingVerb, remove: str, remove_verb: GreetingVerb) -> Row:
        keys = [button(label, GreetingAction(verb=verb, channel=channel_id))]
        if text is not None:
            keys.append(button(remove, GreetingAction(verb=remove_verb, channel=channel_id)))
        return keys

    return markup(
        row(welcome, labels.set_welcome, GreetingVerb.WELCOME, labels.no_welcome, GreetingVerb.NO_WELCOME),
        row(refusal, labels.set_refusal, GreetingVerb.REFUSAL, labels.no_refusal, GreetingVerb.NO_REFUSAL),
        home_row(texts, GateCard(channel=channel_id)),
    )


def ask(texts: Texts, channel_id: int) -> InlineKeyboardMarkup:
    return markup(home_row(texts, GreetingAction(verb=GreetingVerb.SHOW, channel=channel_id)))
