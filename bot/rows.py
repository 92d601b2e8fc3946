"""Every repository, on one open database."""

from dataclasses import dataclass
from typing import Self

from storage.admins import AdminRepository
from storage.audit import AuditRepository
from storage.bulk import BulkRepository
from storage.channels import ChannelRepository
from storage.confirmations import ConfirmationRepository
from storage.conversations import ConversationRepository
from storage.database import Database
from storage.files import FileRepository
from storage.flood_waits import FloodWaitRepository
from storage.join_requests import JoinRequestRepository
from storage.leases import LeaseRepository
from storage.live import LiveRepository
from storage.logins import LoginRepository
from storage.notices import NoticeRepository
from storage.outlooks import OutlookRepository
from storage.people import PeopleRepository
from storage.pins import PinRepository
from storage.profiles import ProfileRepository
from storage.request_decisions import RequestDecisions
from storage.request_pages import RequestPages
from storage.request_settings import RequestSettingsRepository
from storage.request_views import RequestTicks, RequestViewRepository
from storage.restored import RestoredRepository
from storage.roots import RootRepository
from storage.rules import RuleRepository
from storage.runs import RunRepository
from storage.schedules import ScheduleRepository
from storage.screens import ScreenRepository
from storage.sessions import SessionRepository
from storage.source_applications import SourceApplicationRepository
from storage.source_sets import SourceSets
from storage.sources import SourceRepository
from storage.summary import SummaryRepository
from storage.vault import Vault
from storage.verdicts import VerdictRepository


@dataclass(frozen=True)
class Rows:
    admins: AdminRepository
    audit: AuditRepository
    bulk: BulkRepository
    channels: ChannelRepository
    confirmations: ConfirmationRepository
    conversations: ConversationRepository
    files: FileRepository
    flood_waits: FloodWaitRepository
    join_requests: JoinRequestRepository
    leases: LeaseRepository
    live: LiveRepository
    logins: LoginRepository
    outlooks: OutlookRepository
    notices: NoticeRepository
    people: PeopleRepository
    pins: PinRepository
    profiles: ProfileRepository
    request_decisions: RequestDecisions
    request_pages: RequestPages
    request_settings: RequestSettingsRepository
    request_ticks: RequestTicks
    request_views: RequestViewRepository
    restored: RestoredRepository
    roots: RootRepository
    rules: RuleRepository
    runs: RunRepository
    schedules: ScheduleRepository
    screens: ScreenRepository
    sessions: SessionRepository
    source_applications: SourceApplicationRepository
    sources: SourceRepository
    source_sets: SourceSets
    summary: SummaryRepository
    verdicts: VerdictRepository

    @classmethod
    def on(cls, database: Database, vault: Vault, leases: LeaseRepository) -> Self:
        return cls(
            admins=AdminRepository(database),
            audit=AuditRepository(database),
            bulk=BulkRepository(database),
            channels=ChannelRepository(database),
            confirmations=ConfirmationRepository(database),
            conversations=ConversationRepository(database, vault),
            files=FileRepository(database),
            flood_waits=FloodWaitRepository(database),
            join_requests=JoinRequestRepository(database),
            leases=leases,
            live=LiveRepository(database),
            logins=LoginRepository(database, vault),
            outlooks=OutlookRepository(database, RequestPages(database)),
            notices=NoticeRepository(database),
            people=PeopleRepository(database),
            pins=PinRepository(database, vault),
            profiles=ProfileRepository(database),
            request_decisions=RequestDecisions(database),
            request_pages=RequestPages(database),
            request_settings=RequestSettingsRepository(database),
            request_ticks=RequestTicks(database),
            request_views=RequestViewRepository(database),
            restored=RestoredRepository(database),
            roots=RootRepository(database),
            rules=RuleRepository(database),
            runs=RunRepository(database),
            schedules=ScheduleRepository(database),
            screens=ScreenRepository(database),
            sessions=SessionRepository(database, vault),
            source_applications=SourceApplicationRepository(database, vault),
            sources=SourceRepository(database),
            source_sets=SourceSets(database),
            summary=SummaryRepository(database),
            verdicts=VerdictRepository(database),
        )
