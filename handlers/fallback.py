"""The last router of an admin: whatever nobody else took."""

from aiogram import Router
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers import keyboards
from handlers.parking import park, parked_state
from handlers.screen import AdminScreen, Page
from handlers.searching import may_be_secret
from handlers.texts import Texts
from services.home import HomeService


async def not_understood(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, home: HomeService
) -> None:
    if await may_be_secret(state):
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
