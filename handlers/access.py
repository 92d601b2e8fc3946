"""Who may what in the chat: one table, asked before any handler, for messages, commands and buttons alike.

What is not in the table is for owners. Everybody but admins meets silence.

A button that shall want the owner's PIN is marked here, by one line, `pin=True`: of a question and its answer it is the
answer. The door shows the keypad in between (handlers/pin.py); with the right PIN, or one that was given less than five
minutes ago, the same press goes on to its own handler, which knows nothing of it.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from aiogram import BaseMiddleware, Bot, Router
from aiogram.enums import ChatType
from aiogram.filters import BaseFilter
from aiogram.filters.callback_data import CallbackData
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message, TelegramObject

from handlers import callbacks as cb
from handlers import keyboards, pin
from handlers.parking import parked_state
from handlers.screen import Page
from handlers.states import ListForm, LoadForm, OpenList, SettingsForm
from handlers.texts.home import COMMANDS
from services import audit
from services.errors import NotAllowed
from storage.models import Admin, AuditOutcome, AuditVerb, Role

log = logging.getLogger(__name__)

Roles = frozenset[Role]
EVERYBODY: Roles = frozenset(Role)
DECIDERS: Roles = frozenset({Role.OWNER, Role.APPROVER})
LOOKERS: Roles = frozenset({Role.OWNER, Role.VIEWER})
OWNERS: Roles = frozenset({Role.OWNER})


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may press it, and whether an owner's PIN comes before."""

    roles: Roles = OWNERS
    pin: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """Of a kind of button: `rest` holds for the verbs that are not named."""

    rest: Rule = field(default_factory=Rule)
    verbs: Mapping[StrEnum, Rule] = field(default_factory=dict)


ALL, DECIDE, LOOK, OWN, OWN_PIN = Rule(EVERYBODY), Rule(DECIDERS), Rule(LOOKERS), Rule(OWNERS), Rule(OWNERS, pin=True)

BUTTONS: dict[type[CallbackData], Rules] = {
    cb.Go: Rules(
        verbs={
            cb.Place.HOME: ALL,
            cb.Place.HELP: ALL,
            cb.Place.AGAIN: ALL,
            cb.Place.REQUESTS: ALL,
            cb.Place.RUNS: ALL,
            cb.Place.LOAD: DECIDE,
            cb.Place.SOURCES: LOOK,
            cb.Place.SETTINGS: ALL,
            cb.Place.TELLING: DECIDE,
        }
    ),
    cb.Parked: Rules(ALL),
    cb.Key: Rules(OWN),
    cb.KeyAction: Rules(OWN),
    cb.ImportUse: Rules(OWN),
    cb.SessionAction: Rules(
        OWN,
        {
            cb.SessionVerb.DELETE_SURELY: OWN_PIN,
            cb.SessionVerb.FORGET_SURELY: OWN_PIN,
            cb.SessionVerb.EXPORT_TELETHON: OWN_PIN,
            cb.SessionVerb.EXPORT_PYROGRAM: OWN_PIN,
        },
    ),
    cb.SessionChannelAction: Rules(OWN),
    cb.ShowAll: Rules(ALL),
    cb.SessionMove: Rules(OWN),
    cb.SourceAction: Rules(
        OWN,
        {
            cb.SourceVerb.SHOW: LOOK,
            cb.SourceVerb.DELETE_SURELY: OWN_PIN,
            cb.SourceVerb.DELETE_KEEPING: OWN_PIN,
        },
    ),
    cb.FailedFile: Rules(OWN, {cb.FailedVerb.LIST: LOOK}),
    cb.Many: Rules(OWN),
    cb.ManySurely: Rules(OWN),
    cb.ManyDelete: Rules(OWN_PIN),
    cb.SourceEdit: Rules(OWN),
    cb.FilterPick: Rules(OWN),
    cb.StartPick: Rules(OWN),
    cb.SourcePick: Rules(OWN),
    cb.SaveAction: Rules(OWN),
    cb.LinkPick: Rules(OWN),
    cb.InviteAction: Rules(OWN),
    cb.SeveralAction: Rules(OWN),
    cb.SeveralTick: Rules(OWN),
    cb.LoadPick: Rules(DECIDE),
    cb.RightsPick: Rules(OWN),
    cb.LoadAction: Rules(
        OWN,
        {
            cb.LoadVerb.ASK: DECIDE,
            cb.LoadVerb.GO: DECIDE,
            cb.LoadVerb.LINKS: DECIDE,
            cb.LoadVerb.LINK: DECIDE,
        },
    ),
    cb.RequestAction: Rules(
        OWN,
        {
            cb.RequestVerb.LIST: ALL,
            cb.RequestVerb.SHOW: ALL,
            cb.RequestVerb.NEXT: ALL,
            cb.RequestVerb.APPROVE: DECIDE,
            cb.RequestVerb.DENY: DECIDE,
            cb.RequestVerb.BAN: DECIDE,
            cb.RequestVerb.BAN_SURELY: DECIDE,
            cb.RequestVerb.UNDO: DECIDE,
        },
    ),
    cb.WaitingAction: Rules(
        OWN,
        {
            cb.RequestVerb.SHOW: ALL,
            cb.RequestVerb.NEXT: ALL,
            cb.RequestVerb.APPROVE: DECIDE,
            cb.RequestVerb.DENY: DECIDE,
            cb.RequestVerb.BAN: DECIDE,
            cb.RequestVerb.BAN_SURELY: DECIDE,
            cb.RequestVerb.UNDO: DECIDE,
        },
    ),
    cb.ViewAction: Rules(
        OWN,
        {
            cb.ViewVerb.OPEN: ALL,
            cb.ViewVerb.ORDER: ALL,
            cb.ViewVerb.UNSEARCH: ALL,
            cb.ViewVerb.TICKS: DECIDE,
            cb.ViewVerb.TICK: DECIDE,
            cb.ViewVerb.TICK_PAGE: DECIDE,
            cb.ViewVerb.UNTICK: DECIDE,
        },
    ),
    cb.ViewFilter: Rules(ALL),
    cb.GateCard: Rules(ALL),
    cb.NoticeAction: Rules(DECIDE),
    cb.BulkAsk: Rules(DECIDE),
    cb.BulkRun: Rules(
        OWN,
        {
            cb.BulkVerb.INCLUDE: Rule(DECIDERS, pin=True),
            cb.BulkVerb.ONLY: Rule(DECIDERS, pin=True),
            cb.BulkVerb.FILE: ALL,
        },
    ),
    cb.ConditionPick: Rules(OWN),
    cb.RuleButton: Rules(OWN, {cb.RuleVerb.LIST: ALL, cb.RuleVerb.SHOW: ALL, cb.RuleVerb.FREEZE: DECIDE}),
    cb.RuleSurely: Rules(OWN_PIN),
    cb.GreetingAction: Rules(OWN, {cb.GreetingVerb.SHOW: ALL}),
    cb.Confirm: Rules(Rule(DECIDERS, pin=True)),
    cb.OldPorterOff: Rules(OWN),
    cb.RunAction: Rules(
        OWN,
        {
            cb.RunVerb.SHOW: ALL,
            cb.RunVerb.TELL: ALL,
            cb.RunVerb.PAUSE: DECIDE,
            cb.RunVerb.RESUME: DECIDE,
            cb.RunVerb.CANCEL: DECIDE,
        },
    ),
    cb.RunPick: Rules(ALL),
    cb.PersonAction: Rules(OWN, {cb.PersonVerb.CLEAR_PIN_SURELY: OWN_PIN}),
    cb.ChannelPick: Rules(OWN),
    cb.Settle: Rules(OWN_PIN),
    cb.PinKey: Rules(OWN),
    cb.PinAction: Rules(OWN),
    cb.SafetyAction: Rules(OWN_PIN),
    cb.AuditPick: Rules(OWN),
    cb.ForgetSurely: Rules(OWN_PIN),
    cb.ZonePick: Rules(ALL),
}

