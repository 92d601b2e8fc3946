"""The session layer: salts, message ids, containers, acknowledgments, service messages."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from telethon.tl import functions, types
from telethon.tl.core import RpcResult

from sandbox.mtproto import session as sessions
from sandbox.mtproto.crypto import key_id
from sandbox.mtproto.session import MAX_KEPT_BYTES, MAX_REQUESTS, Session, Sessions
from sandbox.world import AuthKey
from tests.sandbox.mtproto_kit import Lab, RawClient, container, gzipped, init, lab, new_key

NEAREST = functions.help.GetNearestDcRequest()


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
        yield connected


def calls(running: Lab) -> int:
    """How often the method behind NEAREST has run."""
    return running.world.next_private_id - 1


async def test_a_new_session_is_greeted(client: RawClient) -> None:
    """The first message of a session is answered with new_session_created, later ones are not."""
    first = await client.send(functions.PingRequest(1))
    greeting = await client.receive()
    assert isinstance(greeting, types.NewSessionCreated)
    assert (greeting.first_msg_id, greeting.server_salt) == (first, 99)
    assert isinstance(await client.receive(), types.Pong)
    await client.send(functions.PingRequest(2))
    assert isinstance(await client.receive(), types.Pong)


async def test_a_wrong_salt_is_corrected(client: RawClient) -> None:
    """A message with another salt is not read; the answer says which salt counts."""
    client.state.salt = 5
    msg_id = await client.send(functions.PingRequest(1))
    bad = await client.receive()
    assert isinstance(bad, types.BadServerSalt)
    assert (bad.bad_msg_id, bad.error_code, bad.new_server_salt) == (msg_id, 48, 99)


async def test_clients_recover_from_a_new_salt(running: Lab) -> None:
    """When the salt changes under them, both libraries repeat the request by themselves."""
    auth_key = new_key(running.world)
    telethon = running.telethon(auth_key=auth_key)
    await telethon.connect()
    pyrogram = await running.pyrogram(auth_key, no_updates=True)
    await pyrogram.connect()
    running.world.auth_keys[key_id(auth_key)].salt = -12345
    assert (await telethon(NEAREST)).this_dc == 2
    from pyrogram import raw

    assert (await pyrogram.invoke(raw.functions.help.GetNearestDc())).this_dc == 2
    assert calls(running) == 2


@pytest.mark.parametrize(
    ("shift_s", "low_bits", "code"),
    [(-400, 0, 16), (100, 0, 17), (0, 1, 18), (0, 2, 18)],
)
async def test_message_ids_must_fit_the_time(client: RawClient, shift_s: int, low_bits: int, code: int) -> None:
    """Ids of long ago, of the future or of the wrong form are refused, each with its code."""
    msg_id = (int(time.time() + shift_s) << 32) | low_bits
    await client.send(NEAREST, msg_id=msg_id)
    bad = await client.receive()
    assert isinstance(bad, types.BadMsgNotification)
    assert (bad.bad_msg_id, bad.error_code) == (msg_id, code)


async def test_a_client_with_a_wrong_clock_recovers(running: Lab) -> None:
    """Telethon, an hour behind, learns the time from the refusal and goes on."""
    client = running.telethon(auth_key=new_key(running.world))
    client._sender._state.time_offset = -3600
    await client.connect()
    assert (await client(NEAREST)).this_dc == 2


async def test_the_same_request_runs_once(running: Lab, client: RawClient) -> None:
    """A request that comes again, because its answer was lost, gets the same answer and is not run again."""
    msg_id = client.state._get_new_msg_id()
    first = await client.call(init(NEAREST), msg_id=msg_id)
    again = await client.call(init(NEAREST), msg_id=msg_id)
    assert first == again
    assert calls(running) == 1


async def test_an_answer_waits_for_a_client_that_lost_its_connection(running: Lab) -> None:
    """The session outlives the connection: on the next one the same request is answered, not run again."""
    auth_key = new_key(running.world)
    async with RawClient.connect(running.port, auth_key) as first:
        msg_id = await first.send(init(NEAREST))
        await first.receive_kind(RpcResult)
        session_id = first.state.id
    async with RawClient.connect(running.port, auth_key) as second:
        second.state.id = session_id
        assert (await second.call(init(NEAREST), msg_id=msg_id)).this_dc == 2
    assert calls(running) == 1


async def test_an_acknowledged_answer_is_not_repeated(running: Lab, client: RawClient) -> None:
    """After the client's acknowledgment the answer is let go: the request neither runs nor is answered again."""
    msg_id = client.state._get_new_msg_id()
    await client.call(init(NEAREST), msg_id=msg_id)
    await client.send(types.MsgsAck([client.state._highest_remote_id]), content=False)
    await client.send(init(NEAREST), msg_id=msg_id)
    await client.send(functions.PingRequest(1))
    assert isinstance(await client.receive(), types.Pong)
    assert calls(running) == 1


