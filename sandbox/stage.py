"""Porter as a child process against a sandbox: started, killed, stopped, started again. For the demo and the tests."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

START_SECONDS = 60.0
STOP_SECONDS = 10.0

# Of our own environment, a child gets what makes Python run, and nothing that is Porter's.
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")


class PorterProcess:
    """`python -m bot` on the sandbox that `line` describes (its ready line). State lies in `home`.

    `env` overrides settings; an empty value takes one away. The log is kept at `home/porter.log`, every start's after
    the other's.
    """

    def __init__(self, line: dict[str, Any], home: Path, **env: str) -> None:
        self._line = line
        self._env = env
        self._process: asyncio.subprocess.Process | None = None
        self.home = home
        self.data_dir = home / "data"
        self.download_dir = home / "downloads"
        self.log_path = home / "porter.log"

    @property
    def settings(self) -> dict[str, str]:
        line = self._line
        given = {
            "BOT_TOKEN": line["bot_token"],
            "BOT_API_URL": line["bot_api"],
            "MTPROTO_SERVER": line["mtproto"],
            "MTPROTO_PUBLIC_KEY_FILE": line["public_key_file"],
            "ADMIN_IDS": str(line["admin_id"]),
            "DATA_DIR": str(self.data_dir),
            "DOWNLOAD_DIR": str(self.download_dir),
            "ENV_FILE": "",
            "LOG_LEVEL": "INFO",
        }
        return {**given, **self._env}

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    async def begin(self) -> None:
        """Returns while it starts."""
        self.home.mkdir(parents=True, exist_ok=True)
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with self.log_path.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", env={**inherited, **self.settings}, stdout=log, stderr=log
            )

    async def start(self) -> None:
        """Returns once it works. Raises RuntimeError with its log when it ends before that."""
        mark = len(self.log())
        await self.begin()
        deadline = time.monotonic() + START_SECONDS
        while "Porter polls" not in self.log()[mark:]:
            if not self.is_running or time.monotonic() > deadline:
                raise RuntimeError(f"Porter did not start:\n{self.log()[mark:]}")
            await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> float:
        """SIGTERM; how many seconds it took to end. Killed, with an error, when it takes too long."""
        assert self._process is not None
        started = time.monotonic()
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        except TimeoutError:
            await self.kill()
            raise RuntimeError(f"Porter did not stop in {STOP_SECONDS:.0f} s:\n{self.log()[-3000:]}") from None
        return time.monotonic() - started

    async def wait(self) -> int:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None
        return await self._process.wait()


class SandboxProcess:
    """`python -m sandbox` as a child, so that neither it nor Porter slows the other's event loop."""

    def __init__(self, data_dir: Path, scenario: str) -> None:
        self._data_dir = data_dir
        self._scenario = scenario
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> dict[str, Any]:
        """The ready line."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox", "--scenario", self._scenario, "--data-dir", str(self._data_dir),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        line = await asyncio.wait_for(self._process.stdout.readline(), START_SECONDS)
        if not line:
            raise RuntimeError("the sandbox did not start")
        ready: dict[str, Any] = json.loads(line)
        return ready

    async def stop(self) -> None:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
            await self._process.wait()
