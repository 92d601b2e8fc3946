"""A database that another Porter may be using too: user clients, runs and schedules rest until an owner says that it
is off. So starts what was restored from a backup, what was copied or moved, and what met a second process on its token.

Telegram kills an auth key that it sees from two addresses. The bot's own side works meanwhile: it has no such key.
"""

import asyncio
from dataclasses import replace

from services import audit
from services.clients.base import ApiCredentials, ClientFactory, Credential, GateClient, LoginClient, ReadingClient
from services.clients.proxy import Proxy
from services.errors import ConfirmationExpired, RestoreUnconfirmed
from storage.models import AuditVerb, Restored
from storage.restored import RestoredRepository
from storage.types import Clock, utc_now


class RestoreService:
    """`load` comes first, once, before anything asks."""

    def __init__(self, marks: RestoredRepository, *, clock: Clock = utc_now) -> None:
        self._marks = marks
        self._clock = clock
        self._waiting: Restored | None = None
        self._released = asyncio.Event()

    async def load(self) -> None:
        self._waiting = await self._marks.get()
        if self._waiting is None:
            self._released.set()

    @property
    def waiting(self) -> Restored | None:
        """What waits for an owner's word. None: there is nothing to wait for."""
        return self._waiting

    async def released(self) -> None:
        """Returns once user clients may work."""
        await self._released.wait()

    def check(self) -> None:
        """Raises RestoreUnconfirmed."""
        if self._waiting is not None:
            raise RestoreUnconfirmed

    async def told(self) -> None:
        """The owners have been asked; they are not asked again by themselves."""
        if self._waiting is not None:
            await self._marks.set_told(self._waiting)
            self._waiting = self._waiting and replace(self._waiting, told=True)

    async def contested(self) -> None:
        """Another process polls with this bot's token: no client opens from now on, nor after the next start."""
        self._waiting = await self._marks.contest(self._clock())
        self._released.clear()

    async def confirm(self, restored_id: int) -> None:
        """The old Porter is off. Raises ConfirmationExpired when that was said before, or of an earlier restore."""
        async with audit.act(AuditVerb.RESTORE):
            if not await self._marks.clear(restored_id):
                raise ConfirmationExpired
        self._waiting = None
        self._released.set()


class RestingClients:
    """Implements clients.base.ClientFactory: opens nothing as long as an owner's word is missing."""

    def __init__(self, factory: ClientFactory, restores: RestoreService) -> None:
        self._factory = factory
        self._restores = restores

    async def login(
        self,
        api: ApiCredentials,
        resume: Credential | None = None,
        proxy: Proxy | None = None,
        *,
        hears: bool = False,
    ) -> LoginClient:
        self._restores.check()
        return await self._factory.login(api, resume, proxy, hears=hears)

    async def reading(self, credential: Credential, proxy: Proxy | None = None) -> ReadingClient:
        self._restores.check()
        return await self._factory.reading(credential, proxy)

    async def gate(self, credential: Credential, proxy: Proxy | None = None) -> GateClient:
        self._restores.check()
        return await self._factory.gate(credential, proxy)
