"""What the tests of the MTProto servers share: servers with a handful of methods, real clients, and a raw one."""

import asyncio
import datetime as dt
import logging
import os
import socket
import struct
import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any, Self

import cryptg
import pyrogram
from pyrogram.crypto import rsa as pyrogram_rsa
from pyrogram.storage import SQLiteStorage
from telethon import TelegramClient
from telethon.crypto import AuthKey as TelethonKey
from telethon.crypto import Factorization
from telethon.crypto import rsa as telethon_rsa
from telethon.extensions import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.sessions import MemorySession
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER
from telethon.tl.core import GzipPacked, MessageContainer, RpcResult

from sandbox.faults import Faults
from sandbox.mtproto.crypto import DH_PRIME, handshake_aes, key_id
from sandbox.mtproto.rpc import Call, Handler, RpcError, Services
from sandbox.mtproto.server import HOST, MtprotoServers
from sandbox.world import Account, AuthKey, World, derived_bytes
from tests.seeds import seed_sandbox

USER_ID = 7001
API_ID = 4242
FILE_SIZE = 3 * 1024 * 1024 + 77
EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

METHODS: dict[type[object], Handler] = {}


def method(request_type: type[object]) -> Any:
    """Register into the table of these tests, which leaves the real one alone."""

    def register(handler: Handler) -> Handler:
        METHODS[request_type] = handler
        return handler

    return register


@method(functions.help.GetConfigRequest)
async def get_config(call: Call, _: Any) -> Any:
    options = [types.DcOption(dc_id, HOST, port, static=True) for dc_id, port in call.services.ports.items()]
    numbers = dict.fromkeys(
        (
            "chat_size_max", "megagroup_size_max", "forwarded_count_max", "online_update_period_ms",
            "offline_blur_timeout_ms", "offline_idle_timeout_ms", "online_cloud_timeout_ms", "notify_cloud_delay_ms",
            "notify_default_delay_ms", "push_chat_period_ms", "push_chat_limit", "edit_time_limit", "revoke_time_limit",
            "revoke_pm_time_limit", "rating_e_decay", "stickers_recent_limit", "channels_read_media_period",
            "call_receive_timeout_ms", "call_ring_timeout_ms", "call_connect_timeout_ms", "call_packet_timeout_ms",
            "caption_length_max", "message_length_max", "webfile_dc_id",
        ),
        4,
    )  # fmt: skip
    return types.Config(
        date=EPOCH,
        expires=EPOCH,
        test_mode=False,
        this_dc=call.dc_id,
        dc_options=options,
        dc_txt_domain_name="x",
        me_url_prefix="https://t.me/",
        **numbers,
    )


@method(functions.users.GetUsersRequest)
async def get_users(call: Call, _: Any) -> Any:
    return [types.User(id=call.user.id, is_self=True, access_hash=1, first_name=call.user.first_name)]


@method(functions.updates.GetStateRequest)
async def get_state(call: Call, _: Any) -> Any:
    return types.updates.State(1, 0, EPOCH, 1, 0)


@method(functions.updates.GetDifferenceRequest)
async def get_difference(call: Call, _: Any) -> Any:
    return types.updates.DifferenceEmpty(EPOCH, 0)


@method(functions.upload.GetFileRequest)
async def get_file(call: Call, request: Any) -> Any:
    length = max(0, min(request.limit, FILE_SIZE - request.offset))
    return types.upload.File(types.storage.FileJpeg(), 0, derived_bytes(1, request.offset, length))


@method(functions.help.GetAppConfigRequest)
async def get_app_config(call: Call, request: Any) -> Any:
    """A large answer that compresses well."""
    return types.help.AppConfig(request.hash, types.JsonString("harbour " * 1000))


@method(functions.help.GetNearestDcRequest)
async def get_nearest_dc(call: Call, _: Any) -> Any:
    call.world.next_private_id += 1  # so that tests see how often it ran
    return types.NearestDc("XX", call.dc_id, call.dc_id)


@method(functions.help.GetInviteTextRequest)
async def fails(call: Call, _: Any) -> Any:
    raise RuntimeError("a bug in a method")


@method(functions.help.GetSupportRequest)
async def refuses(call: Call, _: Any) -> Any:
    raise RpcError(420, "FLOOD_WAIT_17")


