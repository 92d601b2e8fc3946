"""A dead session and what hangs on it, as data: for the notice to the owners, cards, and the end of a repair."""

from dataclasses import dataclass

from storage.models import Run, Session


@dataclass(frozen=True, slots=True)
class Refuge:
    """Another session that works, and the sources of the dead one that it can read."""

    session: Session
    source_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Outage:
    """`sources`: how many read through the session. `waiting`: those of them that no admin has paused.

    `refuge`: the session that can take over most of them; None when no other one has met any of their channels.
    """

    session: Session
    sources: int
    waiting: int
    refuge: Refuge | None


@dataclass(frozen=True, slots=True)
class GoingOn:
    """What a repair set free. `sources`: those that no admin has paused; `run`: the scrape that had got furthest."""

    sources: int
    run: Run | None


@dataclass(frozen=True, slots=True)
class Moved:
    """`moved`: how many sources read through `to` now. `stay`: the names of those that it cannot read."""

    to: Session
    moved: int
    stay: tuple[str, ...]
