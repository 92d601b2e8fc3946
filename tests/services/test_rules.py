"""Rules with real bot decisions on the sandbox's world: on trial, live, frozen, changed - never a surprise."""

import random
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from services.errors import RulesTooMany
from services.requests.judging import first_that_fits, live, verdicts_of
from services.requests.rules import MOST_RULES, ChangeKind, Proposal
from storage.models import IncomingRequest, RequestStatus, Way
from storage.outlooks import OutlookRepository
from storage.request_models import Figures, Outlook, RequestFilters, Rule, RuleAction
from storage.request_pages import RequestPages
from storage.types import utc_now
from tests.services.rule_kit import EVERYBODY, RuleKit
from tests.services.test_join_requests import ADMIN_ID, Door, door

__all__ = ["door"]
WITH_BIO = RequestFilters(has_bio=True)
PREMIUM = RequestFilters(is_premium=True)


@pytest.fixture
async def kit(door: Door) -> RuleKit:
    return RuleKit(door)


def rule(rule_id: int, action: RuleAction, filters: RequestFilters, *, is_live: bool) -> Rule:
    now = utc_now()
    return Rule(rule_id, -1, rule_id, action, filters, now if is_live else None, ADMIN_ID, now)


async def test_on_trial_rules_decide_on_nobody_and_show_how_they_did(kit: RuleKit) -> None:
    async with kit.open() as at_work:
        deny = await at_work.add(RuleAction.DENY)
        await at_work.arrive(4)
        rows = await at_work.until(lambda rows: len(rows) == 4)
        while (await kit.verdicts.figures(kit.door.peer)) != {deny.id: Figures(meant=4)}:
            await at_work.own.judge.look()
        for row, approve in zip(rows, (False, False, True), strict=False):
            await at_work.services.decider.decide(row.id, ADMIN_ID, approve)
        page = await at_work.own.book.page(kit.door.peer)
    assert page.figures == {deny.id: Figures(meant=4, decided=3, agreed=2)}
    assert len(kit.door.channel.requests) == 31
    assert not await kit.by(Way.RULE)


async def test_the_first_live_rule_that_fits_counts(kit: RuleKit) -> None:
    """What is on trial above it is in nobody's way, and what holds back is."""
    async with kit.open(at_work=False) as at_work:
        tried = await at_work.add(RuleAction.DENY)
        held = await at_work.add(RuleAction.HOLD, WITH_BIO, is_live=True)
        approve = await at_work.add(RuleAction.APPROVE, is_live=True)
        plain, sailor = kit.door.ask(2)
        await at_work.services.arrivals.take([kit.door.update(plain), replace(kit.door.update(sailor), bio="sailor")])
        await at_work.own.judge.look()
        await at_work.own.enforcer.look()
        rows = {row.user_id: row for row in await at_work.requests()}
    assert (rows[plain].status, rows[plain].way, rows[plain].rule_id) == (
        RequestStatus.APPROVED,
        Way.RULE,
        approve.id,
    )
    assert (rows[sailor].status, rows[sailor].rule_id) == (RequestStatus.PENDING, None)
    assert plain in kit.door.channel.approved
    figures = await kit.verdicts.figures(kit.door.peer)
    assert (figures[tried.id].meant, figures[approve.id].carried_out, figures[held.id].meant) == (2, 1, 0)


async def test_a_rule_that_is_both_first_and_live_says_one_thing(kit: RuleKit) -> None:
    """On trial below a live one that fits, a rule has nothing to say."""
    sailor = IncomingRequest(kit.door.peer, 7, "Ann", None, "sailor", utc_now())
    await kit.door.rows.store([sailor])
    [one] = await kit.requests()
    rules = [
        rule(1, RuleAction.DENY, PREMIUM, is_live=False),
        rule(2, RuleAction.APPROVE, WITH_BIO, is_live=True),
        rule(3, RuleAction.DENY, EVERYBODY, is_live=False),
    ]
    assert [(each.rule_id, each.is_live) for each in verdicts_of(rules, one, utc_now())] == [(2, True)]
    both = verdicts_of(rules, replace(one, is_premium=True), utc_now())
    assert [(each.rule_id, each.is_live) for each in both] == [(2, True), (1, False)]


