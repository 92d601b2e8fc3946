"""What Porter believes of Telegram, one sentence each, with what it was read in and how it is looked at."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class NotSeen(Exception):
    """There was nothing to look at. `needs`: what it would take, imperative."""

    def __init__(self, why: str, needs: str) -> None:
        super().__init__(why)
        self.why = why
        self.needs = needs


@dataclass(frozen=True)
class Seen:
    """`what`: numbers, words of Telegram and names of fields; never a name, a text, a link or an access hash."""

    agrees: bool
    what: str


@dataclass(frozen=True)
class Claim(Generic[T]):
    """`look` raises NotSeen, or what the probes raise. `used_by`: the file that is wrong when the claim is."""

    id: str
    says: str
    source: str
    look: Callable[[T], Awaitable[Seen]]
    used_by: str
