"""Keeping the gate: people who ask to join are taken in, listed, loaded, decided.

What Telegram says is the truth; a row tells what we know of it. A decision goes to Telegram first and is stored then,
by compare-and-set. Killed in between, the row waits still, and the next attempt hears that it was handled.
"""

from dataclasses import dataclass

from services.requests.arriving import Arrivals
from services.requests.bulk import BulkDecisions
from services.requests.deciding import Decider
from services.requests.gates import Gates
from services.requests.listing import RequestLists
from services.requests.load_schedules import LoadSchedules
from services.requests.loading import RequestLoads
from services.requests.removing import Removals

__all__ = [
    "Arrivals",
    "BulkDecisions",
    "Decider",
    "Gates",
    "LoadSchedules",
    "Removals",
    "RequestLists",
    "RequestLoads",
    "RequestServices",
]


@dataclass(frozen=True)
class RequestServices:
    arrivals: Arrivals
    lists: RequestLists
    decider: Decider
    loads: RequestLoads
    bulk: BulkDecisions
    gates: Gates
    removals: Removals
    load_schedules: LoadSchedules
