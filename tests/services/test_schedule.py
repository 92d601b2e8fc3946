"""Cron lines: what is taken, what it means, what fires."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import CronInvalid, SessionRequired
from services.schedule import ALIASES, ScheduleService, describe, next_times, validate, zones
from storage.models import RunKind, Schedule
from storage.schedules import ScheduleRepository
from storage.types import utc_now
from tests.services.conftest import FakeTime, Store
from tests.services.desk import until

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    "cron",
    [
        *("0 */6 * * *", "30 7 * * mon-fri", "0 0 29 2 *", "0 0 13 * fri", "*/15 9-17 * * 1-5", *ALIASES, "@Daily"),
        *("0 0 L * *", "0 0 l * *", "0 0 1,L * *", "0 0 15W * *", "0 0 * * mon#1", "0 0 * * L5", "0 0 ? * mon"),
        *("0 22-2 * * *", "0 0 * * fri-mon", "0 0 * dec-feb *", "0 0 * JAN,jul *", "00 07 * * *", "59 23 31 12 7"),
        *("0-10/5,30 * * * *", "*/59 */23 */31 */12 */7", "0 0 * * 0-7", "  0   7 * * *  "),
    ],
)
def test_good_lines(cron: str) -> None:
    """Five fields or an @name; each has words and a next time."""
    validate(cron)
    assert describe(cron)
    assert len(next_times(cron, "UTC")) == 3


@pytest.mark.parametrize(
    ("cron", "why", "word"),
    [
        *((cron, "parts", str(len(cron.split()))) for cron in ("", "every day", "* * * *", "x" * 5000, "@every 5m")),
        *((cron, "parts", "1") for cron in ("@reboot", "@every_minute", "7:00")),
        *((cron, "seconds", str(len(cron.split()))) for cron in ("0 0 * * * 0", "0 0 1 1 * 0 2030", "*/5 0 7 * * *")),
        ("0 0 1 1 * 0 2030 UTC", "parts", "8"),
        *((cron, "random", "") for cron in ("R * * * *", "H 3 * * *", "h(0-5) * * * *", "0 r * * *")),
        *((f"{field} * * * *", "syntax", "minute") for field in ("60", "-1", "1-60", "*/0", "5-", "\x00", "١")),
        *((f"0 {field} * * *", "syntax", "hour") for field in ("24", "7am", "1--2", "L")),
        *((f"0 0 {field} * *", "syntax", "day") for field in ("0", "32", "1,,", "L-3", "1,15W", "LW")),
        *((f"0 0 1 {field} *", "syntax", "month") for field in ("0", "13", "feb-xxx", "january", "?")),
        *((f"0 0 * * {field}", "syntax", "weekday") for field in ("8", "monday", "mon#6", "5L", "mon#1,fri")),
    ],
)
def test_no_cron_lines(cron: str, why: str, word: str) -> None:
    """Refused with the reason: how many parts there are, seconds and years (libraries do not agree on them), random
    parts, the first field that cannot be read."""
    for reading in (validate, describe):
        with pytest.raises(CronInvalid) as refused:
            reading(cron)
        assert (refused.value.why, refused.value.word) == (why, word)


@pytest.mark.parametrize(
    ("cron", "why", "word"),
    [
        *((cron, "together", "") for cron in ("0 0 13 * mon#1", "0 0 13 * L5", "0 0 15W * fri")),
        ("*/90 * * * *", "syntax", "minute"),
        ("0 */24 * * *", "syntax", "hour"),
        ("0 0 */40 * *", "syntax", "day"),
        ("0 0 1 */13 *", "syntax", "month"),
        ("0 0 * * 1-5/8", "syntax", "weekday"),
    ],
)
def test_lines_whose_words_would_lie(cron: str, why: str, word: str) -> None:
    """Refused when they are new; a row that has one from before is still shown, and can be changed."""
    with pytest.raises(CronInvalid) as refused:
        validate(cron)
    assert (refused.value.why, refused.value.word) == (why, word)
    assert describe(cron)


@pytest.mark.parametrize("cron", ["0 0 31 2 *", "0 0 30 feb *", "0 0 31 4,6,9,11 *", "0 0 30-31 2 *"])
def test_lines_that_never_come_true(cron: str) -> None:
    """Refused with "never"."""
    with pytest.raises(CronInvalid) as refused:
        validate(cron)
    assert refused.value.why == "never"


def test_an_unknown_zone() -> None:
    """A zone that this machine does not know is refused, and so is a path that looks like one."""
    for zone in ("Mars/Olympus", "../../etc/passwd", ""):
        with pytest.raises(CronInvalid) as refused:
            next_times("0 0 * * *", zone)
        assert refused.value.why == "timezone"


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("0 */6 * * *", "Every 6 hours"),
        ("0 7 * * mon", "At 07:00, only on Monday"),
        ("0 0 * * 0", "At 00:00, only on Sunday"),
        ("0 0 * * 7", "At 00:00, only on Sunday"),
        ("@weekly", "At 00:00, only on Sunday"),
        ("0 0 l * *", "At 00:00, on the last day of the month"),
        ("0 0 15W * *", "At 00:00, on the weekday nearest day 15 of the month"),
        ("0 0 * * mon#2", "At 00:00, on the second Monday of the month"),
        ("0 22-2 * * *", "At 0 minutes past the hour, between 22:00 and 02:59"),
        ("0 0 13 * fri", "At 00:00, on day 13 of the month, and at 00:00, only on Friday"),
    ],
)
def test_words(cron: str, words: str) -> None:
    """What is shown says what fires: Sunday is Sunday, and day or weekday are two sentences."""
    assert describe(cron) == words


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 0 L * *", ["30 Nov", "31 Dec", "31 Jan"]),
        ("0 0 29 2 *", ["29 Feb", "29 Feb", "29 Feb"]),
        ("0 0 15W 11-12 *", ["16 Nov", "15 Dec", "15 Nov"]),
        ("0 0 * * mon#2", ["14 Dec", "11 Jan", "8 Feb"]),
        ("0 0 * * L5", ["27 Nov", "25 Dec", "29 Jan"]),
        ("0 0 * * 5-7", ["13 Nov", "14 Nov", "15 Nov"]),
        ("0 0 * * fri-mon", ["13 Nov", "14 Nov", "15 Nov"]),
        ("0 0 1-31/10 * *", ["21 Nov", "1 Dec", "11 Dec"]),
        ("0 0 1 */5 *", ["1 Jan", "1 Jun", "1 Nov"]),
        ("@weekly", ["15 Nov", "22 Nov", "29 Nov"]),
    ],
)
def test_days(cron: str, days: list[str]) -> None:
    """Names, ranges over the end of the week, steps, L, W and #: what the words say is what fires."""
    times = next_times(cron, "UTC", 3, datetime(2026, 11, 12, 12, tzinfo=UTC))
    assert [f"{moment.day} {moment:%b}" for moment in times] == days


