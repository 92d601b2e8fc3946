"""The card of who may let people in where, drawn again in place while Telegram is asked."""

import asyncio
import logging
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from aiogram.exceptions import TelegramAPIError

from handlers import keyboards
from handlers.access import offered
from handlers.login_screens import Conversations
from handlers.notifier import texts_for
from handlers.screen import AdminScreen, Page, Screens
from handlers.texts import Texts
from services.admins import AdminService
from services.errors import PorterError
from services.requests.rights_audit import RightsAudit, Turn
from storage.models import Channel

log = logging.getLogger(__name__)

REDRAW_SECONDS = 2.0
PICKER_SECONDS = 1.5
"""Whoever used Telegram's picker is told on their screen: its own message comes a moment after the right."""


@dataclass(slots=True)
class _Card:
    """`drawn`: at which drawing of the admin's screen it was drawn last."""

    admin_id: int
    message_id: int
    page: int
    username: str
    drawn: int


class RightsCards:
    """One card an admin; it is drawn only while they look at it. `username`: of the bot."""

    def __init__(
        self,
        screens: Screens,
        admins: AdminService,
        zone: ZoneInfo,
        conversations: Conversations,
        audit: RightsAudit,
    ) -> None:
        self._screens = screens
        self._admins = admins
        self._zone = zone
        self._conversations = conversations
        self._audit = audit
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by admin

    async def show(self, screen: AdminScreen, texts: Texts, page: int, username: str) -> int:
        """Raises NotAllowed: for owners."""
        return await screen.show(await self._page(screen.admin_id, texts, page, username))

    async def check(self, screen: AdminScreen, texts: Texts, page: int, username: str) -> None:
        """Ask Telegram anew, and draw how far that is. Raises NotAllowed: for owners."""
        admin_id = screen.admin_id
        checking = await self._audit.check(admin_id)
        message_id = await self.show(screen, texts, page, username)
        card = _Card(admin_id, message_id, page, username, self._screens.drawn(admin_id))
        if (before := self._tasks.pop(admin_id, None)) is not None:
            before.cancel()
        self._tasks[admin_id] = asyncio.create_task(self._follow(checking, card))

    async def tell(self, channel: Channel, turn: Turn, by: int, username: str) -> None:
        """The bot's right at a channel was given or taken, by the person `by`. That it is lost, owners hear; that it
        is there, whoever gave it, where that is one of ours and not on their screen already, else the owners."""
        if turn is Turn.LOST:
            accounts = await self._audit.accounts(channel.id)
            for owner in await self._admins.owners():
                texts = await texts_for(self._admins, owner.user_id, self._zone)
                page = Page(texts.rights.lost(channel, accounts), keyboards.rights.lost(texts, username))
                await self._tell(owner.user_id, page)
            return
        await asyncio.sleep(PICKER_SECONDS)
        if self._audit.was_picked(channel.id):
            return
        older = await self._audit.older_ones(channel.id)
        giver = await self._admins.find(by)
        told = [giver] if giver is not None and giver.sees(channel.id) else await self._admins.owners()
        for admin in told:
            texts = await texts_for(self._admins, admin.user_id, self._zone)
            page = Page(texts.rights.connected(channel, older), keyboards.rights.connected(texts, channel, older))
            await self._tell(admin.user_id, page.for_reader(partial(offered, role=admin.role)))

    async def _tell(self, admin_id: int, page: Page) -> None:
        try:
            await self._screens.tell(admin_id, page)
        except TelegramAPIError as error:
            log.warning("a right was not told: %s", type(error).__name__, extra={"admin_id": admin_id})

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._audit.close()

    async def _follow(self, checking: asyncio.Task[None], card: _Card) -> None:
        is_over = False
        while not is_over:
            await asyncio.wait((checking,), timeout=REDRAW_SECONDS)
            is_over = checking.done()
            try:
                if not await self._redraw(card):
                    return
            except (PorterError, TelegramAPIError) as error:
                log.info("a card was not drawn: %s", type(error).__name__, extra={"admin_id": card.admin_id})

    async def _redraw(self, card: _Card) -> bool:
        """False: the admin looks at something else by now."""
        texts = await texts_for(self._admins, card.admin_id, self._zone)
        async with self._conversations(card.admin_id):
            if self._screens.drawn(card.admin_id) != card.drawn:
                return False
            page = await self._page(card.admin_id, texts, card.page, card.username)
            is_drawn = await self._screens.edit(card.admin_id, card.message_id, page)
            card.drawn = self._screens.drawn(card.admin_id)
            return is_drawn

    async def _page(self, admin_id: int, texts: Texts, page: int, username: str) -> Page:
        entrances = await self._audit.entrances(admin_id)
        shown = keyboards.window(entrances, page)
        text = texts.rights.card(shown, len(entrances), self._audit.checking)
        return Page(text, keyboards.rights.card(texts, len(entrances), page, username))
