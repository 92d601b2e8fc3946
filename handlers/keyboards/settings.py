"""Under what admins set for themselves."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import OWN, EditPick, Go, NoticeAction, NoticeVerb, Place, SourceEdit, ZonePick, ZoneVerb
from handlers.keyboards.base import button, home_row, markup, turning
from handlers.texts import Texts
from storage.models import Channel
from storage.request_models import RequestSettings


def page(texts: Texts) -> InlineKeyboardMarkup:
    """One button a line; who may not press one is not offered it."""
    labels = texts.labels
    return markup(
        [button(texts.schedules.zone_label(texts.zone.key), ZonePick(verb=ZoneVerb.ASK))],
        [button(labels.telling, Go(to=Place.TELLING))],
        [button(labels.my_defaults, SourceEdit(what=EditPick.MENU, id=OWN))],
        [button(labels.my_pin, Go(to=Place.SAFETY))],
        home_row(texts),
    )


def telling(
    texts: Texts, shown: Sequence[tuple[Channel, RequestSettings]], page_number: int, count: int
) -> InlineKeyboardMarkup:
    """`shown`: of that page; `count`: of all."""
    turned = (Go(to=Place.TELLING, page=n) for n in (page_number - 1, page_number + 1))
    return markup(
        *[
            [button(texts.settings.telling_label(channel, chosen), NoticeAction(verb=NoticeVerb.SHOW, id=channel.id))]
            for channel, chosen in shown
        ],
        [] if count else [button(texts.labels.connect, Go(to=Place.CONNECT))],
        turning(texts, page_number, count, turned),
        home_row(texts, Go(to=Place.SETTINGS)),
    )


def choose_zone(place: int) -> ZonePick:
    return ZonePick(verb=ZoneVerb.SET, value=place)


def turn_zones(page_number: int) -> ZonePick:
    return ZonePick(verb=ZoneVerb.PAGE, value=page_number)
