"""The rules of a channel: written, put in order, switched live, frozen - and what each change would do to who waits.

A change never surprises. Each is asked what it would do to those who wait now; where it would decide on anybody, it
happens only with a yes to those numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from services import audit
from services.errors import NotFound, RulesTooMany
from services.requests.judging import live
from storage.channels import ChannelRepository
from storage.models import AuditVerb, Channel
from storage.outlooks import OutlookRepository
from storage.request_models import Figures, Outlook, RequestFilters, RequestSettings, Rule, RuleAction
from storage.request_settings import RequestSettingsRepository
from storage.rules import RuleRepository
from storage.types import Clock, utc_now
from storage.verdicts import VerdictRepository

MOST_RULES = 24


class ChangeKind(StrEnum):
    EDIT = "EDIT"
    LIVE = "LIVE"
    TRIAL = "TRIAL"
    UP = "UP"
    DOWN = "DOWN"
    DELETE = "DELETE"
    FREE = "FREE"


@dataclass(frozen=True, slots=True)
class Change:
    """Of a rule; of all rules of the channel for FREE. `action`, `filters`: what an edited rule shall say."""

    kind: ChangeKind
    channel_id: int
    rule_id: int = 0
    action: RuleAction = RuleAction.HOLD
    filters: RequestFilters = field(default_factory=RequestFilters)


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change, and what it would do to those who waited at that moment. What somebody says yes to."""

    change: Change
    outlook: Outlook
    at: datetime

    def pack(self) -> dict[str, Any]:
        """As plain data, without the sample."""
        change = self.change
        return {
            "kind": change.kind,
            "channel": change.channel_id,
            "rule": change.rule_id,
            "action": change.action,
            "filters": change.filters.to_json(),
            "approve": self.outlook.approve,
            "deny": self.outlook.deny,
            "at": self.at.isoformat(),
        }

    @classmethod
    def unpack(cls, data: dict[str, Any]) -> Self:
        filters = RequestFilters.from_json(data["filters"])
        change = Change(ChangeKind(data["kind"]), data["channel"], data["rule"], RuleAction(data["action"]), filters)
        return cls(change, Outlook(data["approve"], data["deny"]), datetime.fromisoformat(data["at"]))


@dataclass(frozen=True, slots=True)
class RuleBookPage:
    """The rules of a channel in their order; a rule that never said anything has no figures."""

    channel: Channel
    rules: list[Rule]
    figures: dict[int, Figures]
    settings: RequestSettings

    def of(self, rule_id: int) -> Rule:
        """Raises NotFound."""
        return _find(self.rules, rule_id)


