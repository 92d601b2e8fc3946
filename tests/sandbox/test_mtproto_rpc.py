"""Calls: how methods are found, how errors and faults reach clients, what dies with a key."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pyrogram import errors as pyrogram_errors
from pyrogram import raw
from telethon import errors
from telethon.tl import functions, types
from telethon.tl.core import RpcResult

from sandbox.faults import Fault, Faults
from sandbox.mtproto import rpc
from sandbox.mtproto.crypto import key_id
from sandbox.world import AuthKey, World, WorldError
from tests.sandbox.mtproto_kit import API_ID, FILE_SIZE, USER_ID, Lab, RawClient, gzipped, init, lab, new_key

NEAREST = functions.help.GetNearestDcRequest()
ME = functions.users.GetUsersRequest([types.InputUserSelf()])


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mtproto")


@pytest.fixture
async def running(data_dir: Path) -> AsyncIterator[Lab]:
    async with lab(data_dir) as started:
        yield started


def call_of(*, methods: dict[type[object], rpc.Handler] | None = None, key: AuthKey | None = None) -> rpc.Call:
    services = rpc.Services(World(), Faults(), methods=methods or {})
    return rpc.Call(services, 2, 1, key or AuthKey(bytes(256), 2, 99))


# -- methods and errors


@pytest.mark.parametrize(
    ("request_type", "name"),
    [
        (functions.messages.GetHistoryRequest, "messages.getHistory"),
        (functions.upload.GetFileRequest, "upload.getFile"),
        (functions.PingRequest, "ping"),
    ],
)
def test_methods_have_the_names_of_telegram(request_type: type[object], name: str) -> None:
    """Names for faults and counts follow from Telethon's classes."""
    assert rpc.method_name(request_type) == name


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("FLOOD_WAIT_3", 420),
        ("FLOOD_PREMIUM_WAIT_30", 420),
        ("FILE_MIGRATE_4", 303),
        ("SESSION_REVOKED", 401),
        ("CHAT_WRITE_FORBIDDEN", 403),
        ("AUTH_KEY_DUPLICATED", 406),
        ("RPC_CALL_FAIL", 500),
        ("SOMETHING_NEW", 400),
    ],
)
def test_errors_have_the_codes_of_telegram(name: str, code: int) -> None:
    """A fault is ordered by name alone."""
    assert rpc.error_code(name) == code


async def test_errors_of_the_world_are_errors_of_telegram() -> None:
    """A broken rule of the world becomes the rpc_error of its name and code."""

    async def handler(call: rpc.Call, request: object) -> None:
        raise WorldError("CHANNEL_PRIVATE", 406)

    with pytest.raises(rpc.RpcError, match="406 CHANNEL_PRIVATE"):
        await rpc.dispatch(call_of(methods={functions.help.GetNearestDcRequest: handler}), NEAREST)


def test_a_method_registers_once() -> None:
    """A second answer to the same request is a mistake of ours, found at import."""

    class MadeUpRequest:
        pass

    async def handler(call: rpc.Call, request: object) -> None:
        return None

    rpc.method(MadeUpRequest)(handler)
    try:
        with pytest.raises(ValueError, match="twice"):
            rpc.method(MadeUpRequest)(handler)
    finally:
        del rpc.REGISTRY[MadeUpRequest]


def test_answers_of_every_form_are_serialised() -> None:
    """Objects, vectors, bools and bytes that are ready all become TL."""
    assert rpc.serialise(b"ready") == b"ready"
    assert rpc.serialise(True) == bytes.fromhex("b5757299")
    assert rpc.serialise(False) == bytes.fromhex("379779bc")
    one = types.InputUserSelf()
    assert rpc.serialise([one, one]) == bytes.fromhex("15c4b51c02000000") + bytes(one) * 2


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (AuthKey(bytes(256), 2, 99), "AUTH_KEY_UNREGISTERED"),
        (AuthKey(bytes(256), 2, 99, password_pending=USER_ID), "SESSION_PASSWORD_NEEDED"),
        (AuthKey(bytes(256), 2, 99, user=USER_ID, revoked=True), "SESSION_REVOKED"),
    ],
)
def test_who_is_not_signed_in_gets_401(key: AuthKey, error: str) -> None:
    """A method that needs an account says why there is none."""
    with pytest.raises(rpc.RpcError, match=f"401 {error}"):
        _ = call_of(key=key).user


async def test_both_libraries_raise_their_own_errors(running: Lab) -> None:
    """A flood wait of the server is FloodWaitError in Telethon and FloodWait in kurigram, with its seconds."""
    auth_key = new_key(running.world)
    telethon = running.telethon(auth_key=auth_key, flood_sleep_threshold=0)
    await telethon.connect()
    pyrogram = await running.pyrogram(auth_key, no_updates=True, sleep_threshold=0)
    await pyrogram.connect()
    with pytest.raises(errors.FloodWaitError) as caught:
        await telethon(functions.help.GetSupportRequest())
    assert caught.value.seconds == 17
    with pytest.raises(pyrogram_errors.FloodWait):
        await pyrogram.invoke(raw.functions.help.GetSupport())


