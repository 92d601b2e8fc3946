"""my_chat_member: Telegram tells when the bot gains or loses its right to let people in. Nobody is answered there."""

import logging

from aiogram import Bot, Router
from aiogram.enums import ChatType
from aiogram.types import ChatMemberUpdated

from handlers.rights_cards import RightsCards
from services.requests.rights_audit import RightsAudit

log = logging.getLogger(__name__)


async def rights_changed(
    update: ChatMemberUpdated, rights_audit: RightsAudit, rights_cards: RightsCards, bot: Bot
) -> None:
    if update.chat.type == ChatType.PRIVATE:
        return  # somebody started or blocked the bot
    channel, turn = await rights_audit.turned(update.chat.id)
    log.info("the bot may invite: %s", channel.bot_may_invite, extra={"channel_id": channel.id})
    if turn is not None:
        await rights_cards.tell(channel, turn, update.from_user.id, (await bot.me()).username or "")


def build() -> Router:
    router = Router(name="membership")
    router.my_chat_member.register(rights_changed)
    return router
