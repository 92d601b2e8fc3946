"""How a channel's gate is kept: one card, and a button to each thing that can be set about it."""

from aiogram import Router
from aiogram.types import TelegramObject

from handlers import keyboards
from handlers.callbacks import GateCard
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.desks import RequestDesk
from services.requests.rights_audit import RightsAudit


async def show_gate(
    event: TelegramObject,
    callback_data: GateCard,
    screen: AdminScreen,
    texts: Texts,
    requests: RequestDesk,
    rights_audit: RightsAudit,
) -> None:
    """What the bot may do there is asked where nobody has asked yet."""
    gate = await requests.gate(callback_data.channel)
    if gate.channel.bot_may_invite is None:
        await screen.answer()
        await rights_audit.look(gate.channel.id)
        gate = await requests.gate(callback_data.channel)
    await screen.show(Page(texts.gates.card(gate), keyboards.gates.card(texts, gate)))


def build() -> Router:
    router = Router(name="gate-card")
    router.callback_query.register(show_gate, GateCard.filter())
    return router
