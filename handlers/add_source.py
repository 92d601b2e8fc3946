"""Save a channel, the long way: account, channel, files, folder, schedule, name, confirm. Each step has its default.

From the folder on, the questions stand in handlers/add_steps.py.
"""

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter, StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.add_steps import (
    ask_confirm,
    ask_cron,
    ask_folder,
    ask_name,
    ask_schedule,
    back_from_folder,
    back_from_name,
    back_from_schedule,
    create,
    cron_refused,
    receive_cron,
    receive_folder,
    receive_name,
    receive_root,
    receive_schedule,
    use_root,
)
from handlers.callbacks import (
    ChannelVerb,
    FilterPart,
    FilterPick,
    Go,
    Pick,
    Place,
    SessionChannelAction,
    SourcePick,
)
from handlers.edit_filters import show_menu
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.source_form import filled_in
from handlers.states import SourceForm
from handlers.texts import Texts
from services.channels import ChannelService
from services.errors import CronInvalid, SessionRequired
from services.saving import SavingService
from services.sessions import SessionService
from storage.models import Session, SessionChannel, SessionState

# -- account


async def start(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
) -> None:
    """With one working account there is nothing to choose."""
    await state.clear()
    ready = await _ready(sessions)
    if not ready:
        raise SessionRequired
    if len(ready) == 1:
        await state.set_data({"session": ready[0].id})
        await ask_channel(event, screen, texts, state, sessions, channels)
    else:
        await ask_session(event, screen, texts, state, sessions)


async def _ready(sessions: SessionService) -> list[Session]:
    return [session for session in await sessions.all() if session.state is SessionState.ACTIVE]


async def ask_session(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    callback_data: CallbackData | None = None,
) -> None:
    turned = isinstance(callback_data, SourcePick) and callback_data.what is Pick.PAGE
    page = callback_data.value if isinstance(callback_data, SourcePick) and turned else 0
    await state.set_state(SourceForm.session)
    ready = await _ready(sessions)
    await screen.show(Page(texts.sources.ask_session(ready), keyboards.sources.pick_session(texts, ready, page)))


async def receive_session(
    event: TelegramObject,
    callback_data: SourcePick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
) -> None:
    await state.set_data({"session": callback_data.value})
    await ask_channel(event, screen, texts, state, sessions, channels)


async def start_with(
    event: TelegramObject,
    callback_data: SessionChannelAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    channels: ChannelService,
    saving: SavingService,
) -> None:
    """Account and channel are chosen already, in the account's list."""
    chosen = await channels.seen(callback_data.session, callback_data.channel)
    await state.clear()
    await _take_channel(event, chosen, screen, texts, state, saving)


# -- channel


async def ask_channel(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
    callback_data: CallbackData | None = None,
) -> None:
    """A page of what the account sees; `search` in the data narrows it."""
    turned = isinstance(callback_data, SourcePick) and callback_data.what is Pick.PAGE
    page = callback_data.value if isinstance(callback_data, SourcePick) and turned else 0
    await state.set_state(SourceForm.channel)
    data = await state.get_data()
    session = await sessions.get(data["session"])
    await screen.answer()
    rows = _search(await channels.of_session(session.id), data.get("search"))
    text = texts.sources.ask_channel(session, rows, data.get("search"))
    await screen.show(Page(text, keyboards.sources.pick_channel(texts, session.id, rows, page)))


def _search(rows: list[SessionChannel], wanted: str | None) -> list[SessionChannel]:
    return [row for row in rows if wanted.casefold() in row.channel.title.casefold()] if wanted else rows


async def receive_channel(
    event: TelegramObject,
    callback_data: SourcePick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    channels: ChannelService,
    saving: SavingService,
) -> None:
    data = await state.get_data()
    rows = await channels.of_session(data["session"])
    chosen = next((row for row in rows if row.channel.id == callback_data.value), None)
    if chosen is None:
        chosen = await channels.find(str(callback_data.value), data["session"])
    await _take_channel(event, chosen, screen, texts, state, saving)