async def test_a_container_is_taken_apart(running: Lab, client: RawClient) -> None:
    """Requests in one packet are each answered; the greeting names the first of them."""
    ids = [client.state._get_new_msg_id() for _ in range(3)]
    bodies = [bytes(init(NEAREST)), gzipped(bytes(NEAREST)), bytes(functions.PingRequest(7))]
    await client.send(
        container(*((msg_id, 2 * n + 1, body) for n, (msg_id, body) in enumerate(zip(ids, bodies, strict=True)))),
        content=False,
    )
    received = [await client.receive() for _ in range(4)]
    greeting = next(message for message in received if isinstance(message, types.NewSessionCreated))
    pong = next(message for message in received if isinstance(message, types.Pong))
    results = {message.req_msg_id for message in received if isinstance(message, RpcResult)}
    assert (greeting.first_msg_id, pong.msg_id, results) == (ids[0], ids[2], set(ids[:2]))
    assert calls(running) == 2


@pytest.mark.parametrize(
    "broken",
    [
        struct.pack("<II", 0x73F1F8DC, 1),
        struct.pack("<IIqii", 0x73F1F8DC, 1, 4, 1, 400),
        struct.pack("<IIqii", 0x73F1F8DC, 1, 4, 1, -4),
        struct.pack("<IIqiiI", 0x73F1F8DC, 2**31, 4, 1, 4, 0),
    ],
)
async def test_a_broken_container_is_refused(client: RawClient, broken: bytes) -> None:
    """Lengths that do not add up are answered with code 64."""
    await client.send(broken, content=False)
    bad = await client.receive()
    assert isinstance(bad, types.BadMsgNotification)
    assert bad.error_code == 64


async def test_packed_data_is_bounded(client: RawClient) -> None:
    """A small packet that would unpack to very much is refused."""
    await client.send(gzipped(bytes(64 * 1024 * 1024)))
    result = await client.receive_kind(RpcResult)
    assert result.error.error_message == "INPUT_FETCH_ERROR"


async def test_large_answers_are_packed(client: RawClient) -> None:
    """An answer that shrinks travels packed, and means the same."""
    await client.call(init(NEAREST))
    await client.send(functions.help.GetAppConfigRequest(3))
    packet = await client.read_packet()
    assert len(packet) < 1000
    answer = await client.call(functions.help.GetAppConfigRequest(3))
    assert answer.config.value == "harbour " * 1000


async def test_future_salts_are_answered_bare(client: RawClient) -> None:
    """get_future_salts names the salt in use, outside of any rpc_result."""
    await client.send(functions.PingRequest(1))
    await client.receive_kind(types.Pong)
    msg_id = await client.send(functions.GetFutureSaltsRequest(4))
    salts = await client.receive()
    assert isinstance(salts, types.FutureSalts)
    assert salts.req_msg_id == msg_id
    assert [salt.salt for salt in salts.salts] == [99]


async def test_states_of_messages(client: RawClient) -> None:
    """msgs_state_req tells what was answered, what never came and what is still to come."""
    done = client.state._get_new_msg_id()
    await client.call(init(NEAREST), msg_id=done)
    await client.send(types.MsgsStateReq([done, done - 4, done + (1 << 40)]))
    states = (await client.receive_kind(types.MsgsStateInfo)).info
    assert list(states.encode()) == [4 | 64, 2, 3]  # the schema calls it a string


async def test_messages_are_sent_again_on_demand(client: RawClient) -> None:
    """msg_resend_req brings a message back as it was; for one that is gone its state is told."""
    await client.call(init(NEAREST))
    answer_id = client.state._highest_remote_id
    client.state._recent_remote_ids.clear()
    await client.send(types.MsgResendReq([answer_id]))
    assert isinstance(await client.receive(), RpcResult)
    await client.send(types.MsgResendReq([answer_id + 4]))
    assert isinstance(await client.receive(), types.MsgsStateInfo)


async def test_a_session_can_be_destroyed(running: Lab) -> None:
    """destroy_session forgets another session of the same key, once, and never the one that asks."""
    auth_key = new_key(running.world)
    async with RawClient.connect(running.port, auth_key) as first, RawClient.connect(running.port, auth_key) as second:
        await first.send(functions.PingRequest(1))
        await first.receive_kind(types.Pong)
        kinds = []
        for session_id in (first.state.id, first.state.id, second.state.id):
            await second.send(functions.DestroySessionRequest(session_id))
            kinds.append(type(await second.receive_kind(types.DestroySessionOk | types.DestroySessionNone)))
    assert kinds == [types.DestroySessionOk, types.DestroySessionNone, types.DestroySessionNone]


async def test_a_destroyed_key_is_unknown(client: RawClient) -> None:
    """After destroy_auth_key the server has never heard of the key."""
    assert isinstance(await client.call(functions.DestroyAuthKeyRequest()), types.DestroyAuthKeyOk)
    await client.send(functions.PingRequest(1))
    assert await client.read_packet() == struct.pack("<i", -404)


