"""Service messages: what a client says about messages, salts, sessions and the connection itself.

https://core.telegram.org/mtproto/service_messages. None of this is a call of a method, so none of it is counted.
"""

import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from telethon.tl import functions, types

from sandbox.mtproto.crypto import Envelope
from sandbox.mtproto.messages import rpc_result
from sandbox.mtproto.session import Session, Sessions
from sandbox.world import World

_FUTURE_SALTS = struct.Struct("<Iqiiiiq")
_FUTURE_SALTS_ID = 0xAE500895
_SALT_LIFETIME_S = 24 * 3600


@dataclass(slots=True, repr=False)
class Heard:
    """A service message: who said it, and what its answer may touch."""

    message: Any
    msg_id: int
    session: Session
    sessions: Sessions
    world: World


Reply = bytes | Envelope
"""The body of a new message, or an old message again as it was."""


def replies(heard: Heard) -> Iterable[Reply] | None:
    """The answers to a service message; None if it is none, but a request."""
    answer = _ANSWERS.get(type(heard.message))
    return None if answer is None else answer(heard)


def _pong(heard: Heard) -> Iterable[Reply]:
    return [bytes(types.Pong(heard.msg_id, heard.message.ping_id))]


def _acknowledge(heard: Heard) -> Iterable[Reply]:
    heard.session.acknowledge(heard.message.msg_ids)
    return []


def _future_salts(heard: Heard) -> Iterable[Reply]:
    """Written by hand, for Telethon has only a reader of it. The salt in use is the only one, and does not end."""
    now = int(time.time())
    until = now + _SALT_LIFETIME_S
    return [_FUTURE_SALTS.pack(_FUTURE_SALTS_ID, heard.msg_id, now, 1, now, until, heard.session.key.salt)]


def _states(heard: Heard) -> Iterable[Reply]:
    states = bytes(heard.session.state_of(msg_id) for msg_id in heard.message.msg_ids)
    return [bytes(types.MsgsStateInfo(heard.msg_id, states))]


def _resend(heard: Heard) -> Iterable[Reply]:
    kept = [heard.session.again(msg_id) for msg_id in heard.message.msg_ids]
    return [*filter(None, kept), *(_states(heard) if None in kept else ())]


def _destroy_session(heard: Heard) -> Iterable[Reply]:
    number = heard.message.session_id
    session_id = number.to_bytes(8, "little", signed=True)
    destroyed = session_id != heard.session.id and heard.sessions.destroy(heard.session.key_id, session_id)
    return [bytes(types.DestroySessionOk(number) if destroyed else types.DestroySessionNone(number))]


def _destroy_key(heard: Heard) -> Iterable[Reply]:
    if heard.world.auth_keys.pop(heard.session.key_id, None) is not None:
        heard.world.version += 1
    return [rpc_result(heard.msg_id, bytes(types.DestroyAuthKeyOk()))]


def _drop_answer(heard: Heard) -> Iterable[Reply]:
    request = heard.session.requests.get(heard.message.req_msg_id)
    if request is None or request.task is None:
        return [rpc_result(heard.msg_id, bytes(types.RpcAnswerUnknown()))]
    request.task.cancel()
    return [rpc_result(heard.msg_id, bytes(types.RpcAnswerDroppedRunning()))]


def _nothing(_heard: Heard) -> Iterable[Reply]:
    """What a client may say and a server need not answer over TCP."""
    return []


_ANSWERS: dict[type[Any], Callable[[Heard], Iterable[Reply]]] = {
    functions.PingRequest: _pong,
    functions.PingDelayDisconnectRequest: _pong,
    functions.GetFutureSaltsRequest: _future_salts,
    functions.DestroySessionRequest: _destroy_session,
    functions.DestroyAuthKeyRequest: _destroy_key,
    functions.RpcDropAnswerRequest: _drop_answer,
    types.MsgsAck: _acknowledge,
    types.MsgsStateReq: _states,
    types.MsgResendReq: _resend,
    types.MsgsStateInfo: _nothing,
    types.MsgsAllInfo: _nothing,
    types.HttpWait: _nothing,
}
