"""Log in by a QR code that the phone with the account scans: the ways in, and the way back to the number.

The picture is drawn anew, and gives way to what follows the scan, in handlers/login_screens.py.
"""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers.callbacks import Go, KeyAction, KeyVerb, Place
from handlers.login import ask_api_id, ask_phone, credentials_of, show_step
from handlers.screen import AdminScreen
from handlers.states import LoginForm
from handlers.texts import Texts
from handlers.texts.labels import Labels
from services.clients.base import ApiCredentials
from services.login import LoginService


async def choose_qr(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
    api: ApiCredentials | None,
) -> None:
    """In place of the number."""
    await screen.delete_typed()
    await screen.remove_reply_keyboard(texts.login.one_moment())
    await show_step(await logins.begin_qr(screen.admin_id, await credentials_of(state, api)), screen, texts, state)


async def start_qr(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
    api: ApiCredentials | None,
) -> None:
    """Once more, after one that nobody scanned."""
    await state.clear()
    await screen.answer()
    if api is None:
        await ask_api_id(event, screen, texts, state)
    else:
        await show_step(await logins.begin_qr(screen.admin_id, api), screen, texts, state)


async def code_to_qr(
    event: TelegramObject,
    callback_data: KeyAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
) -> None:
    if (await state.get_data()).get("attempt") != callback_data.attempt:
        await screen.answer(texts.login.keypad_is_old(), alert=True)
        return
    await screen.answer()
    await show_step(await logins.to_qr(callback_data.attempt), screen, texts, state)


async def qr_to_number(
    event: TelegramObject,
    callback_data: KeyAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
) -> None:
    if (await state.get_data()).get("attempt") != callback_data.attempt:
        await screen.answer(texts.login.keypad_is_old(), alert=True)
        return
    await screen.answer()
    wanted = await logins.to_number(callback_data.attempt)
    if wanted is None:
        await ask_phone(event, screen, texts, state)
    else:
        await show_step(wanted, screen, texts, state)


def build() -> Router:
    router = Router(name="login_qr")
    router.message.register(choose_qr, LoginForm.phone, F.text == Labels.second_screen)
    router.callback_query.register(start_qr, Go.filter(F.to == Place.LOGIN_QR))
    router.callback_query.register(code_to_qr, KeyAction.filter(F.verb == KeyVerb.QR))
    router.callback_query.register(qr_to_number, KeyAction.filter(F.verb == KeyVerb.NUMBER))
    return router
