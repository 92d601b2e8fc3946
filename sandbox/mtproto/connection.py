"""One TCP connection of a client: packets in, messages to the session, calls to the methods, answers out.

https://core.telegram.org/mtproto/description and https://core.telegram.org/mtproto/service_messages
"""

import asyncio
import contextlib
import logging
import struct
import time
from dataclasses import dataclass

from telethon.tl import functions, types

from sandbox.mtproto import messages, rpc, service
from sandbox.mtproto.crypto import Envelope, ProtocolError, RsaKey, open_envelope, seal
from sandbox.mtproto.handshake import Handshake
from sandbox.mtproto.network import Link, Outbox
from sandbox.mtproto.session import BAD_CONTAINER, Request, Session, Sessions
from sandbox.mtproto.transport import Transport, detect
from sandbox.mtproto.wrappers import Unwrapped, unwrap
from sandbox.world import AuthKey

log = logging.getLogger(__name__)

OPENING_TIMEOUT_S = 30
"""A connection that has not said in that time which transport it speaks is ended."""

MAX_RUNNING = 256
"""Requests of one connection that run at once; then the next packet waits."""

KEY_UNKNOWN = -404
SALT_INCORRECT = 48

_PLAIN_HEAD = struct.Struct("<qqi")  # key id 0, msg_id, length
_ERROR = struct.pack("<I", types.RpcError.CONSTRUCTOR_ID)

# A session that only ever asks these is no place for updates: clients open such for files and before a login.
_NO_UPDATES_FOR = frozenset({"upload", "help", "auth", "langpack"})


@dataclass(frozen=True)
class Dc:
    """What the connections of one data centre share."""

    id: int
    services: rpc.Services
    rsa_key: RsaKey
    sessions: Sessions
    link: Link


