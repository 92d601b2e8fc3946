"""Add a bot that reads: its token, wherever in the chat it is sent; sign a dead one in again.

A token is as good as a password: the message goes first. What is needed of the application is asked as in a login.
"""

from typing import Any

from aiogram import F, Router
from aiogram.filters import BaseFilter, ExceptionTypeFilter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, Place, SessionAction, SessionVerb
from handlers.login import API_HASH, api_id_in, signed_in_page
from handlers.parking import Prompt, park
from handlers.screen import AdminScreen, Page
from handlers.secrets import receive_secret
from handlers.sessions import is_well
from handlers.states import BotForm, LoginForm, SourceForm
from handlers.texts import Texts
from handlers.texts.labels import Labels
from services import errors
from services.bot_accounts import TOKEN, BotAccounts
from services.clients.base import ApiCredentials
from services.sessions import SessionService
from storage.models import SessionKind

APPLICATION = ("api_id", "api_hash")

# -- what the bot asks


async def start(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, api: ApiCredentials | None
) -> None:
    """What was typed of an application in a login that is left for this is not asked again."""
    is_login = (await state.get_state() or "").startswith(f"{LoginForm.__name__}:")
    data = await state.get_data() if is_login else {}
    typed = {name: data[name] for name in APPLICATION if name in data}
    if not await _is_asking(state):
        await park(state)
    await state.update_data({"api_id": None, "api_hash": None, "token": None, "repairs": None, **typed})
    if api is None and not typed.get("api_hash"):
        await ask_api_id(event, screen, texts, state)
    else:
        await ask_token(event, screen, texts, state)


async def choose_token(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, api: ApiCredentials | None
) -> None:
    """In place of the number."""
    await screen.delete_typed()
    await screen.remove_reply_keyboard(texts.login.one_moment())
    await start(message, screen, texts, state, api)


