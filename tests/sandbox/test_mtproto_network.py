"""The shaped line: round trips, bandwidth and order, as ratios and lower bounds that hold on a slow machine too."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from telethon.tl import functions, types
from telethon.tl.core import RpcResult

from sandbox.mtproto.network import Network
from tests.sandbox.mtproto_kit import Lab, RawClient, exchange_keys, init, lab, new_key

NEAREST = functions.help.GetNearestDcRequest()
LOCATION = types.InputDocumentFileLocation(1, 1, b"", "")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mtproto")


@pytest.fixture
async def running(data_dir: Path) -> AsyncIterator[Lab]:
    async with lab(data_dir) as started:
        yield started


@pytest.fixture
async def client(running: Lab) -> AsyncIterator[RawClient]:
    async with RawClient.connect(running.port, new_key(running.world)) as connected:
        await connected.call(init(NEAREST))
        yield connected


async def ask(client: RawClient, count: int) -> float:
    """Send that many requests at once; the seconds until all answers are there, which must come in order."""
    started = time.perf_counter()
    asked = [await client.send(NEAREST) for _ in range(count)]
    answered = [(await client.receive_kind(RpcResult)).req_msg_id for _ in range(count)]
    assert answered == asked
    return time.perf_counter() - started


async def test_an_answer_takes_a_round_trip(running: Lab, client: RawClient) -> None:
    """With a round-trip time set, no answer is there before it; set back to zero, answers come at once again."""
    running.servers.network.shape(rtt_ms=300)
    far = await ask(client, 1)
    running.servers.network.shape(rtt_ms=0)
    near = await ask(client, 1)
    assert far >= 0.298
    assert near < far / 2


async def test_requests_in_flight_share_the_round_trip(running: Lab, client: RawClient) -> None:
    """Twenty requests at once take about one round trip, where one after the other takes twenty."""
    running.servers.network.shape(rtt_ms=50)
    together = await ask(client, 20)
    one_by_one = sum([await ask(client, 1) for _ in range(20)])
    assert together >= 0.048
    assert one_by_one >= 20 * 0.048
    assert one_by_one > 4 * together


async def test_bandwidth_bounds_large_answers(running: Lab, client: RawClient) -> None:
    """At 80 megabit a second, a megabyte takes a tenth of a second, and connections share the line."""
    running.servers.network.shape(mbit=80)
    part = functions.upload.GetFileRequest(LOCATION, 0, 1024 * 1024)
    async with RawClient.connect(running.port, new_key(running.world)) as other:
        await other.call(init(NEAREST))
        started = time.perf_counter()
        await asyncio.gather(client.call(part), other.call(part))
        assert time.perf_counter() - started >= 2 * 0.1


async def test_new_connections_and_handshakes_are_delayed(running: Lab) -> None:
    """TCP's own round trip counts before the first answer, and each question of the handshake is a round trip."""
    running.servers.network.shape(rtt_ms=60)
    started = time.perf_counter()
    async with RawClient.connect(running.port) as fresh:
        await exchange_keys(fresh, running.servers, rsa_pad=True)
    assert time.perf_counter() - started >= 4 * 0.058


async def test_updates_take_half_a_round_trip(running: Lab, client: RawClient) -> None:
    """What the server says unasked has only the way back before it."""
    await client.call(functions.updates.GetStateRequest())
    running.servers.network.shape(rtt_ms=400)
    started = time.perf_counter()
    running.servers.push(7001, types.UpdatesTooLong())
    await client.receive_kind(types.UpdatesTooLong)
    assert 0.198 <= time.perf_counter() - started < 0.398


async def test_shaping_can_end_while_answers_are_under_way(running: Lab, client: RawClient) -> None:
    """What is sent after the line became fast does not overtake what is still on its way."""
    running.servers.network.shape(rtt_ms=80)
    first = await client.send(NEAREST)
    await asyncio.sleep(0.02)
    running.servers.network.shape(rtt_ms=0)
    second = await client.send(NEAREST)
    assert [(await client.receive_kind(RpcResult)).req_msg_id for _ in range(2)] == [first, second]


async def test_a_client_that_goes_leaves_nothing_behind(running: Lab) -> None:
    """Answers that are under way when the client closes are forgotten."""
    running.servers.network.shape(rtt_ms=200)
    async with RawClient.connect(running.port, new_key(running.world)) as gone:
        await gone.send(init(NEAREST))
    await asyncio.sleep(0.25)
    async with RawClient.connect(running.port, new_key(running.world)) as next_one:
        assert (await next_one.call(init(NEAREST))).this_dc == 2


@pytest.mark.parametrize("settings", [{"rtt_ms": -1}, {"mbit": -0.5}])
def test_impossible_networks_are_refused(settings: dict[str, float]) -> None:
    """Negative numbers change nothing."""
    network = Network()
    with pytest.raises(ValueError, match="network"):
        network.shape(**settings)
    assert not network.shaped
