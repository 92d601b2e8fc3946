"""The Dispatcher: FSM storage, event isolation, middleware, routers - and what handlers may ask for by name."""

from typing import TypedDict

from aiogram import Dispatcher
from aiogram.fsm.storage.base import BaseEventIsolation

from bot.fsm import SqliteStorage
from handlers import build_router
from handlers.middleware import AdminMiddleware
from services.admins import AdminService
from services.channels import ChannelService
from services.clients.base import ApiCredentials
from services.confirmations import ConfirmationService
from services.home import HomeService
from services.imports import ImportService
from services.join_requests import JoinRequestService
from services.login import LoginService
from services.repairs import SessionRepairs
from services.restores import RestoreService
from services.runs import Runner
from services.sessions import SessionService
from services.sources import SourceService


class Workflow(TypedDict):
    """Everything that a handler may name as a parameter beside what aiogram and the middleware give."""

    admins: AdminService
    api: ApiCredentials | None
    channels: ChannelService
    confirmations: ConfirmationService
    home: HomeService
    imports: ImportService
    logins: LoginService
    repairs: SessionRepairs
    requests: JoinRequestService
    restores: RestoreService
    runner: Runner
    sessions: SessionService
    sources: SourceService


def build_dispatcher(
    workflow: Workflow, storage: SqliteStorage, isolation: BaseEventIsolation, middleware: AdminMiddleware
) -> Dispatcher:
    """One conversation an admin: updates of one person are handled in their order, one after the other."""
    dispatcher = Dispatcher(storage=storage, events_isolation=isolation)
    dispatcher.workflow_data.update(workflow)
    dispatcher.update.outer_middleware(middleware)
    dispatcher.include_router(build_router())
    return dispatcher
