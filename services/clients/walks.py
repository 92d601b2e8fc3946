"""Walks over pages, whoever asks for the page: an adapter itself, or the pool with its pacing between the pages.

A flood wait in the middle keeps the walk's place: the page is asked again, never the walk.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from services.clients.base import DialogsOffset, DialogsPage, SeenChannel


async def walk_dialogs(page: Callable[[DialogsOffset | None], Awaitable[DialogsPage]]) -> list[SeenChannel]:
    """Every channel once, in the order of the first sight."""
    found: dict[int, SeenChannel] = {}
    passed: set[DialogsOffset | None] = set()
    offset: DialogsOffset | None = None
    while offset not in passed:
        passed.add(offset)
        answer = await page(offset)
        for seen in answer.channels:
            found[seen.channel.id] = _both(found.get(seen.channel.id), seen)
        if answer.next is None:
            break
        offset = answer.next
    return list(found.values())


def _both(first: SeenChannel | None, seen: SeenChannel) -> SeenChannel:
    """A supergroup may be named by the group that it was before it comes itself."""
    if first is None:
        return seen
    better = first if first.is_member or not seen.is_member else seen
    return replace(better, was=first.was or seen.was)
