"""Log in an account: API credentials, number, code on the keypad, password.

The code is never typed: Telegram voids a code that is said in a chat. Keypad buttons carry a slot; which digit lies
in which slot, and what was tapped so far, stands in the sealed FSM data alone.
"""

import re
import secrets
import time

from aiogram import F, Router
from aiogram.filters import Command, ExceptionTypeFilter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, Key, KeyAction, KeyVerb, Place, SessionAction, SessionVerb
from handlers.parking import Prompt
from handlers.qr_picture import qr_picture
from handlers.screen import AdminScreen, Page, Shows
from handlers.secrets import receive_secret
from handlers.sessions import is_well
from handlers.states import ImportForm, LoginForm
from handlers.texts import Texts
from handlers.texts.login import NO_KEYPAD
from services import errors
from services.clients.base import ApiCredentials
from services.enrolment import SignedIn
from services.login import LoginService
from services.login_steps import CodeWanted, LoginState, PasswordWanted, QrWanted
from services.sessions import SessionService

API_HASH = re.compile(r"[0-9a-fA-F]{32}")
LONGEST_CODE = 10
GUARD_SECONDS = 600
GUARDED_UNTIL = "guarded_until"
"""Until then (seconds since 1970) a text that nobody asked for may be the code or password once more, and goes."""
SHOWN_ON = "shown_on"
"""The message with the keypad or picture: what moves by itself is drawn there, and nowhere else."""
SECRET_STATES = (str(LoginForm.api_hash.state), str(LoginForm.password.state), str(ImportForm.api_hash.state))

# -- what the bot asks


async def start_login(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
    api: ApiCredentials | None,
) -> None:
    """A new attempt: an older one of this admin is dropped."""
    await state.clear()
    await logins.cancel(screen.admin_id)
    if api is not None:
        await ask_phone(event, screen, texts, state)
    else:
        await ask_api_id(event, screen, texts, state)


async def sign_in_again(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    logins: LoginService,
) -> None:
    """Number and application are known: one tap leads to the keypad.

    Answered last: a refusal is an alert then, and the notice with its button stays.
    """
    if await is_well(await sessions.card(callback_data.id), screen, texts):
        return
    wanted = await logins.begin_again(screen.admin_id, callback_data.id)
    await state.clear()
    await show_step(wanted, screen, texts, state)


