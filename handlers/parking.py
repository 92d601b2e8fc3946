"""Commands work in mid-conversation: what was being asked is parked, and home offers to go on with it.

A question that asks for something to be typed is worth going back to. A screen that shows how something is set, and
takes a tap as well, is worth it only when something was changed there: the others are begun by `look_at`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiogram.filters import BaseFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import StatesGroup
from aiogram.types import TelegramObject

from handlers.states import OpenList

PARKED = "parked"
OPEN_LIST = "list"
UNTOUCHED = "untouched"

Prompt = Callable[..., Awaitable[None]]
"""Asks again for what a state waits for: an `ask_*` handler of the conversation."""


async def park(state: FSMContext) -> None:
    """Set the conversation aside, if one is open. A second one takes the place of the first. An open list is closed,
    and so is what was only looked at."""
    name = await state.get_state()
    if name is None:
        return
    data = await state.get_data()
    if is_list(name):
        data.pop(OPEN_LIST, None)
        await state.set_state(None)
        await state.set_data(data)
        return
    if _was_only_looked_at(data):
        await leave(state)
        return
    data.pop(PARKED, None)
    await state.set_state(None)
    await state.set_data({PARKED: {"state": name, "data": data}})


async def leave(state: FSMContext) -> None:
    """What is being asked is over. What was parked before stays parked."""
    data = await state.get_data()
    await state.set_state(None)
    await state.set_data({PARKED: data[PARKED]} if PARKED in data else {})


async def turn_to(state: FSMContext, *forms: type[StatesGroup], **data: Any) -> None:
    """Begin a question of one of these forms with that data. One of them that is open is over; anything else that is
    open is set aside."""
    if (await state.get_state() or "").startswith(tuple(f"{form.__name__}:" for form in forms)):
        await leave(state)
    await park(state)
    await state.update_data({UNTOUCHED: None, **data})


async def look_at(
    state: FSMContext, *forms: type[StatesGroup], untouched: Mapping[str, Any] | None = None, **data: Any
) -> None:
    """As `turn_to`, and nothing to go on with while the data holds what is `untouched`. None stands for nothing."""
    await turn_to(state, *forms, **data, **{UNTOUCHED: dict(untouched or {})})


def _was_only_looked_at(data: Mapping[str, Any]) -> bool:
    untouched: Mapping[str, Any] | None = data.get(UNTOUCHED)
    return untouched is not None and all(data.get(name) == value for name, value in untouched.items())


def is_list(state_name: str | None) -> bool:
    return (state_name or "").startswith(f"{OpenList.__name__}:")


async def parked_state(state: FSMContext) -> str | None:
    """The name of the state that is parked."""
    parked: dict[str, Any] | None = (await state.get_data()).get(PARKED)
    return parked["state"] if parked else None


class Unparks(BaseFilter):
    """Matches when that state is parked, and goes back into it: the handler behind it then asks again."""

    def __init__(self, state_name: str) -> None:
        self._state_name = state_name

    async def __call__(self, event: TelegramObject, state: FSMContext) -> bool:
        if await parked_state(state) != self._state_name:
            return False
        parked = (await state.get_data())[PARKED]
        await state.set_data(parked["data"])
        await state.set_state(parked["state"])
        return True
