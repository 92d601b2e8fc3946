"""/admins: who operates Porter. Added by Telegram's picker, an id or a forwarded message; asked before it counts."""

import logging
from typing import Any

from aiogram import Bot, F, Router
from aiogram.enums import MessageOriginType
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command, ExceptionTypeFilter, StateFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    ErrorEvent,
    Message,
    MessageOriginUser,
    TelegramObject,
)

from handlers import access, keyboards
from handlers.callbacks import ChannelPick, Go, PersonAction, PersonVerb, Place, Settle
from handlers.parking import Prompt, leave, look_at, park, turn_to
from handlers.screen import AdminScreen, Page, Screens
from handlers.states import PeopleForm
from handlers.texts import Texts
from services.admins import AdminService, Appointment, changed_channels
from services.confirmations import ConfirmationService
from services.errors import NotAPerson, PersonTrouble
from services.gate import PeopleGate
from services.pins import PinService
from storage.models import Admin, Role

log = logging.getLogger(__name__)

SETTLE = "settle"
NO_SENDERS = {
    MessageOriginType.HIDDEN_USER: PersonTrouble.HIDDEN,
    MessageOriginType.CHAT: PersonTrouble.ANONYMOUS,
    MessageOriginType.CHANNEL: PersonTrouble.CHANNEL,
}
ROLES = {PersonVerb.OWNER: Role.OWNER, PersonVerb.APPROVER: Role.APPROVER, PersonVerb.VIEWER: Role.VIEWER}


async def start_link(bot: Bot) -> str:
    """Opening it lets the bot write; the parameter does nothing."""
    return f"https://t.me/{(await bot.me()).username}?start=hello"


async def set_menu(bot: Bot, user_id: int, role: Role | None) -> None:
    """The commands that Telegram offers in this person's chat. Whoever never wrote to the bot gets them at /start."""
    scope = BotCommandScopeChat(chat_id=user_id)
    try:
        if role is None:
            await bot.delete_my_commands(scope)
            return
        commands = access.commands_of(role)
        await bot.set_my_commands(
            [BotCommand(command=name, description=what) for name, what in commands.items()], scope
        )
    except TelegramAPIError as error:
        log.warning("a command menu is not set: %s", error.message, extra={"admin_id": user_id})


# -- looking


async def show_people(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admins: AdminService,
    callback_data: Go | None = None,
) -> None:
    await park(state)
    people = await admins.all()
    page = callback_data.page if callback_data else 0
    await screen.show(Page(texts.people.all(people), keyboards.people.listing(texts, people, page)))


async def show_person(
    event: TelegramObject,
    callback_data: PersonAction,
    screen: AdminScreen,
    texts: Texts,
    admins: AdminService,
    pins: PinService,
    bot: Bot,
) -> None:
    person = await admins.get(callback_data.id)
    titles = await admins.titles(person.channels)
    for_good, has_pin = admins.is_for_good(person.user_id), await pins.has(person.user_id)
    is_self = person.user_id == screen.admin_id
    link = await start_link(bot) if person.unreachable_at is not None else None
    text = texts.people.card(person, titles, for_good=for_good, has_pin=has_pin, link=link)
    markup = keyboards.people.card(texts, person, for_good=for_good, has_pin=has_pin and not is_self)
    await screen.show(Page(text, markup))


# -- what shall be: collected in the FSM data, asked, then done


