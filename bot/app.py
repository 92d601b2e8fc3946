"""Opens everything once, in order, on one stack - and closes it in reverse.

lock -> database -> vault -> Bot -> user clients -> runs, schedule -> dispatcher -> polling
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
from aiogram.fsm.storage.base import StorageKey
from aiogram.types import ChatJoinRequest, LinkPreviewOptions

from bot.dispatcher import Workflow, build_dispatcher
from bot.fsm import SqliteStorage
from bot.gate import BotApiGate
from bot.lock import hold_lock
from bot.pace import ChatPace
from bot.polling import AnotherPoller, Poller
from bot.settings import Settings
from handlers.middleware import AdminMiddleware
from handlers.notifier import ScreenNotifier
from handlers.people import set_menu
from handlers.restored import question
from handlers.screen import Page, Screens
from handlers.texts import Texts
from services.access import Rights
from services.admins import AdminService
from services.audit import AuditService
from services.channels import ChannelService
from services.clients.factory import Clients
from services.clients.pacing import Governor
from services.clients.pool import ClientPool
from services.confirmations import ConfirmationService
from services.desks import Desks
from services.enrolment import Enrolment
from services.errors import SessionDead
from services.home import HomeService
from services.imports import ImportService
from services.join_requests import JoinRequestService
from services.login import LoginService
from services.pins import PinService
from services.repairs import SessionRepairs
from services.restores import RestingClients, RestoreService
from services.runs import Runner
from services.schedule import ScheduleService
from services.scraping import Scraper
from services.session_watch import SessionWatch, looking
from services.sessions import SessionService
from services.sources import SourceService
from services.targets import Targets
from services.verifying import Verifier
from storage.admins import AdminRepository
from storage.audit import AuditRepository
from storage.channels import ChannelRepository
from storage.confirmations import ConfirmationRepository
from storage.conversations import ConversationRepository
from storage.database import Database
from storage.files import FileRepository
from storage.flood_waits import FloodWaitRepository
from storage.join_requests import JoinRequestRepository
from storage.logins import LoginRepository
from storage.models import IncomingRequest, RunKind, Schedule
from storage.pins import PinRepository
from storage.restore import finish
from storage.restored import RestoredRepository
from storage.roots import RootRepository
from storage.runs import RunRepository
from storage.schedules import ScheduleRepository
from storage.screens import ScreenRepository
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.summary import SummaryRepository
from storage.vault import open_vault

log = logging.getLogger(__name__)

REQUEST_SECONDS = 20


@dataclass(frozen=True)
class App:
    """A Porter that is open. `run` works until `stop` is set."""

    settings: Settings
    bot: Bot
    dispatcher: Dispatcher
    poller: Poller
    admins: AdminService
    screens: Screens
    runner: Runner
    schedule: ScheduleService
    watch: SessionWatch
    restores: RestoreService

    async def run(self, stop: asyncio.Event) -> None:
        working = asyncio.create_task(self._work())
        if self.restores.waiting is None:
            await working
        greeting = asyncio.create_task(self._greet())
        try:
            await self.poller.run(stop)
        except AnotherPoller:
            # Two Porters would use one account from two addresses, and Telegram kills such keys: this one gives way.
            for owner in await self.admins.owners():
                await self.screens.tell(owner.user_id, Page(Texts(zone=self.settings.zone).home.another_porter()))
            raise
        finally:
            greeting.cancel()
            working.cancel()
            await asyncio.gather(greeting, working, return_exceptions=True)
            await self.watch.stop()
            await self.schedule.stop()
            await self.runner.stop()

    async def _work(self) -> None:
        """Runs, schedules and the watch, at once or as soon as a restored Porter may."""
        await self.restores.released()
        try:
            await self.runner.start()
            await self.schedule.start()
            await self.watch.start()
        except Exception:
            log.exception("runs, schedules and the watch did not start")
            raise

    async def _greet(self) -> None:
        """What may come after the first poll: the question of a restored Porter, the claim link, the command menus."""
        try:
            await self._ask_owners()
            if not await self.admins.owners():
                me = await self.bot.me()
                link = f"https://t.me/{me.username}?start={self.admins.new_claim()}"
                log.warning("nobody owns this Porter. Open this link within 15 minutes to own it: %s", link)
        except TelegramAPIError as error:
            log.warning("the claim link is not known: %s", error.message)
        for admin in await self.admins.all():
            await set_menu(self.bot, admin.user_id, admin.role)

    async def _ask_owners(self) -> None:
        """Once; later on the question stands where home was."""
        restored = self.restores.waiting
        if restored is None:
            return
        log.warning("restored from a backup: accounts rest until an owner says in the chat that the old Porter is off")
        if restored.told:
            return
        for admin in await self.admins.owners():
            texts = Texts(zone=ZoneInfo(admin.timezone) if admin.timezone else self.settings.zone)
            await self.screens.tell(admin.user_id, question(texts, restored, is_owner=True))
        await self.restores.told()


@asynccontextmanager
async def open_app(settings: Settings, pace: ChatPace | None = None) -> AsyncIterator[App]:
    """`pace`: another spacing on the Bot API than Telegram's limits ask for (a server of one's own has none).

    Raises AnotherPorter, StorageError or SettingsInvalid before anything is touched."""
    async with AsyncExitStack() as stack:
        server = settings.mtproto()
        stack.enter_context(hold_lock(settings.data_dir))
        await asyncio.to_thread(finish, settings.data_dir)
        database = await stack.enter_async_context(Database.open(settings.data_dir / "porter.db"))
        vault = await open_vault(database, settings.keys)

        pace = pace or ChatPace()
        bot = _bot(settings, pace)
        stack.push_async_callback(bot.session.close)
        await database.claim_identity(bot.id, settings.network)

        confirmation_rows, flood_waits = ConfirmationRepository(database), FloodWaitRepository(database)
        await confirmation_rows.sweep()
        await flood_waits.sweep()

        admin_rows, channel_rows = AdminRepository(database), ChannelRepository(database)
        rights, audits = Rights(admin_rows), AuditService(AuditRepository(database))
        admins = AdminService(admin_rows, channel_rows)
        await admins.appoint(settings.admin_ids)
        screens = Screens(bot, ScreenRepository(database), pace)
        notifier = ScreenNotifier(screens, admins, settings.zone)
        stack.push_async_callback(notifier.close)
        gate = BotApiGate(bot)

        session_rows = SessionRepository(database, vault)
        restores = RestoreService(RestoredRepository(database))
        await restores.load()
        factory = RestingClients(Clients(server), restores)
        governor = Governor(flood_waits)

        async def session_died(session_id: int, error: SessionDead) -> None:
            await repairs.died(session_id, error)

        pool = ClientPool(session_rows, factory, governor, session_died)
        stack.push_async_callback(pool.close)
        runner = Runner(RunRepository(database), notifier)
        schedule_rows = ScheduleRepository(database)
        schedule = ScheduleService(schedule_rows)
        source_rows, file_rows = SourceRepository(database), FileRepository(database)
        repairs = SessionRepairs(session_rows, source_rows, pool, runner, notifier)
        sessions = SessionService(session_rows, channel_rows, pool, repairs)
        channels = ChannelService(channel_rows, session_rows, pool, gate)
        watch = SessionWatch(session_rows, repairs, looking(sessions, channels))
        enrolment = Enrolment(session_rows, vault, repairs.revived)
        logins = LoginService(LoginRepository(database, vault), session_rows, enrolment, factory)
        stack.push_async_callback(logins.close)
        targets = Targets(
            settings.download_dir,
            settings.nas_roots,
            RootRepository(database),
            reserve_bytes=settings.reserve_mb * 1024 * 1024,
        )
        await targets.load()
        sources = SourceService(source_rows, file_rows, schedule_rows, runner, schedule, targets, zone=settings.zone)
        scraper = Scraper(source_rows, file_rows, pool, targets, zone=settings.zone)
        verifier = Verifier(source_rows, file_rows, targets)
        requests = JoinRequestService(
            JoinRequestRepository(database),
            channel_rows,
            session_rows,
            channels,
            pool,
            gate,
            runner,
            notifier,
            rights,
            audits,
        )
        pins = PinService(PinRepository(database, vault))
        fsm = SqliteStorage(ConversationRepository(database, vault))

        async def role_changed(user_id: int) -> None:
            """What this person had begun is void."""
            pins.forget(user_id)
            await logins.cancel(user_id)
            key = StorageKey(bot_id=bot.id, chat_id=user_id, user_id=user_id)
            await fsm.set_state(key, None)
            await fsm.set_data(key, {})

        admins.on_change(role_changed)

        async def scrape_on_schedule(due: Schedule) -> None:
            await sources.scrape(due.subject_id, None)

        runner.register(RunKind.SCRAPE, scraper.work, scraper.ready)
        runner.register(RunKind.VERIFY, verifier.work, verifier.ready)
        runner.register(RunKind.LOAD_REQUESTS, requests.work_load)
        runner.register(RunKind.DECIDE_ALL, requests.work_decide_all)
        schedule.on(RunKind.SCRAPE, scrape_on_schedule)

        async def take_requests(updates: list[ChatJoinRequest]) -> None:
            await requests.take([_incoming(update) for update in updates])

        workflow = Workflow(
            admins=admins,
            api=settings.api,
            audits=audits,
            channels=channels,
            confirmations=ConfirmationService(confirmation_rows),
            home=HomeService(SummaryRepository(database), admin_rows),
            imports=ImportService(enrolment, factory, settings.api, server),
            logins=logins,
            people=gate,
            pins=pins,
            repairs=repairs,
            restores=restores,
            screens=screens,
            sessions=sessions,
            sources=sources,
        )
        desks = Desks(requests, channels, runner, rights)
        middleware = AdminMiddleware(admins, screens, desks, settings.zone)
        dispatcher = build_dispatcher(workflow, fsm, middleware)
        poller = Poller(bot, dispatcher, take_requests)
        yield App(settings, bot, dispatcher, poller, admins, screens, runner, schedule, watch, restores)


def _bot(settings: Settings, pace: ChatPace) -> Bot:
    api = TelegramAPIServer.from_base(settings.bot_api_url) if settings.bot_api_url else PRODUCTION
    session = AiohttpSession(api=api, timeout=REQUEST_SECONDS)
    session.middleware(pace)
    return Bot(
        settings.bot_token.get_secret_value(),
        session=session,
        default=DefaultBotProperties(parse_mode=ParseMode.HTML, link_preview=LinkPreviewOptions(is_disabled=True)),
    )


def _incoming(update: ChatJoinRequest) -> IncomingRequest:
    person = update.from_user
    return IncomingRequest(
        channel_id=update.chat.id,
        user_id=person.id,
        name=person.full_name,
        username=person.username,
        bio=update.bio,
        asked_at=update.date,
        is_premium=person.is_premium,
        link=update.invite_link.invite_link if update.invite_link else None,
        language=person.language_code,
        user_chat_id=update.user_chat_id,
    )
