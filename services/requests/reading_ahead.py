"""Pages of waiting people, read on while those before are stored.

Each page needs the one before, so a list takes a round trip a page and cannot take less. It takes no more either: what
has come meanwhile is handed over together, and is stored together.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from services.clients.base import REQUESTS_PAGE, RequestsOffset, RequestsPage
from storage.models import IncomingRequest

PAGES_AHEAD = 8
"""Of 200 people each: what a kill loses of the way, and must ask for again."""

Ask = Callable[[RequestsOffset | None, int], Awaitable[RequestsPage]]
"""(offset, limit)"""


@dataclass(frozen=True, slots=True)
class ReadPage:
    """`fresh`: those on it who were on no page before."""

    page: RequestsPage
    fresh: list[IncomingRequest]


class ReadingAhead:
    """One list, read once. `newest`: no more people than so many. `seen`: who was met; `is_long`: on several pages."""

    def __init__(self, ask: Ask, offset: RequestsOffset | None, newest: int | None) -> None:
        self._ask = ask
        self._offset = offset
        self._left = newest
        self._pages: asyncio.Queue[ReadPage | None] = asyncio.Queue(PAGES_AHEAD)
        self._trouble: Exception | None = None
        self.seen: set[int] = set()
        self.is_long = False

    async def batches(self) -> AsyncGenerator[list[ReadPage], None]:
        """What has come since the last batch, at least one page, to the end of the list. What ends the reading early
        is raised when all that came before was handed over."""
        reading = asyncio.create_task(self._read())
        try:
            is_over = False
            while not is_over:
                batch = [await self._pages.get()]
                while not self._pages.empty():
                    batch.append(self._pages.get_nowait())
                is_over = batch[-1] is None
                if pages := [page for page in batch if page is not None]:
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
        except Exception as error:  # noqa: BLE001 - raised where the pages are taken
            self._trouble = error
        await self._pages.put(None)

    async def _next(self) -> ReadPage | None:
        """None: that was all. The end is an empty page; a page without a new row would go on for ever."""
        limit = REQUESTS_PAGE if self._left is None else min(REQUESTS_PAGE, self._left)
        is_first = not self.seen
        if limit <= 0 or (self._offset is None and not is_first):
            return None
        page = await self._ask(self._offset, limit)
        fresh = [request for request in page.requests if request.user_id not in self.seen]
        if not fresh:
            return None
        self.seen.update(request.user_id for request in fresh)
        self.is_long = self.is_long or not is_first
        self._offset = page.next
        if self._left is not None:
            self._left -= len(page.requests)
        return ReadPage(page, fresh)
