"""PING_URL: called after good runs, once in a while, and never in anybody's way. Its address stands in no log."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from bot.ping import Pinger
from services.errors import ChannelUnavailable, FloodWait
from services.runs import Priority, RunContext, Runner
from storage.models import Progress, RunKind, RunStatus
from storage.runs import RunRepository
from storage.types import utc_now
from tests.services.conftest import Store, open_store
from tests.services.desk import Desk, until

PATH = "/a-secret-part-of-the-address"


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[Store]:  # type: ignore[no-untyped-def]
    async with open_store(tmp_path / "data") as opened:
        yield opened


@dataclass
class Alarm:
    """The service that waits for calls. `status`: what it answers."""

    url: str = ""
    status: int = 200
    calls: int = 0
    hangs: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        assert request.path == PATH
        self.calls += 1
        if not self.status:
            await self.hangs.wait()
        return web.Response(status=self.status or 200)


@asynccontextmanager
async def open_alarm() -> AsyncIterator[Alarm]:
    alarm = Alarm()
    app = web.Application()
    app.router.add_get(PATH, alarm.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    alarm.url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    try:
        yield alarm
    finally:
        alarm.hangs.set()
        await runner.cleanup()


async def submit(runner: Runner, subject: int) -> int:
    return (await runner.submit(RunKind.LOAD_REQUESTS, subject, "News", priority=Priority.TAP)).id


async def test_good_runs_ping_and_others_do_not(store: Store) -> None:
    """DONE calls; a run that failed, waits or lost a file does not."""
    desk = Desk(RunRepository(store.database))

    async def work(context: RunContext) -> None:
        match context.run.subject_id:
            case 1:
                raise ChannelUnavailable
            case 2:
                raise FloodWait(utc_now())
            case 3:
                context.progress(Progress(done=2, total=2, counters={"saved": 1, "failed": 1}))

    async with open_alarm() as alarm, desk.open(work) as runner:
        pinger = Pinger(alarm.url, gap_seconds=0.0)
        runner.on_settled(pinger.settled)
        await desk.reached(await submit(runner, 1), RunStatus.FAILED)
        await desk.reached(await submit(runner, 3), RunStatus.DONE)
        waits = await submit(runner, 2)
        await desk.reached(waits, RunStatus.WAITING, RunStatus.RUNNING, RunStatus.QUEUED)
        await desk.told(2)
        await runner.cancel(waits)
        assert alarm.calls == 0
        await submit(runner, 4)
        await until(lambda: alarm.calls == 1)
        await pinger.close()


async def test_many_good_runs_are_one_ping(store: Store) -> None:
    """The next call comes no sooner than the gap."""
    desk = Desk(RunRepository(store.database))

    async def work(_: RunContext) -> None:
        return

    async with open_alarm() as alarm, desk.open(work) as runner:
        pinger = Pinger(alarm.url)
        runner.on_settled(pinger.settled)
        for subject in range(5):
            await desk.reached(await submit(runner, subject), RunStatus.DONE)
        await desk.told(5)
        await until(lambda: alarm.calls == 1)
        await pinger.close()
        assert alarm.calls == 1


async def test_a_ping_that_hangs_holds_nothing(store: Store) -> None:
    """Runs end while a call hangs, and so does Porter."""
    desk = Desk(RunRepository(store.database))

    async def work(_: RunContext) -> None:
        return

    async with open_alarm() as alarm, desk.open(work) as runner:
        alarm.status = 0
        pinger = Pinger(alarm.url, gap_seconds=0.0)
        runner.on_settled(pinger.settled)
        await submit(runner, 1)
        await until(lambda: alarm.calls == 1)
        await desk.reached(await submit(runner, 2), RunStatus.DONE)
        await asyncio.wait_for(pinger.close(), 20)


async def test_a_failing_ping_is_told_once_a_cause_without_the_address(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """One line for each cause and one when it works again; neither path nor host is in them."""
    desk = Desk(RunRepository(store.database))

    async def work(_: RunContext) -> None:
        return

    caplog.set_level(logging.INFO, logger="bot.ping")
    async with open_alarm() as alarm, desk.open(work) as runner:
        pinger = Pinger(alarm.url, gap_seconds=0.0)
        runner.on_settled(pinger.settled)
        for subject, status in enumerate((500, 500, 404, 200, 200)):
            alarm.status = status
            await submit(runner, subject)
            await until(lambda: alarm.calls == subject + 1)  # noqa: B023 - waited for at once
            await until(lambda: not pinger._tasks)
        await pinger.close()
    closed = Pinger(alarm.url, gap_seconds=0.0)
    closed.settled(desk.ear.settled[0])
    await until(lambda: not closed._tasks)
    told = [record.getMessage() for record in caplog.records if record.name == "bot.ping"]
    again = "Not told again until something changes"
    assert told == [
        f"PING_URL was not reached: HTTP 500. {again}",
        f"PING_URL was not reached: HTTP 404. {again}",
        "PING_URL is reached again",
        f"PING_URL was not reached: ClientConnectorError. {again}",
    ]
