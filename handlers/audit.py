"""/audit: who did what, newest first, of everybody or of one person."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers import keyboards
from handlers.callbacks import AuditPick, Go, Place
from handlers.parking import park
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.audit import AuditService


async def show_audit(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, audits: AuditService
) -> None:
    await park(state)
    await _show(AuditPick(), screen, texts, audits)


async def turn(
    event: TelegramObject, callback_data: AuditPick, screen: AdminScreen, texts: Texts, audits: AuditService
) -> None:
    await _show(callback_data, screen, texts, audits)


async def _show(pick: AuditPick, screen: AdminScreen, texts: Texts, audits: AuditService) -> None:
    shown = await audits.page(pick.page, pick.person or None)
    who = shown.people.get(pick.person)
    await screen.show(Page(texts.audit.page(shown, who), keyboards.people.audit(texts, shown, pick.person)))


def build() -> Router:
    router = Router(name="audit")
    router.message.register(show_audit, Command("audit"))
    router.callback_query.register(show_audit, Go.filter(F.to == Place.AUDIT))
    router.callback_query.register(turn, AuditPick.filter())
    return router