COMMAND_ROLES: dict[str, Roles] = {
    "start": EVERYBODY,
    "login": OWNERS,
    "sessions": OWNERS,
    "sources": LOOKERS,
    "scrape": OWNERS,
    "runs": EVERYBODY,
    "requests": EVERYBODY,
    "load": DECIDERS,
    "admins": OWNERS,
    "audit": OWNERS,
    "forget": OWNERS,
    "settings": EVERYBODY,
    "cancel": EVERYBODY,
    "help": EVERYBODY,
}

STATE_ROLES: dict[str, Roles] = {
    str(LoadForm.channel.state): DECIDERS,
    str(LoadForm.count.state): DECIDERS,
    str(LoadForm.link.state): DECIDERS,
    str(OpenList.sources.state): LOOKERS,
    str(OpenList.runs.state): EVERYBODY,
    str(OpenList.waiting.state): EVERYBODY,
    str(SettingsForm.zone.state): EVERYBODY,
    str(ListForm.words.state): EVERYBODY,
    str(ListForm.bio.state): EVERYBODY,
}
"""Conversations that are not for owners alone."""

KINDS = {kind.__prefix__: kind for kind in BUTTONS}


def rule_of(data: str | None) -> Rule:
    """Of a button's data, which anybody may have forged."""
    kind = KINDS.get((data or "").split(":", maxsplit=1)[0])
    if kind is None:
        return OWN
    try:
        values = kind.unpack(data or "").model_dump().values()
    except (TypeError, ValueError):
        return OWN
    rules = BUTTONS[kind]
    return next(
        (rules.verbs[value] for value in values if isinstance(value, StrEnum) and value in rules.verbs), rules.rest
    )


def commands_of(role: Role) -> dict[str, str]:
    """What stands in the menu of that role."""
    return {name: what for name, what in COMMANDS.items() if role in COMMAND_ROLES.get(name, OWNERS)}


