"""Porter in this process on a sandbox in this process: real sockets, real client libraries, one event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telethon.crypto import AuthKey as TelethonAuthKey
from telethon.sessions import StringSession

from bot.app import App, open_app
from bot.house import House
from bot.pace import ChatPace
from bot.rows import Rows
from bot.settings import Settings
from sandbox.app import Sandbox, open_sandbox
from sandbox.driver import Actor, Driver
from sandbox.world import HOME_DC, Account, Channel
from services.clients.base import ApiCredentials
from services.leases import this_host, this_process
from storage.database import Database
from storage.leases import LeaseRepository
from storage.models import Session
from storage.vault import open_vault
from tests.seeds import agreed_key, seed_data, seed_sandbox


@dataclass
class Play:
    """A sandbox, a Porter that can be closed and opened again on the same data, and the admin's hand."""

    sandbox: Sandbox
    driver: Driver
    admin: Actor
    settings: Settings
    app: App = field(init=False)
    _stack: AsyncExitStack | None = None

    @property
    def account(self) -> dict[str, Any]:
        """The admin's own account, as somebody must know it to log in."""
        return next(a for a in self.sandbox.line()["accounts"] if a["id"] == self.sandbox.admin_id)

    @property
    def gate(self) -> Channel:
        """Where people wait."""
        return next(channel for channel in self.sandbox.world.channels.values() if channel.approval)

    @property
    def private(self) -> Channel:
        """The channel that is worth carrying home."""
        channels = self.sandbox.world.channels.values()
        return next(c for c in channels if c.username is None and not c.megagroup)

    @property
    def public(self) -> Channel:
        return next(c for c in self.sandbox.world.channels.values() if c.username)

    def stranger(self) -> Account:
        """Somebody with a phone who is no admin."""
        accounts = self.sandbox.world.accounts.values()
        return next(a for a in accounts if a.phone and a.id != self.sandbox.admin_id and not a.is_bot)

    def actor(self, account_id: int) -> Actor:
        return Actor(self.driver, account_id, self.sandbox.bot.id)

    @property
    def house(self) -> House:
        """The services of the Porter that is open."""
        return self.app.house

    async def sign_in(self, account_id: int | None = None) -> Session:
        """That account (the admin's own) is in Porter's hands, by a session that is brought along: real, and in a
        tenth of the time of a login. Who tests logins taps the whole way (sandbox/walks.py)."""
        world = self.sandbox.world
        account = world.accounts[account_id or self.sandbox.admin_id]
        key = agreed_key(world, account)
        host, _, port = self.sandbox.mtproto.partition("@")[2].partition(":")
        brought = StringSession()
        brought.set_dc(HOME_DC, host, int(port))
        brought.auth_key = TelethonAuthKey(key)
        imports = self.house.imports
        candidate = await imports.inspect(brought.save())
        return (await imports.confirm(candidate, ApiCredentials(account.api_id, account.api_hash))).session

    async def open(self) -> None:
        self._stack = AsyncExitStack()
        self.app = await self._stack.enter_async_context(running(self.settings))
        self.house.requests.bulk.undo_seconds = 0.0  # who tests the time to take it back sets one

    async def close(self) -> None:
        if self._stack is not None:
            await self._stack.aclose()
            self._stack = None

    async def restart(self) -> None:
        await self.close()
        await self.open()


async def rows_of(database: Database, settings: Settings) -> Rows:
    """The repositories of a database, looked into beside Porter or while it is closed."""
    vault = await open_vault(database, settings.keys)
    return Rows.on(database, vault, LeaseRepository(database, this_process(), this_host()))


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[App]:
    """An App that polls, stopped at exit as SIGTERM would."""
    stop = asyncio.Event()
    async with open_app(settings, ChatPace(burst=100_000)) as app:
        work = asyncio.create_task(app.run(stop))
        try:
            yield app
        finally:
            stop.set()
            await work


def settings_for(sandbox: Sandbox, home: Path, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "bot_token": sandbox.bot_token,
        "admin_ids": str(sandbox.admin_id),
        "bot_api_url": sandbox.bot_api,
        "mtproto_server": sandbox.mtproto,
        "mtproto_public_key_file": sandbox.public_key_file,
        "data_dir": home / "data",
        "download_dir": home / "downloads",
    }
    return Settings(_env_file=None, **{**given, **changes})


@asynccontextmanager
async def open_play(home: Path, scenario: str = "jetty", **changes: Any) -> AsyncIterator[Play]:
    seed_sandbox(home / "sandbox")
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(open_sandbox(scenario=scenario, data_dir=home / "sandbox"))
        driver = await stack.enter_async_context(Driver.open(sandbox.http, sandbox.token))
        await driver.network(bot_limits=False)
        admin = Actor(driver, sandbox.admin_id, sandbox.bot.id)
        play = Play(sandbox, driver, admin, settings_for(sandbox, home, **changes))
        seed_data(play.settings.data_dir)
        stack.push_async_callback(play.close)
        await play.open()
        yield play
