"""/runs: what works, what waits and why, what is paused, and how the past ended. Searched by typing."""

from typing import Any

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, Place, RunPick, ShowAll
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.searching import Searches, is_open, list_data, narrow, open_list, search, search_nothing, searched
from handlers.states import OpenList
from handlers.texts import Texts
from services.desks import RunDesk


async def show_runs(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    runs: RunDesk,
    callback_data: Go | RunPick | None = None,
) -> None:
    """A command and home show all; coming back from a card, the list stands where it was."""
    if not isinstance(callback_data, Go) or not await is_open(state, OpenList.runs):
        about: dict[str, Any] = {}
        if isinstance(callback_data, RunPick):
            kept = await list_data(state) if await is_open(state, OpenList.runs) else {}
            about = {**kept, "page": callback_data.page, "failed": callback_data.failed}
        await open_list(state, OpenList.runs, **about)
    await show_again(event, screen, texts, state, runs)


async def show_again(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, runs: RunDesk
) -> None:
    wanted, about = await searched(state), await list_data(state)
    only_failed = bool(about.get("failed"))
    is_searched = wanted.wanted is not None
    shown = await runs.page(
        about.get("page", 0), only_failed=only_failed, wanted=wanted.matches if is_searched else None
    )
    text = texts.runs.all(shown, only_failed=only_failed, is_searched=is_searched, searched=wanted.shown)
    markup = keyboards.runs.listing(texts, shown, only_failed=only_failed, is_searched=is_searched)
    await screen.show(Page(text, markup))


async def search_runs(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, runs: RunDesk) -> None:
    await search(message, screen, state)
    await narrow(state, page=0)
    await show_again(message, screen, texts, state, runs)


async def show_all(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, runs: RunDesk) -> None:
    await search_nothing(state)
    await narrow(state, page=0)
    await show_again(event, screen, texts, state, runs)


PROMPTS: dict[str, Prompt] = {str(OpenList.runs.state): show_again}


def build() -> Router:
    router = Router(name="run-list")
    router.message.register(show_runs, Command("runs"))
    router.message.register(search_runs, Searches(OpenList.runs))
    router.callback_query.register(show_runs, Go.filter(F.to == Place.RUNS))
    router.callback_query.register(show_runs, RunPick.filter())
    router.callback_query.register(show_all, OpenList.runs, ShowAll.filter())
    return router
