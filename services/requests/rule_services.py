"""What belongs to the rules of channels, put together: the book of them, and the two workers behind it."""

from dataclasses import dataclass
from typing import Self

from services.audit import AuditService
from services.notifier import RuleNotifier
from services.requests.deciding import Decider
from services.requests.enforcing import PAUSE_SECONDS, Enforcer
from services.requests.greetings import Greetings
from services.requests.judging import Judge
from services.requests.rules import RuleBook
from storage.channels import ChannelRepository
from storage.outlooks import OutlookRepository
from storage.request_settings import RequestSettingsRepository
from storage.rules import RuleRepository
from storage.verdicts import VerdictRepository


@dataclass(frozen=True)
class RuleServices:
    book: RuleBook
    greetings: Greetings
    judge: Judge
    enforcer: Enforcer

    @classmethod
    def over(
        cls,
        rules: RuleRepository,
        verdicts: VerdictRepository,
        outlooks: OutlookRepository,
        settings: RequestSettingsRepository,
        channel_rows: ChannelRepository,
        greetings: Greetings,
        decider: Decider,
        audits: AuditService,
        notifier: RuleNotifier,
        *,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> Self:
        book = RuleBook(rules, verdicts, outlooks, settings, channel_rows)
        enforcer = Enforcer(rules, verdicts, book, decider, channel_rows, audits, notifier, pause_seconds=pause_seconds)
        judge = Judge(rules, verdicts, enforcer.wake)
        book.on_change(judge.wake)
        book.on_change(enforcer.wake)
        return cls(book, greetings, judge, enforcer)

    async def start(self) -> None:
        await self.judge.start()
        await self.enforcer.start()

    async def stop(self) -> None:
        await self.judge.stop()
        await self.enforcer.stop()
