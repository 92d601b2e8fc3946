"""When a saved channel is looked at: presets, a cron line of one's own, the time zone, by hand only.

One conversation for an existing saved channel, for the admin's defaults (OWN), for those that are chosen in the list
(CHOSEN), and for a channel whose waiting people are loaded: ids of chats are negative. Nothing holds before it was
shown in words with its next three runs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from aiogram import F, Router
from aiogram.filters import ExceptionTypeFilter, StateFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import ErrorEvent, Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import CHOSEN, OWN, EditPick, SourceEdit
from handlers.choosing import chosen_of
from handlers.load_requests import plan_page
from handlers.many_outcomes import show_outcome
from handlers.parking import Prompt, leave, look_at
from handlers.screen import AdminScreen, Page
from handlers.searching import LONGEST_SEARCH
from handlers.sources import source_page
from handlers.states import EditForm
from handlers.texts import Texts
from services.admins import AdminService
from services.errors import CronInvalid, NotFound
from services.many_sources import ManySources
from services.profiles import ProfileService
from services.requests.load_desk import LoadDesk
from services.schedule import PRESETS, describe, next_times, outlook, validate, zones
from services.sources import SourceService


@dataclass(frozen=True, slots=True)
class Edited:
    """What the schedule is of. `name` None: the admin's defaults. `count`: of chosen ones. `timezone`: of the schedule
    as it is. `paused`: it rests; None: there is none to rest. `is_load`: of who waits there, not of posts."""

    id: int
    name: str | None
    cron: str | None
    timezone: str | None
    paused: bool | None = None
    count: int = 1
    is_load: bool = False


def _is_load(subject_id: int) -> bool:
    return subject_id < CHOSEN


async def _edited(
    data: dict[str, Any],
    texts: Texts,
    admin_id: int,
    sources: SourceService,
    profiles: ProfileService,
    loads: LoadDesk,
) -> Edited:
    source_id = data["source"]
    if _is_load(source_id):
        plan = await loads.plan(source_id)
        if plan.schedule is None:
            return Edited(source_id, plan.channel.title, None, None, is_load=True)
        cron, timezone, paused = plan.schedule.cron, plan.schedule.timezone, not plan.schedule.enabled
        return Edited(source_id, plan.channel.title, cron, timezone, paused, is_load=True)
    if source_id == OWN:
        return Edited(OWN, None, (await profiles.get(admin_id)).cron, texts.zone.key)
    if source_id == CHOSEN:
        return Edited(CHOSEN, None, None, None, count=len(data["chosen"]))
    card = await sources.get(source_id)
    if card.schedule is None:
        return Edited(source_id, card.source.name, None, None)
    schedule = card.schedule
    return Edited(source_id, card.source.name, schedule.cron, schedule.timezone, not card.source.enabled)


async def begin(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    profiles: ProfileService,
    loads: LoadDesk,
) -> None:
    data: dict[str, Any] = {"source": callback_data.id}
    if callback_data.id == CHOSEN:
        data["chosen"] = await chosen_of(state)
    await look_at(state, EditForm, untouched={"typed": None, "cron": None}, **data)
    await ask_schedule(event, screen, texts, state, sources, profiles, loads)


async def ask_schedule(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    profiles: ProfileService,
    loads: LoadDesk,
) -> None:
    await screen.show(await _question(screen.admin_id, texts, state, sources, profiles, loads))


async def _question(
    admin_id: int,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    profiles: ProfileService,
    loads: LoadDesk,
    trouble: str | None = None,
) -> Page:
    await state.set_state(EditForm.schedule)
    edited = await _edited(await state.get_data(), texts, admin_id, sources, profiles, loads)
    now = None
    if edited.cron is not None:
        now = texts.schedules.now(edited.timezone, *outlook(edited.cron, edited.timezone or texts.zone.key))
    text = texts.schedules.ask(edited.name, edited.count, now, texts.zone.key, trouble, is_load=edited.is_load)
    words = [describe(cron) for cron in PRESETS]
    markup = keyboards.schedules.question(
        texts, edited.id, words, has_one=edited.cron is not None, paused=edited.paused, is_load=edited.is_load
    )
    return Page(text, markup)


async def receive_preset(
    event: TelegramObject, callback_data: SourceEdit, screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    if not 0 <= callback_data.value < len(PRESETS):
        raise NotFound("choice")
    await _check(state, callback_data)
    await _preview(PRESETS[callback_data.value], screen, texts, state)


async def receive_cron(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    cron = " ".join((message.text or "").split())
    await state.update_data(typed=cron[:LONGEST_SEARCH])
    validate(cron)
    await _preview(cron, screen, texts, state)


async def _preview(cron: str, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.update_data(cron=cron)
    await ask_preview(None, screen, texts, state)


async def ask_preview(event: TelegramObject | None, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(EditForm.schedule_preview)
    data = await state.get_data()
    cron, zone = data["cron"], texts.zone.key
    text = texts.schedules.preview(cron, describe(cron), zone, next_times(cron, zone), len(data.get("chosen", ())))
    await screen.show(Page(text, keyboards.schedules.preview(texts, data["source"])))


async def refused(
    event: ErrorEvent,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    profiles: ProfileService,
    loads: LoadDesk,
) -> None:
    """What was typed is shown with the reason; another line may be typed at once."""
    assert isinstance(event.exception, CronInvalid)
    typed = (await state.get_data()).get("typed", "")
    trouble = texts.schedules.refused(typed, texts.errors.of(event.exception))
    await screen.show(await _question(screen.admin_id, texts, state, sources, profiles, loads, trouble))
    await screen.answer()


async def use(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    profiles: ProfileService,
    many_sources: ManySources,
    loads: LoadDesk,
) -> None:
    """The line that was shown, or (SCHEDULE_OFF) none: by hand only."""
    data, cron = await _answer(state, callback_data)
    if data["source"] == OWN:
        await profiles.change(screen.admin_id, cron=cron)
        await ask_schedule(event, screen, texts, state, sources, profiles, loads)
        return
    await screen.answer()
    chosen = data["chosen"] if data["source"] == CHOSEN else [data["source"]]
    outcome = await many_sources.set_schedule(chosen, cron, texts.zone.key)
    if data["source"] == CHOSEN:
        await show_outcome(texts.many.scheduled(cron), outcome, chosen, screen, texts, state)
    else:
        await leave(state)
        await screen.show(source_page(texts, await sources.get(data["source"])))


async def use_load(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    loads: LoadDesk,
) -> None:
    """The same for a channel whose waiting people are loaded."""
    _, cron = await _answer(state, callback_data)
    plan = await loads.set_schedule(callback_data.id, cron, texts.zone.key)
    await leave(state)
    await screen.show(plan_page(texts, plan))


async def _answer(state: FSMContext, callback_data: SourceEdit) -> tuple[dict[str, Any], str | None]:
    """What was filled in, and the line that shall hold. Raises NotFound."""
    data = await _check(state, callback_data)
    return data, data["cron"] if callback_data.what is EditPick.SCHEDULE_USE else None


async def _check(state: FSMContext, callback_data: SourceEdit) -> dict[str, Any]:
    """What was filled in. Raises NotFound: the button is of another question."""
    data = await state.get_data()
    if data.get("source") != callback_data.id:
        raise NotFound("question")
    return data


# -- the time zone


async def ask_zone(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    callback_data: CallbackData | None = None,
) -> None:
    """Of the admin, for all that is to come; what runs already keeps its own."""
    turned = isinstance(callback_data, SourceEdit) and callback_data.what is EditPick.ZONE_PAGE
    if not turned and await state.get_state() == EditForm.schedule.state:
        await state.update_data(zone=None)
    await state.set_state(EditForm.zone)
    data = await state.get_data()
    wanted = data.get("zone") or ""
    page = callback_data.value if isinstance(callback_data, SourceEdit) and turned else 0
    source_id = data["source"]

    def pick(what: EditPick, value: int = 0) -> SourceEdit:
        return SourceEdit(what=what, id=source_id, value=value)

    choose, turn = partial(pick, EditPick.ZONE_SET), partial(pick, EditPick.ZONE_PAGE)
    await screen.show(zone_page(texts, wanted, page, choose, turn, pick(EditPick.SCHEDULE_ASK)))


def zone_page(
    texts: Texts,
    wanted: str,
    page: int,
    choose: Callable[[int], CallbackData],
    turn: Callable[[int], CallbackData],
    back: CallbackData,
) -> Page:
    """Those whose name has all words of `wanted`. `choose`: by the place among all."""
    words = wanted.casefold().replace("_", " ").split()
    found = [
        (place, name)
        for place, name in enumerate(zones())
        if all(word in name.casefold().replace("_", " ") for word in words)
    ]
    text = texts.schedules.ask_zone(texts.zone.key, len(found), wanted)
    return Page(text, keyboards.schedules.zones(texts, found, page, choose, turn, back))


async def take_zone(place: int, admin_id: int, admins: AdminService) -> ZoneInfo:
    """The admin's from now on. Raises NotFound."""
    known = zones()
    if not 0 <= place < len(known):
        raise NotFound("timezone")
    await admins.set_timezone(admin_id, known[place])
    return ZoneInfo(known[place])


