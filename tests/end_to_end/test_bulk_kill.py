"""kill -9 in the middle of a decision on 2,000: in the end Telegram and Porter agree on every one of them."""

import asyncio
import json
import os
import random
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmarks.deciding import crowd, everybody, furnish
from benchmarks.gatehouse import ADMIN_ID, open_gatehouse
from benchmarks.yard import Yard, open_yard
from storage.models import RequestStatus, Run, RunStatus
from storage.request_models import BulkItem, ItemOutcome

PEOPLE, WITHDRAWN = 2000, 5
KILLS, FEW = 50, 5
PROVE = bool(os.environ.get("PORTER_PROVE"))
HIDE = "messages.hideChatJoinRequest"
STATUSES = {
    ItemOutcome.APPROVED: RequestStatus.APPROVED,
    ItemOutcome.DENIED: RequestStatus.DENIED,
    ItemOutcome.WITHDRAWN: RequestStatus.WITHDRAWN,
    ItemOutcome.STAYS: RequestStatus.PENDING,
}


async def ask(yard: Yard, home: Path, gate: int, approve: bool, *, at_once: bool) -> Run:
    """Everybody is loaded, and shall be decided: `at_once` by one call, else as if each had been ticked."""
    await furnish(yard, home, gate)
    async with open_gatehouse(home, yard.server) as house:
        loaded = await house.ended(await house.loads.load(gate, ADMIN_ID))
        assert loaded.progress.counters["new"] == PEOPLE
        many = (await house.decisions.preview(ADMIN_ID, gate, approve)).many
        if not at_once:
            many = replace(many, request_ids=await everybody(house, gate, PEOPLE))
        return await house.decisions.decide(ADMIN_ID, many)


@dataclass
class Gatekeeper:
    """The process that decides (tests/end_to_end/gatekeeper.py), on a yard's sandbox."""

    yard: Yard
    home: Path

    async def start(self) -> asyncio.subprocess.Process:
        """Answers when the runner works."""
        credential = self.yard.credential
        place = {
            "server": [credential.dc_id, credential.host, credential.port],
            "public_key_file": self.yard.line["public_key_file"],
            "data_dir": str(self.home),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.end_to_end.gatekeeper", json.dumps(place), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        return process

    async def finish(self, run: Run) -> list[BulkItem]:
        """Let it work to the end. Answers everybody's outcome."""
        process = await self.start()
        assert process.stdout is not None
        assert await process.stdout.read() == b"done\n"
        assert await process.wait() == 0
        async with open_gatehouse(self.home, self.yard.server) as house:
            ended = await house.runs.get(run.id)
            assert ended is not None
            assert (ended.status, ended.reason) == (RunStatus.DONE, None)
            return await house.bulk.page(run.id, limit=PEOPLE)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("approve", "at_once"), [(True, False), (False, False), (True, True), (False, True)] if PROVE else [(True, False)]
)
async def test_kill_at_random_moments_of_a_bulk(approve: bool, at_once: bool) -> None:
    """Nobody is forgotten, nobody is approved who was denied, and each outcome is what Telegram's own lists say."""
    kills = KILLS if PROVE else FEW
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    async with open_yard() as yard:
        gate = await crowd(yard, PEOPLE)
        people = (await yard.driver.requests(gate))["pending"]
        keeper = Gatekeeper(yard, yard.home / "gate")
        run = await ask(yard, keeper.home, gate, approve, at_once=at_once)
        # Of somebody who withdrew and would have been denied nobody can say which came first.
        withdrawn = set(dice.sample(people, WITHDRAWN)) if approve else set()
        for user_id in withdrawn:
            await yard.driver.withdraw(gate, user_id)
        await yard.driver.reset_calls()
        for share in sorted(dice.uniform(0, 0.95) for _ in range(kills)):
            process = await keeper.start()
            if at_once:
                await asyncio.sleep(dice.uniform(0, 0.6))
            else:
                while await yard.driver.call_count(HIDE) < PEOPLE * share:  # noqa: ASYNC110 - sets no event
                    await asyncio.sleep(0.03)
            await asyncio.sleep(dice.uniform(0, 0.02))
            process.kill()
            await process.wait()
        items = await keeper.finish(run)
        calls = await yard.driver.call_count(HIDE)
        told = await yard.driver.requests(gate)
    print(f"{kills} kills: {calls} single calls for {PEOPLE} people")
    by_outcome = {
        outcome: {item.request.user_id for item in items if item.outcome is outcome} for outcome in (*ItemOutcome, None)
    }
    assert by_outcome[ItemOutcome.APPROVED] == set(told["approved"])
    assert by_outcome[ItemOutcome.DENIED] == set(told["denied"])
    assert by_outcome[ItemOutcome.STAYS] == set(told["pending"])
    assert by_outcome[ItemOutcome.WITHDRAWN] >= withdrawn
    assert not by_outcome[None] | by_outcome[ItemOutcome.ELSEWHERE]
    assert not (told["denied"] if approve else told["approved"])
    assert {item.request.user_id for item in items} == set(people)
    for item in items:
        assert item.outcome is not None
        assert item.request.status is STATUSES[item.outcome]
