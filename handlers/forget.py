"""/forget ID: what Porter knows of a person goes at once. Owners only."""

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers import keyboards
from handlers.callbacks import ForgetSurely
from handlers.parking import park
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.confirmations import ConfirmationService
from services.retention import Forgetting

FORGET = "forget"
LONGEST_ID = 15


def _user_id(args: str | None) -> int | None:
    """Users have positive ids; -100... is a channel."""
    typed = (args or "").strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= LONGEST_ID else None


async def ask_forget(
    event: TelegramObject,
    command: CommandObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    forgetting: Forgetting,
    confirmations: ConfirmationService,
) -> None:
    await park(state)
    user_id = _user_id(command.args)
    if user_id is None:
        await screen.show(Page(texts.forget.how(), keyboards.only_home(texts)))
        return
    traces = await forgetting.traces(user_id)
    if traces.is_empty:
        await screen.show(Page(texts.forget.unknown(traces), keyboards.only_home(texts)))
        return
    confirmation = await confirmations.ask(screen.admin_id, FORGET, {"user": user_id})
    await screen.show(Page(texts.forget.ask(traces), keyboards.forget.ask(texts, confirmation)))


async def forget(
    event: TelegramObject,
    callback_data: ForgetSurely,
    screen: AdminScreen,
    texts: Texts,
    forgetting: Forgetting,
    confirmations: ConfirmationService,
) -> None:
    payload = await confirmations.take(callback_data.id, screen.admin_id, FORGET)
    traces = await forgetting.forget(payload["user"])
    await screen.show(Page(texts.forget.done(traces), keyboards.only_home(texts)))


def build() -> Router:
    router = Router(name="forget")
    router.message.register(ask_forget, Command("forget"))
    router.callback_query.register(forget, ForgetSurely.filter())
    return router
