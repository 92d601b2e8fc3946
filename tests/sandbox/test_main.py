"""`python -m sandbox` as a process: its ready line, its end, and Porter as its child (a stand-in of a few lines)."""

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from sandbox import child
from sandbox.app import open_sandbox
from sandbox.driver import Actor, Driver

ROOT = Path(__file__).parents[2]

POLLING_BOT = """
import json, os, pathlib, urllib.request
pathlib.Path("environment.json").write_text(json.dumps(dict(os.environ)))
url = f"{os.environ['BOT_API_URL']}/bot{os.environ['BOT_TOKEN']}/getUpdates?timeout=30"
while True:
    urllib.request.urlopen(url).read()
"""
DYING_BOT = "import sys; sys.exit('cannot go on')"
STUBBORN_BOT = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + POLLING_BOT


def place_bot(directory: Path, source: str) -> None:
    """Make `python -m bot` mean that source for processes that are started in the directory."""
    (directory / "bot").mkdir()
    (directory / "bot" / "__init__.py").touch()
    (directory / "bot" / "__main__.py").write_text(source)


@asynccontextmanager
async def sandbox_process(cwd: Path, *arguments: str, **env: str) -> AsyncIterator[asyncio.subprocess.Process]:
    clean = {name: value for name, value in os.environ.items() if name not in ("ADMIN_IDS", "DATA_DIR", "BOT_TOKEN")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "--scenario", "jetty", *arguments,
        cwd=cwd, env=clean | {"PYTHONPATH": str(ROOT)} | env,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), 30)
    assert line, await rest_of(process)
    answer: dict[str, Any] = json.loads(line)
    return answer


async def rest_of(process: asyncio.subprocess.Process) -> str:
    """What it wrote to stderr until its end."""
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    return errors.decode()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_one_line_then_a_running_sandbox(tmp_path: Path) -> None:
    """The line says all that anyone needs; SIGTERM ends it with 0, and nothing else is written to stdout.

    On stderr stands one address, the page's, which opens; a browser that listens there does not hold up the end.
    """
    async with sandbox_process(tmp_path) as process:
        line = await ready(process)
        assert sorted(line) == [
            "accounts", "admin_id", "bot_api", "bot_id", "bot_pid", "bot_token", "http", "mtproto",
            "public_key_file", "token",
        ]  # fmt: skip
        assert line["bot_pid"] is None
        assert line["mtproto"].startswith("2@127.0.0.1:")
        key_file = tmp_path / ".sandbox" / "mtproto_public.pem"
        assert line["public_key_file"] == str(key_file)
        assert key_file.read_text().startswith("-----BEGIN RSA PUBLIC KEY-----")
        admin = next(account for account in line["accounts"] if account["id"] == line["admin_id"])
        assert sorted(admin) == ["api_hash", "api_id", "code", "id", "name", "password", "phone"]
        host, port = line["mtproto"].partition("@")[2].split(":")
        socket.create_connection((host, int(port)), 5).close()
        async with Driver.open(line["http"], line["token"]) as driver:
            assert (await driver.state())["bots"][0]["id"] == line["bot_id"]
        page = f"{line['http']}/?token={line['token']}"
        # Cookies of an address without a name are kept only by a jar that is asked to.
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
            async with browser.get(page) as response:
                assert (response.status, response.url.query_string) == (200, "")
            events = await browser.get(f"{line['http']}/sandbox/events", params={"as": line["admin_id"]})
            assert events.status == 200
            process.send_signal(signal.SIGTERM)
            out, errors = await asyncio.wait_for(process.communicate(), 30)
            assert b"retry:" in await events.read()
        assert (process.returncode, out) == (0, b"")
        said = errors.decode()
        assert line["bot_token"] not in said
        assert re.findall(r"https?://\S+", said) == [page]
        assert f"You are {admin['name']}" in said