async def test_live_only_with_a_yes_to_the_numbers(kit: RuleKit) -> None:
    """Who waits is decided once somebody agreed to so many; when it has become more of them, the question comes anew.

    Who came after the question is no surprise: they are decided as everybody is who comes."""
    async with kit.open(at_work=False) as at_work:
        await at_work.arrive(12)
        deny = await at_work.add(RuleAction.DENY)
        change = at_work.change(ChangeKind.LIVE, deny)
        refused = await at_work.own.book.make(change)
        assert refused is not None
        assert (refused.outlook.approve, refused.outlook.deny, len(refused.outlook.sample)) == (0, 12, 10)
        assert {action for _, action in refused.outlook.sample} == {RuleAction.DENY}
        assert (await at_work.own.book.get(deny.id)).live_since is None
        fewer = replace(refused, outlook=Outlook(0, 11))
        again = await at_work.own.book.agree(Proposal.unpack(fewer.pack()))
        assert again is not None
        assert again.outlook.deny == 12
        await at_work.arrive(3)
        assert await at_work.own.book.agree(Proposal.unpack(again.pack())) is None
        await at_work.own.judge.look()
        await at_work.own.enforcer.look()
        assert len(await at_work.by(Way.RULE)) == 15
        assert await at_work.own.book.make(at_work.change(ChangeKind.TRIAL, deny)) is None


@pytest.mark.parametrize("kind", [ChangeKind.DELETE, ChangeKind.TRIAL, ChangeKind.DOWN, ChangeKind.EDIT])
async def test_taking_away_what_held_back_asks_too(kit: RuleKit, kind: ChangeKind) -> None:
    """A live rule below it would decide on them."""
    async with kit.open(at_work=False) as at_work:
        hold = await at_work.add(RuleAction.HOLD, is_live=True)
        await at_work.add(RuleAction.APPROVE, is_live=True)
        await at_work.arrive(5)
        await at_work.own.judge.look()
        await at_work.own.enforcer.look()
        assert not await at_work.by(Way.RULE)
        proposal = await at_work.own.book.make(at_work.change(kind, hold))
        assert proposal is not None
        assert proposal.outlook.approve == 5
        assert await at_work.own.book.agree(proposal) is None
        await at_work.own.judge.look()
        await at_work.own.enforcer.look()
        assert len(await at_work.by(Way.RULE)) == 5


async def test_a_freeze_stops_rules_at_once_and_freeing_asks(kit: RuleKit) -> None:
    """In the middle of a batch too; what they said meanwhile is carried out once an owner lets them."""
    async with kit.open(at_work=False) as at_work:
        await at_work.add(RuleAction.APPROVE, is_live=True)
        await at_work.arrive(10)
        await at_work.own.judge.look()
        gate, decide = kit.door.gate, kit.door.gate.approve

        async def freezing(channel_id: int, user_id: int) -> None:
            await decide(channel_id, user_id)
            if gate.calls == 3:
                await at_work.own.book.freeze(channel_id, ADMIN_ID)

        gate.approve = freezing  # type: ignore[method-assign]
        await at_work.own.enforcer.look()
        assert len(await at_work.by(Way.RULE)) == 3
        await at_work.arrive(2)
        await at_work.own.judge.look()
        assert not await at_work.own.enforcer.look()
        free = at_work.change(ChangeKind.FREE)
        proposal = await at_work.own.book.make(free)
        assert proposal is not None
        assert proposal.outlook.approve == 9
        assert await at_work.own.book.agree(proposal) is None
        await at_work.own.enforcer.look()
        assert len(await at_work.by(Way.RULE)) == 12


async def test_rules_without_the_right_freeze_and_owners_hear_of_it_once(kit: RuleKit) -> None:
    kit.door.without_bot()
    await kit.door.without_account()
    async with kit.open(at_work=False) as at_work:
        await at_work.add(RuleAction.APPROVE, is_live=True)
        await at_work.arrive(3)
        for _ in range(2):
            await at_work.own.judge.look()
            await at_work.own.enforcer.look()
        settings = await kit.door.settings.get(kit.door.peer)
        assert (settings.frozen_at is not None, settings.frozen_by) == (True, None)
        assert kit.door.desk.ear.stopped == [kit.door.peer]
        kit.door.gate.may = True
        await kit.door.channels.refresh_bot_rights(kit.door.peer)
        proposal = await at_work.own.book.propose(at_work.change(ChangeKind.FREE))
        assert await at_work.own.book.agree(proposal) is None
        await at_work.own.enforcer.look()
        assert len(await at_work.by(Way.RULE)) == 3