async def test_an_unknown_method_is_invalid(running: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """A method that the sandbox lacks answers METHOD_INVALID, and the log names it; so does an unknown constructor."""
    async with RawClient.connect(running.port, new_key(running.world)) as client:
        assert (await client.call(init(functions.help.GetPeerColorsRequest(0)))).error_message == "METHOD_INVALID"
        assert (await client.call(_Opaque(0x01020304))).error_message == "METHOD_INVALID"
    assert "help.getPeerColors" in caplog.text
    assert "01020304" in caplog.text


async def test_a_bug_in_a_method_is_an_error_of_the_server(running: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """A method that fails inside answers 500, and the connection goes on."""
    async with RawClient.connect(running.port, new_key(running.world)) as client:
        failed = await client.call(init(functions.help.GetInviteTextRequest()))
        assert (failed.error_code, failed.error_message) == (500, "INTERNAL_SERVER_ERROR")
        assert (await client.call(NEAREST)).this_dc == 2
    assert "a bug in a method" in caplog.text
    assert "help.getInviteText" in caplog.text


async def test_a_client_must_say_who_it_is(running: Lab) -> None:
    """Under a fresh key, a request before initConnection is refused; the layer then stays with the key."""
    auth_key = new_key(running.world, user=None)
    key = running.world.auth_keys[key_id(auth_key)]
    key.layer = 0
    async with RawClient.connect(running.port, auth_key) as client:
        assert (await client.call(NEAREST)).error_message == "CONNECTION_NOT_INITED"
        assert (await client.call(init(NEAREST, layer=200))).this_dc == 2
        assert (await client.call(NEAREST)).this_dc == 2
    assert (key.layer, key.api_id) == (200, API_ID)


async def test_files_come_from_the_other_dc(running: Lab) -> None:
    """A client with a key at DC 4 downloads there; a key of one DC is unknown at the other."""
    auth_key = new_key(running.world, dc_id=4)
    location = types.InputDocumentFileLocation(1, 1, b"", "")
    async with RawClient.connect(running.servers.ports[4], auth_key) as client:
        part = await client.call(init(functions.upload.GetFileRequest(location, 3 * 1024 * 1024, 1024 * 1024)))
        assert len(part.bytes) == FILE_SIZE - 3 * 1024 * 1024


# -- faults and counts


def test_faults_are_served_in_turn() -> None:
    """Each order counts down on its own; the next one for that method follows."""
    faults = Faults()
    faults.add("upload.getFile", error="FLOOD_WAIT_3", times=2)
    faults.add("upload.getFile", drop=True)
    assert faults.take("messages.getHistory") is None
    assert [faults.take("upload.getFile") for _ in range(4)] == [
        Fault(error="FLOOD_WAIT_3"),
        Fault(error="FLOOD_WAIT_3"),
        Fault(drop=True),
        None,
    ]
    faults.add("sendMessage", delay_ms=5)
    faults.clear()
    assert faults.take("sendMessage") is None


@pytest.mark.parametrize("order", [{}, {"error": "X", "times": 0}, {"delay_ms": -1}])
def test_faults_that_mean_nothing_are_refused(order: dict[str, object]) -> None:
    """An order without an effect, or for no call, is a mistake."""
    with pytest.raises(ValueError, match="fault"):
        Faults().add("sendMessage", **order)  # type: ignore[arg-type]


async def test_an_ordered_error_reaches_the_client_once(running: Lab) -> None:
    """The fault replaces the answer as often as ordered; then the method runs again."""
    client = running.telethon(auth_key=new_key(running.world), flood_sleep_threshold=0)
    await client.connect()
    running.faults.add("help.getNearestDc", error="FLOOD_WAIT_3")
    with pytest.raises(errors.FloodWaitError) as caught:
        await client(NEAREST)
    assert caught.value.seconds == 3
    assert (await client(NEAREST)).this_dc == 2


async def test_an_ordered_delay_holds_up_only_its_call(running: Lab) -> None:
    """Another request on the same connection is answered meanwhile."""
    client = running.telethon(auth_key=new_key(running.world))
    await client.connect()
    running.faults.add("help.getNearestDc", delay_ms=300)
    started = time.perf_counter()
    slow = asyncio.ensure_future(client(NEAREST))
    await asyncio.sleep(0)
    await client.get_me()
    assert not slow.done()
    await slow
    assert time.perf_counter() - started >= 0.3


async def test_an_ordered_drop_closes_the_connection(running: Lab) -> None:
    """The client loses its connection without an answer; Telethon comes back and repeats the request by itself."""
    auth_key = new_key(running.world)
    running.faults.add("help.getNearestDc", drop=True, times=2)
    async with RawClient.connect(running.port, auth_key) as raw_client:
        await raw_client.send(init(NEAREST))
        assert await raw_client.is_closed()
    client = running.telethon(auth_key=auth_key)
    await client.connect()
    assert (await client(NEAREST)).this_dc == 2


async def test_calls_are_counted_by_account(running: Lab) -> None:
    """Methods count, wrappers and service messages do not; strangers count as account 0."""
    async with RawClient.connect(running.port, new_key(running.world)) as client:
        await client.call(init(NEAREST))
        await client.call(NEAREST)
        await client.send(functions.PingRequest(1))
        await client.receive_kind(types.Pong)
    async with RawClient.connect(running.port, new_key(running.world, user=None)) as stranger:
        await stranger.call(init(ME))
    assert running.faults.counts == {USER_ID: {"help.getNearestDc": 2}, 0: {"users.getUsers": 1}}
    running.faults.reset()
    assert not running.faults.counts


async def test_wrappers_come_in_any_order_and_packed(running: Lab) -> None:
    """Takeouts, transparent wrappers and a packed request inside them all lead to the method."""
    seen: list[rpc.Call] = []

    async def note(call: rpc.Call, request: object) -> object:
        seen.append(call)
        return types.NearestDc("XX", 2, 2)

    running.services.methods = {functions.help.GetNearestDcRequest: note}
    wrapped = functions.InvokeWithTakeoutRequest(
        77, functions.InvokeWithMessagesRangeRequest(types.MessageRange(1, 2), NEAREST)
    )
    inner = bytes(NEAREST)
    async with RawClient.connect(running.port, new_key(running.world)) as client:
        assert (await client.call(functions.InvokeWithoutUpdatesRequest(init(NEAREST)))).this_dc == 2
        await client.send(bytes(wrapped).removesuffix(inner) + gzipped(inner))
        await client.receive_kind(RpcResult)
    assert [(call.no_updates, call.takeout_id, call.address) for call in seen] == [
        (True, None, "127.0.0.1"),
        (False, 77, "127.0.0.1"),
    ]


# -- keys that die


async def test_a_revoked_session_gets_401(running: Lab) -> None:
    """After "terminate all sessions" an open connection stays, but its next call for the account is refused."""
    auth_key = new_key(running.world)
    client = running.telethon(auth_key=auth_key)
    await client.connect()
    running.world.revoke(USER_ID)
    with pytest.raises(errors.SessionRevokedError):
        await client(ME)
    assert (await client(NEAREST)).this_dc == 2
    pyrogram = await running.pyrogram(auth_key, no_updates=True)
    await pyrogram.connect()
    with pytest.raises(pyrogram_errors.SessionRevoked):
        await pyrogram.invoke(raw.functions.users.GetUsers(id=[raw.types.InputUserSelf()]))


async def test_a_key_used_from_two_addresses_dies(running: Lab) -> None:
    """Both clients get AUTH_KEY_DUPLICATED at their next call, and the key never works again."""
    auth_key = new_key(running.world)
    first = running.telethon(auth_key=auth_key)
    await first.connect()
    async with RawClient.connect(running.port, auth_key, local="127.0.0.2") as second:
        answer = await second.call(init(NEAREST))
        assert (answer.error_code, answer.error_message) == (406, "AUTH_KEY_DUPLICATED")
        with pytest.raises(errors.AuthKeyDuplicatedError):
            await first(NEAREST)
    await first.disconnect()
    assert running.world.auth_keys[key_id(auth_key)].duplicated
    late = await running.pyrogram(auth_key, no_updates=True)
    with pytest.raises(pyrogram_errors.AuthKeyDuplicated):
        await late.connect()


async def test_a_key_may_move_to_another_address(running: Lab) -> None:
    """One address after the other is no crime, nor are several connections from one address."""
    auth_key = new_key(running.world)
    for local in ("127.0.0.1", "127.0.0.2"):
        async with (
            RawClient.connect(running.port, auth_key, local=local) as one,
            RawClient.connect(running.port, auth_key, local=local) as two,
        ):
            assert (await one.call(init(NEAREST))).this_dc == 2
            assert (await two.call(init(NEAREST))).this_dc == 2
        await asyncio.sleep(0.05)  # the server sees the end of a connection when it next looks
    assert not running.world.auth_keys[key_id(auth_key)].duplicated


async def test_nothing_secret_is_logged(running: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """At the most talkative level, no auth key and no request's content stands in our log or in a repr."""
    caplog.set_level(logging.DEBUG, logger="sandbox")
    auth_key = new_key(running.world)
    async with RawClient.connect(running.port, auth_key) as client:
        await client.call(init(functions.auth.SignInRequest("+4670000001", "hash-of-code", "31337")))
        await client.call(_Opaque(0x01020304, b"31337"))
        await client.write_packet(client.state.encrypt_message_data(bytes(16))[:-1] + b"\x00")
    call = call_of(key=running.world.auth_keys[key_id(auth_key)])
    said = caplog.text + repr(call) + repr(call.services) + repr(call.key)
    assert "31337" not in said
    assert repr(auth_key)[2:20] not in said


class _Opaque:
    """A request of a constructor that no schema has."""

    def __init__(self, constructor: int, rest: bytes = b"") -> None:
        self._bytes = constructor.to_bytes(4, "little") + rest + bytes(-len(rest) % 4)

    def __bytes__(self) -> bytes:
        return self._bytes