async def ask_api_id(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(LoginForm.api_id)
    await screen.show(Page(texts.login.ask_api_id(), keyboards.bots.or_token(texts)))


async def ask_api_hash(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(LoginForm.api_hash)
    await screen.show(Page(texts.login.ask_api_hash(), keyboards.only_home(texts)))


async def ask_phone(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(LoginForm.phone)
    await screen.show(Page(texts.login.ask_phone(), keyboards.login.share_number(texts)))


async def ask_again(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
) -> None:
    """Draw what the attempt waits for, after a restart or after it was parked."""
    waiting: LoginState | None = await logins.resume(screen.admin_id)
    if waiting is None:
        raise errors.LoginTimedOut
    if isinstance(waiting, QrWanted):
        waiting = await logins.scan_again(waiting.attempt_id)
    await show_step(waiting, screen, texts, state)


PROMPTS: dict[str, Prompt] = {
    str(LoginForm.api_id.state): ask_api_id,
    str(LoginForm.api_hash.state): ask_api_hash,
    str(LoginForm.phone.state): ask_phone,
    str(LoginForm.code.state): ask_again,
    str(LoginForm.qr.state): ask_again,
    str(LoginForm.password.state): ask_again,
}


async def show_step(
    step: LoginState, screen: Shows, texts: Texts, state: FSMContext, trouble: str | None = None
) -> None:
    """The page of a step; a keypad is dealt anew each time."""
    match step:
        case CodeWanted():
            await _show_code(step, screen, texts, state, trouble)
        case QrWanted():
            assert step.link is not None
            await state.set_state(LoginForm.qr)
            await state.update_data(attempt=step.attempt_id, repairs=step.session_id)
            await state.update_data({SHOWN_ON: await screen.show(scan_page(step, step.link, texts))})
        case PasswordWanted():
            await state.set_state(LoginForm.password)
            await state.set_data({"attempt": step.attempt_id})
            await screen.show(Page(texts.login.ask_password(step, trouble), keyboards.login.password(texts)))
        case SignedIn():
            await state.clear()
            await state.set_data({GUARDED_UNTIL: time.time() + GUARD_SECONDS})
            await screen.show(signed_in_page(step, texts))


async def _show_code(step: CodeWanted, screen: Shows, texts: Texts, state: FSMContext, trouble: str | None) -> None:
    slots = "".join(secrets.SystemRandom().sample("0123456789", 10))
    await state.set_state(LoginForm.code)
    await state.update_data(attempt=step.attempt_id, slots=slots, typed="")
    if step.is_void:
        text = trouble or texts.login.code_void()
        await screen.show(Page(text, keyboards.login.new_code(texts, step.attempt_id)))
    else:
        await state.update_data({SHOWN_ON: await screen.show(code_page(step, texts, slots, "", trouble))})


def signed_in_page(step: SignedIn, texts: Texts) -> Page:
    text = texts.login.signed_in(step.session, step.going_on)
    return Page(text, keyboards.login.signed_in(texts, step.session, again=step.existed))


def scan_page(step: QrWanted, link: str, texts: Texts) -> Page:
    return Page(texts.login.scan(step), keyboards.login.scan(texts, step), photo=qr_picture(link))


def code_page(wanted: CodeWanted, texts: Texts, slots: str, typed: str, trouble: str | None = None) -> Page:
    text = texts.login.code(wanted, len(typed), trouble)
    resend = wanted.next_kind is not None
    if wanted.kind in NO_KEYPAD:
        return Page(text, keyboards.login.no_keypad(texts, wanted.attempt_id, resend=resend))
    submit = wanted.length is None and bool(typed)
    return Page(text, keyboards.login.keypad(texts, wanted.attempt_id, slots, submit=submit, resend=resend))


# -- what the admin answers


def api_id_in(message: Message) -> int | None:
    """What was typed, if it can be an application's id: a positive integer of 32 bits."""
    text = (message.text or "").strip()
    return int(text) if text.isdecimal() and 0 < int(text) < 2**31 else None


async def receive_api_id(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    api_id = api_id_in(message)
    if api_id is None:
        await screen.show(Page(texts.login.api_id_invalid(), keyboards.only_home(texts)))
        return
    await state.update_data(api_id=api_id)
    await ask_api_hash(message, screen, texts, state)


async def receive_api_hash(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    api_hash = await receive_secret(message, screen, texts)
    if not API_HASH.fullmatch(api_hash):
        await screen.show(Page(texts.login.api_hash_invalid(), keyboards.only_home(texts)))
        return
    await state.update_data(api_hash=api_hash)
    await ask_phone(message, screen, texts, state)


async def receive_phone(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
    api: ApiCredentials | None,
) -> None:
    """A shared contact or a typed number. The number itself leaves the chat as secrets do."""
    phone = message.contact.phone_number if message.contact else message.text or ""
    await screen.delete_typed()
    await screen.remove_reply_keyboard(texts.login.number_taken())
    credentials = await credentials_of(state, api)
    await show_step(await logins.begin(screen.admin_id, credentials, phone), screen, texts, state)


async def credentials_of(state: FSMContext, api: ApiCredentials | None) -> ApiCredentials:
    """As they were typed in this conversation, else as configured. Raises LoginTimedOut."""
    data = await state.get_data()
    credentials = api if "api_id" not in data else ApiCredentials(data["api_id"], data["api_hash"])
    if credentials is None:
        raise errors.LoginTimedOut
    return credentials


async def press_key(
    event: TelegramObject,
    callback_data: Key,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
) -> None:
    expected = await _expected(callback_data.attempt, screen, texts, state, logins)
    if expected is None:
        return
    wanted, data = expected
    typed = (data["typed"] + data["slots"][callback_data.slot % 10])[:LONGEST_CODE]
    await state.update_data(typed=typed)
    if wanted.length is not None and len(typed) >= wanted.length:
        await _submit(wanted, typed, screen, texts, state, logins)
    else:
        await screen.answer()  # before it is drawn: until then, apps ignore a second tap on the same digit
        await screen.show(code_page(wanted, texts, data["slots"], typed))


async def use_keypad(
    event: TelegramObject,
    callback_data: KeyAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
) -> None:
    """Take back a digit, or submit a code of unknown length."""
    expected = await _expected(callback_data.attempt, screen, texts, state, logins)
    if expected is None:
        return
    wanted, data = expected
    if callback_data.verb is KeyVerb.SUBMIT:
        await _submit(wanted, data["typed"], screen, texts, state, logins)
        return
    typed = data["typed"][:-1]
    await state.update_data(typed=typed)
    await screen.show(code_page(wanted, texts, data["slots"], typed))


async def resend(
    event: TelegramObject,
    callback_data: KeyAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
) -> None:
    """Too early is an alert: nothing is asked of Telegram, and the screen stays."""
    expected = await _expected(callback_data.attempt, screen, texts, state, logins)
    if expected is not None:
        logins.check_resend(expected[0])
        await screen.answer()
        await show_step(await logins.resend(callback_data.attempt), screen, texts, state)


async def _expected(
    attempt_id: int, screen: AdminScreen, texts: Texts, state: FSMContext, logins: LoginService
) -> tuple[CodeWanted, dict[str, str]] | None:
    """The attempt a keypad was made for. None, after saying so: it waits for no code, or another keypad is in use."""
    data = await state.get_data()
    if data.get("attempt") != attempt_id:
        await screen.answer(texts.login.keypad_is_old(), alert=True)
        return None
    waiting = await logins.resume(screen.admin_id)
    if waiting is None or waiting.attempt_id != attempt_id:
        raise errors.LoginTimedOut
    if isinstance(waiting, PasswordWanted):  # the last digit, tapped twice
        await show_step(waiting, screen, texts, state)
        return None
    if isinstance(waiting, QrWanted):
        raise errors.LoginTimedOut
    return waiting, data


async def _submit(
    wanted: CodeWanted, code: str, screen: AdminScreen, texts: Texts, state: FSMContext, logins: LoginService
) -> None:
    """Empty the keypad first: whatever Telegram says, the next tap starts a new code."""
    await screen.answer(texts.login.code_checking())
    await state.update_data(typed="")
    await show_step(await logins.code(wanted.attempt_id, code), screen, texts, state)


async def receive_typed_code(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, logins: LoginService
) -> None:
    """A code that came as text is burnt: deleted, explained, a new one offered."""
    await receive_secret(message, screen, texts)
    attempt = (await state.get_data()).get("attempt", 0)
    await logins.burnt(attempt)
    await screen.show(Page(texts.login.code_burnt(), keyboards.login.new_code(texts, attempt)))


async def receive_password(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, logins: LoginService
) -> None:
    password = await receive_secret(message, screen, texts)
    if not password:  # a file, a picture: gone from the chat, asked again
        await ask_again(message, screen, texts, state, logins)
        return
    attempt = (await state.get_data()).get("attempt", 0)
    await show_step(await logins.password(attempt, password), screen, texts, state)


# -- what goes wrong, and goes on


async def code_refused(
    event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext, logins: LoginService
) -> None:
    """A wrong code: the keypad again. A void one: a new code is one tap away. A wrong password: asked again."""
    assert isinstance(event.exception, errors.LoginError)
    trouble = texts.errors.of(event.exception)
    step = await logins.resume(screen.admin_id)
    if step is None:
        raise errors.LoginTimedOut from event.exception
    if not isinstance(step, QrWanted):
        await show_step(step, screen, texts, state, trouble)
    await screen.answer()


async def resend_too_early(event: ErrorEvent, screen: AdminScreen, texts: Texts) -> None:
    assert isinstance(event.exception, errors.ResendTooEarly)
    await screen.answer(texts.errors.of(event.exception), alert=True)


async def number_refused(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    assert isinstance(event.exception, errors.LoginError)
    await state.set_state(LoginForm.phone)
    await screen.show(Page(texts.errors.of(event.exception), keyboards.login.share_number(texts)))
    await screen.answer()


async def start_over(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    assert isinstance(event.exception, errors.LoginError)
    await state.clear()
    page = Page(texts.errors.of(event.exception), keyboards.one(texts.labels.start_over, Go(to=Place.LOGIN), texts))
    await screen.show(page)
    await screen.answer()


def build() -> Router:
    router = Router(name="login")
    router.message.register(start_login, Command("login"))
    router.callback_query.register(start_login, Go.filter(F.to == Place.LOGIN))
    router.callback_query.register(sign_in_again, SessionAction.filter(F.verb == SessionVerb.SIGN_IN))
    router.message.register(receive_api_id, LoginForm.api_id)
    router.message.register(receive_api_hash, LoginForm.api_hash)
    router.message.register(receive_phone, LoginForm.phone, F.contact | F.text)
    router.callback_query.register(press_key, Key.filter())
    router.callback_query.register(resend, KeyAction.filter(F.verb == KeyVerb.RESEND))
    router.callback_query.register(use_keypad, KeyAction.filter())
    router.message.register(receive_typed_code, LoginForm.code, F.text)
    router.message.register(receive_password, LoginForm.password)
    router.errors.register(
        code_refused, ExceptionTypeFilter(errors.CodeInvalid, errors.CodeExpired, errors.PasswordInvalid)
    )
    router.errors.register(code_refused, ExceptionTypeFilter(errors.ResendUnavailable), StateFilter(LoginForm.code))
    router.errors.register(resend_too_early, ExceptionTypeFilter(errors.ResendTooEarly))
    router.errors.register(number_refused, ExceptionTypeFilter(errors.PhoneInvalid, errors.PhoneUnregistered))
    router.errors.register(start_over, ExceptionTypeFilter(errors.LoginError))
    return router