def words_typed(message: Message) -> str:
    return " ".join((message.text or "").split())[:LONGEST_SEARCH]


async def search_zone(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.update_data(zone=words_typed(message))
    await ask_zone(message, screen, texts, state)


async def set_zone(
    event: TelegramObject,
    callback_data: SourceEdit,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
    profiles: ProfileService,
    admins: AdminService,
    loads: LoadDesk,
) -> None:
    await _check(state, callback_data)
    zone = await take_zone(callback_data.value, screen.admin_id, admins)
    await ask_schedule(event, screen, Texts(texts.locale, zone), state, sources, profiles, loads)


PROMPTS: dict[str, Prompt] = {
    str(EditForm.schedule.state): ask_schedule,
    str(EditForm.schedule_preview.state): ask_preview,
    str(EditForm.zone.state): ask_zone,
}


def build() -> Router:
    router = Router(name="edit-schedule")
    router.callback_query.register(begin, SourceEdit.filter(F.what == EditPick.SCHEDULE))
    of_load = F.id < CHOSEN
    for open_state, chosen in (
        (EditForm.schedule, EditPick.SCHEDULE_OFF),
        (EditForm.schedule_preview, EditPick.SCHEDULE_USE),
    ):
        router.callback_query.register(use_load, open_state, SourceEdit.filter((F.what == chosen) & of_load))
    asking = StateFilter(EditForm.schedule, EditForm.schedule_preview, EditForm.zone)
    for form_state, pick, handler in (
        (asking, EditPick.SCHEDULE_ASK, ask_schedule),
        (EditForm.schedule, EditPick.SCHEDULE_PRESET, receive_preset),
        (EditForm.schedule, EditPick.SCHEDULE_OFF, use),
        (EditForm.schedule, EditPick.ZONE, ask_zone),
        (EditForm.schedule_preview, EditPick.SCHEDULE_USE, use),
        (EditForm.zone, EditPick.ZONE_PAGE, ask_zone),
        (EditForm.zone, EditPick.ZONE_SET, set_zone),
    ):
        router.callback_query.register(handler, form_state, SourceEdit.filter(F.what == pick))
    typing = StateFilter(EditForm.schedule, EditForm.schedule_preview)
    router.message.register(receive_cron, typing, F.text)
    router.message.register(search_zone, EditForm.zone, F.text)
    router.errors.register(refused, ExceptionTypeFilter(CronInvalid), typing)
    return router
