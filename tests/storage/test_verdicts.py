"""Who is to be judged by rules, who was, what is to be carried out - and how rules did on trial."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from storage.database import Database
from storage.join_requests import JoinRequestRepository
from storage.models import JoinRequest, RequestStatus, Way
from storage.request_filters import ALIKE_FROM, matches
from storage.request_models import Figures, RequestFilters, Rule, RuleAction, Verdict
from storage.rules import RuleRepository
from storage.verdicts import VerdictRepository
from tests.storage.conftest import Clock
from tests.storage.make import CHANNEL_ID, Maker, request

OTHER_ID = -1001000000002
WITH_BIO, EVERYBODY = RequestFilters(has_bio=True), RequestFilters()


class Kit:
    def __init__(self, database: Database, clock: Clock) -> None:
        self.requests = JoinRequestRepository(database, clock=clock)
        self.rules = RuleRepository(database, clock=clock)
        self.verdicts = VerdictRepository(database, clock=clock)
        self.clock = clock

    async def rule(self, action: RuleAction, filters: RequestFilters = EVERYBODY, *, is_live: bool = False) -> Rule:
        rule = await self.rules.add(CHANNEL_ID, action, filters, created_by=1)
        if is_live:
            await self.rules.set_live(rule, is_live=True)
        return (await self.rules.of_channel(CHANNEL_ID))[-1]

    def say(self, rules: Sequence[Rule], requests: Sequence[JoinRequest]) -> list[Verdict]:
        """Of each request the first rule that fits."""
        firsts = ((one, next((r for r in rules if matches(r.filters, one, self.clock())), None)) for one in requests)
        return [Verdict(one.id, r.id, r.action, r.live_since is not None) for one, r in firsts if r]

    async def judge(self) -> tuple[int, int]:
        done = await self.verdicts.judge(CHANNEL_ID, 1000, self.say)
        return done.requests, done.to_carry_out

    async def page(self) -> list[JoinRequest]:
        return await self.requests.page(CHANNEL_ID, limit=1000)


@pytest.fixture
async def kit(database: Database, clock: Clock, make: Maker) -> Kit:
    for channel_id in (CHANNEL_ID, OTHER_ID):
        await make.channel(channel_id)
    return Kit(database, clock)


async def test_each_is_judged_once_until_something_changes(kit: Kit) -> None:
    """The same told again is no news; a bio is, and that others of one make come, and an end elsewhere, and a rule."""
    await kit.rule(RuleAction.DENY)
    await kit.requests.store([request(1), request(2)])
    assert await kit.judge() == (2, 0)
    await kit.requests.store([request(1), request(2)])
    assert await kit.judge() == (0, 0)
    await kit.requests.store([request(1, bio="sailor")])
    assert await kit.judge() == (1, 0)
    await kit.requests.store([request(2, OTHER_ID)])
    [there] = await kit.requests.page(OTHER_ID)
    await kit.requests.settle(there.id, RequestStatus.DENIED, Way.BOT, 1)
    assert await kit.judge() == (1, 0)
    crowd = [request(user_id, name=f"Bob {user_id}") for user_id in range(10, 10 + ALIKE_FROM)]
    await kit.requests.store(crowd[:-1])
    assert (await kit.judge())[0] == ALIKE_FROM - 1
    await kit.requests.store(crowd[-1:])
    assert (await kit.judge())[0] == ALIKE_FROM
    await kit.rule(RuleAction.HOLD)
    assert (await kit.judge())[0] == ALIKE_FROM + 2


async def test_what_a_live_rule_said_stays_open_until_it_is_closed(kit: Kit) -> None:
    """Those that it holds back are not to be carried out, nor those of a rule that went back on trial."""
    hold = await kit.rule(RuleAction.HOLD, WITH_BIO, is_live=True)
    deny = await kit.rule(RuleAction.DENY, is_live=True)
    await kit.requests.store([request(1, bio="sailor"), request(2), request(3)])
    assert await kit.judge() == (3, 2)
    both = [hold.id, deny.id]
    assert [one.user_id for one in await kit.verdicts.open(both, 10)] == [2, 3]
    await kit.verdicts.close((await kit.verdicts.open(both, 1))[0].id)
    assert [one.user_id for one in await kit.verdicts.open(both, 10)] == [3]
    await kit.rules.set_live(deny, is_live=False)
    assert not await kit.verdicts.open(both, 10)
    assert await kit.judge() == (3, 0)


async def test_who_has_waited_long_enough_is_judged_once_more(kit: Kit) -> None:
    """Exactly then, and not at every look behind it."""
    await kit.rule(RuleAction.DENY, RequestFilters(waits_over=3600))
    began = kit.clock.now
    await kit.requests.store([request(1, asked_at=began), request(2, asked_at=began + timedelta(minutes=30))])
    await kit.judge()

    async def due(since_minutes: int | None, until_minutes: int) -> int:
        since = None if since_minutes is None else began + timedelta(minutes=since_minutes)
        return await kit.verdicts.fall_due(CHANNEL_ID, 3600, since, began + timedelta(minutes=until_minutes))

    assert await due(None, 59) == 0
    assert await due(59, 60) == 1
    kit.clock.advance(minutes=60)
    assert await kit.judge() == (1, 0)
    assert await due(None, 61) == 0
    assert await due(61, 95) == 1


async def test_figures_of_a_trial(kit: Kit) -> None:
    """Whom it meant, whom of them admins decided, and how often as it would have; what others decided counts not."""
    approve, deny = await kit.rule(RuleAction.APPROVE, WITH_BIO), await kit.rule(RuleAction.DENY)
    await kit.requests.store([request(user_id, bio="sailor" if user_id <= 6 else None) for user_id in range(1, 11)])
    await kit.judge()
    endings = (
        (RequestStatus.APPROVED, Way.BOT, 1),
        (RequestStatus.APPROVED, Way.BULK, 2),
        (RequestStatus.DENIED, Way.SESSION, 1),
        (RequestStatus.HANDLED_ELSEWHERE, Way.ELSEWHERE, None),
        (RequestStatus.APPROVED, Way.RULE, None),
    )
    for one, (status, way, admin_id) in zip(await kit.page(), endings, strict=False):
        await kit.requests.settle(one.id, status, way, admin_id)
    figures = await kit.verdicts.figures(CHANNEL_ID)
    assert figures == {approve.id: Figures(meant=6, decided=3, agreed=2), deny.id: Figures(meant=4)}
    await kit.rules.change(approve, RuleAction.APPROVE, EVERYBODY)
    assert set(await kit.verdicts.figures(CHANNEL_ID)) == {deny.id}
    await kit.judge()
    assert (await kit.verdicts.figures(CHANNEL_ID))[approve.id] == Figures(meant=5)


async def test_rules_keep_an_order_that_is_given(kit: Kit) -> None:
    first, second = await kit.rule(RuleAction.DENY), await kit.rule(RuleAction.APPROVE, is_live=True)
    await kit.rules.put_in_order(CHANNEL_ID, [second.id, first.id])
    assert [rule.id for rule in await kit.rules.of_channel(CHANNEL_ID)] == [second.id, first.id]
    await kit.rules.change(second, RuleAction.HOLD, WITH_BIO)
    changed = await kit.rules.get(second.id)
    assert changed is not None
    assert (changed.action, changed.filters, changed.live_since) == (RuleAction.HOLD, WITH_BIO, None)
    await kit.rules.delete(changed)
    assert [rule.id for rule in (await kit.rules.all())[CHANNEL_ID]] == [first.id]
