"""What the card of a decision on many says when it is over, beside its numbers."""

from dataclasses import dataclass

from storage.bulk import BulkRepository
from storage.models import BULK_RUNS, JoinRequest, Run
from storage.request_pages import RequestPages

NAMED = 5
"""So many of those who were decided unseen stand on the card; the file has all of them."""


@dataclass(frozen=True, slots=True)
class Ending:
    """`reasons`: why people stay, by Telegram's word. `unseen`: NAMED of those who were decided without having been on
    a list. `following`: how many are in the next group that waits there."""

    reasons: dict[str, int]
    unseen: list[JoinRequest]
    following: int


class Endings:
    def __init__(self, bulk: BulkRepository, pages: RequestPages) -> None:
        self._bulk = bulk
        self._pages = pages

    async def of(self, run: Run) -> Ending | None:
        """None: it is no decision on many, or not over."""
        if run.kind not in BULK_RUNS or run.is_active:
            return None
        groups = await self._pages.groups(run.subject_id)
        reasons, unseen = await self._bulk.reasons(run.id), await self._bulk.unseen(run.id, NAMED)
        return Ending(reasons, unseen, next(iter(groups.values()), 0))
