"""Commands work in mid-conversation: what was being asked is parked, and home offers to go on with it."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram.filters import BaseFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import StatesGroup
from aiogram.types import TelegramObject

from handlers.states import OpenList

PARKED = "parked"
OPEN_LIST = "list"

Prompt = Callable[..., Awaitable[None]]
"""Asks again for what a state waits for: an `ask_*` handler of the conversation."""


async def park(state: FSMContext) -> None:
    """Set the conversation aside, if one is open. A second one takes the place of the first. An open list is closed."""
    name = await state.get_state()
    if name is None:
        return
    data = await state.get_data()
    if is_list(name):
        data.pop(OPEN_LIST, None)
        await state.set_state(None)
        await state.set_data(data)
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
    await state.update_data(data)


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
