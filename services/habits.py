"""How often a channel posts, and from when on its silence is worth a word.

The rule: of the last 100 gaps between posts the 95th of a hundred, three times, and never less than three days. So a
channel that posts daily is mentioned after three days, one that pauses every weekend after six or seven, a monthly one
after three months. Fewer than 20 posts are no habit. The biggest gaps do not count: a summer break happens once.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

POSTS = 101
FEWEST_POSTS = 20
QUANTILE = 0.95
FACTOR = 3
LEAST = timedelta(days=3)


def quiet_after(dates: Sequence[datetime]) -> datetime | None:
    """`dates` of the newest posts, in any order. None: too few to know a habit."""
    if len(dates) < FEWEST_POSTS:
        return None
    ordered = sorted(dates)
    gaps = sorted(later - earlier for earlier, later in pairwise(ordered))
    usual = gaps[int(QUANTILE * (len(gaps) - 1))]
    return ordered[-1] + max(LEAST, FACTOR * usual)
