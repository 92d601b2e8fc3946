"""Porter as a child process of the sandbox, for `python -m sandbox --with-bot`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.app import Sandbox

STOP_S = 10.0


def environment(sandbox: Sandbox, home: Path) -> dict[str, str]:
    """Ours, with what the sandbox decides. What an operator has set for Porter otherwise stays as it is.

    ADMIN_IDS counts as given even when it is empty: then Porter prints its claim link.
    """
    given = dict(os.environ)
    decided = {
        "BOT_TOKEN": sandbox.bot_token,
        "BOT_API_URL": sandbox.bot_api,
        "MTPROTO_SERVER": sandbox.mtproto,
        "MTPROTO_PUBLIC_KEY_FILE": str(sandbox.public_key_file),
        "ENV_FILE": "",  # real credentials lie in .env: they never mix with a sandbox
    }
    given.setdefault("ADMIN_IDS", str(sandbox.admin_id))
    given.setdefault("DATA_DIR", str(home / "data"))
    given.setdefault("DOWNLOAD_DIR", str(home / "downloads"))
    return given | decided


@asynccontextmanager
async def porter(sandbox: Sandbox, home: Path, *, stop_s: float = STOP_S) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m bot`, its log on our stderr. At exit it is asked to end, and killed when that takes `stop_s`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        env=environment(sandbox, home),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        stderr=sys.stderr.fileno(),
    )
    try:
        yield process
    finally:
        await _end(process, stop_s)


async def _end(process: asyncio.subprocess.Process, stop_s: float) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), stop_s)
    except TimeoutError:
        process.kill()
        await process.wait()
