"""Import a session that exists: a string or a file, wherever in the chat it is sent.

It is recognised without connecting, shown, and tried only after the admin said that it is in use nowhere else. In
between the session lies in the sealed FSM data alone.
"""

import re

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, ImportUse, Place
from handlers.login import API_HASH, api_id_in
from handlers.parking import Prompt, park
from handlers.screen import AdminScreen, Page
from handlers.secrets import receive_secret, receive_secret_file
from handlers.states import ImportForm
from handlers.texts import Texts
from services import errors
from services import imports as importing
from services.clients.base import ApiCredentials
from services.imports import Candidate, ImportService

A_SESSION_STRING = re.compile(r"\s*[A-Za-z0-9_-]{340,380}={0,2}\s*")
A_SESSION_FILE = re.compile(r".+\.session(-wal|-journal)?", re.IGNORECASE)

# -- what the bot asks


async def start_import(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.clear()
    await ask_session(event, screen, texts, state)


async def ask_session(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(ImportForm.session)
    await screen.show(Page(texts.imports.ask_session(), keyboards.only_home(texts, Go(to=Place.SESSIONS))))


async def ask_confirmation(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await _show_candidate(screen, texts, state)


async def _show_candidate(screen: AdminScreen, texts: Texts, state: FSMContext, trouble: str | None = None) -> None:
    candidate = await _candidate(state)
    await state.set_state(ImportForm.confirm)
    text = texts.imports.candidate(candidate, trouble)
    await screen.show(Page(text, keyboards.imports.candidate(texts, candidate)))


async def ask_api_id(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(ImportForm.api_id)
    await screen.show(Page(texts.imports.ask_api_id(), keyboards.only_home(texts)))


async def ask_api_hash(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(ImportForm.api_hash)
    api_id = await _api_id(state)
    await screen.show(Page(texts.imports.ask_api_hash(api_id), keyboards.only_home(texts)))


PROMPTS: dict[str, Prompt] = {
    str(ImportForm.session.state): ask_session,
    str(ImportForm.confirm.state): ask_confirmation,
    str(ImportForm.api_id.state): ask_api_id,
    str(ImportForm.api_hash.state): ask_api_hash,
}

# -- what the admin answers


async def receive_string(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, imports: ImportService
) -> None:
    content = await receive_secret(message, screen, texts)
    await _consider(content, screen, texts, state, imports)


async def receive_file(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, imports: ImportService
) -> None:
    content = await receive_secret_file(message, screen, texts)
    await _consider(content, screen, texts, state, imports)


async def _consider(
    content: str | bytes,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    imports: ImportService,
) -> None:
    """Another conversation that was open is parked, an import that was open gives way."""
    candidate = await imports.inspect(content)
    if not await _is_importing(state):
        await park(state)
    await state.update_data(candidate=importing.pack(candidate), api_id=candidate.found.api_id, api_hash=None)
    await _show_candidate(screen, texts, state)


async def use_session(
    event: TelegramObject,
    callback_data: ImportUse,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    imports: ImportService,
) -> None:
    """What the session does not say of its application, the operator's settings or the admin must."""
    candidate = await _candidate(state)
    if candidate.mark != callback_data.mark:
        raise errors.ConfirmationExpired
    data = await state.get_data()
    api = imports.known_api(candidate)
    if api is None and data["api_id"] and data["api_hash"]:
        api = ApiCredentials(data["api_id"], data["api_hash"])
    if api is not None:
        await screen.answer(texts.imports.trying())
        await _sign_in(candidate, api, screen, texts, state, imports)
    else:
        await (ask_api_hash if data["api_id"] else ask_api_id)(event, screen, texts, state)


async def receive_api_id(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    api_id = api_id_in(message)
    if api_id is None:
        await screen.show(Page(texts.login.api_id_invalid(), keyboards.only_home(texts)))
        return
    await state.update_data(api_id=api_id)
    await ask_api_hash(message, screen, texts, state)


async def receive_api_hash(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, imports: ImportService
) -> None:
    api_hash = await receive_secret(message, screen, texts)
    if not API_HASH.fullmatch(api_hash):
        await screen.show(Page(texts.login.api_hash_invalid(), keyboards.only_home(texts)))
        return
    await state.update_data(api_hash=api_hash)
    api = ApiCredentials(await _api_id(state), api_hash)
    await _sign_in(await _candidate(state), api, screen, texts, state, imports)


async def _sign_in(
    candidate: Candidate,
    api: ApiCredentials,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    imports: ImportService,
) -> None:
    signed_in = await imports.confirm(candidate, api)
    await state.clear()
    markup = keyboards.login.signed_in(texts, signed_in.session, again=signed_in.existed)
    await screen.show(Page(texts.imports.imported(signed_in), markup))


# -- what lies in the sealed data


async def _is_importing(state: FSMContext) -> bool:
    return (await state.get_state() or "").startswith(f"{ImportForm.__name__}:")


async def _candidate(state: FSMContext) -> Candidate:
    """Raises ConfirmationExpired when it was used, dropped, or never there."""
    packed = (await state.get_data()).get("candidate")
    if packed is None:
        raise errors.ConfirmationExpired
    return importing.unpack(packed)


async def _api_id(state: FSMContext) -> int:
    api_id: int | None = (await state.get_data()).get("api_id")
    if api_id is None:
        raise errors.ConfirmationExpired
    return api_id


# -- what goes wrong, and goes on


async def not_usable(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """Nothing was stored. Another session may be sent at once."""
    assert isinstance(event.exception, errors.PorterError)
    if not await _is_importing(state):
        await park(state)
    await state.update_data(candidate=None)
    await state.set_state(ImportForm.session)
    dead = isinstance(event.exception, errors.SessionDead)
    text = texts.imports.dead() if dead else texts.errors.of(event.exception)
    await screen.show(Page(text, keyboards.imports.another(texts)))
    await screen.answer()


async def try_again(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """Telegram could not be asked: the session waits behind its button, or has to be sent again."""
    assert isinstance(event.exception, errors.PorterError)
    trouble = texts.errors.of(event.exception)
    if (await state.get_data()).get("candidate"):
        await _show_candidate(screen, texts, state, trouble)
    else:
        await screen.show(Page(trouble, keyboards.imports.another(texts)))
    await screen.answer()


def build() -> Router:
    router = Router(name="import")
    importing_now = StateFilter(ImportForm)
    router.callback_query.register(start_import, Go.filter(F.to == Place.IMPORT))
    router.callback_query.register(use_session, ImportUse.filter())
    router.message.register(receive_file, F.document.file_name.regexp(A_SESSION_FILE, mode="fullmatch"))
    router.message.register(receive_file, ImportForm.session, F.document)
    router.message.register(receive_string, F.text.regexp(A_SESSION_STRING, mode="fullmatch"))
    router.message.register(receive_string, ImportForm.session, F.text)
    router.message.register(receive_api_id, ImportForm.api_id, F.text)
    router.message.register(receive_api_hash, ImportForm.api_hash, F.text)
    router.errors.register(not_usable, ExceptionTypeFilter(errors.SessionUnreadable))
    router.errors.register(not_usable, ExceptionTypeFilter(errors.SessionExists, errors.SessionDead), importing_now)
    router.errors.register(try_again, ExceptionTypeFilter(errors.TelegramError), importing_now)
    return router
