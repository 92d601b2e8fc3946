"""Under lists of waiting people. What decides on many stands last, apart from what only looks."""

from collections.abc import Collection, Sequence

from aiogram.types import InlineKeyboardMarkup

from handlers.callbacks import (
    BulkAsk,
    Condition,
    GateCard,
    Go,
    LoadPick,
    Place,
    RequestAction,
    RequestVerb,
    ViewAction,
    ViewFilter,
    ViewVerb,
    WaitingAction,
)
from handlers.keyboards import request_conditions as conditions
from handlers.keyboards.base import Row, button, home_row, markup
from handlers.texts import Texts
from services.requests.listing import Group, Look
from storage.models import JoinRequest
from storage.request_models import Capped, LinkCount, RequestPage, RequestView


def groups(texts: Texts, channel_id: int, everybody: RequestView, groups: Sequence[Group]) -> InlineKeyboardMarkup:
    lists, rows = texts.request_lists, []
    for group in groups:
        people = Capped(group.people, is_exact=True)
        rows.append([button(lists.group_label(group), _open(group.view))])
        rows.append(
            [
                button(lists.approve_label(people), _bulk(group.view, approve=True), "success"),
                button(lists.deny_label(people), _bulk(group.view, approve=False), "danger"),
            ]
        )
    return markup(
        *rows,
        [
            button(texts.labels.one_list, _open(everybody)),
            button(texts.labels.filter, _filter(everybody)),
        ],
        _gate_row(texts, channel_id),
        _everybody(texts, channel_id),
        home_row(texts, Go(to=Place.REQUESTS)),
    )


def waiting(texts: Texts, look: Look, after: int, *, is_whole: bool = False) -> InlineKeyboardMarkup:
    """`is_whole`: it stands for the channel, where nothing sets people apart."""
    view, page = look.view, look.page
    labels, channel_id = texts.labels, view.channel_id
    people = [
        [button(texts.requests.label(row), WaitingAction(verb=RequestVerb.SHOW, id=row.id, view=view.id))]
        for row in page.rows
    ]
    is_everybody = view.filters.is_empty
    many = _everybody(texts, channel_id) if is_everybody else _some(texts, view, look.count)
    order = labels.longest_first if view.newest_first else labels.newest_first
    search = [button(labels.show_all, ViewAction(verb=ViewVerb.UNSEARCH, view=view.id))]
    return markup(
        *people,
        _turning(texts, view, page),
        search if view.filters.words is not None else [],
        [
            button(labels.filter_set if not is_everybody else labels.filter, _filter(view)),
            button(order, ViewAction(verb=ViewVerb.ORDER, view=view.id)),
            button(labels.tick, ViewAction(verb=ViewVerb.TICKS, view=view.id, after=after)),
        ]
        if page.rows
        else _only_filter(texts, view),
        _gate_row(texts, channel_id) if is_everybody else [],
        many if page.rows else [],
        home_row(texts, Go(to=Place.REQUESTS) if is_whole else _channel(channel_id)),
    )


def _only_filter(texts: Texts, view: RequestView) -> Row:
    """Of a list that holds nobody: there is nothing to sort and to tick, and a filter can only be loosened."""
    return [] if view.filters.is_empty else [button(texts.labels.filter_set, _filter(view))]


def ticking(texts: Texts, look: Look, after: int, ticked: Collection[int]) -> InlineKeyboardMarkup:
    view, page = look.view, look.page

    def tick(request: JoinRequest) -> Row:
        label = texts.request_lists.tick_label(request, is_ticked=request.id in ticked)
        return [button(label, ViewAction(verb=ViewVerb.TICK, view=view.id, after=after, id=request.id))]

    labels = texts.labels
    approve, deny = texts.request_lists.ticked_labels(len(ticked))
    return markup(
        *[tick(row) for row in page.rows],
        _turning(texts, view, page, ViewVerb.TICKS),
        [
            button(labels.tick_page, ViewAction(verb=ViewVerb.TICK_PAGE, view=view.id, after=after)),
            button(labels.choose_none, ViewAction(verb=ViewVerb.UNTICK, view=view.id, after=after)),
        ],
        [
            button(approve, _bulk(view, approve=True, ticked=True), "success"),
            button(deny, _bulk(view, approve=False, ticked=True), "danger"),
        ]
        if ticked
        else [],
        home_row(texts, ViewAction(verb=ViewVerb.OPEN, view=view.id, after=after)),
    )


def editor(texts: Texts, view: RequestView, count: Capped) -> InlineKeyboardMarkup:
    """One screen: a tap changes one thing, and the count tells what it did."""
    return markup(
        *conditions.menu(texts, view.filters, _picks(view)),
        [button(texts.request_lists.show_label(count), _picks(view)(Condition.SHOW, 0), "primary")],
        home_row(texts, _channel(view.channel_id)),
    )


def waits(texts: Texts, view: RequestView) -> InlineKeyboardMarkup:
    return markup(*conditions.waits(texts, view.filters, _picks(view)), home_row(texts, _filter(view)))


def links(texts: Texts, view: RequestView, offered: Sequence[LinkCount]) -> InlineKeyboardMarkup:
    return markup(*conditions.links(texts, offered, view.filters, _picks(view)), home_row(texts, _filter(view)))


def asked(texts: Texts, what: Condition, view: RequestView) -> InlineKeyboardMarkup:
    return markup(*conditions.asked(texts, what, view.filters, _picks(view)), home_row(texts, _filter(view)))


# -- what several have


def _open(view: RequestView) -> ViewAction:
    return ViewAction(verb=ViewVerb.OPEN, view=view.id)


def _filter(view: RequestView) -> ViewFilter:
    return ViewFilter(what=Condition.MENU, view=view.id)


def _picks(view: RequestView) -> conditions.Pick:
    return lambda what, value: ViewFilter(what=what, view=view.id, value=value)


def _channel(channel_id: int) -> RequestAction:
    return RequestAction(verb=RequestVerb.LIST, id=channel_id)


def _bulk(view: RequestView, *, approve: bool, ticked: bool = False) -> BulkAsk:
    return BulkAsk(view=view.id, channel=view.channel_id, approve=approve, ticked=ticked)


def _some(texts: Texts, view: RequestView, count: Capped) -> Row:
    lists = texts.request_lists
    return [
        button(lists.approve_label(count), _bulk(view, approve=True), "success"),
        button(lists.deny_label(count), _bulk(view, approve=False), "danger"),
    ]


def _everybody(texts: Texts, channel_id: int) -> Row:
    return [
        button(texts.labels.approve_all, BulkAsk(view=0, channel=channel_id, approve=True), "success"),
        button(texts.labels.deny_all, BulkAsk(view=0, channel=channel_id, approve=False), "danger"),
    ]


def _gate_row(texts: Texts, channel_id: int) -> Row:
    return [
        button(texts.labels.load, LoadPick(channel=channel_id)),
        button(texts.labels.gate, GateCard(channel=channel_id)),
    ]


def _turning(texts: Texts, view: RequestView, page: RequestPage, verb: ViewVerb = ViewVerb.OPEN) -> Row:
    row = []
    if page.previous is not None:
        row.append(button(texts.labels.previous, ViewAction(verb=verb, view=view.id, after=page.previous)))
    if page.has_more:
        row.append(button(texts.labels.following, ViewAction(verb=verb, view=view.id, after=page.rows[-1].id)))
    return row
