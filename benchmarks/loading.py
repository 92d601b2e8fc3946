"""What loading the people who wait costs: Porter stores each page, the library only looks at it."""

import time

from benchmarks.report import Report, check
from benchmarks.yard import RTT_MS, Porter, Yard, open_yard
from services.requests.walks import RequestLister
from storage.join_requests import JoinRequestRepository
from storage.models import RunKind

IMPORTERS = "messages.getChatInviteImporters"
COUNT = 20_000
AT_ONCE = 500
"""So many ask in the same second."""


async def load() -> Report:
    """20,000 who wait, at 50 ms: pages of 200, then of 100."""
    async with open_yard() as yard:
        channel = await _crowded(yard)
        await yard.driver.network(rtt_ms=RTT_MS)
        ours, calls = await _by_porter(yard, channel, 200)
        small, small_calls = await _by_porter(yard, channel, 100)
        again, _ = await _by_porter(yard, channel, 100, name="again", times=2)
        peer, peer_calls = await _by_kurigram(yard, channel)
        most = {cap: 1 + -(-COUNT // cap) + 1 for cap in (200, 100)}
        return Report(
            "load-requests", "s", round(ours, 2), {"kurigram": round(peer, 2)}, {IMPORTERS: calls},
            {
                "pages_of_100_s": round(small, 2), "known_before_s": round(again, 2),
                "kurigram_calls": peer_calls, "pages_x_rtt_s": COUNT / 200 * RTT_MS / 1000,
            },
            [
                check("over get_chat_join_requests, which stores nothing", peer / ours, ">=", 1.7),
                check("the same with pages of 100", peer / small, ">=", 1.0),
                check("calls with pages of 200", calls, "<=", most[200]),
                check("calls with pages of 100", small_calls, "<=", most[100]),
            ],
        )  # fmt: skip


async def _crowded(yard: Yard) -> int:
    """A channel at which 20,000 wait."""
    channels = (await yard.driver.state())["channels"]
    channel, waiting = next(
        (int(each["id"]), each["pending_requests"]) for each in channels if each["pending_requests"]
    )
    missing = COUNT - waiting
    while missing > 0:
        await yard.driver.ask_to_join(channel, min(AT_ONCE, missing))
        await yard.driver.advance(1)
        missing -= AT_ONCE
    return channel


async def _by_porter(yard: Yard, channel: int, cap: int, name: str = "", times: int = 1) -> tuple[float, int]:
    """(seconds, calls) of a load that finds everybody new; with `times` 2, of a second one that knows them."""
    await yard.driver.network(requests_page_cap=cap)
    async with yard.porter(name or f"load-{cap}") as porter:
        rows = JoinRequestRepository(porter.database)
        async with porter.pool.gate(porter.session_id) as client:
            peer = await porter.pool.peer(porter.session_id, channel)
            await client.invite_links(peer)  # connects, as it is when something was done there before
        for _ in range(times):
            await yard.driver.reset_calls()
            started = time.perf_counter()
            await _load(porter, rows, channel)
            seconds = time.perf_counter() - started
        assert await rows.count(channel) == COUNT
        return seconds, await yard.driver.call_count(IMPORTERS)


async def _load(porter: Porter, rows: JoinRequestRepository, channel: int) -> None:
    """What a run does (services/requests/loading.py), once it knows the session."""
    lister = RequestLister(rows, porter.sessions, porter.pool)
    peer = await porter.pool.peer(porter.session_id, channel)
    async with porter.run(RunKind.LOAD_REQUESTS, channel, "Load") as context:
        walk = await lister.walk(context, porter.session_id, peer, {})
        await lister.settle_gone(context, porter.session_id, peer, walk)


async def _by_kurigram(yard: Yard, channel: int) -> tuple[float, int]:
    async with yard.kurigram() as client:
        await yard.driver.reset_calls()
        started = time.perf_counter()
        seen = 0
        async for _ in client.get_chat_join_requests(channel):
            seen += 1
        seconds = time.perf_counter() - started
    assert seen >= COUNT
    return seconds, await yard.driver.call_count(IMPORTERS)
