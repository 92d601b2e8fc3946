"""The table of who may what is whole: nothing that an admin can send is left out of it by oversight."""

import inspect
from enum import StrEnum

import pytest
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackData

from bot.dispatcher import Workflow
from handlers import access, callbacks
from handlers.access import BUTTONS, COMMAND_ROLES, OWNERS, STATE_ROLES, commands_of, rule_of
from handlers.callbacks import SessionAction, SessionVerb, SourceAction, SourceVerb
from handlers.home import PROMPTS
from handlers.keyboards.base import button, markup
from handlers.texts.audit import DID, PLACES
from handlers.texts.home import COMMANDS
from services.requests import RequestServices
from services.runs import Runner
from storage.models import AuditVerb, Role
from tests.structure.test_wiring import handlers

KINDS = [
    value
    for value in vars(callbacks).values()
    if inspect.isclass(value) and issubclass(value, CallbackData) and value is not CallbackData
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_button_is_classified(kind: type[CallbackData]) -> None:
    """Its prefix stands in the table; named verbs are its own; the audit has words for it when it is refused."""
    rules = BUTTONS[kind]
    own = {member for each in kind.model_fields.values() for member in _members(each.annotation)}
    assert set(rules.verbs) <= own
    assert kind.__prefix__ in PLACES
    assert not rules.verbs or rules.rest.roles == OWNERS, "where verbs differ, a new one is for owners"


def _members(annotation: object) -> list[StrEnum]:
    is_enum = inspect.isclass(annotation) and issubclass(annotation, StrEnum)
    return list(annotation) if is_enum else []  # type: ignore[call-overload]


def test_every_command_is_classified() -> None:
    """Those that handlers are registered for, and those that the menu shows."""
    registered = {
        str(name)
        for handler in handlers()
        for each in handler.filters or []
        if isinstance(each.callback, Command)
        for name in each.callback.commands
    }
    assert registered | set(COMMANDS) == set(COMMAND_ROLES)
    assert set(commands_of(Role.OWNER)) == set(COMMANDS)


def test_states_that_are_not_for_owners_alone_exist() -> None:
    """A name that is misspelt would let nobody in, silently."""
    assert set(STATE_ROLES) <= set(PROMPTS)


@pytest.mark.parametrize("data", ["", "zz9:1", "se1", "se1:nothing:1:0", "go1:home", "jr1:yes:x:0", None])
def test_what_is_not_known_is_for_owners(data: str | None) -> None:
    """New, damaged and forged data alike."""
    assert rule_of(data).roles == OWNERS


def test_what_cannot_be_taken_back_wants_the_pin() -> None:
    """The answers, not the questions before them."""
    assert rule_of(SessionAction(verb=SessionVerb.DELETE_SURELY, id=1).pack()).pin
    assert rule_of(SourceAction(verb=SourceVerb.DELETE_SURELY, id=1).pack()).pin
    assert not rule_of(SourceAction(verb=SourceVerb.DELETE, id=1).pack()).pin
    answers = ("ok1:1", "md1:1:1", "so1:delk!:1", "as1:1", "ry1:1", "ad1:pin!:1", "sf1:rm", "sf1:set")
    assert all(rule_of(kind).pin for kind in answers)


def test_keyboards_are_cut_by_the_same_table() -> None:
    """A row without buttons goes; links stay."""
    shown = markup(
        [button("a", SessionAction(verb=SessionVerb.SHOW, id=1))],
        [button("b", SourceAction(verb=SourceVerb.SHOW, id=1)), button("c", callbacks.Go(to=callbacks.Place.HOME))],
    )
    labels = {role: [[key.text for key in row] for row in access.offered(shown, role).inline_keyboard] for role in Role}
    assert labels == {Role.OWNER: [["a"], ["b", "c"]], Role.VIEWER: [["b", "c"]], Role.APPROVER: [["c"]]}


def test_handlers_get_desks_and_not_what_lies_behind() -> None:
    """Who could ask the services themselves could forget an approver's limits."""
    assert not {RequestServices, Runner} & set(Workflow.__annotations__.values())


def test_every_deed_has_words() -> None:
    """So that nobody reads a name of the code."""
    assert set(DID) == set(AuditVerb)
