"""Waiting people: the overview, the list of a channel, one person after the other, everybody at once."""

from aiogram import F, Router
from aiogram.filters import Command, ExceptionTypeFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, TelegramObject

from handlers import keyboards
from handlers.callbacks import (
    BulkAction,
    Confirm,
    Go,
    Place,
    RequestAction,
    RequestVerb,
)
from handlers.parking import park
from handlers.runs import show_card
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.confirmations import ConfirmationService
from services.desks import RequestDesk, RunDesk
from services.errors import DecisionMade
from storage.models import JoinRequest, RequestStatus

DECIDE_ALL = "decide-all"
SAMPLE = 10

# -- lists


async def show_overview(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    callback_data: Go | None = None,
) -> None:
    await park(state)
    pending = await requests.overview()
    page = callback_data.page if callback_data else 0
    await screen.show(Page(texts.requests.overview(pending), keyboards.requests.overview(texts, pending, page)))


async def show_list(
    event: TelegramObject, callback_data: RequestAction, screen: AdminScreen, texts: Texts, requests: RequestDesk
) -> None:
    """A page of a channel, by keyset: `after` is the last request of the page before."""
    channel = await requests.channel(callback_data.id)
    view = requests.everybody(channel.id)
    page = await requests.page(view, callback_data.after)
    total = await requests.count(view)
    await screen.show(
        Page(texts.requests.list(channel, total, page.rows), keyboards.requests.waiting(texts, channel.id, page))
    )


# -- one by one


async def _person(
    texts: Texts,
    requests: RequestDesk,
    shown: JoinRequest | None,
    channel_id: int,
    just: JoinRequest | None = None,
) -> Page:
    """The card of `shown`, or that nobody is left; `just`: who was decided a moment ago."""
    channel = await requests.channel(channel_id)
    if shown is None:
        back = Go(to=Place.REQUESTS)
        return Page(texts.requests.nobody_left(channel, just), keyboards.only_home(texts, back))
    waiting = await requests.count(requests.everybody(channel_id))
    text = texts.requests.card(shown, channel, waiting, just)
    return Page(text, keyboards.requests.person(texts, shown, pending=shown.status is RequestStatus.PENDING))


async def show_person(
    event: TelegramObject, callback_data: RequestAction, screen: AdminScreen, texts: Texts, requests: RequestDesk
) -> None:
    request = await requests.get(callback_data.id)
    await screen.show(await _person(texts, requests, request, request.channel_id))


async def show_next(
    event: TelegramObject, callback_data: RequestAction, screen: AdminScreen, texts: Texts, requests: RequestDesk
) -> None:
    request = await requests.get(callback_data.id)
    following = await requests.following(requests.everybody(request.channel_id), request.id)
    await screen.show(await _person(texts, requests, following, request.channel_id))


async def decide(
    event: TelegramObject, callback_data: RequestAction, screen: AdminScreen, texts: Texts, requests: RequestDesk
) -> None:
    """Decides, then shows the next person in the same card. Decided before: says so, and heals the card."""
    decided = await requests.decide(callback_data.id, callback_data.verb is RequestVerb.APPROVE)
    following = await requests.following(requests.everybody(decided.channel_id), decided.id)
    await screen.show(await _person(texts, requests, following, decided.channel_id, decided))


async def decided_before(event: ErrorEvent, screen: AdminScreen, texts: Texts, requests: RequestDesk) -> None:
    """Somebody was faster, or the card is old: the alert says who decided what, and the card goes on."""
    assert isinstance(event.exception, DecisionMade)
    request = event.exception.request
    await screen.answer(texts.errors.of(event.exception), alert=True)
    following = await requests.following(requests.everybody(request.channel_id), request.id)
    await screen.show(await _person(texts, requests, following, request.channel_id))


# -- everybody at once


async def ask_decide_all(
    event: TelegramObject,
    callback_data: BulkAction,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    confirmations: ConfirmationService,
) -> None:
    channel = await requests.channel(callback_data.channel)
    await requests.check_decides(channel.id)
    count = await requests.count(requests.everybody(channel.id))
    sample = (await requests.page(requests.everybody(channel.id), 0, SAMPLE)).rows
    payload = {"channel": channel.id, "approve": callback_data.approve}
    confirmation = await confirmations.ask(screen.admin_id, DECIDE_ALL, payload)
    text = texts.requests.ask_decide_all(channel, count, sample, approve=callback_data.approve)
    back = RequestAction(verb=RequestVerb.LIST, id=channel.id)
    labels = texts.labels
    label, style = (labels.approve_all, "success") if callback_data.approve else (labels.deny_all, "danger")
    await screen.show(Page(text, keyboards.requests.confirm(texts, label, confirmation, back, style)))


async def decide_all(
    event: TelegramObject,
    callback_data: Confirm,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    confirmations: ConfirmationService,
    runs: RunDesk,
) -> None:
    payload = await confirmations.take(callback_data.id, screen.admin_id, DECIDE_ALL)
    run = await requests.decide_all(payload["channel"], payload["approve"])
    await show_card(screen, texts, runs, run)


def build() -> Router:
    router = Router(name="join-requests")
    router.message.register(show_overview, Command("requests"))
    router.callback_query.register(show_overview, Go.filter(F.to == Place.REQUESTS))
    router.callback_query.register(show_list, RequestAction.filter(F.verb == RequestVerb.LIST))
    router.callback_query.register(show_person, RequestAction.filter(F.verb == RequestVerb.SHOW))
    router.callback_query.register(show_next, RequestAction.filter(F.verb == RequestVerb.NEXT))
    router.callback_query.register(decide, RequestAction.filter(F.verb.in_({RequestVerb.APPROVE, RequestVerb.DENY})))
    router.callback_query.register(ask_decide_all, BulkAction.filter())
    router.callback_query.register(decide_all, Confirm.filter())
    router.errors.register(decided_before, ExceptionTypeFilter(DecisionMade))
    return router
