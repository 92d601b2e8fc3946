"""What is put together by name fits: handler parameters, callbacks, errors and their words, settings, commands."""

import inspect
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
from aiogram import Router
from aiogram.filters.callback_data import CallbackData
from pydantic_core import PydanticUndefined

from bot.dispatcher import Workflow
from bot.settings import Settings
from handlers import build_router, callbacks
from handlers.texts import Texts
from handlers.texts.errors import PLAIN
from handlers.texts.home import COMMANDS
from services import errors

ROOT = Path(__file__).parents[2]

# What aiogram and our middleware hand over beside the workflow.
GIVEN = {"state", "event_from_user", "screen", "texts", "admin", "bot"} | {
    "requests",
    "lists",
    "bulk",
    "loads",
    "rules",
    "runs",
    "notices",
}
BY_FILTER = {"command", "callback_data", "links", "restored"}


def routers(router: Router) -> Iterator[Router]:
    yield router
    for child in router.sub_routers:
        yield from routers(child)


def handlers() -> Iterator[Any]:
    for router in routers(build_router()):
        for observer in router.observers.values():
            yield from observer.handlers


def test_every_handler_parameter_is_known() -> None:
    """aiogram matches dependencies by name at first use: an unknown name would fail in an admin's hand."""
    known = GIVEN | BY_FILTER | set(Workflow.__annotations__)
    for handler in handlers():
        parameters = list(inspect.signature(handler.callback).parameters.values())
        names = [parameter.name for parameter in parameters]
        for position, parameter in enumerate(parameters):
            is_event = position == 0 and parameter.name in {"message", "callback", "event", "update"}
            assert is_event or parameter.name in known, f"{handler.callback.__qualname__}: {parameter.name}"
            assert parameter.kind is not inspect.Parameter.VAR_KEYWORD, handler.callback.__qualname__
        assert names, handler.callback.__qualname__


def test_the_event_is_the_first_parameter_or_none() -> None:
    """aiogram passes the event by position, so a handler without it must not exist."""
    wrong = [
        handler.callback.__qualname__
        for handler in handlers()
        if next(iter(inspect.signature(handler.callback).parameters)) not in {"message", "callback", "event", "update"}
    ]
    assert not wrong, wrong


def longest(annotation: Any) -> Any:
    """The longest value that a field can hold."""
    if get_origin(annotation) is UnionType:
        return longest(get_args(annotation)[0])
    if annotation is bool:
        return True
    if annotation is int:
        return -(10**13) - 9_999_999_999_99
    return max(annotation, key=lambda member: len(str(member.value)))


@pytest.mark.parametrize(
    "kind", [value for value in vars(callbacks).values() if inspect.isclass(value) and issubclass(value, CallbackData)]
)
def test_every_callback_fits_64_bytes(kind: type[CallbackData]) -> None:
    """With the longest verb and ids of real length, a button still fits what Telegram takes."""
    if kind is CallbackData:
        return
    assert re.fullmatch(r"[a-z]{2}\d", kind.__prefix__), "a versioned prefix"
    values = {name: longest(field.annotation) for name, field in kind.model_fields.items()}
    ids = [name for name, value in values.items() if isinstance(value, int) and not isinstance(value, bool)]
    for name in ids[1:]:
        values[name] = 2**31
    assert len(kind(**values).pack().encode()) <= 64


def leaves(kind: type[errors.PorterError]) -> Iterator[type[errors.PorterError]]:
    children = kind.__subclasses__()
    if not children:
        yield kind
    for child in children:
        yield from leaves(child)


START_UP = {
    "AnotherPoller",
    "WebhookSet",
    "DatabaseTooNew",
    "DatabaseDamaged",
    "NoRoom",
    "ForeignDatabase",
    "KeyMissing",
    "KeyInvalid",
    "KeyWrong",
} | {
    "BackupDamaged",
    "DatabaseDamaged",
    "NotABackup",
    "NothingToBackUp",
    "PassphraseWrong",
    "PlaceTaken",
}
"""Met at start or by a command of the operator, where there is no chat; python -m bot prints their own line."""


def test_every_error_has_words() -> None:
    """Each leaf of the error tree has its own text, so that no admin ever reads a class name."""
    texts = Texts(clock=lambda: datetime.now(UTC))
    spoken = set(PLAIN) | set(texts.errors.kinds())
    missing = [kind.__name__ for kind in leaves(errors.PorterError) if kind not in spoken]
    assert set(missing) <= START_UP, missing


def test_env_example_equals_settings() -> None:
    """.env.example names every setting once, each with a comment, and its defaults are the real ones."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    shown = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert list(shown) == [name.upper() for name in Settings.model_fields]
    for position, line in enumerate(lines):
        if line and not line.startswith("#"):
            assert lines[position - 1].startswith("# "), line
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if isinstance(default, bool):
            assert shown[name.upper()] == str(default).lower()
        elif default is not PydanticUndefined and isinstance(default, str | Path | int):
            assert shown[name.upper()] == str(default)
        else:
            assert shown[name.upper()] == ""


def test_every_command_is_documented() -> None:
    """The README names each command that the bot registers."""
    readme = (ROOT / "README.md").read_text()
    for command in COMMANDS:
        assert f"/{command}" in readme
