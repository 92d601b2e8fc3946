"""Raw, read-only looks at Telegram for the doctor's round: what a look may ask, and how often.

A request is written as Telegram's schema has it (`messages.getHistory`, `Tl("inputPeerEmpty")`), an answer comes back
as plain dicts with the constructor's name under "_": so it can be read beside https://core.telegram.org.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

Sleep = Callable[[float], Awaitable[None]]


class NotReadOnly(Exception):
    """A call that is not on the list: a defect of whoever asked. Nothing was sent."""


class CallsSpent(Exception):
    """As many calls as were announced have been made. Nothing was sent."""


class Refusal(Exception):
    """Telegram says no. `word` with its number blanked out (FILE_MIGRATE_X), `number` that number or 0."""

    def __init__(self, word: str, code: int, number: int = 0) -> None:
        super().__init__(f"{code} {word}")
        self.word = word
        self.code = code
        self.number = number


@dataclass(frozen=True)
class Tl:
    """A constructor of the schema: `Tl("inputPeerChat", {"chat_id": 1})`."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """A flood wait that came."""

    word: str
    code: int
    seconds: int


class Guard:
    """Stands before every call: only what is `allowed`, `most` calls in all, one in `pace_seconds`."""

    def __init__(
        self, allowed: Collection[str], most: int, pace_seconds: float, *, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._allowed = frozenset(allowed)
        self._most = most
        self._pace_seconds = pace_seconds
        self._sleep = sleep
        self._free_at = 0.0
        self.calls: Counter[str] = Counter()

    async def let(self, method: str) -> None:
        """Returns when the call may be sent. Raises NotReadOnly, CallsSpent."""
        if method not in self._allowed:
            raise NotReadOnly(method)
        if self.calls.total() >= self._most:
            raise CallsSpent(method)
        self.calls[method] += 1
        now = asyncio.get_running_loop().time()
        starts_at = max(now, self._free_at)
        self._free_at = starts_at + self._pace_seconds
        if starts_at > now:
            await self._sleep(starts_at - now)


class Probe(Protocol):
    """One account's connection. Raises Refusal, NotReadOnly, CallsSpent, SessionDead, Unreachable and waits."""

    waits: list[Wait]

    @property
    def home_dc(self) -> int: ...

    @property
    def layer(self) -> int: ...

    async def ask(self, method: str, fields: dict[str, Any], dc_id: int | None = None) -> Any:
        """`dc_id`: of another data centre, by a login that is exported to it once."""

    async def close(self) -> None: ...
