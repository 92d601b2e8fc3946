"""A small group at whose door people wait becomes a supergroup: the gate goes with it."""

import asyncio

import pytest

from sandbox import groups
from sandbox.scenarios import ADMIN, BOT, SECOND
from sandbox.world import Account, Channel, Membership
from storage.models import JoinRequest, RequestStatus, RunKind
from storage.request_models import RequestFilters, RequestView
from tests.play import Play

PEOPLE = (9_900_001, 9_900_002)


@pytest.fixture
def group(play: Play) -> Channel:
    world = play.sandbox.world
    group = groups.found(world, "Rowing club", ADMIN, [SECOND])
    group.approval = True
    group.members[BOT] = Membership(BOT, world.now(), "admin", may_invite=True)
    return group


async def ask(play: Play, group: Channel) -> None:
    for user_id in PEOPLE:
        play.sandbox.world.accounts[user_id] = Account(user_id, "Rower", str(user_id))
    play.sandbox.world.ask_to_join(group, list(PEOPLE))
    await waits_at(play, group.peer)


async def waits_at(play: Play, channel_id: int) -> None:
    async with asyncio.timeout(10):
        while await waiting(play) != {channel_id: len(PEOPLE)}:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def waiting(play: Play) -> dict[int, int]:
    return {entry.channel.id: entry.pending for entry in await play.house.requests.lists.overview()}


async def first(play: Play, channel_id: int) -> JoinRequest:
    view = RequestView(0, ADMIN, channel_id, RequestFilters())
    return (await play.house.requests.lists.page(view)).rows[0]


async def test_the_gate_goes_with_it(play: Play, group: Channel) -> None:
    """Who waits, who decides, how it is kept and when it is loaded; the same card goes on working."""
    await ask(play, group)
    old = group.peer
    plans = play.house.requests.load_schedules
    await plans.set(old, ADMIN, "0 * * * *", "UTC")
    await plans.set_newest(old, ADMIN, 200)
    await play.admin.send("/requests")
    await play.admin.wait_for("2 at 1 channel")
    grown = groups.migrate(play.sandbox.world, group)
    await waits_at(play, grown.peer)
    plan = await plans.get(grown.peer)
    assert plan.schedule is not None
    assert (plan.schedule.kind, plan.newest) == (RunKind.LOAD_REQUESTS, 200)
    request = await first(play, grown.peer)
    decided = await play.house.requests.decider.decide(request.id, ADMIN, True)
    assert decided.status is RequestStatus.APPROVED
    assert request.user_id in grown.members


async def test_a_decision_meets_it_first(play: Play, group: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Telegram has not said it yet, and answers the decision with the new id: it is decided there, and all follows."""
    await ask(play, group)
    request = await first(play, group.peer)
    with monkeypatch.context() as silent:
        silent.setattr(play.sandbox.world, "post", lambda *_args, **_more: None)
        grown = groups.migrate(play.sandbox.world, group)
    decided = await play.house.requests.decider.decide(request.id, ADMIN, False)
    assert decided.status is RequestStatus.DENIED
    assert request.user_id in grown.denied
    assert decided.channel_id == grown.peer
    assert await waiting(play) == {grown.peer: 1}
