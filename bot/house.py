"""The services, put together: who is given whom. Nothing is asked and nothing runs before bot/app.py says so.

What one service tells another that is built later goes through a method of the house.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from aiogram import Bot
from aiogram.fsm.storage.base import StorageKey
from aiogram.types import ChatJoinRequest

from bot.fsm import Conversations, SqliteStorage, Turns
from bot.gate import BotApiGate
from bot.pace import ChatPace
from bot.rows import Rows
from bot.settings import Settings
from handlers.login_screens import LoginScreens
from handlers.notifier import ScreenNotifier
from handlers.request_notifier import RequestNotifier
from handlers.rights_cards import RightsCards
from handlers.save_cards import SaveCards
from handlers.screen import Screens
from services.access import Rights
from services.admins import AdminService
from services.audit import AuditService
from services.bot_accounts import BotAccounts
from services.channels import ChannelService
from services.clients.base import MtprotoServer
from services.clients.factory import Clients
from services.clients.pacing import Governor
from services.clients.pool import ClientPool
from services.confirmations import ConfirmationService
from services.desks import Desks
from services.enrolment import Enrolment
from services.errors import SessionDead
from services.estimates import GIB, Estimator
from services.exports import ExportService
from services.first_looks import FirstLooks
from services.following import Following
from services.home import HomeService
from services.imports import ImportService
from services.invites import InviteService
from services.lanes import Lanes
from services.leases import Leases
from services.live import Live
from services.login import LoginService
from services.many_sources import ManySources
from services.pins import PinService
from services.profiles import ProfileService
from services.readers import Readers
from services.repairs import SessionRepairs
from services.requests import (
    Arrivals,
    BulkDecisions,
    BulkRuns,
    Decider,
    Gates,
    LoadSchedules,
    Removals,
    RequestLists,
    RequestLoads,
    RequestServices,
)
from services.requests.bulk_each import OneByOne
from services.requests.bulk_everybody import Everybody
from services.requests.endings import Endings
from services.requests.greetings import Greetings
from services.requests.membership import Membership
from services.requests.notice_desk import NoticeDesk
from services.requests.notices import Notices
from services.requests.notify_group import NotifyGroup
from services.requests.pending_updates import PendingUpdates
from services.requests.rights_audit import RightsAudit
from services.requests.rule_services import RuleServices
from services.requests.submitting import Submitting
from services.requests.walks import RequestLister
from services.restores import RestingClients, RestoreService
from services.retention import Forgetting, Retention
from services.run_list import RunList
from services.runs import Runner
from services.saving import SavingService
from services.schedule import ScheduleService
from services.scraping import Scraper
from services.session_settings import SessionSettings
from services.session_watch import SessionWatch, looking
from services.sessions import SessionService
from services.source_applications import SourceApplications
from services.sources import SourceService
from services.targets import Targets
from services.verifying import Verifier
from storage.models import IncomingRequest, Run, RunKind, Schedule
from storage.vault import Vault

log = logging.getLogger(__name__)

MIB = 1024 * 1024
CLOSE_SECONDS = 1.2
"""For all clients of accounts together: what a server does not answer is not waited for."""


class House:
    """`server`: another MTProto server than Telegram's."""

    def __init__(
        self, settings: Settings, rows: Rows, vault: Vault, bot: Bot, pace: ChatPace, server: MtprotoServer | None
    ) -> None:
        self._bot_id = bot.id

        # The chat
        self.rights = Rights(rows.admins)
        self.audits = AuditService(rows.audit)
        self.admins = AdminService(rows.admins, rows.channels)
        self.admins.on_change(self._role_changed)
        self.pins = PinService(rows.pins)
        self.confirmations = ConfirmationService(rows.confirmations)
        self.fsm, self.isolation = SqliteStorage(rows.conversations), Turns()
        self.screens = Screens(bot, rows.screens, pace)
        self.run_list = RunList(rows.runs)
        endings = Endings(rows.bulk, rows.request_pages)
        self.notifier = ScreenNotifier(self.screens, self.admins, self.run_list, endings, settings.zone)
        self.gate = BotApiGate(bot)

        # Clients of accounts
        self.restores = RestoreService(rows.restored)
        self.factory = RestingClients(Clients(server), self.restores)
        self.leases = Leases(rows.leases, self._session_taken)
        governor = Governor(rows.flood_waits)
        self.pool = ClientPool(
            rows.sessions,
            self.factory,
            governor,
            self.leases,
            self._session_died,
            application_of=rows.source_applications.get,
        )

        # Long work
        self.runner = Runner(rows.runs, self.notifier)
        self.schedule = ScheduleService(rows.schedules)

        # Accounts
        self.repairs = SessionRepairs(rows.sessions, rows.sources, self.pool, self.runner, self.notifier)
        self.sessions = SessionService(
            rows.sessions,
            rows.sources,
            rows.runs,
            rows.flood_waits,
            self.pool,
            self.repairs,
            may_export=settings.allow_export,
        )
        self.session_settings = SessionSettings(rows.sessions, self.pool, self.factory)
        self.exports = ExportService(self.sessions, rows.sessions, self.pool, self.repairs, self.restores.check)
        self.channels = ChannelService(rows.channels, rows.sessions, self.pool, self.gate)
        self.watch = SessionWatch(rows.sessions, self.repairs, looking(self.sessions, self.channels, self.pool))
        enrolment = Enrolment(rows.sessions, vault, self.repairs.revived)
        self.imports = ImportService(enrolment, self.factory, settings.api, server, bot.id)
        self.bot_accounts = BotAccounts(bot.id, rows.sessions, enrolment, self.factory)
        conversations = Conversations(bot.id, self.fsm, self.isolation)
        login_screens = LoginScreens(self.screens, self.admins, settings.zone, conversations.of)
        self.logins = LoginService(
            rows.logins, rows.sessions, enrolment, self.factory, login_screens, acting=self._acting
        )

        # Carrying channels home
        self.targets = Targets(
            settings.download_dir, settings.nas_roots, rows.roots, reserve_bytes=settings.reserve_mb * MIB
        )
        self.sources = SourceService(
            rows.sources,
            rows.files,
            rows.schedules,
            self.runner,
            self.schedule,
            self.targets,
            zone=settings.zone,
        )
        self.many_sources = ManySources(
            rows.source_sets,
            rows.sources,
            rows.files,
            rows.sessions,
            self.sources,
            self.runner,
            self.schedule,
        )
        self.gate.on_migrated(self.channels.migrated)
        self.channels.on_carried_grown(self.notifier.channel_grew)
        self.following = Following(rows.channels, rows.sessions, rows.sources, self.pool, self.notifier)
        self.channels.on_grown(self.following.note)
        lanes = Lanes(settings.download_window_mb * MIB)
        governor.listen(lanes.paced)
        self.scraper = Scraper(
            rows.sources, rows.files, self.pool, self.targets, lanes, zone=settings.zone, following=self.following
        )
        self.live = Live(rows.live, rows.sources, self.pool, self.runner)
        self.source_applications = SourceApplications(
            rows.source_applications, rows.sources, rows.sessions, self.factory
        )
        self.profiles = ProfileService(rows.profiles)
        self.estimator = Estimator(
            rows.sessions, rows.runs, self.pool, self.targets, ask_above_bytes=settings.ask_above_gb * GIB
        )
        readers = Readers(rows.channels, rows.sessions, rows.sources, self.channels, self.pool)
        self.saving = SavingService(rows.channels, readers, self.sources, self.profiles)
        looks = FirstLooks(readers, self.estimator, self.channels, self.pool)
        self.invites = InviteService(rows.sessions, rows.sources, self.channels, self.pool)
        self.save_cards = SaveCards(self.screens, self.admins, settings.zone, conversations.of, self.saving, looks)
        self.verifier = Verifier(rows.sources, rows.files, self.targets)

        # Keeping the gate
        lister = RequestLister(rows.join_requests, rows.sessions, self.pool)
        submitting = Submitting(rows.channels, self.runner)
        greetings = Greetings(rows.join_requests, rows.request_settings, rows.channels, self.gate)
        membership = Membership(rows.sessions, self.pool)
        decider = Decider(
            rows.join_requests,
            rows.request_decisions,
            rows.channels,
            self.channels,
            self.pool,
            self.gate,
            lister,
            self.rights,
            greetings,
            membership,
        )
        lists = RequestLists(
            rows.join_requests,
            rows.request_pages,
            rows.channels,
            rows.request_views,
            rows.request_ticks,
            rows.request_decisions,
        )
        loads = RequestLoads(rows.join_requests, self.channels, self.pool, lister, submitting, self.rights)
        bulk = BulkDecisions(
            rows.bulk,
            rows.request_pages,
            rows.request_views,
            rows.request_ticks,
            lists,
            submitting,
            self.runner,
            self.rights,
        )
        bulk_runs = BulkRuns(
            Everybody(rows.bulk, rows.join_requests, rows.sessions, lister, membership, self.pool, self.rights),
            OneByOne(rows.bulk, decider, self.rights),
            self.channels,
            self.pool,
            self.rights,
            self.audits,
        )
        self.requests = RequestServices(
            Arrivals(rows.join_requests, rows.channels, self.channels, self.notifier),
            lists,
            decider,
            loads,
            bulk,
            bulk_runs,
            Gates(rows.channels, rows.join_requests, rows.request_settings, rows.schedules, rows.rules),
            Removals(
                rows.request_decisions,
                lists,
                decider,
                rows.sessions,
                self.channels,
                self.pool,
                self.gate,
                self.rights,
            ),
            LoadSchedules(loads, self.schedule, rows.schedules, rows.request_settings, rows.channels, self.rights),
        )
        self.pending_updates = PendingUpdates(
            rows.channels, rows.join_requests, rows.sessions, self.pool, self.requests.arrivals, loads
        )
        self.rights_audit = RightsAudit(
            rows.channels, self.channels, rows.sessions, rows.join_requests, self.gate, self.rights
        )
        self.rights_cards = RightsCards(self.screens, self.admins, settings.zone, conversations.of, self.rights_audit)
        self.rules = RuleServices.over(
            rows.rules,
            rows.verdicts,
            rows.outlooks,
            rows.request_settings,
            rows.channels,
            greetings,
            decider,
            self.audits,
            self.notifier,
        )
        self.requests.arrivals.on_stored(self.rules.judge.wake)
        self.notify_group = NotifyGroup(settings.notify_chat, rows.notices)
        board = RequestNotifier(bot, self.screens, self.admins, settings.zone)
        self.notices = Notices(
            rows.notices,
            rows.request_settings,
            rows.join_requests,
            rows.channels,
            self.admins,
            board,
            self.notify_group,
        )
        notice_desk = partial(NoticeDesk, self.notices, rows.request_settings, rows.channels, decider, self.rights)
        self.desks = Desks(
            self.requests, self.channels, self.runner, self.run_list, endings, self.rights, self.rules, notice_desk
        )

        # Looking and forgetting
        self.home = HomeService(rows.summary, rows.admins)
        self.forgetting = Forgetting(rows.people)
        self.retention = Retention(
            settings.retention_days,
            {
                "people": rows.people.sweep,
                "runs": rows.runs.sweep,
                "conversations": rows.conversations.sweep,
                "lines of the audit": rows.audit.sweep,
            },
            {
                "logins": rows.logins.sweep,
                "questions": rows.confirmations.sweep,
                "waits": rows.flood_waits.sweep,
                "views": rows.request_views.sweep,
            },
        )

        self.runner.on_settled(self.live.settled)
        self.runner.on_settled(self._loaded)
        self.runner.on_settled(self.pending_updates.settled)
        self.sources.on_live(self.live.look)
        self.following.on_followed(self.live.look)
        self.runner.register(RunKind.SCRAPE, self.scraper.work, self.scraper.ready)
        self.runner.register(RunKind.VERIFY, self.verifier.work, self.verifier.ready)
        self.runner.register(RunKind.LOAD_REQUESTS, self.requests.loads.work)
        self.runner.register(RunKind.DECIDE_ALL, bulk_runs.work)
        self.runner.register(RunKind.DECIDE_SOME, bulk_runs.work)
        self.schedule.on(RunKind.SCRAPE, self._scrape_on_schedule)
        self.schedule.on(RunKind.LOAD_REQUESTS, self.requests.load_schedules.fire)

    # -- life

    async def start(self) -> None:
        """What works by itself: runs, schedules, the watch, unfinished logins."""
        await self.runner.start()
        await self.schedule.start()
        await self.live.start()
        await self.rules.start()
        await self.pending_updates.start()
        await self.watch.start()
        await self.notices.start()
        await self.logins.start()

    async def rest(self) -> None:
        """Nothing works by itself any more; what admins do still may. All of it at once: each has seconds of its own
        to bring to its end what it has begun. Whatever was not started, or rests already, may be."""
        await asyncio.gather(
            self.retention.stop(),
            self.rules.stop(),
            self.notices.stop(),
            self.watch.stop(),
            self.pending_updates.stop(),
            self.live.stop(),
            self.schedule.stop(),
            self.runner.stop(),
        )

    async def stop(self) -> None:
        """Nothing works any more, and no client is open, or is given up."""
        await self.rest()
        await self.save_cards.close()
        await self.rights_cards.close()
        await self.channels.close()
        await self.notifier.close()
        await self.leases.stop()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(self.logins.close(), self.pool.close())
        except TimeoutError:
            log.warning("connections did not close in time")

    # -- what the services tell each other

    async def take_requests(self, updates: list[ChatJoinRequest]) -> None:
        await self.requests.arrivals.take([_incoming(update) for update in updates])

    def _loaded(self, run: Run) -> None:
        if run.kind is RunKind.LOAD_REQUESTS:
            self.rules.judge.wake()

    async def _session_died(self, session_id: int, error: SessionDead) -> None:
        await self.repairs.died(session_id, error)

    async def _session_taken(self, session_id: int) -> None:
        await self.pool.drop(session_id)
        await self.notifier.session_taken(await self.sessions.get(session_id))

    async def _scrape_on_schedule(self, due: Schedule) -> None:
        await self.sources.scrape(due.subject_id, None)

    async def _role_changed(self, user_id: int) -> None:
        """What this person had begun is void."""
        self.pins.forget(user_id)
        await self.logins.cancel(user_id)
        key = StorageKey(bot_id=self._bot_id, chat_id=user_id, user_id=user_id)
        await self.fsm.set_state(key, None)
        await self.fsm.set_data(key, {})

    @asynccontextmanager
    async def _acting(self, admin_id: int) -> AsyncIterator[None]:
        with self.audits.by(await self.rights.check_owner(admin_id)):
            yield


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
