"""Under how a channel's gate is kept."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    GreetingAction,
    GreetingVerb,
    LoadAction,
    LoadVerb,
    NoticeAction,
    NoticeVerb,
    RequestAction,
    RequestVerb,
    RuleButton,
    RuleVerb,
)
from handlers.keyboards.base import button, home_row, markup
from handlers.texts import Texts
from services.requests.gates import Gate


def card(texts: Texts, gate: Gate) -> InlineKeyboardMarkup:
    """What may be set about it, one button a line."""
    labels, channel_id = texts.labels, gate.channel.id
    ways: list[tuple[str, CallbackData]] = [
        (labels.load, LoadAction(verb=LoadVerb.ASK, channel=channel_id)),
        (labels.rules, RuleButton(verb=RuleVerb.LIST, id=channel_id)),
        (labels.greetings, GreetingAction(verb=GreetingVerb.SHOW, channel=channel_id)),
        (labels.telling, NoticeAction(verb=NoticeVerb.SHOW, id=channel_id)),
    ]
    return markup(
        *[[button(label, data)] for label, data in ways],
        home_row(texts, RequestAction(verb=RequestVerb.LIST, id=channel_id)),
    )
