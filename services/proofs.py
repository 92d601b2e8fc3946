"""Telegram's own hashes of a file, compared with what came (upload.getFileHashes).

Each answer proves the ranges that it covers, and what is covered is compared as it comes. One part in sixteen is asked
about, beside the part itself: asking about each would double the requests for what the transport proves already, and
requests are what Telegram counts. Where a server does not answer, nothing is compared (decision 0019).
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable

from services.clients.base import PART_BYTES, RangeHash
from services.errors import TelegramError

log = logging.getLogger(__name__)

ASK_EVERY = 16

Ask = Callable[[int], Awaitable[list[RangeHash]]]
"""Offset in bytes -> hashes of ranges from there on."""


class Proof:
    """Of one file, while it is fetched. `ask` None: not asked (any more)."""

    def __init__(self, ask: Ask | None) -> None:
        self._ask = ask
        self._ranges: dict[int, list[RangeHash]] = {}  # by part
        self._asking: dict[int, asyncio.Task[None]] = {}

    @property
    def is_answered(self) -> bool:
        """False once Telegram has refused."""
        return self._ask is not None

    def begin(self, number: int) -> None:
        """That part is being fetched."""
        if self._ask is not None and number % ASK_EVERY == 0 and number not in self._ranges:
            self._asking[number] = asyncio.create_task(self._learn(self._ask, number))

    async def holds(self, number: int, data: bytes) -> bool:
        """Whether a part's bytes are what Telegram says; True where it says nothing."""
        asking = self._asking.pop(number, None)
        if asking is not None:
            await asking
        ranges = self._ranges.get(number, [])
        if ranges and not await asyncio.to_thread(_agree, data, number * PART_BYTES, ranges):
            return False
        self._ranges.pop(number, None)
        return True

    async def end(self) -> None:
        for task in self._asking.values():
            task.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _learn(self, ask: Ask, number: int) -> None:
        try:
            ranges = await ask(number * PART_BYTES)
        except TelegramError as error:
            # The part itself is asked for with the same right: what is wrong with the account shows there.
            log.debug("no hashes of a file: %s", type(error).__name__)
            self._ask = None
            return
        for each in ranges:
            part = each.offset // PART_BYTES
            if each.offset + each.size_bytes <= (part + 1) * PART_BYTES:
                self._ranges.setdefault(part, []).append(each)


def _agree(data: bytes, offset: int, ranges: list[RangeHash]) -> bool:
    view = memoryview(data)
    return all(
        hashlib.sha256(view[each.offset - offset : each.offset - offset + each.size_bytes]).digest() == each.sha256
        for each in ranges
    )