def test_any_zone_that_is_offered_is_known() -> None:
    """Names of places, sorted, and each can be reckoned with."""
    known = zones()
    assert known == sorted(set(known))
    assert {"UTC", BERLIN, "America/Argentina/Buenos_Aires"} <= set(known)
    assert not any(name.startswith("Etc/") for name in known)
    for zone in known:
        ZoneInfo(zone)


def local(times: list[datetime]) -> list[str]:
    return [moment.astimezone(ZoneInfo(BERLIN)).strftime("%d %H:%M") for moment in times]


def test_day_or_weekday() -> None:
    """With both given either is enough, as its words say."""
    after = datetime(2026, 11, 10, tzinfo=UTC)
    days = [moment.strftime("%a %d") for moment in next_times("0 0 10,14 * fri", "UTC", 4, after)]
    assert days == ["Fri 13", "Sat 14", "Fri 20", "Fri 27"]


def test_the_night_that_skips_an_hour() -> None:
    """What falls into the missing hour fires when it ends; the day after is as usual."""
    after = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert local(next_times("30 2 * * *", BERLIN, 2, after)) == ["29 03:00", "30 02:30"]


def test_the_night_that_has_an_hour_twice() -> None:
    """A fixed hour fires once; every hour fires in each real hour; times are UTC."""
    after = datetime(2026, 10, 24, 22, 30, tzinfo=UTC)
    assert next_times("30 2 * * *", BERLIN, 2, after) == [
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    ]
    hourly = next_times("0 * * * *", BERLIN, 5, after)
    assert [later - earlier for earlier, later in pairwise(hourly)] == [timedelta(hours=1)] * 4


