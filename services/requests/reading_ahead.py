"""Pages of waiting people, read on while those before are stored.

Each page needs the one before, so a list takes a round trip a page and cannot take less. It takes no more either: what
has come meanwhile is handed over together, and is stored together.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from services.clients.base import REQUESTS_PAGE, RequestsOffset, RequestsPage
from storage.models import IncomingRequest

PAGES_AHEAD = 8
"""Of 200 people each: what a kill loses of the way, and must ask for again."""

WORTH_STORING = 2 * REQUESTS_PAGE
"""A transaction costs as much as storing a hundred people: smaller pages wait for each other."""

Ask = Callable[[RequestsOffset | None, int], Awaitable[RequestsPage]]
"""(offset, limit)"""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """`fresh_ids`: those on it who were on no page before. `is_top`: it was read last, once more from the beginning."""

    page: RequestsPage
    fresh_ids: frozenset[int]
    is_top: bool = False

    @property
    def fresh(self) -> list[IncomingRequest]:
        """Each once, and parsed now: the next page is under way meanwhile."""
        rows = {request.user_id: request for request in self.page.requests if request.user_id in self.fresh_ids}
        return list(rows.values())


class ReadingAhead:
    """One list, read once. `newest`: no more people than so many. `met_until`: the list was begun before, and that is
    when the last of those who were met then asked."""

    def __init__(self, ask: Ask, offset: RequestsOffset | None, newest: int | None, met_until: datetime | None) -> None:
        self._ask = ask
        self._offset = offset
        self._left = newest
        self._goes_on = met_until is not None
        self._met_until = met_until
        self._pages: asyncio.Queue[ReadPage | None] = asyncio.Queue(PAGES_AHEAD)
        self._trouble: Exception | None = None
        self._seen: set[int] = set()
        self._is_long = self._goes_on

    async def batches(self) -> AsyncGenerator[list[ReadPage], None]:
        """What has come since the last batch, to the end of the list. What ends the reading early
        is raised when all that came before was handed over."""
        reading = asyncio.create_task(self._read())
        try:
            is_over = False
            while not is_over:
                pages: list[ReadPage] = []
                while not is_over and (not self._pages.empty() or _people(pages) < WORTH_STORING):
                    page = await self._pages.get()
                    is_over = page is None
                    if page is not None:
                        pages.append(page)
                if pages:
                    yield pages
            if self._trouble is not None:
                raise self._trouble
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        try:
            while (read := await self._next()) is not None:
                await self._pages.put(read)
            if self._is_long and self._left is None:
                await self._look_at_the_top()
        except Exception as error:  # noqa: BLE001 - raised where the pages are taken
            self._trouble = error
        await self._pages.put(None)

    async def _next(self) -> ReadPage | None:
        """None: that was all. The end is an empty page; a page without a new row would go on for ever."""
        limit = REQUESTS_PAGE if self._left is None else min(REQUESTS_PAGE, self._left)
        is_first = not self._seen
        if limit <= 0 or (self._offset is None and not is_first):
            return None
        page = await self._ask(self._offset, limit)
        fresh = frozenset(page.user_ids) - self._seen
        if not fresh:
            return None
        if self._met_until is None:
            self._met_until = page.requests[0].asked_at
        self._seen |= fresh
        self._is_long = self._is_long or not is_first
        self._offset = page.next
        if self._left is not None:
            self._left -= len(page.user_ids)
        return ReadPage(page, fresh)

    async def _look_at_the_top(self) -> None:
        """Who asked while the list was read stands above where it began: while the last pages are stored, the first is
        asked for once more, and read on from there for as long as all on it are new."""
        offset: RequestsOffset | None = None
        while True:
            page = await self._ask(offset, REQUESTS_PAGE)
            fresh = frozenset(request.user_id for request in page.requests if self._is_later(request))
            if not fresh:
                return
            self._seen |= fresh
            await self._pages.put(ReadPage(page, fresh, is_top=True))
            if len(fresh) < len(page.user_ids):
                return
            offset = page.next

    def _is_later(self, request: IncomingRequest) -> bool:
        """Of a list that was begun before it is not known who was met: whoever asked in the very second of the newest
        is taken for met."""
        if self._met_until is None or request.asked_at != self._met_until:
            return self._met_until is None or request.asked_at > self._met_until
        return not self._goes_on and request.user_id not in self._seen


def _people(pages: list[ReadPage]) -> int:
    return sum(len(page.fresh_ids) for page in pages)
