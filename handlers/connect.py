"""Connect a channel with Telegram's own picker, which grants the bot its right by itself."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, LoadAction, LoadVerb, Place
from handlers.parking import park
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services import audit
from services.channels import ChannelService
from storage.models import AuditVerb


async def ask_connect(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await park(state)
    await screen.show(Page(texts.requests.ask_connect(), keyboards.requests.connect(texts)))


async def receive_choice(message: Message, screen: AdminScreen, texts: Texts, channels: ChannelService) -> None:
    assert message.chat_shared is not None
    channel = await channels.refresh_bot_rights(message.chat_shared.chat_id)
    await audit.note(AuditVerb.CONNECT, channel.title)
    await screen.remove_reply_keyboard(texts.requests.choice_taken())
    load = keyboards.one(
        texts.labels.load, LoadAction(verb=LoadVerb.ASK, channel=channel.id), texts, Go(to=Place.REQUESTS)
    )
    await screen.show(Page(texts.requests.connected(channel), load))


def build() -> Router:
    router = Router(name="connect")
    router.callback_query.register(ask_connect, Go.filter(F.to == Place.CONNECT))
    router.message.register(receive_choice, F.chat_shared)
    return router
