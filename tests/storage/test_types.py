from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects import sqlite

from storage.types import Flag, Id64, Json, UtcTime, utc_now

DIALECT = sqlite.dialect()


def test_times_survive_to_the_millisecond() -> None:
    """A time comes back in UTC, whatever zone it was given in, cut to milliseconds."""
    column = UtcTime()
    given = datetime(2026, 3, 29, 3, 30, 1, 234_567, tzinfo=timezone(timedelta(hours=2)))
    stored = column.process_bind_param(given, DIALECT)
    assert isinstance(stored, int)
    assert column.process_result_value(stored, DIALECT) == datetime(2026, 3, 29, 1, 30, 1, 234_000, tzinfo=UTC)


def test_times_before_1970_are_cut_the_same_way() -> None:
    """The sign of the number changes nothing."""
    column = UtcTime()
    given = datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)
    assert column.process_result_value(column.process_bind_param(given, DIALECT), DIALECT) == given


def test_naive_times_are_refused() -> None:
    """A datetime without a zone would be guessed at later."""
    with pytest.raises(ValueError, match="aware"):
        UtcTime().process_bind_param(datetime(2026, 1, 1), DIALECT)  # noqa: DTZ001


def test_equal_json_is_equal_text() -> None:
    """Keys are sorted and no space is stored."""
    assert Json().process_bind_param({"b": [1, 2], "a": "ü"}, DIALECT) == '{"a":"\\u00fc","b":[1,2]}'
    assert Json().process_result_value('{"a":"\\u00fc"}', DIALECT) == {"a": "ü"}


def test_json_refuses_numbers_that_are_none() -> None:
    """NaN is no JSON, whatever Python's module thinks."""
    with pytest.raises(ValueError, match="JSON"):
        Json().process_bind_param({"x": float("nan")}, DIALECT)


def test_flags_are_true_or_false() -> None:
    """A number is no flag, even if SQLite stores one."""
    assert [Flag().process_bind_param(value, DIALECT) for value in (True, False, None)] == [1, 0, None]
    assert Flag().process_result_value(1, DIALECT) is True
    with pytest.raises(TypeError):
        Flag().process_bind_param(2, DIALECT)  # type: ignore[arg-type]


def test_ids_fit_64_bits() -> None:
    """The widest ids pass, wider ones are refused before SQLite sees them."""
    assert Id64().process_bind_param(-(2**63), DIALECT) == -(2**63)
    with pytest.raises(ValueError, match="64 bits"):
        Id64().process_bind_param(2**63, DIALECT)


def test_now_is_aware() -> None:
    """The default clock tells UTC."""
    assert utc_now().utcoffset() == timedelta(0)
