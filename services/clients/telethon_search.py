"""Where a start lies, and how many files of a kind there are: requests for Telethon, and what their answers say.

https://core.telegram.org/api/offsets, https://core.telegram.org/method/messages.search
"""

from collections.abc import Sequence
from typing import Any

from telethon.tl import functions, types

from services.clients import telethon_convert as convert
from services.clients.base import FoundPage, Span
from storage.models import FileKind, Start, StartKind

# What is counted as a kind; the first one is what is searched for.
_FILTERS: dict[FileKind, tuple[Any, ...]] = {
    FileKind.PHOTO: (types.InputMessagesFilterPhotos,),
    FileKind.VIDEO: (
        types.InputMessagesFilterVideo,
        types.InputMessagesFilterGif,
        types.InputMessagesFilterRoundVideo,
    ),
    FileKind.AUDIO: (types.InputMessagesFilterMusic,),
    FileKind.VOICE: (types.InputMessagesFilterVoice,),
    FileKind.DOCUMENT: (types.InputMessagesFilterDocument,),
}

# -- where a start lies


def edge(peer: Any, start: Start) -> Any:
    """Asks for the newest message that is not wanted any more."""
    return functions.messages.GetHistoryRequest(
        peer,
        offset_id=0,
        offset_date=start.at if start.kind is StartKind.SINCE else None,
        add_offset=(start.count or 0) if start.kind is StartKind.LAST else 0,
        limit=1,
        max_id=0,
        min_id=0,
        hash=0,
    )


def span(answer: Any, start: Start) -> Span:
    total = _count(answer)
    if start.kind is StartKind.EVERYTHING:
        return Span(0, total)
    if not answer.messages:  # nothing is that old: all is wanted
        return Span(0, total)
    after_id = int(answer.messages[0].id)
    if start.kind is StartKind.LAST:
        return Span(after_id, min(start.count or 0, total))
    return Span(after_id, 0 if start.kind is StartKind.NEW else _newer(answer))


# -- files by kind


def counters(peer: Any, kinds: Sequence[FileKind]) -> Any:
    wanted = [each() for kind in kinds for each in _FILTERS[kind]]
    return functions.messages.GetSearchCountersRequest(peer, wanted)


def counts(answer: Any, kinds: Sequence[FileKind]) -> dict[FileKind, int]:
    found = {type(counter.filter): int(counter.count) for counter in answer}
    return {kind: sum(found.get(each, 0) for each in _FILTERS[kind]) for kind in kinds}


def files(peer: Any, kind: FileKind, offset_id: int, add_offset: int, limit: int) -> Any:
    return functions.messages.SearchRequest(
        peer,
        q="",
        filter=_FILTERS[kind][0](),
        min_date=None,
        max_date=None,
        offset_id=offset_id,
        add_offset=add_offset,
        limit=limit,
        max_id=0,
        min_id=0,
        hash=0,
    )


def page(answer: Any) -> FoundPage:
    posts = tuple(convert.post(message) for message in answer.messages if isinstance(message, types.Message))
    return FoundPage(posts, _count(answer), _newer(answer))


def _count(answer: Any) -> int:
    """An answer that holds everything says no number."""
    return int(getattr(answer, "count", len(answer.messages)))


def _newer(answer: Any) -> int | None:
    position = getattr(answer, "offset_id_offset", None)
    return None if position is None else int(position)
