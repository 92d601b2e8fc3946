"""What a page of waiting people costs: twelve queries of the lists, as the chat asks them, among a million requests.

The same queries at a thousand rows say what the size costs. Every query runs through the service (SQLite, rows made
into objects); each time another admin's eye falls on another page, so that nothing is measured that only lay warm.
"""

import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmarks.report import Report, check
from services.requests import RequestLists
from storage.admins import AdminRepository
from storage.channels import ChannelRepository
from storage.database import Database
from storage.join_requests import JoinRequestRepository
from storage.models import Channel, ChannelKind, RequestStatus, Role
from storage.request_decisions import RequestDecisions
from storage.request_filters import ALIKE_WITHIN_MS
from storage.request_models import RequestFilters, RequestGroup, RequestView
from storage.request_pages import RequestPages
from storage.request_views import RequestTicks, RequestViewRepository
from storage.types import to_milliseconds, utc_now

ROWS, WAITING = 1_000_000, 100_000
SMALL = 1_000
HERE = -1_001_000_000_001
ADMIN = 1
CHANNELS = 10
REPEATS = 200
WARM = 5
BATCH = 20_000
LINKS = 40
RARE, COMMON = "quillfeather", "anna"
FIRST_NAMES = ("Anna", "Boris", "Chen", "Dilara", "Emeka", "Farah", "Goran", "Hana", "Ines", "Jun")
LAST_NAMES = ("Berg", "Costa", "Demir", "Evans", "Fischer", "García", "Horváth", "Ito", "Jansen", "Kaya")
BIOS = (None, None, "Reads the news every morning", "Music, birds and gardens", "Here for the archive")

COLUMNS = (
    "channel_id, user_id, status, name, username, bio, asked_at, has_photo, is_premium, is_scam, is_fake, link, "
    "first_seen_at, last_seen_at, is_alike"
)
Query = Callable[[], Awaitable[object]]


@dataclass
class Town:
    """A database of `rows` requests, of which a tenth wait at HERE; and the lists over it."""

    lists: RequestLists
    ids: list[int]
    dice: random.Random

    def queries(self) -> dict[str, Query]:
        def page(filters: RequestFilters | None = None, *, newest: bool = False, deep: bool = False) -> Query:
            view = view_of(filters or RequestFilters(), newest=newest)
            return lambda: self.lists.page(view, self.dice.choice(self.ids) if deep else 0)

        combined = RequestFilters(has_photo=True, has_username=True, has_bio=False, is_known=False, waits_over=86400)
        return {
            "first_page": page(),
            "deep_page": page(deep=True),
            "newest_first": page(newest=True, deep=True),
            "filter_common": page(RequestFilters(has_username=True), deep=True),
            "filter_rare": page(RequestFilters(is_marked=True, is_premium=True)),
            "filters_combined": page(combined, deep=True),
            "link": page(RequestFilters(link=_link(3)), deep=True),
            "group": page(RequestFilters(group=RequestGroup.BARE), deep=True),
            "capped_count": lambda: self.lists.capped(view_of(combined)),
            "following": lambda: self.lists.following(
                RequestView(0, ADMIN, HERE, combined), self.dice.choice(self.ids)
            ),
            "words_rare": page(RequestFilters(words=RARE)),
            "words_common": page(RequestFilters(words=COMMON), deep=True),
        }

    def beside(self) -> dict[str, Query]:
        """What a channel's screen asks beside lists: exact, so it grows with those who wait; no list waits for it."""
        rare = view_of(RequestFilters(is_marked=True, is_premium=True, waits_over=86400))
        return {
            "groups": lambda: self.lists.groups(ADMIN, HERE),
            "links": lambda: self.lists.links(HERE),
            "rare_capped_count": lambda: self.lists.capped(rare),
        }


@dataclass(frozen=True)
class Cost:
    median_ms: float
    p99_ms: float


