"""Home is state, not a menu: what happened, what waits, and one button a thing. Help, /cancel and parking live here."""

from aiogram import Bot, F, Router
from aiogram.filters import Command, CommandStart, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers import (
    access,
    add_source,
    bot_accounts,
    choose_start,
    defaults,
    edit_application,
    edit_filters,
    edit_identity,
    edit_schedule,
    edit_source,
    greetings,
    import_session,
    keyboards,
    load_requests,
    login,
    many,
    many_folder,
    people,
    request_filters,
    request_lists,
    rule_form,
    run_list,
    save_several,
    session_api,
    session_channels,
    session_export,
    session_list,
    session_proxy,
    sessions,
    settings,
    sources,
)
from handlers.callbacks import Go, Parked, Place
from handlers.parking import Prompt, Unparks, is_list, park, parked_state
from handlers.screen import AdminScreen, Page
from handlers.states import LoginForm
from handlers.texts import Texts
from handlers.texts.labels import Labels
from services.home import HomeService
from services.login import LoginService
from storage.models import Admin

PROMPTS: dict[str, Prompt] = {
    **login.PROMPTS,
    **import_session.PROMPTS,
    **bot_accounts.PROMPTS,
    **add_source.PROMPTS,
    **edit_source.PROMPTS,
    **defaults.PROMPTS,
    **edit_filters.PROMPTS,
    **choose_start.PROMPTS,
    **edit_application.PROMPTS,
    **sources.PROMPTS,
    **save_several.PROMPTS,
    **edit_identity.PROMPTS,
    **edit_schedule.PROMPTS,
    **many.PROMPTS,
    **many_folder.PROMPTS,
    **sources.PROMPTS,
    **run_list.PROMPTS,
    **sessions.PROMPTS,
    **session_list.PROMPTS,
    **session_api.PROMPTS,
    **session_proxy.PROMPTS,
    **session_channels.PROMPTS,
    **session_export.PROMPTS,
    **rule_form.PROMPTS,
    **greetings.PROMPTS,
    **request_lists.PROMPTS,
    **request_filters.PROMPTS,
    **load_requests.PROMPTS,
    **people.PROMPTS,
    **settings.PROMPTS,
}


async def show_home(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    home: HomeService,
) -> None:
    await park(state)
    parked = await parked_state(state)
    summary = await home.for_admin(screen.admin_id)
    waits = None
    if parked:
        is_login = parked.startswith(LoginForm.__name__)
        waits = texts.home.parked_login() if is_login else texts.home.parked_form()
    await screen.show(Page(texts.home.page(summary, waits), keyboards.home.page(texts, summary, parked=bool(parked))))


async def start(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    home: HomeService,
    admin: Admin,
    bot: Bot,
) -> None:
    """Who was added before they ever wrote gets the command menu now."""
    if admin.last_home_at is None:
        await people.set_menu(bot, admin.user_id, admin.role)
    await show_home(event, screen, texts, state, home)


async def press_home_key(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, home: HomeService
) -> None:
    """On a keyboard below the chat, which says its text and goes."""
    await screen.delete_typed()
    await screen.remove_reply_keyboard(texts.login.one_moment())
    await show_home(event, screen, texts, state, home)


async def show_help(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, admin: Admin) -> None:
    await park(state)
    text = texts.home.help(access.commands_of(admin.role), admin.role)
    await screen.show(Page(text, keyboards.only_home(texts)))


async def cancel(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    logins: LoginService,
) -> None:
    name = await state.get_state()
    asked = (name and not is_list(name)) or await parked_state(state)
    await state.clear()
    await logins.cancel(screen.admin_id)
    text = texts.home.cancelled() if asked else texts.home.nothing_to_cancel()
    await screen.show(Page(text, keyboards.only_home(texts)))


async def drop_parked(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    home: HomeService,
    logins: LoginService,
) -> None:
    await state.clear()
    await logins.cancel(screen.admin_id)
    await show_home(event, screen, texts, state, home)


async def nothing_parked(event: TelegramObject, screen: AdminScreen, texts: Texts) -> None:
    await screen.answer(texts.home.nothing_parked(), alert=True)


def build() -> Router:
    router = Router(name="home")
    router.message.register(start, CommandStart())
    router.message.register(show_help, Command("help"))
    router.message.register(press_home_key, F.text == Labels.home)
    router.message.register(cancel, Command("cancel"))
    router.callback_query.register(show_home, Go.filter(F.to == Place.HOME))
    router.callback_query.register(show_help, Go.filter(F.to == Place.HELP))
    router.callback_query.register(drop_parked, Parked.filter(~F.resume))
    for state_name, prompt in PROMPTS.items():
        router.callback_query.register(prompt, Parked.filter(F.resume), Unparks(state_name))
        router.callback_query.register(prompt, Go.filter(F.to == Place.AGAIN), StateFilter(state_name))
    router.callback_query.register(nothing_parked, Parked.filter(F.resume))
    router.callback_query.register(show_home, Go.filter(F.to == Place.AGAIN))
    return router
