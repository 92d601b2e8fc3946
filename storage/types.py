"""Column types that STRICT tables take, and the clock that stamps rows.

STRICT refuses SQLAlchemy's String, DateTime, Boolean, JSON and BigInteger; these say the same in INTEGER and TEXT,
and refuse at the door what would be misread later: a naive datetime, a 2 in a flag, an id wider than 64 bits.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Integer, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

Clock = Callable[[], datetime]
"""Answers an aware datetime. Injected wherever a row is stamped, so that tests own the time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def utc_now() -> datetime:
    return datetime.now(UTC)


def to_milliseconds(value: datetime) -> int:
    """Since 1970. Raises ValueError for a naive time."""
    if value.tzinfo is None:
        raise ValueError("a stored time must be aware")
    return (value - _EPOCH) // _MILLISECOND


def from_milliseconds(value: int) -> datetime:
    return _EPOCH + value * _MILLISECOND


class Id64(TypeDecorator[int]):
    """A signed 64-bit integer: row ids, Telegram's ids, counts and sizes."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        if value is not None and not -(2**63) <= value < 2**63:
            raise ValueError("an id must fit 64 bits")
        return value

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:
        return value


class UtcTime(TypeDecorator[datetime]):
    """An aware datetime, stored as whole milliseconds since 1970 (UTC). Finer parts are cut off."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else to_milliseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else from_milliseconds(value)


class Json(TypeDecorator[Any]):
    """JSON as text, keys sorted and without spaces: equal values are equal texts. Python's None is SQL's NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


class Flag(TypeDecorator[bool]):
    """True and False as 1 and 0."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> int | None:
        if value is not None and not isinstance(value, bool):
            raise TypeError("a flag is True or False")
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


def to_json(value: Any) -> str:
    """The one form of JSON in the database. NaN and infinities are refused: other readers would choke on them."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