async def test_the_next_start_goes_on(tmp_path: Path) -> None:
    """Chats, updates that wait for the bot, the RSA key and the addresses outlive a restart; the token does not."""
    async with open_sandbox(scenario="jetty", data_dir=tmp_path) as sandbox:
        key, token = sandbox.public_key_file.read_text(), sandbox.token
        addresses = sandbox.http, sandbox.mtproto
        async with Driver.open(sandbox.http, sandbox.token) as driver:
            admin = Actor(driver, sandbox.admin_id, sandbox.bot.id)
            await admin.send("remember me")
            await admin.upload("notes.txt", b"bytes")
    async with open_sandbox(scenario="jetty", data_dir=tmp_path) as sandbox:
        assert sandbox.public_key_file.read_text() == key
        assert sandbox.token != token
        assert (sandbox.http, sandbox.mtproto) == addresses
        assert token not in repr(sandbox)
        session = AiohttpSession(api=TelegramAPIServer.from_base(sandbox.bot_api))
        async with Bot(sandbox.bot_token, session) as bot:
            said, sent = [update.message for update in await bot.get_updates(timeout=0)]
            assert said is not None
            assert sent is not None
            assert said.text == "remember me"
            assert sent.document is not None
            content = await bot.download(sent.document)
            assert content is not None
            assert content.read() == b"bytes"


async def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    """A port that is in use ends the start with exit code 1 and one line."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with sandbox_process(tmp_path, "--http-port", str(taken.getsockname()[1])) as process:
            errors = await rest_of(process)
    assert process.returncode == 1
    assert "The sandbox does not start: " in errors
    assert "Traceback" not in errors


async def test_porter_as_a_child(tmp_path: Path) -> None:
    """The line comes once Porter polls and names its process; it runs on the sandbox alone, and ends with it."""
    place_bot(tmp_path, POLLING_BOT)
    (tmp_path / ".env").write_text("BOT_TOKEN=1:real\n")
    async with sandbox_process(tmp_path, "--with-bot") as process:
        line = await ready(process)
        assert is_alive(line["bot_pid"])
        environment = json.loads((tmp_path / "environment.json").read_text())
        assert {name: environment[name] for name in ("BOT_TOKEN", "BOT_API_URL", "MTPROTO_SERVER", "ENV_FILE")} == {
            "BOT_TOKEN": line["bot_token"],
            "BOT_API_URL": line["bot_api"],
            "MTPROTO_SERVER": line["mtproto"],
            "ENV_FILE": "",
        }
        assert environment["MTPROTO_PUBLIC_KEY_FILE"] == line["public_key_file"]
        assert environment["ADMIN_IDS"] == str(line["admin_id"])
        assert environment["DATA_DIR"] == str(tmp_path / ".sandbox" / "porter" / "data")
        assert not {"API_ID", "API_HASH"} & set(environment)
        process.send_signal(signal.SIGINT)
        said = await rest_of(process)
        assert process.returncode == 0
        assert not is_alive(line["bot_pid"])
        assert "Porter runs on the sandbox" in said
        assert f"{line['http']}/?token={line['token']}" in said


async def test_what_is_given_stays(tmp_path: Path) -> None:
    """An empty ADMIN_IDS counts as given (Porter prints its claim link), and so does a DATA_DIR."""
    place_bot(tmp_path, POLLING_BOT)
    async with sandbox_process(tmp_path, "--with-bot", ADMIN_IDS="", DATA_DIR="/somewhere", API_ID="5") as process:
        await ready(process)
        environment = json.loads((tmp_path / "environment.json").read_text())
        assert (environment["ADMIN_IDS"], environment["DATA_DIR"], environment["API_ID"]) == ("", "/somewhere", "5")
        process.send_signal(signal.SIGTERM)
        await rest_of(process)


async def test_a_child_that_dies_ends_the_sandbox(tmp_path: Path) -> None:
    """When Porter does not come up, the sandbox says so, shows its log, and exits with 1."""
    place_bot(tmp_path, DYING_BOT)
    async with sandbox_process(tmp_path, "--with-bot") as process:
        errors = await rest_of(process)
    assert process.returncode == 1
    assert "cannot go on" in errors
    assert "Porter has ended by itself, with exit code 1" in errors


async def test_a_child_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that ignores SIGTERM is killed when its time is over."""
    place_bot(tmp_path, STUBBORN_BOT)
    monkeypatch.chdir(tmp_path)
    async with open_sandbox(scenario="jetty", data_dir=tmp_path / "sandbox") as sandbox:
        async with child.porter(sandbox, tmp_path, stop_s=0.3) as process:
            await asyncio.wait_for(sandbox.api.updates.polled(sandbox.bot.id), 20)
            ending = time.monotonic()
        assert process.returncode == -signal.SIGKILL
        assert 0.2 < time.monotonic() - ending < 5
