"""Loading who waited before the bot came: where, how many, by which link; at once or on a schedule."""

import re

from aiogram import F, Router
from aiogram.filters import Command, CommandObject
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Go, LoadAction, LoadPick, LoadVerb, Place
from handlers.parking import Prompt, look_at, park
from handlers.runs import show_card
from handlers.screen import AdminScreen, Page
from handlers.states import LoadForm
from handlers.texts import Texts
from services.channels import ChannelService
from services.clients.base import InviteLink
from services.desks import RunDesk
from services.errors import NotFound
from services.requests.load_desk import LoadDesk
from services.requests.load_schedules import LoadPlan
from services.requests.walks import Part
from services.schedule import outlook

INVITE_LINK = re.compile(r"(?:https?://)?t\.me/(?:\+|joinchat/)(?P<hash>[A-Za-z0-9_-]{8,})/?", re.IGNORECASE)
LARGEST = 10_000_000

# -- where


async def ask_load(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
    callback_data: LoadPick | None = None,
) -> None:
    """Channels where an account may let people in; typed names work as well."""
    await screen.answer()
    places = await loads.places()
    await look_at(state, LoadForm)
    await state.set_state(LoadForm.channel)
    page = callback_data.page if isinstance(callback_data, LoadPick) else 0
    await screen.show(Page(texts.loading.ask_where(places), keyboards.loading.where(texts, places, page)))


async def start_load(
    event: TelegramObject,
    command: CommandObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
    runs: RunDesk,
) -> None:
    """/load, or with the channel behind it: then everybody, at once."""
    await park(state)
    if not command.args:
        await ask_load(event, screen, texts, state, loads)
        return
    channel = await loads.find(command.args)
    await show_card(screen, texts, runs, await loads.load(channel.id))


async def receive_channel(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, loads: LoadDesk
) -> None:
    channel = await loads.find(message.text or "")
    await _ask_how_many(channel.id, screen, texts, state, loads)


# -- how many


async def pick_channel(
    event: TelegramObject,
    callback_data: LoadAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
) -> None:
    await screen.answer()
    await _ask_how_many(callback_data.channel, screen, texts, state, loads)


async def ask_how_many(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, loads: LoadDesk
) -> None:
    await screen.answer()
    await _ask_how_many((await state.get_data())["channel"], screen, texts, state, loads)


async def _ask_how_many(
    channel_id: int,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
    trouble: str | None = None,
) -> None:
    card = await loads.card(channel_id)
    await look_at(state, LoadForm, channel=channel_id)
    await state.set_state(LoadForm.count)
    text = texts.loading.ask_how_many(card, trouble)
    await screen.show(Page(text, keyboards.loading.how_many(texts, card.plan)))


async def receive_count(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
    runs: RunDesk,
) -> None:
    """A number; or another channel."""
    text = (message.text or "").strip()
    channel_id = (await state.get_data())["channel"]
    digits = re.sub(r"[\s,.']", "", text)
    if digits.isascii() and digits.isdigit() and 0 < int(digits) <= LARGEST:
        await state.clear()
        run = await loads.load(channel_id, part=Part(newest=int(digits)))
        await show_card(screen, texts, runs, run)
    elif ChannelService.is_reference(text):
        await receive_channel(message, screen, texts, state, loads)
    else:
        await _ask_how_many(channel_id, screen, texts, state, loads, texts.loading.no_number(text))


async def load_now(
    event: TelegramObject,
    callback_data: LoadAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
    runs: RunDesk,
) -> None:
    await _leave(state)
    run = await loads.load(callback_data.channel, part=Part(newest=callback_data.value or None))
    await show_card(screen, texts, runs, run)


async def load_all(
    event: TelegramObject,
    callback_data: LoadPick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
    runs: RunDesk,
) -> None:
    await _leave(state)
    await show_card(screen, texts, runs, await loads.load(callback_data.channel))


# -- by one link


async def pick_link(
    event: TelegramObject,
    callback_data: LoadAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
) -> None:
    """Telegram tells whose link it was only when it is asked for one link."""
    await screen.answer()
    await look_at(state, LoadForm, channel=callback_data.channel)
    await ask_link(event, screen, texts, state, loads)


async def ask_link(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, loads: LoadDesk
) -> None:
    await screen.answer()
    channel_id = (await state.get_data())["channel"]
    found = [link for link in await loads.links(channel_id) if link.waiting]
    await state.update_data(links=[link.link for link in found])
    await state.set_state(LoadForm.link)
    await screen.show(await _link_page(channel_id, found, texts, loads))


