"""The later questions to a channel that is being added: folder, schedule, name, confirm. handlers/add_source.py asks
the first ones and says which button counts where."""

from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Pick, SourcePick
from handlers.choose_root import agree, take_root
from handlers.edit_filters import show_menu
from handlers.screen import AdminScreen, Page
from handlers.searching import LONGEST_SEARCH
from handlers.source_form import new_source
from handlers.sources import source_page
from handlers.states import SourceForm
from handlers.texts import Texts
from services.errors import CronInvalid
from services.estimates import Estimator
from services.saving import SavingService
from services.schedule import PRESETS, describe, next_times, validate
from services.sources import LONGEST_NAME, SourceService
from services.targets import check_folder
from storage.models import Start

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
    question = keyboards.sources.pick_default(texts, texts.labels.use_root, Pick.ROOT_USE, back=1)
    if await take_root(callback_data.value, question, screen, texts, state, sources):
        await ask_folder(event, screen, texts, state, sources)


async def use_root(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await agree(state, sources)
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
