"""The daily sweep, on its own clock."""

import asyncio
from datetime import datetime, timedelta

from services.retention import DAY_SECONDS, FIRST_SECONDS, Retention
from tests.services.conftest import FakeTime


async def test_days_are_counted_and_one_failure_is_alone() -> None:
    """Each sweeper hears the same moment; one that fails holds up no other; tidying needs no days."""
    time, heard = FakeTime(), list[datetime]()

    async def sweep(before: datetime) -> int:
        heard.append(before)
        return 3

    async def fail(before: datetime) -> int:
        raise OSError("disk full")

    async def tidy() -> int:
        return 1

    sweepers = {"broken": fail, "people": sweep}
    assert await Retention(90, sweepers, {"logins": tidy}, clock=time).sweep() == {"logins": 1, "people": 3}
    assert heard == [time.now - timedelta(days=90)]
    assert await Retention(0, sweepers, {"logins": tidy}, clock=time).sweep() == {"logins": 1}
    assert len(heard) == 1


async def test_it_comes_by_once_a_day() -> None:
    """A minute after the start, then each day; stopped, no more."""
    time, swept, third = FakeTime(), list[datetime](), asyncio.Event()

    async def tidy() -> int:
        swept.append(time.now)
        if len(swept) == 3:
            third.set()
            await asyncio.Event().wait()
        return 0

    started = time.now
    retention = Retention(90, {}, {"logins": tidy}, clock=time, sleep=time.sleep)
    await retention.start()
    async with asyncio.timeout(5):
        await third.wait()
    await retention.stop()
    first = started + timedelta(seconds=FIRST_SECONDS)
    assert swept == [first + timedelta(seconds=DAY_SECONDS * day) for day in range(3)]
