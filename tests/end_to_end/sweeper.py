"""python -m tests.end_to_end.sweeper: one sweep of all sessions by Porter's own watch, measured from inside.

Settings as Porter takes them. Prints one line of JSON: resident bytes, threads and descriptors before, at the most and
after; the same with every session's client open at a time.
"""

import asyncio
import gc
import json
import os
import threading
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.app import App, open_app
from bot.pace import ChatPace
from bot.settings import load_settings

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
SETTLE_SECONDS = 0.3
SAMPLE_SECONDS = 0.005


@dataclass
class Cost:
    rss: int
    threads: int
    descriptors: int


def cost() -> Cost:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Cost(pages * PAGE_BYTES, threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir()))


async def settled() -> Cost:
    """What is closed has closed, what is garbage has gone."""
    await asyncio.sleep(SETTLE_SECONDS)
    gc.collect()
    return cost()


async def highest(most: Cost) -> None:
    """Keeps `most` at the highest of each, until it is cancelled."""
    while True:
        now = cost()
        most.rss, most.threads = max(most.rss, now.rss), max(most.threads, now.threads)
        most.descriptors = max(most.descriptors, now.descriptors)
        await asyncio.sleep(SAMPLE_SECONDS)


async def warm(app: App) -> None:
    """Libraries imported, pools of threads and of database connections full: what is paid once, whoever comes."""
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.05) for _ in range(32)))
    await asyncio.gather(*(app.house.runner._runs.active() for _ in range(32)))
    await app.house.watch.check_next()


async def main() -> None:
    async with open_app(load_settings(), ChatPace(burst=100_000)) as app:
        sessions = [session.id for session in await app.house.sessions.all()]
        await warm(app)
        before = await settled()
        most = cost()
        sampling = asyncio.create_task(highest(most))
        checked = set()
        for _ in sessions:
            session = await app.house.watch.check_next()
            assert session is not None
            checked.add(session.id)
        sampling.cancel()
        after = await settled()
        async with AsyncExitStack() as stack:
            for session_id in sessions:
                await (await stack.enter_async_context(app.house.pool.reading(session_id))).me()
            together = cost()
        print(
            json.dumps(
                {
                    "sessions": len(sessions),
                    "checked": len(checked),
                    "before": asdict(before),
                    "most": asdict(most),
                    "after": asdict(after),
                    "together": asdict(together),
                }
            )
        )


if __name__ == "__main__":
    asyncio.run(main())
