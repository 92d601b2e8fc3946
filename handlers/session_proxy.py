"""An account's proxy: typed, tried, then the only way; or taken away."""

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import SessionAction, SessionVerb
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.secrets import receive_secret
from handlers.sessions import session_page
from handlers.states import SessionForm
from handlers.texts import Texts
from services import errors
from services.clients.proxy import parse
from services.session_settings import SessionSettings
from services.sessions import SessionService


async def start(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
) -> None:
    await state.set_data({"session": callback_data.id})
    await ask_proxy(event, screen, texts, state, sessions)


async def ask_proxy(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    card = await sessions.card((await state.get_data())["session"])
    await state.set_state(SessionForm.proxy)
    await screen.show(Page(texts.proxies.ask(card), keyboards.sessions.proxy(texts, card)))


async def receive_proxy(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    session_settings: SessionSettings,
) -> None:
    proxy = parse(await receive_secret(message, screen, texts))
    session_id = (await state.get_data())["session"]
    await session_settings.set_proxy(session_id, proxy)
    await state.clear()
    card = await sessions.card(session_id)
    await screen.show(session_page(texts, card, texts.proxies.reached(proxy)))


async def not_reached(
    event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    """Nothing was stored; another may be typed at once."""
    assert isinstance(event.exception, errors.PorterError)
    card = await sessions.card((await state.get_data())["session"])
    error = event.exception
    why = texts.proxies.unreached(error) if isinstance(error, errors.ProxyFailed) else texts.errors.of(error)
    text = texts.proxies.not_stored(why)
    await screen.show(Page(text, keyboards.sessions.proxy(texts, card)))
    await screen.answer()


async def ask_remove(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
) -> None:
    card = await sessions.card(callback_data.id)
    await state.set_state(None)
    await screen.show(Page(texts.proxies.ask_remove(card), keyboards.sessions.remove_proxy(texts, card.session.id)))


async def remove(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    sessions: SessionService,
    session_settings: SessionSettings,
) -> None:
    await session_settings.remove_proxy(callback_data.id)
    await screen.show(session_page(texts, await sessions.card(callback_data.id), texts.proxies.removed()))


PROMPTS: dict[str, Prompt] = {str(SessionForm.proxy.state): ask_proxy}


def build() -> Router:
    router = Router(name="session-proxy")
    for verb, handler in (
        (SessionVerb.PROXY, start),
        (SessionVerb.PROXY_OFF, ask_remove),
        (SessionVerb.PROXY_OFF_SURELY, remove),
    ):
        router.callback_query.register(handler, SessionAction.filter(F.verb == verb))
    router.message.register(receive_proxy, SessionForm.proxy)
    typing = StateFilter(SessionForm.proxy)
    router.errors.register(not_reached, ExceptionTypeFilter(errors.ProxyInvalid, errors.TelegramError), typing)
    return router
