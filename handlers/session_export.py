"""Handing an account over: a passphrase, typed twice, then the file, and the account is gone here."""

from aiogram import F, Router
from aiogram.exceptions import TelegramAPIError, TelegramNetworkError, TelegramServerError
from aiogram.filters import ExceptionTypeFilter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import BufferedInputFile, ErrorEvent, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import SessionAction, SessionVerb
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.searching import open_list
from handlers.secrets import receive_secret
from handlers.session_list import list_page
from handlers.sessions import session_page
from handlers.states import OpenList, SessionForm
from handlers.texts import Texts
from services import errors
from services.exports import ExportForm, ExportService, Parcel
from services.sessions import SessionService

FORMS = {SessionVerb.EXPORT_TELETHON: ExportForm.TELETHON, SessionVerb.EXPORT_PYROGRAM: ExportForm.PYROGRAM}

# -- what the bot asks


async def ask_export(
    event: TelegramObject, callback_data: SessionAction, screen: AdminScreen, texts: Texts, exports: ExportService
) -> None:
    session = await exports.check(callback_data.id)
    await screen.show(Page(texts.exports.ask(session), keyboards.sessions.export(texts, session.id)))


async def choose_form(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    exports: ExportService,
) -> None:
    session = await exports.check(callback_data.id)
    await state.set_data({"session": session.id, "form": FORMS[callback_data.verb]})
    await ask_passphrase(event, screen, texts, state)


async def ask_passphrase(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(SessionForm.passphrase)
    await state.update_data(passphrase=None)
    await _ask(texts.exports.ask_passphrase(), screen, texts, state)


async def ask_passphrase_again(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(SessionForm.passphrase_again)
    await _ask(texts.exports.ask_passphrase_again(), screen, texts, state)


async def _ask(text: str, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await screen.show(Page(text, keyboards.sessions.back(texts, (await state.get_data())["session"])))


# -- what the admin answers


async def receive_passphrase(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, exports: ExportService
) -> None:
    passphrase = await receive_secret(message, screen, texts)
    exports.check_passphrase(passphrase)
    await state.update_data(passphrase=passphrase)
    await ask_passphrase_again(message, screen, texts, state)


async def hand_over(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    exports: ExportService,
) -> None:
    """The passphrase leaves the conversation before anything else: it is needed this once."""
    typed = await receive_secret(message, screen, texts)
    data = await state.get_data()
    await state.set_data({"session": data["session"], "form": data["form"]})
    if typed != data.get("passphrase"):
        raise errors.PassphraseInvalid
    session = await sessions.get(data["session"])
    async with exports.handing_over(session.id, ExportForm(data["form"]), typed) as parcel:
        await _send(message, texts, parcel)
    await state.clear()  # nothing of it waits
    await open_list(state, OpenList.accounts)
    page = await list_page(texts, state, sessions)
    await screen.show(Page(f"{texts.exports.handed_over(session, parcel)}\n\n{page.text}", page.markup))


async def _send(message: Message, texts: Texts, parcel: Parcel) -> None:
    """Raises ExportUnsent where Telegram has said no. After a lost connection nobody knows: that error is its own."""
    try:
        document = BufferedInputFile(parcel.content, parcel.name)
        await message.answer_document(document, caption=texts.exports.caption(parcel))
    except (TelegramNetworkError, TelegramServerError):
        raise
    except TelegramAPIError as error:
        raise errors.ExportUnsent from error


# -- what goes wrong, and goes on


async def passphrase_refused(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    assert isinstance(event.exception, errors.PassphraseInvalid)
    differ = await state.get_state() == SessionForm.passphrase_again.state
    await state.set_state(SessionForm.passphrase)
    await _ask(texts.exports.passphrase_refused(differ=differ), screen, texts, state)


async def unsent(
    event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    """The card says how the account stands: as before, or resting until somebody says whether the file is there."""
    card = await sessions.card((await state.get_data())["session"])
    await state.clear()
    known = isinstance(event.exception, errors.ExportUnsent)
    above = texts.errors.of(errors.ExportUnsent()) if known else texts.exports.perhaps_sent()
    await screen.show(session_page(texts, card, above))


PROMPTS: dict[str, Prompt] = {
    str(SessionForm.passphrase.state): ask_passphrase,
    str(SessionForm.passphrase_again.state): ask_passphrase,  # what was typed first was for that very moment
}


def build() -> Router:
    router = Router(name="session-export")
    router.callback_query.register(ask_export, SessionAction.filter(F.verb == SessionVerb.EXPORT))
    router.callback_query.register(choose_form, SessionAction.filter(F.verb.in_(FORMS)))
    router.message.register(receive_passphrase, SessionForm.passphrase)
    router.message.register(hand_over, SessionForm.passphrase_again)
    typing = StateFilter(SessionForm.passphrase, SessionForm.passphrase_again)
    router.errors.register(passphrase_refused, ExceptionTypeFilter(errors.PassphraseInvalid), typing)
    sending = StateFilter(SessionForm.passphrase_again)
    failures = ExceptionTypeFilter(errors.ExportUnsent, TelegramNetworkError, TelegramServerError)
    router.errors.register(unsent, failures, sending)
    return router
