"""The card of a channel that may be saved is there at once; what Telegram takes its time to count comes in place.

A card is completed only while its admin still looks at it: nothing else may be drawn over.
"""

import asyncio
import logging
from zoneinfo import ZoneInfo

from aiogram.exceptions import TelegramAPIError

from handlers import keyboards
from handlers.callbacks import SaveAction
from handlers.keyboards.saving import act
from handlers.login_screens import Conversations
from handlers.notifier import texts_for
from handlers.screen import AdminScreen, Page, Screens
from handlers.texts import Texts
from services.admins import AdminService
from services.errors import FloodWait, PorterError
from services.first_looks import FirstLooks, Look
from services.saving import Offer, SavingService

log = logging.getLogger(__name__)

SETTLE_SECONDS = 0.3
"""Posts that are forwarded together come one by one: they are drawn once."""


def card_page(texts: Texts, offer: Offer, about: SaveAction, look: Look | None) -> Page:
    counts, trouble = None, None
    if look is not None and isinstance(look.trouble, FloodWait):
        counts = texts.saving.counted_later(look.trouble.until)  # a run waits by itself: it may be saved all the same
    elif look is not None and look.trouble is not None and not look.is_readable:
        trouble = texts.errors.of(look.trouble)
    elif look is not None:
        counts = texts.saving.readable()
        if look.estimate is not None:
            kinds = [texts.estimates.counts(look.estimate)] if look.estimate.counts else []
            counts = "\n".join([*kinds, texts.estimates.line(look.estimate)])
    text = texts.saving.card(offer, counts, trouble, about.more + 1 if about.post else 0)
    return Page(text, keyboards.saving.card(texts, offer, about, is_unreadable=trouble is not None))


class SaveCards:
    def __init__(
        self,
        screens: Screens,
        admins: AdminService,
        zone: ZoneInfo,
        conversations: Conversations,
        saving: SavingService,
        looks: FirstLooks,
    ) -> None:
        self._screens = screens
        self._admins = admins
        self._zone = zone
        self._conversations = conversations
        self._saving = saving
        self._looks = looks
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by admin: one card each
        self._shown: dict[int, int] = {}  # by admin: at which drawing of the screen a card was drawn last

    def is_shown(self, admin_id: int) -> bool:
        """Whether the admin's screen shows a card, for all that is known since the start."""
        return self._shown.get(admin_id) == self._screens.drawn(admin_id)

    async def show(self, about: SaveAction, screen: AdminScreen, texts: Texts, offer: Offer | None = None) -> int:
        """What is known at once; the rest comes in place. The id of the message. Raises as SavingService.offer."""
        if offer is None:
            offer = await self._saving.offer(screen.admin_id, about.channel, about.session)
        about = act(about, about.verb, offer.session_id)
        known = self._looks.known(offer) if offer.readers else None
        message_id = await screen.show(card_page(texts, offer, about, known))
        self._shown[screen.admin_id] = self._screens.drawn(screen.admin_id)
        if offer.whole is None:
            self.complete(screen.admin_id, message_id, about)
        return message_id

    async def question(self, offer: Offer, texts: Texts) -> str | None:
        """What to ask before all of it is saved; None: it is not so much."""
        look = await self._looks.look_soon(offer)
        if not self._looks.is_large(look):
            return None
        amount = texts.estimates.ask(look.estimate) if look.estimate else texts.saving.uncounted()
        return f"{texts.saving.facts(offer.channel)}\n{amount}"

    async def newest(self, offer: Offer) -> int | None:
        """The newest message there is, as far as it could be seen."""
        return (await self._looks.look_soon(offer)).newest

    def complete(self, admin_id: int, message_id: int, about: SaveAction) -> None:
        """Find out what is not known, and draw it. Whatever was being completed for this admin is left."""
        if (before := self._tasks.pop(admin_id, None)) is not None:
            before.cancel()
        task = asyncio.create_task(self._complete(admin_id, message_id, about))
        self._tasks[admin_id] = task
        task.add_done_callback(lambda done: self._ended(admin_id, done))

    def _ended(self, admin_id: int, task: asyncio.Task[None]) -> None:
        if self._tasks.get(admin_id) is task:
            del self._tasks[admin_id]
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, PorterError | TelegramAPIError):
            log.info("a card was not completed: %s", type(error).__name__, extra={"admin_id": admin_id})
        elif error is not None:
            log.error("a card was not completed", exc_info=error, extra={"admin_id": admin_id})

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self._looks.close()

    async def _complete(self, admin_id: int, message_id: int, about: SaveAction) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        offer = await self._saving.offer(admin_id, about.channel, about.session)
        look = await self._looks.look(offer) if offer.whole is None else None
        texts = await texts_for(self._admins, admin_id, self._zone)
        async with self._conversations(admin_id):
            if not self.is_shown(admin_id):
                return  # the admin has gone elsewhere
            offer = await self._saving.offer(admin_id, about.channel, about.session)
            if await self._screens.edit(admin_id, message_id, card_page(texts, offer, about, look)):
                self._shown[admin_id] = self._screens.drawn(admin_id)
