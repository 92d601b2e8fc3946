"""Schedules: rows in the database, fired by APScheduler (which is imported here and nowhere else).

croniter alone decides what a cron line means: it validates, it fires, and it gives the times that are shown.
APScheduler's own CronTrigger reads `0 0 * * 0` as Monday and takes lines that never fire; cron-descriptor only puts
a line into words. A schedule's line is read in its own time zone; times are UTC outside of this module.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from cron_descriptor import Options, get_description
from cron_descriptor.Exception import FormatError
from croniter import CroniterBadDateError, CroniterError, croniter

from services.errors import CronInvalid, PorterError
from services.log_context import apart
from storage.models import RunKind, Schedule
from storage.schedules import ScheduleRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

HORIZON_YEARS = 8
"""29 February comes again within 8 years, over a century's gap too. What does not fire in them counts as never."""
STOP_SECONDS = 3.0

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
FIELD_NAMES = ("minute", "hour", "day", "month", "weekday")
FIELDS = len(FIELD_NAMES)
DAY, WEEKDAY = 2, 4
PRESETS = ("0 * * * *", "0 */6 * * *", "0 7 * * *", "0 7 * * mon")
"""What a tap offers."""
LARGEST_STEPS = (59, 23, 31, 12, 7)
STEP = re.compile(r"/(\d{1,9})")

# croniter reads a leading r or h as "any value, drawn anew each time": such a line has no next time to show.
RANDOM_FIELD = re.compile(r"(?:^|\s)[rh]", re.IGNORECASE)

Callback = Callable[[Schedule], Awaitable[None]]


# -- what a cron line means


def validate(cron: str) -> None:
    """Five fields, or one of the @names. Raises CronInvalid with the reason."""
    _check_words(_fields(cron))
    _next(cron, ZoneInfo("UTC"), utc_now())


def check_schedule(cron: str, timezone: str) -> None:
    """Raises CronInvalid: for the line, or for the zone."""
    validate(cron)
    _zone(timezone)


def _check_words(fields: list[str]) -> None:
    """Of new lines alone: what croniter takes, but fires otherwise than its words say. Raises CronInvalid."""
    for field, largest, name in zip(fields, LARGEST_STEPS, FIELD_NAMES, strict=True):
        # */90 minutes is fired as */60, and what a person reads is "every 90 minutes".
        if any(int(step) > largest for step in STEP.findall(field)):
            raise CronInvalid("syntax", name)
    is_special = "W" in fields[DAY] or any(sign in fields[WEEKDAY].upper() for sign in "#L")
    if is_special and not {fields[DAY], fields[WEEKDAY]} & {"*", "?"}:
        # Of both it heeds one, or wants both at once: neither is what cron says elsewhere.
        raise CronInvalid("together")


def describe(cron: str) -> str:
    """In English words, 24-hour clock. Raises CronInvalid."""
    fields = _fields(cron)
    expanded = _iterator(" ".join(fields), utc_now()).expanded
    if expanded[DAY][0] != "*" and expanded[WEEKDAY][0] != "*":
        # With a day and a weekday both given, either is enough. One sentence for both reads as if both had to hold.
        by_day = " ".join([*fields[:WEEKDAY], "*"])
        by_weekday = " ".join([*fields[:DAY], "*", *fields[DAY + 1 :]])
        second = _words(by_weekday)
        return f"{_words(by_day)}, and {second[0].lower()}{second[1:]}"
    return _words(" ".join(fields))


def next_times(cron: str, timezone: str, count: int = 3, after: datetime | None = None) -> list[datetime]:
    """The next `count` times after `after` (now), UTC. Raises CronInvalid."""
    zone = _zone(timezone)
    times: list[datetime] = []
    moment = after or utc_now()
    for _ in range(count):
        moment = _next(cron, zone, moment)
        times.append(moment)
    return times


def outlook(cron: str, timezone: str) -> tuple[str, list[datetime]]:
    """A stored line in words, and its next times. The line itself and none where it does not fire any more: whoever
    looks at it shall be able to change it."""
    try:
        return describe(cron), next_times(cron, timezone)
    except CronInvalid:
        return cron, []


