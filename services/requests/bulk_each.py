"""Deciding those who are meant one by one: by the bot where it may, else by a session.

Few calls are under way at once. An item is marked before its call goes out, and its outcome is stored together with the
request as soon as Telegram has answered: after a kill it is known whose answer was lost, and of those alone "waits no
more" may mean that it was us.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, TypeVar

from services.access import Rights
from services.errors import (
    AlreadyMember,
    RequestGone,
    StaysPending,
    TelegramRefused,
    Unreachable,
)
from services.requests.deciding import Decider, Teller
from services.runs import RunContext
from storage.bulk import ASKED, BulkRepository, Settled, Tally
from storage.models import JoinRequest, Progress, RequestStatus, Run, Way
from storage.request_models import BulkItem, ItemOutcome

log = logging.getLogger(__name__)

T = TypeVar("T")

AT_ONCE = 4
PAUSE_SECONDS = 0.05
"""For each person, where the bot decides: below the 30 calls a second that Telegram allows it."""
ACCOUNTS_GONE = frozenset({"INPUT_USER_DEACTIVATED", "USER_ID_INVALID"})

NAMES = {
    ItemOutcome.APPROVED: "approved",
    ItemOutcome.DENIED: "denied",
    ItemOutcome.WITHDRAWN: "withdrawn",
    ItemOutcome.ELSEWHERE: "elsewhere",
    ItemOutcome.STAYS: "stay",
}


def progress_of(tally: Tally) -> Progress:
    counters = {name: tally.outcomes[outcome] for outcome, name in NAMES.items() if tally.outcomes[outcome]}
    if tally.unseen:
        counters["unseen"] = tally.unseen
    done = tally.outcomes.total()
    return Progress(done=done, total=done + tally.undecided, counters=counters)


def closed(request: JoinRequest) -> ItemOutcome:
    """What a request that waits no more has become for a run that did not decide it."""
    return ItemOutcome.WITHDRAWN if request.status is RequestStatus.WITHDRAWN else ItemOutcome.ELSEWHERE


async def finished(calls: Coroutine[Any, Any, T]) -> T:
    """To its end, even when the run is paused or stopped meanwhile: what Telegram answers is stored before that."""
    task = asyncio.create_task(calls)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


@dataclass(frozen=True, slots=True)
class _Decided:
    """`way`: through whom; None: Telegram decided nothing just now."""

    settled: Settled
    way: Way | None = None


class OneByOne:
    def __init__(
        self,
        bulk: BulkRepository,
        decider: Decider,
        rights: Rights,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._bulk = bulk
        self._decider = decider
        self._rights = rights
        self._sleep = sleep

    async def decide(self, context: RunContext) -> None:
        """Everybody who is meant and has no outcome yet. Raises NotAllowed, RightMissing, SessionRequired,
        TelegramError: whoever has no outcome then waits still."""
        run = context.run
        tally = await self._bulk.tally(run.id)
        context.progress(progress_of(tally))
        after_id = 0
        while items := await self._bulk.undecided(run.id, after_id):
            channel_id = items[0].request.channel_id  # a group that became a supergroup took them along
            teller = await self._decider.teller(channel_id)
            for first in range(0, len(items), AT_ONCE):
                await self._rights.check_decides(run.requested_by, run.subject_id)
                request_ids = [item.request.id for item in items[first : first + AT_ONCE]]
                ways = await finished(self._decide(context, teller, request_ids, tally))
                if Way.BOT in ways:
                    await self._sleep(PAUSE_SECONDS * ways.count(Way.BOT))
                if Way.SESSION in ways and teller.session_id is None:  # the bot has lost its right
                    teller = await self._decider.teller(channel_id)
            after_id = items[-1].request.id

    async def _decide(
        self, context: RunContext, teller: Teller, request_ids: Sequence[int], tally: Tally
    ) -> list[Way | None]:
        """Through whom each was decided. Nobody else decides on them meanwhile. Raises the first error, when what went
        well is stored and counted."""
        run = context.run
        async with AsyncExitStack() as turns:
            for request_id in request_ids:  # ascending: whoever waits for one of them holds none behind it
                await turns.enter_async_context(self._decider.turn(request_id))
            items = await self._bulk.undecided(run.id, request_ids[0] - 1, len(request_ids))
            waiting = [item.request.id for item in items if item.request.status is RequestStatus.PENDING]
            await self._bulk.ask(run.id, waiting)
            ended = await asyncio.gather(*(self._one(run, teller, item) for item in items), return_exceptions=True)
            decided = [each for each in ended if not isinstance(each, BaseException)]
            await self._bulk.settle(run.id, [each.settled for each in decided], run.requested_by)
        for each in decided:
            tally.note(each.settled.outcome)
        context.progress(progress_of(tally))
        for error in ended:
            if isinstance(error, BaseException):
                raise error
        return [each.way for each in decided]

    async def _one(self, run: Run, teller: Teller, item: BulkItem) -> _Decided:
        request = item.request
        if request.status is not RequestStatus.PENDING:
            return _Decided(await self._closed(run, item))
        try:
            way = await self._decider.tell_by(teller, request, run.params["approve"])
        except (RequestGone, AlreadyMember) as error:
            return _Decided(await self._gone(run, item, error))
        except (StaysPending, TelegramRefused) as error:
            log.info("a request stays: %s", error.word, extra={"run_id": run.id, "request_id": request.id})
            return _Decided(Settled(request.id, ItemOutcome.STAYS, error.word))
        except Unreachable:
            raise  # Telegram may have done it
        except Exception:
            await self._bulk.ask(run.id, [request.id], is_asked=item.reason == ASKED)
            raise
        return _Decided(Settled(request.id, _wanted(run)), way)

    async def _closed(self, run: Run, item: BulkItem) -> Settled:
        """Another list was read while our answer was on its way, or somebody else was faster."""
        request = item.request
        if _was_asked(run, item) and request.way is Way.ELSEWHERE:
            return await self._gone(run, item, RequestGone())
        return Settled(request.id, closed(request))

    async def _gone(self, run: Run, item: BulkItem, error: RequestGone | AlreadyMember) -> Settled:
        """Waits no more. Asked about in an earlier life of this run, it may have been our own call that did it."""
        request, approve = item.request, run.params["approve"]
        if str(error) in ACCOUNTS_GONE:
            return Settled(request.id, ItemOutcome.WITHDRAWN, str(error))
        is_in = isinstance(error, AlreadyMember) or await self._decider.is_member(request)
        if _was_asked(run, item) and is_in is approve:
            return Settled(request.id, _wanted(run))
        return Settled(request.id, ItemOutcome.ELSEWHERE if is_in else ItemOutcome.WITHDRAWN)


def _wanted(run: Run) -> ItemOutcome:
    return ItemOutcome.APPROVED if run.params["approve"] else ItemOutcome.DENIED


def _was_asked(run: Run, item: BulkItem) -> bool:
    """Whether a call of this run whose answer is not known may have decided them."""
    return item.reason == ASKED or bool(run.checkpoint.get("unproven"))
