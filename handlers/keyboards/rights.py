"""Under connecting channels, and under who may let people in where."""

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.callbacks import Go, LoadAction, LoadVerb, Place, RightsPick, RightsVerb
from handlers.keyboards.base import Row, button, home_row, markup, turning
from handlers.links import bot_to_channel, bot_to_group
from handlers.texts import Texts
from storage.models import Channel


def card(texts: Texts, count: int, page: int, username: str) -> InlineKeyboardMarkup:
    return markup(
        turning(texts, page, count, (RightsPick(page=number) for number in (page - 1, page + 1))),
        [button(texts.labels.check_again, RightsPick(verb=RightsVerb.CHECK, page=page))],
        *add_bot(texts, username),
        home_row(texts, Go(to=Place.REQUESTS)),
    )


def add_bot(texts: Texts, username: str) -> list[Row]:
    """Telegram asks which channel, and shows the right that the bot wants."""
    labels = texts.labels
    return [
        [InlineKeyboardButton(text=labels.bot_to_channel, url=bot_to_channel(username))],
        [InlineKeyboardButton(text=labels.bot_to_group, url=bot_to_group(username))],
    ]


def connected(texts: Texts, channel: Channel, older: int | None) -> InlineKeyboardMarkup:
    """`older`: as RightsTexts.connected."""
    labels, home = texts.labels, home_row(texts, Go(to=Place.REQUESTS))
    if not channel.bot_may_invite:
        return markup([button(labels.connect, Go(to=Place.CONNECT))], home)
    if older is None:
        return markup(
            [button(labels.add_my_account, Go(to=Place.LOGIN)), button(labels.later, Go(to=Place.REQUESTS))],
            home_row(texts),
        )
    if older == 0:
        return markup(home)
    return markup([button(labels.load, LoadAction(verb=LoadVerb.GO, channel=channel.id), "primary")], home)


def lost(texts: Texts, username: str) -> InlineKeyboardMarkup:
    return markup(
        *add_bot(texts, username),
        [button(texts.labels.rights, RightsPick())],
        home_row(texts, Go(to=Place.REQUESTS)),
    )
