"""Where everything is measured: a sandbox in its own process, Porter's services in this one, the libraries beside them.

All of them are the same account on the same sandbox and work in turn. A `Yard` holds the sandbox and the account's
credential; `telethon` and `kurigram` open a library as its users do, `porter` what Porter needs to scrape.
"""

import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any

import pyrogram
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pyrogram.crypto import rsa as pyrogram_rsa
from pyrogram.storage import SQLiteStorage
from telethon import TelegramClient
from telethon.crypto import AuthKey
from telethon.crypto import rsa as telethon_rsa
from telethon.errors import SessionPasswordNeededError
from telethon.sessions import MemorySession
from telethon.tl.tlobject import TLObject
from telethon.utils import get_peer_id

from sandbox.driver import Driver
from sandbox.stage import SandboxProcess
from sandbox.world import SERVICE_ID
from services.clients.base import ApiCredentials, Credential, MtprotoServer
from services.clients.factory import Clients
from services.clients.pacing import Governor
from services.clients.pool import ClientPool
from services.credentials import pack
from services.errors import SessionDead
from services.history import WINDOWS_AHEAD
from services.lanes import WINDOW_BYTES, Lanes
from services.leases import Leases, this_host, this_process
from services.runs import RunContext
from services.scraping import Scraper
from services.targets import Targets
from storage.channels import ChannelRepository
from storage.database import Database
from storage.files import FileRepository
from storage.flood_waits import FloodWaitRepository
from storage.leases import LeaseRepository
from storage.models import Channel, ChannelKind, Filters, NewSource, Run, RunKind, RunStatus, Source, TargetKind
from storage.runs import RunRepository
from storage.sessions import SessionRepository
from storage.sources import SourceRepository
from storage.types import utc_now
from storage.vault import KeyConfig, Vault, open_vault

RTT_MS = 50.0


@dataclass
class Yard:
    """`home`: a directory that goes with it. `credential`: of the admin's account."""

    home: Path
    line: dict[str, Any]
    sandbox_pid: int
    driver: Driver
    credential: Credential
    access_hashes: dict[int, int]  # by channel id, as the Bot API shows it

    @property
    def server(self) -> MtprotoServer:
        return MtprotoServer(self.credential.dc_id, self.credential.host, self.credential.port, _public_key(self.line))

    # -- what is there to carry

    async def channel(self, *, private: bool) -> int:
        """The id of the scenario's private channel, or of its public one."""
        channels = (await self.driver.state())["channels"]
        return int(next(c["id"] for c in channels if c["private"] is private and not c["pending_requests"]))

    # -- who carries it

    @asynccontextmanager
    async def telethon(self) -> AsyncIterator[TelegramClient]:
        session = MemorySession()
        session.set_dc(self.credential.dc_id, self.credential.host, self.credential.port)
        session.auth_key = AuthKey(self.credential.auth_key)
        TelegramClient._config = None
        api = self.credential.api
        client = TelegramClient(session, api.api_id, api.api_hash, receive_updates=False)
        await client.connect()
        await client.get_dialogs()  # it must have met a channel to read it
        try:
            yield client
        finally:
            await client.disconnect()

    @asynccontextmanager
    async def kurigram(self) -> AsyncIterator[pyrogram.Client]:
        _trust_in_pyrogram(self.server.public_key_pem)
        credential, hashes = self.credential, self.access_hashes

        class Filled(SQLiteStorage):  # type: ignore[misc]
            async def open(self) -> None:
                await super().open()
                await self.dc_id(credential.dc_id)
                await self.server_address(credential.host)
                await self.port(credential.port)
                await self.api_id(credential.api.api_id)
                await self.test_mode(False)
                await self.auth_key(credential.auth_key)
                await self.user_id(credential.user_id)
                await self.is_bot(False)

        client = pyrogram.Client(
            "peer",
            api_id=credential.api.api_id,
            api_hash=credential.api.api_hash,
            storage_engine=Filled("peer", None, in_memory=True),
            no_updates=True,
        )
        await client.start()
        await client.storage.update_peers([(peer_id, hash_, "channel", None) for peer_id, hash_ in hashes.items()])
        try:
            yield client
        finally:
            await client.stop()

    @asynccontextmanager
    async def porter(
        self, name: str = "porter", windows: int = WINDOWS_AHEAD, window_bytes: int = WINDOW_BYTES
    ) -> AsyncIterator["Porter"]:
        """Database, vault, pool and scraper, as bot/app.py puts them together. Its state lies in home/NAME.

        `windows`: pages of history that are asked for at once. `window_bytes`: of files that are in flight."""
        home = self.home / name
        async with AsyncExitStack() as stack:
            database = await stack.enter_async_context(Database.open(home / "porter.db"))
            vault = await open_vault(database, KeyConfig(None, None, None, home / "porter.key"))
            sessions = SessionRepository(database, vault)
            leases = Leases(LeaseRepository(database, this_process(), this_host()), _no_loss)
            governor = Governor(FloodWaitRepository(database))
            pool = ClientPool(sessions, Clients(self.server), governor, leases, _no_death)
            stack.push_async_callback(pool.close)
            session_id = await self.store_session(sessions, vault)
            channels = ChannelRepository(database)
            for channel_id in self.access_hashes:
                seen = Channel(channel_id, str(channel_id), None, ChannelKind.CHANNEL, None, None, utc_now())
                await channels.add_seen(session_id, seen, may_invite=False)
            scraper = Scraper(
                SourceRepository(database),
                FileRepository(database),
                pool,
                Targets(home / "downloads"),
                Lanes(window_bytes),
                windows=windows,
            )
            yield Porter(home / "downloads", session_id, database, pool, scraper, sessions)

    async def store_session(self, sessions: SessionRepository, vault: Vault) -> int:
        """The account as a session with what it has met. Answers its id."""
        session = await sessions.add(
            name="Anna",
            user_id=self.credential.user_id,
            account_name="Anna",
            username=None,
            masked_phone="",
            api_id=self.credential.api.api_id,
            api_hash=self.credential.api.api_hash,
            phone=None,
            credential=pack(self.credential),
            fingerprint=vault.fingerprint(self.credential.auth_key),
        )
        await sessions.put_peers(session.id, self.access_hashes)
        return session.id


