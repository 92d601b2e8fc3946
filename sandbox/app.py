"""The sandbox put together: one World, the MTProto servers, the Bot API and the control API. For tests, in-process:

async with open_sandbox(scenario="jetty", data_dir=tmp_path) as sandbox:
    bot = Bot(sandbox.bot_token, AiohttpSession(api=TelegramAPIServer.from_base(sandbox.bot_api)))
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.bot_api import BotApi
from sandbox.control.view import credentials
from sandbox.faults import Faults
from sandbox.front import open_front
from sandbox.mtproto import methods, pushes
from sandbox.mtproto.rpc import Services
from sandbox.mtproto.server import FILES_DC, HOST, MtprotoServers
from sandbox.persistence import saved_world
from sandbox.ports import Ports
from sandbox.world import HOME_DC, Account, World

assert methods  # imported for its registrations


@dataclass
class Sandbox:
    """A running sandbox. `http`: base of the control API and of the Bot API; `token`: of the control API."""

    world: World = field(repr=False)
    faults: Faults
    servers: MtprotoServers
    api: BotApi
    http: str
    token: str = field(repr=False)

    @property
    def bot(self) -> Account:
        """The scenario's bot: the one that Porter runs as."""
        return next(account for account in self.world.accounts.values() if account.is_bot)

    @property
    def bot_token(self) -> str:
        assert self.bot.token is not None
        return self.bot.token

    @property
    def bot_api(self) -> str:
        """For aiogram's TelegramAPIServer.from_base."""
        return self.http

    @property
    def page(self) -> str:
        """Where one chats with it in a browser: the address opens everything in here."""
        return f"{self.http}/?token={self.token}"

    @property
    def mtproto(self) -> str:
        """DC@HOST:PORT, as MTPROTO_SERVER takes it."""
        return f"{HOME_DC}@{HOST}:{self.servers.ports[HOME_DC]}"

    @property
    def public_key_file(self) -> Path:
        return self.servers.public_key_file.resolve()

    @property
    def admin_id(self) -> int:
        return self.world.admin_id

    def line(self, bot_pid: int | None = None) -> dict[str, Any]:
        """What `python -m sandbox` prints when it is ready."""
        return {
            "http": self.http,
            "bot_api": self.bot_api,
            "mtproto": self.mtproto,
            "public_key_file": str(self.public_key_file),
            "bot_token": self.bot_token,
            "bot_id": self.bot.id,
            "bot_pid": bot_pid,
            "token": self.token,
            "admin_id": self.admin_id,
            "accounts": [credentials(account) for account in self.world.accounts.values() if account.phone],
        }


@asynccontextmanager
async def open_sandbox(
    *, scenario: str = "harbour", data_dir: Path, http_port: int = 0, mtproto_port: int = 0
) -> AsyncIterator[Sandbox]:
    """Open what `data_dir` holds, or the scenario anew. Raises OSError when a port is taken.

    Port 0 takes that of the last start, if it is free: logins remember where their Telegram was. Else any free one.
    """
    _make_private(data_dir)
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(saved_world(data_dir, scenario))
        faults = Faults()
        services = Services(world, faults)
        ports = Ports(data_dir)
        home, files = mtproto_port or ports.last("home"), ports.last("files")
        servers = MtprotoServers(services, data_dir, port=home, files_port=files)
        pushes.attach(services)
        await stack.enter_async_context(servers.running())
        token = secrets.token_urlsafe(24)
        http = http_port or ports.last("http")
        front = await stack.enter_async_context(open_front(world, faults, servers.network, token, port=http))
        ports.remember(home=servers.ports[HOME_DC], files=servers.ports[FILES_DC], http=front.port)
        yield Sandbox(world, faults, servers, front.api, front.url, token)


def _make_private(directory: Path) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
