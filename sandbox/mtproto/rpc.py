"""The seam between the MTProto servers and the methods: what a call is, how a method registers, how errors travel.

A method is an async function that registers for the Telethon request classes that it answers:

    @method(functions.messages.GetHistoryRequest)
    async def get_history(call: Call, request: TLRequest) -> TLObject: ...

It answers with a TL object, a list of them (sent as a vector), a bool, or bytes that are serialised already.
It fails with `RpcError`, or with the world's own `WorldError`; both reach the client as an rpc_error.
"""

import asyncio
import logging
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from re import match
from typing import Any

from telethon.errors.rpcerrorlist import rpc_errors_dict, rpc_errors_re
from telethon.tl import types
from telethon.tl.tlobject import TLObject, TLRequest

from sandbox.faults import Faults
from sandbox.world import Account, AuthKey, World, WorldError

log = logging.getLogger(__name__)

VECTOR = struct.pack("<I", 0x1CB5C415)
BOOL_TRUE = struct.pack("<I", 0x997275B5)
BOOL_FALSE = struct.pack("<I", 0xBC799737)

Handler = Callable[["Call", Any], Awaitable[Any]]
Push = Callable[[int, TLObject | bytes], None]

REGISTRY: dict[type[object], Handler] = {}
"""Who answers what: filled by `method` when the modules of sandbox.mtproto.methods are imported."""

FOR_USERS: set[str] = set()
"""What bots may not call, by Telegram's names; filled beside the registry."""


class RpcError(Exception):
    """An error as Telegram answers it: `code` (400, 401, 420, ...) and `name` (`PHONE_CODE_INVALID`, ...)."""

    def __init__(self, code: int, name: str) -> None:
        super().__init__(f"{code} {name}")
        self.code = code
        self.name = name


class ConnectionDropped(Exception):
    """A fault asks for the connection to end without an answer."""


def _push_to_nobody(user_id: int, updates: TLObject | bytes) -> None:
    """Until servers run there is no connection that could hear of an update."""


@dataclass(repr=False)
class Services:
    """What stands behind every call. `ports`: by DC id; `push`: updates to an account's open connections;
    `push_to_key`: to those of one auth key.

    The servers fill in `ports` and `push` when they start.
    """

    world: World
    faults: Faults
    ports: dict[int, int] = field(default_factory=dict)
    push: Push = _push_to_nobody
    push_to_key: Push = _push_to_nobody
    methods: Mapping[type[object], Handler] = field(default_factory=lambda: REGISTRY)


@dataclass(slots=True, repr=False)  # the key is a secret
class Call:
    """One request of a client: where it came in, under which key, and what its wrappers said."""

    services: Services
    dc_id: int
    key_id: int
    key: AuthKey
    layer: int = 0
    api_id: int = 0
    no_updates: bool = False
    takeout_id: int | None = None
    address: str = ""  # IP of the client
    file_bytes: int = 0  # so many of the answer are a file's

    @property
    def world(self) -> World:
        return self.services.world

    @property
    def user(self) -> Account:
        """The account that is signed in with this key, else RpcError 401."""
        if self.key.revoked:
            raise RpcError(401, "SESSION_REVOKED")
        if self.key.user is None:
            raise RpcError(401, "SESSION_PASSWORD_NEEDED" if self.key.password_pending else "AUTH_KEY_UNREGISTERED")
        account = self.world.account(self.key.user)
        if account.banned:
            raise RpcError(401, "USER_DEACTIVATED_BAN")
        if account.deactivated:
            raise RpcError(401, "USER_DEACTIVATED")
        return account


def method(*request_types: type[object]) -> Callable[[Handler], Handler]:
    """Register an async function for the request classes that it answers."""

    def register(handler: Handler) -> Handler:
        for request_type in request_types:
            if request_type in REGISTRY:
                raise ValueError(f"{method_name(request_type)} is registered twice")
            REGISTRY[request_type] = handler
        return handler

    return register


def method_name(request_type: type[object]) -> str:
    """`telethon.tl.functions.messages.GetHistoryRequest` is Telegram's `messages.getHistory`."""
    return _telegram_name(request_type.__module__, request_type.__name__)


@cache
def _telegram_name(module: str, class_name: str) -> str:
    name = class_name.removesuffix("Request")
    name = name[0].lower() + name[1:]
    namespace = module.rpartition("telethon.tl.functions")[2].strip(".")
    return f"{namespace}.{name}" if namespace else name


@cache
def error_code(name: str) -> int:
    """The code that goes with an error's name; Telethon's table of errors knows it. 400 for a name that it lacks."""
    known = rpc_errors_dict.get(name)
    if known is None:
        known = next((error for pattern, error in rpc_errors_re if match(pattern, name)), None)
    code = getattr(known, "code", None)
    return code if isinstance(code, int) else 400


async def dispatch(call: Call, request: TLRequest) -> Any:
    """Count the call, serve the fault that is due, run the method.

    Returns what the method returned. Raises RpcError, or ConnectionDropped when a fault says so.
    """
    if call.key.duplicated:
        raise RpcError(406, "AUTH_KEY_DUPLICATED")
    request_type: type[object] = type(request)
    name = method_name(request_type)
    faults = call.services.faults
    faults.count(call.key.user or 0, name, call.api_id)
    if (fault := faults.take(name)) is not None:
        if fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.drop:
            raise ConnectionDropped
        if fault.error is not None:
            raise RpcError(error_code(fault.error), fault.error)
    if name in FOR_USERS and _is_bots(call):
        raise RpcError(400, "BOT_METHOD_INVALID")
    handler = call.services.methods.get(request_type)
    if handler is None:
        log.warning("method %s is not known to the sandbox", name)
        raise RpcError(400, "METHOD_INVALID")
    try:
        return await handler(call, request)
    except WorldError as error:
        raise RpcError(error.code, error.name) from error
    except (RpcError, ConnectionDropped):
        raise
    except Exception as error:
        log.exception("method %s failed", name)
        raise RpcError(500, "INTERNAL_SERVER_ERROR") from error


def _is_bots(call: Call) -> bool:
    account = call.world.accounts.get(call.key.user or 0)
    return account is not None and account.is_bot


async def answer(call: Call, request: TLRequest) -> bytes:
    """The bytes that go into the rpc_result: the method's answer, or the rpc_error. Raises ConnectionDropped only."""
    try:
        result = await dispatch(call, request)
        try:
            return serialise(result)
        except Exception as error:
            request_type: type[object] = type(request)
            log.exception("the answer of %s cannot be serialised", method_name(request_type))
            raise RpcError(500, "INTERNAL_SERVER_ERROR") from error
    except RpcError as error:
        return bytes(types.RpcError(error.code, error.name))


def serialise(result: Any) -> bytes:
    """The bytes of a method's answer: bytes as they are, TL objects, lists of these as vectors, bools."""
    if isinstance(result, bytes):
        return result
    if isinstance(result, bool):
        return BOOL_TRUE if result else BOOL_FALSE
    if isinstance(result, list | tuple):
        return VECTOR + struct.pack("<i", len(result)) + b"".join(map(serialise, result))
    return bytes(result)
