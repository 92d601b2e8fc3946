"""Telegram's limit on what a bot sends into one chat: a burst, then a slow drip. Edits count alike (TELEGRAM.md).

A person's chat takes one a second, a group 20 a minute; a channel is taken for a group.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.bot_api.errors import too_many_requests

BURST = 20
REFILL_PER_S = 1.0
GROUP_REFILL_PER_S = 20 / 60


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class ChatLimits:
    """`clock`: seconds, never going back; tests that advance the World's clock refill the buckets as well."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.enabled = True
        self._clock = clock
        self._buckets: dict[tuple[int, int], _Bucket] = {}

    def spend(self, bot_id: int, peer: int) -> None:
        """Raises BotApiError 429 when the chat's burst is used up; the refused call costs nothing."""
        if not self.enabled:
            return
        now, refill = self._clock(), REFILL_PER_S if peer > 0 else GROUP_REFILL_PER_S
        bucket = self._buckets.setdefault((bot_id, peer), _Bucket(BURST, now))
        bucket.tokens = min(BURST, bucket.tokens + (now - bucket.at) * refill)
        bucket.at = now
        if bucket.tokens < 1:
            raise too_many_requests(math.ceil((1 - bucket.tokens) / refill))
        bucket.tokens -= 1