@dataclass
class Lab:
    """Running servers with one account in their world."""

    servers: MtprotoServers
    services: Services
    clients: list[Any] = field(default_factory=list)

    @property
    def world(self) -> World:
        return self.services.world

    @property
    def faults(self) -> Faults:
        return self.services.faults

    @property
    def port(self) -> int:
        return self.servers.ports[2]

    def sign_in(self, auth_key: bytes) -> AuthKey:
        """What auth.signIn will do: this key now speaks for the account."""
        key = self.world.auth_keys[key_id(auth_key)]
        key.user = USER_ID
        return key

    def telethon(self, *, auth_key: bytes | None = None, **options: Any) -> TelegramClient:
        """An unmodified Telethon client at the home DC, not connected yet."""
        TelegramClient._config = None  # the list of DCs is shared in the process
        telethon_rsa.add_key(self.servers.rsa_key.public_pem, old=False)
        session = MemorySession()
        session.set_dc(2, HOST, self.port)
        if auth_key is not None:
            session.auth_key = TelethonKey(auth_key)
        client = TelegramClient(
            session, API_ID, "hash", **{"request_retries": 1, "retry_delay": 0, "connection_retries": 2, **options}
        )
        self.clients.append(client)
        return client

    async def pyrogram(self, auth_key: bytes, **options: Any) -> pyrogram.Client:
        """An unmodified kurigram client with an existing key, not connected yet."""
        self.trust_pyrogram()
        port = self.port

        class Filled(SQLiteStorage):  # type: ignore[misc]
            async def open(self) -> None:
                await super().open()
                await self.dc_id(2)
                await self.server_address(HOST)
                await self.port(port)
                await self.api_id(API_ID)
                await self.test_mode(False)
                await self.auth_key(auth_key)
                await self.user_id(USER_ID)
                await self.is_bot(False)

        client = pyrogram.Client(
            "lab", api_id=API_ID, api_hash="hash", storage_engine=Filled("lab", None, in_memory=True), **options
        )
        self.clients.append(client)
        return client

    def trust_pyrogram(self) -> None:
        key = self.servers.rsa_key
        pyrogram_rsa.server_public_keys[key.fingerprint] = pyrogram_rsa.PublicKey(key.n, key.e)

    async def close_clients(self) -> None:
        for client in self.clients:
            if isinstance(client, TelegramClient) or client.is_connected:
                await client.disconnect()


@asynccontextmanager
async def lab(data_dir: Path, **ports: int) -> AsyncIterator[Lab]:
    world = World(accounts={USER_ID: Account(USER_ID, "Ada")})
    services = Services(world, Faults(), methods=METHODS)
    seed_sandbox(data_dir)
    async with MtprotoServers(services, data_dir, **ports).running() as servers:
        running = Lab(servers, services)
        try:
            yield running
        finally:
            await running.close_clients()


def new_key(world: World, *, dc_id: int = 2, user: int | None = USER_ID) -> bytes:
    """An auth key as a handshake long ago left it in the world."""
    auth_key = os.urandom(256)
    world.auth_keys[key_id(auth_key)] = AuthKey(auth_key, dc_id, salt=99, user=user, api_id=API_ID, layer=LAYER)
    return auth_key