async def add(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await park(state)
    await screen.show(Page(texts.people.ask_role(), keyboards.people.roles(texts)))


async def choose_role(
    event: TelegramObject,
    callback_data: PersonAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admins: AdminService,
    confirmations: ConfirmationService,
) -> None:
    """Of somebody new (id 0) or known. An approver's channels are chosen next."""
    draft: dict[str, Any] = {"role": ROLES[callback_data.verb], "person": None, "channels": []}
    if callback_data.id:
        known = await admins.get(callback_data.id)
        admins.check_may_leave(known.user_id)
        draft |= {"person": known.user_id, "name": known.name, "channels": sorted(known.channels)}
    await turn_to(state, PeopleForm, **draft)
    if draft["role"] is Role.APPROVER:
        await ask_channels(event, screen, texts, state, admins)
    else:
        await _person_or_question(event, screen, texts, state, admins, confirmations)


async def change_channels(
    event: TelegramObject,
    callback_data: PersonAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admins: AdminService,
) -> None:
    known = await admins.get(callback_data.id)
    draft = {"role": Role.APPROVER, "person": known.user_id, "name": known.name, "channels": sorted(known.channels)}
    await look_at(state, PeopleForm, untouched={"channels": draft["channels"]}, **draft)
    await ask_channels(event, screen, texts, state, admins)


async def ask_channels(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, admins: AdminService
) -> None:
    await _show_channels(0, screen, texts, state, admins)


async def _show_channels(page: int, screen: AdminScreen, texts: Texts, state: FSMContext, admins: AdminService) -> None:
    await state.set_state(PeopleForm.channels)
    chosen = set((await state.get_data())["channels"])
    known = await admins.askable(chosen)
    text = texts.people.ask_channels(len(known), len(chosen))
    await screen.show(Page(text, keyboards.people.channels(texts, known, chosen, page)))


async def pick_channel(
    event: TelegramObject,
    callback_data: ChannelPick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admins: AdminService,
) -> None:
    """On or off; the page stays."""
    if callback_data.channel:
        chosen = (await state.get_data())["channels"]
        await state.update_data(channels=changed_channels(chosen, callback_data.channel))
    await _show_channels(callback_data.page, screen, texts, state, admins)


async def channels_chosen(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admins: AdminService,
    confirmations: ConfirmationService,
) -> None:
    if not (await state.get_data())["channels"]:
        await screen.answer(texts.people.no_channel_chosen(), alert=True)
        return
    await _person_or_question(event, screen, texts, state, admins, confirmations)


async def _person_or_question(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admins: AdminService,
    confirmations: ConfirmationService,
) -> None:
    if (await state.get_data())["person"] is None:
        await ask_person(event, screen, texts, state)
    else:
        await _ask(screen, texts, state, admins, confirmations)


async def ask_person(event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await state.set_state(PeopleForm.person)
    role = Role((await state.get_data())["role"])
    await screen.show(Page(texts.people.ask_person(role), keyboards.people.pick_person(texts)))


async def receive_person(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admins: AdminService,
    confirmations: ConfirmationService,
    people: PeopleGate,
) -> None:
    """By the picker, a forwarded message, or an id. Raises NotAPerson, after which another may be sent."""
    user_id, name = _meant(message)
    admins.check_person(user_id)
    seen = await people.person(user_id)
    if seen is not None and seen.is_bot:
        raise NotAPerson(PersonTrouble.BOT)
    known = await admins.find(user_id)
    if known is not None:
        admins.check_may_leave(user_id)
    await state.update_data(person=user_id, name=(seen.name if seen else name) or (known.name if known else ""))
    await screen.remove_reply_keyboard(texts.people.person_taken())
    await _ask(screen, texts, state, admins, confirmations)


async def no_person(event: ErrorEvent, screen: AdminScreen, texts: Texts) -> None:
    """The picker stays below the words that name it, and another may be sent."""
    assert isinstance(event.exception, NotAPerson)
    await screen.show(Page(texts.errors.of(event.exception), keyboards.people.pick_person(texts)))


def _meant(message: Message) -> tuple[int, str]:
    """Id and name. Raises NotAPerson."""
    if message.users_shared is not None:
        user = message.users_shared.users[0]
        return user.user_id, " ".join(filter(None, (user.first_name, user.last_name)))
    origin = message.forward_origin
    if isinstance(origin, MessageOriginUser):
        AdminService.check_person(origin.sender_user.id)  # those that stand for other senders have their own words
        if origin.sender_user.is_bot:
            raise NotAPerson(PersonTrouble.BOT)
        return origin.sender_user.id, origin.sender_user.full_name
    if origin is not None:
        raise NotAPerson(NO_SENDERS.get(MessageOriginType(origin.type), PersonTrouble.CHANNEL))
    text = (message.text or "").strip()
    if not text.lstrip("-").isdecimal() or len(text) > 20:
        raise NotAPerson(PersonTrouble.NOT_AN_ID)
    return int(text), ""


async def _ask(
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    admins: AdminService,
    confirmations: ConfirmationService,
) -> None:
    """Who it is and what shall be, by name and id; nothing counts before the yes."""
    draft = await state.get_data()
    await leave(state)
    known = await admins.find(draft["person"])
    role = Role(draft["role"])
    appointment = Appointment(
        user_id=draft["person"],
        name=draft.get("name", ""),
        was=known.role if known else None,
        role=role,
        channel_ids=tuple(draft["channels"]) if role is Role.APPROVER else (),
    )
    titles = await admins.titles(appointment.channel_ids)
    confirmation = await confirmations.ask(screen.admin_id, SETTLE, appointment.pack())
    text = texts.people.ask_settle(appointment, titles)
    await screen.show(Page(text, keyboards.people.settle(texts, confirmation, danger=role is Role.OWNER)))


async def ask_remove(
    event: TelegramObject,
    callback_data: PersonAction,
    screen: AdminScreen,
    texts: Texts,
    admins: AdminService,
    confirmations: ConfirmationService,
) -> None:
    person = await admins.get(callback_data.id)
    admins.check_may_leave(person.user_id)
    appointment = Appointment(person.user_id, person.name, person.role, None)
    confirmation = await confirmations.ask(screen.admin_id, SETTLE, appointment.pack())
    text = texts.people.ask_remove(person)
    await screen.show(Page(text, keyboards.people.settle(texts, confirmation, danger=True)))


async def settle(
    event: TelegramObject,
    callback_data: Settle,
    screen: AdminScreen,
    texts: Texts,
    admins: AdminService,
    confirmations: ConfirmationService,
    screens: Screens,
    bot: Bot,
) -> None:
    appointment = Appointment.unpack(await confirmations.take(callback_data.id, screen.admin_id, SETTLE))
    admin = await admins.settle(screen.admin_id, appointment)
    await screen.answer()
    titles = await admins.titles(appointment.channel_ids)
    link = ""
    if admin is not None and admin.user_id != screen.admin_id:
        told = await _tell(screens, texts, admin, titles)
        link = "" if told else f"https://t.me/{(await bot.me()).username}"
    await set_menu(bot, appointment.user_id, appointment.role)
    text = texts.people.settled(appointment, titles, link)
    await screen.show(Page(text, keyboards.people.settled(texts, is_owner=_still_owns(screen, appointment))))


def _still_owns(screen: AdminScreen, appointment: Appointment) -> bool:
    return appointment.user_id != screen.admin_id or appointment.role is Role.OWNER


async def _tell(screens: Screens, texts: Texts, admin: Admin, titles: list[str]) -> bool:
    """Say it to the person. False: the bot may not write to them yet."""
    page = Page(texts.people.you_are(admin, titles), keyboards.only_home(texts))
    return await screens.tell(admin.user_id, page)


async def ask_clear_pin(
    event: TelegramObject, callback_data: PersonAction, screen: AdminScreen, texts: Texts, admins: AdminService
) -> None:
    person = await admins.get(callback_data.id)
    await screen.show(Page(texts.people.ask_clear_pin(person), keyboards.people.clear_pin(texts, person)))


async def clear_pin(
    event: TelegramObject,
    callback_data: PersonAction,
    screen: AdminScreen,
    texts: Texts,
    admins: AdminService,
    pins: PinService,
) -> None:
    """A lost PIN: another owner takes it away."""
    person = await admins.get(callback_data.id)
    await pins.remove(person.user_id, person.name or str(person.user_id))
    back = PersonAction(verb=PersonVerb.SHOW, id=person.user_id)
    await screen.show(Page(texts.people.pin_cleared(person), keyboards.only_home(texts, back)))


PROMPTS: dict[str, Prompt] = {
    str(PeopleForm.channels.state): ask_channels,
    str(PeopleForm.person.state): ask_person,
}


def build() -> Router:
    router = Router(name="people")
    router.message.register(show_people, Command("admins"))
    router.callback_query.register(show_people, Go.filter(F.to == Place.ADMINS))
    router.message.register(receive_person, PeopleForm.person, F.users_shared | F.forward_origin | F.text)
    router.callback_query.register(pick_channel, ChannelPick.filter(), PeopleForm.channels)
    is_chosen = PersonAction.filter(F.verb == PersonVerb.CHOSEN)
    router.callback_query.register(channels_chosen, is_chosen, PeopleForm.channels)
    router.callback_query.register(add, PersonAction.filter((F.verb == PersonVerb.SHOW) & (F.id == 0)))
    for verb, handler in (
        (PersonVerb.SHOW, show_person),
        (PersonVerb.CHANNELS, change_channels),
        (PersonVerb.REMOVE, ask_remove),
        (PersonVerb.CLEAR_PIN, ask_clear_pin),
        (PersonVerb.CLEAR_PIN_SURELY, clear_pin),
    ):
        router.callback_query.register(handler, PersonAction.filter(F.verb == verb))
    router.callback_query.register(choose_role, PersonAction.filter(F.verb.in_(set(ROLES))))
    router.callback_query.register(settle, Settle.filter())
    router.errors.register(no_person, ExceptionTypeFilter(NotAPerson), StateFilter(PeopleForm.person))
    return router
