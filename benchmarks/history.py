"""What the walk through a channel's messages costs: Porter stores each page, the library only looks at it."""

import time

from telethon import TelegramClient

from benchmarks.report import Report, check
from benchmarks.yard import RTT_MS, Porter, Yard, open_yard

HISTORY = "messages.getHistory"


async def walk() -> Report:
    """20,000 messages at 50 ms."""
    count = 20_000
    async with open_yard() as yard:
        channel = await _filled(yard, count)
        await yard.driver.network(rtt_ms=RTT_MS)
        async with yard.porter() as porter:
            await porter.connect()
            ours, calls, _ = await _by_porter(yard, porter, channel)
        async with yard.porter("one", windows=1) as porter:
            await porter.connect()
            one, _, _ = await _by_porter(yard, porter, channel)
        async with yard.telethon() as client:
            started = time.perf_counter()
            seen = await _iterate(client, channel)
            peer = time.perf_counter() - started
        assert seen >= count
        line = -(-seen // 100) * RTT_MS / 1000
        return Report(
            "history", "s", round(ours, 2), {"telethon": round(peer, 2)}, calls,
            {"one_in_flight_s": round(one, 2), "pages_x_rtt_s": round(line, 2)},
            [
                check("over iter_messages(wait_time=0), which stores nothing", peer / ours, ">=", 2),
                check("of pages x RTT, one in flight", line / one, ">=", 0.95),
                check("messages.getHistory calls", calls[HISTORY], "<=", 202),
            ],
        )  # fmt: skip


async def loopback() -> Report:
    """100,000 messages without a line between: CPU seconds of this process."""
    count = 100_000
    async with open_yard() as yard:
        channel = await _filled(yard, count)
        async with yard.porter() as porter:
            await porter.connect()
            wall, calls, ours = await _by_porter(yard, porter, channel)
        async with yard.telethon() as client:
            before = time.process_time()
            assert await _iterate(client, channel) >= count
            peer = time.process_time() - before
        return Report(
            "history-loopback", "CPU s", round(ours, 2), {"telethon": round(peer, 2)}, calls,
            {"wall_s": round(wall, 2), "messages_a_second": round(count / wall)},
            [check("of Telethon's bare iteration", ours / peer, "<=", 1.5)],
        )  # fmt: skip


async def rescan() -> Report:
    """A saved channel without news: what Telegram is asked."""
    async with open_yard() as yard:
        channel = await yard.channel(private=True)
        async with yard.porter() as porter:
            source = await porter.save("Rescan", channel)
            await porter.scrape(source)
            await yard.driver.reset_calls()
            again = await porter.sources.get(source.id)
            assert again is not None
            await porter.scrape(again)
            calls = (await yard.driver.calls())[yard.credential.user_id]
        asked = {method: n for method, n in calls.items() if method.startswith(("messages.", "channels."))}
        total = sum(asked.values())
        return Report("rescan", "calls", total, {}, calls, {}, [check("messages.* and channels.*", total, "<=", 2)])


async def _filled(yard: Yard, count: int) -> int:
    channel = await yard.channel(private=False)
    await yard.driver.post_many(channel, count)
    return channel


async def _by_porter(yard: Yard, porter: Porter, channel: int) -> tuple[float, dict[str, int], float]:
    """(seconds, calls, CPU seconds) of a first run; every message is a row afterwards."""
    source = await porter.save("History", channel)
    await yard.driver.reset_calls()
    started, before = time.perf_counter(), time.process_time()
    run = await porter.scrape(source)
    seconds, cpu = time.perf_counter() - started, time.process_time() - before
    stored = await porter.sources.get(source.id)
    assert stored is not None
    assert stored.total_messages == run.progress.counters["messages"]
    return seconds, {HISTORY: await yard.driver.call_count(HISTORY)}, cpu


async def _iterate(client: TelegramClient, channel: int) -> int:
    seen = 0
    async for _ in client.iter_messages(channel, wait_time=0, reverse=True):
        seen += 1
    return seen
