"""What people are told who ask: once, before the decision, while Telegram allows it - and never at its cost."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.errors import FloodWait, GreetingTooLong, StaysPending
from services.requests.greetings import LONGEST
from storage.models import JoinRequest, RequestStatus
from storage.types import utc_now
from tests.services.test_join_requests import ADMIN_ID, Door, door, everybody

__all__ = ["door"]


async def asked(door: Door, count: int = 1) -> list[JoinRequest]:
    """People whom the bot may write to."""
    async with door.open() as service:
        await service.arrivals.take(
            [replace(door.update(user_id), user_chat_id=user_id) for user_id in door.ask(count)]
        )
        await door.greetings.set(door.peer, "Welcome <b>aboard</b>", is_welcome=True)
        await door.greetings.set(door.peer, "Not now", is_welcome=False)
        return (await service.lists.page(everybody(door.peer), limit=count)).rows


async def test_written_before_the_decision_is_told(door: Door) -> None:
    first, second = await asked(door, 2)
    waited: list[bool] = []

    async def write(chat_id: int, text: str) -> None:
        waited.append(chat_id in door.channel.requests)
        door.gate.written.append((chat_id, text))

    door.gate.write = write  # type: ignore[method-assign]
    async with door.open() as service:
        await service.decider.decide(first.id, ADMIN_ID, approve=True)
        await service.decider.decide_by_rule(second.id, 1, approve=False)
    assert door.gate.written == [(first.user_id, "Welcome <b>aboard</b>"), (second.user_id, "Not now")]
    assert waited == [True, True]


async def test_nothing_is_written_twice_nor_too_late(door: Door) -> None:
    first, second = await asked(door, 2)
    door.gate.stays = {first.user_id}
    async with door.open() as service:
        for _ in range(2):
            with pytest.raises(StaysPending):
                await service.decider.decide(first.id, ADMIN_ID, approve=True)
        door.greetings._clock = lambda: utc_now() + timedelta(minutes=6)
        await service.decider.decide(second.id, ADMIN_ID, approve=True)
    assert [chat_id for chat_id, _ in door.gate.written] == [first.user_id]


async def test_nothing_is_written_to_many(door: Door) -> None:
    people = await asked(door, 2)
    async with door.open() as service:
        for request in people:
            await service.lists.tick(ADMIN_ID, request.id)
        shown = await service.bulk.preview(ADMIN_ID, door.peer, True, ticked=True)
        await door.end(await service.bulk.decide(ADMIN_ID, shown.many))
    assert set(door.channel.approved) == {request.user_id for request in people}
    assert not door.gate.written


async def test_what_fails_holds_up_no_decision(door: Door) -> None:
    [one] = await asked(door)

    async def write(chat_id: int, text: str) -> None:
        raise FloodWait(utc_now() + timedelta(hours=1))

    door.gate.write = write  # type: ignore[method-assign]
    async with door.open() as service:
        assert (await service.decider.decide(one.id, ADMIN_ID, approve=True)).status is RequestStatus.APPROVED


async def test_a_text_may_be_removed_and_not_too_long(door: Door) -> None:
    [one] = await asked(door)
    with pytest.raises(GreetingTooLong):
        await door.greetings.set(door.peer, "x" * (LONGEST + 1), is_welcome=True)
    await door.greetings.set(door.peer, None, is_welcome=True)
    async with door.open() as service:
        await service.decider.decide(one.id, ADMIN_ID, approve=True)
    assert not door.gate.written
    assert (await door.greetings.channel(door.peer))[1:] == (None, "Not now")
