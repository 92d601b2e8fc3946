"""Connect a channel with Telegram's own picker, which grants the bot its right by itself."""

from aiogram import Bot, F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, Place
from handlers.parking import park
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services import audit
from services.requests.rights_audit import RightsAudit
from storage.models import AuditVerb


async def ask_connect(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, bot: Bot) -> None:
    await park(state)
    text = texts.rights.ask_connect((await bot.me()).username or "")
    await screen.show(Page(text, keyboards.requests.connect(texts)))


async def receive_choice(message: Message, screen: AdminScreen, texts: Texts, rights_audit: RightsAudit) -> None:
    """The older ones are counted by an account, where one may."""
    assert message.chat_shared is not None
    channel_id = message.chat_shared.chat_id
    rights_audit.pick(channel_id)
    channel, _ = await rights_audit.turned(channel_id)
    await audit.note(AuditVerb.CONNECT, channel.title)
    await screen.remove_reply_keyboard(texts.requests.choice_taken())
    older = await rights_audit.older_ones(channel_id) if channel.bot_may_invite else None
    markup = keyboards.rights.connected(texts, channel, older)
    await screen.show(Page(texts.rights.connected(channel, older), markup))


def build() -> Router:
    router = Router(name="connect")
    router.callback_query.register(ask_connect, Go.filter(F.to == Place.CONNECT))
    router.message.register(receive_choice, F.chat_shared)
    return router
