"""A forwarded post or a link, without a command: the way to a channel's card (handlers/save.py).

What is being asked goes before: a form takes what it understands, and what it does not take comes here at last.
"""

import time
from typing import Any

from aiogram import F, Router
from aiogram.filters import BaseFilter
from aiogram.fsm.context import FSMContext
from aiogram.types import Message, MessageOriginChannel, MessageOriginChat, TelegramObject

from handlers import keyboards
from handlers.callbacks import LinkPick, SaveAction, SaveVerb
from handlers.parking import is_list, leave, park
from handlers.save import FORWARDED
from handlers.save_cards import SaveCards
from handlers.save_invite import KEPT, begin_invite, remember
from handlers.screen import AdminScreen, Page
from handlers.secrets import receive_secret
from handlers.states import OpenList, SourceForm
from handlers.texts import Texts
from services.invites import InviteService
from services.links import ChannelLink, InviteLink, Link, find_links
from services.saving import SavingService
from storage.models import Admin, Role

TOGETHER_SECONDS = 5.0
"""Posts of one channel that come so close behind each other were forwarded in one go: an album, or several chosen."""
MOST_POSTS = 100


class ByOwner(BaseFilter):
    async def __call__(self, message: Message, admin: Admin | None = None) -> bool:
        return admin is not None and admin.role is Role.OWNER


class Unasked(BaseFilter):
    """Nothing else is being asked: no conversation, a list that is merely open, or just this: which channel."""

    async def __call__(self, message: Message, state: FSMContext) -> bool:
        name = await state.get_state()
        return name is None or is_list(name) or name == SourceForm.channel.state


class HasLinks(BaseFilter):
    """Hands the links over. Where an account's channels are listed, names are looked up with that account: there, only
    invite links come this way."""

    async def __call__(self, message: Message, state: FSMContext) -> bool | dict[str, Any]:
        text = message.text or message.caption or ""
        if text.startswith("/"):
            return False
        links = find_links("\n".join([text, *_hidden(message)]) if _hidden(message) else text)
        if await state.get_state() in (OpenList.channels.state, SourceForm.channel.state):
            links = [link for link in links if isinstance(link, InviteLink)]
        return {"links": links} if links else False


def _hidden(message: Message) -> list[str]:
    """Addresses behind words."""
    return [entity.url for entity in message.entities or message.caption_entities or () if entity.url]


async def receive_forward(
    message: Message,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
    save_cards: SaveCards,
) -> None:
    origin = message.forward_origin
    assert isinstance(origin, MessageOriginChannel | MessageOriginChat)
    chat = origin.chat if isinstance(origin, MessageOriginChannel) else origin.sender_chat
    post = origin.message_id if isinstance(origin, MessageOriginChannel) else 0
    if await _joins_others(state, save_cards, screen.admin_id, chat.id, post):
        return
    asked = await _asked_of(state)
    channel = await saving.find(ChannelLink(chat.id), chat.username, asked)
    await (leave(state) if asked else park(state))
    about = SaveAction(channel=channel.id, verb=SaveVerb.CARD, post=post, session=asked)
    message_id = await save_cards.show(about, screen, texts)
    together = {"channel": channel.id, "posts": [post], "at": time.time(), "card": message_id, "session": asked}
    await state.update_data({FORWARDED: together})


async def _asked_of(state: FSMContext) -> int:
    """The account for which it is being asked: which channel? The post answers that. 0: nothing of the kind."""
    if await state.get_state() != SourceForm.channel.state:
        return 0
    return int((await state.get_data()).get("session", 0))


async def _joins_others(state: FSMContext, cards: SaveCards, admin_id: int, channel_id: int, post: int) -> bool:
    """One more of those that were forwarded in one go: the card that is there speaks of all of them."""
    together: dict[str, Any] = (await state.get_data()).get(FORWARDED) or {}
    is_near = together.get("channel") == channel_id and time.time() - together["at"] < TOGETHER_SECONDS
    if not (is_near and cards.is_shown(admin_id)) or len(together["posts"]) >= MOST_POSTS:
        return False
    if not post:  # of a group, which does not say
        return True
    posts = sorted({*together["posts"], post})
    await state.update_data({FORWARDED: {**together, "posts": posts, "at": time.time()}})
    session = together.get("session", 0)
    about = SaveAction(channel=channel_id, verb=SaveVerb.CARD, post=posts[0], more=len(posts) - 1, session=session)
    cards.complete(admin_id, together["card"], about)
    return True


async def receive_hidden(message: Message, screen: AdminScreen, texts: Texts, state: FSMContext) -> None:
    await park(state)
    await screen.show(Page(texts.saving.hidden_origin(), keyboards.only_home(texts)))


async def receive_links(
    message: Message,
    links: list[Link],
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
    invites: InviteService,
    save_cards: SaveCards,
) -> None:
    """Of several it is asked which. A message with an invite link is deleted before anything else. A link that leads
    nowhere sets nothing aside."""
    if any(isinstance(link, InviteLink) for link in links):
        await receive_secret(message, screen, texts)
    if len(links) == 1:
        await _open(links[0], screen, texts, state, saving, invites, save_cards)
        return
    await park(state)
    mark = await remember(state, links=[_packed(link) for link in links])
    await screen.show(Page(texts.saving.which_link(len(links)), keyboards.saving.links(texts, links, mark)))


async def pick_link(
    event: TelegramObject,
    callback_data: LinkPick,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
    invites: InviteService,
    save_cards: SaveCards,
) -> None:
    kept = (await state.get_data()).get(KEPT) or {}
    links = kept.get("links", ())
    if kept.get("mark") != callback_data.mark or not 0 <= callback_data.position < len(links):
        await screen.show(Page(texts.saving.link_forgotten(), keyboards.only_home(texts)))
        return
    await screen.answer()
    link = _unpacked(links[callback_data.position])
    await _open(link, screen, texts, state, saving, invites, save_cards)


def _packed(link: Link) -> list[Any]:
    return ["invite", link.hash] if isinstance(link, InviteLink) else ["channel", link.channel, link.post]


def _unpacked(packed: list[Any]) -> Link:
    return InviteLink(packed[1]) if packed[0] == "invite" else ChannelLink(packed[1], packed[2])


async def _open(
    link: Link,
    screen: AdminScreen,
    texts: Texts,
    state: FSMContext,
    saving: SavingService,
    invites: InviteService,
    save_cards: SaveCards,
) -> None:
    if isinstance(link, InviteLink):
        channel_id = await begin_invite(link.hash, screen, texts, state, invites)
        if channel_id is None:
            return
        about = SaveAction(channel=channel_id, verb=SaveVerb.CARD)
    else:
        channel = await saving.find(link)
        await park(state)
        about = SaveAction(channel=channel.id, verb=SaveVerb.CARD, post=link.post or 0)
    await save_cards.show(about, screen, texts)


def build() -> Router:
    """Before open lists, which would search for what is sent."""
    router = Router(name="save-sent")
    _register(router, ByOwner(), Unasked())
    router.callback_query.register(pick_link, LinkPick.filter())
    return router


def build_last() -> Router:
    """Behind every form: a post that none of them takes sets the form aside."""
    router = Router(name="save-sent-last")
    _register(router, ByOwner())
    return router


def _register(router: Router, *filters: BaseFilter) -> None:
    router.message.register(receive_forward, *filters, F.forward_origin.type.in_(("channel", "chat")))
    router.message.register(receive_links, *filters, HasLinks())
    router.message.register(receive_hidden, *filters, F.forward_origin)