class RawClient:
    """A client that can misbehave: its own transport, message ids, salts and containers. Abridged unless told."""

    def __init__(self, connection: socket.socket, auth_key: bytes = bytes(256), salt: int = 99) -> None:
        self._loop = asyncio.get_running_loop()
        self.socket = connection
        self.state = MTProtoState(TelethonKey(auth_key), logging_table())
        self.state.salt = salt

    @classmethod
    @asynccontextmanager
    async def connect(
        cls, port: int, auth_key: bytes = bytes(256), *, salt: int = 99, local: str = HOST, opening: bytes = b"\xef"
    ) -> AsyncIterator[Self]:
        with socket.socket() as connection:
            connection.setblocking(False)
            connection.bind((local, 0))
            await asyncio.get_running_loop().sock_connect(connection, (HOST, port))
            client = cls(connection, auth_key, salt)
            await client.write(opening)
            yield client

    async def write(self, data: bytes) -> None:
        await self._loop.sock_sendall(self.socket, data)

    async def read_exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            chunk = await self._loop.sock_recv(self.socket, count - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data

    async def is_closed(self) -> bool:
        """Read to the end of what the server sends; true when there is an end."""
        try:
            async with asyncio.timeout(5):
                while await self._loop.sock_recv(self.socket, 65536):
                    pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    async def write_packet(self, payload: bytes) -> None:
        words = len(payload) // 4
        await self.write((bytes([words]) if words < 127 else b"\x7f" + words.to_bytes(3, "little")) + payload)

    async def read_packet(self) -> bytes:
        words = (await self.read_exactly(1))[0]
        if words == 127:
            words = int.from_bytes(await self.read_exactly(3), "little")
        return await self.read_exactly(words * 4)

    async def send(self, body: Any, *, msg_id: int | None = None, content: bool = True) -> int:
        """Encrypt and send a message; its id."""
        msg_id = msg_id or self.state._get_new_msg_id()
        raw = bytes(body)
        data = struct.pack("<qii", msg_id, self.state._get_seq_no(content), len(raw)) + raw
        await self.write_packet(self.state.encrypt_message_data(data))
        return msg_id

    async def receive(self) -> Any:
        """The next message's object; of an rpc_result, too."""
        message = self.state.decrypt_message_data(await self.read_packet())
        return message.obj

    async def receive_kind(self, kind: type[Any]) -> Any:
        """The next message of that type, whatever comes before it."""
        while True:
            received = await self.receive()
            if isinstance(received, kind):
                return received

    async def call(self, request: Any, *, msg_id: int | None = None) -> Any:
        """Send a request and read its result: the object, or a types.RpcError."""
        msg_id = await self.send(request, msg_id=msg_id)
        while True:
            result = await self.receive_kind(RpcResult)
            if result.req_msg_id == msg_id:
                return result.error or request.read_result(BinaryReader(result.body))

    async def plain(self, request: Any) -> Any:
        """Ask a question of the handshake."""
        raw = bytes(request)
        await self.write_packet(struct.pack("<qqi", 0, int(time.time()) << 32, len(raw)) + raw)
        packet = await self.read_packet()
        return BinaryReader(packet[20:]).tgread_object()


def init(query: Any, *, layer: int = LAYER) -> Any:
    """The wrappers of a client's first request."""
    return functions.InvokeWithLayerRequest(
        layer, functions.InitConnectionRequest(API_ID, "device", "system", "app", "en", "", "en", query)
    )


def container(*messages: tuple[int, int, bytes]) -> bytes:
    """msg_container of (msg_id, seq_no, body)."""
    parts = [struct.pack("<qii", msg_id, seq_no, len(body)) + body for msg_id, seq_no, body in messages]
    return struct.pack("<II", MessageContainer.CONSTRUCTOR_ID, len(parts)) + b"".join(parts)


def gzipped(body: bytes) -> bytes:
    packed = zlib.compress(body, wbits=31)
    return struct.pack("<I", GzipPacked.CONSTRUCTOR_ID) + types.TLObject.serialize_bytes(packed)


async def exchange_keys(
    client: RawClient, servers: MtprotoServers, *, rsa_pad: bool, dc: int | None = None, g_b: int | None = None
) -> bytes:
    """The client's side of the handshake, by either padding; the auth key. `g_b`: a public number of one's own."""
    nonce = int.from_bytes(os.urandom(16), "little", signed=True)
    pq = await client.plain(functions.ReqPqMultiRequest(nonce))
    p, q = Factorization.factorize(int.from_bytes(pq.pq, "big"))
    new_nonce = os.urandom(32)
    fields = {
        "pq": pq.pq,
        "p": p.to_bytes(4, "big"),
        "q": q.to_bytes(4, "big"),
        "nonce": nonce,
        "server_nonce": pq.server_nonce,
        "new_nonce": int.from_bytes(new_nonce, "little", signed=True),
    }
    inner = bytes(types.PQInnerData(**fields) if dc is None else types.PQInnerDataDc(**fields, dc=dc))
    block = _rsa_pad(inner, servers.rsa_key.n) if rsa_pad else _old_padding(inner)
    encrypted = pow(int.from_bytes(block, "big"), servers.rsa_key.e, servers.rsa_key.n).to_bytes(256, "big")
    fingerprint = pq.server_public_key_fingerprints[0]
    params = await client.plain(
        functions.ReqDHParamsRequest(nonce, pq.server_nonce, fields["p"], fields["q"], fingerprint, encrypted)
    )
    aes = handshake_aes(new_nonce, pq.server_nonce.to_bytes(16, "little", signed=True))
    server_inner = BinaryReader(cryptg.decrypt_ige(params.encrypted_answer, *aes)[20:]).tgread_object()
    secret = int.from_bytes(os.urandom(256), "big")
    g_b = pow(server_inner.g, secret, DH_PRIME) if g_b is None else g_b
    answer = bytes(types.ClientDHInnerData(nonce, pq.server_nonce, 0, g_b.to_bytes(256, "big")))
    plain = sha1(answer).digest() + answer
    plain += os.urandom(-len(plain) % 16)
    done = await client.plain(
        functions.SetClientDHParamsRequest(nonce, pq.server_nonce, cryptg.encrypt_ige(plain, *aes))
    )
    assert isinstance(done, types.DhGenOk)
    return pow(int.from_bytes(server_inner.g_a, "big"), secret, DH_PRIME).to_bytes(256, "big")


def _old_padding(inner: bytes) -> bytes:
    block = sha1(inner).digest() + inner
    return block + os.urandom(255 - len(block))


def _rsa_pad(inner: bytes, modulus: int) -> bytes:
    data = inner + os.urandom(192 - len(inner))
    while True:
        aes_key = os.urandom(32)
        encrypted = cryptg.encrypt_ige(data[::-1] + sha256(aes_key + data).digest(), aes_key, bytes(32))
        block = bytes(a ^ b for a, b in zip(aes_key, sha256(encrypted).digest(), strict=True)) + encrypted
        if int.from_bytes(block, "big") < modulus:
            return block


def logging_table() -> Any:
    """Telethon's parts ask for their logger in a mapping by module name."""

    class Loggers(dict[str, logging.Logger]):
        def __missing__(self, name: str) -> logging.Logger:
            return logging.getLogger(name)

    return Loggers()
