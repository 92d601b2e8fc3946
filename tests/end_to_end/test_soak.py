"""Five minutes of everything at once, on a line that fails: Porter neither grows nor complains.

Schedules fire each minute, an admin saves and loads every few seconds beside them and taps screens, people ask and
withdraw, a live channel posts, and Telegram answers with flood waits, lost connections and delays.
"""

import asyncio
import os
import random
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.process import memory_of
from benchmarks.yard import Yard, open_yard
from sandbox import walks
from sandbox.driver import Actor
from sandbox.stage import PorterProcess
from storage.channels import ChannelRepository
from storage.database import Database
from storage.models import Channel, ChannelKind, Filters, NewSource, RunKind, TargetKind
from storage.schedules import ScheduleRepository
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.types import utc_now
from storage.vault import KeyConfig, open_vault
from tests.end_to_end.test_sigterm import ended, rows, until_over

SOAK_SECONDS = 300.0
WARM_SECONDS = 150.0
"""Libraries are imported and pools are full. SQLite's pages and compiled statements still come in, and the allocator's
memory falls into pieces: 1.2 to 1.6 MiB a minute until the seventh or so, 0.3 after it. Python's objects stay as many
(docs/decisions/0033-a-quick-start.md)."""
SAMPLE_SECONDS = 2.0
EVERY_MINUTE = "* * * * *"
SOURCES = 3
FILE_BYTES = 200_000

RSS_MIB_A_MINUTE = 2.5
THREADS_A_MINUTE = 0.5
DESCRIPTORS_A_MINUTE = 1.5
BYTES_A_ROW = 4096
WAL_MIB = 16.0

GROWING = ("messages", "files", "join_requests", "runs", "audit", "bulk_items", "request_views")
SCREENS = ("/start", "/requests", "/sources", "/runs", "/sessions", "/audit", "/admins", "/help")
FAULTS: tuple[dict[str, Any], ...] = (
    {"method": "messages.getHistory", "error": "FLOOD_WAIT_2"},
    {"method": "messages.getHistory", "drop": True},
    {"method": "messages.getChatInviteImporters", "error": "FLOOD_WAIT_1"},
    {"method": "messages.getChatInviteImporters", "delay_ms": 800},
    {"method": "upload.getFile", "error": "FLOOD_WAIT_3"},
    {"method": "upload.getFile", "drop": True},
    {"method": "upload.getFile", "delay_ms": 500},
    {"method": "editMessageText", "error": "FLOOD_WAIT_1"},
    {"method": "sendMessage", "delay_ms": 400},
    {"method": "getUpdates", "drop": True},
    {"method": "getUpdates", "error": "FLOOD_WAIT_1"},
)


@dataclass(frozen=True)
class Sample:
    """`at`: seconds since the start of the soak."""

    at: float
    rss_mib: float
    threads: int
    descriptors: int
    wal_mib: float


@dataclass(frozen=True)
class Stored:
    used_bytes: int  # pages that are not free
    rows: int


def look(porter: PorterProcess, started: float) -> Sample:
    process = Path(f"/proc/{porter.pid}")
    wal = porter.data_dir / "porter.db-wal"
    return Sample(
        time.monotonic() - started,
        memory_of(porter.pid).rss_mib,
        sum(1 for _ in (process / "task").iterdir()),
        sum(1 for _ in (process / "fd").iterdir()),
        wal.stat().st_size / 2**20 if wal.exists() else 0.0,
    )


def stored(porter: PorterProcess) -> Stored:
    with closing(sqlite3.connect(f"file:{porter.data_dir / 'porter.db'}?mode=ro", uri=True)) as database:

        def number(query: str) -> int:
            return int(database.execute(query).fetchone()[0])

        pages = number("pragma page_count") - number("pragma freelist_count")
        rows = sum(number(f"select count(*) from {table}") for table in GROWING)
        return Stored(pages * number("pragma page_size"), rows)


def a_minute(samples: list[Sample], value: Callable[[Sample], float]) -> float:
    """The slope of the least squares."""
    mean_at = sum(each.at for each in samples) / len(samples)
    mean = sum(value(each) for each in samples) / len(samples)
    over = sum((each.at - mean_at) * (value(each) - mean) for each in samples)
    return 60 * over / sum((each.at - mean_at) ** 2 for each in samples)


async def furnish(yard: Yard, porter: PorterProcess, gate: dict[str, Any]) -> None:
    """An account, three saved channels (one live) and the loading of requests, all on a schedule of every minute."""
    private, public = await yard.channel(private=True), await yard.channel(private=False)
    async with Database.open(porter.data_dir / "porter.db") as database:
        vault = await open_vault(database, KeyConfig(None, None, None, porter.data_dir / "porter.key"))
        session_id = await yard.store_session(SessionRepository(database, vault), vault)
        channels, schedules = ChannelRepository(database), ScheduleRepository(database)
        channel = Channel(private, "Archive", None, ChannelKind.CHANNEL, None, None, utc_now())
        await channels.add_seen(session_id, channel, may_invite=False)
        await channels.add_seen(session_id, replace(channel, id=public, title="News"), may_invite=False)
        await channels.add_seen(session_id, replace(channel, id=gate["id"], title=gate["title"]), may_invite=True)
        for number, channel_id in enumerate((private, public, private)):
            name = f"Saved {number}"
            new = NewSource(
                name, session_id, channel_id, Filters(), TargetKind.LOCAL, name.lower(), live=channel_id == public
            )
            source = await SourceRepository(database).add(new)
            await schedules.put(RunKind.SCRAPE, source.id, EVERY_MINUTE, "UTC", None, enabled=True)
        await schedules.put(RunKind.LOAD_REQUESTS, gate["id"], EVERY_MINUTE, "UTC", None, enabled=True)


