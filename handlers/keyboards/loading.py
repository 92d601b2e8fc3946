"""Under the questions about loading who waits."""

from collections.abc import Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import EditPick, Go, LoadAction, LoadPick, LoadVerb, Place, SourceEdit
from handlers.keyboards.base import ROWS, button, home_row, markup, turning, window
from handlers.texts import Texts
from services.clients.base import InviteLink
from services.requests.load_desk import LoadPlace
from services.requests.load_schedules import LoadPlan

NUMBERS = (200, 1000)
"""Of the newest, that a tap loads: one page of Telegram's list, and what was the most once."""


def where(texts: Texts, places: Sequence[LoadPlace], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.loading.place(place), LoadAction(verb=LoadVerb.ASK, channel=place.seen.channel.id))]
            for place in window(places, page)
        ],
        turning(texts, page, len(places), (LoadPick(page=n) for n in (page - 1, page + 1))),
        home_row(texts, Go(to=Place.REQUESTS)),
    )


def how_many(texts: Texts, plan: LoadPlan) -> InlineKeyboardMarkup:
    labels, channel_id = texts.labels, plan.channel.id
    when = LoadAction(verb=LoadVerb.PLAN, channel=channel_id)
    return markup(
        [
            button(labels.load_all, LoadAction(verb=LoadVerb.GO, channel=channel_id), "primary"),
            *[
                button(texts.loading.newest(count), LoadAction(verb=LoadVerb.GO, channel=channel_id, value=count))
                for count in NUMBERS
            ],
        ],
        [button(labels.load_on_schedule, when if plan.schedule else _edit(channel_id))],
        [button(labels.load_by_link, LoadAction(verb=LoadVerb.LINKS, channel=channel_id))],
        home_row(texts, Go(to=Place.LOAD)),
    )


def links(texts: Texts, channel_id: int, found: Sequence[InviteLink]) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(texts.loading.link(link), LoadAction(verb=LoadVerb.LINK, channel=channel_id, value=position))]
            for position, link in enumerate(found[:ROWS])
        ],
        home_row(texts, LoadAction(verb=LoadVerb.ASK, channel=channel_id)),
    )


def plan(texts: Texts, shown: LoadPlan) -> InlineKeyboardMarkup:
    """When it happens by itself, and how many are loaded then."""
    labels, channel_id = texts.labels, shown.channel.id

    def act(verb: LoadVerb, value: int = 0) -> LoadAction:
        return LoadAction(verb=verb, channel=channel_id, value=value)

    each = [
        button(texts.loading.each_time(count, shown.newest), act(LoadVerb.NEWEST, count or 0))
        for count in (None, *NUMBERS)
    ]
    back = home_row(texts, act(LoadVerb.ASK))
    if shown.schedule is None:
        return markup([button(labels.load_on_schedule, _edit(channel_id))], each, back)
    is_on = shown.schedule.enabled
    rest = button(
        labels.pause_schedule if is_on else labels.resume_schedule, act(LoadVerb.PAUSE if is_on else LoadVerb.RESUME)
    )
    return markup(
        [button(labels.load_when, _edit(channel_id)), rest],
        each,
        [button(labels.no_schedule, act(LoadVerb.REMOVE))],
        back,
    )


def _edit(channel_id: int) -> SourceEdit:
    """The editor of schedules is one for all (handlers/edit_schedule.py)."""
    return SourceEdit(what=EditPick.SCHEDULE, id=channel_id)
