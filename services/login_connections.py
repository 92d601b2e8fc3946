"""The connections of logins: one an attempt, open between its steps, and opened anew where a restart or the network
took it."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from services.clients.base import ApiCredentials, ClientFactory, LoginClient
from services.clients.pacing import answered
from services.clients.proxy import Proxy
from services.clients.proxy import unpack as unpack_proxy
from services.errors import Unreachable
from services.login_payload import LoginPayload
from storage.models import LoginAttempt, LoginStep
from storage.sessions import SessionRepository
from storage.types import Clock

log = logging.getLogger(__name__)

T = TypeVar("T")

STEP_SECONDS = 10.0
"""An admin waits for each step, and holds up their other taps."""
CONNECT_SECONDS = 20.0
"""The first time, the library is imported and an auth key agreed on; after a scan, perhaps one at another DC."""


class LoginConnections:
    """Methods raise FloodWait, Unreachable, ProxyFailed, TelegramRefused."""

    def __init__(self, factory: ClientFactory, sessions: SessionRepository, clock: Clock) -> None:
        self._factory = factory
        self._sessions = sessions
        self._clock = clock
        self._clients: dict[int, LoginClient] = {}  # by attempt
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._clients)

    async def new(self, api: ApiCredentials, phone: str, session_id: int | None, *, hears: bool = False) -> LoginClient:
        """For an attempt that has no row yet: to be kept, or closed by whoever asked. `session_id`: to be repaired."""
        opening = self._factory.login(api, proxy=await self._proxy(session_id, phone), hears=hears)
        return await answered(opening, CONNECT_SECONDS)

    def keep(self, attempt: LoginAttempt, client: LoginClient) -> None:
        """Until the deadline, should nobody come back."""
        self._clients[attempt.id] = client
        seconds = max(0.0, (attempt.deadline - self._clock()).total_seconds())
        self._timers[attempt.id] = asyncio.get_running_loop().call_later(seconds, self.drop, attempt.id)

    def kept(self, attempt_id: int) -> LoginClient | None:
        """The attempt's connection, if it is open."""
        client = self._clients.get(attempt_id)
        return client if client is not None and client.is_connected else None

    async def of(self, attempt: LoginAttempt, payload: LoginPayload) -> LoginClient:
        """The attempt's connection; a new one with the same auth key where there is none."""
        client = self.kept(attempt.id)
        if client is None:
            self.drop(attempt.id)
            proxy = await self._proxy(payload.session_id, payload.phone)
            hears = attempt.step is LoginStep.QR
            opening = self._factory.login(payload.credential.api, payload.credential, proxy, hears=hears)
            client = await answered(opening, CONNECT_SECONDS)
            self.keep(attempt, client)
        return client

    async def ask(self, attempt: LoginAttempt, request: Awaitable[T], seconds: float = STEP_SECONDS) -> T:
        """The answer. A connection that brings none is dropped: the next step opens another."""
        try:
            return await answered(request, seconds)
        except Unreachable:
            self.drop(attempt.id)
            raise

    def drop(self, attempt_id: int) -> None:
        """Close the attempt's connection, in the background."""
        timer = self._timers.pop(attempt_id, None)
        if timer is not None:
            timer.cancel()
        client = self._clients.pop(attempt_id, None)
        if client is not None:
            closing = asyncio.create_task(self._close(client))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        for attempt_id in list(self._clients):
            self.drop(attempt_id)
        await asyncio.gather(*self._closing)

    @staticmethod
    async def _close(client: LoginClient) -> None:
        try:
            await answered(client.close(), STEP_SECONDS)
        except Unreachable:
            log.warning("a login client did not close in time")

    async def _proxy(self, session_id: int | None, phone: str) -> Proxy | None:
        """An account that is here, signed out, takes its own way, as it will afterwards: however its login began."""
        if session_id is None:
            known = [each.id for each in await self._sessions.all() if await self._sessions.phone(each.id) == phone]
            session_id = known[0] if known else None
        packed = None if session_id is None else await self._sessions.proxy(session_id)
        return None if packed is None else unpack_proxy(packed)
