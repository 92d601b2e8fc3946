"""Private invite links: what one leads to, and joining by it after a question. The link is a secret: the message that
brought it is gone, and it stands in the sealed FSM data until it has done its work."""

import time
from typing import Any

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import TelegramObject

from handlers import keyboards
from handlers.callbacks import InviteAction, InviteVerb, SaveAction, SaveVerb
from handlers.parking import park
from handlers.save import save_all
from handlers.save_cards import SaveCards
from handlers.screen import AdminScreen, Page
from handlers.texts import Texts
from services.desks import RunDesk
from services.invites import Invited, InviteService
from services.saving import SavingService
from services.sessions import SessionService
from storage.models import SessionChannel

KEPT = "kept"
"""Links of the message that came last, in the FSM data."""


async def remember(state: FSMContext, **values: Any) -> int:
    """In place of what was kept before. Answers the mark that buttons carry."""
    mark = time.time_ns() // 1_000_000 % 2**31
    await state.update_data({KEPT: {"mark": mark, **values}})
    return mark


async def begin_invite(
    link_hash: str, screen: AdminScreen, texts: Texts, state: FSMContext, invites: InviteService
) -> int | None:
    """The question whether to join; or, for a channel where an account is already, its id."""
    invited = await invites.look(link_hash)
    await park(state)
    if invited.member is not None:
        return invited.member.channel.id
    mark = await remember(state, invite=link_hash, title=invited.invitation.title)
    await screen.show(_page(invited, texts, mark))
    return None


def _page(invited: Invited, texts: Texts, mark: int) -> Page:
    text = texts.saving.invitation(invited.invitation, invited.accounts)
    return Page(text, keyboards.saving.invitation(texts, invited.accounts, mark))


async def _kept(
    callback_data: InviteAction, screen: AdminScreen, texts: Texts, state: FSMContext
) -> dict[str, Any] | None:
    """None: it is not kept any more, and that was said."""
    kept: dict[str, Any] = (await state.get_data()).get(KEPT) or {}
    if kept.get("mark") == callback_data.mark and "invite" in kept:
        return kept
    await screen.show(Page(texts.saving.link_forgotten(), keyboards.only_home(texts)))
    return None


async def show_invite(
    event: TelegramObject,
    callback_data: InviteAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
    invites: InviteService,
    save_cards: SaveCards,
) -> None:
    kept = await _kept(callback_data, screen, texts, state)
    if kept is None:
        return
    await screen.answer()
    channel_id = await begin_invite(kept["invite"], screen, texts, state, invites)
    if channel_id is not None:
        about = SaveAction(channel=channel_id, verb=SaveVerb.CARD)
        await save_cards.show(about, screen, texts)


async def ask_who_joins(
    event: TelegramObject,
    callback_data: InviteAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    invites: InviteService,
) -> None:
    kept = await _kept(callback_data, screen, texts, state)
    if kept is None:
        return
    accounts = await invites.accounts()
    markup = keyboards.saving.who_joins(texts, accounts, callback_data.mark)
    await screen.show(Page(texts.saving.ask_who_joins(kept["title"]), markup))


async def _let_in(seen: SessionChannel, state: FSMContext) -> SaveAction:
    """The link is not needed any more: from here on it is a channel like others."""
    await state.update_data({KEPT: None})
    return SaveAction(channel=seen.channel.id, verb=SaveVerb.ALL, session=seen.session_id)


async def join(
    event: TelegramObject,
    callback_data: InviteAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
    invites: InviteService,
    save_cards: SaveCards,
    sessions: SessionService,
    runs: RunDesk,
) -> None:
    """One try a tap. Where the admins there decide, the same button tries again later."""
    if (kept := await _kept(callback_data, screen, texts, state)) is None:
        return
    await screen.answer()
    joined = await invites.join(kept["invite"], callback_data.session, kept["title"])
    if joined is None:
        name = (await sessions.get(callback_data.session)).name
        markup = keyboards.saving.asked_to_join(texts, callback_data)
        await screen.show(Page(texts.saving.asked_to_join(kept["title"], name), markup))
        return
    await save_all(event, await _let_in(joined, state), screen, texts, saving, save_cards, runs)


async def look_again(
    event: TelegramObject,
    callback_data: InviteAction,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
    invites: InviteService,
    save_cards: SaveCards,
    runs: RunDesk,
) -> None:
    """Whether it was let in by now. It is not asked for once more: they may have said no."""
    kept = await _kept(callback_data, screen, texts, state)
    if kept is None:
        return
    member = (await invites.look(kept["invite"], callback_data.session)).member
    if member is None:
        await screen.answer(texts.saving.not_let_in(), alert=True)
        return
    await save_all(event, await _let_in(member, state), screen, texts, saving, save_cards, runs)


def build() -> Router:
    router = Router(name="save-invite")
    for verb, handler in (
        (InviteVerb.CARD, show_invite),
        (InviteVerb.ASK, ask_who_joins),
        (InviteVerb.JOIN, join),
        (InviteVerb.AGAIN, look_again),
    ):
        router.callback_query.register(handler, InviteAction.filter(F.verb == verb))
    return router
