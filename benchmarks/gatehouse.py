"""What Porter needs to load and decide people who wait, put together as bot/house.py does, without the bot.

An account decides: the bot has no right at any channel. A `Gatehouse` lies on a data directory that outlives it:
a process of its own (tests/end_to_end/gatekeeper.py) may be killed, and its work goes on in another.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.access import Rights
from services.audit import AuditService
from services.channels import ChannelService
from services.clients.base import MtprotoServer
from services.clients.factory import Clients
from services.clients.pacing import Governor
from services.clients.pool import ClientPool
from services.errors import ChannelUnavailable, RightMissing, SessionDead
from services.gate import BotRights
from services.leases import Leases, take_over, this_host, this_process
from services.requests.bulk import BulkDecisions
from services.requests.bulk_each import OneByOne
from services.requests.bulk_everybody import Everybody
from services.requests.bulk_runs import BulkRuns
from services.requests.deciding import Decider
from services.requests.greetings import Greetings
from services.requests.listing import RequestLists
from services.requests.loading import RequestLoads
from services.requests.membership import Membership
from services.requests.submitting import Submitting
from services.requests.walks import RequestLister
from services.runs import Runner
from storage.admins import AdminRepository
from storage.audit import AuditRepository
from storage.bulk import BulkRepository
from storage.channels import ChannelRepository
from storage.database import Database
from storage.flood_waits import FloodWaitRepository
from storage.join_requests import JoinRequestRepository
from storage.leases import LeaseRepository
from storage.models import BULK_RUNS, Channel, Run, RunKind
from storage.request_decisions import RequestDecisions
from storage.request_pages import RequestPages
from storage.request_settings import RequestSettingsRepository
from storage.request_views import RequestTicks, RequestViewRepository
from storage.runs import RunRepository
from storage.sessions import SessionRepository
from storage.vault import KeyConfig, open_vault

ADMIN_ID = 5


class NoBot:
    """Implements services.gate.BotGate for a bot that is nowhere."""

    async def may_invite(self, channel_id: int) -> bool:
        return False

    async def rights(self, channel_id: int) -> BotRights:
        return BotRights(may_invite=False, may_ban=False)

    async def look(self, channel_id: int) -> Channel:
        raise ChannelUnavailable

    async def is_member(self, channel_id: int, user_id: int) -> bool:
        return False

    async def approve(self, channel_id: int, user_id: int) -> None:
        raise RightMissing

    async def deny(self, channel_id: int, user_id: int) -> None:
        raise RightMissing

    async def ban(self, channel_id: int, user_id: int) -> None:
        raise RightMissing

    async def remove(self, channel_id: int, user_id: int) -> None:
        raise RightMissing

    async def write(self, chat_id: int, text: str) -> None:
        raise RightMissing


class Deaf:
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


@dataclass
class Gatehouse:
    database: Database
    runner: Runner
    runs: RunRepository
    requests: JoinRequestRepository
    bulk: BulkRepository
    loads: RequestLoads
    decisions: BulkDecisions

    async def ended(self, run: Run) -> Run:
        """Work on the run until it is over. Raises AssertionError when it did not end well."""
        await self.runner.start()
        try:
            while (now := await self.runs.get(run.id)) is not None and now.is_active:
                assert not now.is_asking, f"the run asks: {now.reason}"
                await asyncio.sleep(0.02)
        finally:
            await self.runner.stop()
        assert now is not None
        assert now.reason is None, f"the run ended by {now.reason}"
        return now


@asynccontextmanager
async def open_gatehouse(data_dir: Path, server: MtprotoServer) -> AsyncIterator[Gatehouse]:
    """On what lies in the directory. The runner is not started."""
    async with Database.open(data_dir / "porter.db") as database:
        vault = await open_vault(database, KeyConfig(None, None, None, data_dir / "porter.key"))
        sessions = SessionRepository(database, vault)
        lease_rows = LeaseRepository(database, this_process(), this_host())
        leases = Leases(lease_rows, _no_loss)
        await take_over(lease_rows)
        pool = ClientPool(sessions, Clients(server), Governor(FloodWaitRepository(database)), leases, _no_death)
        try:
            yield _put_together(database, sessions, pool)
        finally:
            await pool.close()


def _put_together(database: Database, sessions: SessionRepository, pool: ClientPool) -> Gatehouse:
    runs, requests, bulk = RunRepository(database), JoinRequestRepository(database), BulkRepository(database)
    channel_rows, pages = ChannelRepository(database), RequestPages(database)
    views, ticks, decisions = RequestViewRepository(database), RequestTicks(database), RequestDecisions(database)
    runner, rights, gate = Runner(runs, Deaf(), poll_seconds=0.01), Rights(AdminRepository(database)), NoBot()
    channels = ChannelService(channel_rows, sessions, pool, gate)
    lister, membership = RequestLister(requests, sessions, pool), Membership(sessions, pool)
    submitting = Submitting(channel_rows, runner)
    lists = RequestLists(requests, pages, channel_rows, views, ticks, decisions)
    greetings = Greetings(requests, RequestSettingsRepository(database), channel_rows, gate)
    decider = Decider(requests, decisions, channel_rows, channels, pool, gate, lister, rights, greetings, membership)
    loads = RequestLoads(requests, channels, pool, lister, submitting, rights)
    work = BulkRuns(
        Everybody(bulk, requests, sessions, lister, membership, pool, rights),
        OneByOne(bulk, decider, rights),
        channels,
        pool,
        rights,
        AuditService(AuditRepository(database)),
    ).work
    runner.register(RunKind.LOAD_REQUESTS, loads.work)
    for kind in BULK_RUNS:
        runner.register(kind, work)
    asking = BulkDecisions(bulk, pages, views, ticks, lists, submitting, runner, rights, undo_seconds=0.0)
    return Gatehouse(database, runner, runs, requests, bulk, loads, asking)


async def _no_loss(session_id: int) -> None:
    raise AssertionError(f"session {session_id} was taken")


async def _no_death(session_id: int, error: SessionDead) -> None:
    raise AssertionError(f"session {session_id} died") from error
