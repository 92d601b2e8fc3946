"""Sixty accounts, one sweep of the watch: what it costs Porter's process, and what it leaves behind."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from sandbox.driver import Actor, Driver
from sandbox.stage import INHERITED, PorterProcess, SandboxProcess
from sandbox.walks import newest_code
from services.clients.base import ApiCredentials, MtprotoServer
from services.clients.factory import Clients
from services.enrolment import Enrolment, SignedIn
from services.login import LoginService
from storage.database import Database
from storage.keys import KeyConfig
from storage.logins import LoginRepository
from storage.sessions import SessionRepository
from storage.vault import open_vault

SESSIONS, FEW = 60, 6
MAX_GROWTH = 4 * 1024 * 1024


async def sign_in_all(driver: Driver, line: dict[str, Any], data_dir: Path, accounts: list[dict[str, Any]]) -> None:
    """Real logins, one after the other: each has an auth key of its own."""
    dc, _, address = line["mtproto"].partition("@")
    host, _, port = address.partition(":")
    public_key = await asyncio.to_thread(Path(line["public_key_file"]).read_text)
    clients = Clients(MtprotoServer(int(dc), host, int(port), public_key))
    async with Database.open(data_dir / "porter.db") as database:
        vault = await open_vault(database, KeyConfig(None, None, None, data_dir / "porter.key"))
        sessions = SessionRepository(database, vault)
        logins = LoginService(LoginRepository(database, vault), sessions, Enrolment(sessions, vault), clients)
        for account in accounts:
            wanted = await logins.begin(1, ApiCredentials(account["api_id"], account["api_hash"]), account["phone"])
            code = await newest_code(Actor(driver, account["id"], line["bot_id"]))
            assert isinstance(await logins.code(wanted.attempt_id, code), SignedIn)
        await logins.close()


async def swept(porter: PorterProcess) -> dict[str, Any]:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.end_to_end.sweeper",
        env={**inherited, **porter.settings}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0
    answer: dict[str, Any] = json.loads(out.splitlines()[-1])
    return answer


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_one_sweep_leaves_nothing_behind(tmp_path: Path) -> None:
    """Less than 4 MB a session while it runs; threads and descriptors are what they were."""
    count = SESSIONS if os.environ.get("PORTER_PROVE") else FEW
    sandbox = SandboxProcess(tmp_path / "sandbox", "jetty")
    line = await sandbox.start()
    try:
        async with Driver.open(line["http"], line["token"]) as driver:
            porter = PorterProcess(line, tmp_path / "porter")
            await sign_in_all(driver, line, porter.data_dir, await driver.add_accounts(count))
            seen = await swept(porter)
            calls = await driver.calls()
    finally:
        await sandbox.stop()
    before, most, after, together = (seen[name] for name in ("before", "most", "after", "together"))
    growth = (most["rss"] - before["rss"]) / count
    opened = (together["rss"] - after["rss"]) / count
    mb = 2**20
    print(
        f"{count} sessions: {growth / mb:.2f} MB each while it runs ({before['rss'] / mb:.0f} MB before, "
        f"{most['rss'] / mb:.0f} at the most, {after['rss'] / mb:.0f} after), {opened / mb:.2f} MB each with all open; "
        f"threads {before['threads']}, {most['threads']}, {after['threads']}; descriptors {before['descriptors']}, "
        f"{most['descriptors']}, {after['descriptors']}, {together['descriptors']} with all open"
    )
    assert (seen["sessions"], seen["checked"]) == (count, count)
    assert sum("users.getUsers" in counts for account, counts in calls.items() if account) == count
    assert growth < MAX_GROWTH
    assert opened < MAX_GROWTH
    assert after["threads"] <= before["threads"]
    assert after["descriptors"] <= before["descriptors"]