async def test_telegram_asks_for_patience_and_refuses_one(kit: RuleKit) -> None:
    """The others wait for the moment that Telegram named; who cannot be let in is the admins' to decide."""
    async with kit.open(at_work=False) as at_work:
        await at_work.add(RuleAction.APPROVE, is_live=True)
        first, *_ = await at_work.arrive(4)
        kit.door.gate.stays, kit.door.gate.floods = {first}, 1
        await at_work.own.judge.look()
        enforcer = at_work.own.enforcer
        assert not await enforcer.look()
        assert not await at_work.by(Way.RULE)
        assert not await enforcer.look(), "it does not try before the time"
        enforcer._clock = lambda: utc_now() + timedelta(seconds=41)
        await enforcer.look()
        assert len(await at_work.by(Way.RULE)) == 3
        assert not await enforcer.look()
        assert [row.user_id for row in await at_work.requests() if row.status is RequestStatus.PENDING] == [first]


async def test_who_is_held_back_for_a_while_is_decided_after_it(kit: RuleKit) -> None:
    """Time that passes is a change like any other."""
    async with kit.open(at_work=False) as at_work:
        await at_work.add(RuleAction.HOLD, RequestFilters(waits_under=3600), is_live=True)
        await at_work.add(RuleAction.APPROVE, is_live=True)
        await at_work.arrive(2)
        for minutes, approved in ((0, 0), (59, 0), (61, 2)):
            later = partial(lambda ahead: utc_now() + timedelta(minutes=ahead), minutes)
            at_work.own.judge._clock = at_work.own.enforcer._clock = later
            await at_work.own.judge.look()
            await at_work.own.enforcer.look()
            assert len(await at_work.by(Way.RULE)) == approved


async def test_a_channel_has_so_many_rules_and_no_more(kit: RuleKit) -> None:
    async with kit.open(at_work=False) as at_work:
        for _ in range(MOST_RULES):
            await at_work.add(RuleAction.HOLD)
        with pytest.raises(RulesTooMany):
            await at_work.add(RuleAction.HOLD)


async def test_what_a_change_would_do_is_what_judging_then_does(kit: RuleKit) -> None:
    """SQLite's answer against the requests in hand, over rules by chance."""
    chance = random.Random(5)
    now = utc_now()
    people = [
        IncomingRequest(
            kit.door.peer,
            1_000_000 + number,
            chance.choice(("Ann Lee", "Bob", "ČENĚK")) + f" {number}",
            chance.choice((None, f"user{number}")),
            chance.choice((None, "", "I like crypto", "sailor")),
            now - timedelta(seconds=chance.choice((10, 4000, 90_000))),
            has_photo=chance.choice((None, True, False)),
            is_premium=chance.choice((True, False)),
            link=chance.choice((None, "t.me/+a")),
        )
        for number in range(300)
    ]
    await kit.door.rows.store(people)
    outlooks = OutlookRepository(kit.door.store.database, RequestPages(kit.door.store.database))
    conditions = [
        EVERYBODY,
        WITH_BIO,
        PREMIUM,
        RequestFilters(words="ann"),
        RequestFilters(bio="CRYPTO", has_username=False),
        RequestFilters(waits_over=3600, has_photo=True),
        RequestFilters(waits_under=3600),
        RequestFilters(link="t.me/+a"),
    ]

    def some() -> list[Rule]:
        return [
            rule(number, chance.choice(tuple(RuleAction)), chance.choice(conditions), is_live=chance.random() < 0.7)
            for number in range(chance.randrange(5))
        ]

    requests = await kit.requests()
    for _ in range(40):
        before, after = live(some()), live(some())
        outlook = await outlooks.of(kit.door.peer, before, after)
        expected = dict.fromkeys(RuleAction, 0)
        for request in requests:
            was, then = (first_that_fits(rules, request, utc_now()) for rules in (before, after))
            said = then.action if then else RuleAction.HOLD
            if said is not (was.action if was else RuleAction.HOLD):
                expected[said] += 1
        assert (outlook.approve, outlook.deny) == (expected[RuleAction.APPROVE], expected[RuleAction.DENY])
        assert len(outlook.sample) == min(10, outlook.approve + outlook.deny)