FIELD = st.sampled_from(["*", "*/2", "0", "5", "1,3", "2-4"])


@given(
    st.lists(FIELD, min_size=5, max_size=5),
    st.sampled_from(["UTC", BERLIN, "America/St_Johns", "Australia/Lord_Howe"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_times_ascend_in_any_zone(fields: list[str], zone: str, after: datetime) -> None:
    """Whatever the line and the zone: the next times are later, each later than the one before, and say the minute."""
    cron = " ".join(fields)
    try:
        times = next_times(cron, zone, 4, after)
    except CronInvalid:
        with pytest.raises(CronInvalid):
            validate(cron)
        return
    assert [after, *times] == sorted({after, *times})
    assert all(moment.second == 0 and moment.utcoffset() == timedelta() for moment in times)
    assert re.search(r"\w", describe(cron))


# -- the service


class Bell:
    """Counts what fires."""

    def __init__(self, error: Exception | None = None) -> None:
        self.rung: list[Schedule] = []
        self.error = error

    async def ring(self, schedule: Schedule) -> None:
        self.rung.append(schedule)
        if self.error is not None:
            raise self.error


@pytest.fixture
def rows(store: Store) -> ScheduleRepository:
    return ScheduleRepository(store.database)


async def started(rows: ScheduleRepository, bell: Bell) -> ScheduleService:
    service = ScheduleService(rows)
    service.on(RunKind.SCRAPE, bell.ring)
    await service.start()
    return service


async def test_due_while_down_fires_once(rows: ScheduleRepository) -> None:
    """Hours of downtime make one run, soon; the next time is stored then."""
    long_ago = utc_now() - timedelta(hours=5)
    await rows.put(RunKind.SCRAPE, 1, "0 * * * *", "UTC", long_ago)
    bell = Bell()
    service = await started(rows, bell)
    await until(lambda: len(bell.rung) == 1)
    await asyncio.sleep(0.1)
    await service.stop()
    assert len(bell.rung) == 1
    stored = await rows.get_for(RunKind.SCRAPE, 1)
    assert stored is not None
    assert stored.next_due_at is not None
    assert timedelta() < stored.next_due_at - utc_now() <= timedelta(hours=1)


async def test_not_due_does_not_fire(rows: ScheduleRepository) -> None:
    """A start alone fires nothing, disabled schedules least of all."""
    await rows.put(RunKind.SCRAPE, 1, "0 0 1 1 *", "UTC", utc_now() + timedelta(days=1))
    await rows.put(RunKind.SCRAPE, 2, "0 * * * *", "UTC", utc_now() - timedelta(hours=1), enabled=False)
    bell = Bell()
    service = await started(rows, bell)
    await asyncio.sleep(0.1)
    await service.stop()
    assert bell.rung == []


async def test_a_failing_callback_goes_on(rows: ScheduleRepository) -> None:
    """A busy subject drops its turn, a defect is logged; the next time stands either way."""
    for subject, error in ((1, SessionRequired()), (2, ZeroDivisionError())):
        await rows.put(RunKind.SCRAPE, subject, "0 * * * *", "UTC", utc_now() - timedelta(hours=1))
        bell = Bell(error)
        service = await started(rows, bell)
        await until(lambda bell=bell: len(bell.rung) == 1)
        await service.stop()
        stored = await rows.get_for(RunKind.SCRAPE, subject)
        assert stored is not None
        assert stored.next_due_at is not None
        assert stored.next_due_at > utc_now()


async def test_killed_before_the_callback_ended_is_due_again(rows: ScheduleRepository) -> None:
    """The next time is stored after the callback, so a kill in between repeats it and never loses it."""
    due = utc_now() - timedelta(hours=1)
    await rows.put(RunKind.SCRAPE, 1, "0 * * * *", "UTC", due)
    hanging = asyncio.Event()

    async def hang(_: Schedule) -> None:
        hanging.set()
        await asyncio.Event().wait()

    service = ScheduleService(rows)
    service.on(RunKind.SCRAPE, hang)
    await service.start()
    await hanging.wait()
    for task in list(service._firing):
        task.cancel()
    await service.stop()
    bell = Bell()
    service = await started(rows, bell)
    await until(lambda: len(bell.rung) == 1)
    await service.stop()


async def test_set_replaces_pauses_and_removes(rows: ScheduleRepository) -> None:
    """One a subject; pausing keeps it; times that passed while it rested are not made up for."""
    bell, time = Bell(), FakeTime()
    service = ScheduleService(rows, clock=time)
    service.on(RunKind.SCRAPE, bell.ring)
    await service.start()
    await service.set(RunKind.SCRAPE, 1, "0 0 1 1 *", "UTC")
    schedule = await service.set(RunKind.SCRAPE, 1, "30 7 * * *", BERLIN)
    assert (schedule.cron, len(await rows.all())) == ("30 7 * * *", 1)
    assert schedule.next_due_at == next_times("30 7 * * *", BERLIN, 1, time.now)[0]
    await service.set_enabled(RunKind.SCRAPE, 1, False)
    time.pass_seconds(10 * 86400)
    await service.set_enabled(RunKind.SCRAPE, 1, True)
    stored = await rows.get_for(RunKind.SCRAPE, 1)
    assert stored is not None
    assert stored.enabled
    assert stored.next_due_at == next_times("30 7 * * *", BERLIN, 1, time.now)[0]
    await asyncio.sleep(0.05)
    await service.remove(RunKind.SCRAPE, 1)
    await service.remove(RunKind.SCRAPE, 1)
    await service.set_enabled(RunKind.SCRAPE, 1, True)
    assert await rows.all() == []
    await service.stop()
    assert bell.rung == []
    with pytest.raises(CronInvalid):
        await service.set(RunKind.SCRAPE, 1, "0 0 31 2 *", "UTC")
    assert await rows.all() == []


async def test_many_are_set_paused_and_removed_together(rows: ScheduleRepository) -> None:
    """Each has its own row and job; what is not enabled rests; one that has no schedule gets none by a resume."""
    service = ScheduleService(rows)
    await service.start()
    await service.set_many(RunKind.SCRAPE, {1: True, 2: False, 3: True}, "30 7 * * *", BERLIN)
    assert {each.subject_id: each.enabled for each in await rows.all()} == {1: True, 2: False, 3: True}
    assert jobs(service) == {"SCRAPE/1", "SCRAPE/3"}
    await service.set_enabled_many(RunKind.SCRAPE, [1, 2, 9], True)
    assert jobs(service) == {"SCRAPE/1", "SCRAPE/2", "SCRAPE/3"}
    await service.set_enabled_many(RunKind.SCRAPE, [1], False)
    stored = await rows.of_kind(RunKind.SCRAPE)
    assert [stored[number].enabled for number in (1, 2, 3)] == [False, True, True]
    assert stored[2].next_due_at == next_times("30 7 * * *", BERLIN, 1)[0]
    await service.remove_many(RunKind.SCRAPE, [1, 3, 9])
    assert list(await rows.of_kind(RunKind.SCRAPE)) == [2]
    assert jobs(service) == {"SCRAPE/2"}
    with pytest.raises(CronInvalid):
        await service.set_many(RunKind.SCRAPE, {1: True}, "0 0 31 2 *", BERLIN)
    await service.stop()
    assert list(await rows.of_kind(RunKind.SCRAPE)) == [2]


def jobs(service: ScheduleService) -> set[str]:
    assert service._scheduler is not None
    return {job.id for job in service._scheduler.get_jobs()}
