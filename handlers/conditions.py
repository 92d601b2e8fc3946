"""What a button does to the conditions on people who wait: of a list, and of a rule that is being written."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from handlers.callbacks import Condition, ConditionPick, ViewFilter
from handlers.keyboards.request_conditions import NONE
from services.desks import RequestDesk
from services.errors import NotFound
from services.requests.conditions import FLAGS, WAITS, turned, typed_words, waiting_over, waiting_under
from storage.request_models import RequestFilters

Choice = TypeVar("Choice")
TYPED = {Condition.WORDS, Condition.BIO}
"""Their words are asked for."""


async def changed(
    filters: RequestFilters, pressed: ConditionPick | ViewFilter, requests: RequestDesk
) -> RequestFilters:
    """Raises NotFound: what was chosen is not there."""
    what, value = pressed.what, pressed.value
    if what is Condition.ANY:
        return RequestFilters()
    if value == NONE:
        return _without(filters, what)
    if what is Condition.FLAG:
        return turned(filters, _chosen(FLAGS, value))
    if what is Condition.OVER:
        return waiting_over(filters, _chosen(WAITS, value))
    if what is Condition.UNDER:
        return waiting_under(filters, _chosen(WAITS, value))
    if what is Condition.LINK:
        return replace(filters, link=(await requests.get(value)).link)
    raise NotFound("choice")


def _without(filters: RequestFilters, what: Condition) -> RequestFilters:
    if what is Condition.LINK:
        return replace(filters, link=None)
    if what in TYPED:
        return _typed(filters, what, None)
    if what in {Condition.OVER, Condition.UNDER}:
        return replace(filters, waits_over=None, waits_under=None)
    raise NotFound("choice")


def _chosen(choices: Sequence[Choice], place: int) -> Choice:
    if not 0 <= place < len(choices):
        raise NotFound("choice")
    return choices[place]


def with_typed(filters: RequestFilters, what: Condition, text: str) -> RequestFilters:
    """`what`: WORDS or BIO. Raises FilterInvalid: that cannot be searched for."""
    return _typed(filters, what, typed_words(text))


def _typed(filters: RequestFilters, what: Condition, words: str | None) -> RequestFilters:
    return replace(filters, words=words) if what is Condition.WORDS else replace(filters, bio=words)
