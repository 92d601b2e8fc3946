"""Lists that are searched by just typing (CHAT.md, rule 2). What is typed while a list is open narrows it.

An open list is a state like those of conversations, but it waits for nothing: a command or another list closes it, and
nobody is asked whether to go on with it. What was parked before stays parked.
"""

import time
from dataclasses import dataclass
from typing import Any

from aiogram.filters import BaseFilter
from aiogram.fsm.context import FSMContext
from aiogram.fsm.state import State
from aiogram.types import Message

from handlers.login import GUARDED_UNTIL, SECRET_STATES
from handlers.parking import OPEN_LIST, park, parked_state
from handlers.screen import AdminScreen
from handlers.states import BotForm, EditForm, SessionForm

LONGEST_SEARCH = 64
SECRET_FORMS = (
    *SECRET_STATES,
    *(
        str(each.state)
        for each in (
            SessionForm.api_hash,
            SessionForm.proxy,
            SessionForm.passphrase,
            SessionForm.passphrase_again,
            BotForm.api_hash,
            BotForm.token,
            EditForm.api_hash,
        )
    ),
)
"""Where a text that comes after the conversation was set aside may be what it asked for."""


@dataclass(frozen=True, slots=True)
class Search:
    """`wanted` None: nobody searches. `shown`: what may stand on the screen of it."""

    wanted: str | None
    is_shown: bool = True

    @property
    def shown(self) -> str | None:
        return self.wanted if self.is_shown else None

    def matches(self, *fields: str | None) -> bool:
        """Every word stands somewhere in the row, in any case."""
        row = " ".join(field for field in fields if field).casefold()
        return all(word.lstrip("@") in row for word in (self.wanted or "").casefold().split())


async def may_be_secret(state: FSMContext) -> bool:
    """A secret for a conversation that was set aside, or a code or password once more after a login (CHAT.md, 9)."""
    guarded_until = (await state.get_data()).get(GUARDED_UNTIL, 0)
    return await parked_state(state) in SECRET_FORMS or time.time() < guarded_until


class Searches(BaseFilter):
    """Matches a word for the list that is open. Commands go their own ways."""

    def __init__(self, list_state: State) -> None:
        self._name = list_state.state

    async def __call__(self, message: Message, state: FSMContext) -> bool:
        is_word = message.text is not None and not message.text.startswith("/")
        return is_word and await state.get_state() == self._name


async def open_list(state: FSMContext, list_state: State, **about: Any) -> None:
    """All rows of it. `about`: what the list is of."""
    await park(state)
    await state.set_state(list_state)
    await state.update_data({OPEN_LIST: about})


async def is_open(state: FSMContext, list_state: State, **about: Any) -> bool:
    """Whether that very list is open, searched or not."""
    if await state.get_state() != list_state.state:
        return False
    data = await list_data(state)
    return all(data.get(name) == value for name, value in about.items())


async def list_data(state: FSMContext) -> dict[str, Any]:
    data: dict[str, Any] = (await state.get_data()).get(OPEN_LIST) or {}
    return data


async def searched(state: FSMContext) -> Search:
    data = await list_data(state)
    return Search(data.get("search"), is_shown=data.get("is_shown", True))


async def search(message: Message, screen: AdminScreen, state: FSMContext) -> None:
    """Narrow the open list by what was typed. What may be a secret leaves the chat, and is not repeated there."""
    is_shown = not await may_be_secret(state)
    if not is_shown:
        await screen.delete_typed()
    wanted = " ".join((message.text or "").split())[:LONGEST_SEARCH]
    await narrow(state, search=wanted, is_shown=is_shown)


async def search_nothing(state: FSMContext) -> None:
    """All rows again."""
    await narrow(state, search=None, is_shown=True)


async def narrow(state: FSMContext, **changes: Any) -> None:
    """What the open list shows from now on."""
    await state.update_data({OPEN_LIST: {**await list_data(state), **changes}})
