"""Opens everything once, in order, on one stack - and closes it in reverse.

lock -> health's port -> database -> vault -> home, leases -> Bot -> services (bot/house.py) -> dispatcher -> polling
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aiogram import Bot, Dispatcher
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import TelegramAPIError
from aiogram.types import LinkPreviewOptions

from bot.answers import HeldAnswers
from bot.dispatcher import build_dispatcher
from bot.health import Health, open_door
from bot.house import House
from bot.lock import hold_lock
from bot.pace import ChatPace
from bot.ping import Pinger
from bot.polling import AnotherPoller, Poller
from bot.rows import Rows
from bot.settings import Settings
from handlers.people import set_menu
from handlers.restored import question
from handlers.screen import Page
from handlers.texts import Texts
from storage.database import Database
from storage.home import settle
from storage.restore import finish
from storage.vault import open_vault

log = logging.getLogger(__name__)

REQUEST_SECONDS = 20


@dataclass(frozen=True)
class App:
    """A Porter that is open. `run` works until `stop` is set."""

    settings: Settings
    bot: Bot
    house: House
    dispatcher: Dispatcher
    poller: Poller

    async def run(self, stop: asyncio.Event) -> None:
        house = self.house
        working = asyncio.create_task(self._work())
        if house.restores.waiting is None:
            await working
        await house.retention.start()
        greeting = asyncio.create_task(self._greet())
        try:
            await self.poller.run(stop)
        except AnotherPoller:
            # Two Porters would use one account from two addresses, and Telegram kills such keys: this one gives way,
            # and leaves the accounts alone when it is started again, until an owner has decided.
            await house.restores.contested()
            await self._stop(greeting, working)
            for owner in await house.admins.owners():
                await house.screens.tell(owner.user_id, Page(Texts(zone=self.settings.zone).home.another_porter()))
            raise
        finally:
            await self._stop(greeting, working)

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
    async with AsyncExitStack() as stack:
        server = settings.mtproto()
        stack.enter_context(hold_lock(settings.data_dir))
        door = await stack.enter_async_context(open_door(settings.health_port))
        await asyncio.to_thread(finish, settings.data_dir)
        database = await stack.enter_async_context(Database.open(settings.data_dir / "porter.db"))
        vault = await open_vault(database, settings.keys)

        pace = pace or ChatPace()
        bot = _bot(settings, pace)
        stack.push_async_callback(bot.session.close)
        await database.claim_identity(bot.id, settings.network)
        await settle(database)

        rows = Rows.on(database, vault)
        house = House(settings, rows, vault, bot, pace, server)
        stack.push_async_callback(house.stop)
        await house.leases.take_over()
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
        poller = Poller(bot, dispatcher, house.take_requests)
        door.health = Health(database, rows, house, poller)
        stack.push_async_callback(door.close)
        yield App(settings, bot, house, dispatcher, poller)


def _bot(settings: Settings, pace: ChatPace) -> Bot:
    api = TelegramAPIServer.from_base(settings.bot_api_url) if settings.bot_api_url else PRODUCTION
    session = AiohttpSession(api=api, timeout=REQUEST_SECONDS)
    session.middleware(pace)
    session.middleware(HeldAnswers())
    return Bot(
        settings.bot_token.get_secret_value(),
        session=session,
        default=DefaultBotProperties(parse_mode=ParseMode.HTML, link_preview=LinkPreviewOptions(is_disabled=True)),
    )
