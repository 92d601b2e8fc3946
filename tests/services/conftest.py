"""A real database on a file, a sandbox on real sockets, and what services need of both."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.app import Sandbox, open_sandbox
from sandbox.scenarios import ADMIN, SECOND
from sandbox.world import HOME_DC
from sandbox.world import Account as WorldAccount
from sandbox.world import Channel as WorldChannel
from services.clients.base import ApiCredentials, Credential, MtprotoServer, SentCode
from services.clients.factory import Clients
from services.clients.pacing import Governor
from services.clients.pool import ClientPool
from services.credentials import masked_phone, pack
from services.errors import SessionDead
from services.leases import Leases, this_host, this_process
from storage.channels import ChannelRepository
from storage.database import Database
from storage.flood_waits import FloodWaitRepository
from storage.leases import LeaseRepository
from storage.logins import LoginRepository
from storage.models import Session
from storage.sessions import SessionRepository
from storage.types import utc_now
from storage.vault import KeyConfig, Vault, open_vault
from tests.seeds import agreed_key, seed_data, seed_sandbox


@dataclass
class Store:
    """Porter's storage: the repositories that clients and sessions stand on."""

    path: Path
    database: Database
    vault: Vault

    @property
    def sessions(self) -> SessionRepository:
        return SessionRepository(self.database, self.vault)

    @property
    def logins(self) -> LoginRepository:
        return LoginRepository(self.database, self.vault)

    @property
    def channels(self) -> ChannelRepository:
        return ChannelRepository(self.database)

    @property
    def flood_waits(self) -> FloodWaitRepository:
        return FloodWaitRepository(self.database)

    @property
    def leases(self) -> LeaseRepository:
        return LeaseRepository(self.database, this_process(), this_host())

    async def unleased(self, session_id: int) -> None:
        raise AssertionError(f"session {session_id} was taken by somebody else")

    async def add_session(self, credential: Credential, name: str = "Anna") -> Session:
        return await self.sessions.add(
            name=name,
            user_id=credential.user_id,
            account_name=name,
            username=None,
            masked_phone=masked_phone("+15550100101"),
            api_id=credential.api.api_id,
            api_hash=credential.api.api_hash,
            phone="+15550100101",
            credential=pack(credential),
            fingerprint=self.vault.fingerprint(credential.auth_key),
        )


@asynccontextmanager
async def open_store(directory: Path) -> AsyncIterator[Store]:
    path = directory / "porter.db"
    seed_data(directory)
    async with Database.open(path) as database:
        vault = await open_vault(database, KeyConfig(None, None, None, directory / "porter.key"))
        yield Store(path, database, vault)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(tmp_path / "data") as opened:
        yield opened


def as_root(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True, timeout=30)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 8 MiB, mounted."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)]
    mounted = shutil.which("mount") and subprocess.run(command, capture_output=True, check=False)
    if not mounted or mounted.returncode:
        pytest.skip("a file system cannot be mounted here: that takes root, and CAP_SYS_ADMIN in a container")
    try:
        yield place
    finally:
        if place.is_mount():
            as_root("umount", "--lazy", place)


@dataclass
class FakeTime:
    """A clock that goes only when somebody sleeps by it. `slept`: seconds, in order."""

    now: datetime = field(default_factory=utc_now)
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_seconds(seconds)
        await asyncio.sleep(0)

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Jetty:
    """A sandbox in small, and clients for it."""

    sandbox: Sandbox
    clients: Clients

    @property
    def admin(self) -> WorldAccount:
        """Has a password, and owns every channel."""
        return self.sandbox.world.accounts[ADMIN]

    @property
    def second(self) -> WorldAccount:
        """Has no password, and administers nothing."""
        return self.sandbox.world.accounts[SECOND]

    @property
    def private(self) -> WorldChannel:
        return next(c for c in self._channels if c.username is None and not c.megagroup)

    @property
    def public(self) -> WorldChannel:
        return next(c for c in self._channels if c.username)

    @property
    def gate(self) -> WorldChannel:
        """Where people wait."""
        return max(self._channels, key=lambda channel: len(channel.requests))

    @property
    def _channels(self) -> list[WorldChannel]:
        return list(self.sandbox.world.channels.values())

    def api(self, account: WorldAccount) -> ApiCredentials:
        return ApiCredentials(account.api_id, account.api_hash)

    def code(self, sent: SentCode | None = None) -> str:
        """The code that went out last."""
        code = list(self.sandbox.world.codes.values())[-1]
        assert sent is None or sent.code_hash == code.hash
        return code.code

    def calls(self, method: str) -> int:
        """How often it was asked, by anybody."""
        return sum(counts[method] for counts in self.sandbox.faults.counts.values())

    async def until_called(self, method: str) -> None:
        """The server has seen a call of it."""
        while not self.calls(method):  # noqa: ASYNC110 - the sandbox's counters set no event
            await asyncio.sleep(0.01)

    def sign_in(self, account: WorldAccount) -> Credential:
        """A session of that account, as a login leaves it: its auth key is agreed on without the arithmetic, which is
        most of what a test would take. Logins and handshakes have tests of their own."""
        key = agreed_key(self.sandbox.world, account)
        server = server_of(self.sandbox)
        return Credential(HOME_DC, server.host, server.port, key, self.api(account), account.id)


@pytest.fixture
async def jetty(tmp_path: Path) -> AsyncIterator[Jetty]:
    seed_sandbox(tmp_path / "sandbox")
    async with open_sandbox(scenario="jetty", data_dir=tmp_path / "sandbox") as sandbox:
        yield Jetty(sandbox, Clients(server_of(sandbox)))


def server_of(sandbox: Sandbox) -> MtprotoServer:
    dc_id, _, address = sandbox.mtproto.partition("@")
    host, _, port = address.rpartition(":")
    return MtprotoServer(int(dc_id), host, int(port), sandbox.public_key_file.read_text())


@dataclass
class Pooled:
    """One stored session of the admin's account, and a pool over it. `deaths`: what the pool reported."""

    pool: ClientPool
    session: Session
    credential: Credential
    time: FakeTime
    deaths: list[tuple[int, str]]


@asynccontextmanager
async def open_pool(jetty: Jetty, store: Store, **settings: Any) -> AsyncIterator[Pooled]:
    credential = jetty.sign_in(jetty.admin)
    session = await store.add_session(credential)
    deaths: list[tuple[int, str]] = []

    async def on_dead(session_id: int, error: SessionDead) -> None:
        deaths.append((session_id, error.reason))

    time = FakeTime()
    governor = Governor(store.flood_waits, clock=time, sleep=time.sleep)
    leases = Leases(store.leases, store.unleased)
    pool = ClientPool(store.sessions, jetty.clients, governor, leases, on_dead, **settings)
    try:
        yield Pooled(pool, session, credential, time, deaths)
    finally:
        await pool.close()


@pytest.fixture
async def pooled(jetty: Jetty, store: Store) -> AsyncIterator[Pooled]:
    async with open_pool(jetty, store) as opened:
        yield opened
