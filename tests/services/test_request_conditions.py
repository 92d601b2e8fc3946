"""Conditions on people who wait, as buttons set them."""

from dataclasses import replace

import pytest

from services.requests.conditions import FLAGS, holds, is_untold, turned
from storage.request_filters import ALL_FACTS, facts_meant, group_of
from storage.request_models import RequestFilters, RequestGroup

GROUPS = pytest.mark.parametrize("group", RequestGroup)


@GROUPS
@pytest.mark.parametrize("flag", FLAGS)
def test_what_a_group_says_holds_of_all_in_it(group: RequestGroup, flag: str) -> None:
    """Neither less nor more than what SQLite is asked for."""
    filters = RequestFilters(group=group)
    everybody = facts_meant(filters)
    assert everybody == {facts for facts in ALL_FACTS if group_of(facts) is group}
    yes, no = (facts_meant(replace(filters, **{flag: wanted})) for wanted in (True, False))
    said = True if yes == everybody else False if no == everybody else None
    assert holds(filters, flag) is said
    assert is_untold(filters, flag) is (not yes and not no)


@GROUPS
@pytest.mark.parametrize("flag", FLAGS)
def test_a_tap_never_leaves_a_group_that_says_otherwise(group: RequestGroup, flag: str) -> None:
    filters = RequestFilters(group=group)
    after = turned(filters, flag)
    assert getattr(after, flag) is {None: True, True: False, False: None}[holds(filters, flag)]
    if holds(filters, flag) is None and not is_untold(filters, flag):
        assert after.group is group
        return
    assert after.group is None
    others = [each for each in FLAGS if each != flag]
    assert [getattr(after, each) for each in others] == [holds(filters, each) for each in others]


def test_the_group_of_photo_and_username_is_its_conditions() -> None:
    said = {flag: holds(RequestFilters(group=RequestGroup.COMPLETE), flag) for flag in FLAGS}
    assert facts_meant(RequestFilters(**said)) == facts_meant(RequestFilters(group=RequestGroup.COMPLETE))
