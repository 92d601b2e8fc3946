"""A restored Porter asks its owners whether the old one is off. Until they say so this question is its home."""

from aiogram import F, Router
from aiogram.filters import BaseFilter, Command, CommandStart, ExceptionTypeFilter, or_f
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, OldPorterOff, Place
from handlers.parking import park
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.errors import RestoreUnconfirmed
from services.restores import RestoreService
from storage.models import Admin, Restored, Role


class IsWaiting(BaseFilter):
    """A restore waits for an owner's word; hands it over as `restored`."""

    async def __call__(self, event: TelegramObject, restores: RestoreService) -> bool | dict[str, Restored]:
        return {"restored": restores.waiting} if restores.waiting is not None else False


def question(texts: Texts, restored: Restored, *, is_owner: bool) -> Page:
    text = texts.restored.question(restored, is_owner=is_owner)
    return Page(text, keyboards.restored.question(texts, restored, is_owner=is_owner))


async def ask_old_porter(
    event: TelegramObject, restored: Restored, screen: AdminScreen, texts: Texts, state: FSMContext, admin: Admin
) -> None:
    await park(state)
    await screen.show(question(texts, restored, is_owner=admin.role is Role.OWNER))


async def ask_instead(
    event: ErrorEvent, screen: AdminScreen, texts: Texts, admin: Admin, restores: RestoreService
) -> None:
    """What was asked for needs an account, and those rest."""
    if restores.waiting is not None:
        await screen.show(question(texts, restores.waiting, is_owner=admin.role is Role.OWNER))
    await screen.answer()


async def confirm_off(
    event: TelegramObject,
    callback_data: OldPorterOff,
    screen: AdminScreen,
    texts: Texts,
    restores: RestoreService,
) -> None:
    await restores.confirm(callback_data.id)
    await screen.show(Page(texts.restored.confirmed(), keyboards.only_home(texts)))


def build() -> Router:
    """Comes before home."""
    router = Router(name="restored")
    router.message.register(ask_old_porter, or_f(CommandStart(), Command("login")), IsWaiting())
    router.callback_query.register(ask_old_porter, Go.filter(F.to.in_({Place.HOME, Place.LOGIN})), IsWaiting())
    router.callback_query.register(confirm_off, OldPorterOff.filter())
    router.errors.register(ask_instead, ExceptionTypeFilter(RestoreUnconfirmed))
    return router
