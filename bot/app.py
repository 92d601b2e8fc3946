"""Opens everything once, in order - and closes it in reverse.

ground (bot/ground.py) -> Bot (bot/telegram.py) -> first poll -> services (bot/house.py) -> dispatcher -> polling
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramAPIError

from bot.dispatcher import build_dispatcher
from bot.ground import Ground, open_ground
from bot.health import Health
from bot.house import House
from bot.pace import ChatPace
from bot.ping import Pinger
from bot.polling import AnotherPoller, Poll, Poller, first_poll
from bot.rows import Rows
from bot.settings import Settings
from bot.telegram import open_bot
from handlers.people import set_menu
from handlers.restored import question
from handlers.screen import Page
from handlers.texts import Texts

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class App:
    """A Porter that is open."""

    settings: Settings
    bot: Bot
    house: House
    dispatcher: Dispatcher
    poller: Poller

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set. Raises AnotherPoller, WebhookSet, TelegramUnauthorizedError (a void token)."""
        if stop.is_set():
            return
        self.poller.check_token()
        house = self.house
        working = asyncio.create_task(self._work())
        if house.restores.waiting is None:
            await working
        await house.retention.start()
        greeting = asyncio.create_task(self._greet())
        resting = asyncio.create_task(self._rest(stop))
        try:
            await self.poller.run(stop)
            await resting
        except AnotherPoller:
            # Two Porters would use one account from two addresses, and Telegram kills such keys: this one gives way,
            # and leaves the accounts alone when it is started again, until an owner has decided.
            await house.restores.contested()
            await self._stop(greeting, working, resting)
            for owner in await house.admins.owners():
                await house.screens.tell(owner.user_id, Page(Texts(zone=self.settings.zone).home.another_porter()))
            raise
        finally:
            await self._stop(greeting, working, resting)

    async def _rest(self, stop: asyncio.Event) -> None:
        """Beside the poller, which lets handlers end: both at once fit into the five seconds of a stop."""
        await stop.wait()
        await self.house.rest()

    async def _stop(self, *tasks: asyncio.Task[None]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.house.stop()

    async def _work(self) -> None:
        """At once, or as soon as an owner has said that the other Porter is off."""
        await self.house.restores.released()
        try:
            await self.house.start()
        except Exception:
            log.exception("runs, schedules, the watch and logins did not start")
            raise

    async def _greet(self) -> None:
        """What may come after the first poll: whether the old Porter is off, the claim link, the command menus."""
        admins = self.house.admins
        try:
            await self._ask_owners()
            if not await admins.owners():
                me = await self.bot.me()
                link = f"https://t.me/{me.username}?start={admins.new_claim()}"
                log.warning("nobody owns this Porter. Open this link within 15 minutes to own it: %s", link)
        except TelegramAPIError as error:
            log.warning("the claim link is not known: %s", error.message)
        for admin in await admins.all():
            await set_menu(self.bot, admin.user_id, admin.role)

    async def _ask_owners(self) -> None:
        """Once; later on the question stands where home was."""
        restores = self.house.restores
        if restores.waiting is None:
            return
        restored = restores.waiting
        log.warning("%s: accounts rest until an owner says in the chat that the other Porter is off", restored.why)
        if restored.told:
            return
        for admin in await self.house.admins.owners():
            texts = Texts(zone=ZoneInfo(admin.timezone) if admin.timezone else self.settings.zone)
            await self.house.screens.tell(admin.user_id, question(texts, restored, is_owner=True))
        await restores.told()


@asynccontextmanager
async def open_app(settings: Settings, pace: ChatPace | None = None) -> AsyncIterator[App]:
    """`pace`: another spacing on the Bot API than Telegram's limits ask for (a server of one's own has none).

    Raises AnotherPorter, StorageError or SettingsInvalid before anything is touched."""
    pace = pace or ChatPace()
    async with (
        open_ground(settings) as ground,
        open_bot(settings, pace) as bot,
        first_poll(bot) as first,
        build_app(ground, bot, pace, first) as app,
    ):
        yield app


@asynccontextmanager
async def build_app(ground: Ground, bot: Bot, pace: ChatPace, first: Poll) -> AsyncIterator[App]:
    settings = ground.settings
    async with AsyncExitStack() as stack:
        rows = Rows.on(ground.database, ground.vault, ground.leases)
        house = House(settings, rows, ground.vault, bot, pace, ground.server)
        stack.push_async_callback(house.stop)
        await house.leases.start()
        await house.restores.load()
        await house.targets.load()
        await house.notify_group.load()
        await house.admins.appoint(settings.admin_ids)
        await rows.confirmations.sweep()
        await rows.flood_waits.sweep()
        if settings.ping_url is not None:
            pinger = Pinger(settings.ping_url.get_secret_value())
            stack.push_async_callback(pinger.close)
            house.runner.on_settled(pinger.settled)

        dispatcher = build_dispatcher(house, settings)
        poller = Poller(bot, dispatcher, house.take_requests, first=first)
        ground.door.health = Health(ground.database, rows, house, poller)
        stack.push_async_callback(ground.door.close)
        yield App(settings, bot, house, dispatcher, poller)