async def receive_channel_text(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
    saving: SavingService,
) -> None:
    """A name or link is looked up; anything else searches the list."""
    text = (message.text or "").strip()
    if channels.is_reference(text):
        data = await state.get_data()
        chosen = await channels.find(text, data["session"])
        await _take_channel(message, chosen, screen, texts, state, saving)
        return
    await state.update_data(search=text)
    await ask_channel(message, screen, texts, state, sessions, channels)


async def _take_channel(
    event: TelegramObject,
    chosen: SessionChannel,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
) -> None:
    """The form begins with the admin's defaults."""
    channel = chosen.channel
    offer = await saving.offer(screen.admin_id, channel.id, chosen.session_id)
    await state.set_data(filled_in(offer, chosen.session_id, await saving.unique_name(channel.title)))
    await show_menu(event, screen, texts, state)


PROMPTS: dict[str, Prompt] = {
    str(SourceForm.session.state): ask_session,
    str(SourceForm.channel.state): ask_channel,
    str(SourceForm.files.state): show_menu,
    str(SourceForm.folder.state): ask_folder,
    str(SourceForm.schedule.state): ask_schedule,
    str(SourceForm.cron.state): ask_cron,
    str(SourceForm.name.state): ask_name,
    str(SourceForm.confirm.state): ask_confirm,
}


def build() -> Router:
    """Each button counts only in the step that shows it: a stale one of an earlier step changes nothing."""
    router = Router(name="add-source")
    router.callback_query.register(start_with, SessionChannelAction.filter(F.verb == ChannelVerb.SAVE))
    router.callback_query.register(start, Go.filter(F.to == Place.ADD_SOURCE))
    for form_state, pick, handler in (
        (SourceForm.session, Pick.SESSION, receive_session),
        (SourceForm.session, Pick.PAGE, ask_session),
        (SourceForm.channel, Pick.PAGE, ask_channel),
        (SourceForm.channel, Pick.CHANNEL, receive_channel),
        (SourceForm.files, Pick.FILES, show_menu),  # a screen of before there was an editor
        (SourceForm.files, Pick.FILES_DONE, ask_folder),
        (SourceForm.folder, Pick.ROOT, receive_root),
        (SourceForm.folder, Pick.ROOT_USE, use_root),
        (SourceForm.folder, Pick.FOLDER, ask_schedule),
        (SourceForm.schedule, Pick.SCHEDULE, receive_schedule),
        (SourceForm.schedule, Pick.SCHEDULE_KEEP, ask_name),
        (SourceForm.schedule, Pick.OWN_CRON, ask_cron),
        (SourceForm.name, Pick.NAME, ask_confirm),
        (SourceForm.confirm, Pick.CONFIRM, create),
        (SourceForm.confirm, Pick.CHANGE, show_menu),
        (SourceForm.files, Pick.BACK, ask_channel),
        (SourceForm.folder, Pick.BACK, back_from_folder),
        (SourceForm.schedule, Pick.BACK, back_from_schedule),
        (SourceForm.cron, Pick.BACK, ask_schedule),
        (SourceForm.name, Pick.BACK, back_from_name),
        (SourceForm.confirm, Pick.BACK, ask_name),
    ):
        router.callback_query.register(handler, form_state, SourcePick.filter(F.what == pick))
    router.callback_query.register(ask_folder, SourceForm.files, FilterPick.filter(F.what == FilterPart.KEEP))
    router.message.register(receive_channel_text, SourceForm.channel, F.text)
    router.message.register(receive_folder, SourceForm.folder, F.text)
    typing_cron = StateFilter(SourceForm.schedule, SourceForm.cron)
    router.message.register(receive_cron, typing_cron, F.text)
    router.errors.register(cron_refused, ExceptionTypeFilter(CronInvalid), typing_cron)
    router.message.register(receive_name, SourceForm.name, F.text)
    router.message.register(receive_name, SourceForm.confirm, F.text)  # the name was taken: another is typed
    return router
