"""What came of an act on several saved channels: how many, and by name what did not work."""

from collections.abc import Sequence

from aiogram.fsm.context import FSMContext

from handlers import keyboards
from handlers.choosing import open_chosen
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.many_sources import Outcome


async def show_outcome(
    what: str, outcome: Outcome, chosen: Sequence[int], screen: AdminScreen, texts: Texts, state: FSMContext
) -> None:
    """`what`: was done, in words. The choice stays for another act."""
    await open_chosen(state, chosen)
    failed = [(name, texts.errors.of(error)) for name, error in outcome.failed]
    await screen.show(Page(texts.many.outcome(what, len(outcome.done), failed), keyboards.many.outcome(texts)))
