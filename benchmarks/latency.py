"""How long a press on a list page waits for its answer, beside the least that an aiogram bot can do on the same
sandbox; and the same while a file of 256 MiB comes home."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from statistics import median, quantiles
from typing import Any

from benchmarks.fixed_bot import running
from benchmarks.process import cpu_ms
from benchmarks.report import Report, check
from benchmarks.yard import RTT_MS, Yard, open_yard
from sandbox import walks
from sandbox.driver import Actor
from sandbox.stage import PorterProcess
from storage.channels import ChannelRepository
from storage.database import Database
from storage.models import Channel, ChannelKind, Filters, NewSource, TargetKind
from storage.request_models import NotifyMode
from storage.request_settings import RequestSettingsRepository
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.types import utc_now
from storage.vault import KeyConfig, open_vault

PRESSES = 40
HAND_SECONDS = 1.1
"""Between two presses: what is faster for long, Porter slows down to what Telegram lets a bot do in a chat."""
RESTED_SECONDS = 20
"""Then it lets a burst pass again."""
BURST = 15
WAITING = 400
FILE_BYTES = 256 * 1024 * 1024
NOT_OF_A_TAP = frozenset({"getUpdates"})


async def measure() -> Report:
    async with open_yard() as yard:
        line, driver = yard.line, yard.driver
        admin = Actor(driver, line["admin_id"], line["bot_id"])
        state = await driver.state()
        gate = next(each for each in state["channels"] if each["pending_requests"])
        await driver.ask_to_join(gate["id"], WAITING)
        await driver.post(await yard.channel(private=False), file={"name": "film.mkv", "size": FILE_BYTES})
        porter = PorterProcess(line, yard.home / "porter")
        await _life(porter)  # makes the database
        await _prepare(yard, porter, gate)
        await driver.network(rtt_ms=RTT_MS)
        await porter.start()
        try:
            await _open_list(admin, gate["title"])
            await driver.reset_calls()
            cpu = cpu_ms(porter.pid)
            ours = [await _by_hand(lambda: _turn(admin)) for _ in range(PRESSES)]
            cpu = cpu_ms(porter.pid) - cpu
            calls = (await driver.calls())[admin.peer]
            busy = await _while_downloading(admin, gate["title"])
        finally:
            await porter.stop()
        async with running(line["bot_token"], line["bot_api"]):
            message_id = (await admin.screen())["id"]
            fixed = [await _by_hand(lambda: _press(admin, message_id, "p:1")) for _ in range(PRESSES)]
    taps = {name: count for name, count in calls.items() if name not in NOT_OF_A_TAP}
    figures = {
        "p95_ms": round(quantiles(ours, n=20)[-1], 1),
        "cpu_ms_a_press": round(cpu / PRESSES, 1),
        "busy_median_ms": round(median(busy), 1),
        "busy_presses": len(busy),
        "rtt_ms": RTT_MS,
    }
    return Report(
        "bot-latency", "ms", round(median(ours), 1), {"aiogram": round(median(fixed), 1)}, taps, figures,
        [
            check("ms over an aiogram handler that reads nothing", median(ours) - median(fixed), "<=", 15),
            check("p95 in ms while 256 MiB come home", quantiles(busy, n=20)[-1], "<=", 300),
            check("Bot API calls a tap", sum(taps.values()) / PRESSES, "<=", 2),
        ],
    )  # fmt: skip


async def _life(porter: PorterProcess) -> None:
    await porter.start()
    await porter.stop()


async def _prepare(yard: Yard, porter: PorterProcess, gate: dict[str, Any]) -> None:
    """The account, and the channel with the large file as a saved one. Nobody is told of new people: that would be a
    call of no tap."""
    channel_id = await yard.channel(private=False)
    async with Database.open(porter.data_dir / "porter.db") as database:
        vault = await open_vault(database, KeyConfig(None, None, None, porter.data_dir / "porter.key"))
        session_id = await yard.store_session(SessionRepository(database, vault), vault)
        channels = ChannelRepository(database)
        channel = Channel(channel_id, "News", None, ChannelKind.CHANNEL, None, None, utc_now())
        await channels.add_seen(session_id, channel, may_invite=False)
        await channels.put(replace(channel, id=gate["id"], title=gate["title"]))
        await RequestSettingsRepository(database).change(gate["id"], notify=NotifyMode.SILENT)
        new = NewSource("News", session_id, channel_id, Filters(), TargetKind.LOCAL, "news")
        await SourceRepository(database).add(new)


async def _open_list(admin: Actor, title: str) -> None:
    """A page of 400 people in the middle of nothing: there is one before it and one behind it."""
    await admin.send("/start")
    await admin.wait_for("Porter")
    await walks.waiting_list(admin, title)


async def _turn(admin: Actor) -> float:
    """Milliseconds from the press to its answer, on the next page; behind the last one comes the first."""
    screen, keys = await _list(admin)
    other_order = next(data for label, data in keys.items() if label.startswith("⇅"))
    return await _press(admin, screen["id"], keys.get("›") or other_order)


async def _list(admin: Actor) -> tuple[dict[str, Any], dict[str, str]]:
    """The message that shows the list, and its buttons; what Porter tells beside it stands below."""
    for message in reversed(await admin.bot_messages()):
        keys = {key["text"]: key["data"] for row in message["buttons"] or [] for key in row}
        if any(label.startswith("⇅") for label in keys):
            return message, keys
    raise AssertionError("no list in this chat")


async def _by_hand(press: Callable[[], Awaitable[float]]) -> float:
    await asyncio.sleep(HAND_SECONDS)
    return await press()


async def _press(admin: Actor, message_id: int, data: str) -> float:
    started = time.perf_counter()
    await admin.press_forged(message_id, data)
    return (time.perf_counter() - started) * 1000


async def _while_downloading(admin: Actor, title: str) -> list[float]:
    await admin.send("/sources")
    await admin.wait_for("Saved channels")
    await admin.press(re.compile("News"))
    await admin.wait_for("last saved")
    begun = await admin.driver.file_bytes()
    await asyncio.sleep(RESTED_SECONDS)
    await admin.press("▶ Save now")
    await walks.waiting_list(admin, title)
    times: list[float] = []
    while len(times) < BURST and not await _carried(admin, begun, FILE_BYTES):
        times.append(await _turn(admin))
    return times


async def _carried(admin: Actor, begun: int, wanted_bytes: int) -> bool:
    return await admin.driver.file_bytes() - begun >= wanted_bytes