async def test_ping_delay_disconnect_ends_an_abandoned_connection(client: RawClient) -> None:
    """Each such ping is answered and sets the clock anew; when none follows, the connection ends."""
    await client.send(functions.PingDelayDisconnectRequest(1, 60))
    await client.receive_kind(types.Pong)
    await client.send(functions.PingDelayDisconnectRequest(2, 0))
    assert (await client.receive_kind(types.Pong)).ping_id == 2
    assert await client.is_closed()


async def test_what_needs_no_answer_gets_none(client: RawClient) -> None:
    """http_wait and state information are taken note of."""
    await client.send(functions.PingRequest(1))
    await client.receive_kind(types.Pong)
    await client.send(types.HttpWait(1, 2, 3), content=False)
    await client.send(types.MsgsAllInfo([1], b"\x04"), content=False)
    await client.send(functions.PingRequest(2))
    assert isinstance(await client.receive(), types.Pong)


async def test_a_running_request_can_be_dropped(running: Lab, client: RawClient) -> None:
    """rpc_drop_answer ends a request that runs; one that the server does not know is unknown."""
    await client.call(init(NEAREST))
    running.faults.add("help.getNearestDc", delay_ms=60_000)
    slow = await client.send(NEAREST)
    assert isinstance(await client.call(functions.RpcDropAnswerRequest(slow)), types.RpcAnswerDroppedRunning)
    assert isinstance(await client.call(functions.RpcDropAnswerRequest(slow - 4)), types.RpcAnswerUnknown)
    assert calls(running) == 1


async def test_a_request_waits_for_the_one_before(running: Lab, client: RawClient) -> None:
    """invokeAfterMsg runs when the request that it names is done, and fails when that failed."""
    await client.call(init(NEAREST))
    running.faults.add("help.getNearestDc", delay_ms=100)
    first = await client.send(NEAREST)
    second = await client.send(functions.InvokeAfterMsgRequest(first, functions.help.GetAppConfigRequest(1)))
    order = [(await client.receive_kind(RpcResult)).req_msg_id for _ in range(2)]
    assert order == [first, second]
    failed = await client.send(functions.help.GetSupportRequest())
    third = await client.call(functions.InvokeAfterMsgsRequest([failed], NEAREST))
    assert third.error_message == "MSG_WAIT_FAILED"
    assert calls(running) == 2


async def test_many_requests_at_once(client: RawClient) -> None:
    """More requests than may run at once are all answered."""
    await client.call(init(NEAREST))
    ids = set()
    for _ in range(600):
        ids.add(await client.send(NEAREST))
    async with asyncio.timeout(20):
        assert {(await client.receive_kind(RpcResult)).req_msg_id for _ in range(600)} == ids


def make_session() -> Session:
    return Session(1, AuthKey(bytes(256), 2, 99), bytes(8))


def test_memory_of_requests_is_bounded() -> None:
    """The oldest requests are forgotten, and what is older than memory is refused with code 20."""
    session = make_session()
    start = int(time.time()) << 32
    for number in range(MAX_REQUESTS + 10):
        session.begin(start + 4 * number)
    assert len(session.requests) == MAX_REQUESTS
    assert session.objection(start + 4) == sessions.OLDER_THAN_REMEMBERED
    assert session.state_of(start + 4) == 1
    assert session.objection(start + 4 * (MAX_REQUESTS + 10)) is None


def test_memory_of_answers_is_bounded() -> None:
    """Answers that nobody acknowledges are let go, the oldest first."""
    session = make_session()
    ids = [session.envelope(bytes(1024 * 1024), content=True).msg_id for _ in range(12)]
    kept = [msg_id for msg_id in ids if session.again(msg_id) is not None]
    assert kept == ids[-len(kept) :]
    assert len(kept) * 1024 * 1024 <= MAX_KEPT_BYTES


def test_message_ids_of_the_server_grow() -> None:
    """Answers are numbered 1 mod 4, what is said unasked 3 mod 4, and each is higher than the one before."""
    session = make_session()
    ids = [session.envelope(b"", content=True, unasked=bool(n % 2)).msg_id for n in range(1000)]
    assert ids == sorted(set(ids))
    assert [msg_id % 4 for msg_id in ids] == [1, 3] * 500


def test_abandoned_sessions_are_forgotten() -> None:
    """Of the sessions without a connection only the latest are kept."""

    class Gone:
        address = "127.0.0.1"

        def push(self, session: Session, body: bytes) -> None:
            raise AssertionError("nobody listens")

    table, wire = Sessions(), Gone()
    key = AuthKey(bytes(256), 2, 99)
    first = table.open(1, key, bytes(8))
    for number in range(sessions.MAX_IDLE_SESSIONS + 5):
        table.open(1, key, number.to_bytes(8, "little")).wire = wire
    table.leave(wire)
    assert not list(table.connected())
    assert table.open(1, key, bytes(8)) is not first
    assert table.destroy(1, (sessions.MAX_IDLE_SESSIONS + 4).to_bytes(8, "little"))
