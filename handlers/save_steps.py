"""From the card of a channel into the long way (handlers/add_source.py): each step shows what the defaults say."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers.callbacks import SaveAction, SaveVerb
from handlers.edit_filters import show_menu
from handlers.screen import AdminScreen
from handlers.source_form import filled_in
from handlers.texts import Texts
from services.errors import NotFound
from services.saving import SavingService


async def start(
    event: TelegramObject,
    callback_data: SaveAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
) -> None:
    offer = await saving.offer(screen.admin_id, callback_data.channel, callback_data.session)
    if offer.whole is not None:
        raise NotFound("question")
    await screen.answer()
    await saving.meet(offer.channel, offer.session_id)
    await state.clear()
    await state.set_data(filled_in(offer, offer.session_id, await saving.unique_name(offer.channel.title)))
    await show_menu(event, screen, texts, state)


def build() -> Router:
    router = Router(name="save-steps")
    router.callback_query.register(start, SaveAction.filter(F.verb == SaveVerb.STEPS))
    return router
