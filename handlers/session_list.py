"""The list of accounts: what needs attention first, searched by typing."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, Place, ShowAll
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.searching import Searches, is_open, open_list, search, search_nothing, searched
from handlers.states import OpenList
from handlers.texts import Texts
from services.sessions import SessionService


async def show_sessions(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    callback_data: Go | None = None,
) -> None:
    """A command shows all; turning its pages and coming back from a card keep what was searched."""
    if callback_data is None or not await is_open(state, OpenList.accounts):
        await open_list(state, OpenList.accounts)
    await screen.show(await list_page(texts, state, sessions, callback_data.page if callback_data else 0))


async def list_page(texts: Texts, state: FSMContext, sessions: SessionService, page: int = 0) -> Page:
    wanted = await searched(state)
    everybody = await sessions.listing()
    rows = [
        row for row in everybody if wanted.matches(row.session.name, row.session.account_name, row.session.username)
    ]
    is_searched = wanted.wanted is not None
    text = texts.sessions.all(everybody)
    if is_searched:
        text = f"{text}\n{texts.sessions.found(len(rows), wanted.shown)}"
    return Page(text, keyboards.sessions.listing(texts, rows, page, is_searched=is_searched))


async def search_sessions(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    await search(message, screen, state)
    await screen.show(await list_page(texts, state, sessions))


async def show_all(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    await search_nothing(state)
    await screen.show(await list_page(texts, state, sessions))


async def show_again(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    await screen.show(await list_page(texts, state, sessions))


PROMPTS: dict[str, Prompt] = {str(OpenList.accounts.state): show_again}


def build() -> Router:
    router = Router(name="session-list")
    router.message.register(show_sessions, Command("sessions"))
    router.message.register(search_sessions, Searches(OpenList.accounts))
    router.callback_query.register(show_sessions, Go.filter(F.to == Place.SESSIONS))
    router.callback_query.register(show_all, OpenList.accounts, ShowAll.filter())
    return router
