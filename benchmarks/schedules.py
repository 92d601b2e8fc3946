"""What a thousand schedules cost: at the start of a Porter process, and while it does nothing but wait for them."""

import asyncio
import time
from pathlib import Path

from benchmarks.process import cpu_ms
from benchmarks.report import Report, check
from benchmarks.yard import Yard, open_yard
from sandbox.stage import PorterProcess
from storage.channels import ChannelRepository
from storage.database import Database
from storage.models import Channel, ChannelKind, Filters, NewSource, RunKind, TargetKind
from storage.schedules import ScheduleRepository
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.types import utc_now
from storage.vault import KeyConfig, open_vault

SOURCES = 1000
IDLE_SECONDS = 20
SETTLE_SECONDS = 5
"""The watch looks at its accounts after a start, and imports what it needs for that."""


async def idle() -> Report:
    async with open_yard() as yard:
        porter = PorterProcess(yard.line, yard.home / "porter")
        await _life(porter, 0)  # makes the database, and Python's caches warm
        without, _ = await _life(porter, 0)
        await _fill(yard, porter.data_dir)
        with_all, idle_share = await _life(porter, IDLE_SECONDS)
    return Report(
        "schedule", "ms", round(with_all), {},
        figures={"start_without_ms": round(without), "idle_cpu_percent": round(idle_share, 2)},
        checks=[
            check("ms later than without any", with_all - without, "<=", 2000),
            check("idle CPU in percent", idle_share, "<=", 1),
        ],
    )  # fmt: skip


async def _life(porter: PorterProcess, idle_seconds: float) -> tuple[float, float]:
    """(milliseconds to the first poll, CPU percent of one core while idle)."""
    started = time.perf_counter()
    await porter.start()
    took = time.perf_counter() - started
    try:
        if not idle_seconds:
            return took * 1000, 0.0
        await asyncio.sleep(SETTLE_SECONDS)
        before = cpu_ms(porter.pid)
        await asyncio.sleep(idle_seconds)
        return took * 1000, (cpu_ms(porter.pid) - before) / idle_seconds / 10
    finally:
        await porter.stop()


async def _fill(yard: Yard, data_dir: Path) -> None:
    """Sources at other hours than this one, so that none is due while it is measured."""
    hour = (utc_now().hour + 12) % 24
    async with Database.open(data_dir / "porter.db") as database:
        vault = await open_vault(database, KeyConfig(None, None, None, data_dir / "porter.key"))
        session_id = await yard.store_session(SessionRepository(database, vault), vault)
        channels, sources = ChannelRepository(database), SourceRepository(database)
        schedules = ScheduleRepository(database)
        for number in range(SOURCES):
            channel_id = -1_003_000_000_000 - number
            seen = Channel(channel_id, f"Channel {number}", None, ChannelKind.CHANNEL, None, None, utc_now())
            await channels.add_seen(session_id, seen, may_invite=False)
            source = await sources.add(
                NewSource(f"S {number}", session_id, channel_id, Filters(), TargetKind.LOCAL, f"s-{number}")
            )
            await schedules.put(RunKind.SCRAPE, source.id, f"{number % 60} {hour} * * *", "UTC", None)