def offered(markup: InlineKeyboardMarkup, role: Role) -> InlineKeyboardMarkup:
    """The buttons that the role may press."""
    rows = [
        [button for button in row if button.callback_data is None or role in rule_of(button.callback_data).roles]
        for row in markup.inline_keyboard
    ]
    return InlineKeyboardMarkup(inline_keyboard=[row for row in rows if row])


async def _command(message: Message, bot: Bot) -> str | None:
    """The word of a command, as aiogram reads it; a caption is none, and neither is what is meant for another bot.

    What is no command here but carries one's look must not slip by as one: it may be a session file, say.
    """
    text = message.text or ""
    if not text.startswith("/"):
        return None
    word, _, mention = text.split(maxsplit=1)[0][1:].partition("@")
    if mention and mention.lower() != ((await bot.me()).username or "").lower():
        return None
    return word


Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an update asks for. `named`: as the audit calls it, never what somebody typed; None: free text."""

    roles: Roles
    named: str | None
    is_command: bool = False
    """One that Porter has: what only begins with a slash may be a passphrase, say."""


async def _asked(event: TelegramObject, data: dict[str, Any]) -> _Asked:
    if isinstance(event, CallbackQuery):
        prefix = (event.data or "").split(":", maxsplit=1)[0]
        return _Asked(rule_of(event.data).roles, prefix if prefix in KINDS else "")
    assert isinstance(event, Message)
    command = await _command(event, data["bot"])
    if command is not None:
        is_known = command in COMMAND_ROLES
        return _Asked(COMMAND_ROLES.get(command, OWNERS), f"/{command}" if is_known else "", is_known)
    return _Asked(STATE_ROLES.get(data["raw_state"] or "", OWNERS), None)


class Door(BaseMiddleware):
    """Before the filters of an admin's private chat. Whoever is no admin, and other chats, pass on to their own end."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        admin: Admin | None = data.get("admin")
        if admin is None or not _is_private(event):
            return await handler(event, data)
        with data["audits"].by(admin):
            await self._void(admin, data)
            asked = await _asked(event, data)
            if admin.role not in asked.roles:
                return await self._refuse(asked, data)
            await pin.leave(event, data)
            if asked.is_command:
                # No answer to what is being asked: the command's handler sets that aside, and no form takes the word.
                data["raw_state"] = None
            try:
                return await self._past_the_pin(handler, event, data)
            except NotAllowed as error:
                if not error.is_noted:
                    await audit.note(AuditVerb.PRESS, asked.named or "", AuditOutcome.REFUSED)
                raise

    async def _past_the_pin(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> Any:
        """On to the handler: at once, or with the press that a right PIN has let through, or not yet."""
        if isinstance(event, CallbackQuery):
            if rule_of(event.data).pin and await data["pins"].wants(data["admin"].user_id):
                return await pin.ask(event, data)
            if await pin.is_answer(event, data):
                pressed = await pin.answer(data)
                if pressed is None:
                    return None
                event = event.model_copy(update={"data": pressed})
                asked = await _asked(event, data)
                if data["admin"].role not in asked.roles:
                    return await self._refuse(asked, data)
        return await handler(event, data)

    async def _void(self, admin: Admin, data: dict[str, Any]) -> None:
        """A conversation, open or parked, that is not for this role any more."""
        if admin.role is Role.OWNER:
            return
        state: FSMContext = data["state"]
        names = {data["raw_state"], await parked_state(state)} - {None}
        if any(admin.role not in STATE_ROLES.get(str(name), OWNERS) for name in names):
            await state.clear()
            data["raw_state"] = None

    async def _refuse(self, asked: _Asked, data: dict[str, Any]) -> None:
        screen, texts = data["screen"], data["texts"]
        log.info("refused: not for this role", extra={"admin_id": screen.admin_id})
        if asked.named is None:
            # It may be a code or a password, for a conversation that is void by now.
            await screen.delete_typed()
            text = texts.people.nothing_to_type()
        else:
            await audit.note(AuditVerb.PRESS, asked.named, AuditOutcome.REFUSED)
            text = texts.errors.of(NotAllowed())
            await screen.answer(text, alert=True)
        await screen.show(Page(text, keyboards.only_home(texts)))


def _is_private(event: TelegramObject) -> bool:
    message = event.message if isinstance(event, CallbackQuery) else event
    chat = getattr(message, "chat", None)
    return chat is not None and chat.type == ChatType.PRIVATE


class IsAdmin(BaseFilter):
    """Reads what AdminMiddleware found; the role is read from the database at every update."""

    async def __call__(self, event: TelegramObject, admin: Admin | None = None) -> bool:
        return admin is not None


async def ignore_message(message: Message) -> None:
    log.info("a message of a stranger was ignored: user %s", message.from_user.id if message.from_user else None)


async def ignore_callback(callback: CallbackQuery) -> None:
    log.info("a button press of a stranger was ignored: user %s", callback.from_user.id)


def build() -> Router:
    router = Router(name="strangers")
    router.message.register(ignore_message)
    router.callback_query.register(ignore_callback)
    return router
