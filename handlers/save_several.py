"""Save several channels of an account at once: tick them in its list, look over them, and they are made by the admin's
defaults, each with a folder of its own."""

from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, TelegramObject

from handlers import keyboards
from handlers.callbacks import SeveralAction, SeveralTick, SeveralVerb, ShowAll
from handlers.parking import OPEN_LIST, Prompt, leave
from handlers.screen import AdminScreen, Page
from handlers.searching import Searches, is_open, list_data, open_list, search, search_nothing, searched
from handlers.states import OpenList, SourceForm
from handlers.texts import Texts
from services.channels import ChannelService
from services.profiles import ProfileService
from services.saving import SavingService
from services.sessions import SessionService
from services.sources import SourceService

MOST = 50
TICKED = "ticked"


async def show_list(
    event: TelegramObject,
    callback_data: SeveralAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
    sources: SourceService,
) -> None:
    """Turning pages and coming back keep what is ticked; coming anew begins with nothing."""
    await sessions.get(callback_data.session)
    await screen.answer()
    if await state.get_state() == SourceForm.channel.state:
        await leave(state)  # the same question, asked otherwise: nothing is set aside
    is_there = await is_open(state, OpenList.several, session=callback_data.session)
    if callback_data.verb is SeveralVerb.OPEN or not is_there:
        await open_list(state, OpenList.several, session=callback_data.session, ticked=[])
    await screen.show(await list_page(texts, state, sessions, channels, sources, callback_data.page))


async def list_page(
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
    sources: SourceService,
    page: int = 0,
) -> Page:
    data, wanted = await list_data(state), await searched(state)
    session = await sessions.get(data["session"])
    everything = (await channels.listing(session.id)).rows
    rows = [row for row in everything if wanted.matches(row.channel.title, row.channel.username)]
    is_searched = wanted.wanted is not None
    found = texts.saving.found(len(rows), wanted.shown) if is_searched else None
    text = texts.saving.several(session, len(everything), len(data[TICKED]), found)
    saved = await _saved(sources)
    markup = keyboards.saving.several(texts, session.id, rows, page, data[TICKED], saved, is_searched=is_searched)
    return Page(text, markup)


async def _saved(sources: SourceService) -> set[int]:
    return {source.channel_id for source in await sources.bare()}


async def tick(
    event: TelegramObject,
    callback_data: SeveralTick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
    sources: SourceService,
) -> None:
    if callback_data.channel in await _saved(sources):
        await screen.answer(texts.saving.saved_already(), alert=True)
        return
    data = await list_data(state)
    ticked = list(data[TICKED])
    if callback_data.channel in ticked:
        ticked.remove(callback_data.channel)
    elif len(ticked) >= MOST:
        await screen.answer(texts.saving.too_many(MOST), alert=True)
        return
    else:
        ticked.append(callback_data.channel)
    await state.update_data({OPEN_LIST: {**data, TICKED: ticked}})
    await screen.show(await list_page(texts, state, sessions, channels, sources, callback_data.page))


async def receive_word(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
    sources: SourceService,
) -> None:
    await search(message, screen, state)
    await screen.show(await list_page(texts, state, sessions, channels, sources))


async def show_all(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
    sources: SourceService,
) -> None:
    await search_nothing(state)
    await show_again(event, screen, texts, state, sessions, channels, sources)


async def show_again(
    event: TelegramObject,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    sessions: SessionService,
    channels: ChannelService,
    sources: SourceService,
) -> None:
    await screen.show(await list_page(texts, state, sessions, channels, sources))


async def _chosen(data: dict[str, Any], channels: ChannelService) -> dict[int, str]:
    """Titles by id, in the order of ticking; what the account does not see any more is left out."""
    titles = {row.channel.id: row.channel.title for row in await channels.of_session(data["session"])}
    return {channel_id: titles[channel_id] for channel_id in data[TICKED] if channel_id in titles}


async def review(
    event: TelegramObject,
    callback_data: SeveralAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    channels: ChannelService,
    profiles: ProfileService,
) -> None:
    chosen = await _chosen(await list_data(state), channels)
    if not chosen:
        await screen.answer(texts.saving.none_chosen(), alert=True)
        return
    text = texts.saving.review(list(chosen.values()), await profiles.get(screen.admin_id))
    await screen.show(Page(text, keyboards.saving.review(texts, callback_data.session, len(chosen))))


async def save(
    event: TelegramObject,
    callback_data: SeveralAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    channels: ChannelService,
    saving: SavingService,
) -> None:
    chosen = await _chosen(await list_data(state), channels)
    if not chosen:
        await screen.answer(texts.saving.none_chosen(), alert=True)
        return
    await screen.answer()
    made = await saving.save_several(screen.admin_id, callback_data.session, list(chosen), texts.zone.key)
    await open_list(state, OpenList.several, session=callback_data.session, ticked=[])
    why = [texts.errors.of(each.error) for each in made if each.error is not None]
    await screen.show(Page(texts.saving.made(made, why), keyboards.saving.made(texts)))


PROMPTS: dict[str, Prompt] = {str(OpenList.several.state): show_again}


def build() -> Router:
    """Ticks count while their list is open: afterwards nobody sees what else would be saved."""
    router = Router(name="save-several")
    opens = SeveralAction.filter(F.verb.in_({SeveralVerb.OPEN, SeveralVerb.PAGE}))
    router.callback_query.register(show_list, opens)
    router.callback_query.register(tick, OpenList.several, SeveralTick.filter())
    router.callback_query.register(review, OpenList.several, SeveralAction.filter(F.verb == SeveralVerb.REVIEW))
    router.callback_query.register(save, OpenList.several, SeveralAction.filter(F.verb == SeveralVerb.SAVE))
    router.callback_query.register(show_all, OpenList.several, ShowAll.filter())
    router.message.register(receive_word, Searches(OpenList.several))
    return router
