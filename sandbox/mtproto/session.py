"""MTProto sessions: what the server remembers about the messages of one client under one auth key.

A session outlives its connections: who comes back with its id finds the answers that it has not acknowledged.
https://core.telegram.org/mtproto/service_messages_about_messages
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from sandbox.mtproto.crypto import Envelope
from sandbox.world import AuthKey

MAX_REQUESTS = 2048
MAX_KEPT_BYTES = 8 * 1024 * 1024
MAX_IDLE_SESSIONS = 256

_TOO_OLD_S, _TOO_NEW_S = 300, 30

# Codes of bad_msg_notification
ID_TOO_LOW, ID_TOO_HIGH, ID_NOT_DIVISIBLE_BY_4, OLDER_THAN_REMEMBERED, BAD_CONTAINER = 16, 17, 18, 20, 64

# States in msgs_state_info
_FORGOTTEN, _NOT_RECEIVED, _NOT_RECEIVED_YET, _RECEIVED = 1, 2, 3, 4
_BEING_PROCESSED, _ANSWERED = 32, 64


class Wire(Protocol):
    """The connection that a session currently uses."""

    address: str

    def push(self, session: "Session", body: bytes) -> None: ...


@dataclass(slots=True)
class Request:
    """A request that was received. `answer_id`: the message that carries the answer, while it is kept."""

    task: asyncio.Task[None] | None = None
    answer_id: int | None = None
    failed: bool = False


@dataclass(slots=True, repr=False)
class Sent:
    """A message to the client that it has not acknowledged."""

    seq_no: int
    body: bytes

    @property
    def weight(self) -> int:
        """Bytes, with what Python itself needs to keep it."""
        return len(self.body) + 256


class Session:
    """One session: numbers outgoing messages, remembers incoming requests and unacknowledged answers."""

    def __init__(self, key_id: int, key: AuthKey, session_id: bytes) -> None:
        self.key_id = key_id
        self.key = key
        self.id = session_id
        self.wire: Wire | None = None
        self.greeted = False  # new_session_created was sent
        self.wants_updates = False
        self.api_id = 0  # as its initConnection said; one key may be used by several applications
        self.requests: OrderedDict[int, Request] = OrderedDict()
        self._sent: OrderedDict[int, Sent] = OrderedDict()
        self._kept_bytes = 0
        self._forgotten_up_to = 0
        self._highest_received = 0
        self._last_id = 0
        self._content_messages = 0

    # -- incoming

    def objection(self, msg_id: int) -> int | None:
        """The code of the bad_msg_notification that this id deserves.

        Real time counts here, not the world's clock: clients check the server's message ids against their own clock.
        """
        if msg_id % 4:
            return ID_NOT_DIVISIBLE_BY_4
        age = time.time() - (msg_id >> 32)
        if age > _TOO_OLD_S:
            return ID_TOO_LOW
        if age < -_TOO_NEW_S:
            return ID_TOO_HIGH
        if msg_id <= self._forgotten_up_to and msg_id not in self.requests:
            return OLDER_THAN_REMEMBERED
        return None

    def note(self, msg_id: int) -> None:
        self._highest_received = max(self._highest_received, msg_id)

    def begin(self, msg_id: int) -> Request:
        """Remember a new request."""
        request = self.requests[msg_id] = Request()
        while len(self.requests) > MAX_REQUESTS:
            forgotten, _ = self.requests.popitem(last=False)
            self._forgotten_up_to = max(self._forgotten_up_to, forgotten)
        return request

    def forget(self, msg_id: int) -> None:
        """A request that was never executed: should it come again, it counts as new."""
        self.requests.pop(msg_id, None)

    def state_of(self, msg_id: int) -> int:
        """The byte for it in msgs_state_info."""
        if (request := self.requests.get(msg_id)) is not None:
            return _RECEIVED | (_BEING_PROCESSED if request.task is not None else _ANSWERED)
        if msg_id <= self._forgotten_up_to:
            return _FORGOTTEN
        return _NOT_RECEIVED_YET if msg_id > self._highest_received else _NOT_RECEIVED

    # -- outgoing

    def envelope(self, body: bytes, *, content: bool, unasked: bool = False) -> Envelope:
        """Number a message. `content`: it needs an acknowledgment, and is kept until that comes."""
        msg_id = (int(time.time() * (1 << 32)) & ~3) | (3 if unasked else 1)
        if msg_id <= self._last_id:
            msg_id = (self._last_id & ~3) + 4 | (3 if unasked else 1)
        self._last_id = msg_id
        seq_no = self._content_messages * 2 + content
        if content:
            self._content_messages += 1
            self._keep(msg_id, Sent(seq_no, body))
        return Envelope(self.key.salt, self.id, msg_id, seq_no, body)

    def again(self, msg_id: int) -> Envelope | None:
        """A message that was sent before, as it was; None if it is not kept any more."""
        if (sent := self._sent.get(msg_id)) is None:
            return None
        return Envelope(self.key.salt, self.id, msg_id, sent.seq_no, sent.body)

    def acknowledge(self, msg_ids: Iterable[int]) -> None:
        for msg_id in msg_ids:
            if (sent := self._sent.pop(msg_id, None)) is not None:
                self._kept_bytes -= sent.weight

    def _keep(self, msg_id: int, sent: Sent) -> None:
        self._sent[msg_id] = sent
        self._kept_bytes += sent.weight
        while self._kept_bytes > MAX_KEPT_BYTES:
            _, dropped = self._sent.popitem(last=False)
            self._kept_bytes -= dropped.weight


class Sessions:
    """All sessions of all DCs, and from which addresses each key is in use."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[tuple[int, bytes], Session] = OrderedDict()
        self._users: dict[int, set[Wire]] = {}

    def open(self, key_id: int, key: AuthKey, session_id: bytes) -> Session:
        """The session of that id, a new one at first."""
        name = (key_id, session_id)
        session = self._sessions.get(name)
        if session is None or session.key is not key:
            session = self._sessions[name] = Session(key_id, key, session_id)
        return session

    def destroy(self, key_id: int, session_id: bytes) -> bool:
        return self._sessions.pop((key_id, session_id), None) is not None

    def connected(self) -> Iterator[tuple[Session, Wire]]:
        for session in list(self._sessions.values()):
            if session.wire is not None:
                yield session, session.wire

    def enter(self, key_id: int, wire: Wire) -> bool:
        """Note that a connection uses a key. False: another one, from another address, uses it at this time."""
        users = self._users.setdefault(key_id, set())
        users.add(wire)
        return all(user.address == wire.address for user in users)

    def leave(self, wire: Wire) -> None:
        """A connection has ended. Its sessions wait for the client's return; of too many, the longest abandoned go."""
        for key_id, users in list(self._users.items()):
            users.discard(wire)
            if not users:
                del self._users[key_id]
        for name in [name for name, session in self._sessions.items() if session.wire is wire]:
            self._sessions[name].wire = None
            self._sessions.move_to_end(name)
        idle = [name for name, session in self._sessions.items() if session.wire is None]
        for name in idle[:-MAX_IDLE_SESSIONS]:
            del self._sessions[name]
