"""Who may let people in where: the bot, which accounts, or nobody."""

from aiogram import Bot, F, Router
from aiogram.types import TelegramObject

from handlers.callbacks import RightsPick, RightsVerb
from handlers.rights_cards import RightsCards
from handlers.screen import AdminScreen
from handlers.texts import Texts


async def show_rights(
    event: TelegramObject,
    callback_data: RightsPick,
    screen: AdminScreen,
    texts: Texts,
    rights_cards: RightsCards,
    bot: Bot,
) -> None:
    await rights_cards.show(screen, texts, callback_data.page, (await bot.me()).username or "")


async def check_rights(
    event: TelegramObject,
    callback_data: RightsPick,
    screen: AdminScreen,
    texts: Texts,
    rights_cards: RightsCards,
    bot: Bot,
) -> None:
    await screen.answer()
    await rights_cards.check(screen, texts, callback_data.page, (await bot.me()).username or "")


def build() -> Router:
    router = Router(name="rights")
    router.callback_query.register(check_rights, RightsPick.filter(F.verb == RightsVerb.CHECK))
    router.callback_query.register(show_rights, RightsPick.filter())
    return router
