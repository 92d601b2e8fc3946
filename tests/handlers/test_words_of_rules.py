"""How rules, their conditions and their figures read."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers import keyboards
from handlers.texts import Texts
from handlers.texts.base import unmarked
from services.requests.conditions import FLAGS, turned, typed_words, waiting_over, waiting_under
from services.requests.rules import Change, ChangeKind, Proposal, RuleBookPage
from storage.models import Channel, ChannelKind
from storage.request_models import Figures, Outlook, RequestFilters, RequestSettings, Rule, RuleAction

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEXTS = Texts(clock=lambda: NOW)
CHANNEL = Channel(-1, "Harbour", None, ChannelKind.CHANNEL, None, True, NOW)


def rule(rule_id: int, action: RuleAction, *, is_live: bool = False) -> Rule:
    since = NOW - timedelta(days=3)
    return Rule(rule_id, -1, rule_id, action, RequestFilters(has_photo=True), since if is_live else None, 1, since)


def book(*rules: Rule, **figures: Figures) -> RuleBookPage:
    by_id = {int(name.removeprefix("of_")): each for name, each in figures.items()}
    return RuleBookPage(CHANNEL, list(rules), by_id, RequestSettings(-1))


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        (RequestFilters(), "everybody"),
        (RequestFilters(has_photo=True, has_bio=False), "with photo · without bio"),
        (RequestFilters(is_alike=False, waits_over=600), "not one of many alike · waiting over 10 minutes"),
        (RequestFilters(waits_under=86_400), "waiting under 1 day"),
        (RequestFilters(words="<b>", bio="\u202ea&b"), "with «&lt;b&gt;» in the name · with «a&amp;b» in the bio"),
        (RequestFilters(link="https://t.me/+abc"), "by the link +abc"),
    ],
)
def test_conditions_in_words(filters: RequestFilters, words: str) -> None:
    assert TEXTS.conditions.words(filters) == words


def test_a_tap_turns_and_three_taps_change_nothing() -> None:
    for flag in FLAGS:
        filters = RequestFilters()
        for wanted in (True, False, None):
            filters = turned(filters, flag)
            assert getattr(filters, flag) is wanted
        assert filters.is_empty
    assert typed_words("  Ann \n Lee ") == "Ann Lee"


def test_how_long_they_wait_is_a_window_that_somebody_may_be_in() -> None:
    """Both ends hold together; one that would leave nobody beside the other takes its place; twice the same is none."""
    window = waiting_under(waiting_over(RequestFilters(), 60), 600)
    assert (window.waits_over, window.waits_under) == (60, 600)
    assert waiting_over(window, 600) == RequestFilters(waits_over=600)
    assert waiting_under(window, 60) == RequestFilters(waits_under=60)
    assert waiting_over(window, 60) == RequestFilters(waits_under=600)
    assert waiting_under(window, 600) == RequestFilters(waits_over=60)


def test_figures_are_rounded_down_and_summed() -> None:
    """100 % are all of them, and nothing less."""
    rules = rule(1, RuleAction.APPROVE), rule(2, RuleAction.DENY), rule(3, RuleAction.APPROVE, is_live=True)
    shown = book(
        *rules,
        of_1=Figures(meant=1212, decided=1000, agreed=999),
        of_2=Figures(meant=31),
        of_3=Figures(carried_out=1204),
    )
    text = unmarked(TEXTS.rules.page(shown, shown.rules))
    assert (
        "on trial since Tue 17 Nov 12:00: would have approved 1,212; admins agreed in 99 % (of 1,000 decided)" in text
    )
    assert "would have denied 31, none of them decided by you yet" in text
    assert "decides since Tue 17 Nov 12:00: 1,204 approved" in text
    assert "All on trial together would have approved 1,212, denied 31; admins agreed in 99 %" in text


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        (0, ", none of them decided by you yet"),
        (1, "; agreed with admins 1 of 1 times; too few to tell"),
        (19, "; agreed with admins 19 of 19 times; too few to tell"),
        (20, "; admins agreed in 100 % (of 20 decided)"),
    ],
)
def test_of_few_decisions_the_count_is_told(decided: int, words: str) -> None:
    """100 % of one says less than it seems to."""
    shown = book(rule(1, RuleAction.DENY), of_1=Figures(meant=31, decided=decided, agreed=decided))
    assert f"would have denied 31{words}" in unmarked(TEXTS.rules.page(shown, shown.rules))


def test_a_full_page_fits_and_so_do_its_buttons() -> None:
    """Eight rules with the longest of words."""
    long = RequestFilters(**dict.fromkeys(FLAGS, False), words="<" * 64, bio="&" * 64, link="t.me/+" + "x" * 200)  # type: ignore[arg-type]
    rules = [Rule(n, -1, n, RuleAction.APPROVE, long, None, 1, NOW) for n in range(1, 25)]
    shown = book(*rules)
    for number in range(3):
        page = keyboards.window(shown.rules, number)
        assert len(unmarked(TEXTS.rules.page(shown, page))) <= 4096
        markup = keyboards.rules.page(TEXTS, shown, number)
        assert all(len(key.text) <= 28 for row in markup.inline_keyboard for key in row)
    proposal = Proposal(Change(ChangeKind.LIVE, -1, 1), Outlook(1, 0), NOW)
    assert "1 person who waits now gets in at once" in TEXTS.rules.ask(shown, proposal)
