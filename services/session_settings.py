"""What an admin may change of a session's connection: the application it names, and the proxy it goes through.

Both are tried at Telegram before they are stored, with a connection of their own that knows nothing of the account:
its key is never in two places, and a dead session can be set right as well.
"""

import logging
from dataclasses import replace

from services import audit
from services.clients.base import ApiCredentials, ClientFactory, LoginClient
from services.clients.pacing import answered
from services.clients.pool import ClientPool
from services.clients.proxy import Proxy
from services.clients.proxy import unpack as unpack_proxy
from services.credentials import pack, unpack
from services.errors import NotFound, PorterError
from storage.models import AuditVerb, Session
from storage.sessions import SessionRepository

log = logging.getLogger(__name__)

CONNECT_SECONDS = 20.0
"""The first time, the library is imported; an auth key is agreed on each time."""
STEP_SECONDS = 10.0


class SessionSettings:
    def __init__(self, sessions: SessionRepository, pool: ClientPool, factory: ClientFactory) -> None:
        self._sessions = sessions
        self._pool = pool
        self._factory = factory

    async def change_api(self, session_id: int, api: ApiCredentials) -> None:
        """From now on the session names that application. Refused ones are not stored, and the old one goes on.

        Raises NotFound, ApiCredentialsInvalid, FloodWait, Unreachable, TelegramRefused.
        """
        session = await self._session(session_id)
        async with audit.act(AuditVerb.SESSION_API, session.name):
            await self._change_api(session_id, api)

    async def _change_api(self, session_id: int, api: ApiCredentials) -> None:
        await try_application(self._factory, api, await self._proxy(session_id))
        stored = await self._sessions.credential(session_id)
        credential = pack(replace(unpack(stored), api=api))
        if not await self._sessions.set_api(session_id, api.api_id, api.api_hash, credential, stored):
            # Signed in anew this very second: what was tried still holds, for the credential of now.
            stored = await self._sessions.credential(session_id)
            credential = pack(replace(unpack(stored), api=api))
            await self._sessions.set_api(session_id, api.api_id, api.api_hash, credential, stored)
        await self._pool.drop(session_id)
        log.info("a session names another application", extra={"session_id": session_id})

    async def set_proxy(self, session_id: int, proxy: Proxy) -> None:
        """From now on the session goes through it, and no other way. Raises NotFound, ProxyFailed, Unreachable."""
        session = await self._session(session_id)
        async with audit.act(AuditVerb.SESSION_PROXY, session.name):
            api = ApiCredentials(session.api_id, await self._sessions.api_hash(session_id))
            await self._reach(api, proxy)
            await self._sessions.set_proxy(session_id, proxy.pack())
            await self._pool.drop(session_id)
        log.info("a session has a proxy", extra={"session_id": session_id})

    async def remove_proxy(self, session_id: int) -> None:
        """From now on it connects directly. Raises NotFound."""
        session = await self._session(session_id)
        async with audit.act(AuditVerb.SESSION_PROXY, session.name):
            await self._sessions.set_proxy(session_id, None)
            await self._pool.drop(session_id)
        log.info("a session has no proxy any more", extra={"session_id": session_id})

    async def _session(self, session_id: int) -> Session:
        session = await self._sessions.get(session_id)
        if session is None:
            raise NotFound("session")
        return session

    async def _proxy(self, session_id: int) -> Proxy | None:
        packed = await self._sessions.proxy(session_id)
        return None if packed is None else unpack_proxy(packed)

    async def _reach(self, api: ApiCredentials, proxy: Proxy) -> None:
        """An auth key agreed on is proof enough that Telegram is at the other end."""
        client = await answered(self._factory.login(api, proxy=proxy), CONNECT_SECONDS)
        await _close(client)


async def try_application(factory: ClientFactory, api: ApiCredentials, proxy: Proxy | None) -> None:
    """Raises ApiCredentialsInvalid, FloodWait, Unreachable, TelegramRefused."""
    client = await answered(factory.login(api, proxy=proxy), CONNECT_SECONDS)
    try:
        await answered(client.try_application(), STEP_SECONDS)
    finally:
        await _close(client)


async def _close(client: LoginClient) -> None:
    try:
        await answered(client.close(), STEP_SECONDS)
    except PorterError as error:
        log.warning("a tried connection did not close: %s", type(error).__name__)
