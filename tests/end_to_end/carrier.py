"""python -m tests.end_to_end.carrier PLACE: Porter's long work without the bot, to be killed at any moment.

PLACE is JSON: {"server": [dc, host, port], "public_key_file", "data_dir", "download_dir"}. Database, vault, pool,
scraper and runner are put together as bot/house.py does; what a killed one left goes on. Without aiogram a start takes
a third of the time, which is what many kills need. Prints "ready" once the runner works, "done" when nothing is active.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from services.clients.base import MtprotoServer
from services.clients.factory import Clients
from services.clients.pacing import Governor
from services.clients.pool import ClientPool
from services.errors import SessionDead
from services.lanes import Lanes
from services.leases import Leases, take_over, this_host, this_process
from services.runs import Runner
from services.scraping import Scraper
from services.targets import Targets
from storage.database import Database
from storage.files import FileRepository
from storage.flood_waits import FloodWaitRepository
from storage.leases import LeaseRepository
from storage.models import Run, RunKind
from storage.runs import RunRepository
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.vault import KeyConfig, open_vault

POLL_SECONDS = 0.02


class Deaf:
    """Implements services.notifier.Notifier for nobody."""

    def run_progressed(self, run: Run) -> None:
        pass

    async def run_settled(self, run: Run) -> None:
        pass

    async def requests_arrived(self, channel_id: int, count: int) -> None:
        pass

    async def session_died(self, outage: Any) -> None:
        pass


async def never(*_: Any) -> None:
    raise AssertionError("no session dies or is taken here")


async def died(session_id: int, error: SessionDead) -> None:
    raise AssertionError(f"session {session_id} died: {error}")


async def carry(place: dict[str, Any]) -> None:
    data_dir = Path(place["data_dir"])
    dc, host, port = place["server"]
    public_key = await asyncio.to_thread(Path(place["public_key_file"]).read_text)
    async with Database.open(data_dir / "porter.db") as database:
        vault = await open_vault(database, KeyConfig(None, None, None, data_dir / "porter.key"))
        lease_rows = LeaseRepository(database, this_process(), this_host())
        leases = Leases(lease_rows, never)
        await take_over(lease_rows)
        governor = Governor(FloodWaitRepository(database))
        factory = Clients(MtprotoServer(dc, host, port, public_key))
        pool = ClientPool(SessionRepository(database, vault), factory, governor, leases, died)
        targets = Targets(Path(place["download_dir"]))
        scraper = Scraper(SourceRepository(database), FileRepository(database), pool, targets, Lanes())
        runs = RunRepository(database)
        runner = Runner(runs, Deaf())
        runner.register(RunKind.SCRAPE, scraper.work, scraper.ready)
        await runner.start()
        print("ready", flush=True)
        while await runs.active():  # noqa: ASYNC110 - what a user would look at, and no event of ours
            await asyncio.sleep(POLL_SECONDS)
        await runner.stop()
        await pool.close()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(carry(json.loads(sys.argv[1])))
