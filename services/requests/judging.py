"""Rules look at whoever waits: what they say is written down, and what live ones say is handed on to be carried out.

The first rule that fits counts. Rules on trial are in the way of no live one: what is live is judged among live rules
alone, and what is on trial as if every rule were live. A request is looked at when it comes, and again when something
about it changes (alike, known, a photo), when it has waited as long as a rule speaks of, and when the rules change.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from storage.models import JoinRequest
from storage.request_filters import matches
from storage.request_models import Rule, Verdict
from storage.rules import RuleRepository
from storage.types import Clock, utc_now
from storage.verdicts import VerdictRepository

log = logging.getLogger(__name__)

BATCH = 200
"""Judged in one transaction: some 5 ms, which is how long others wait for it."""
LOOK_SECONDS = 20.0
"""Who falls due, or came in by a way that tells nobody, is looked at within this time."""


def first_that_fits(rules: Sequence[Rule], request: JoinRequest, now: datetime) -> Rule | None:
    return next((rule for rule in rules if matches(rule.filters, request, now)), None)


def live(rules: Sequence[Rule]) -> list[Rule]:
    return [rule for rule in rules if rule.live_since is not None]


def verdicts_of(rules: Sequence[Rule], request: JoinRequest, now: datetime) -> list[Verdict]:
    """What is live first. None of a rule on trial that stands below the live one that fits."""
    first, first_live = first_that_fits(rules, request, now), first_that_fits(live(rules), request, now)
    return [
        Verdict(request.id, rule.id, rule.action, is_live=rule.live_since is not None)
        for rule in dict.fromkeys((first_live, first))
        if rule is not None
    ]


class Judge:
    """A worker. `on_live` is called when something is to be carried out."""

    def __init__(
        self,
        rules: RuleRepository,
        verdicts: VerdictRepository,
        on_live: Callable[[], None],
        *,
        clock: Clock = utc_now,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._rules = rules
        self._verdicts = verdicts
        self._on_live = on_live
        self._clock = clock
        self._look_seconds = look_seconds
        self._looked_at: dict[tuple[int, int], datetime] = {}  # by channel and seconds to wait
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name="rules-judge")

    async def stop(self) -> None:
        """At any moment: a batch is written or it is not."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    def wake(self) -> None:
        """Somebody came, or rules changed."""
        self._wanted.set()

    async def look(self) -> int:
        """Judge whoever is to be judged, everywhere; answers how many."""
        judged = 0
        for channel_id, rules in (await self._rules.all()).items():
            await self._fall_due(channel_id, rules)
            is_full = True
            while is_full:
                done = await self._verdicts.judge(channel_id, BATCH, self._say)
                judged += done.requests
                is_full = done.requests == BATCH
                if done.to_carry_out:
                    self._on_live()
                await asyncio.sleep(0)
        return judged

    async def _work(self) -> None:
        while True:
            self._wanted.clear()
            try:
                await self.look()
            except Exception:
                log.exception("rules did not look; they do in a moment")
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    def _say(self, rules: Sequence[Rule], requests: Sequence[JoinRequest]) -> list[Verdict]:
        now = self._clock()
        return [verdict for request in requests for verdict in verdicts_of(rules, request, now)]

    async def _fall_due(self, channel_id: int, rules: Sequence[Rule]) -> None:
        """A rule for those who wait long fits nobody who has just come; one for those, nobody for ever."""
        spoken_of = {rule.filters.waits_over for rule in rules} | {rule.filters.waits_under for rule in rules}
        for seconds in spoken_of:
            if seconds is not None:
                now, key = self._clock(), (channel_id, seconds)
                await self._verdicts.fall_due(channel_id, seconds, self._looked_at.get(key), now)
                self._looked_at[key] = now
