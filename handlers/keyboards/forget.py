"""The question before somebody is forgotten."""

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import ForgetSurely
from handlers.keyboards.base import button, home_row, markup
from handlers.texts import Texts


def ask(texts: Texts, confirmation_id: int) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.forget_surely, ForgetSurely(id=confirmation_id), style="danger")], home_row(texts)
    )
