"""How soon Porter asks for updates, beside the least that an aiogram bot can be; and what both hold when they idle.

In turn, in one run: `python -m bot` on a database that is at head and owned, and benchmarks/fixed_bot.py. A start is
over when the sandbox has heard getUpdates. As in an operator's shell, the bytecode of the start before is used.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.fixed_bot import running
from benchmarks.process import Memory, cpu_ms, memory_of
from benchmarks.report import Report, check
from benchmarks.yard import Yard, open_yard
from sandbox.driver import Actor
from sandbox.stage import PorterProcess

ROUNDS = 5
SETTLE_SECONDS = 8.0
LOOK_SECONDS = 0.01
PATIENCE_SECONDS = 60.0
KEEPS_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True)
class Start:
    """`seconds` and `cpu_seconds` (user and system) until the first poll; `memory` once it has settled."""

    seconds: float
    cpu_seconds: float
    memory: Memory


async def measure() -> Report:
    async with open_yard() as yard:
        porter = PorterProcess(yard.line, yard.home / "porter", **KEEPS_BYTECODE)
        await _first_life(yard, porter)
        ours, bare = [], []
        for _ in range(ROUNDS):
            ours.append(await _look(yard, _porter(porter)))
            bare.append(await _look(yard, _fixed_bot(yard.line)))
    porter_s, aiogram_s = median(each.seconds for each in ours), median(each.seconds for each in bare)
    over = {
        what: median(getattr(each.memory, what) for each in ours) - median(getattr(each.memory, what) for each in bare)
        for what in ("rss_mib", "pss_mib", "uss_mib")
    }
    figures = {
        "cpu_s": round(median(each.cpu_seconds for each in ours), 2),
        "aiogram_cpu_s": round(median(each.cpu_seconds for each in bare), 2),
        "rss_mib": round(median(each.memory.rss_mib for each in ours), 1),
        "aiogram_rss_mib": round(median(each.memory.rss_mib for each in bare), 1),
        **{f"{what}_over": round(value, 1) for what, value in over.items()},
        "rounds": ROUNDS,
    }
    return Report(
        "cold-start", "s", round(porter_s, 2), {"aiogram": round(aiogram_s, 2)}, {}, figures,
        [
            check("times a bare aiogram bot's start", porter_s / aiogram_s, "<=", 1.2),
            check("idle MiB over a bare aiogram bot", over["rss_mib"], "<=", 60),
        ],
    )  # fmt: skip


async def _first_life(yard: Yard, porter: PorterProcess) -> None:
    """The database is made, an owner is greeted, the bytecode of both is written."""
    await porter.start()
    admin = Actor(yard.driver, yard.line["admin_id"], yard.line["bot_id"])
    await admin.send("/start")
    await admin.wait_for("Porter")
    await porter.stop()
    async with _fixed_bot(yard.line):
        await _first_poll(yard)


@asynccontextmanager
async def _porter(porter: PorterProcess) -> AsyncIterator[int]:
    await porter.begin()
    try:
        yield porter.pid
    finally:
        await porter.stop()


@asynccontextmanager
async def _fixed_bot(line: dict[str, Any]) -> AsyncIterator[int]:
    async with running(line["bot_token"], line["bot_api"], **KEEPS_BYTECODE) as process:
        yield process.pid


async def _look(yard: Yard, bot: AbstractAsyncContextManager[int]) -> Start:
    await yard.driver.reset_calls()
    started = time.perf_counter()
    async with bot as pid:
        await _first_poll(yard)
        seconds, cpu_seconds = time.perf_counter() - started, cpu_ms(pid) / 1000
        await asyncio.sleep(SETTLE_SECONDS)
        return Start(seconds, cpu_seconds, memory_of(pid))


async def _first_poll(yard: Yard) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await yard.driver.call_count("getUpdates"):  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(LOOK_SECONDS)
