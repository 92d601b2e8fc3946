"""Under an import."""

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import Go, ImportUse, Place
from handlers.keyboards.base import button, home_row, markup
from handlers.texts import Texts
from services.imports import Candidate


def candidate(texts: Texts, candidate: Candidate) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.use_session, ImportUse(mark=candidate.mark), "success")],
        [button(texts.labels.another_session, Go(to=Place.IMPORT))],
        home_row(texts),
    )


def another(texts: Texts) -> InlineKeyboardMarkup:
    return markup(
        [button(texts.labels.another_session, Go(to=Place.IMPORT))],
        [button(texts.labels.add_account, Go(to=Place.LOGIN))],
        home_row(texts),
    )
