"""kill -9 and SIGTERM at bad moments: nothing is lost, nothing comes twice."""

import asyncio
import hashlib
import json
import os
import random
import sqlite3
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.yard import Yard, open_yard
from sandbox import walks
from services.lanes import WINDOW_BYTES
from storage.models import RunKind
from storage.runs import RunRepository
from tests.end_to_end.conftest import Stage, open_stage

KILLS, FEW = 50, 5
WHOLE_KILLS = 10
EARLY = 0.25
"""So many of the kills come at a moment by the clock: before the first byte of a file, or shortly after."""


def state_of(data_dir: Path, downloads: Path) -> dict[str, Any]:
    """What is left of a scrape: the files by name and hash, and the rows that tell of them."""
    disk = {
        path.relative_to(downloads).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in downloads.rglob("*")
        if path.is_file()
    }
    with sqlite3.connect(f"file:{data_dir / 'porter.db'}?mode=ro", uri=True) as db:
        files = db.execute("select document_id, state, path, hex(sha256) from files order by 1").fetchall()
        messages = db.execute("select channel_id, id, text from messages order by 1, 2").fetchall()
        totals = db.execute("select cursor, total_messages, total_files, total_bytes from sources").fetchall()
    db.close()
    return {"disk": disk, "files": files, "messages": messages, "totals": totals}


@dataclass
class Carrier:
    """Porter's long work in a process of its own (tests/end_to_end/carrier.py), on a yard's sandbox."""

    yard: Yard
    home: Path

    async def prepare(self) -> None:
        """A saved channel with a run that waits for a process."""
        async with self.yard.porter(self.home.name) as porter:
            source = await porter.save("Archive", await self.yard.channel(private=True))
            params = {"session_id": porter.session_id, "root": None}
            rows = RunRepository(porter.database)
            await rows.add(RunKind.SCRAPE, source.id, "Archive", priority=0, requested_by=None, params=params)

    async def start(self) -> asyncio.subprocess.Process:
        """Answers when the runner works."""
        credential = self.yard.credential
        place = {
            "server": [credential.dc_id, credential.host, credential.port],
            "public_key_file": self.yard.line["public_key_file"],
            "data_dir": str(self.home),
            "download_dir": str(self.home / "downloads"),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.end_to_end.carrier", json.dumps(place), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        return process

    async def finish(self) -> dict[str, Any]:
        """Let it work to the end. Answers what is left."""
        process = await self.start()
        assert process.stdout is not None
        assert await process.stdout.read() == b"done\n"
        assert await process.wait() == 0
        return await asyncio.to_thread(state_of, self.home, self.home / "downloads")


@pytest.mark.slow
@pytest.mark.timeout(500)
async def test_kill_at_random_moments_of_a_scrape() -> None:
    """Fifty kills later, files, rows, cursor and totals are the same as after an undisturbed run, and what was fetched
    twice is at most what was under way."""
    kills = KILLS if os.environ.get("PORTER_PROVE") else FEW
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    async with open_yard("harbour") as yard:
        calm = Carrier(yard, yard.home / "calm")
        await calm.prepare()
        undisturbed = await calm.finish()
        names = {Path(path).name for path in undisturbed["disk"]}
        size = await yard.driver.file_bytes()
        await yard.driver.network(rtt_ms=20, mbit=400)
        killed = Carrier(yard, yard.home / "killed")
        await killed.prepare()
        for share in sorted(dice.uniform(-EARLY, 0.95) for _ in range(kills)):
            process = await killed.start()
            if share < 0:
                await asyncio.sleep(dice.uniform(0.02, 0.6))
            while await yard.driver.file_bytes() < size * (1 + max(0, share)):  # noqa: ASYNC110 - sets no event
                await asyncio.sleep(0.01)
            await asyncio.sleep(dice.uniform(0, 0.05))
            process.kill()
            await process.wait()
        done = len([path for path in (killed.home / "downloads").rglob("*") if path.name in names])
        await yard.driver.network(rtt_ms=0, mbit=0)
        after = await killed.finish()
        fetched = await yard.driver.file_bytes() - size
    print(f"{kills} kills: {fetched - size} of {size} bytes fetched twice, {done} files there after the last one")
    assert len(undisturbed["disk"]) == 120
    assert after == undisturbed
    assert size <= fetched <= size + kills * WINDOW_BYTES


async def scrape_all(stage: Stage, moments: list[float]) -> dict[str, Any]:
    """Scrape the private channel, killed after each of `moments` (seconds since the start before)."""
    private = await stage.channel(private=True)
    await stage.log_in()
    await walks.add_source(stage.admin, private["title"])
    await stage.driver.network(rtt_ms=20)
    await stage.admin.press("▶ Save now")
    for moment in moments:
        await asyncio.sleep(moment)
        await stage.porter.kill()
        await stage.porter.start()
    await stage.driver.network(rtt_ms=0)
    await stage.admin.wait_for(r"✅ .*done", 180)
    await stage.porter.stop()
    return await asyncio.to_thread(state_of, stage.porter.data_dir, stage.porter.download_dir)


@pytest.mark.slow
@pytest.mark.timeout(500)
@pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: each start of the whole takes seconds")
async def test_kill_the_whole_of_porter(tmp_path: Path) -> None:
    """The same with bot, chat and cards around it, in fewer kills."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    async with open_stage(tmp_path / "calm", "harbour") as stage:
        calm = await scrape_all(stage, [])
    async with open_stage(tmp_path / "killed", "harbour") as stage:
        killed = await scrape_all(stage, [dice.uniform(0.05, 1.2) for _ in range(WHOLE_KILLS)])
    assert len(calm["disk"]) == 120
    assert killed == calm


@pytest.mark.timeout(200)
async def test_sigterm_in_a_burst_of_requests_loses_none(jetty: Stage) -> None:
    """People ask to join while Porter is told to stop and started again: each is in its table, once."""
    gate = await jetty.channel(gate=True)
    before = set((await jetty.driver.requests(gate["id"]))["pending"])

    async def burst() -> None:
        for _ in range(30):
            await jetty.driver.ask_to_join(gate["id"], 10)
            await asyncio.sleep(0.02)

    asking = asyncio.create_task(burst())
    await asyncio.sleep(0.2)
    await jetty.porter.stop()
    await asking
    await jetty.porter.start()
    asked = set((await jetty.driver.requests(gate["id"]))["pending"]) - before
    assert len(asked) == 300
    for _ in range(100):
        with sqlite3.connect(f"file:{jetty.porter.data_dir / 'porter.db'}?mode=ro", uri=True) as db:
            stored = [row[0] for row in db.execute("select user_id from join_requests")]
        db.close()
        if len(stored) >= 300:
            break
        await asyncio.sleep(0.1)
    assert sorted(stored) == sorted(asked)
