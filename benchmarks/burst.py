"""Five thousand people ask while the bot is down: how soon all are stored, what a SIGTERM in the middle loses, who is
told what. Porter is a process of its own, Telegram's limits on bots hold, and the truth is the sandbox's own list."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from benchmarks.report import Report, check
from benchmarks.yard import Yard, open_yard
from sandbox.driver import Actor
from sandbox.stage import PorterProcess

PEOPLE = 5000
LOOK_SECONDS = 0.05
PATIENCE_SECONDS = 120.0


async def arrive() -> Report:
    async with open_yard() as yard:
        await yard.driver.network(bot_limits=True)
        gate = max((await yard.driver.state())["channels"], key=lambda channel: channel["pending_requests"])["id"]
        before = set((await yard.driver.requests(gate))["pending"])
        porter = PorterProcess(yard.line, yard.home / "porter")
        admin = Actor(yard.driver, yard.line["admin_id"], yard.line["bot_id"])
        await _greet(porter, admin)

        shown = {message["id"] for message in await admin.bot_messages()}
        await yard.driver.ask_to_join(gate, PEOPLE)
        started = time.perf_counter()
        await porter.start()
        polls = time.perf_counter() - started
        await _until_stored(porter.data_dir, PEOPLE)
        stored = time.perf_counter() - started
        await admin.wait_for(f"{PEOPLE:,} new", PATIENCE_SECONDS, old=True)
        await porter.stop()

        await yard.driver.ask_to_join(gate, PEOPLE)
        await porter.start()
        await _until_stored(porter.data_dir, PEOPLE + PEOPLE // 4)
        stopping = await porter.stop()
        at_stop = len(_stored(porter.data_dir))
        await porter.start()
        await _until_stored(porter.data_dir, 2 * PEOPLE)
        kept = _stored(porter.data_dir)
        told = [message for message in await admin.bot_messages() if message["id"] not in shown]
        calls = (await yard.driver.calls())[yard.line["bot_id"]]
        refused = await yard.driver.bot_refused()
        lost = await _asked(yard, gate) - before - kept
        await porter.stop()
    return Report(
        "burst", "s", round(stored, 2), {},
        calls={name: calls.get(name, 0) for name in ("getUpdates", "sendMessage")},
        figures={
            "to_the_first_poll_s": round(polls, 2),
            "stored_per_second": round(PEOPLE / (stored - polls)),
            "stored_at_sigterm": at_stop - PEOPLE,
            "sigterm_took_s": round(stopping, 2),
        },
        checks=[
            check("seconds from the start until all are stored", stored, "<=", 20),
            check("people lost by a SIGTERM in the middle", len(lost), "<=", 0),
            check("people left to come at that SIGTERM", 2 * PEOPLE - at_stop, ">=", 1),
            check("messages to the admin beyond the digest", len(told) - 1, "<=", 0),
            check("calls answered with 429", refused, "<=", 0),
        ],
    )  # fmt: skip


async def _greet(porter: PorterProcess, admin: Actor) -> None:
    """The bot may write to the admin, and the database is made."""
    await porter.start()
    await admin.send("/start")
    await admin.wait_for("Porter")
    await porter.stop()


async def _asked(yard: Yard, gate: int) -> set[int]:
    return set((await yard.driver.requests(gate))["pending"])


async def _until_stored(data_dir: Path, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(_stored(data_dir)) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(_stored(data_dir))} of {count} were stored in {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(LOOK_SECONDS)


def _stored(data_dir: Path) -> set[int]:
    """The people whom Porter keeps as waiting."""
    with closing(sqlite3.connect(f"file:{data_dir / 'porter.db'}?mode=ro", uri=True)) as database:
        return {user_id for (user_id,) in database.execute("SELECT user_id FROM join_requests WHERE status='PENDING'")}
