"""Porter as compose.yaml runs it: a user without a name, a read-only root, a home nowhere."""

import asyncio
import base64
import os
import re
import secrets
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest

from sandbox import walks
from sandbox.app import open_sandbox
from sandbox.driver import Actor, Driver
from tests.end_to_end.box import STRANGER, Box


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: a whole process in a box of its own")
async def test_it_works_as_a_stranger_in_a_read_only_root(tmp_path: Path) -> None:
    """It starts, is healthy by its own check, signs in, loads who waits, saves a channel, and ends with 0 at SIGTERM.
    What it wrote belongs to that user; the key came from the secret file, so none lies beside the database."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with (
        open_sandbox(scenario="jetty", data_dir=tmp_path / "sandbox") as sandbox,
        Driver.open(sandbox.http, sandbox.token) as driver,
    ):
        box = Box(tmp_path / "box")
        box.env = {
            "ENV_FILE": "",
            "PYTHONDONTWRITEBYTECODE": "1",
            "BOT_TOKEN": sandbox.bot_token,
            "ADMIN_IDS": str(sandbox.admin_id),
            "BOT_API_URL": sandbox.bot_api,
            "MTPROTO_SERVER": sandbox.mtproto,
            "MTPROTO_PUBLIC_KEY_FILE": box.put_secret("server.pem", sandbox.public_key_file.read_text()),
            "MASTER_KEY_FILE": box.put_secret("porter_key", base64.b64encode(secrets.token_bytes(32)).decode()),
            "DATA_DIR": "/data",
            "DOWNLOAD_DIR": "/downloads",
            "HEALTH_PORT": str(port),
        }
        porter = await box.begin("-m", "bot")
        try:
            async with asyncio.timeout(90):
                while "Porter polls" not in box.log:
                    assert porter.returncode is None, box.log
                    await asyncio.sleep(0.1)
            async with asyncio.timeout(30):
                while await (await box.begin("-m", "bot", "health")).wait():  # noqa: ASYNC110 - a process at a time
                    await asyncio.sleep(0.1)
            assert "Porter is well" in box.log

            admin = Actor(driver, sandbox.admin_id, sandbox.bot.id)
            channels = (await driver.state())["channels"]
            gate = max(channels, key=lambda channel: channel["pending_requests"])
            private = next(each for each in channels if each["private"] and each is not gate)
            await walks.log_in(admin, next(a for a in sandbox.line()["accounts"] if a["id"] == sandbox.admin_id))
            await walks.load_requests(admin, str(gate["id"]))
            await walks.add_source(admin, private["title"])
            await walks.scrape(admin)
            porter.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(porter.wait(), 30) == 0
        finally:
            if porter.returncode is None:
                porter.kill()
                await porter.wait()
        written = [path for place in ("data", "downloads") for path in (box.home / place).rglob("*")]
        assert {path.stat().st_uid for path in written} == {STRANGER}
        assert any(path.is_file() and "downloads" in path.parts for path in written)
        assert not any(path.suffix == ".key" for path in written)
        assert "Porter stopped" in box.log
        assert not re.search(r"Permission denied|Read-only|Traceback", box.log), box.log


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.skipif(not os.environ.get("PORTER_PROVE"), reason="make prove: a whole process in a box of its own")
async def test_folders_of_another_user_are_refused_in_one_line(tmp_path: Path) -> None:
    """With another PUID than the folders' owner it does not start, and says which file it may not touch."""
    box = Box(tmp_path / "box")
    os.chown(box.home / "data", 0, 0)
    box.env = {"ENV_FILE": "", "BOT_TOKEN": "7000000001:" + "A" * 35, "DATA_DIR": "/data", "DOWNLOAD_DIR": "/downloads"}
    porter = await box.begin("-m", "bot")
    assert await asyncio.wait_for(porter.wait(), 60) == 2
    assert box.log == "Porter does not start: /data/porter.lock: Permission denied\n"
