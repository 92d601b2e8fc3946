"""Under the question of a restored Porter."""

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import Go, OldPorterOff, Place
from handlers.keyboards.base import button, markup
from handlers.texts import Texts
from storage.models import Restored


def question(texts: Texts, restored: Restored, *, is_owner: bool) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.old_porter_off, OldPorterOff(id=restored.id))] if is_owner else [],
        [button(texts.labels.waiting, Go(to=Place.REQUESTS))],
    )
