"""The Dispatcher: FSM storage, event isolation, middleware, routers - and what handlers may ask for by name."""

from typing import TypedDict

from aiogram import Dispatcher

from bot.house import House
from bot.settings import Settings
from handlers import build_router
from handlers.middleware import AdminMiddleware
from handlers.rights_cards import RightsCards
from handlers.save_cards import SaveCards
from handlers.screen import Screens
from services.admins import AdminService
from services.audit import AuditService
from services.bot_accounts import BotAccounts
from services.channels import ChannelService
from services.clients.base import ApiCredentials
from services.confirmations import ConfirmationService
from services.estimates import Estimator
from services.exports import ExportService
from services.gate import PeopleGate
from services.home import HomeService
from services.imports import ImportService
from services.invites import InviteService
from services.login import LoginService
from services.many_sources import ManySources
from services.pins import PinService
from services.profiles import ProfileService
from services.repairs import SessionRepairs
from services.requests.notify_group import NotifyGroup
from services.requests.rights_audit import RightsAudit
from services.restores import RestoreService
from services.retention import Forgetting
from services.saving import SavingService
from services.session_settings import SessionSettings
from services.sessions import SessionService
from services.source_applications import SourceApplications
from services.sources import SourceService


class Workflow(TypedDict):
    """Everything that a handler may name as a parameter beside what aiogram and the middleware give.

    Waiting people and runs are not here: the middleware gives desks, bound to the admin (services/desks.py).
    """

    admins: AdminService
    api: ApiCredentials | None
    audits: AuditService
    bot_accounts: BotAccounts
    channels: ChannelService
    confirmations: ConfirmationService
    estimator: Estimator
    exports: ExportService
    forgetting: Forgetting
    home: HomeService
    imports: ImportService
    invites: InviteService
    logins: LoginService
    many_sources: ManySources
    notify_group: NotifyGroup
    people: PeopleGate
    pins: PinService
    profiles: ProfileService
    repairs: SessionRepairs
    restores: RestoreService
    save_cards: SaveCards
    saving: SavingService
    rights_audit: RightsAudit
    rights_cards: RightsCards
    screens: Screens
    sessions: SessionService
    session_settings: SessionSettings
    source_applications: SourceApplications
    sources: SourceService


def _workflow(house: House, settings: Settings) -> Workflow:
    return Workflow(
        admins=house.admins,
        api=settings.api,
        audits=house.audits,
        bot_accounts=house.bot_accounts,
        channels=house.channels,
        confirmations=house.confirmations,
        estimator=house.estimator,
        exports=house.exports,
        forgetting=house.forgetting,
        home=house.home,
        imports=house.imports,
        invites=house.invites,
        logins=house.logins,
        many_sources=house.many_sources,
        notify_group=house.notify_group,
        people=house.gate,
        pins=house.pins,
        profiles=house.profiles,
        repairs=house.repairs,
        restores=house.restores,
        save_cards=house.save_cards,
        saving=house.saving,
        rights_audit=house.rights_audit,
        rights_cards=house.rights_cards,
        screens=house.screens,
        sessions=house.sessions,
        session_settings=house.session_settings,
        source_applications=house.source_applications,
        sources=house.sources,
    )


def build_dispatcher(house: House, settings: Settings) -> Dispatcher:
    """One conversation an admin: updates of one person are handled in their order, one after the other."""
    dispatcher = Dispatcher(storage=house.fsm, events_isolation=house.isolation)
    dispatcher.workflow_data.update(_workflow(house, settings))
    dispatcher.update.outer_middleware(AdminMiddleware(house.admins, house.screens, house.desks, settings.zone))
    dispatcher.include_router(build_router())
    return dispatcher
