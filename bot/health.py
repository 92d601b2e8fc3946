"""How an open Porter is, for whoever asks at its door (bot/door.py).

Numbers and times alone: no names, no ids of people, nothing that was sealed.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.house import House
from bot.polling import POLL_SECONDS, Poller
from bot.rows import Rows
from storage.database import Database
from storage.models import RunTally, SessionState
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

POLL_PATIENCE_SECONDS = POLL_SECONDS + 60.0
"""Since Telegram answered last. An empty poll takes POLL_SECONDS."""
DATABASE_SECONDS = 5.0
LATE = timedelta(seconds=60)
"""A timer that is so late does not come any more."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the database answered. `working`, `dead`: sessions."""

    seconds: float
    tally: RunTally
    working: int
    dead: int


class Health:
    """How an open Porter is. The thresholds are parameters for tests."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        house: House,
        poller: Poller,
        *,
        clock: Clock = utc_now,
        database_seconds: float = DATABASE_SECONDS,
        poll_patience_seconds: float = POLL_PATIENCE_SECONDS,
    ) -> None:
        self._database = database
        self._rows = rows
        self._house = house
        self._poller = poller
        self._clock = clock
        self._database_seconds = database_seconds
        self._poll_patience_seconds = poll_patience_seconds
        self._opened_at = time.monotonic()
        self._looking: asyncio.Task[_Seen] | None = None

    async def report(self) -> dict[str, Any]:
        """JSON-ready; `ok` is all of it together."""
        seen, trouble = await self._look()
        age = time.monotonic() - (self._poller.polled_at or self._opened_at)
        parts: dict[str, dict[str, Any]] = {
            "database": {"ok": seen is not None, "ms": seen and round(seen.seconds * 1000, 1), "error": trouble},
            "bot": {"ok": age < self._poll_patience_seconds},
            "scheduler": self._scheduler(),
        }
        waiting = self._house.restores.waiting
        return {
            "ok": all(part["ok"] for part in parts.values()),
            "state": "open",
            **parts,
            "last_poll": self._last_poll(age),
            "runs": seen
            and {
                "running": seen.tally.running,
                "waiting": seen.tally.waiting,
                "failed_last_day": seen.tally.failed,
            },
            "sessions": seen and {"working": seen.working, "dead": seen.dead},
            "resting": waiting and str(waiting.why),
        }

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look(self) -> tuple[_Seen | None, str | None]:
        """What was seen, or the trouble. A look that takes too long is left to end by itself, and whoever asks
        meanwhile waits for the same one: cancelled ones would cost the writer its connection."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._ask_database())
        looking = self._looking
        await asyncio.wait({looking}, timeout=self._database_seconds)
        if not looking.done():
            return None, "no answer in time"
        error = looking.exception()
        return (None, type(error).__name__) if error is not None else (looking.result(), None)

    async def _ask_database(self) -> _Seen:
        began = time.monotonic()
        await self._database.probe()
        seconds = time.monotonic() - began
        tally = await self._rows.runs.tally(self._clock() - DAY)
        states = [session.state for session in await self._rows.sessions.all()]
        working = states.count(SessionState.ACTIVE)
        return _Seen(seconds, tally, working, len(states) - working)

    def _scheduler(self) -> dict[str, Any]:
        """As long as accounts rest, nothing is scheduled: that is as it should be."""
        schedule = self._house.schedule
        next_at = schedule.next_at
        is_late = next_at is not None and next_at < self._clock() - LATE
        is_ok = self._house.restores.waiting is not None or (schedule.is_running and not is_late)
        return {"ok": is_ok, "running": schedule.is_running, "next_at": next_at and next_at.isoformat()}

    def _last_poll(self, age: float) -> dict[str, Any] | None:
        """None: Telegram has not answered yet."""
        if self._poller.polled_at is None:
            return None
        ended_at = self._clock() - timedelta(seconds=age)
        return {"ended_at": ended_at.isoformat(timespec="seconds"), "age_s": round(age, 1)}
