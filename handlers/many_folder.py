"""The folder of several saved channels: a root and a base in which each gets a folder of its own."""

from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Many, ManyVerb
from handlers.choose_root import agree, take_root
from handlers.choosing import chosen_of
from handlers.many import SURELY
from handlers.parking import Prompt, turn_to
from handlers.screen import AdminScreen, Page
from handlers.states import ManyForm
from handlers.texts import Texts
from services.confirmations import ConfirmationService
from services.many_sources import ManySources
from services.sources import SourceService
from services.targets import check_folder


async def begin(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    chosen = await chosen_of(state)
    await turn_to(state, ManyForm, chosen=chosen, root=None, base="")
    await ask_base(event, screen, texts, state, sources)


async def ask_base(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await state.set_state(ManyForm.folder)
    data = await state.get_data()
    text = texts.many.ask_base(len(data["chosen"]), data["root"], data["base"])
    await screen.show(Page(text, keyboards.many.base(texts, sources.roots, data["root"])))


async def receive_root(
    event: TelegramObject,
    callback_data: Many,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    question = keyboards.many.use_root(texts)
    if await take_root(callback_data.value, question, screen, texts, state, sources):
        await ask_base(event, screen, texts, state, sources)


async def use_root(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await agree(state, sources)
    await ask_base(event, screen, texts, state, sources)


async def receive_base(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    many_sources: ManySources,
    confirmations: ConfirmationService,
) -> None:
    base = (message.text or "").strip().strip("/")
    await state.update_data(base=check_folder(base) if base else "")
    await ask_place(message, screen, texts, state, many_sources, confirmations)


async def ask_place(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    many_sources: ManySources,
    confirmations: ConfirmationService,
) -> None:
    """With a sample of what goes where."""
    data = await state.get_data()
    folders = await many_sources.places(data["chosen"], data["root"], data["base"])
    payload: dict[str, Any] = {"act": "place", "ids": data["chosen"], "root": data["root"], "base": data["base"]}
    confirmation = await confirmations.ask(screen.admin_id, SURELY, payload)
    back = Many(verb=ManyVerb.FOLDER)
    markup = keyboards.many.surely(texts, texts.labels.from_now_on, confirmation, back)
    await screen.show(Page(texts.many.ask_place(data["root"], folders), markup))


PROMPTS: dict[str, Prompt] = {str(ManyForm.folder.state): ask_base}


def build() -> Router:
    router = Router(name="many-folder")
    router.callback_query.register(begin, Many.filter(F.verb == ManyVerb.FOLDER))
    for verb, handler in (
        (ManyVerb.FOLDER_ROOT, receive_root),
        (ManyVerb.ROOT_USE, use_root),
        (ManyVerb.FOLDER_KEEP, ask_place),
    ):
        router.callback_query.register(handler, ManyForm.folder, Many.filter(F.verb == verb))
    router.message.register(receive_base, ManyForm.folder, F.text)
    return router
