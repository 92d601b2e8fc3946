"""The walk through a history that a test makes up: every message once, in order, with few calls."""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.clients.base import HISTORY_PAGE, HistoryPage, Post
from services.errors import FloodWait
from services.history import WINDOWS_AHEAD, walk
from storage.models import NewMessage
from storage.types import utc_now

NOW = utc_now()


@dataclass
class History:
    """Messages with these ids. Answers as services.clients.base.ReadingClient.history does."""

    ids: Sequence[int]
    tells_newer: bool = True
    starts: list[int] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    fails_above: int | None = None

    async def ask(self, after_id: int) -> HistoryPage:
        self.starts.append(after_id)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if self.fails_above is not None and after_id >= self.fails_above:
            raise FloodWait(NOW)
        first = bisect_right(self.ids, after_id)
        found = self.ids[first : first + HISTORY_PAGE]
        if not found:
            return HistoryPage((), None, 0 if self.tells_newer else None, is_last=True)
        newer = len(self.ids) - first - len(found)
        posts = tuple(Post(NewMessage(each, NOW, None, ""), None, None) for each in found)
        return HistoryPage(posts, found[-1], newer if self.tells_newer else None, self.tells_newer and not newer)


async def walked(history: History, after_id: int = 0, seen: list[int] | None = None) -> list[int]:
    """The ids that came; also into `seen`, for a walk that fails."""
    seen = [] if seen is None else seen
    async with aclosing(walk(history.ask, after_id)) as pages:
        async for page in pages:
            seen += [post.message.id for post in page.posts]
            assert page.last_id == seen[-1]
    return seen


@settings(max_examples=60, deadline=None)
@given(
    gaps=st.lists(st.sampled_from([1, 1, 1, 1, 2, 40, 700]), min_size=0, max_size=700),
    after=st.integers(0, 900),
    tells_newer=st.booleans(),
)
async def test_every_message_once_and_in_order(gaps: list[int], after: int, tells_newer: bool) -> None:
    """However ids lie - dense, thin, with holes wider than a window - nothing is missed and nothing comes twice."""
    ids, last = [], 0
    for gap in gaps:
        last += gap
        ids.append(last)
    history = History(ids, tells_newer)
    assert await walked(history, after) == [each for each in ids if each > after]


async def test_dense_ids_are_asked_for_ahead() -> None:
    """2,000 messages without a gap: three windows at once, and no call more than there are pages."""
    history = History(range(1, 2001))
    assert await walked(history) == list(range(1, 2001))
    assert history.most_at_once == WINDOWS_AHEAD
    assert len(history.starts) == 20


async def test_thin_ids_are_not() -> None:
    """Where every tenth id is a message, windows ahead would bring the same again: one call a page."""
    ids = range(10, 20_001, 10)
    history = History(ids)
    assert await walked(history) == list(ids)
    assert len(history.starts) <= len(ids) / HISTORY_PAGE + 1


async def test_an_end_that_nobody_announces() -> None:
    """Telegram need not say how much is left: at most the windows ahead are asked in vain."""
    history = History(range(1, 501), tells_newer=False)
    assert await walked(history) == list(range(1, 501))
    assert len(history.starts) <= 5 + WINDOWS_AHEAD


async def test_nothing_new_costs_one_call() -> None:
    """A walk that stands at the newest message asks once and hands out nothing."""
    history = History(range(1, 501))
    assert await walked(history, 500) == []
    assert history.starts == [500]


async def test_a_failure_comes_after_what_lies_below_it() -> None:
    """What arrived before the flood wait is handed out first, so that a run goes on where it ended."""
    history = History(range(1, 2001), fails_above=700)
    seen: list[int] = []
    with pytest.raises(FloodWait):
        await walked(history, 0, seen)
    assert seen == list(range(1, 701))
    assert history.at_once == 0


async def test_closing_takes_back_what_is_asked() -> None:
    """Cancelled in the middle, no question is left open."""
    asked: list[asyncio.Task[HistoryPage] | None] = []
    history = History(range(1, 5001))

    async def ask(after_id: int) -> HistoryPage:
        if after_id < 1000:
            return await history.ask(after_id)
        asked.append(asyncio.current_task())  # type: ignore[arg-type]
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async with aclosing(walk(ask, 0)) as pages:
        await anext(pages)
    assert asked
    assert all(task is not None and task.done() for task in asked)
