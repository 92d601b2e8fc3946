"""Several saved channels at once: tick rows across pages, then run, pause, move, change or delete them.

What is large or cannot be taken back is asked by a single-use confirmation that holds the ids themselves: what was
shown is what happens, whatever the list looks like by then.
"""

from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import Many, ManyDelete, ManySurely, ManyVerb, ShowAll
from handlers.choosing import chosen_of, open_chosen
from handlers.many_outcomes import show_outcome
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.searching import Searches, is_open, list_data, narrow, search, search_nothing, searched
from handlers.states import OpenList
from handlers.texts import Texts
from services.confirmations import ConfirmationService
from services.errors import NotFound
from services.many_sources import MOST, ManySources
from services.sessions import SessionService
from services.sources import SourceCard, SourceService

SURELY, DELETE = "many", "many-delete"
ASK_ABOVE = 20
"""As many are saved at once without a question: a tap too many is stopped on few cards."""

# -- choosing


async def open_list_of(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    """From the list of saved channels, whose search goes on, or back from a question, with what was chosen."""
    data = await state.get_data()
    wanted = await searched(state) if await is_open(state, OpenList.sources) else None
    if not await is_open(state, OpenList.chosen):
        await open_chosen(state, data.get("chosen") or [])
    if wanted is not None:
        await narrow(state, search=wanted.wanted, is_shown=wanted.is_shown)
    await show_list(event, screen, texts, state, sources)


async def show_list(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await screen.show(await _list_page(texts, state, sources))


async def _found(state: FSMContext, sources: SourceService) -> list[SourceCard]:
    wanted = await searched(state)
    return [each for each in await sources.all() if wanted.matches(each.source.name, each.source.channel_title)]


async def _list_page(texts: Texts, state: FSMContext, sources: SourceService) -> Page:
    data, wanted = await list_data(state), await searched(state)
    cards = await _found(state, sources)
    chosen: set[int] = set(data.get("chosen", ()))
    is_searched = wanted.wanted is not None
    text = texts.many.choose(len(cards), len(chosen), wanted.shown, is_searched=is_searched)
    markup = keyboards.many.choose(texts, cards, chosen, data.get("page", 0), is_searched=is_searched)
    return Page(text, markup)


async def change_choice(
    event: TelegramObject,
    callback_data: Many,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sources: SourceService,
) -> None:
    """A row on or off, all that are found, none; or another page."""
    data = await list_data(state)
    chosen: list[int] = list(data.get("chosen", ()))
    match callback_data.verb:
        case ManyVerb.TICK if callback_data.value in chosen:
            chosen.remove(callback_data.value)
        case ManyVerb.TICK:
            chosen.append(callback_data.value)
        case ManyVerb.ALL:
            chosen = list(dict.fromkeys([*chosen, *[card.source.id for card in await _found(state, sources)]]))
        case ManyVerb.NONE:
            chosen = []
    if len(chosen) > MOST:
        await screen.answer(texts.many.too_many(), alert=True)
    page = callback_data.value if callback_data.verb is ManyVerb.PAGE else data.get("page", 0)
    await narrow(state, chosen=chosen[:MOST], page=page)
    await show_list(event, screen, texts, state, sources)


async def search_choice(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await search(message, screen, state)
    await narrow(state, page=0)
    await show_list(message, screen, texts, state, sources)


async def show_all(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sources: SourceService
) -> None:
    await search_nothing(state)
    await show_list(event, screen, texts, state, sources)


# -- acts


async def run(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    many_sources: ManySources,
    confirmations: ConfirmationService,
) -> None:
    chosen = await chosen_of(state)
    if len(chosen) > ASK_ABOVE:
        count = len(await many_sources.of(chosen))
        confirmation = await confirmations.ask(screen.admin_id, SURELY, {"act": "run", "ids": chosen})
        markup = keyboards.many.surely(texts, texts.labels.run_many_surely, confirmation)
        await screen.show(Page(texts.many.ask_run(count), markup))
        return
    await _act({"act": "run", "ids": chosen}, screen, texts, state, many_sources)


async def set_enabled(
    event: TelegramObject,
    callback_data: Many,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    many_sources: ManySources,
) -> None:
    act = "resume" if callback_data.verb is ManyVerb.RESUME else "pause"
    await _act({"act": act, "ids": await chosen_of(state)}, screen, texts, state, many_sources)


async def ask_account(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, many_sources: ManySources
) -> None:
    chosen = await chosen_of(state)
    readers = await many_sources.readers(chosen)
    await screen.show(Page(texts.many.ask_account(len(chosen), readers), keyboards.many.accounts(texts, readers)))


async def ask_move(
    event: TelegramObject,
    callback_data: Many,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    many_sources: ManySources,
    sessions: SessionService,
    confirmations: ConfirmationService,
) -> None:
    chosen, to = await chosen_of(state), await sessions.get(callback_data.value)
    readers = await many_sources.readers(chosen)
    count = next((each.count for each in readers if each.session.id == to.id), 0)
    payload = {"act": "move", "ids": chosen, "session": to.id}
    confirmation = await confirmations.ask(screen.admin_id, SURELY, payload)
    markup = keyboards.many.surely(texts, texts.labels.move_account, confirmation, Many(verb=ManyVerb.ACCOUNT))
    await screen.show(Page(texts.many.ask_move(len(chosen), count, to), markup))


async def surely(
    event: TelegramObject,
    callback_data: ManySurely,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    confirmations: ConfirmationService,
    many_sources: ManySources,
) -> None:
    payload = await confirmations.take(callback_data.id, screen.admin_id, SURELY)
    await _act(payload, screen, texts, state, many_sources)


async def _act(
    payload: dict[str, Any], screen: AdminScreen, texts: Texts, state: FSMContext, many_sources: ManySources
) -> None:
    """The callback is answered first: many take a moment."""
    ids = payload["ids"]
    await screen.answer()
    match payload["act"]:
        case "run":
            outcome = await many_sources.run(ids, screen.admin_id)
        case "pause" | "resume":
            outcome = await many_sources.set_enabled(ids, payload["act"] == "resume")
        case "move":
            outcome = await many_sources.move(ids, payload["session"])
        case "place":
            outcome = await many_sources.place(ids, payload["root"], payload["base"])
        case _:
            raise NotFound("act")
    await show_outcome(texts.many.done(payload["act"]), outcome, ids, screen, texts, state)


# -- deleting


async def ask_delete(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    many_sources: ManySources,
    confirmations: ConfirmationService,
) -> None:
    chosen = await many_sources.of(await chosen_of(state))
    payload = {"ids": [source.id for source in chosen]}
    confirmation = await confirmations.ask(screen.admin_id, DELETE, payload)
    await screen.show(Page(texts.many.ask_delete(chosen), keyboards.many.delete(texts, confirmation)))


async def delete(
    event: TelegramObject,
    callback_data: ManyDelete,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    confirmations: ConfirmationService,
    many_sources: ManySources,
) -> None:
    payload = await confirmations.take(callback_data.id, screen.admin_id, DELETE)
    await screen.answer()
    if len(payload["ids"]) > ASK_ABOVE:
        await screen.show(Page(texts.many.deleting(len(payload["ids"])), keyboards.only_home(texts)))
    outcome = await many_sources.delete(payload["ids"], keep_messages=callback_data.keep)
    await show_outcome(texts.many.done("delete"), outcome, [], screen, texts, state)


PROMPTS: dict[str, Prompt] = {str(OpenList.chosen.state): show_list}


def build() -> Router:
    router = Router(name="many")
    router.message.register(search_choice, Searches(OpenList.chosen))
    router.callback_query.register(show_all, OpenList.chosen, ShowAll.filter())
    router.callback_query.register(open_list_of, Many.filter(F.verb == ManyVerb.OPEN))
    for verb in (ManyVerb.TICK, ManyVerb.PAGE, ManyVerb.ALL, ManyVerb.NONE):
        router.callback_query.register(change_choice, OpenList.chosen, Many.filter(F.verb == verb))
    for verb, handler in (
        (ManyVerb.RUN, run),
        (ManyVerb.PAUSE, set_enabled),
        (ManyVerb.RESUME, set_enabled),
        (ManyVerb.ACCOUNT, ask_account),
        (ManyVerb.ACCOUNT_PICK, ask_move),
        (ManyVerb.DELETE, ask_delete),
    ):
        router.callback_query.register(handler, OpenList.chosen, Many.filter(F.verb == verb))
    router.callback_query.register(surely, ManySurely.filter())
    router.callback_query.register(delete, ManyDelete.filter())
    return router
