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
from handlers.save_cards import SaveCards
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.desks import RunDesk
from services.errors import ReaderMissing
from services.saving import Offer, SavingService
from storage.models import Start, StartKind

FORWARDED = "forwarded"

# -- the card


async def show_offer(
    event: TelegramObject, callback_data: SaveAction, screen: AdminScreen, texts: Texts, save_cards: SaveCards
) -> None:
    await save_cards.show(callback_data, screen, texts)


async def _ready(about: SaveAction, screen: AdminScreen, saving: SavingService) -> Offer:
    """The tap is answered: what follows takes longer."""
    offer = await saving.offer(screen.admin_id, about.channel, about.session)
    await screen.answer()
    return offer


async def save_all(
    event: TelegramObject,
    callback_data: SaveAction,
    screen: AdminScreen,
    texts: Texts,
    saving: SavingService,
    save_cards: SaveCards,
    runs: RunDesk,
) -> None:
    """One tap, and a question before where there is much to fetch. A second tap, or somebody else's, finds it saved:
    the card heals."""
    offer = await _ready(callback_data, screen, saving)
    if offer.whole is not None:
        await save_cards.show(act(callback_data, SaveVerb.CARD), screen, texts, offer)
    elif callback_data.verb is SaveVerb.ALL and (question := await save_cards.question(offer, texts)):
        await screen.show(Page(question, keyboards.saving.large(texts, callback_data)))
    else:
        is_new = callback_data.verb is SaveVerb.NEW
        start = Start(StartKind.NEW, message_id=await save_cards.newest(offer)) if is_new else None
        await _begin(offer, start, screen, texts, saving, runs)


async def _begin(
    offer: Offer, start: Start | None, screen: AdminScreen, texts: Texts, saving: SavingService, runs: RunDesk
) -> None:
    run = await saving.begin(screen.admin_id, offer.channel.id, offer.session_id, texts.zone.key, start)
    await show_card(screen, texts, runs, run)


async def save_posts(
    event: TelegramObject,
    callback_data: SaveAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
    runs: RunDesk,
) -> None:
    offer = await _ready(callback_data, screen, saving)
    posts = await _posts(callback_data, state)
    if not posts:
        await screen.show(Page(texts.saving.posts_forgotten(), keyboards.only_home(texts)))
        return
    run = await saving.save_posts(screen.admin_id, offer.channel.id, offer.session_id, posts)
    await show_card(screen, texts, runs, run)


async def _posts(about: SaveAction, state: FSMContext) -> list[int]:
    if not about.more:
        return [about.post] if about.post else []
    together: dict[str, Any] = (await state.get_data()).get(FORWARDED) or {}
    is_that = together.get("channel") == about.channel and about.post in together["posts"]
    return together["posts"] if is_that else []


async def ask_change(
    event: TelegramObject, callback_data: SaveAction, screen: AdminScreen, texts: Texts, saving: SavingService
) -> None:
    offer = await _ready(callback_data, screen, saving)
    about = act(callback_data, SaveVerb.CHANGE, offer.session_id)
    await screen.show(Page(texts.saving.change(offer), keyboards.saving.change(texts, offer, about)))


async def ask_account(
    event: TelegramObject, callback_data: SaveAction, screen: AdminScreen, texts: Texts, saving: SavingService
) -> None:
    """Choosing one leads back to the card, which says so."""
    offer = await saving.offer(screen.admin_id, callback_data.channel, callback_data.session)
    markup = keyboards.saving.accounts(texts, offer, callback_data)
    await screen.show(Page(texts.saving.ask_account(offer.channel), markup))


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
        (SaveVerb.ACCOUNT, ask_account),
    ):
        router.callback_query.register(handler, SaveAction.filter(F.verb == verb))
    router.errors.register(no_reader, ExceptionTypeFilter(ReaderMissing))
    return router
