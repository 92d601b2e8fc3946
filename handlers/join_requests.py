"""Waiting people: where they wait, and loading those from before."""

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import (
    Go,
    LoadPick,
    Place,
)
from handlers.parking import Prompt, park
from handlers.runs import show_card
from handlers.screen import AdminScreen, Page
from handlers.states import LoadForm
from handlers.texts import Texts
from services.desks import RequestDesk, RunDesk

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


# -- loading who came before


async def ask_load(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    callback_data: LoadPick | None = None,
) -> None:
    """Channels where an account may let people in; typed names work as well."""
    await screen.answer()
    rows = await requests.loadable()
    await state.set_state(LoadForm.channel)
    page = callback_data.page if isinstance(callback_data, LoadPick) else 0
    await screen.show(Page(texts.requests.ask_load(rows), keyboards.requests.load_where(texts, rows, page)))


async def start_load(
    event: TelegramObject,
    command: CommandObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    runs: RunDesk,
) -> None:
    """/load, with or without the channel behind it."""
    await park(state)
    if not command.args:
        await ask_load(event, screen, texts, state, requests)
        return
    channel = await requests.find(command.args)
    await show_card(screen, texts, runs, await requests.load(channel.id))


async def receive_load_text(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    runs: RunDesk,
) -> None:
    channel = await requests.find(message.text or "")
    await state.clear()
    await show_card(screen, texts, runs, await requests.load(channel.id))


async def receive_load_pick(
    event: TelegramObject,
    callback_data: LoadPick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    requests: RequestDesk,
    runs: RunDesk,
) -> None:
    await state.clear()
    await show_card(screen, texts, runs, await requests.load(callback_data.channel))


PROMPTS: dict[str, Prompt] = {str(LoadForm.channel.state): ask_load}


def build() -> Router:
    router = Router(name="join-requests")
    router.message.register(show_overview, Command("requests"))
    router.message.register(start_load, Command("load"))
    router.message.register(receive_load_text, LoadForm.channel, F.text)
    router.callback_query.register(show_overview, Go.filter(F.to == Place.REQUESTS))
    router.callback_query.register(ask_load, Go.filter(F.to == Place.LOAD))
    router.callback_query.register(ask_load, LoadPick.filter(F.channel == 0))
    router.callback_query.register(receive_load_pick, LoadPick.filter())
    return router
