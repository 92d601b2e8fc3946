"""Under an admin's own defaults."""

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import OWN, EditPick, Go, Place, SourceEdit
from handlers.keyboards.base import button, home_row, markup
from handlers.texts import Texts
from storage.models import Profile


def _pick(what: EditPick, value: int = 0) -> SourceEdit:
    return SourceEdit(what=what, id=OWN, value=value)


def page(texts: Texts, profile: Profile) -> InlineKeyboardMarkup:
    labels = texts.labels
    live = button(
        labels.new_at_once if profile.live else labels.not_at_once, _pick(EditPick.LIVE, int(not profile.live))
    )
    own = [button(labels.porters_own, _pick(EditPick.DEFAULTS_OWN))] if profile != Profile() else []
    return markup(
        [button(labels.edit_filters, _pick(EditPick.FILTERS)), button(labels.edit_schedule, _pick(EditPick.SCHEDULE))],
        [button(labels.edit_folder, _pick(EditPick.FOLDER)), button(labels.edit_names, _pick(EditPick.NAMES))],
        [button(labels.edit_duplicates, _pick(EditPick.DUPLICATES)), live],
        own,
        home_row(texts, Go(to=Place.SOURCES)),
    )


def names(texts: Texts, profile: Profile) -> InlineKeyboardMarkup:
    own = [button(texts.labels.own_names, _pick(EditPick.NAMES_OWN))] if profile.name_template else []
    return markup(own, home_row(texts, _pick(EditPick.MENU)))
