"""An account's card: what it is, how it is, what uses it; check, rename, move its saved channels."""

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import SessionAction, SessionMove, SessionVerb
from handlers.parking import Prompt
from handlers.screen import AdminScreen, Page
from handlers.states import SessionForm
from handlers.texts import Texts
from handlers.texts.base import LABEL_CHARACTERS
from services.repairs import SessionRepairs
from services.sessions import SessionCard, SessionService


def session_page(texts: Texts, card: SessionCard, above: str | None = None) -> Page:
    """`above`: what was just done, over the card."""
    text = "\n\n".join(part for part in (above, texts.sessions.card(card)) if part)
    return Page(text, keyboards.sessions.card(texts, card))


async def show_session(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
) -> None:
    """Also the way back out of what the card asks for."""
    if (await state.get_state() or "").startswith(f"{SessionForm.__name__}:"):
        await state.clear()
    await screen.show(session_page(texts, await sessions.card(callback_data.id)))


async def check_session(
    event: TelegramObject, callback_data: SessionAction, screen: AdminScreen, texts: Texts, sessions: SessionService
) -> None:
    checked = await sessions.check(callback_data.id)
    await screen.answer(texts.sessions.checked(checked))
    await screen.show(session_page(texts, await sessions.card(callback_data.id)))


async def is_well(card: SessionCard, screen: AdminScreen, texts: Texts) -> bool:
    """A tap on a notice whose account was repaired meanwhile: its card takes the notice's place and says so."""
    if card.outage is not None:
        return False
    await screen.answer(texts.sessions.checked(card.session))
    await screen.show(session_page(texts, card))
    return True


async def move_sources(
    event: TelegramObject,
    callback_data: SessionMove,
    screen: AdminScreen,
    texts: Texts,
    sessions: SessionService,
    repairs: SessionRepairs,
) -> None:
    """What the other account sees is looked up anew: a second tap finds nothing left and says so."""
    if await is_well(await sessions.card(callback_data.id), screen, texts):
        return
    moved = await repairs.move(callback_data.id, callback_data.to)
    await screen.show(Page(texts.sessions.moved(moved), keyboards.sessions.moved(texts, callback_data.id, moved)))


async def ask_name(
    event: TelegramObject,
    callback_data: SessionAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
) -> None:
    await state.set_state(SessionForm.name)
    await state.set_data({"session": callback_data.id})
    await ask_name_again(event, screen, texts, state, sessions)


async def ask_name_again(
    event: TelegramObject, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    session_id = (await state.get_data())["session"]
    back = SessionAction(verb=SessionVerb.SHOW, id=session_id)
    text = texts.sessions.ask_name(await sessions.get(session_id))
    await screen.show(Page(text, keyboards.only_home(texts, back)))


async def receive_name(
    message: Message, screen: AdminScreen, texts: Texts, state: FSMContext, sessions: SessionService
) -> None:
    name = (message.text or "").strip()
    session_id = (await state.get_data())["session"]
    if not 1 <= len(name) <= LABEL_CHARACTERS or "\n" in name:
        back = SessionAction(verb=SessionVerb.SHOW, id=session_id)
        await screen.show(Page(texts.sessions.name_invalid(), keyboards.only_home(texts, back)))
        return
    await sessions.rename(session_id, name)
    await state.clear()
    await screen.show(session_page(texts, await sessions.card(session_id)))


PROMPTS: dict[str, Prompt] = {str(SessionForm.name.state): ask_name_again}


def build() -> Router:
    router = Router(name="sessions")
    router.message.register(receive_name, SessionForm.name, F.text)
    router.callback_query.register(move_sources, SessionMove.filter())
    for verb, handler in (
        (SessionVerb.SHOW, show_session),
        (SessionVerb.CHECK, check_session),
        (SessionVerb.RENAME, ask_name),
    ):
        router.callback_query.register(handler, SessionAction.filter(F.verb == verb))
    return router
