"""When a channel is silent against its habit."""

from datetime import UTC, datetime, timedelta

import pytest

from services.habits import FEWEST_POSTS, LEAST, quiet_after

START = datetime(2026, 1, 1, tzinfo=UTC)


def posts(*gaps_hours: float) -> list[datetime]:
    dates = [START]
    for gap in gaps_hours:
        dates.append(dates[-1] + timedelta(hours=gap))
    return dates


WORKDAYS = [24, 24, 24, 24, 72] * 8


@pytest.mark.parametrize(
    ("name", "gaps_hours", "silence"),
    [
        ("hourly: three days at least", [1.0] * 60, LEAST),
        ("daily: three days", [24.0] * 40, timedelta(days=3)),
        ("workdays only: a long weekend is no silence", WORKDAYS, timedelta(days=9)),
        ("weekly", [168.0] * 30, timedelta(days=21)),
        ("monthly", [720.0] * 24, timedelta(days=90)),
        ("one summer break is no habit", [24.0] * 40 + [720.0] + [24.0] * 40, timedelta(days=3)),
        ("albums: many at once", [0.0] * 80 + [24.0] * 20, timedelta(days=3)),
    ],
)
def test_the_rule(name: str, gaps_hours: list[float], silence: timedelta) -> None:
    """Three times what 95 of 100 gaps keep to, and three days at least, behind the last post."""
    dates = posts(*gaps_hours)
    assert quiet_after(dates) == dates[-1] + silence, name
    assert quiet_after(list(reversed(dates))) == quiet_after(dates)


def test_few_posts_are_no_habit() -> None:
    """Nothing is said of a channel with less than twenty posts, an empty one included."""
    assert quiet_after([]) is None
    assert quiet_after(posts(*[24.0] * (FEWEST_POSTS - 2))) is None
    assert quiet_after(posts(*[24.0] * (FEWEST_POSTS - 1))) is not None