async def _link_page(channel_id: int, found: list[InviteLink], texts: Texts, loads: LoadDesk) -> Page:
    channel = (await loads.plan(channel_id)).channel
    text = texts.loading.ask_link(channel.title, found, keyboards.ROWS)
    return Page(text, keyboards.loading.links(texts, channel_id, found))


async def receive_link(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, loads: LoadDesk, runs: RunDesk
) -> None:
    """An invite link lets people ask: it is taken out of the chat, as whatever lets somebody in is."""
    found = INVITE_LINK.fullmatch((message.text or "").strip())
    channel_id = (await state.get_data())["channel"]
    if found is None:
        back = LoadAction(verb=LoadVerb.LINKS, channel=channel_id)
        await screen.show(Page(texts.loading.no_link(), keyboards.only_home(texts, back)))
        return
    await screen.delete_typed()
    await state.clear()
    run = await loads.load(channel_id, part=Part(link=f"https://t.me/+{found['hash']}"))
    await show_card(screen, texts, runs, run)


async def load_link(
    event: TelegramObject,
    callback_data: LoadAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
    runs: RunDesk,
) -> None:
    data = await state.get_data()
    known = data.get("links", [])
    if data.get("channel") != callback_data.channel or not 0 <= callback_data.value < len(known):
        raise NotFound("question")
    await state.clear()
    run = await loads.load(callback_data.channel, part=Part(link=known[callback_data.value]))
    await show_card(screen, texts, runs, run)


# -- when


def plan_page(texts: Texts, plan: LoadPlan) -> Page:
    schedule = plan.schedule
    words, upcoming = outlook(schedule.cron, schedule.timezone) if schedule is not None else (None, [])
    return Page(texts.loading.plan(plan, words, upcoming), keyboards.loading.plan(texts, plan))


async def show_plan(
    event: TelegramObject, callback_data: LoadAction, screen: AdminScreen, texts: Texts, loads: LoadDesk
) -> None:
    await screen.show(plan_page(texts, await loads.plan(callback_data.channel)))


async def change_plan(
    event: TelegramObject, callback_data: LoadAction, screen: AdminScreen, texts: Texts, loads: LoadDesk
) -> None:
    """Pause, go on, end; and how many each time."""
    channel_id = callback_data.channel
    match callback_data.verb:
        case LoadVerb.NEWEST:
            plan = await loads.set_newest(channel_id, callback_data.value or None)
        case LoadVerb.REMOVE:
            plan = await loads.set_schedule(channel_id, None, texts.zone.key)
        case verb:
            plan = await loads.set_enabled(channel_id, verb is LoadVerb.RESUME)
    await screen.show(plan_page(texts, plan))


async def _leave(state: FSMContext) -> None:
    """A question of this conversation is answered; one of another goes on."""
    if (await state.get_state() or "").startswith(f"{LoadForm.__name__}:"):
        await state.clear()


PROMPTS: dict[str, Prompt] = {
    str(LoadForm.channel.state): ask_load,
    str(LoadForm.count.state): ask_how_many,
    str(LoadForm.link.state): ask_link,
}


def build() -> Router:
    router = Router(name="load-requests")
    router.message.register(start_load, Command("load"))
    router.message.register(receive_channel, LoadForm.channel, F.text)
    router.message.register(receive_count, LoadForm.count, F.text)
    router.message.register(receive_link, LoadForm.link, F.text)
    router.callback_query.register(ask_load, Go.filter(F.to == Place.LOAD))
    router.callback_query.register(ask_load, LoadPick.filter(F.channel == 0))
    router.callback_query.register(load_all, LoadPick.filter())
    for verb, handler in (
        (LoadVerb.ASK, pick_channel),
        (LoadVerb.GO, load_now),
        (LoadVerb.LINKS, pick_link),
        (LoadVerb.LINK, load_link),
        (LoadVerb.PLAN, show_plan),
    ):
        router.callback_query.register(handler, LoadAction.filter(F.verb == verb))
    changes = {LoadVerb.NEWEST, LoadVerb.PAUSE, LoadVerb.RESUME, LoadVerb.REMOVE}
    router.callback_query.register(change_plan, LoadAction.filter(F.verb.in_(changes)))
    return router