class RuleBook:
    """Not limited to anybody: handlers go through services/requests/rule_desk.py."""

    def __init__(
        self,
        rules: RuleRepository,
        verdicts: VerdictRepository,
        outlooks: OutlookRepository,
        settings: RequestSettingsRepository,
        channel_rows: ChannelRepository,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._rules = rules
        self._verdicts = verdicts
        self._outlooks = outlooks
        self._settings = settings
        self._channel_rows = channel_rows
        self._clock = clock
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Called when rules have changed."""
        self._listeners.append(listener)

    def _wake(self) -> None:
        for listener in self._listeners:
            listener()

    async def page(self, channel_id: int) -> RuleBookPage:
        """Raises NotFound."""
        return RuleBookPage(
            await self._channel(channel_id),
            await self._rules.of_channel(channel_id),
            await self._verdicts.figures(channel_id),
            await self._settings.get(channel_id),
        )

    async def get(self, rule_id: int) -> Rule:
        """Raises NotFound."""
        rule = await self._rules.get(rule_id)
        if rule is None:
            raise NotFound("rule")
        return rule

    async def add(self, channel_id: int, action: RuleAction, filters: RequestFilters, admin_id: int) -> Rule:
        """On trial, behind the others: it decides on nobody. Raises NotFound, RulesTooMany."""
        async with audit.act(AuditVerb.RULE_ADD, (await self._channel(channel_id)).title):
            if len(await self._rules.of_channel(channel_id)) >= MOST_RULES:
                raise RulesTooMany
            rule = await self._rules.add(channel_id, action, filters, admin_id)
        self._wake()
        return rule

    async def propose(self, change: Change) -> Proposal:
        """What it would do to those who wait now. Raises NotFound."""
        return Proposal(change, await self._outlook(change), self._clock())

    async def make(self, change: Change) -> Proposal | None:
        """None: it is made. Else it would decide on somebody who waits, and nothing has happened: a yes is needed.

        Raises NotFound.
        """
        return await self.agree(Proposal(change, Outlook(0, 0), self._clock()))

    async def agree(self, proposal: Proposal) -> Proposal | None:
        """As `make`, with a yes to what was proposed. A new proposal where more people would be decided than that.

        Who came after it was proposed is not counted: they are decided as everybody is who comes. Raises NotFound.
        """
        change, said = proposal.change, proposal.outlook
        title = (await self._channel(change.channel_id)).title
        outlook = await self._outlook(change, proposal.at)
        if outlook.approve > said.approve or outlook.deny > said.deny:
            return await self.propose(change)
        async with audit.act(VERBS[change.kind], title, step=change.kind.lower()):
            await self._apply(change)
        self._wake()
        return None

    async def _outlook(self, change: Change, seen_until: datetime | None = None) -> Outlook:
        rules = await self._rules.of_channel(change.channel_id)
        is_frozen = (await self._settings.get(change.channel_id)).frozen_at is not None
        before = [] if is_frozen else live(rules)
        after = [] if is_frozen and change.kind is not ChangeKind.FREE else live(self._after(rules, change))
        return await self._outlooks.of(change.channel_id, before, after, seen_until)

    async def freeze(self, channel_id: int, admin_id: int) -> None:
        """No rule of the channel decides any more, from this moment on. Frozen twice is frozen."""
        async with audit.act(AuditVerb.FREEZE, (await self._channel(channel_id)).title, step="freeze"):
            if (await self._settings.get(channel_id)).frozen_at is None:
                await self._settings.change(channel_id, frozen_at=self._clock(), frozen_by=admin_id)

    async def stop(self, channel_id: int) -> bool:
        """Frozen by Porter itself, which may not decide there any more. False: it was frozen before."""
        if (await self._settings.get(channel_id)).frozen_at is not None:
            return False
        await self._settings.change(channel_id, frozen_at=self._clock(), frozen_by=None)
        return True

    async def at_work(self, channel_id: int) -> list[Rule]:
        """The live rules of a channel in their order; none while they are frozen."""
        if (await self._settings.get(channel_id)).frozen_at is not None:
            return []
        return live(await self._rules.of_channel(channel_id))

    async def _apply(self, change: Change) -> None:
        if change.kind is ChangeKind.FREE:
            await self._settings.change(change.channel_id, frozen_at=None, frozen_by=None)
            return
        rule = await self.get(change.rule_id)
        match change.kind:
            case ChangeKind.EDIT:
                await self._rules.change(rule, change.action, change.filters)
            case ChangeKind.LIVE | ChangeKind.TRIAL:
                await self._rules.set_live(rule, is_live=change.kind is ChangeKind.LIVE)
            case ChangeKind.UP | ChangeKind.DOWN:
                order = self._after(await self._rules.of_channel(change.channel_id), change)
                await self._rules.put_in_order(change.channel_id, [each.id for each in order])
            case ChangeKind.DELETE:
                await self._rules.delete(rule)

    def _after(self, rules: Sequence[Rule], change: Change) -> list[Rule]:
        """The rules as they would be. Raises NotFound."""
        if change.kind is ChangeKind.FREE:
            return list(rules)
        rule = _find(rules, change.rule_id)
        place, after = rules.index(rule), list(rules)
        match change.kind:
            case ChangeKind.LIVE:
                after[place] = replace(rule, live_since=self._clock())
            case ChangeKind.TRIAL | ChangeKind.EDIT:
                after[place] = replace(rule, live_since=None)
            case ChangeKind.DELETE:
                del after[place]
            case ChangeKind.UP | ChangeKind.DOWN:
                step = -1 if change.kind is ChangeKind.UP else 1
                after.insert(max(0, place + step), after.pop(place))
        return after

    async def _channel(self, channel_id: int) -> Channel:
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        return channel


def _find(rules: Sequence[Rule], rule_id: int) -> Rule:
    rule = next((rule for rule in rules if rule.id == rule_id), None)
    if rule is None:
        raise NotFound("rule")
    return rule


VERBS = {
    ChangeKind.EDIT: AuditVerb.RULE_EDIT,
    ChangeKind.LIVE: AuditVerb.RULE_LIVE,
    ChangeKind.TRIAL: AuditVerb.RULE_LIVE,
    ChangeKind.UP: AuditVerb.RULE_EDIT,
    ChangeKind.DOWN: AuditVerb.RULE_EDIT,
    ChangeKind.DELETE: AuditVerb.RULE_DELETE,
    ChangeKind.FREE: AuditVerb.FREEZE,
}
