"""Two admins and a live rule go for the same people at once; and rules are killed at any moment."""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from dataclasses import replace

import pytest

from services.access import Rights
from services.errors import DecisionMade
from storage.admins import AdminRepository
from storage.models import AuditLine, AuditOutcome, AuditVerb, JoinRequest, RequestStatus, Way
from storage.request_models import RequestFilters, RuleAction
from storage.verdicts import VerdictRepository
from tests.services.rule_kit import RuleKit
from tests.services.test_join_requests import Door, door

__all__ = ["door"]

PEOPLE = 500
ADMINS = {1: True, 2: False}
"""The one approves, the other denies, each whoever comes next."""
AT_ONCE = 8
KILLS = 20 if os.environ.get("PORTER_PROVE") else 3
ENDED = {RequestStatus.APPROVED: True, RequestStatus.DENIED: False}


async def decide(kit: RuleKit, admin_id: int, requests: list[JoinRequest]) -> int:
    """How often somebody else was faster."""
    slower = 0
    left = list(requests)
    random.Random(admin_id).shuffle(left)

    async def taps() -> None:
        nonlocal slower
        while left:
            try:
                await kit.services.decider.decide(left.pop().id, admin_id, ADMINS[admin_id])
            except DecisionMade:
                slower += 1

    admin = await Rights(AdminRepository(kit.door.store.database)).of(admin_id)
    with kit.audits.by(admin):
        await asyncio.gather(*(taps() for _ in range(AT_ONCE)))
    return slower


async def lines(kit: RuleKit) -> list[AuditLine]:
    count = await kit.audit.count()
    return [line for line in await kit.audit.page(0, count) if line.outcome is AuditOutcome.DONE]


async def test_each_of_500_has_one_decision_and_the_audit_says_whose(door: Door) -> None:
    kit, world = RuleKit(door), door.channel
    waited_before = set(world.requests)
    async with kit.open() as at_work:
        user_ids = door.ask(PEOPLE)
        told = [
            replace(door.update(user_id), bio="sailor" if user_id % 2 else None, name=f"Person {user_id}")
            for user_id in user_ids
        ]
        await door.rows.store(told)
        rule = await at_work.add(RuleAction.APPROVE, RequestFilters(has_bio=True), is_live=True)
        requests = await at_work.requests()
        slower = await asyncio.gather(*(decide(kit, admin_id, requests) for admin_id in ADMINS))
        rows = await at_work.requests()
    assert {row.status for row in rows} <= set(ENDED)
    by = Counter((row.way, row.decided_by, row.rule_id) for row in rows)
    assert sum(by.values()) == PEOPLE
    assert set(by) == {(Way.BOT, 1, None), (Way.BOT, 2, None), (Way.RULE, None, rule.id)}
    assert sum(slower) == 2 * PEOPLE - by[Way.BOT, 1, None] - by[Way.BOT, 2, None]

    # Telegram was told once of each, and has it as the rows do.
    assert door.gate.calls == PEOPLE
    assert set(world.approved) == {row.user_id for row in rows if row.status is RequestStatus.APPROVED}
    assert set(world.denied) == {row.user_id for row in rows if row.status is RequestStatus.DENIED}
    assert set(world.requests) == waited_before

    # The audit: of each admin a line a person, of rules how many; nobody stands there twice.
    noted = await lines(kit)
    for admin_id, approve in ADMINS.items():
        verb = AuditVerb.APPROVE if approve else AuditVerb.DENY
        mine = [line.subject for line in noted if (line.admin_id, line.verb) == (admin_id, verb)]
        assert sorted(mine) == sorted(row.name for row in rows if row.decided_by == admin_id)
    of_rules = [line for line in noted if line.admin_id is None]
    assert {(line.admin_name, line.verb) for line in of_rules} == {("Rules", AuditVerb.APPROVE_SOME)}
    assert sum(line.detail["approved"] for line in of_rules) == by[Way.RULE, None, rule.id]


async def test_rules_that_are_cut_off_at_any_moment_go_on(door: Door) -> None:
    """Between Telegram's answer and the row as well: nobody is forgotten, nobody is told to Telegram twice."""
    chance, kit = random.Random(11), RuleKit(door)
    door.gate.slow_seconds = 0.001
    async with kit.open(at_work=False) as at_work:
        await at_work.add(RuleAction.DENY, is_live=True)
        user_ids = await at_work.arrive(120)
    for _ in range(12):
        async with kit.open() as at_work:
            await asyncio.sleep(chance.uniform(0.0, 0.05))
            for worker in (at_work.own.judge, at_work.own.enforcer):
                worker._task.cancel()  # type: ignore[union-attr]
    async with kit.open() as at_work:
        rows = await at_work.until(lambda rows: all(row.status is not RequestStatus.PENDING for row in rows))
    cut_off = [row for row in rows if row.status is RequestStatus.WITHDRAWN]
    assert len(cut_off) <= 12
    assert {row.status for row in rows} <= {RequestStatus.DENIED, RequestStatus.WITHDRAWN}
    assert sorted(door.channel.denied) == sorted(user_ids)


JUDGE = """
import asyncio, sys
from pathlib import Path
from services.requests.judging import Judge
from storage.database import Database
from storage.rules import RuleRepository
from storage.verdicts import VerdictRepository

async def main():
    async with Database.open(Path(sys.argv[1])) as database:
        judge = Judge(RuleRepository(database), VerdictRepository(database), lambda: None)
        print("judging", flush=True)
        await judge.look()

asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_judge_that_is_killed_forgets_nobody(door: Door) -> None:
    """kill -9 of a process that judges: whoever has not been judged is, and each has one verdict of each kind."""
    chance, kit, people = random.Random(3), RuleKit(door), 6000
    async with kit.open(at_work=False) as at_work:
        told = door.update(door.ask()[0])
        await door.rows.store([replace(told, user_id=10_000_000 + number) for number in range(people)])
        await at_work.add(RuleAction.DENY)
        held = await at_work.add(RuleAction.HOLD, is_live=True)
    killed = 0
    for _ in range(KILLS):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", JUDGE, str(door.store.path), stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
        )
        assert process.stdout is not None
        await process.stdout.readline()
        await asyncio.sleep(chance.uniform(0.0, 0.1))
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        killed += await process.wait() == -signal.SIGKILL
    assert killed
    async with kit.open(at_work=False) as at_work:
        await at_work.own.judge.look()
        assert await at_work.own.judge.look() == 0
    figures = await VerdictRepository(door.store.database).figures(door.peer)
    assert held.id in figures
    assert sum(each.meant for each in figures.values()) == people
