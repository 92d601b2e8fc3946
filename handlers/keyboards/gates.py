"""Under how a channel's gate is kept."""

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    GateCard,
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
    """What may be set about it, one button a line. Where Telegram did not answer, asking again."""
    labels, channel_id = texts.labels, gate.channel.id
    ways: list[tuple[str, CallbackData]] = [
        (labels.load, LoadAction(verb=LoadVerb.ASK, channel=channel_id)),
        (labels.rules, RuleButton(verb=RuleVerb.LIST, id=channel_id)),
        (labels.greetings, GreetingAction(verb=GreetingVerb.SHOW, channel=channel_id)),
        (labels.telling, NoticeAction(verb=NoticeVerb.SHOW, id=channel_id)),
    ]
    is_asked = gate.channel.bot_may_invite is None
    return markup(
        [button(labels.check_again, GateCard(channel=channel_id))] if is_asked else [],
        *[[button(label, data)] for label, data in ways],
        home_row(texts, RequestAction(verb=RequestVerb.LIST, id=channel_id)),
    )