async def measure() -> Report:
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="porter-bench-")))
        started = time.perf_counter()
        large = await _town(stack, home / "large.db", ROWS)
        built_s = time.perf_counter() - started
        small = await _town(stack, home / "small.db", SMALL)
        at_small = {name: await _cost(query) for name, query in small.queries().items()}
        beside = {name: await _cost(query) for name, query in large.beside().items()}
        at_large = {name: await _cost(query) for name, query in large.queries().items()}
    ratios = {
        name: cost.median_ms / at_small[name].median_ms
        for name, cost in at_large.items()
        if not name.startswith("words")
    }
    figures = {"rows": ROWS, "waiting_here": WAITING, "built_s": round(built_s, 1)}
    figures |= {f"{name}_ms": round(cost.median_ms, 2) for name, cost in at_large.items()}
    figures |= {f"{name}_ms": round(cost.median_ms, 2) for name, cost in beside.items()}
    figures |= {f"{name}_p99_ms": round(cost.p99_ms, 2) for name, cost in at_large.items()}
    figures |= {f"{name}_times_small": round(ratio, 2) for name, ratio in ratios.items()}
    slowest = max(cost.median_ms for cost in at_large.values())
    return Report(
        "requests-page", "ms", round(slowest, 2), {},
        figures=figures,
        checks=[
            check("slowest median in ms", slowest, "<=", 10),
            check("slowest p99 in ms", max(cost.p99_ms for cost in at_large.values()), "<=", 50),
            check("most times the same at 1,000 rows, without words", max(ratios.values()), "<=", 5),
        ],
    )  # fmt: skip


async def _cost(query: Query) -> Cost:
    for _ in range(WARM):
        await query()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        await query()
        times.append((time.perf_counter() - started) * 1000)
    return Cost(median(times), quantiles(times, n=100)[98])


async def _town(stack: AsyncExitStack, path: Path, rows: int) -> Town:
    database = await stack.enter_async_context(Database.open(path))
    channels = ChannelRepository(database)
    await AdminRepository(database).put(ADMIN, Role.OWNER, "Ann")
    for number in range(CHANNELS):
        channel = Channel(HERE - number, f"Channel {number}", None, ChannelKind.CHANNEL, None, True, utc_now())
        await channels.put(channel)
    dice = random.Random(7)
    insert = f"INSERT INTO join_requests ({COLUMNS}) VALUES ({', '.join('?' * len(COLUMNS.split(', ')))})"
    people = _people(dice, rows, rows // 10)
    while batch := [person for person, _ in zip(people, range(BATCH), strict=False)]:
        async with database.write() as connection:
            await connection.exec_driver_sql(insert, batch)
    async with database.read() as connection:
        statement = f"SELECT id FROM join_requests WHERE channel_id = {HERE} AND status = 'PENDING'"
        ids = [row.id for row in await connection.exec_driver_sql(statement)]
    lists = RequestLists(
        JoinRequestRepository(database),
        RequestPages(database),
        channels,
        RequestViewRepository(database),
        RequestTicks(database),
        RequestDecisions(database),
    )
    return Town(lists, ids, dice)


def _people(dice: random.Random, rows: int, waiting: int) -> Iterator[tuple[Any, ...]]:
    """`waiting` at HERE, as many again spread over the other channels, the rest decided long ago; all mixed."""
    now = to_milliseconds(utc_now())
    month = 30 * 24 * ALIKE_WITHIN_MS
    for number in range(rows):
        place = number % (rows // waiting)
        channel_id = HERE if place == 0 else HERE - 1 - dice.randrange(CHANNELS - 1)
        status = RequestStatus.PENDING if place <= 1 else dice.choice((RequestStatus.APPROVED, RequestStatus.DENIED))
        asked_at = now - dice.randrange(month) if place <= 1 else now - month - dice.randrange(12 * month)
        name = f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)} {number % 997}"
        if number % (rows // 100) == 0:
            name = f"{RARE} {number}"
        yield (
            channel_id,
            10**9 + number,
            status,
            name,
            f"user_{number}" if dice.random() < 0.6 else None,
            dice.choice(BIOS),
            asked_at,
            dice.choice((None, 0, 1, 1)),
            int(dice.random() < 0.1),
            int(dice.random() < 0.01),
            0,
            _link(dice.randrange(LINKS)) if dice.random() < 0.5 else None,
            now,
            now,
            int(dice.random() < 0.05),
        )  # fmt: skip


def view_of(filters: RequestFilters, *, newest: bool = False) -> RequestView:
    return RequestView(0, ADMIN, HERE, filters, newest_first=newest)


def _link(number: int) -> str:
    return f"https://t.me/+link{number}"
