"""An application of a saved channel's own: what Telegram is told when its posts and files are read.

The account stays the same, and so does its auth key; the pool opens a client of its own for it, beside the account's.
Tried at Telegram before it is stored, as the account's own is (services/session_settings.py).
"""

import logging

from services import audit
from services.clients.base import ApiCredentials, ClientFactory
from services.clients.proxy import unpack as unpack_proxy
from services.errors import NotFound
from services.session_settings import try_application
from storage.models import AuditVerb, Source
from storage.sessions import SessionRepository
from storage.source_applications import SourceApplicationRepository
from storage.sources import SourceRepository

log = logging.getLogger(__name__)


class SourceApplications:
    def __init__(
        self,
        applications: SourceApplicationRepository,
        sources: SourceRepository,
        sessions: SessionRepository,
        factory: ClientFactory,
    ) -> None:
        self._applications = applications
        self._sources = sources
        self._sessions = sessions
        self._factory = factory

    async def change(self, source_id: int, api: ApiCredentials) -> None:
        """From its next request on. Refused ones are not stored, and what was there goes on.

        Raises NotFound, ApiCredentialsInvalid, FloodWait, Unreachable, TelegramRefused.
        """
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_EDIT, source.name):
            packed = await self._sessions.proxy(source.session_id)
            await try_application(self._factory, api, None if packed is None else unpack_proxy(packed))
            await self._applications.set(source.id, api.api_id, api.api_hash)
        log.info("a source names an application of its own", extra={"source_id": source.id})

    async def remove(self, source_id: int) -> None:
        """The account's again. Raises NotFound."""
        source = await self._source(source_id)
        async with audit.act(AuditVerb.SOURCE_EDIT, source.name):
            await self._applications.clear(source.id)

    async def _source(self, source_id: int) -> Source:
        source = await self._sources.get(source_id)
        if source is None:
            raise NotFound("source")
        return source
