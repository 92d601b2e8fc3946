"""What Telegram tells the bot of a chat: that it gains or loses its right to let people in, and that a small group
became a supergroup. Nobody is answered there."""

import logging

from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.types import ChatMemberUpdated, Message

from handlers.rights_cards import RightsCards
from services.channels import ChannelService
from services.errors import ChannelUnavailable
from services.requests.rights_audit import RightsAudit

log = logging.getLogger(__name__)


async def rights_changed(
    update: ChatMemberUpdated, rights_audit: RightsAudit, rights_cards: RightsCards, bot: Bot
) -> None:
    if update.chat.type == ChatType.PRIVATE:
        return  # somebody started or blocked the bot
    try:
        channel, turn = await rights_audit.turned(update.chat.id)
    except ChannelUnavailable:
        log.info("the bot left a chat that nobody here knows", extra={"channel_id": update.chat.id})
        return
    log.info("the bot may invite: %s", channel.bot_may_invite, extra={"channel_id": channel.id})
    if turn is not None:
        await rights_cards.tell(channel, turn, update.from_user.id, (await bot.me()).username or "")


async def group_migrated(message: Message, channels: ChannelService) -> None:
    assert message.migrate_to_chat_id is not None
    await channels.migrated(message.chat.id, message.migrate_to_chat_id)


def build() -> Router:
    router = Router(name="membership")
    router.message.register(group_migrated, F.migrate_to_chat_id)
    router.my_chat_member.register(rights_changed)
    return router
