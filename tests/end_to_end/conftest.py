"""A sandbox and Porter as processes of their own, an admin at the control API."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox import walks
from sandbox.driver import Actor, Driver
from sandbox.stage import PorterProcess, SandboxProcess


@dataclass
class Stage:
    """Everything of one play. `line`: the sandbox's ready line."""

    line: dict[str, Any]
    driver: Driver
    admin: Actor
    porter: PorterProcess

    @property
    def account(self) -> dict[str, Any]:
        return next(entry for entry in self.line["accounts"] if entry["id"] == self.line["admin_id"])

    async def channel(self, *, private: bool = False, gate: bool = False) -> dict[str, Any]:
        """The private channel, or the one where people wait."""
        channels = (await self.driver.state())["channels"]
        if gate:
            return max(channels, key=lambda channel: channel["pending_requests"])
        return next(c for c in channels if c["private"] is private and c["pending_requests"] == 0)

    async def log_in(self) -> None:
        await walks.log_in(self.admin, self.account)


@asynccontextmanager
async def open_stage(home: Path, scenario: str, **env: str) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        sandbox = SandboxProcess(home / "sandbox", scenario)
        line = await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        driver = await stack.enter_async_context(Driver.open(line["http"], line["token"]))
        porter = PorterProcess(line, home / "porter", **env)
        await porter.start()
        stack.push_async_callback(porter.stop)
        yield Stage(line, driver, Actor(driver, line["admin_id"], line["bot_id"]), porter)


@pytest.fixture
async def jetty(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, "jetty") as stage:
        yield stage


@pytest.fixture
async def harbour(tmp_path: Path) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, "harbour", LOG_LEVEL="DEBUG") as stage:
        yield stage
