"""Under the question of a saved channel's own application."""

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import EditPick, SourceEdit
from handlers.keyboards.base import button, home_row, markup
from handlers.texts import Texts
from storage.models import Source


def ask(texts: Texts, source: Source) -> InlineKeyboardMarkup:
    off = button(texts.labels.accounts_application, SourceEdit(what=EditPick.API_OFF, id=source.id))
    return markup(
        [off] if source.api_id is not None else [], home_row(texts, SourceEdit(what=EditPick.MENU, id=source.id))
    )


def back(texts: Texts, source_id: int) -> InlineKeyboardMarkup:
    return markup(home_row(texts, SourceEdit(what=EditPick.MENU, id=source_id)))
