"""python -m tests.end_to_end.gatekeeper PLACE: deciding many without the bot, to be killed at any moment.

PLACE is JSON: {"server": [dc, host, port], "public_key_file", "data_dir"}. Works on what a killed one left. Prints
"ready" once the runner works, "done" when nothing is active.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.gatehouse import open_gatehouse
from services.clients.base import MtprotoServer

POLL_SECONDS = 0.02


async def keep(place: dict[str, Any]) -> None:
    dc, host, port = place["server"]
    public_key = await asyncio.to_thread(Path(place["public_key_file"]).read_text)
    async with open_gatehouse(Path(place["data_dir"]), MtprotoServer(dc, host, port, public_key)) as house:
        await house.runner.start()
        print("ready", flush=True)
        while await house.runs.active():  # noqa: ASYNC110 - what a user would look at, and no event of ours
            await asyncio.sleep(POLL_SECONDS)
        await house.runner.stop()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(keep(json.loads(sys.argv[1])))
