"""Save a channel, the long way: account, channel, files, folder, schedule, name, confirm. Each step has its default."""

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter, StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, Message, TelegramObject

from handlers import keyboards
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
from handlers.searching import LONGEST_SEARCH
from handlers.source_form import filled_in, new_source
from handlers.sources import chosen_root, source_page
from handlers.states import SourceForm
from handlers.texts import Texts
from services.channels import ChannelService
from services.errors import CronInvalid, SessionRequired
from services.estimates import Estimator
from services.saving import SavingService
from services.schedule import PRESETS, describe, next_times, validate
from services.sessions import SessionService
from services.sources import LONGEST_NAME, SourceService
from services.targets import check_folder
from storage.models import Session, SessionChannel, SessionState, Start

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


# -- folder


async def ask_folder(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    """Not asked of single posts that become the channel: they lie somewhere."""
    data = await state.get_data()
    if data.get("single"):
        await ask_schedule(event, screen, texts, state)
        return
    await state.set_state(SourceForm.folder)
    folder = data.get("folder") or sources.folder_for(data["title"])
    await state.update_data(folder=folder)
    root = data.get("root")
    page = keyboards.sources.pick_folder(texts, sources.roots, root)
    await screen.show(Page(texts.sources.ask_folder(root, folder), page))


async def receive_root(
    event: TelegramObject,
    callback_data: SourcePick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    """A root that no admin has agreed to is asked about first."""
    root = chosen_root(sources.roots, callback_data.value)
    if root is not None:
        look = await sources.look(root)
        if not look.is_known:
            await state.update_data(root_asked=root)
            page = keyboards.sources.pick_default(texts, texts.labels.use_root, Pick.ROOT_USE, back=1)
            await screen.show(Page(texts.sources.ask_root(look), page))
            return
    await state.update_data(root=root)
    await ask_folder(event, screen, texts, state, sources)


async def use_root(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    root = (await state.get_data()).get("root_asked", "")
    await sources.use_root(root)
    await state.update_data(root=root)
    await ask_folder(event, screen, texts, state, sources)


async def receive_folder(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.update_data(folder=check_folder((message.text or "").strip()))
    await ask_schedule(message, screen, texts, state)


async def back_from_folder(
    event: TelegramObject,
    callback_data: SourcePick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    if callback_data.value:
        await ask_folder(event, screen, texts, state, sources)
    else:
        await show_menu(event, screen, texts, state)


# -- schedule


async def ask_schedule(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(SourceForm.schedule)
    words = [describe(cron) for cron in PRESETS]
    data = await state.get_data()
    keep = texts.saving.keep_rhythm(data["cron"], live=bool(data.get("live"))) if "cron" in data else None
    markup = keyboards.sources.pick_schedule(texts, words, keep)
    await screen.show(Page(texts.sources.ask_schedule(texts.zone.key), markup))


async def back_from_schedule(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    if (await state.get_data()).get("single"):
        await show_menu(event, screen, texts, state)
    else:
        await ask_folder(event, screen, texts, state, sources)


async def receive_schedule(
    event: TelegramObject, callback_data: SourcePick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    """0: only by hand, so not live either; else a preset, counted from 1."""
    chosen = callback_data.value
    if not 0 <= chosen <= len(PRESETS):
        raise CronInvalid("syntax")
    is_live = bool((await state.get_data()).get("live")) and chosen > 0
    await state.update_data(cron=PRESETS[chosen - 1] if chosen else None, live=is_live)
    await ask_name(event, screen, texts, state)


async def ask_cron(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(SourceForm.cron)
    await screen.show(Page(texts.sources.ask_cron(), keyboards.sources.again(texts)))


async def receive_cron(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    cron = " ".join((message.text or "").split())
    await state.update_data(typed=cron[:LONGEST_SEARCH])
    validate(cron)
    await state.update_data(cron=cron)
    await ask_name(message, screen, texts, state)


async def cron_refused(event: ErrorEvent, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    """What was typed is shown with the reason; another line may be typed at once."""
    assert isinstance(event.exception, CronInvalid)
    await state.set_state(SourceForm.cron)
    trouble = texts.schedules.refused((await state.get_data()).get("typed", ""), texts.errors.of(event.exception))
    await screen.show(Page(texts.sources.ask_cron(trouble), keyboards.sources.again(texts)))
    await screen.answer()


# -- name and confirmation


async def ask_name(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(SourceForm.name)
    data = await state.get_data()
    name = data.get("name") or data["title"][:LONGEST_NAME]
    page = keyboards.sources.pick_default(texts, texts.labels.use_name, Pick.NAME)
    await screen.show(Page(texts.sources.ask_name(name), page))


async def back_from_name(
    event: TelegramObject, callback_data: SourcePick, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    ask = ask_name if callback_data.value else ask_schedule
    await ask(event, screen, texts, state)


async def receive_name(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, estimator: Estimator
) -> None:
    name = (message.text or "").strip()
    if not 1 <= len(name) <= LONGEST_NAME or "\n" in name:
        await screen.show(Page(texts.sources.name_invalid(), keyboards.sources.again(texts, back=1)))
        return
    await state.update_data(name=name)
    await ask_confirm(message, screen, texts, state, estimator)


async def ask_confirm(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, estimator: Estimator
) -> None:
    """With what the first time will bring: it is asked about here, since schedules do not ask."""
    await state.set_state(SourceForm.confirm)
    await screen.answer()
    data = await state.get_data()
    new, cron = new_source(data), data.get("cron")
    estimate = await estimator.look(new.session_id, new.channel_id, new.filters, new.start or Start(), new.root)
    is_large = estimate is not None and estimator.needs_asking(estimate)
    text = texts.sources.confirm(
        new,
        data["title"],
        describe(cron) if cron else None,
        next_times(cron, texts.zone.key) if cron else [],
        texts.estimates.brings(estimate, is_large=is_large),
        saved=data.get("saved"),
        single=data.get("single"),
    )
    await screen.show(Page(text, keyboards.sources.confirm(texts, is_large=is_large)))


async def create(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, saving: SavingService
) -> None:
    data = await state.get_data()
    card = await saving.keep(new_source(data), data.get("cron"), texts.zone.key)
    await state.clear()
    await screen.answer(texts.sources.created())
    await screen.show(source_page(texts, card))


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
