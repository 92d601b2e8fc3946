"""When what a live source has heard is carried: at once, and in growing distances where there is no end of it."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

SETTLE_SECONDS = 0.3
"""An album is several updates: its posts are carried by one run."""
LONGEST_GAP_SECONDS = 30.0
"""Where posts come without end, runs keep this distance in the end: a busy group costs two page calls a minute."""


@dataclass(slots=True)
class Pulse:
    """What a source has heard and not carried yet. `newest` None: look, whatever the cursor says."""

    is_wanted: bool = False
    newest: int | None = 0
    is_waiting: bool = False  # for the run that is under way to end
    timer: asyncio.TimerHandle | None = None
    submitted_at: float = float("-inf")  # of the loop's clock
    gap_seconds: float = SETTLE_SECONDS
    rests_until: datetime | None = None

    def hear(self, message_id: int | None) -> None:
        if message_id is None or (self.is_wanted and self.newest is None):
            self.newest = None
        else:
            self.newest = max(message_id, (self.newest or 0) if self.is_wanted else 0)
        self.is_wanted = True

    def next_gap(self, now: float) -> float:
        """How long to wait before the next run: longer and longer while one follows the other."""
        is_busy = now - self.submitted_at < 2 * max(self.gap_seconds, 1.0)
        self.gap_seconds = min(2 * self.gap_seconds, LONGEST_GAP_SECONDS) if is_busy else SETTLE_SECONDS
        return max(SETTLE_SECONDS, self.submitted_at + self.gap_seconds - now)
