"""kill -9 and SIGTERM at bad moments: nothing is lost, nothing comes twice."""

import asyncio
import hashlib
import os
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sandbox import walks
from tests.end_to_end.conftest import Stage, open_stage

KILLS = 10


def state_of(stage: Stage) -> dict[str, Any]:
    """What is left of a scrape: the files by name and hash, and the rows that tell of them."""
    root = stage.porter.download_dir
    disk = {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }
    with sqlite3.connect(f"file:{stage.porter.data_dir / 'porter.db'}?mode=ro", uri=True) as db:
        files = db.execute("select document_id, state, path, hex(sha256) from files order by 1").fetchall()
        messages = db.execute("select channel_id, id, text from messages order by 1, 2").fetchall()
        totals = db.execute("select cursor, total_messages, total_files, total_bytes from sources").fetchall()
    db.close()
    return {"disk": disk, "files": files, "messages": messages, "totals": totals}


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
    return state_of(stage)


@pytest.mark.slow
@pytest.mark.timeout(500)
async def test_kill_at_random_moments_of_a_scrape(tmp_path: Path) -> None:
    """Ten kills later, files, rows, cursor and totals are the same as after an undisturbed run."""
    kills = KILLS if os.environ.get("PORTER_PROVE") else 4
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    async with open_stage(tmp_path / "calm", "harbour") as stage:
        calm = await scrape_all(stage, [])
    async with open_stage(tmp_path / "killed", "harbour") as stage:
        killed = await scrape_all(stage, [dice.uniform(0.05, 1.2) for _ in range(kills)])
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
