"""The walk through a channel's messages, upwards from an id: pages in order, some of them asked for ahead.

Each page is a window: the 100 messages right above an id. Windows asked for ahead begin 100 ids apart. Where every id
is a message they meet without a gap; where ids are missing they overlap, and what an earlier page brought is dropped.
So nothing that lies between two windows is ever passed by. A walk through thin ids asks for nothing ahead but the one
next page, since windows would mostly repeat each other.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace

from services.clients.base import HISTORY_PAGE, HistoryPage, Post

WINDOWS_AHEAD = 3
DENSE_IDS = HISTORY_PAGE * 5 // 4
"""A page that reaches no further than this says that ids are dense."""

BATCH_POSTS = 1000
BATCH_SECONDS = 1.0
"""A transaction costs more than the messages of a page, whatever their number."""

TURNS = 6
"""Of the event loop, from asking to the socket: the walk's task, the pace, two queues of the library."""

Ask = Callable[[int], Awaitable[HistoryPage]]


async def walk(ask: Ask, after_id: int, windows: int = WINDOWS_AHEAD) -> AsyncGenerator[HistoryPage, None]:
    """What lies above `after_id`, each post once. `ask`: the page above an id; called for up to `windows` at once.

    Pages are handed out in batches, each to be stored as one: a second's worth, 1,100 posts at most. Raises what
    `ask` raises, after every page below it has been handed out. Close it (contextlib.aclosing): what is being asked is
    taken back.
    """
    walking = _Walk(ask, windows, after_id)
    try:
        while (page := await walking.next()) is not None:
            yield page
    finally:
        await walking.end()


class _Walk:
    def __init__(self, ask: Ask, windows: int, after_id: int) -> None:
        self._ask = ask
        self._windows = windows
        self._cursor = after_id
        self._next_start = after_id
        self._asked: deque[tuple[int, asyncio.Task[HistoryPage]]] = deque()
        self._ask_on(1)  # nothing is known of the ids yet

    async def next(self) -> HistoryPage | None:
        """The next batch; the pages above it are being asked for by then."""
        posts: list[Post] = []
        page, before = None, self._cursor
        deadline = asyncio.get_running_loop().time() + BATCH_SECONDS
        while self._asked and len(posts) < BATCH_POSTS:
            start, asking = self._asked[0]
            if posts and not await _comes(asking, deadline):
                break
            page = await asking
            self._asked.popleft()
            if page.last_id is None or page.is_last:
                await self.end()
            else:
                self._look_ahead(start, page.last_id, page.newer)
                for _ in range(TURNS):  # what is asked for now gets on its way before this page is read
                    await asyncio.sleep(0)
            posts += (post for post in page.posts if post.message.id > self._cursor)
            self._cursor = max(self._cursor, page.last_id or 0)
        if page is None or self._cursor == before:
            return None
        return replace(page, posts=tuple(posts), last_id=self._cursor)

    def _look_ahead(self, start: int, last_id: int, newer: int | None) -> None:
        is_dense = last_id - start <= DENSE_IDS
        at_most = self._windows if newer is None else -(-newer // HISTORY_PAGE)
        self._ask_on(min(self._windows, at_most) if is_dense else 1, last_id)

    def _ask_on(self, at_once: int, above: int = 0) -> None:
        while len(self._asked) < at_once:
            start = max(self._next_start, self._cursor, above)
            self._next_start = start + HISTORY_PAGE
            self._asked.append((start, asyncio.ensure_future(self._ask(start))))

    async def end(self) -> None:
        asking = [task for _, task in self._asked]
        self._asked.clear()
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def _comes(asking: asyncio.Task[HistoryPage], deadline: float) -> bool:
    """Whether it brings a page before then. One that fails is left for the next batch to raise."""
    await asyncio.wait({asking}, timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
    return asking.done() and not asking.cancelled() and asking.exception() is None
