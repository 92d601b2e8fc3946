"""my_chat_member: Telegram tells when the bot gains or loses its right to let people in. Nobody is answered."""

import logging

from aiogram import Router
from aiogram.enums import ChatType
from aiogram.types import ChatMemberUpdated

from services.channels import ChannelService

log = logging.getLogger(__name__)


async def rights_changed(update: ChatMemberUpdated, channels: ChannelService) -> None:
    if update.chat.type == ChatType.PRIVATE:
        return  # somebody started or blocked the bot
    channel = await channels.refresh_bot_rights(update.chat.id)
    log.info("the bot may invite: %s", channel.bot_may_invite, extra={"channel_id": channel.id})


def build() -> Router:
    router = Router(name="membership")
    router.my_chat_member.register(rights_changed)
    return router