@dataclass
class Life:
    """What happens around Porter, each thing in a task of its own until the soak is over."""

    yard: Yard
    admin: Actor
    gate: dict[str, Any]
    dice: random.Random

    def all(self) -> list[Callable[[], Awaitable[None]]]:
        return [self.asking, self.posting, self.failing, self.operating]

    async def asking(self) -> None:
        driver, gate_id = self.yard.driver, self.gate["id"]
        while True:
            asked = await driver.ask_to_join(gate_id, 2)
            if self.dice.random() < 0.1:
                await driver.withdraw(gate_id, asked[0])
            await asyncio.sleep(0.5)

    async def posting(self) -> None:
        driver = self.yard.driver
        channels = [await self.yard.channel(private=private) for private in (True, False)]
        for number in range(10_000):
            post = await driver.post(
                self.dice.choice(channels), f"Post {number}", file={"name": f"{number}.pdf", "size": FILE_BYTES}
            )
            assert post["id"]
            await asyncio.sleep(1)

    async def failing(self) -> None:
        while True:
            await self.yard.driver.fault(**self.dice.choice(FAULTS))
            await asyncio.sleep(3)

    async def operating(self) -> None:
        """One admin: a screen or a piece of work every second and a half."""
        while True:
            await self.dice.choice((self._look, self._look, self._look, self._save, self._load, self._approve))()
            await asyncio.sleep(1.5)

    async def _look(self) -> None:
        await self.admin.send(self.dice.choice(SCREENS))
        await self.admin.wait_for(".", 60)

    async def _save(self) -> None:
        await self.admin.send("/sources")
        await self.admin.wait_for("Saved channels", 60)
        await self.admin.press(re.compile(f"Saved {self.dice.randrange(SOURCES)}"))
        await self.admin.wait_for("last saved|files|Saving", 60)
        if "▶ Save now" in await self.admin.buttons():
            await self.admin.press("▶ Save now")

    async def _load(self) -> None:
        await self.admin.send(f"/load {self.gate['id']}")
        await self.admin.wait_for(".", 60)

    async def _approve(self) -> None:
        await self.admin.send("/requests")
        screen = await self.admin.wait_for("Waiting people|Nobody waits", 60)
        if "Nobody" in screen["text"]:
            return
        await walks.first_person(self.admin, self.gate["title"])
        await self.admin.press("Approve")


async def live(life: Life, porter: PorterProcess) -> list[Sample]:
    """Samples of the whole time. What fails in a task of `life` fails here."""
    started, samples = time.monotonic(), []
    async with asyncio.TaskGroup() as tasks:
        around = [tasks.create_task(go()) for go in life.all()]  # type: ignore[arg-type]
        while time.monotonic() - started < SOAK_SECONDS:
            samples.append(look(porter, started))
            await asyncio.sleep(SAMPLE_SECONDS)
        for task in around:
            task.cancel()
    return samples


def tell(what: str, samples: list[Sample], value: Callable[[Sample], float]) -> float:
    slope = a_minute(samples, value)
    values = [value(each) for each in samples]
    some = " ".join(f"{each:.1f}" for each in values[:: max(1, len(values) // 12)])
    print(f"{what}: {min(values):.1f} to {max(values):.1f}, {slope:+.2f} a minute ({some})")
    return slope


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: five minutes")
async def test_five_minutes_of_everything() -> None:
    """Memory, threads and descriptors stay where they are, the file grows by its rows, nothing is left undone."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    async with open_yard() as yard:
        gate = next(each for each in (await yard.driver.state())["channels"] if each["pending_requests"])
        porter = PorterProcess(yard.line, yard.home / "porter")
        await porter.start()  # makes the database
        await porter.stop()
        await furnish(yard, porter, gate)
        await yard.driver.network(rtt_ms=20)
        await porter.start()
        admin = Actor(yard.driver, yard.line["admin_id"], yard.line["bot_id"])
        await admin.send("/start")
        await admin.wait_for("Porter")
        before = stored(porter)
        samples = await live(Life(yard, admin, gate, random.Random(seed)), porter)
        await yard.driver.no_faults()
        after = stored(porter)
        await until_over(porter)
        await walks.load_requests(admin, str(gate["id"]), timeout=60)  # whoever withdrew since the last one
        await until_over(porter)
        await ended(porter)
        ends = rows(porter, "select kind, status, reason, count(*) from runs group by 1, 2, 3")
        told = await yard.driver.requests(gate["id"])
        waiting = {user for (user,) in rows(porter, "select user_id from join_requests where status = 'PENDING'")}
        log = porter.log()
    print(ends)
    settled = [each for each in samples if each.at > WARM_SECONDS]
    slopes = {
        "MiB": tell("RSS in MiB", settled, lambda each: each.rss_mib),
        "threads": tell("threads", settled, lambda each: each.threads),
        "descriptors": tell("descriptors", settled, lambda each: each.descriptors),
    }
    wal = max(each.wal_mib for each in samples)
    grown, new = after.used_bytes - before.used_bytes, after.rows - before.rows
    print(f"WAL {wal:.1f} MiB at the most; {new} rows in {grown / 2**20:.2f} MiB, {grown / new:.0f} bytes each")
    assert "ERROR" not in log, "\n".join(line for line in log.splitlines() if "ERROR" in line)
    assert {status for _, status, _, _ in ends} == {"DONE"}
    assert waiting == set(told["pending"]), waiting ^ set(told["pending"])
    assert slopes["MiB"] <= RSS_MIB_A_MINUTE
    assert slopes["threads"] <= THREADS_A_MINUTE
    assert slopes["descriptors"] <= DESCRIPTORS_A_MINUTE
    assert wal <= WAL_MIB
    assert grown <= new * BYTES_A_ROW
