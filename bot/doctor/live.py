"""The round against Telegram that `doctor --live` makes: each claim is looked at, nothing is changed.

A session lives in one process: Porter is off meanwhile (the lock of DATA_DIR, and leases as a start takes them), and a
database that waits for an owner's word is left alone. What may be asked stands in live_allowed.py, and is kept before
anything is sent; what is believed stands at the end of live_account.py, live_reading.py, live_links.py, live_files.py,
live_gate.py and live_bot.py; the round itself in live_round.py.
docs/decisions/0029-a-round-against-the-real-telegram.md says why it is so.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from bot.doctor.findings import Finding, Severity
from bot.doctor.live_allowed import CALLS_OF_AN_ACCOUNT, CALLS_OF_THE_BOT, PACE_SECONDS
from bot.doctor.live_round import ROUND, Pacing, Store, make_round
from bot.doctor.live_scene import Account
from bot.lock import hold_lock
from bot.settings import Settings, SettingsInvalid
from services.clients.factory import Clients
from services.clients.pacing import Governor
from services.clients.peers import channel_of
from services.clients.probe import Guard, Sleep
from services.clients.proxy import unpack as unpack_proxy
from services.credentials import unpack
from services.errors import PorterError
from services.leases import Leases, take_over, this_host, this_process
from storage.admins import AdminRepository
from storage.channels import ChannelRepository
from storage.database import Database
from storage.flood_waits import FloodWaitRepository
from storage.home import settle
from storage.leases import LeaseRepository
from storage.migrate import is_current
from storage.models import Role, Session, SessionState
from storage.restore import PLACING, READY
from storage.restored import RestoredRepository
from storage.sessions import SessionRepository
from storage.vault import Vault, open_vault

MOST_CHANNELS = 50
"""So many of Porter's channels are looked for beside the account's newest chats."""

Ask = Callable[[str], Awaitable[bool]]


class _NotMade(Exception):
    """Nothing was asked of Telegram."""

    def __init__(self, why: str, cure: str) -> None:
        super().__init__(why)
        self.why = why
        self.cure = cure


async def examine(
    settings: Settings,
    *,
    yes: bool,
    ask: Ask | None = None,
    pace_seconds: float = PACE_SECONDS,
    sleep: Sleep = asyncio.sleep,
) -> list[Finding]:
    """A finding a claim, and one of the round itself. `ask`: whether to begin, where `yes` does not say it."""
    try:
        async with _open_store(settings, sleep) as store:
            if not yes and not await (ask or _ask_terminal)(_announcement(store)):
                raise _NotMade("nobody said yes.", "Start it again and say yes, or add --yes.")
            return await make_round(settings, store, Pacing(pace_seconds, sleep))
    except _NotMade as error:
        return [Finding(ROUND, Severity.ERROR, f"The round was not made: {error.why}", error.cure)]
    except OSError as error:
        return [
            Finding(ROUND, Severity.ERROR, f"The round was not made: {error.strerror}.", "Mend that, then try again.")
        ]
    except (PorterError, SettingsInvalid) as error:
        return [Finding(ROUND, Severity.ERROR, f"The round was not made: {error}.", "Mend that, then start it again.")]


# -- before anything is asked


@asynccontextmanager
async def _open_store(settings: Settings, sleep: Sleep) -> AsyncIterator[Store]:
    path = settings.data_dir / "porter.db"
    if not path.exists():
        yield Store(owners=list(settings.admin_ids))
        return
    async with AsyncExitStack() as stack:
        stack.enter_context(hold_lock(settings.data_dir))
        if any((settings.data_dir / name).exists() for name in (READY, PLACING)):
            raise _NotMade("a restore is not finished.", "Start Porter once: it carries the restore to its end.")
        if not await asyncio.to_thread(is_current, path):
            raise _NotMade("the database is of another Porter than this one.", "Start this Porter once, and stop it.")
        database = await stack.enter_async_context(Database.open(path))
        vault = await open_vault(database, settings.keys)
        await database.claim_identity(settings.bot_id, settings.network)
        await settle(database)
        if await RestoredRepository(database).get() is not None:
            raise _NotMade(
                "this database may be in use by another Porter too, and waits for an owner's word.",
                "Start Porter; an owner says in the chat that the other one is off.",
            )
        accounts = Accounts(settings, database, vault, sleep)
        await take_over(accounts.lease_rows)
        await accounts.leases.start()
        stack.push_async_callback(accounts.leases.stop)
        owners = [admin.user_id for admin in await AdminRepository(database).all() if admin.role is Role.OWNER]
        yield Store(
            sessions=[each for each in await accounts.rows.all() if each.state is SessionState.ACTIVE],
            channels=await accounts.channels(),
            owners=list(dict.fromkeys([*settings.admin_ids, *owners])),
            open_account=accounts.open,
        )


class Accounts:
    """Opens an account under its lease, and closes it when the lease is lost."""

    def __init__(self, settings: Settings, database: Database, vault: Vault, sleep: Sleep) -> None:
        self.rows = SessionRepository(database, vault)
        self.lease_rows = LeaseRepository(database, this_process(), this_host())
        self.leases = Leases(self.lease_rows, self._lost)
        self._channels = ChannelRepository(database)
        self._clients = Clients(settings.mtproto())
        self._governor = Governor(FloodWaitRepository(database), sleep=sleep)
        self._open: dict[int, Account] = {}

    async def channels(self) -> list[int]:
        """Those that Porter knows, each once."""
        known = [*await self._channels.decidable(), *await self._channels.kept()]
        return list(dict.fromkeys(channel.id for channel in known))

    @asynccontextmanager
    async def open(self, session: Session, guard: Guard) -> AsyncIterator[Account]:
        """Raises SessionDead, SessionElsewhere, Unreachable, ProxyFailed."""
        clients, channels = self._clients, await self.channels()
        credential, packed = unpack(await self.rows.credential(session.id)), await self.rows.proxy(session.id)
        proxy = None if packed is None else unpack_proxy(packed)
        met = await self.rows.access_hashes(session.id, channels[:MOST_CHANNELS])
        hashes = {bare: met[channel_id] for channel_id in met if (bare := channel_of(channel_id)) is not None}
        await self.leases.take(session.id)
        try:
            probe = await clients.probe(credential, proxy, guard)
            open_gate = partial(clients.gate, credential, proxy)
            account = Account(session, probe, self._governor, guard, channels, hashes, open_gate, clients.gate_layer)
            self._open[session.id] = account
            try:
                yield account
            finally:
                del self._open[session.id]
                await account.close()
        finally:
            await self.leases.give_back(session.id)

    async def _lost(self, session_id: int) -> None:
        """Whatever it was about to ask finds no connection."""
        if session_id in self._open:
            await self._open[session_id].close()


def _announcement(store: Store) -> str:
    names = [f"account {session.id} ({session.name})" for session in store.sessions] or ["no account"]
    return (
        "The round asks Telegram about what Porter believes of it. It changes nothing there: nothing is written,\n"
        "marked as read, joined or decided. Porter must stay off meanwhile. One call a second is made:\n"
        f"at most {CALLS_OF_AN_ACCOUNT} by each of {', '.join(names)}, connecting aside;\n"
        f"at most {CALLS_OF_THE_BOT} by the bot.\n"
        "Begin? [y/N] "
    )


async def _ask_terminal(announcement: str) -> bool:
    """On stderr: what is found goes to stdout alone."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(announcement)
    sys.stderr.flush()
    return (await asyncio.to_thread(sys.stdin.readline)).strip().lower() in {"y", "yes"}