@dataclass
class Porter:
    """What `Yard.porter` opened."""

    downloads: Path
    session_id: int
    database: Database
    pool: ClientPool
    scraper: Scraper
    sessions: SessionRepository

    def __post_init__(self) -> None:
        self.sources = SourceRepository(self.database)
        self.files = FileRepository(self.database)

    async def connect(self) -> None:
        """Open the client, as it is when a source is scraped for the second time."""
        async with self.pool.reading(self.session_id) as client:
            await client.me()

    async def save(self, name: str, channel_id: int, filters: Filters | None = None) -> Source:
        new = NewSource(name, self.session_id, channel_id, filters or Filters(), TargetKind.LOCAL, name.lower())
        return await self.sources.add(new)

    async def scrape(self, source: Source) -> Run:
        """One run to its end. Raises what ends it early."""
        async with self.run(RunKind.SCRAPE, source.id, source.name) as context:
            await self.scraper.work(context)
        return context.run

    @asynccontextmanager
    async def run(self, kind: RunKind, subject_id: int, title: str) -> AsyncIterator[RunContext]:
        """A run that is under way while the block is, and is done at its end."""
        runs = RunRepository(self.database)
        run = await runs.add(kind, subject_id, title, priority=0, requested_by=None, params={})
        assert run is not None
        context = RunContext(run, runs, _Deaf())
        yield context
        await context.save()
        await runs.set_status(run.id, RunStatus.DONE)


class _Deaf:
    """Implements services.notifier.Notifier for nobody."""

    def run_progressed(self, run: Run) -> None:
        pass

    async def run_settled(self, run: Run) -> None:
        pass

    async def requests_arrived(self, channel_id: int, count: int) -> None:
        pass

    async def channel_grew(self, title: str) -> None:
        pass

    async def session_died(self, outage: Any) -> None:
        pass


@asynccontextmanager
async def open_yard(scenario: str = "jetty") -> AsyncIterator[Yard]:
    """The line is plain loopback until `driver.network` says otherwise; the Bot API has no limits."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="porter-bench-")))
        sandbox = SandboxProcess(home / "sandbox", scenario)
        line = await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        driver = await stack.enter_async_context(Driver.open(line["http"], line["token"]))
        await driver.network(bot_limits=False)
        credential, access_hashes = await _log_in(line, driver)
        yield Yard(home, line, sandbox.pid, driver, credential, access_hashes)


async def _log_in(line: dict[str, Any], driver: Driver) -> tuple[Credential, dict[int, int]]:
    """The admin's account signed in, and the channels that it sees."""
    account = next(each for each in line["accounts"] if each["id"] == line["admin_id"])
    telethon_rsa.add_key(_public_key(line), old=False)
    TelegramClient._config = None
    dc, _, address = line["mtproto"].partition("@")
    host, _, port = address.partition(":")
    session = MemorySession()
    session.set_dc(int(dc), host, int(port))
    client = TelegramClient(session, account["api_id"], account["api_hash"], receive_updates=False)
    await client.connect()
    try:
        sent = await client.send_code_request(account["phone"])
        texts = [message["text"] for message in await driver.messages(SERVICE_ID, account["id"])]
        code = re.findall(r"Login code: (\d+)", "\n".join(texts))[-1]
        try:
            await client.sign_in(account["phone"], code, phone_code_hash=sent.phone_code_hash)
        except SessionPasswordNeededError:
            await client.sign_in(password=account["password"])
        dialogs = [dialog.input_entity for dialog in await client.get_dialogs() if dialog.is_channel]
        api = ApiCredentials(account["api_id"], account["api_hash"])
        auth_key = client.session.auth_key.key
    finally:
        await client.disconnect()
    credential = Credential(int(dc), host, int(port), auth_key, api, account["id"])
    return credential, {get_peer_id(peer): peer.access_hash for peer in dialogs}


def _public_key(line: dict[str, Any]) -> str:
    return Path(line["public_key_file"]).read_text()


def _trust_in_pyrogram(public_key_pem: str) -> None:
    """Its list of keys goes by fingerprint: https://core.telegram.org/mtproto/auth_key, step 3."""
    key = serialization.load_pem_public_key(public_key_pem.encode())
    assert isinstance(key, RSAPublicKey)
    numbers = key.public_numbers()
    spelt = b"".join(TLObject.serialize_bytes(telethon_rsa.get_byte_array(each)) for each in (numbers.n, numbers.e))
    fingerprint = int.from_bytes(sha1(spelt, usedforsecurity=False).digest()[-8:], "little", signed=True)
    pyrogram_rsa.server_public_keys[fingerprint] = pyrogram_rsa.PublicKey(numbers.n, numbers.e)


async def _no_loss(session_id: int) -> None:
    raise AssertionError(f"session {session_id} was taken in a benchmark")


async def _no_death(session_id: int, error: SessionDead) -> None:
    raise AssertionError(f"session {session_id} died in a benchmark") from error
