"""Waiting people: where they wait, everybody at once."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

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

DECIDE_ALL = "decide-all"
SAMPLE = 10

# -- where


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
    router.callback_query.register(ask_decide_all, BulkAction.filter())
    router.callback_query.register(decide_all, Confirm.filter())
    return router
