"""How much is in flight, and how Telegram's own pace changes it."""

import asyncio

from services.clients.base import PART_BYTES
from services.lanes import WIDEN_BYTES, ByteWindow, Lanes


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_the_window_lets_small_ones_in_beside_large_ones() -> None:
    """Bytes are counted, not parts; cancelled users give their room back."""
    window = ByteWindow(10)
    inside: list[int] = []
    go = asyncio.Event()

    async def use(size: int) -> None:
        async with window.room(size):
            inside.append(size)
            await go.wait()
        inside.remove(size)

    tasks = [asyncio.create_task(use(size)) for size in (6, 6, 2, 2)]
    await asyncio.sleep(0.01)
    assert inside == [6, 2, 2]
    tasks[0].cancel()
    await asyncio.sleep(0.01)
    assert inside == [6, 2, 2, 6]  # the cancelled one never took itself off the list
    go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(1), window.room(10):
        pass


async def test_nobody_pushes_in() -> None:
    """Who comes back for more waits behind those who waited already; a turn that nobody takes is given on."""
    window = ByteWindow(2)
    order: list[str] = []

    async def use(name: str, times: int) -> None:
        for _ in range(times):
            async with window.room(2):
                order.append(name)
                await asyncio.sleep(0)

    await asyncio.gather(use("a", 3), use("b", 3))
    assert order == ["a", "b", "a", "b", "a", "b"]
    async with window.room(2):
        given_up = asyncio.create_task(use("c", 1))
        next_one = asyncio.create_task(use("d", 1))
        await asyncio.sleep(0)
    given_up.cancel()  # its turn has come, and it does not know yet
    async with asyncio.timeout(1):
        await next_one
    assert order[-1] == "d"


async def come(window: ByteWindow, size_bytes: int) -> None:
    """So much comes, part by part."""
    for _ in range(size_bytes // PART_BYTES):
        async with window.room(PART_BYTES):
            pass


async def test_a_wait_halves_the_window_once() -> None:
    """All that is in flight hears of the same wait; the next one halves it again, down to one part."""
    clock = Clock()
    window = ByteWindow(8 * PART_BYTES, clock=clock)
    for _ in range(5):
        window.narrow(3)
    assert window.limit_bytes == 4 * PART_BYTES
    limits = []
    for _ in range(3):
        clock.now += 3
        window.narrow(3)
        limits.append(window.limit_bytes // PART_BYTES)
    assert limits == [2, 1, 1]


async def test_a_narrow_window_grows_again() -> None:
    """By one part for each 16 MiB that came without a wait, and never beyond what is set."""
    clock = Clock()
    window = ByteWindow(4 * PART_BYTES, clock=clock)
    window.narrow(1)
    await come(window, WIDEN_BYTES - PART_BYTES)
    assert window.limit_bytes == 2 * PART_BYTES
    await come(window, PART_BYTES)
    assert window.limit_bytes == 3 * PART_BYTES
    await come(window, 10 * WIDEN_BYTES)
    assert window.limit_bytes == 4 * PART_BYTES


async def test_a_part_always_fits() -> None:
    """One larger than what is left of the window is asked for alone."""
    window = ByteWindow(PART_BYTES // 2)
    async with asyncio.timeout(1), window.room(PART_BYTES):
        pass


async def test_a_failed_part_is_no_proof_of_room() -> None:
    """Only what came counts for growing."""
    window = ByteWindow(4 * PART_BYTES)
    window.narrow(0)
    for _ in range(40):
        try:
            async with window.room(PART_BYTES):
                raise ConnectionError
        except ConnectionError:
            continue
    assert window.limit_bytes == 2 * PART_BYTES


def test_accounts_do_not_share_a_lane() -> None:
    """One that is spaced out leaves the others as they were."""
    lanes = Lanes(4 * PART_BYTES)
    lanes.paced(1, 5)
    assert [lanes.of(session).window.limit_bytes // PART_BYTES for session in (1, 2)] == [2, 4]
    assert lanes.of(1) is lanes.of(1)
