"""Which saved channels are chosen: a list that is open (handlers/searching.py) and remembers ids over its pages.

A question about them carries the ids along in its own data, and gives them back to the list when it is left.
"""

from collections.abc import Sequence

from aiogram.fsm.context import FSMContext

from handlers.parking import leave
from handlers.searching import is_open, list_data, open_list
from handlers.states import OpenList
from services.errors import NotFound


async def chosen_of(state: FSMContext) -> list[int]:
    """Raises NotFound: none is."""
    if await is_open(state, OpenList.chosen):
        chosen = (await list_data(state)).get("chosen")
    else:
        chosen = (await state.get_data()).get("chosen")
    if not chosen:
        raise NotFound("choice")
    return list(chosen)


async def open_chosen(state: FSMContext, chosen: Sequence[int]) -> None:
    """The list again, with these. A question about them is over; any other conversation is set aside."""
    if await state.get_state() != OpenList.chosen.state and "chosen" in await state.get_data():
        await leave(state)
    await open_list(state, OpenList.chosen, chosen=list(chosen))
