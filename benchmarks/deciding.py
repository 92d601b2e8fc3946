"""What it costs to approve everybody who waits, by one call, and what it would cost by one call a person."""

import time
from dataclasses import replace
from pathlib import Path

from benchmarks.gatehouse import ADMIN_ID, Gatehouse, open_gatehouse
from benchmarks.report import Report, check
from benchmarks.yard import RTT_MS, Yard, open_yard
from storage.admins import AdminRepository
from storage.channels import ChannelRepository
from storage.database import Database
from storage.models import Channel, ChannelKind, Role, Run
from storage.request_models import RequestFilters, RequestView
from storage.request_pages import RequestPages
from storage.sessions import SessionRepository
from storage.types import utc_now
from storage.vault import KeyConfig, open_vault

IMPORTERS, LOG = "messages.getChatInviteImporters", "channels.getAdminLog"
HIDE, HIDE_ALL = "messages.hideChatJoinRequest", "messages.hideAllChatJoinRequests"
COUNT = 20_000
SINGLY = 200
"""So many are decided one by one to know what a person costs."""
AT_ONCE = 500
"""So many ask in the same second."""


async def approve_all() -> Report:
    """20,000 who wait, at 50 ms; loaded, listed again just before, decided, listed and proven."""
    async with open_yard() as yard:
        gate = await crowd(yard, COUNT)
        home = yard.home / "gate"
        await furnish(yard, home, gate)
        async with open_gatehouse(home, yard.server) as house:
            await house.ended(await house.loads.load(gate, ADMIN_ID))
            await yard.driver.network(rtt_ms=RTT_MS)
            each = await _singly(house, gate) / SINGLY
            await yard.driver.reset_calls()
            started = time.perf_counter()
            run = await _decide(house, gate)
            took = time.perf_counter() - started
            calls = {name: await yard.driver.call_count(name) for name in (HIDE_ALL, HIDE, IMPORTERS, LOG)}
        waiting = (await yard.driver.requests(gate))["pending"]
    counters = run.progress.counters
    rest = COUNT - SINGLY
    decided = counters.get("approved", 0) + counters.get("stay", 0)
    return Report(
        "approve-all", "calls", calls[HIDE_ALL] + calls[HIDE], {"one call a person": rest}, calls,
        {
            "seconds": round(took, 1), "one_call_a_person_s": round(each * rest, 1),
            "times_faster": round(each * rest / took, 1), "stay": counters.get("stay", 0),
        },
        [
            check("deciding calls", calls[HIDE_ALL] + calls[HIDE], "<=", 3),
            check("people without an outcome", rest - decided, "<=", 0),
            check("people who wait at Telegram and not here", len(waiting) - counters.get("stay", 0), "<=", 0),
        ],
    )  # fmt: skip


async def _singly(house: Gatehouse, gate: int) -> float:
    """Seconds that SINGLY people take, one call each."""
    many = (await house.decisions.preview(ADMIN_ID, gate, True)).many
    ids = await everybody(house, gate, SINGLY)
    started = time.perf_counter()
    run = await house.decisions.decide(ADMIN_ID, replace(many, request_ids=ids, count=SINGLY))
    run = await house.ended(run)
    assert run.progress.done == SINGLY
    return time.perf_counter() - started


async def _decide(house: Gatehouse, gate: int) -> Run:
    many = (await house.decisions.preview(ADMIN_ID, gate, True)).many
    return await house.ended(await house.decisions.decide(ADMIN_ID, many))


async def everybody(house: Gatehouse, gate: int, limit: int) -> tuple[int, ...]:
    """The ids of so many who wait, longest first."""
    view = RequestView(0, ADMIN_ID, gate, RequestFilters())
    page = await RequestPages(house.database).page(view, limit=limit)
    return tuple(request.id for request in page.rows)


async def furnish(yard: Yard, data_dir: Path, channel_id: int) -> None:
    """An admin, and the yard's account, which may let people in at that channel."""
    async with Database.open(data_dir / "porter.db") as database:
        vault = await open_vault(database, KeyConfig(None, None, None, data_dir / "porter.key"))
        await AdminRepository(database).put(ADMIN_ID, Role.OWNER, "Ann")
        session_id = await yard.store_session(SessionRepository(database, vault), vault)
        seen = Channel(channel_id, "Gate", None, ChannelKind.SUPERGROUP, None, False, utc_now())
        await ChannelRepository(database).add_seen(session_id, seen, may_invite=True)


async def crowd(yard: Yard, count: int) -> int:
    """The channel where people wait, `count` of them from now on."""
    channels = (await yard.driver.state())["channels"]
    gate = max(channels, key=lambda channel: channel["pending_requests"])
    missing = count - gate["pending_requests"]
    while missing > 0:
        await yard.driver.ask_to_join(gate["id"], min(AT_ONCE, missing))
        await yard.driver.advance(1)
        missing -= AT_ONCE
    return int(gate["id"])