def zones() -> list[str]:
    """Time zones to choose among, as people name them, by name."""
    places = {name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/"))}
    return sorted(places | {"UTC"})


def _fields(cron: str) -> list[str]:
    """The five fields, an @name spelt out. Six and seven are refused: libraries do not agree where seconds stand."""
    line = ALIASES.get(cron.strip().lower(), cron)
    fields = line.split()
    if len(fields) != FIELDS:
        has_seconds = len(fields) in (FIELDS + 1, FIELDS + 2)
        raise CronInvalid("seconds" if has_seconds else "parts", str(len(fields)))
    if RANDOM_FIELD.search(line):
        raise CronInvalid("random")
    fields[DAY] = fields[DAY].upper()  # croniter reads an l, cron-descriptor only an L
    return fields


def _unreadable(fields: list[str]) -> str:
    """The first field that cannot be read by itself, by its name; "" where only all together make no sense."""
    for position, name in enumerate(FIELD_NAMES):
        alone = ["*"] * FIELDS
        alone[position] = fields[position]
        if not croniter.is_valid(" ".join(alone)):
            return name
    return ""


def _iterator(line: str, after: datetime) -> croniter:
    try:
        return croniter(line, after, max_years_between_matches=HORIZON_YEARS)
    except (CroniterError, TypeError, ValueError, KeyError) as error:
        raise CronInvalid("syntax", _unreadable(line.split())) from error


def _next(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    """In a night that skips an hour, what falls into it fires when it ends. An hour that comes twice counts once,
    unless the line fires in every hour: those are real hours apart."""
    iterator = _iterator(" ".join(_fields(cron)), after.astimezone(zone))
    in_every_hour = iterator.expanded[1][0] == "*"
    try:
        local: datetime = iterator.get_next(datetime)
        while local.fold and not in_every_hour:
            local = iterator.get_next(datetime)
    except CroniterBadDateError as error:
        raise CronInvalid("never") from error
    return local.astimezone(UTC)


def _words(line: str) -> str:
    """What cron-descriptor cannot say is shown as it was written."""
    options = Options(use_24hour_time_format=True, locale_code="en_US")
    try:
        return str(get_description(line, options))
    except (FormatError, ValueError, IndexError):
        return f"cron {line}"


def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CronInvalid("timezone") from error


# -- firing


class _Trigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no stubs
    """Asks croniter, and never for a time that is over: after a sleep of the machine there is one run, not many."""

    def __init__(self, cron: str, timezone: str) -> None:
        self._cron = cron
        self._timezone = timezone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        after = now if previous_fire_time is None else max(previous_fire_time, now)
        return next_times(self._cron, self._timezone, 1, after)[0]


class ScheduleService:
    """Started once. Callbacks are set before `start`."""

    def __init__(self, schedules: ScheduleRepository, *, clock: Clock = utc_now) -> None:
        self._schedules = schedules
        self._clock = clock
        self._callbacks: dict[RunKind, Callback] = {}
        self._scheduler: AsyncIOScheduler | None = None
        self._firing: set[asyncio.Task[None]] = set()

    @property
    def is_running(self) -> bool:
        return self._scheduler is not None and self._scheduler.running

    @property
    def next_at(self) -> datetime | None:
        """When it wakes next; None: nothing is scheduled. Stands in the past only where the timer is late."""
        if self._scheduler is None:
            return None
        times = [job.next_run_time for job in self._scheduler.get_jobs() if job.next_run_time is not None]
        return min(times, default=None)

    def on(self, kind: RunKind, callback: Callback) -> None:
        """Called with the schedule when it is due. Its PorterErrors are logged: a busy subject drops a turn."""
        self._callbacks[kind] = callback

    async def start(self) -> None:
        """What fell due while the process was down fires once, now."""
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            # None: however late, it fires. The default of one second drops what a busy moment delays.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._scheduler.start()
        now = self._clock()
        for schedule in await self._schedules.all():
            if schedule.enabled:
                due = schedule.next_due_at
                await self._add_job(schedule, due if due is not None and due <= now else None)

    async def stop(self) -> None:
        """Callbacks under way get a moment; what they have not submitted is due at the next start."""
        if self._scheduler is None:
            return
        self._scheduler.shutdown(wait=False)
        self._scheduler = None
        await asyncio.sleep(0)  # APScheduler shuts down in the loop's next turn
        if self._firing:
            _, late = await asyncio.wait(self._firing, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def set(self, kind: RunKind, subject_id: int, cron: str, timezone: str, *, enabled: bool = True) -> Schedule:
        """One a kind and subject: an older one is replaced. Raises CronInvalid."""
        validate(cron)
        due = next_times(cron, timezone, 1, self._clock())[0]
        schedule = await self._schedules.put(kind, subject_id, cron, timezone, due, enabled)
        await self._follow(schedule)
        return schedule

    async def set_many(self, kind: RunKind, subjects: Mapping[int, bool], cron: str, timezone: str) -> None:
        """As `set`. `subjects`: whether it is enabled, by subject. Raises CronInvalid."""
        validate(cron)
        due = next_times(cron, timezone, 1, self._clock())[0]
        new = [Schedule(0, kind, subject_id, cron, timezone, enabled, due) for subject_id, enabled in subjects.items()]
        await self._schedules.put_many(new)
        for schedule in new:
            await self._follow(schedule)

    async def remove(self, kind: RunKind, subject_id: int) -> None:
        """Nothing happens where none is."""
        await self.remove_many(kind, [subject_id])

    async def remove_many(self, kind: RunKind, subject_ids: Sequence[int]) -> None:
        await self._schedules.delete_many(kind, subject_ids)
        for subject_id in subject_ids:
            self._remove_job(kind, subject_id)

    async def set_enabled(self, kind: RunKind, subject_id: int, enabled: bool) -> None:
        """Times that passed while it was off are not made up for. Nothing happens where none is."""
        schedule = await self._schedules.get_for(kind, subject_id)
        if schedule is None:
            return
        await self._schedules.set_enabled(schedule.id, enabled)
        await self._follow(replace(schedule, enabled=enabled))

    async def set_enabled_many(self, kind: RunKind, subject_ids: Collection[int], enabled: bool) -> None:
        """As `set_enabled`."""
        known = await self._schedules.of_kind(kind)
        changed = [
            replace(schedule, enabled=enabled, next_due_at=self._due(schedule))
            for subject_id, schedule in known.items()
            if subject_id in subject_ids
        ]
        await self._schedules.put_many(changed)
        for schedule in changed:
            await self._follow(schedule)

    def _due(self, schedule: Schedule) -> datetime | None:
        """The line's next time; where it has none any more, the time that is stored."""
        try:
            return next_times(schedule.cron, schedule.timezone, 1, self._clock())[0]
        except CronInvalid:
            return schedule.next_due_at

    async def _follow(self, schedule: Schedule) -> None:
        """The job of a row that has changed."""
        if schedule.enabled:
            await self._add_job(schedule)
        else:
            self._remove_job(schedule.kind, schedule.subject_id)

    async def _add_job(self, schedule: Schedule, first: datetime | None = None) -> None:
        """`first`: when to fire first, else the line's next time."""
        try:
            trigger = _Trigger(schedule.cron, schedule.timezone)
            due = first or trigger.get_next_fire_time(None, self._clock())
        except CronInvalid:
            # A line whose last time is over, or a zone that this machine does not know: others must still start.
            log.warning("a schedule does not fire any more", extra={"schedule_id": schedule.id})
            return
        if due != schedule.next_due_at:
            await self._schedules.set_next_due(schedule.id, due)
        if self._scheduler is not None:
            self._scheduler.add_job(
                self._spawn,
                trigger,
                args=(schedule.kind, schedule.subject_id),
                id=_job_id(schedule.kind, schedule.subject_id),
                next_run_time=due,
                replace_existing=True,
            )

    def _remove_job(self, kind: RunKind, subject_id: int) -> None:
        if self._scheduler is not None:
            try:
                self._scheduler.remove_job(_job_id(kind, subject_id))
            except JobLookupError:
                log.debug("no job to remove", extra={"subject_id": subject_id})

    async def _spawn(self, kind: RunKind, subject_id: int) -> None:
        """Our own task: APScheduler cancels its own at shutdown and logs that as an error. Apart: its timer was set by
        whoever changed a schedule last, and what fires is not that admin's doing."""
        task = apart(self._fire(kind, subject_id))
        self._firing.add(task)
        task.add_done_callback(self._firing.discard)

    async def _fire(self, kind: RunKind, subject_id: int) -> None:
        """The callback first, then the next time: a kill in between repeats the call, and a repeated call finds its
        run under way. The other order could lose a turn."""
        schedule = await self._schedules.get_for(kind, subject_id)
        if schedule is None or not schedule.enabled:
            return
        try:
            await self._callbacks[kind](schedule)
        except PorterError as error:
            log.warning("a scheduled run was dropped: %s", type(error).__name__, extra={"schedule_id": schedule.id})
        except Exception:
            log.exception("a schedule failed of a defect", extra={"schedule_id": schedule.id})
        due = next_times(schedule.cron, schedule.timezone, 1, self._clock())[0]
        await self._schedules.set_next_due(schedule.id, due)


def _job_id(kind: RunKind, subject_id: int) -> str:
    return f"{kind}/{subject_id}"
