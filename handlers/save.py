"""The card of a channel that was forwarded or linked, and what its buttons do: one tap, and it is being saved.

Buttons carry channel, post and account themselves: they work after a restart, and after weeks. Only which posts were
forwarded together stands in the sealed FSM data.
"""

from typing import Any

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, Place, SaveAction, SaveVerb
from handlers.keyboards.saving import act
from handlers.runs import show_card
from handlers.save_cards import SaveCards, card_page
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.desks import RunDesk
from services.errors import ReaderMissing
from services.first_looks import FirstLooks
from services.saving import Offer, SavingService
from services.sources import SourceService
from storage.models import Start, StartKind

FORWARDED = "forwarded"

# -- the card


async def show_offered(
    about: SaveAction,
    screen: AdminScreen,
    texts: Texts,
    saving: SavingService,
    looks: FirstLooks,
    cards: SaveCards,
    offer: Offer | None = None,
) -> int:
    """What is known at once; the rest comes in place."""
    if offer is None:
        offer = await saving.offer(screen.admin_id, about.channel, about.session)
    known = looks.known(offer) if offer.readers else None
    message_id = await screen.show(card_page(texts, offer, about, known))
    if offer.whole is None:
        cards.complete(screen.admin_id, message_id, about)
    return message_id


async def show_offer(
    event: TelegramObject,
    callback_data: SaveAction,
    screen: AdminScreen,
    texts: Texts,
    saving: SavingService,
    looks: FirstLooks,
    save_cards: SaveCards,
) -> None:
    await show_offered(callback_data, screen, texts, saving, looks, save_cards)


async def save_all(
    event: TelegramObject,
    callback_data: SaveAction,
    screen: AdminScreen,
    texts: Texts,
    saving: SavingService,
    looks: FirstLooks,
    save_cards: SaveCards,
    sources: SourceService,
    runs: RunDesk,
) -> None:
    """One tap where there is one account and not too much to fetch; a question before either."""
    offer = await saving.offer(screen.admin_id, callback_data.channel, callback_data.session)
    if offer.whole is not None:  # a second tap, or somebody else's: the card heals
        await show_offered(act(callback_data, SaveVerb.CARD), screen, texts, saving, looks, save_cards, offer)
        return
    if offer.session_id is None:
        await _ask_account(offer, callback_data, screen, texts)
        return
    await screen.answer()
    start: Start | None = None
    if callback_data.verb is SaveVerb.NEW:
        start = Start(StartKind.NEW, message_id=(await looks.look(offer)).newest)
    elif callback_data.verb is SaveVerb.ALL:
        look = await looks.look(offer)
        if looks.is_large(look):
            text = texts.estimates.ask(look.estimate) if look.estimate else texts.saving.uncounted()
            page = f"{texts.saving.facts(offer.channel)}\n{text}"
            await screen.show(Page(page, keyboards.saving.large(texts, callback_data)))
            return
    card = await saving.save(screen.admin_id, offer.channel.id, offer.session_id, texts.zone.key, start)
    await show_card(screen, texts, runs, await sources.scrape(card.source.id, screen.admin_id))


async def save_posts(
    event: TelegramObject,
    callback_data: SaveAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
    runs: RunDesk,
) -> None:
    offer = await saving.offer(screen.admin_id, callback_data.channel, callback_data.session)
    if offer.session_id is None:
        await _ask_account(offer, callback_data, screen, texts)
        return
    posts = await _posts(callback_data, state)
    if not posts:
        await screen.show(Page(texts.saving.posts_forgotten(), keyboards.only_home(texts)))
        return
    await screen.answer()
    run = await saving.save_posts(screen.admin_id, offer.channel.id, offer.session_id, posts)
    await show_card(screen, texts, runs, run)


async def _posts(about: SaveAction, state: FSMContext) -> list[int]:
    if not about.more:
        return [about.post] if about.post else []
    together: dict[str, Any] = (await state.get_data()).get(FORWARDED) or {}
    is_that = together.get("channel") == about.channel and about.post in together["posts"]
    return together["posts"] if is_that else []


async def _ask_account(offer: Offer, about: SaveAction, screen: AdminScreen, texts: Texts) -> None:
    markup = keyboards.saving.accounts(texts, offer.readers, about)
    await screen.show(Page(texts.saving.ask_account(offer.channel), markup))


async def ask_change(
    event: TelegramObject, callback_data: SaveAction, screen: AdminScreen, texts: Texts, saving: SavingService
) -> None:
    offer = await saving.offer(screen.admin_id, callback_data.channel, callback_data.session)
    if offer.session_id is None:
        await _ask_account(offer, callback_data, screen, texts)
        return
    about = act(callback_data, SaveVerb.CHANGE, offer.session_id)
    await screen.show(Page(texts.saving.change(offer), keyboards.saving.change(texts, about)))


async def no_reader(event: ErrorEvent, screen: AdminScreen, texts: Texts) -> None:
    assert isinstance(event.exception, ReaderMissing)
    page = Page(texts.errors.of(event.exception), keyboards.one(texts.labels.add_account, Go(to=Place.LOGIN), texts))
    await screen.show(page)
    await screen.answer()


def build() -> Router:
    """What is sent comes in by handlers/save_sent.py; the long way is handlers/add_source.py."""
    router = Router(name="save")
    for verb, handler in (
        (SaveVerb.CARD, show_offer),
        (SaveVerb.ALL, save_all),
        (SaveVerb.ALL_SURELY, save_all),
        (SaveVerb.NEW, save_all),
        (SaveVerb.POSTS, save_posts),
        (SaveVerb.CHANGE, ask_change),
    ):
        router.callback_query.register(handler, SaveAction.filter(F.verb == verb))
    router.errors.register(no_reader, ExceptionTypeFilter(ReaderMissing))
    return router
