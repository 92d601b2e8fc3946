"""The one open client of each session, shared by everybody who needs it.

A client opens at its first call, is closed when nobody has used it for a while, when it lost its connection or did not
answer (the next call opens a new one), and for good when Telegram says that its session is dead. While one of its
clients is open, this process holds the session's lease.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from services.clients.base import ApiCredentials, ClientFactory, Credential, GateClient, Peer, ReadingClient
from services.clients.paced import PacedGate, PacedReading
from services.clients.pacing import Governor
from services.clients.proxy import Proxy
from services.clients.proxy import unpack as unpack_proxy
from services.clients.slots import Connected, Slot
from services.credentials import unpack
from services.errors import ChannelUnavailable, NotFound, SessionDead, Unreachable
from services.leases import Leases
from services.log_context import apart
from storage.models import SessionState, Source
from storage.sessions import SessionRepository

log = logging.getLogger(__name__)

READING_IDLE_SECONDS = 300.0
GATE_IDLE_SECONDS = 60.0

ApplicationOf = Callable[[int], Awaitable[tuple[int, str] | None]]
"""By the id of a source: API id and hash of its own, or None (storage/source_applications.py)."""
OnDead = Callable[[int, SessionDead], Awaitable[None]]

C = TypeVar("C", bound=Connected)


class ClientPool:
    """`on_dead` hears of a dead session once, until the session answers again. `application_of`: of a source, by id."""

    def __init__(
        self,
        sessions: SessionRepository,
        factory: ClientFactory,
        governor: Governor,
        leases: Leases,
        on_dead: OnDead,
        *,
        application_of: ApplicationOf | None = None,
        reading_idle_seconds: float = READING_IDLE_SECONDS,
        gate_idle_seconds: float = GATE_IDLE_SECONDS,
    ) -> None:
        self._sessions = sessions
        self._factory = factory
        self._governor = governor
        self._leases = leases
        self._on_dead = on_dead
        self._application_of = application_of
        self._reading_idle_seconds = reading_idle_seconds
        self._gate_idle_seconds = gate_idle_seconds
        self._reading: dict[int, Slot[ReadingClient]] = {}
        self._variants: dict[tuple[int, int], Slot[ReadingClient]] = {}  # by session and the application they name
        self._named_by: dict[tuple[int, int], int] = {}  # the source that was read so last, and so is there still
        self._gates: dict[int, Slot[GateClient]] = {}
        self._dead: set[int] = set()
        self._leaving: set[int] = set()
        self._telling: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def reading(self, session_id: int) -> AsyncIterator[ReadingClient]:
        """A paced client, shared with everybody else who reads by this session. Connects at the first call."""
        slot = self._reading.get(session_id)
        if slot is None:
            slot = self._slot(session_id, self._connect_reading, self._reading_idle_seconds)
            self._reading[session_id] = slot
        with slot.used():
            yield PacedReading(slot)

    @asynccontextmanager
    async def reading_for(self, source: Source) -> AsyncIterator[ReadingClient]:
        """The same for a source: where it has an application of its own, a client of its session that names that one.

        It has the session's auth key and lease, and Telegram's waits are the account's: only the connection is another.
        """
        if source.api_id is None:
            async with self.reading(source.session_id) as client:
                yield client
            return
        key = source.session_id, source.api_id
        slot = self._variants.get(key)
        if slot is None:
            connect = partial(self._connect_variant, source.api_id)
            slot = self._slot(source.session_id, connect, self._reading_idle_seconds)
            self._variants[key] = slot
        self._named_by[key] = source.id
        with slot.used():
            yield PacedReading(slot)

    @asynccontextmanager
    async def gate(self, session_id: int) -> AsyncIterator[GateClient]:
        """The same for join requests."""
        slot = self._gates.get(session_id)
        if slot is None:
            slot = self._slot(session_id, self._connect_gate, self._gate_idle_seconds)
            self._gates[session_id] = slot
        with slot.used():
            yield PacedGate(slot)

    async def peer(self, session_id: int, channel_id: int) -> Peer:
        """How that session addresses the channel: where work with it begins, so a dead one is not even tried.

        Raises SessionDead when it is stored as that, ChannelUnavailable when it never saw the channel.
        """
        session = await self._sessions.get(session_id)
        if session is not None and session.state is not SessionState.ACTIVE:
            is_banned = session.state is SessionState.BANNED
            raise SessionDead(session.state_reason or session.state, is_banned=is_banned)
        access_hash = await self._sessions.access_hash(session_id, channel_id)
        if access_hash is None:
            raise ChannelUnavailable
        return Peer(channel_id, access_hash)

    def is_open(self, session_id: int) -> bool:
        """Whether a client of it is connected."""
        return any(slot.is_connected for slot in self._slots(session_id))

    async def rest(self, session_id: int) -> None:
        """Close the session's clients that nobody uses, without waiting until they have been idle for long."""
        for slot in self._slots(session_id):
            if not slot.is_used:
                await slot.close()

    async def drop(self, session_id: int) -> None:
        """Close the session's clients, whoever uses them."""
        self._dead.discard(session_id)
        for slot in self._slots(session_id):
            await slot.end()
        for key in [key for key, slot in self._variants.items() if key[0] == session_id and not slot.is_used]:
            del self._variants[key]

    @asynccontextmanager
    async def kept_closed(self, session_id: int) -> AsyncIterator[None]:
        """The session's clients are closed, and none opens before this ends: its key is somebody else's meanwhile."""
        self._leaving.add(session_id)
        try:
            await self.drop(session_id)
            yield
        finally:
            self._leaving.discard(session_id)

    async def close(self) -> None:
        self._closed = True
        await asyncio.gather(*self._telling)
        sessions = {*self._reading, *self._gates, *(session_id for session_id, _ in self._variants)}
        await asyncio.gather(*(self.drop(session_id) for session_id in sessions))

    def _slots(self, session_id: int) -> list[Slot[Any]]:
        """Of that session, all of them."""
        found: list[Slot[Any] | None] = [self._reading.get(session_id), self._gates.get(session_id)]
        variants = [slot for (owner_id, _), slot in self._variants.items() if owner_id == session_id]
        return [*(slot for slot in found if slot is not None), *variants]

    def _slot(self, session_id: int, connect: Callable[[int], Awaitable[C]], idle_seconds: float) -> Slot[C]:
        closed = self._leases.give_back
        return Slot(session_id, self._governor, connect, self._died, self._dead.discard, closed, idle_seconds)

    async def _connect_reading(self, session_id: int) -> ReadingClient:
        return await self._leased(session_id, self._factory.reading)

    async def _connect_variant(self, api_id: int, session_id: int) -> ReadingClient:
        """Where its source has lost the application meanwhile, the session's own is named."""
        source_id = self._named_by[session_id, api_id]
        application = await self._application_of(source_id) if self._application_of is not None else None

        async def connect(credential: Credential, proxy: Proxy | None) -> ReadingClient:
            if application is not None:
                credential = replace(credential, api=ApiCredentials(*application))
            return await self._factory.reading(credential, proxy)

        return await self._leased(session_id, connect)

    async def _connect_gate(self, session_id: int) -> GateClient:
        return await self._leased(session_id, self._factory.gate)

    async def _leased(
        self, session_id: int, connect: Callable[[Credential, Proxy | None], Coroutine[Any, Any, C]]
    ) -> C:
        """A client under the session's lease; its slot gives the lease back when it has closed the client."""
        credential, proxy = await self._credential(session_id), await self._proxy(session_id)
        await self._leases.take(session_id)
        try:
            # A client's own tasks live on, for whoever uses it next.
            return await apart(connect(credential, proxy), session_id=session_id)
        except BaseException:
            await self._leases.give_back(session_id)
            raise

    async def _credential(self, session_id: int) -> Credential:
        if self._closed:
            raise Unreachable("Porter is stopping")
        if session_id in self._leaving:
            raise Unreachable("the session is being handed over")
        if await self._sessions.get(session_id) is None:
            raise NotFound("session")
        return unpack(await self._sessions.credential(session_id))

    async def _proxy(self, session_id: int) -> Proxy | None:
        packed = await self._sessions.proxy(session_id)
        return None if packed is None else unpack_proxy(packed)

    async def _died(self, session_id: int, error: SessionDead) -> None:
        """Of many calls that fail at once the first tells, to its end: its own task may be cancelled by the others."""
        if session_id not in self._dead:
            self._dead.add(session_id)
            telling = asyncio.create_task(self._tell(session_id, error))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)
            await asyncio.shield(telling)
        for slot in self._slots(session_id):
            await slot.close()

    async def _tell(self, session_id: int, error: SessionDead) -> None:
        try:
            await self._on_dead(session_id, error)
        except Exception:
            log.exception("a dead session was not stored", extra={"session_id": session_id})
            self._dead.discard(session_id)  # the next call tells again
