"""Under the questions of adding a bot."""

from collections.abc import Sequence

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import Go, Place
from handlers.keyboards.base import Row, button, home_row, markup
from handlers.keyboards.sessions import sign_in_again
from handlers.texts import Texts
from storage.models import Session

MOST = 3


def have_token(texts: Texts) -> Row:
    return [button(texts.labels.have_token, Go(to=Place.BOT))]


def or_token(texts: Texts, back: CallbackData | None = None) -> InlineKeyboardMarkup:
    return markup(have_token(texts), home_row(texts, back))


def add_account(texts: Texts, dead: Sequence[Session], *, bots_do: bool) -> InlineKeyboardMarkup:
    """`dead`: those that would do once they are signed in again. `bots_do`: a bot's token would help as well."""
    return markup(
        *[[sign_in_again(texts, each.id, f"{texts.labels.sign_in_again}: {each.name}")] for each in dead[:MOST]],
        [button(texts.labels.add_account, Go(to=Place.LOGIN))],
        [button(texts.labels.have_session, Go(to=Place.IMPORT))],
        have_token(texts) if bots_do else [],
        home_row(texts),
    )


def use(texts: Texts) -> InlineKeyboardMarkup:
    return markup([button(texts.labels.use_bot, Go(to=Place.BOT_USE), "success")], home_row(texts))


def back(texts: Texts) -> InlineKeyboardMarkup:
    return markup(home_row(texts, Go(to=Place.SESSIONS)))
