"""When what was heard is carried."""

from services.pulse import LONGEST_GAP_SECONDS, SETTLE_SECONDS, Pulse


def test_the_first_post_goes_at_once_and_a_stream_in_growing_distances() -> None:
    """A post every second: gaps double up to half a minute; after silence the next one goes at once again."""
    pulse, now, gaps = Pulse(), 1000.0, []
    for _ in range(12):
        gap = pulse.next_gap(now)
        gaps.append(gap)
        now += gap
        pulse.submitted_at = now
        now += 1.0
    assert gaps[0] == SETTLE_SECONDS
    assert gaps == sorted(gaps)
    assert gaps[-1] == LONGEST_GAP_SECONDS - 1.0
    assert sum(gaps) > 150
    assert pulse.next_gap(now + 3 * LONGEST_GAP_SECONDS) == SETTLE_SECONDS


def test_what_is_wanted() -> None:
    """The highest id that was heard; what has no id means: look in any case. What was carried counts no more."""
    pulse = Pulse()
    for heard, newest in ((5, 5), (9, 9), (7, 9), (None, None), (12, None)):
        pulse.hear(heard)
        assert (pulse.is_wanted, pulse.newest) == (True, newest)
    pulse.is_wanted = False
    pulse.hear(3)
    assert pulse.newest == 3
