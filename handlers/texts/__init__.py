"""What Porter says, one module a conversation: pure functions from data to HTML-safe text. English only at first."""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from handlers.texts.account_channels import AccountChannelTexts
from handlers.texts.applications import ApplicationTexts
from handlers.texts.audit import AuditTexts
from handlers.texts.base import utc_clock
from handlers.texts.bots import BotTexts
from handlers.texts.bulk import BulkTexts
from handlers.texts.defaults import DefaultsTexts
from handlers.texts.editing import EditTexts
from handlers.texts.errors import ErrorTexts
from handlers.texts.estimates import EstimateTexts
from handlers.texts.exports import ExportTexts
from handlers.texts.failed import FailedTexts
from handlers.texts.filters import FilterTexts
from handlers.texts.forget import ForgetTexts
from handlers.texts.gates import GateTexts
from handlers.texts.greetings import GreetingTexts
from handlers.texts.home import HomeTexts
from handlers.texts.imports import ImportTexts
from handlers.texts.labels import Labels
from handlers.texts.loading import LoadTexts
from handlers.texts.login import LoginTexts
from handlers.texts.many import ManyTexts
from handlers.texts.notices import NoticeTexts
from handlers.texts.people import PeopleTexts
from handlers.texts.proxies import ProxyTexts
from handlers.texts.request_conditions import ConditionTexts
from handlers.texts.request_lists import RequestListTexts
from handlers.texts.requests import RequestTexts
from handlers.texts.restored import RestoredTexts
from handlers.texts.rights import RightsTexts
from handlers.texts.rules import RuleTexts
from handlers.texts.runs import RunTexts
from handlers.texts.saving import SavingTexts
from handlers.texts.schedules import ScheduleTexts
from handlers.texts.sessions import SessionTexts
from handlers.texts.settings import SettingsTexts
from handlers.texts.sources import SourceTexts


class Texts:
    """Everything for one reader. A second language takes the place of these classes, chosen by `locale`."""

    def __init__(
        self, locale: str = "en", zone: ZoneInfo | None = None, clock: Callable[[], datetime] = utc_clock
    ) -> None:
        self.locale = locale
        self.zone = zone or ZoneInfo("UTC")
        self.labels = Labels()
        self.home = HomeTexts(self.zone, clock)
        self.loading = LoadTexts(self.zone, clock)
        self.login = LoginTexts(self.zone, clock)
        self.imports = ImportTexts(self.zone, clock)
        self.bots = BotTexts(self.zone, clock)
        self.sessions = SessionTexts(self.zone, clock)
        self.proxies = ProxyTexts(self.zone, clock)
        self.exports = ExportTexts(self.zone, clock)
        self.account_channels = AccountChannelTexts(self.zone, clock)
        self.failed = FailedTexts(self.zone, clock)
        self.sources = SourceTexts(self.zone, clock)
        self.saving = SavingTexts(self.zone, clock)
        self.defaults = DefaultsTexts(self.zone, clock)
        self.many = ManyTexts(self.zone, clock)
        self.schedules = ScheduleTexts(self.zone, clock)
        self.editing = EditTexts(self.zone, clock)
        self.filters = FilterTexts(self.zone, clock)
        self.estimates = EstimateTexts(self.zone, clock)
        self.applications = ApplicationTexts(self.zone, clock)
        self.conditions = ConditionTexts(self.zone, clock)
        self.requests = RequestTexts(self.zone, clock)
        self.request_lists = RequestListTexts(self.zone, clock)
        self.gates = GateTexts(self.zone, clock)
        self.rules = RuleTexts(self.zone, clock)
        self.greetings = GreetingTexts(self.zone, clock)
        self.notices = NoticeTexts(self.zone, clock)
        self.rights = RightsTexts(self.zone, clock)
        self.runs = RunTexts(self.zone, clock)
        self.bulk = BulkTexts(self.zone, clock)
        self.people = PeopleTexts(self.zone, clock)
        self.audit = AuditTexts(self.zone, clock)
        self.settings = SettingsTexts(self.zone, clock)
        self.restored = RestoredTexts(self.zone, clock)
        self.forget = ForgetTexts(self.zone, clock)
        self.errors = ErrorTexts(self.zone, clock)
