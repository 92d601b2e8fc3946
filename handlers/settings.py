"""/settings: what admins set for themselves, in one place. Each thing has a screen of its own; here are the ways."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, Place, ZonePick, ZoneVerb
from handlers.edit_schedule import take_zone, words_typed, zone_page
from handlers.parking import Prompt, leave, look_at, park
from handlers.screen import AdminScreen, Page
from handlers.states import SettingsForm
from handlers.texts import Texts
from services.admins import AdminService
from services.desks import RequestDesk
from services.pins import PinService
from services.profiles import ProfileService
from services.requests.notice_desk import NoticeDesk
from storage.models import Admin


async def show_settings(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admin: Admin,
    profiles: ProfileService,
    pins: PinService,
) -> None:
    await park(state)
    profile = await profiles.get(admin.user_id)
    text = texts.settings.page(admin.role, profile, has_pin=await pins.has(admin.user_id))
    await screen.show(Page(text, keyboards.settings.page(texts)))


async def show_telling(
    event: TelegramObject,
    callback_data: Go,
    screen: AdminScreen,
    texts: Texts,
    admin: Admin,
    requests: RequestDesk,
    notices: NoticeDesk,
) -> None:
    """How each channel tells of new people, where this admin decides."""
    channels = [entry.channel for entry in await requests.overview() if admin.decides(entry.channel.id)]
    shown = [(each, await notices.settings(each.id)) for each in keyboards.window(channels, callback_data.page)]
    markup = keyboards.settings.telling(texts, shown, callback_data.page, len(channels))
    await screen.show(Page(texts.settings.telling(len(channels)), markup))


# -- the time zone


async def begin_zone(
    event: TelegramObject, callback_data: ZonePick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    await look_at(state, SettingsForm, wanted="")
    await state.set_state(SettingsForm.zone)
    await _show_zones(0, screen, texts, state)


async def ask_zone(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await _show_zones(0, screen, texts, state)


async def turn_zones(
    event: TelegramObject, callback_data: ZonePick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    await _show_zones(callback_data.value, screen, texts, state)


async def _show_zones(page: int, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    wanted = (await state.get_data())["wanted"]
    choose, turn = keyboards.settings.choose_zone, keyboards.settings.turn_zones
    await screen.show(zone_page(texts, wanted, page, choose, turn, Go(to=Place.SETTINGS)))


async def search_zone(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.update_data(wanted=words_typed(message))
    await _show_zones(0, screen, texts, state)


async def set_zone(
    event: TelegramObject,
    callback_data: ZonePick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admin: Admin,
    admins: AdminService,
    profiles: ProfileService,
    pins: PinService,
) -> None:
    zone = await take_zone(callback_data.value, admin.user_id, admins)
    await leave(state)
    await show_settings(event, screen, Texts(texts.locale, zone), state, admin, profiles, pins)


PROMPTS: dict[str, Prompt] = {str(SettingsForm.zone.state): ask_zone}


def build() -> Router:
    router = Router(name="settings")
    router.message.register(show_settings, Command("settings"))
    router.callback_query.register(show_settings, Go.filter(F.to == Place.SETTINGS))
    router.callback_query.register(show_telling, Go.filter(F.to == Place.TELLING))
    router.callback_query.register(begin_zone, ZonePick.filter(F.verb == ZoneVerb.ASK))
    router.callback_query.register(turn_zones, SettingsForm.zone, ZonePick.filter(F.verb == ZoneVerb.PAGE))
    router.callback_query.register(set_zone, SettingsForm.zone, ZonePick.filter(F.verb == ZoneVerb.SET))
    router.message.register(search_zone, SettingsForm.zone, F.text)
    return router
