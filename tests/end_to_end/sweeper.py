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


@dataclass
class Cost:
    rss: int
    threads: int
    descriptors: int


def cost() -> Cost:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Cost(pages * PAGE_BYTES, threading.active_count(), len(os.listdir("/proc/self/fd")))


async def warm(app: App) -> None:
    """Libraries imported, pools of threads and of database connections full: what is paid once, whoever comes."""
    await asyncio.gather(*(asyncio.to_thread(time.sleep, 0.05) for _ in range(32)))
    await asyncio.gather(*(app.runner._runs.active() for _ in range(32)))
    await app.watch.check_next()
    await asyncio.sleep(SETTLE_SECONDS)


async def main() -> None:
    async with open_app(load_settings(), ChatPace(burst=100_000)) as app:
        sessions = [session.id for session in await app.dispatcher.workflow_data["sessions"].all()]
        await warm(app)
        before, most = cost(), cost()
        checked = set()
        for _ in sessions:
            session = await app.watch.check_next()
            assert session is not None
            checked.add(session.id)
            now = cost()
            most = Cost(*(max(pair) for pair in zip(asdict(most).values(), asdict(now).values(), strict=True)))
        await asyncio.sleep(SETTLE_SECONDS)
        after = cost()
        async with AsyncExitStack() as stack:
            for session_id in sessions:
                await (await stack.enter_async_context(app.pool.reading(session_id))).me()
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
