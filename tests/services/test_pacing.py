"""The governor alone: who waits, who is told to, and what outlives a restart."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from services.clients.answers import PaceWait
from services.clients.base import ApiCredentials, Credential
from services.clients.pacing import PAUSES_SECONDS, Governor
from services.errors import ChannelUnavailable, FloodWait, Unreachable
from storage.models import Session
from tests.services.conftest import FakeTime, Store

METHOD = "messages.getHistory"


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def session(store: Store) -> Session:
    api = ApiCredentials(1, "0" * 32)
    return await store.add_session(Credential(2, "127.0.0.1", 443, bytes(256), api, 77))


@pytest.fixture
def governor(store: Store, time: FakeTime) -> Governor:
    return Governor(store.flood_waits, clock=time, sleep=time.sleep)


class Telegram:
    """Answers one thing after the other: exceptions are raised, callables asked; in the end "answer"."""

    def __init__(self, *answers: Exception | Callable[[], Awaitable[str]]) -> None:
        self._answers = list(answers)
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        if not self._answers:
            return "answer"
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return await answer()


def flood(time: FakeTime, seconds: float) -> FloodWait:
    return FloodWait(time.now + timedelta(seconds=seconds))


async def test_an_answer_passes(governor: Governor, session: Session, time: FakeTime) -> None:
    """Without trouble a call is asked once and nobody sleeps."""
    telegram = Telegram()
    assert await governor.call(session.id, METHOD, telegram) == "answer"
    assert (telegram.asked, time.slept) == (1, [])


async def test_a_short_wait_is_slept(governor: Governor, session: Session, time: FakeTime) -> None:
    """Up to 30 seconds are waited out, and the request goes out again; a decision as well as a read."""
    telegram = Telegram(flood(time, 30))
    assert await governor.call(session.id, METHOD, telegram) == "answer"
    assert (telegram.asked, time.slept) == (2, [30])


async def test_a_short_wait_holds_for_everybody(governor: Governor, session: Session, time: FakeTime) -> None:
    """A second caller of the same method waits too, before it asks."""
    held = asyncio.Event()

    async def refuse() -> str:
        held.set()
        raise flood(time, 20)

    async def patient(seconds: float) -> None:
        await release.wait()
        await time.sleep(seconds)

    release = asyncio.Event()
    governor._sleep = patient
    first, second = Telegram(refuse), Telegram()
    one = asyncio.create_task(governor.call(session.id, METHOD, first))
    await held.wait()
    other = asyncio.create_task(governor.call(session.id, METHOD, second))
    await asyncio.sleep(0.05)
    assert second.asked == 0
    release.set()
    assert await asyncio.gather(one, other) == ["answer", "answer"]


async def test_other_methods_go_on(governor: Governor, session: Session, time: FakeTime) -> None:
    """A wait concerns one method of one session."""
    with pytest.raises(FloodWait):
        await governor.call(session.id, METHOD, Telegram(flood(time, 600)))
    assert await governor.call(session.id, "upload.getFile", Telegram()) == "answer"
    assert await governor.call(session.id + 1, METHOD, Telegram()) == "answer"


async def test_a_long_wait_is_raised_and_kept(
    governor: Governor, session: Session, time: FakeTime, store: Store
) -> None:
    """More than 30 seconds: the caller hears until when, at once and at each try, and Telegram is not asked again."""
    wait = flood(time, 3600)
    telegram = Telegram(wait)
    for _ in range(3):
        with pytest.raises(FloodWait) as caught:
            await governor.call(session.id, METHOD, telegram)
        assert abs(caught.value.until - wait.until) < timedelta(milliseconds=1)
    assert (telegram.asked, time.slept) == (1, [])
    assert await store.flood_waits.get(session.id, METHOD) is not None


async def test_a_long_wait_outlives_a_restart(
    governor: Governor, session: Session, time: FakeTime, store: Store
) -> None:
    """A new governor on the same database knows it, sits out its last seconds, and then asks."""
    with pytest.raises(FloodWait):
        await governor.call(session.id, METHOD, Telegram(flood(time, 3600)))
    time.pass_seconds(3590)
    telegram = Telegram()
    restarted = Governor(store.flood_waits, clock=time, sleep=time.sleep)
    assert await restarted.call(session.id, METHOD, telegram) == "answer"
    assert telegram.asked == 1
    assert time.slept == [pytest.approx(10, abs=0.01)]


async def test_endless_short_waits(governor: Governor, session: Session, time: FakeTime) -> None:
    """A short wait after another ends as a flood wait of the caller's."""
    with pytest.raises(FloodWait):
        await governor.call(session.id, METHOD, Telegram(*(flood(time, 5 * n) for n in range(1, 50))))


async def test_the_pace_of_parts(governor: Governor, session: Session, time: FakeTime, store: Store) -> None:
    """FLOOD_PREMIUM_WAIT is waited for however often it comes, and is no flood wait to anybody."""
    told: list[tuple[int, float]] = []
    governor.listen(lambda session_id, seconds: told.append((session_id, seconds)))
    telegram = Telegram(*(PaceWait(7) for _ in range(20)))
    assert await governor.call(session.id, METHOD, telegram) == "answer"
    assert time.slept == [7] * 20
    assert told == [(session.id, 7)] * 20
    assert await store.flood_waits.get(session.id, METHOD) is None


async def test_reads_are_repeated(governor: Governor, session: Session, time: FakeTime) -> None:
    """Without an answer a read is sent again, three times, after growing pauses; then it fails."""
    telegram = Telegram(*(Unreachable() for _ in range(3)))
    assert await governor.call(session.id, METHOD, telegram, repeat=True) == "answer"
    assert time.slept == list(PAUSES_SECONDS)
    telegram = Telegram(*(Unreachable() for _ in range(9)))
    with pytest.raises(Unreachable):
        await governor.call(session.id, METHOD, telegram, repeat=True)
    assert telegram.asked == 4


async def test_decisions_are_not_repeated(governor: Governor, session: Session) -> None:
    """What changes something is asked once, and the caller of a lost connection is told each time."""
    told = []

    async def on_unreachable() -> None:
        told.append(1)

    telegram = Telegram(Unreachable())
    with pytest.raises(Unreachable):
        await governor.call(session.id, METHOD, telegram, on_unreachable=on_unreachable)
    assert (telegram.asked, told) == (1, [1])


async def test_no_answer_in_time(governor: Governor, session: Session) -> None:
    """A server that never answers is unreachable after the timeout."""
    never = Telegram(asyncio.Event().wait)
    with pytest.raises(Unreachable):
        await governor.call(session.id, METHOD, never, timeout_seconds=0.05)


async def test_refusals_pass(governor: Governor, session: Session) -> None:
    """What Telegram refuses is the caller's to know, at once."""
    telegram = Telegram(ChannelUnavailable())
    with pytest.raises(ChannelUnavailable):
        await governor.call(session.id, METHOD, telegram, repeat=True)
    assert telegram.asked == 1


async def test_cancelling_a_call(governor: Governor, session: Session) -> None:
    """A caller that is cancelled is cancelled, not unreachable."""
    call = asyncio.create_task(governor.call(session.id, METHOD, Telegram(asyncio.Event().wait), repeat=True))
    await asyncio.sleep(0.02)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
