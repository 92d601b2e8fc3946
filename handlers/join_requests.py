"""Waiting people: where they wait."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers import keyboards
from handlers.callbacks import (
    Go,
    Place,
)
from handlers.parking import park
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.desks import RequestDesk

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


def build() -> Router:
    router = Router(name="join-requests")
    router.message.register(show_overview, Command("requests"))
    router.callback_query.register(show_overview, Go.filter(F.to == Place.REQUESTS))
    return router
