"""What live rules said is carried out: one after the other, by the same way and the same lock as admins decide.

What is to be done lies in the database (storage/verdicts.py), so a kill forgets nobody. Before each decision rules
and freeze are read anew: what does not hold any more is not done.
"""

import asyncio
import logging
from collections import Counter
from datetime import datetime, timedelta

from services import audit
from services.audit import AuditService
from services.errors import (
    ChannelUnavailable,
    DecisionMade,
    FloodWait,
    NotFound,
    PorterError,
    RightMissing,
    SessionRequired,
    StaysPending,
    TelegramRefused,
)
from services.notifier import RuleNotifier
from services.requests.deciding import Decider
from services.requests.judging import first_that_fits
from services.requests.rules import RuleBook
from storage.channels import ChannelRepository
from storage.models import AuditVerb, JoinRequest, RequestStatus, Way
from storage.request_models import Rule, RuleAction
from storage.rules import RuleRepository
from storage.types import Clock, utc_now
from storage.verdicts import VerdictRepository

log = logging.getLogger(__name__)

BATCH = 50
"""Decisions of one channel before the next has its turn, and of one line in the audit."""
PAUSE_SECONDS = 0.05
"""As one after the other everywhere: below the 30 calls a second that Telegram allows the bot."""
OUT_OF_REACH = timedelta(seconds=30)
LOOK_SECONDS = 20.0
STOP_SECONDS = 3.0
NOBODY_MAY = (RightMissing, SessionRequired, ChannelUnavailable)


class Enforcer:
    """A worker. Where nobody of ours may decide any more, the rules of that channel freeze, and owners hear of it."""

    def __init__(
        self,
        rules: RuleRepository,
        verdicts: VerdictRepository,
        book: RuleBook,
        decider: Decider,
        channel_rows: ChannelRepository,
        audits: AuditService,
        notifier: RuleNotifier,
        *,
        clock: Clock = utc_now,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._rules = rules
        self._verdicts = verdicts
        self._book = book
        self._decider = decider
        self._channel_rows = channel_rows
        self._audits = audits
        self._notifier = notifier
        self._clock = clock
        self._pause_seconds = pause_seconds
        self._rests_until: dict[int, datetime] = {}  # by channel
        self._wanted = asyncio.Event()
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._ending.clear()
        self._task = asyncio.create_task(self._work(), name="rules-enforcer")

    async def stop(self) -> None:
        """A decision that is under way is brought to its end, so that it is known whose it was."""
        if self._task is None:
            return
        self._ending.set()
        self._wanted.set()
        _, late = await asyncio.wait({self._task}, timeout=STOP_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    def wake(self) -> None:
        self._wanted.set()

    async def _work(self) -> None:
        while not self._ending.is_set():
            self._wanted.clear()
            rest = LOOK_SECONDS
            try:
                if await self.look():
                    continue
                rest = min([rest, *self._waits()])
            except Exception:
                log.exception("rules decided nothing; they do in a moment")
            try:
                async with asyncio.timeout(rest):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    def _waits(self) -> list[float]:
        now = self._clock()
        return [max(0.0, (until - now).total_seconds()) for until in self._rests_until.values() if until > now]

    async def look(self) -> bool:
        """A batch of each channel; whether anything was done."""
        is_busy = False
        for channel_id, rules in (await self._rules.all()).items():
            if self._ending.is_set() or self._rests_until.get(channel_id, self._clock()) > self._clock():
                continue
            if any(rule.live_since for rule in rules):
                is_busy |= await self._batch(channel_id)
        return is_busy

    async def _batch(self, channel_id: int) -> bool:
        rules = await self._book.at_work(channel_id)
        waiting = await self._verdicts.open([rule.id for rule in rules], BATCH) if rules else []
        done: Counter[str] = Counter()
        try:
            for place, request in enumerate(waiting):
                if self._ending.is_set():
                    break
                if place:
                    await asyncio.sleep(self._pause_seconds)
                await self._one(request, done)
        except _Interrupted as interruption:
            await self._rest(channel_id, interruption.error)
            return False
        finally:
            await self._note(channel_id, done)
        return bool(waiting)

    async def _one(self, request: JoinRequest, done: Counter[str]) -> None:
        """Raises _Interrupted: no other of the channel can be decided now."""
        rules = await self._book.at_work(request.channel_id)
        if not rules:
            return  # frozen a moment ago: what they said stays open
        rule = first_that_fits(rules, request, self._clock())
        if request.status is not RequestStatus.PENDING or rule is None or rule.action is RuleAction.HOLD:
            await self._verdicts.close(request.id)
            return
        try:
            done[await self._decide(request, rule)] += 1
        except (DecisionMade, NotFound):
            log.debug("somebody was faster than a rule", extra={"request_id": request.id})
        except (StaysPending, TelegramRefused) as error:
            log.info("a request stays: %s", error.word, extra={"request_id": request.id, "rule_id": rule.id})
        except PorterError as error:
            raise _Interrupted(error) from error
        await self._verdicts.close(request.id)

    async def _decide(self, request: JoinRequest, rule: Rule) -> str:
        decided = await self._decider.decide_by_rule(request.id, rule.id, approve=rule.action is RuleAction.APPROVE)
        return "elsewhere" if decided.way is Way.ELSEWHERE else decided.status.lower()

    async def _rest(self, channel_id: int, error: PorterError) -> None:
        """What was said stays open."""
        if isinstance(error, FloodWait):
            self._rests_until[channel_id] = error.until
        elif isinstance(error, NOBODY_MAY):
            if await self._book.stop(channel_id):
                log.warning("rules stop: %s", type(error).__name__, extra={"channel_id": channel_id})
                await self._notifier.rules_stopped(channel_id, await self._title(channel_id))
        else:
            log.info("rules wait: %s", type(error).__name__, extra={"channel_id": channel_id})
            self._rests_until[channel_id] = self._clock() + OUT_OF_REACH

    async def _note(self, channel_id: int, done: Counter[str]) -> None:
        """One line for each of the two, with how many; each request says by itself which rule it was."""
        title = await self._title(channel_id) if done else ""
        with self._audits.by_rules():
            for verb, name in ((AuditVerb.APPROVE_SOME, "approved"), (AuditVerb.DENY_SOME, "denied")):
                if done[name]:
                    await audit.note(verb, title, **{name: done[name]})

    async def _title(self, channel_id: int) -> str:
        channel = await self._channel_rows.get(channel_id)
        return channel.title if channel else str(channel_id)


class _Interrupted(Exception):
    def __init__(self, error: PorterError) -> None:
        super().__init__(type(error).__name__)
        self.error = error
