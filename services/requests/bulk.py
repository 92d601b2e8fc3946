"""Deciding many at once: what is shown before the yes, the yes, and what is answered to a run that asks.

Who is meant is written down with the run (storage/bulk.py), which begins when the time to take it back is over. The
work is in services/requests/bulk_runs.py.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from services import audit
from services.access import Rights
from services.errors import NotFound
from services.requests.listing import RequestLists
from services.requests.submitting import Submitting
from services.runs import Runner
from storage.bulk import BulkRepository
from storage.models import NEW_SINCE_PREVIEW, AuditVerb, Channel, JoinRequest, Run, RunKind
from storage.request_models import BulkItem, RequestFilters, RequestView
from storage.request_pages import RequestPages
from storage.request_views import RequestTicks, RequestViewRepository
from storage.types import Clock, utc_now

UNDO_SECONDS = 10.0
SAMPLE = 10


@dataclass(frozen=True, slots=True)
class Many:
    """What the yes is bound to. `request_ids`: of those who were ticked; None: whom the filters mean, without whoever
    came after `newest`. `count`: of those who were shown, at the moment `at`."""

    channel_id: int
    approve: bool
    filters: RequestFilters
    request_ids: tuple[int, ...] | None
    newest: int
    at: datetime
    count: int

    @property
    def is_everybody(self) -> bool:
        return self.filters.is_empty and self.request_ids is None

    def to_json(self) -> dict[str, Any]:
        return {
            "channel": self.channel_id,
            "approve": self.approve,
            "filters": self.filters.to_json(),
            "ids": self.request_ids,
            "newest": self.newest,
            "at": self.at.isoformat(),
            "count": self.count,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        return cls(
            channel_id=values["channel"],
            approve=values["approve"],
            filters=RequestFilters.from_json(values["filters"]),
            request_ids=None if values["ids"] is None else tuple(values["ids"]),
            newest=values["newest"],
            at=datetime.fromisoformat(values["at"]),
            count=values["count"],
        )


@dataclass(frozen=True, slots=True)
class Preview:
    many: Many
    channel: Channel
    sample: list[JoinRequest]


class BulkDecisions:
    def __init__(
        self,
        bulk: BulkRepository,
        pages: RequestPages,
        views: RequestViewRepository,
        ticks: RequestTicks,
        lists: RequestLists,
        submitting: Submitting,
        runner: Runner,
        rights: Rights,
        *,
        undo_seconds: float = UNDO_SECONDS,
        clock: Clock = utc_now,
    ) -> None:
        self._bulk = bulk
        self._pages = pages
        self._views = views
        self._ticks = ticks
        self._lists = lists
        self._submitting = submitting
        self._runner = runner
        self._rights = rights
        self._clock = clock
        self.undo_seconds = undo_seconds

    # -- before the yes

    async def preview(
        self, admin_id: int, channel_id: int, approve: bool, *, view_id: int = 0, ticked: bool = False
    ) -> Preview:
        """Whom a decision would be about: everybody (view 0), those of a view, or those whom the admin has ticked.

        Raises NotFound, NotAllowed.
        """
        await self._rights.check_decides(admin_id, channel_id)
        channel = await self._lists.channel(channel_id)
        newest, at = await self._bulk.newest(), self._clock()
        if ticked:
            ids = await self._ticks.ids(admin_id, channel_id)
            sample = [await self._lists.get(request_id) for request_id in ids[:SAMPLE]]
            return Preview(
                Many(channel_id, approve, RequestFilters(), tuple(ids), newest, at, len(ids)), channel, sample
            )
        view = await self._view(view_id, admin_id, channel_id)
        count, sample = await self._pages.total(view), await self._pages.sample(view, SAMPLE)
        return Preview(Many(channel_id, approve, view.filters, None, newest, at, count), channel, sample)

    async def _view(self, view_id: int, admin_id: int, channel_id: int) -> RequestView:
        if not view_id:
            return RequestView(0, admin_id, channel_id, RequestFilters())
        view = await self._views.get(view_id, admin_id)
        if view is None or view.channel_id != channel_id:
            raise NotFound("list")
        return view

    # -- the yes

    async def decide(self, admin_id: int, many: Many) -> Run:
        """A run that begins when the time to take it back is over.

        Raises NotFound, NotAllowed, SetGrown, AlreadyActive.
        """
        async with audit.act(verb_of(many.approve, many.is_everybody), await self._title(many), step="asked"):
            await self._rights.check_decides(admin_id, many.channel_id)
            kind = RunKind.DECIDE_ALL if many.is_everybody else RunKind.DECIDE_SOME
            if many.request_ids is not None:
                also = self._bulk.these(kind, many.channel_id, many.request_ids)
            else:
                view = RequestView(0, admin_id, many.channel_id, many.filters)
                matching = self._pages.matching(view, many.at)
                also = self._bulk.all_of(kind, many.channel_id, matching, many.newest, many.count)
            params = {"approve": many.approve, "count": many.count}
            run = await self._submitting.submit(
                kind, many.channel_id, admin_id, params, delay_seconds=self.undo_seconds, also=also
            )
        if many.request_ids is not None:
            await self._ticks.clear(admin_id, many.channel_id)
        return run

    async def _title(self, many: Many) -> str:
        return await self._submitting.title(many.channel_id)

    async def answer(self, run: Run, admin_id: int, *, include: bool) -> Run:
        """To a run that found more people than were shown: decide those too, or only who was shown.

        Answered before: the run as it is. Raises NotFound, NotAllowed.
        """
        await self._rights.check_decides(admin_id, run.subject_id)
        if not run.is_asking or run.reason != NEW_SINCE_PREVIEW:
            return run
        async with audit.act(verb_of(run.params["approve"], True), run.title, step="included" if include else "only"):
            answer = {"include": run.checkpoint["newest"]} if include else {"only": True}
            return await self._runner.answer(run.id, {**run.checkpoint, **answer})

    # -- afterwards

    async def items(self, run_id: int, after_id: int = 0) -> list[BulkItem]:
        """Whom it was about and what became of them: a part of all, behind that request."""
        return await self._bulk.page(run_id, after_id)


def verb_of(approve: bool, is_everybody: bool) -> AuditVerb:
    if is_everybody:
        return AuditVerb.APPROVE_ALL if approve else AuditVerb.DENY_ALL
    return AuditVerb.APPROVE_SOME if approve else AuditVerb.DENY_SOME
