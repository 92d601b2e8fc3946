"""Which disk: a step of every form that asks for a folder. The chosen root stands in the form's data as `root`."""

from collections.abc import Sequence

from aiogram.fsm.context import FSMContext
from aiogram.types import InlineKeyboardMarkup

from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.errors import NotFound
from services.sources import SourceService

ASKED = "root_asked"


def root_at(roots: Sequence[str], position: int) -> str | None:
    """What a button of the roots stands for: 0 is Local. Raises NotFound: NAS_ROOTS is another by now."""
    if not 0 <= position <= len(roots):
        raise NotFound("root")
    return roots[position - 1] if position else None


async def take_root(
    position: int,
    question: InlineKeyboardMarkup,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> bool:
    """Whether it is chosen. A root that no admin has agreed to, or in whose place another disk is, is asked about
    first, with `question` below; then `agree` follows."""
    root = root_at(sources.roots, position)
    if root is not None:
        look = await sources.look(root)
        if not look.is_known:
            await state.update_data({ASKED: root})
            await screen.show(Page(texts.sources.ask_root(look), question))
            return False
    await state.update_data(root=root)
    return True


async def agree(state: FSMContext, sources: SourceService) -> None:
    """The root that was asked about is chosen, as it is now."""
    root = (await state.get_data()).get(ASKED, "")
    await sources.use_root(root)
    await state.update_data(root=root)
