"""The last router of an admin: whatever nobody else took."""

import time

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers import keyboards
from handlers.login import GUARDED_UNTIL, SECRET_STATES
from handlers.parking import park, parked_state
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.home import HomeService


async def _may_be_secret(state: FSMContext) -> bool:
    """A password for a login that was set aside, or a code or password typed once more after a login (CHAT.md, 9)."""
    guarded_until = (await state.get_data()).get(GUARDED_UNTIL, 0)
    return await parked_state(state) in SECRET_STATES or time.time() < guarded_until


async def not_understood(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, home: HomeService
) -> None:
    if await _may_be_secret(state):
        await screen.delete_typed()
    await park(state)
    summary = await home.peek(screen.admin_id)
    parked = await parked_state(state) is not None
    await screen.show(Page(texts.home.not_understood(), keyboards.home.page(texts, summary, parked=parked)))


async def old_button(event: TelegramObject, screen: AdminScreen, texts: Texts) -> None:
    await screen.answer(texts.home.button_is_old(), alert=True)


def build() -> Router:
    router = Router(name="fallback")
    router.message.register(not_understood)
    router.callback_query.register(old_button)
    return router
