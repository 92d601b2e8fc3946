"""Filters and starts as JSON: only what is set, so that a row of an older Porter reads as it was meant."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from storage.models import FileKind, Filters, Start, StartKind
from storage.types import from_milliseconds, to_milliseconds


def pack_filters(filters: Filters) -> dict[str, Any]:
    packed = {
        "kinds": list(filters.kinds),
        "extensions": list(filters.extensions),
        "mimes": list(filters.mimes),
        "min_bytes": filters.min_bytes,
        "max_bytes": filters.max_bytes,
        "words": list(filters.words),
        "pattern": filters.pattern,
        "since": _packed(filters.since),
        "until": _packed(filters.until),
    }
    return {name: value for name, value in packed.items() if value not in (None, [])}


def unpack_filters(packed: Mapping[str, Any]) -> Filters:
    return Filters(
        kinds=tuple(FileKind(kind) for kind in packed.get("kinds", ())),
        extensions=tuple(packed.get("extensions", ())),
        mimes=tuple(packed.get("mimes", ())),
        min_bytes=packed.get("min_bytes"),
        max_bytes=packed.get("max_bytes"),
        words=tuple(packed.get("words", ())),
        pattern=packed.get("pattern"),
        since=_unpacked(packed.get("since")),
        until=_unpacked(packed.get("until")),
    )


def pack_start(start: Start | None) -> dict[str, Any] | None:
    if start is None:
        return None
    packed = {"kind": start.kind, "count": start.count, "at": _packed(start.at), "message_id": start.message_id}
    return {name: value for name, value in packed.items() if value is not None}


def unpack_start(packed: Mapping[str, Any] | None) -> Start | None:
    if packed is None:
        return None
    return Start(StartKind(packed["kind"]), packed.get("count"), _unpacked(packed.get("at")), packed.get("message_id"))


def _packed(moment: datetime | None) -> int | None:
    return None if moment is None else to_milliseconds(moment)


def _unpacked(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_milliseconds(milliseconds)
