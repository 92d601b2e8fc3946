"""Saved channels: the list, the card, save now, pause, delete."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, Place, ShowAll, SourceAction, SourceVerb
from handlers.first_run import asks_first
from handlers.parking import Prompt, park
from handlers.runs import show_card
from handlers.screen import AdminScreen, Page
from handlers.searching import Searches, is_open, open_list, search, search_nothing, searched
from handlers.states import OpenList
from handlers.texts import Texts
from services.desks import RunDesk
from services.estimates import Estimator
from services.schedule import outlook
from services.sources import SourceCard, SourceService


async def show_sources(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    callback_data: Go | None = None,
) -> None:
    """A command shows all; turning its pages and coming back from a card keep what was searched."""
    if callback_data is None or not await is_open(state, OpenList.sources):
        await open_list(state, OpenList.sources)
    await screen.show(await list_page(texts, state, sources, callback_data.page if callback_data else 0))


async def list_page(texts: Texts, state: FSMContext, sources: SourceService, page: int = 0) -> Page:
    wanted = await searched(state)
    everything = await sources.all()
    cards = [card for card in everything if wanted.matches(card.source.name, card.source.channel_title)]
    is_searched = wanted.wanted is not None
    text = texts.sources.all(everything)
    if is_searched:
        text = f"{text}\n{texts.sources.found(len(cards), wanted.shown)}"
    return Page(text, keyboards.sources.listing(texts, cards, page, is_searched=is_searched))


async def search_sources(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await search(message, screen, state)
    await screen.show(await list_page(texts, state, sources))


async def show_all(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await search_nothing(state)
    await show_again(event, screen, texts, state, sources)


async def show_again(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await screen.show(await list_page(texts, state, sources))


async def choose_to_scrape(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    runs: RunDesk,
    estimator: Estimator,
) -> None:
    """/scrape: with one saved channel it starts at once, with more it asks which."""
    await park(state)
    cards = await sources.all()
    if len(cards) == 1:
        if await asks_first(cards[0], screen, texts, estimator):
            return
        await show_card(screen, texts, runs, await sources.scrape(cards[0].source.id, screen.admin_id))
        return
    await screen.show(Page(texts.sources.choose_to_scrape(cards), keyboards.sources.choose(texts, cards)))


def source_page(texts: Texts, card: SourceCard) -> Page:
    words, upcoming = outlook(card.schedule.cron, card.schedule.timezone) if card.schedule else (None, [])
    return Page(texts.sources.card(card, words, upcoming), keyboards.sources.card(texts, card))


async def show_source(
    event: TelegramObject, callback_data: SourceAction, screen: AdminScreen, texts: Texts, sources: SourceService
) -> None:
    await screen.show(source_page(texts, await sources.get(callback_data.id)))


async def scrape(
    event: TelegramObject,
    callback_data: SourceAction,
    screen: AdminScreen,
    texts: Texts,
    sources: SourceService,
    runs: RunDesk,
    estimator: Estimator,
) -> None:
    """A first run that would bring very much is asked about; SCRAPE_SURELY is the answer."""
    is_sure = callback_data.verb is SourceVerb.SCRAPE_SURELY
    if is_sure or not await asks_first(await sources.get(callback_data.id), screen, texts, estimator):
        await show_card(screen, texts, runs, await sources.scrape(callback_data.id, screen.admin_id))


async def retry_failed(
    event: TelegramObject,
    callback_data: SourceAction,
    screen: AdminScreen,
    texts: Texts,
    sources: SourceService,
    runs: RunDesk,
) -> None:
    await show_card(screen, texts, runs, await sources.retry_failed(callback_data.id, screen.admin_id))


async def verify(
    event: TelegramObject,
    callback_data: SourceAction,
    screen: AdminScreen,
    texts: Texts,
    sources: SourceService,
    runs: RunDesk,
) -> None:
    await show_card(screen, texts, runs, await sources.verify(callback_data.id, screen.admin_id))


async def set_enabled(
    event: TelegramObject, callback_data: SourceAction, screen: AdminScreen, texts: Texts, sources: SourceService
) -> None:
    await sources.set_enabled(callback_data.id, callback_data.verb is SourceVerb.RESUME)
    await screen.show(source_page(texts, await sources.get(callback_data.id)))


async def ask_delete(
    event: TelegramObject, callback_data: SourceAction, screen: AdminScreen, texts: Texts, sources: SourceService
) -> None:
    card = await sources.get(callback_data.id)
    markup = keyboards.sources.delete(texts, card.source.id, has_messages=card.source.total_messages > 0)
    await screen.show(Page(texts.sources.ask_delete(card), markup))


async def delete(
    event: TelegramObject, callback_data: SourceAction, screen: AdminScreen, texts: Texts, sources: SourceService
) -> None:
    card = await sources.get(callback_data.id)
    await sources.delete(card.source.id, keep_messages=callback_data.verb is SourceVerb.DELETE_KEEPING)
    cards = await sources.all()
    text = "\n\n".join((texts.sources.deleted(card.source.name), texts.sources.all(cards)))
    await screen.show(Page(text, keyboards.sources.listing(texts, cards, 0, is_searched=False)))


PROMPTS: dict[str, Prompt] = {str(OpenList.sources.state): show_again}


def build() -> Router:
    router = Router(name="sources")
    router.message.register(show_sources, Command("sources"))
    router.message.register(search_sources, Searches(OpenList.sources))
    router.callback_query.register(show_all, OpenList.sources, ShowAll.filter())
    router.message.register(choose_to_scrape, Command("scrape"))
    router.callback_query.register(show_sources, Go.filter(F.to == Place.SOURCES))
    for verb, handler in (
        (SourceVerb.SHOW, show_source),
        (SourceVerb.SCRAPE, scrape),
        (SourceVerb.SCRAPE_SURELY, scrape),
        (SourceVerb.RETRY, retry_failed),
        (SourceVerb.VERIFY, verify),
        (SourceVerb.PAUSE, set_enabled),
        (SourceVerb.RESUME, set_enabled),
        (SourceVerb.DELETE, ask_delete),
        (SourceVerb.DELETE_SURELY, delete),
        (SourceVerb.DELETE_KEEPING, delete),
    ):
        router.callback_query.register(handler, SourceAction.filter(F.verb == verb))
    return router
