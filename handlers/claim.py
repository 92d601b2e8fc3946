"""The claim link: the log of a Porter without owners prints it, its first opener becomes the owner."""

import logging

from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.filters import CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject, User

from handlers import keyboards
from handlers.home import show_home
from handlers.people import set_menu
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services import audit
from services.admins import CLAIM_PREFIX, AdminService
from services.audit import AuditService
from services.home import HomeService
from storage.models import Admin, AuditVerb, Role

log = logging.getLogger(__name__)


async def claim(
    event: TelegramObject,
    command: CommandObject,
    event_from_user: User,
    admins: AdminService,
    home: HomeService,
    screen: AdminScreen,
    texts: Texts,
    bot: Bot,
    audits: AuditService,
    state: FSMContext,
    admin: Admin | None = None,
) -> None:
    if not await admins.claim(command.args or "", event_from_user.id, event_from_user.full_name):
        log.warning("a claim link that is not valid was opened by user %s", event_from_user.id)
        if admin is not None:
            await show_home(event, screen, texts, state, home)
        return
    log.warning("user %s owns this Porter now", event_from_user.id)
    with audits.by(await admins.get(event_from_user.id)):
        await audit.note(AuditVerb.CLAIM)
    await set_menu(bot, event_from_user.id, Role.OWNER)
    summary = await home.for_admin(event_from_user.id)
    await screen.show(Page(texts.home.claimed(), keyboards.home.page(texts, summary, parked=False)))


def build() -> Router:
    router = Router(name="claim")
    router.message.register(
        claim, CommandStart(deep_link=True, magic=F.args.startswith(CLAIM_PREFIX)), F.chat.type == ChatType.PRIVATE
    )
    return router