class Connection:
    """Serves one client until it goes or breaks the protocol."""

    def __init__(self, dc: Dc, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._dc = dc
        self._reader = reader
        self._writer = writer
        self.address = str(writer.get_extra_info("peername", ("",))[0])
        self._outbox = Outbox(writer, dc.link)
        self._handshake = Handshake(dc.rsa_key, dc.id, self._key_agreed)
        self._transport: Transport | None = None
        self._keys: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._disconnect_timer: asyncio.TimerHandle | None = None
        self._last_plain_id = 0

    async def serve(self) -> None:
        """Answer until the end. Whatever a client sends, nothing but a cancellation comes out of here."""
        try:
            async with asyncio.timeout(OPENING_TIMEOUT_S):
                self._transport = await detect(self._reader)
            while True:
                packet = await self._transport.read()
                self._receive(packet, self._outbox.arrived(len(packet)))
                await self._outbox.drain()
                if len(self._tasks) >= MAX_RUNNING:
                    await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass  # the client went
        except ProtocolError as error:
            log.debug("connection closed: %s", error)
        finally:
            await self._close()

    async def _close(self) -> None:
        self._dc.sessions.leave(self)
        self._outbox.close()
        if self._disconnect_timer is not None:
            self._disconnect_timer.cancel()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        self._writer.transport.abort()  # close() would wait for a client that reads no more
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def _drop(self) -> None:
        """End the connection at once, without the answers that are under way."""
        self._outbox.close()
        self._writer.transport.abort()

    # -- packets

    def _receive(self, packet: bytes, arrived_at: float) -> None:
        if len(packet) < _PLAIN_HEAD.size:
            raise ProtocolError("packet too short")
        key_id = int.from_bytes(packet[:8], "little", signed=True)
        if key_id == 0:
            self._receive_plain(packet, arrived_at)
            return
        key = self._dc.services.world.auth_keys.get(key_id)
        if key is None or key.dc_id != self._dc.id:
            self._write(struct.pack("<i", KEY_UNKNOWN), arrived_at)
            return
        envelope = open_envelope(key.key, packet)
        if key_id not in self._keys:
            self._keys.add(key_id)
            if not self._dc.sessions.enter(key_id, self) and not key.duplicated:
                log.info("key %d is in use from two addresses and dies", key_id)
                key.duplicated = True
                self._dc.services.world.version += 1
        self._receive_envelope(self._dc.sessions.open(key_id, key, envelope.session_id), envelope, arrived_at)

    def _receive_plain(self, packet: bytes, arrived_at: float) -> None:
        _, _, size = _PLAIN_HEAD.unpack_from(packet)
        if not 4 <= size <= len(packet) - _PLAIN_HEAD.size:
            raise ProtocolError("wrong length of a plain message")
        reply = self._handshake.reply(packet[_PLAIN_HEAD.size : _PLAIN_HEAD.size + size])
        if reply is not None:
            self._last_plain_id = max(self._last_plain_id + 4, (int(time.time() * (1 << 32)) & ~3) | 1)
            self._write(_PLAIN_HEAD.pack(0, self._last_plain_id, len(reply)) + reply, arrived_at)

    def _key_agreed(self, key_id: int, auth_key: bytes, salt: int) -> None:
        world = self._dc.services.world
        world.auth_keys[key_id] = AuthKey(auth_key, self._dc.id, salt, created=world.now())
        world.version += 1

    def _write(self, payload: bytes, asked_at: float | None, file_bytes: int = 0) -> None:
        assert self._transport is not None, "nothing is sent before the client has spoken"
        if not self._writer.is_closing():
            self._outbox.send(self._transport.frame(payload), asked_at, file_bytes)

    def _send(
        self, session: Session, body: bytes, asked_at: float | None, *, content: bool = True, file_bytes: int = 0
    ) -> int:
        envelope = session.envelope(body, content=content, unasked=asked_at is None)
        self._write(seal(session.key.key, envelope), asked_at, file_bytes)
        return envelope.msg_id

    def push(self, session: Session, body: bytes) -> None:
        """Send what nobody asked for: an update."""
        self._send(session, body, None)

    # -- messages

    def _receive_envelope(self, session: Session, envelope: Envelope, arrived_at: float) -> None:
        session.wire = self
        if (code := session.objection(envelope.msg_id)) is not None:
            self._complain(session, envelope.msg_id, envelope.seq_no, code, arrived_at)
            return
        if envelope.salt != session.key.salt:
            notice = types.BadServerSalt(envelope.msg_id, envelope.seq_no, SALT_INCORRECT, session.key.salt)
            self._send(session, bytes(notice), arrived_at, content=False)
            return
        received = messages.split(envelope)
        if received is None:
            self._complain(session, envelope.msg_id, envelope.seq_no, BAD_CONTAINER, arrived_at)
            return
        if not session.greeted:
            session.greeted = True
            first = min((msg_id for msg_id, _, _ in received), default=envelope.msg_id)
            unique_id = int.from_bytes(session.id, "little", signed=True)
            self._send(session, bytes(types.NewSessionCreated(first, unique_id, session.key.salt)), arrived_at)
        session.note(envelope.msg_id)
        for msg_id, seq_no, body in received:
            if (code := session.objection(msg_id)) is not None:
                self._complain(session, msg_id, seq_no, code, arrived_at)
            else:
                self._receive_message(session, msg_id, body, arrived_at)

    def _complain(self, session: Session, msg_id: int, seq_no: int, code: int, arrived_at: float) -> None:
        self._send(session, bytes(types.BadMsgNotification(msg_id, seq_no, code)), arrived_at, content=False)

    def _receive_message(self, session: Session, msg_id: int, body: bytes, arrived_at: float) -> None:
        if (known := session.requests.get(msg_id)) is not None:
            self._answer_again(session, known, arrived_at)
            return
        try:
            message = messages.read(body)
            heard = service.Heard(message, msg_id, session, self._dc.sessions, self._dc.services.world)
            replies = service.replies(heard)
            if replies is None:
                self._receive_request(session, msg_id, unwrap(message), arrived_at)
                return
        except messages.UnreadableError as error:
            self._refuse(session, msg_id, error.name, arrived_at)
            return
        if isinstance(message, functions.PingDelayDisconnectRequest):
            self._disconnect_after(max(0, message.disconnect_delay))
        for reply in replies:
            if isinstance(reply, bytes):
                self._send(session, reply, arrived_at, content=False)
            else:
                self._write(seal(session.key.key, reply), arrived_at)

    def _disconnect_after(self, delay_s: int) -> None:
        if self._disconnect_timer is not None:
            self._disconnect_timer.cancel()
        self._disconnect_timer = asyncio.get_running_loop().call_later(delay_s, self._writer.close)

    # -- requests

    def _receive_request(self, session: Session, msg_id: int, unwrapped: Unwrapped, arrived_at: float) -> None:
        key, world = session.key, self._dc.services.world
        if unwrapped.initialises:
            session.api_id = unwrapped.api_id
        if unwrapped.initialises and (key.layer, key.api_id) != (unwrapped.layer, unwrapped.api_id):
            key.layer, key.api_id = unwrapped.layer or key.layer, unwrapped.api_id
            world.version += 1
        if not key.layer:
            self._refuse(session, msg_id, "CONNECTION_NOT_INITED", arrived_at)
            return
        if unwrapped.no_updates:
            session.wants_updates = False
        elif rpc.method_name(type(unwrapped.query)).partition(".")[0] not in _NO_UPDATES_FOR:
            session.wants_updates = True
        request = session.begin(msg_id)
        task = asyncio.create_task(self._execute(session, msg_id, request, unwrapped, arrived_at))
        request.task = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _execute(
        self, session: Session, msg_id: int, request: Request, unwrapped: Unwrapped, arrived_at: float
    ) -> None:
        call = rpc.Call(
            self._dc.services,
            self._dc.id,
            session.key_id,
            session.key,
            layer=session.key.layer,
            api_id=session.api_id or session.key.api_id,
            no_updates=unwrapped.no_updates,
            takeout_id=unwrapped.takeout_id,
            address=self.address,
        )
        try:
            if unwrapped.after and not await _all_succeeded(session, unwrapped.after):
                result = bytes(types.RpcError(400, "MSG_WAIT_FAILED"))
            else:
                result = await rpc.answer(call, unwrapped.query)
        except rpc.ConnectionDropped:
            session.forget(msg_id)
            self._drop()
            return
        except asyncio.CancelledError:
            session.forget(msg_id)
            raise
        request.task = None
        request.failed = result.startswith(_ERROR)
        answer = messages.rpc_result(msg_id, result)
        request.answer_id = self._send(session, answer, arrived_at, file_bytes=call.file_bytes)

    def _refuse(self, session: Session, msg_id: int, error: str, arrived_at: float) -> None:
        self._send(session, messages.rpc_result(msg_id, bytes(types.RpcError(400, error))), arrived_at)

    def _answer_again(self, session: Session, request: Request, arrived_at: float) -> None:
        """A request that came before is not run again. Its answer is on its way, or lost and sent once more."""
        if request.answer_id is None:
            return
        if (envelope := session.again(request.answer_id)) is not None:
            session.acknowledge([request.answer_id])
            request.answer_id = self._send(session, envelope.body, arrived_at)


async def _all_succeeded(session: Session, msg_ids: tuple[int, ...]) -> bool:
    """Wait for requests that came before; those that the server does not remember are past."""
    before = [session.requests[msg_id] for msg_id in msg_ids if msg_id in session.requests]
    running = [request.task for request in before if request.task is not None]
    if running:
        await asyncio.wait(running)
    return not any(request.failed for request in before)