async def ask_api_id(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(BotForm.api_id)
    await screen.show(Page(texts.login.ask_api_id(), keyboards.bots.back(texts)))


async def ask_api_hash(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(BotForm.api_hash)
    await screen.show(Page(texts.login.ask_api_hash(), keyboards.bots.back(texts)))


async def ask_token(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(BotForm.token)
    await screen.show(Page(texts.bots.ask_token(), keyboards.bots.back(texts)))


async def ask_use(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, bot_accounts: BotAccounts
) -> None:
    token = (await state.get_data()).get("token") or ""
    await state.set_state(BotForm.confirm)
    await screen.show(Page(texts.bots.ask_use(bot_accounts.check(token)), keyboards.bots.use(texts)))


PROMPTS: dict[str, Prompt] = {
    str(BotForm.api_id.state): ask_api_id,
    str(BotForm.api_hash.state): ask_api_hash,
    str(BotForm.token.state): ask_token,
    str(BotForm.confirm.state): ask_use,
}


async def _is_asking(state: FSMContext) -> bool:
    return (await state.get_state() or "").startswith(f"{BotForm.__name__}:")


# -- what the admin answers


async def receive_api_id(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    api_id = api_id_in(message)
    if api_id is None:
        await screen.show(Page(texts.login.api_id_invalid(), keyboards.bots.back(texts)))
        return
    await state.update_data(api_id=api_id)
    await ask_api_hash(message, screen, texts, state)


async def receive_api_hash(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    bot_accounts: BotAccounts,
    api: ApiCredentials | None,
) -> None:
    api_hash = await receive_secret(message, screen, texts)
    if not API_HASH.fullmatch(api_hash):
        await screen.show(Page(texts.login.api_hash_invalid(), keyboards.bots.back(texts)))
        return
    await state.update_data(api_hash=api_hash)
    await _go_on(message, screen, texts, state, bot_accounts, api)


async def receive_token(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    bot_accounts: BotAccounts,
    api: ApiCredentials | None,
) -> None:
    token = await receive_secret(message, screen, texts)
    bot_accounts.check(token)
    await state.update_data(token=token)
    await _go_on(message, screen, texts, state, bot_accounts, api)


async def receive_stray_token(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, bot_accounts: BotAccounts
) -> None:
    """Nobody asked for one: gone from the chat in any case, and used when the admin says so."""
    token = await receive_secret(message, screen, texts)
    bot_accounts.check(token)
    await park(state)
    await state.update_data(api_id=None, api_hash=None, token=token, repairs=None)
    await ask_use(message, screen, texts, state, bot_accounts)


async def use_token(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    bot_accounts: BotAccounts,
    api: ApiCredentials | None,
) -> None:
    if not (await state.get_data()).get("token"):
        raise errors.ConfirmationExpired
    await screen.answer(texts.bots.trying())
    await _go_on(event, screen, texts, state, bot_accounts, api)


async def _go_on(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    bot_accounts: BotAccounts,
    api: ApiCredentials | None,
) -> None:
    """To what is missing still, else to Telegram. The token leaves the conversation with its end."""
    data: dict[str, Any] = await state.get_data()
    application = await _application(data, bot_accounts, api)
    if application is None:
        await ask_api_id(event, screen, texts, state)
        return
    if not data.get("token"):
        await ask_token(event, screen, texts, state)
        return
    signed_in = await bot_accounts.sign_in(application, data["token"], data.get("repairs"))
    await state.clear()
    await screen.show(signed_in_page(signed_in, texts))


async def _application(
    data: dict[str, Any], bot_accounts: BotAccounts, api: ApiCredentials | None
) -> ApiCredentials | None:
    """The one that the dead bot has, that was typed here, or that is configured; None: it is to be asked for."""
    if data.get("repairs") is not None:
        return await bot_accounts.application_of(data["repairs"])
    if data.get("api_hash"):
        return ApiCredentials(data["api_id"], data["api_hash"])
    return api


class OfBot(BaseFilter):
    """Matches the buttons of an account that is a bot."""

    async def __call__(self, event: TelegramObject, callback_data: SessionAction, sessions: SessionService) -> bool:
        return (await sessions.get(callback_data.id)).kind is SessionKind.BOT


async def sign_in_again(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    bot_accounts: BotAccounts,
) -> None:
    """By the token that is kept: one tap. Where that is no good any more, a new one is asked for."""
    card = await sessions.card(callback_data.id)
    if await is_well(card, screen, texts):
        return
    await screen.answer(texts.bots.trying())
    signed_in = await bot_accounts.sign_in_again(callback_data.id)
    await park(state)
    if signed_in is not None:
        await screen.show(signed_in_page(signed_in, texts))
        return
    await state.update_data(token=None, repairs=callback_data.id)
    await state.set_state(BotForm.token)
    await screen.show(Page(texts.bots.ask_token_again(card.session), keyboards.bots.back(texts)))


# -- what goes wrong, and goes on


async def token_refused(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """Nothing was stored. Another may be sent at once."""
    assert isinstance(event.exception, errors.PorterError)
    if not await _is_asking(state):
        await park(state)
    await state.update_data(token=None)
    await state.set_state(BotForm.token)
    await screen.show(Page(texts.errors.of(event.exception), keyboards.bots.back(texts)))
    await screen.answer()


async def application_refused(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """Telegram does not say which of the two was wrong. The token waits meanwhile."""
    assert isinstance(event.exception, errors.PorterError)
    await state.update_data(api_id=None, api_hash=None)
    await state.set_state(BotForm.api_id)
    await screen.show(Page(texts.errors.of(event.exception), keyboards.bots.back(texts)))
    await screen.answer()


async def try_again(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """Telegram could not be asked: the token waits behind its button."""
    assert isinstance(event.exception, errors.PorterError)
    if (await state.get_data()).get("token"):
        await state.set_state(BotForm.confirm)
    await screen.show(Page(texts.errors.of(event.exception), keyboards.bots.use(texts)))
    await screen.answer()


async def offer_bot(event: ErrorEvent, screen: AdminScreen, texts: Texts) -> None:
    """A channel that the chosen account does not see, while one is being saved: perhaps a bot does."""
    assert isinstance(event.exception, errors.PorterError)
    page = Page(texts.errors.of(event.exception), keyboards.bots.or_token(texts, Go(to=Place.AGAIN)))
    await screen.show(page)
    await screen.answer()


def build() -> Router:
    router = Router(name="bot-accounts")
    asking = StateFilter(BotForm)
    router.callback_query.register(start, Go.filter(F.to == Place.BOT))
    router.callback_query.register(use_token, BotForm.confirm, Go.filter(F.to == Place.BOT_USE))
    router.callback_query.register(sign_in_again, SessionAction.filter(F.verb == SessionVerb.SIGN_IN), OfBot())
    router.message.register(choose_token, LoginForm.phone, F.text == Labels.have_token)
    router.message.register(receive_api_id, BotForm.api_id, F.text)
    router.message.register(receive_api_hash, BotForm.api_hash, F.text)
    router.message.register(receive_token, BotForm.token, F.text)
    router.message.register(receive_stray_token, F.text.strip().regexp(TOKEN, mode="fullmatch"))
    router.errors.register(token_refused, ExceptionTypeFilter(errors.TokenInvalid, errors.OwnBot))
    router.errors.register(application_refused, ExceptionTypeFilter(errors.ApiCredentialsInvalid), asking)
    router.errors.register(token_refused, ExceptionTypeFilter(errors.SessionExists, errors.AccountDiffers), asking)
    router.errors.register(try_again, ExceptionTypeFilter(errors.TelegramError), asking)
    unseen = ExceptionTypeFilter(errors.ChannelUnavailable, errors.ChannelNotFound)
    router.errors.register(offer_bot, unseen, SourceForm.channel)
    return router
