"""From the card of a channel into the long way (handlers/add_source.py): each step shows what the defaults say."""

from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers.callbacks import SaveAction, SaveVerb
from handlers.edit_filters import show_menu
from handlers.keyboards.filters import NEW_SOURCE
from handlers.screen import AdminScreen
from handlers.texts import Texts
from services.errors import NotFound
from services.filters import pack_filters
from services.saving import Offer, SavingService


async def start(
    event: TelegramObject,
    callback_data: SaveAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
) -> None:
    offer = await saving.offer(screen.admin_id, callback_data.channel, callback_data.session)
    if offer.session_id is None or offer.whole is not None:
        raise NotFound("question")
    await screen.answer()
    await saving.meet(offer.channel, offer.session_id)
    await state.clear()
    await state.set_data(_filled_in(offer, await saving.unique_name(offer.channel.title)))
    await show_menu(event, screen, texts, state)


def _filled_in(offer: Offer, name: str) -> dict[str, Any]:
    """The form of handlers/add_source.py."""
    profile = offer.profile
    return {
        "of": NEW_SOURCE,
        "session": offer.session_id,
        "channel": offer.channel.id,
        "title": offer.channel.title,
        "filters": pack_filters(profile.filters),
        "only_matching": profile.only_matching,
        "root": profile.root,
        "folder": offer.folder,
        "cron": profile.cron,
        "name": name,
        "name_template": profile.name_template,
        "duplicates": profile.duplicates,
        "live": profile.live,
    }


def build() -> Router:
    router = Router(name="save-steps")
    router.callback_query.register(start, SaveAction.filter(F.verb == SaveVerb.STEPS))
    return router
